//! The operations that the documentation lists; each is throttled for itself.

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `POST /Users`.
    CreateUser,
    /// `GET /Users/{id}`.
    GetUser,
    /// `GET /Users`.
    ListUsers,
    /// `PUT /Users/{id}`.
    PutUser,
    /// `PATCH /Users/{id}`.
    PatchUser,
    /// `DELETE /Users/{id}`.
    DeleteUser,
    /// `POST /Groups`.
    CreateGroup,
    /// `GET /Groups/{id}`.
    GetGroup,
    /// `GET /Groups`.
    ListGroups,
    /// `PATCH /Groups/{id}`.
    PatchGroup,
    /// `DELETE /Groups/{id}`.
    DeleteGroup,
    /// `GET /ServiceProviderConfig`.
    ServiceProviderConfig,
}

impl Operation {
    /// Whether it changes anything.
    #[must_use]
    pub fn is_write(self) -> bool {
        matches!(
            self,
            Self::CreateUser
                | Self::PutUser
                | Self::PatchUser
                | Self::DeleteUser
                | Self::CreateGroup
                | Self::PatchGroup
                | Self::DeleteGroup
        )
    }

    /// The operation and the id of a request; none for what Identity Center does not have
    /// (`PUT /Groups`, `/Bulk`, `/Me`, `/.search`).
    pub(crate) fn of(method: &str, segments: &[&str]) -> Option<(Self, Option<String>)> {
        let operation = match (method, segments) {
            ("POST", ["Users"]) => Self::CreateUser,
            ("GET", ["Users"]) => Self::ListUsers,
            ("GET", ["Users", _]) => Self::GetUser,
            ("PUT", ["Users", _]) => Self::PutUser,
            ("PATCH", ["Users", _]) => Self::PatchUser,
            ("DELETE", ["Users", _]) => Self::DeleteUser,
            ("POST", ["Groups"]) => Self::CreateGroup,
            ("GET", ["Groups"]) => Self::ListGroups,
            ("GET", ["Groups", _]) => Self::GetGroup,
            ("PATCH", ["Groups", _]) => Self::PatchGroup,
            ("DELETE", ["Groups", _]) => Self::DeleteGroup,
            ("GET", ["ServiceProviderConfig"]) => Self::ServiceProviderConfig,
            _ => return None,
        };
        Some((operation, segments.get(1).map(|id| (*id).to_owned())))
    }
}

//! The operations of the SCIM server. Each has its own rate, because Identity Center throttles
//! each separately.

use std::fmt;

use serde::Serialize;

/// An operation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[expect(
    missing_docs,
    reason = "the names are those of the service's documentation"
)]
pub enum Operation {
    ListUsers,
    ListGroups,
    CreateUser,
    PatchUser,
    DeleteUser,
    CreateGroup,
    PatchGroup,
    DeleteGroup,
    GetServiceProviderConfig,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 9] = [
        Self::ListUsers,
        Self::ListGroups,
        Self::CreateUser,
        Self::PatchUser,
        Self::DeleteUser,
        Self::CreateGroup,
        Self::PatchGroup,
        Self::DeleteGroup,
        Self::GetServiceProviderConfig,
    ];

    /// Whether it changes anything.
    #[must_use]
    pub const fn is_write(self) -> bool {
        !matches!(
            self,
            Self::ListUsers | Self::ListGroups | Self::GetServiceProviderConfig
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_but_a_read_is_a_write() {
        let writes: Vec<String> = Operation::ALL
            .into_iter()
            .filter(|operation| operation.is_write())
            .map(|operation| operation.to_string())
            .collect();
        let expected = [
            "CreateUser",
            "PatchUser",
            "DeleteUser",
            "CreateGroup",
            "PatchGroup",
            "DeleteGroup",
        ];
        assert_eq!(writes, expected);
    }
}

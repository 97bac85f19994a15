//! What can go wrong with a call. Nothing here shows what was sent or answered: addresses
//! and bodies hold names, and headers the token. The service's request id finds the call in
//! the service's own logs.

use super::operation::Operation;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token is not accepted, or not for this.
    #[error("the server refused the token with status {status} ({operation})")]
    Credentials {
        /// The call.
        operation: Operation,
        /// 401 or 403.
        status: u16,
    },
    /// Another refusal.
    #[error("{operation} was refused with status {status}{}{}", scim_type.as_ref().map(|kind| format!(", {kind}")).unwrap_or_default(), request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default())]
    Refused {
        /// The call.
        operation: Operation,
        /// The status.
        status: u16,
        /// The keyword that the server gave (RFC 7644, table 9).
        scim_type: Option<String>,
        /// The service's id of the call.
        request_id: Option<String>,
    },
    /// No response after several attempts.
    #[error("{operation} got no answer in {attempts} attempts")]
    NoAnswer {
        /// The call.
        operation: Operation,
        /// How often it was tried.
        attempts: usize,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// A response that violates the protocol.
    #[error("the answer to {operation} {problem}")]
    Malformed {
        /// The call.
        operation: Operation,
        /// The violation.
        problem: &'static str,
    },
    /// A list of which the server gives only a part. Going on would take those who are not in
    /// it for people without a user.
    #[error(
        "{operation} gave {read} of {total} entries, and no way to the others: nothing was written"
    )]
    Incomplete {
        /// The call.
        operation: Operation,
        /// Entries read.
        read: usize,
        /// Entries there are.
        total: usize,
    },
    /// The server cannot be synchronised with.
    #[error("the server has no PATCH (ServiceProviderConfig), which memberships need")]
    NoPatch,
    /// The client could not be set up.
    #[error("failed to set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The token has characters that no header can carry.
    #[error("the token has characters that cannot be sent: a line end inside, perhaps")]
    Token,
}

impl Error {
    /// Whether nothing will work with this token.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        matches!(self, Self::Credentials { .. } | Self::Token)
    }

    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Credentials { status, .. } | Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Credentials { .. } | Self::Token => Some(
                "compare the endpoint with the one that the console shows (a wrong tenant is \
                 refused in the same way), and make a new token there if this one has expired: \
                 IAM Identity Center, Settings, Automatic provisioning"
                    .to_owned(),
            ),
            Self::NoAnswer { .. } => Some("compare `target.endpoint` with the console, and the routes and security groups of the network".to_owned()),
            Self::Incomplete { .. } => Some("ask for the server's largest page or for cursors (RFC 9865)".to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, scim_type: Option<&str>, request_id: Option<&str>) -> Error {
        Error::Refused {
            operation: Operation::CreateUser,
            status,
            scim_type: scim_type.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
        }
    }

    #[test]
    fn a_refusal_has_the_request_id_of_the_service() {
        for (error, expected) in [
            (
                refused(400, None, None),
                "CreateUser was refused with status 400",
            ),
            (
                refused(409, Some("uniqueness"), Some("r1")),
                "CreateUser was refused with status 409, uniqueness (request r1)",
            ),
        ] {
            assert_eq!(error.to_string(), expected);
            assert!(!error.is_credentials());
            assert_eq!(error.hint(), None);
        }
        assert_eq!(refused(409, None, None).status(), Some(409));
    }

    #[test]
    fn the_next_step_is_named_where_there_is_one() {
        let credentials = Error::Credentials {
            operation: Operation::ListUsers,
            status: 401,
        };
        assert_eq!(credentials.status(), Some(401));
        let incomplete = Error::Incomplete {
            operation: Operation::ListUsers,
            read: 50,
            total: 51,
        };
        for (error, is_credentials, hint) in [
            (&credentials, true, Some("make a new token there")),
            (&Error::Token, true, Some("make a new token there")),
            (&incomplete, false, Some("cursors (RFC 9865)")),
            (&Error::NoPatch, false, None),
        ] {
            assert_eq!(error.is_credentials(), is_credentials, "{error}");
            let found = error.hint();
            assert_eq!(found.is_some(), hint.is_some(), "{error}");
            let text = found.unwrap_or_default();
            assert!(text.contains(hint.unwrap_or_default()), "{text}");
        }
        assert_eq!(Error::Token.status(), None);
    }
}

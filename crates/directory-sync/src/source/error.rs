//! Why a directory could not be read.
//!
//! Every one of these ends the read: there is no snapshot of half a directory.

use std::fmt;
use std::path::PathBuf;

use super::bind::BindRefusal;
use super::server_url::ServerUrl;

/// Why there is no snapshot, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration selects no user.
    #[error(
        "nobody is in scope: name groups under `users.memberOf`, or searches under \
         `users.searches` (`searches: [{{base: DC=…}}]` for everybody below a base)"
    )]
    NoUserScope,
    /// An empty name or password makes a simple bind an anonymous one, which succeeds and then
    /// sees less (RFC 4513, sections 5.1.1 and 5.1.2).
    #[error("the {empty} is empty; the directory would take the account for an anonymous one")]
    AnonymousBind {
        /// What is empty.
        empty: &'static str,
    },
    /// The certificates of `certificateAuthorityFile` or `certificateAuthorities`.
    #[error("{}: {reason}", .file.as_ref().map_or_else(
        || "certificateAuthorities".to_owned(), |file| file.display().to_string()))]
    CertificateAuthorities {
        /// Where they were to be, if not in the configuration itself.
        file: Option<PathBuf>,
        /// What is wrong with them.
        reason: String,
    },
    /// The system has no certificate authorities.
    #[error(
        "this system has no certificate authorities; name those that signed the directory's \
         certificate in `certificateAuthorityFile` or `certificateAuthorities`"
    )]
    NoCertificateAuthorities,
    /// No server can be used.
    #[error("no directory server can be used{}", list(.0))]
    Unreachable(Vec<Attempt>),
    /// The server is there, but does not take the account.
    #[error("{server} does not let the account in: {refusal}")]
    BindRefused {
        /// Who says so. The next one is not asked, as failed attempts lock accounts.
        server: ServerUrl,
        /// Why.
        refusal: BindRefusal,
    },
    /// The connection was lost.
    #[error("{server}: the connection was lost during the read ({cause}); run again")]
    ConnectionLost {
        /// The server that was read.
        server: ServerUrl,
        /// What the network says.
        cause: String,
    },
    /// The server is silent.
    #[error(
        "{server}: no answer for {seconds} s; run again, or allow more with \
         `operationTimeoutSeconds`"
    )]
    Silence {
        /// The server that was read.
        server: ServerUrl,
        /// How long it was silent.
        seconds: u64,
    },
    /// The server refuses a search, or does not finish it.
    #[error("{server}: the search below `{base}` failed: {failure}")]
    Search {
        /// The server that was read.
        server: ServerUrl,
        /// The base of the search.
        base: String,
        /// The result of the search.
        failure: SearchFailure,
    },
    /// The server did not explore a part of the area of a search.
    #[error(
        "{server}: the search below `{base}` is not complete: the server refers to {reference} for \
         a part of it, which is not read; use a server that has this part as well, or, if its \
         users and groups are left out on purpose, add its distinguished name to \
         `source.excludedSubtrees`"
    )]
    Referral {
        /// The server that was read.
        server: ServerUrl,
        /// The base of the search.
        base: String,
        /// The URL of the other server, with the distinguished name of the part.
        reference: String,
    },
    /// A response that is not LDAP.
    #[error("{server}: an answer cannot be understood ({what})")]
    Malformed {
        /// The server that was read.
        server: ServerUrl,
        /// What was expected.
        what: &'static str,
    },
    /// The values of an attribute that come in ranges did not all come.
    #[error(
        "{server}: the values of `{attribute}` of `{entry}` end after {count}, though there are \
         more; run again"
    )]
    RangeIncomplete {
        /// The server that was read.
        server: ServerUrl,
        /// The entry, nearly always a group.
        entry: String,
        /// The attribute, nearly always `member`.
        attribute: String,
        /// How many values there are without the others.
        count: usize,
    },
    /// An attribute that the configuration names does not exist.
    #[error(
        "{key}: the directory has no attribute `{name}`{}", .nearest.as_ref().map_or_else(
            String::new, |nearest| format!("; the nearest is `{nearest}`"))
    )]
    UnknownAttribute {
        /// The key that names it.
        key: String,
        /// The name.
        name: String,
        /// The most similar name of an attribute that the directory has.
        nearest: Option<String>,
    },
    /// A group of `users.memberOf` does not exist.
    #[error(
        "users.memberOf: there is no group `{0}` below the search bases that the account may \
         read; write its name (cn) or distinguished name"
    )]
    GroupNotFound(String),
    /// A name of `users.memberOf` is that of several groups.
    #[error(
        "users.memberOf: `{name}` is the name of several groups; write the distinguished name of \
         one: {}", .found.join("; ")
    )]
    GroupAmbiguous {
        /// The name.
        name: String,
        /// The distinguished names of the groups.
        found: Vec<String>,
    },
}

// Result codes (RFC 4511, appendix A).
pub(super) const REFERRAL: u32 = 10;
pub(super) const NO_SUCH_OBJECT: u32 = 32;
pub(super) const INVALID_DN_SYNTAX: u32 = 34;
pub(super) const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;

impl Error {
    /// The result code of a search that failed.
    pub(super) fn search_code(&self) -> Option<u32> {
        match self {
            Self::Search { failure, .. } => Some(failure.code),
            _ => None,
        }
    }

    /// Whether the base of a search does not exist for the account.
    pub(super) fn hides_base(&self) -> bool {
        let code = self.search_code();
        matches!(code, Some(NO_SUCH_OBJECT | INSUFFICIENT_ACCESS_RIGHTS))
    }
}

/// A server that cannot be used, and why.
#[derive(Debug)]
pub struct Attempt {
    /// The server.
    pub server: ServerUrl,
    /// Why it cannot be used.
    pub reason: String,
}

fn list(attempts: &[Attempt]) -> String {
    attempts
        .iter()
        .map(|attempt| format!("\n  {}: {}", attempt.server, attempt.reason))
        .collect()
}

/// The result of a search that is not success (RFC 4511, section 4.1.9 and appendix A).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchFailure {
    /// The result code.
    pub code: u32,
    /// What the server says about it.
    pub diagnostic: String,
}

impl fmt::Display for SearchFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explanation = match self.code {
            1 => "operations error; is the account let in at all?",
            3 => "it took longer than the server's time limit; make the filter narrower",
            4 => {
                "the server's limit for the entries of all pages was reached, so the result is not \
                 whole; raise it for this account, in OpenLDAP with `limits dn.exact=\"…\" \
                 size.soft=unlimited size.prtotal=unlimited`"
            }
            8 | 13 => "the server wants encryption; use `ldaps://`, or StartTLS with `ldap://`",
            REFERRAL => "this server does not have that part of the directory; name one that has",
            11 => {
                "an administrative limit of the server was reached, so the result is not whole; \
                 lower `pageSize` to what the server allows for a page (`size.pr` in OpenLDAP), or \
                 raise the limit for this account (`size.unchecked`, if `pageSize` is lower)"
            }
            12 => "the server cannot do something that the search needs",
            NO_SUCH_OBJECT => "there is no such entry, or the account may not read it",
            INVALID_DN_SYNTAX => "that is no distinguished name",
            INSUFFICIENT_ACCESS_RIGHTS => "the account may not read it",
            51 | 52 => "the server is busy; run again",
            53 => "the server is not willing to do that",
            _ => "unexpected result",
        };
        write!(formatter, "{explanation} (result code {}", self.code)?;
        if !self.diagnostic.is_empty() {
            write!(formatter, ": {}", self.diagnostic)?;
        }
        formatter.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_code_has_an_explanation() {
        let codes = [1, 3, 4, 8, 10, 11, 12, 13, 32, 34, 50, 51, 52, 53, 80, 4096];
        let lines: String = codes
            .iter()
            .map(|code| {
                let failure = SearchFailure {
                    code: *code,
                    diagnostic: if *code == 80 { "ldb" } else { "" }.to_owned(),
                };
                format!("{failure}\n")
            })
            .collect();
        insta::assert_snapshot!(lines);
    }

    #[test]
    fn only_a_base_that_is_hidden_or_missing_may_be_searched_further_down() {
        let server: ServerUrl = "ldaps://dc1.example.test".to_owned().try_into().unwrap();
        let error = |code| Error::Search {
            server: server.clone(),
            base: "DC=x".to_owned(),
            failure: SearchFailure {
                code,
                diagnostic: String::new(),
            },
        };
        for (code, hides) in [(32, true), (50, true), (10, false), (4, false), (34, false)] {
            assert_eq!(error(code).hides_base(), hides, "{code}");
            assert_eq!(error(code).search_code(), Some(code));
        }
        assert!(!Error::NoUserScope.hides_base());
        assert_eq!(Error::NoUserScope.search_code(), None);
    }

    #[test]
    fn every_server_that_was_tried_is_listed_with_its_reason() {
        let attempt = |url: &str, reason: &str| Attempt {
            server: url.to_owned().try_into().unwrap(),
            reason: reason.to_owned(),
        };
        let error = Error::Unreachable(vec![
            attempt("ldaps://dc1.example.test", "no answer"),
            attempt("ldap://dc2.example.test", "it refuses StartTLS"),
        ]);
        assert_eq!(
            error.to_string(),
            "no directory server can be used\n  ldaps://dc1.example.test:636: no answer\n  \
             ldap://dc2.example.test:389: it refuses StartTLS"
        );
    }
}

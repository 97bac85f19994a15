//! Why a directory does not let an account in.
//!
//! Active Directory answers every failed bind with the same result code; the reason stands
//! as a Windows error number in the text beside it: `AcceptSecurityContext error, data 52e`.

use std::fmt;

use ldap3::LdapResult;

/// Why a simple bind failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindRefusal {
    /// The result code (RFC 4511, section 4.2.2).
    pub code: u32,
    /// The Windows error number in hexadecimal, where the server is an Active Directory.
    pub windows_error: Option<String>,
    /// The message of the server.
    pub diagnostic: String,
}

impl BindRefusal {
    pub(super) fn of(result: &LdapResult) -> Self {
        Self {
            code: result.rc,
            windows_error: windows_error(&result.text),
            diagnostic: printable(&result.text),
        }
    }

    /// Whether another server of the same directory may well let the account in: this one is
    /// busy or unavailable.
    pub(super) fn is_of_this_server(&self) -> bool {
        matches!(self.code, 51 | 52)
    }

    /// What is wrong, and what to do. The numbers are those of winerror.h (MS-ERREF, section
    /// 2.2).
    fn explanation(&self) -> &'static str {
        match (self.code, self.windows_error.as_deref()) {
            (49, Some("525")) => "there is no such account; check `bindName`",
            (49, Some("52e")) => "wrong name or password; check `bindName` and the secret",
            (49, Some("530")) => "it may not sign in at this time; widen its logon hours",
            (49, Some("531")) => "it may not sign in from here; see the account's workstations",
            (49, Some("532")) => {
                "its password has expired; set a new one, or let it never expire, and put it into \
                 the secret"
            }
            (49, Some("533")) => "it is disabled; enable it",
            (49, Some("568")) => "it is in too many groups to sign in",
            (49, Some("701")) => "it has expired; set a later end date",
            (49, Some("773")) => {
                "its password must be changed at the next sign-in; set one without that, and put \
                 it into the secret"
            }
            (49, Some("775")) => {
                "it is locked after too many wrong passwords; unlock it, and find out who tries"
            }
            (49, _) => "wrong name or password; check `bindName` and the secret",
            (8 | 13, _) => {
                "the server wants encryption before a password; use `ldaps://`, or `ldap://` \
                 without `allowPlaintext`"
            }
            (32 | 34, _) => "the server does not understand its name; check `bindName`",
            (48 | 7, _) => "the server does not allow simple binds for it",
            (51 | 52, _) => "the server is busy; run again",
            (53, _) => "the server is not willing; a name and a password are needed",
            _ => "the server gives no reason that is known",
        }
    }
}

impl fmt::Display for BindRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} (result code {}",
            self.explanation(),
            self.code
        )?;
        if !self.diagnostic.is_empty() {
            write!(formatter, ": {}", self.diagnostic)?;
        }
        formatter.write_str(")")
    }
}

/// `52e` of `… AcceptSecurityContext error, data 52e, v1db1`
fn windows_error(diagnostic: &str) -> Option<String> {
    let (_, rest) = diagnostic.split_once("data ")?;
    let number: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    (!number.is_empty()).then(|| number.to_ascii_lowercase())
}

/// What a server says, without what would spoil a terminal or a log line.
pub(super) fn printable(diagnostic: &str) -> String {
    diagnostic
        .chars()
        .filter(|character| !character.is_control())
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: u32, diagnostic: &str) -> BindRefusal {
        BindRefusal::of(&LdapResult {
            rc: code,
            matched: String::new(),
            text: diagnostic.to_owned(),
            refs: vec![],
            ctrls: vec![],
        })
    }

    #[test]
    fn active_directory_says_why_in_the_text() {
        let text = |data: &str| {
            format!(
                "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data \
                 {data}, v2580\0"
            )
        };
        for (data, expected) in [
            ("525", "no such account"),
            ("52e", "wrong name or password"),
            ("532", "password has expired"),
            ("533", "is disabled"),
            ("701", "has expired"),
            ("773", "must be changed"),
            ("775", "is locked"),
        ] {
            let shown = refusal(49, &text(data)).to_string();
            assert!(shown.contains(expected), "{shown}");
            assert!(shown.contains(&format!("data {data}")), "{shown}");
            assert!(!shown.contains('\0'));
        }
    }

    #[test]
    fn every_reason_has_an_explanation() {
        let of_windows = [
            "525", "52e", "530", "531", "532", "533", "568", "701", "773", "775", "57",
        ];
        let of_windows = of_windows.map(|number| (49, format!("data {number}")));
        let others = [7, 8, 13, 32, 34, 48, 49, 51, 52, 53, 80];
        let others = others.map(|code| (code, String::new()));
        let lines: String = of_windows
            .iter()
            .chain(&others)
            .map(|(code, diagnostic)| format!("{}\n", refusal(*code, diagnostic)))
            .collect();
        insta::assert_snapshot!(lines);
    }

    #[test]
    fn other_servers_say_nothing_more() {
        insta::assert_snapshot!(
            refusal(49, ""),
            @"wrong name or password; check `bindName` and the secret (result code 49)"
        );
    }

    #[test]
    fn only_a_busy_server_is_worth_asking_the_next_one() {
        assert!(refusal(51, "").is_of_this_server());
        assert!(refusal(52, "").is_of_this_server());
        assert!(!refusal(49, "data 775").is_of_this_server());
    }
}

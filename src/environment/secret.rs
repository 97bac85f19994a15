//! Secrets that somebody pasted into an environment file.
//!
//! No key of it takes a secret, the file is committed, and its lines are quoted in
//! errors. So the text is searched before it is parsed, comments included, and the
//! line that holds the secret is never shown.

use super::problem::Problem;

const CERTIFICATE_BEGINS: &str = "-----BEGIN CERTIFICATE-----";
const CERTIFICATE_ENDS: &str = "-----END CERTIFICATE-----";

/// The problem of the first thing in `text` that looks like a secret.
pub(super) fn find(text: &str) -> Option<Problem> {
    // A certificate is as random as a secret, and public.
    let mut in_certificate = false;
    let (index, kind) = text.lines().enumerate().find_map(|(index, line)| {
        in_certificate |= line.contains(CERTIFICATE_BEGINS);
        let found = if in_certificate { None } else { kind(line) };
        in_certificate &= !line.contains(CERTIFICATE_ENDS);
        Some((index, found?))
    })?;
    Some(
        Problem::new(format!("line {} holds what looks like {kind}", index + 1)).help(
            "remove it, and revoke it if the file was ever shared: environment files are committed \
             and hold no secrets; the tokens of clients are kept in SSM, AWS credentials in a profile",
        ),
    )
}

fn kind(line: &str) -> Option<&'static str> {
    // RFC 7468: "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", and what came before it.
    if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    let words = |also: &'static str| {
        line.split(move |character: char| {
            !character.is_ascii_alphanumeric() && !also.contains(character)
        })
    };
    if words("-_").any(|word| word.len() == 43 && is_random(word)) {
        return Some("a bearer token");
    }
    if words("/+").any(|word| word.len() == 40 && is_random(word)) {
        return Some("an AWS secret access key");
    }
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    let is_access_key = |word: &str| {
        word.len() == 20
            && (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    words("").any(is_access_key).then_some("an AWS access key")
}

/// Whether a word of base64 comes from a random source rather than from a person:
/// capitals, small letters and digits in quick succession. Two neighbours are of
/// different kinds with a probability of 0.64 there; names of roles stay below 0.4.
fn is_random(word: &str) -> bool {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let bytes = word.as_bytes();
    let has = |wanted| bytes.iter().any(|byte| class(*byte) == wanted);
    let changes = bytes
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count();
    has(0)
        && has(1)
        && has(2)
        && changes * 5 > (bytes.len() - 1) * 2
        && !word.starts_with("AWSReservedSSO")
}

#[cfg(test)]
mod tests {
    use super::{find, kind};

    #[test]
    fn a_certificate_is_no_secret_and_what_follows_it_may_be_one() {
        let random = "k3JvQ9x1Zb7TqL0aWm2R5fYh2NcPs8UeXoGd1iKtV4A";
        let text = |kind: &str, end: &str| {
            format!("ca: |\n  -----BEGIN {kind}-----\n  {random}\n  -----END {kind}-----\n{end}\n")
        };
        assert!(find(&text("CERTIFICATE", "")).is_none());
        for (kind, end, line) in [
            ("CERTIFICATE", random, 5),
            ("PRIVATE KEY", "", 2),
            ("RSA PRIVATE KEY", "", 2),
        ] {
            let problem = find(&text(kind, end)).unwrap();
            assert!(
                problem.message.starts_with(&format!("line {line} ")),
                "{}",
                problem.message
            );
            assert!(!problem.message.contains(random));
        }
    }

    #[test]
    fn secrets_are_told_from_names() {
        for (line, expected) in [
            (
                "token: k3JvQ9x_Zb7TqL0aWm-5RfYh2NcPs8UeXoGd1iKtV4A",
                Some("a bearer token"),
            ),
            ("# wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY0", None),
            (
                "key: \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"",
                Some("an AWS secret access key"),
            ),
            ("# AKIAIOSFODNN7EXAMPLE", Some("an AWS access key")),
            ("- AWSReservedSSO_ConnectOps1_0123456789abcdef", None),
            ("- ConnectScimProvisioningRoleForProductionEU1", None),
            ("commit: 9c1185a5c5e9fc54612808977ee8f548b2258d31", None),
            ("instanceId: 11111111-2222-4333-8444-555555555555", None),
            (
                "parameterName: /connect-scim/connect-scim-production/token1",
                None,
            ),
        ] {
            assert_eq!(kind(line), expected, "{line}");
        }
    }
}

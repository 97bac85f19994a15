//! What the operator and the administrator of the identity provider do next, and when the
//! old token stops working.

use jiff::{Timestamp, ToSpan as _};

use super::subject::Subject;
use crate::environment::Environment;

/// When a token that was replaced at `replaced_at` stops being accepted.
pub(super) fn overlap_end(environment: &Environment, replaced_at: Timestamp) -> Option<Timestamp> {
    let minutes = i64::from(environment.token.overlap_minutes.get());
    replaced_at.checked_add(minutes.minutes()).ok()
}

/// `2026-11-21 22:51 UTC`.
pub(super) fn moment(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// For how long both tokens work after a change at `now`.
pub(super) fn both_work(environment: &Environment, now: Timestamp) -> String {
    let ttl = environment.api.authorizer_ttl_seconds.get();
    match overlap_end(environment, now) {
        Some(end) if environment.token.overlap_minutes.get() > 0 => format!(
            "The new token works from now on. The old one works until {} (`token.overlapMinutes`), and at most {ttl} seconds more where API Gateway remembers it.",
            moment(end)
        ),
        _ => format!(
            "The new token works from now on. The old one stops within {} seconds (`token.overlapMinutes` is 0).",
            forgotten_after(environment)
        ),
    }
}

/// Seconds after which nothing remembers a token that is not valid any more: the memory of
/// the authorizer's instances, then that of API Gateway, which asked them last at its end.
pub(super) fn forgotten_after(environment: &Environment) -> u64 {
    crate::token::AUTHORIZER_MEMORY.as_secs()
        + u64::from(environment.api.authorizer_ttl_seconds.get())
}

/// Where the new token has to be entered, and how to see that it works.
pub(super) fn next_steps(subject: &Subject, reveal: bool) -> String {
    let options = &subject.options;
    let mut steps = String::from("next:\n");
    if reveal {
        steps += &format!("  see the token      connect-scim token show {options} --reveal\n");
    }
    steps += &format!(
        "  enter it at Okta   the application's Provisioning tab, Integration: docs/okta.md\n  \
         or at Entra ID     Provisioning, Admin Credentials, Secret Token, Test Connection: docs/entra-id.md\n  \
         try the endpoint   connect-scim smoke {options}"
    );
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(token: &str, api: &str) -> Environment {
        let text = format!(
            "cloud: local\nregion: us-east-1\nstackName: scim\nconnect: {{instanceId: 11111111-2222-4333-8444-555555555555}}\napi: {{requireApiKey: false{api}}}\ntoken: {{{token}}}\n"
        );
        Environment::parse("environments/local.yaml", &text).unwrap()
    }

    #[test]
    fn it_is_told_until_when_the_old_token_works() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        insta::assert_snapshot!(
            both_work(&environment("overlapMinutes: 90", ""), now),
            @"The new token works from now on. The old one works until 2027-01-15 09:30 UTC (`token.overlapMinutes`), and at most 300 seconds more where API Gateway remembers it."
        );
        insta::assert_snapshot!(
            both_work(&environment("overlapMinutes: 0", ", authorizerTtlSeconds: 30"), now),
            @"The new token works from now on. The old one stops within 90 seconds (`token.overlapMinutes` is 0)."
        );
    }
}

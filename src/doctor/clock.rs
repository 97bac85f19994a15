//! The machine's clock against the cloud's: a signature is good for five minutes.

use jiff::{SignedDuration, Timestamp};

use super::Check;

const CHECK: &str = "clock";

/// Requests that are signed earlier or later are refused.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
const REFUSED: SignedDuration = SignedDuration::from_mins(5);

/// A clock that is kept by NTP is never off by that much.
const SUSPICIOUS: SignedDuration = SignedDuration::from_secs(30);

/// How far `now` is ahead of the `Date` header of an answer that has just come.
#[must_use]
pub fn skew(date_header: &str, now: Timestamp) -> Option<SignedDuration> {
    let date = jiff::fmt::rfc2822::parse(date_header).ok()?;
    Some(now.duration_since(date.timestamp()))
}

/// Judges how far this machine's clock is ahead of the cloud's.
#[must_use]
pub fn clock(skew: SignedDuration) -> Check {
    let seconds = skew.as_secs().abs();
    let direction = if skew.is_negative() { "slow" } else { "fast" };
    let detail = format!("{seconds} seconds {direction}");
    let cure = "set the clock, and have it kept by NTP (`timedatectl set-ntp true`)";
    match skew.abs() {
        skew if skew >= REFUSED => Check::fail(CHECK, detail, cure),
        skew if skew >= SUSPICIOUS => Check::warn(CHECK, detail, cure),
        _ => Check::ok(CHECK, "agrees with the cloud's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn a_clock_that_is_minutes_off_fails() {
        let header = "Sun, 06 Nov 1994 08:49:37 GMT";
        let date: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        for (seconds, outcome) in [
            (0, Outcome::Ok),
            (29, Outcome::Ok),
            (-29, Outcome::Ok),
            (30, Outcome::Warn),
            (-299, Outcome::Warn),
            (300, Outcome::Fail),
            (-4_000, Outcome::Fail),
        ] {
            let now = date + SignedDuration::from_secs(seconds);
            let skew = skew(header, now).unwrap();
            assert_eq!(clock(skew).outcome, outcome, "{seconds}");
        }
        assert_eq!(skew("yesterday", date), None);
        let slow = clock(SignedDuration::from_secs(-400));
        assert_eq!(slow.detail, "400 seconds slow");
    }
}

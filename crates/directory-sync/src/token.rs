//! When the server's token expires.
//!
//! Identity Center's tokens live for a year, and an expired one is only noticed by people who
//! cannot sign in. The SCIM protocol does not say when a token expires, so whoever made it
//! notes the date beside it, and every run tells how long that is away.
//!
//! Source: "Automatic provisioning", access tokens,
//! <https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html>.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// From when on a new token should be made: the console of Identity Center begins to remind
/// at the same time.
pub const RENEWAL_DAYS: i64 = 90;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// The time at which a token stops working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenExpiry(Timestamp);

/// Neither a date nor a time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no date: write it as 2027-11-22 or 2027-11-22T09:30:00Z (RFC 3339)")]
pub struct InvalidTokenExpiry(String);

impl FromStr for TokenExpiry {
    type Err = InvalidTokenExpiry;

    /// A time, or a date: its first second in UTC, as a warning may come too early.
    fn from_str(text: &str) -> Result<Self, InvalidTokenExpiry> {
        let text = text.trim();
        if let Ok(time) = text.parse() {
            return Ok(Self(time));
        }
        // A civil date would also be read from a time without a zone.
        let date: Option<Date> = (text.len() == "2027-11-22".len())
            .then(|| text.parse().ok())
            .flatten();
        date.and_then(|date| date.to_zoned(TimeZone::UTC).ok())
            .map(|midnight| Self(midnight.timestamp()))
            .ok_or_else(|| InvalidTokenExpiry(text.to_owned()))
    }
}

impl fmt::Display for TokenExpiry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TokenExpiry {
    /// Whole days from `now`; negative when it is over.
    #[must_use]
    pub fn days_left(self, now: Timestamp) -> i64 {
        (self.0.as_second() - now.as_second()).div_euclid(SECONDS_PER_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_negative_when_the_token_has_expired() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (expires, days) in [
            ("2026-11-24", 1),
            ("2026-11-23T12:00:00Z", 1),
            ("2026-11-23T13:59:59+02:00", 0),
            ("2026-11-23", 0),
            ("2026-11-22", -1),
            ("2026-11-21T12:00:00Z", -1),
            (" 2027-11-22T12:00:00Z\n", 365),
        ] {
            let expiry: TokenExpiry = expires.parse().unwrap();
            assert_eq!(expiry.days_left(now), days, "{expires}");
        }
        let expiry: TokenExpiry = "2026-11-24".parse().unwrap();
        assert_eq!(expiry.to_string(), "2026-11-24T00:00:00Z");
    }

    #[test]
    fn an_invalid_date_is_refused() {
        for text in [
            "",
            "soon",
            "2026-13-01",
            "22.11.2026",
            "2026-11-22T12:00:00",
        ] {
            let error = text.parse::<TokenExpiry>().unwrap_err();
            assert!(error.to_string().contains("2027-11-22"), "{error}");
        }
    }
}

//! How long a command waits.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

/// A time span as a person writes it: minutes (`60`), or with units (`90s`, `1h 30m`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout(Duration);

impl Timeout {
    /// The time span.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let duration = match text.parse::<u32>() {
            Ok(minutes) => Duration::from_secs(u64::from(minutes) * 60),
            Err(_) => text
                .parse::<SignedDuration>()
                .ok()
                .and_then(|duration| Duration::try_from(duration).ok())
                .ok_or(
                    "must be a number of minutes, or a time with units such as `90s` or `1h 30m`",
                )?,
        };
        Ok(Self(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::Timeout;

    #[test]
    fn minutes_need_no_unit() {
        for (text, seconds) in [
            ("60", 3600),
            ("0", 0),
            ("90s", 90),
            ("1h 30m", 5400),
            ("1h30m", 5400),
        ] {
            let timeout: Timeout = text.parse().unwrap();
            assert_eq!(timeout.duration().as_secs(), seconds, "{text}");
        }
        for text in ["", "-1", "-5m", "soon", "1.5"] {
            assert!(text.parse::<Timeout>().is_err(), "{text}");
        }
    }
}

//! How far back to look: `30s`, `10m`, `2h`, `1d`.

use std::time::Duration;

/// Reads a whole number and its unit.
///
/// # Errors
/// What is wrong with the text, for the person who typed it.
pub fn parse_since(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a whole number and s, m, h or d, such as 10m".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - unit.len_utf8()]
        .parse()
        .map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_make_a_time() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("2h", 7_200), ("1d", 86_400)] {
            assert_eq!(
                parse_since(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in ["", "m", "10", "10 m", "-1m", "1.5h", "10µ", "99999999999s"] {
            assert!(parse_since(text).is_err(), "{text}");
        }
    }
}

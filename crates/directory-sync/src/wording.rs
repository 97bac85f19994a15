//! Numbers in messages.

use std::fmt::Display;

/// A number with its noun: `1 user`, `2 users`. The plural of the noun ends with `s`.
pub(crate) fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let all: Vec<String> = [-1, 0, 1, 2].map(|count| counted(count, "user")).into();
        assert_eq!(all, ["-1 users", "0 users", "1 user", "2 users"]);
    }
}

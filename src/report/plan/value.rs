//! Two values beside each other: what is worth showing of them.

use serde_json::Value;

use crate::plan::PropertyChange;
use crate::plan::expression::readable;

/// The digits of a SHA-256.
const DIGEST: usize = 64;

/// Of them, those that people compare.
const SHORT_DIGEST: usize = 12;

/// What is kept of the text before the first difference.
const CONTEXT: usize = 16;

/// How a change of a value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The value stays as written and yet becomes another one, with this resource.
    Follows(String),
    /// `before → after`; `None` where there is no value.
    Values(Option<String>, Option<String>),
    /// Lines or elements that go (`false`) and come (`true`), in order.
    Lines(Vec<(bool, String)>),
}

/// Compares the two values of a property.
pub(super) fn compare(change: &PropertyChange) -> Comparison {
    if let Some(cause) = &change.cause
        && change.before == change.after
    {
        return Comparison::Follows(cause.clone());
    }
    match (&change.before, &change.after) {
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            let (before, after): (Vec<_>, Vec<_>) = (
                before.iter().map(shown).collect(),
                after.iter().map(shown).collect(),
            );
            let lines = elements(&before, &after);
            if lines.is_empty() {
                // The same elements in another order.
                Comparison::Values(Some(list(&before)), Some(list(&after)))
            } else {
                Comparison::Lines(lines)
            }
        }
        (before, after) => {
            let (before, after) = (before.as_ref().map(shown), after.as_ref().map(shown));
            match (&before, &after) {
                (Some(before), Some(after)) if before.contains('\n') || after.contains('\n') => {
                    Comparison::Lines(lines(before, after))
                }
                _ => Comparison::Values(before, after),
            }
        }
    }
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

/// Elements that are in one list only.
fn elements(before: &[String], after: &[String]) -> Vec<(bool, String)> {
    let gone = before.iter().filter(|item| !after.contains(item));
    let new = after.iter().filter(|item| !before.contains(item));
    gone.map(|item| (false, item.clone()))
        .chain(new.map(|item| (true, item.clone())))
        .collect()
}

/// The lines between the first and the last that differ.
fn lines(before: &str, after: &str) -> Vec<(bool, String)> {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.lines().collect(), after.lines().collect());
    let start = common(before.iter(), after.iter());
    let end = common(before[start..].iter().rev(), after[start..].iter().rev());
    let side = |new: bool, lines: &[&str]| -> Vec<(bool, String)> {
        lines[start..lines.len() - end]
            .iter()
            .map(|line| (new, (*line).to_owned()))
            .collect()
    };
    [side(false, &before), side(true, &after)].concat()
}

/// How many items are the same from the beginning.
fn common<T: PartialEq>(one: impl Iterator<Item = T>, other: impl Iterator<Item = T>) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// Two texts cut to `width` characters each, so that their first difference is in sight.
pub(super) fn excerpts(before: &str, after: &str, width: usize) -> (String, String) {
    let (before, after): (Vec<char>, Vec<char>) =
        (before.chars().collect(), after.chars().collect());
    let same = common(before.iter(), after.iter());
    let longest = before.len().max(after.len());
    let skipped = if longest <= width {
        0
    } else {
        same.saturating_sub(CONTEXT)
    };
    (
        excerpt(&before, skipped, width),
        excerpt(&after, skipped, width),
    )
}

/// A text cut to `width` characters.
pub(super) fn cut(text: &str, width: usize) -> String {
    excerpt(&text.chars().collect::<Vec<_>>(), 0, width)
}

fn excerpt(text: &[char], skipped: usize, width: usize) -> String {
    let skipped = skipped.min(text.len());
    let mut excerpt = String::new();
    let mut room = width;
    if skipped > 0 {
        excerpt.push('…');
        room = room.saturating_sub(1);
    }
    let rest = &text[skipped..];
    if rest.len() <= room {
        excerpt.extend(rest);
    } else {
        excerpt.extend(&rest[..room.saturating_sub(1)]);
        excerpt.push('…');
    }
    excerpt
}

/// A value with its digests as people compare them.
fn shown(value: &Value) -> String {
    short_digests(&readable(value))
}

/// Cuts every run of 64 hexadecimal digits: `functions/reconciler/0a1b2c3d4e5f….zip`.
pub(super) fn short_digests(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars().map(Some).chain([None]) {
        match character {
            Some(digit) if digit.is_ascii_hexdigit() => run.push(digit),
            other => {
                if run.len() == DIGEST {
                    short.push_str(&run[..SHORT_DIGEST]);
                    short.push('…');
                } else {
                    short.push_str(&run);
                }
                run.clear();
                short.extend(other);
            }
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_where_they_begin_to_differ() {
        let (before, after) = (
            "a".repeat(50) + "old",
            "a".repeat(50) + "new and longer than that",
        );
        assert_eq!(
            excerpts(&before, &after, 30),
            (
                format!("…{}old", "a".repeat(16)),
                format!("…{}new and long…", "a".repeat(16))
            )
        );
        assert_eq!(
            excerpts("old", "new", 3),
            ("old".to_owned(), "new".to_owned())
        );
        assert_eq!(cut("äöüß", 3), "äö…");
    }

    #[test]
    fn digests_are_cut_wherever_they_stand() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(short_digests(&digest), "0123456789ab…");
        assert_eq!(
            short_digests(&format!("x/{digest}.zip é")),
            "x/0123456789ab….zip é"
        );
        assert_eq!(short_digests("abcdef"), "abcdef");
    }

    #[test]
    fn only_lines_that_differ_are_shown() {
        assert_eq!(
            lines("same\nold\nend", "same\nnew\nmore\nend"),
            [
                (false, "old".to_owned()),
                (true, "new".to_owned()),
                (true, "more".to_owned())
            ]
        );
        assert_eq!(lines("a\na", "a"), [(false, "a".to_owned())]);
    }
}

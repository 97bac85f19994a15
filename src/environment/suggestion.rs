//! `did you mean`.

/// The candidate that somebody most likely meant by `typed`, if one is near enough:
/// the same but for case and separators, or a typing mistake or two away.
pub(super) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = plain(typed);
    let most_mistakes = (typed.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| {
            let mistakes = strsim::damerau_levenshtein(&typed, &plain(candidate));
            (mistakes, candidate)
        })
        .filter(|(mistakes, _)| *mistakes <= most_mistakes)
        .min_by_key(|(mistakes, _)| *mistakes)
        .map(|(_, candidate)| candidate)
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|character| !matches!(character, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn other_spellings_and_typing_mistakes_are_understood() {
        let keys = ["stackName", "stage", "region", "roleArn"];
        for (typed, meant) in [
            ("stack_name", Some("stackName")),
            ("STAGE", Some("stage")),
            ("reigon", Some("region")),
            ("rolearn", Some("roleArn")),
            ("unrelated", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, keys), meant, "{typed}");
        }
    }
}

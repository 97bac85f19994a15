//! What serde says about a value, in the words of the file's author.

use super::suggestion::nearest;
use super::yaml::Step;

/// A sentence and, where one helps, the advice that goes with it.
pub(super) type Explanation = (String, Option<String>);

/// `api.throttle.rate`, `clients.okta`, `api.allowedCidrs[0]`.
pub(super) fn dotted(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Item(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// The key that serde misses, if that is what `message` says.
pub(super) fn missing_key(message: &str) -> Option<&str> {
    backticked(message.strip_prefix("missing field ")?).next()
}

/// Explains `message`, which serde gave for what stands at `path`.
pub(super) fn explain(path: &[Step], message: &str, value: Option<&str>) -> Explanation {
    let name = dotted(path);
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = backticked(rest);
        let typed = names.next().unwrap_or_default();
        let known: Vec<_> = names.collect();
        let advice = match nearest(typed, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the keys here are {}", listed(&known)),
        };
        return (format!("unknown key `{name}`"), Some(advice));
    }
    if message.starts_with("missing field ") {
        return (format!("`{name}` is missing"), None);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let mut names = backticked(rest);
        let typed = names.next().unwrap_or_default();
        let known: Vec<_> = names.collect();
        let advice =
            nearest(typed, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
        return (
            format!(
                "`{name}` cannot be `{typed}`: it is one of {}",
                listed(&known)
            ),
            advice,
        );
    }
    let mismatch = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "));
    if let Some((found, expected)) = mismatch {
        return type_mismatch(&name, found, expected);
    }
    let advice = value.and_then(|value| {
        if name == "region" {
            nearest(value, CONNECT_REGIONS).map(|meant| format!("did you mean `{meant}`?"))
        } else if name == "connect.instanceId" {
            let (_, id) = value.split_once(":instance/")?;
            Some(format!(
                "did you mean `{}`?",
                id.split('/').next().unwrap_or(id)
            ))
        } else {
            None
        }
    });
    (format!("`{name}` {message}"), advice)
}

/// Where Amazon Connect is offered; used to understand typing mistakes only.
/// <https://docs.aws.amazon.com/general/latest/gr/connect_region.html>
const CONNECT_REGIONS: [&str; 11] = [
    "us-east-1",
    "us-west-2",
    "af-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-2",
    "us-gov-west-1",
];

fn type_mismatch(name: &str, found: &str, expected: &str) -> Explanation {
    let expected = match expected {
        "a boolean" => "true or false",
        "f64" => "a number",
        "u32" => "a whole number from 0",
        "a sequence" => "a list",
        "a map" => "keys and values",
        other if other.starts_with("struct ") => "keys and values",
        other if other.starts_with("enum ") || other == "string or map" => "one of its words",
        other => other,
    };
    if found == "null" {
        return (
            format!("`{name}` has no value, but must be {expected}"),
            Some("give it a value, or remove the key".into()),
        );
    }
    let advice = match (found, expected) {
        (r#"string "yes""# | r#"string "on""# | r#"string "y""#, "true or false") => {
            Some("write true")
        }
        (r#"string "no""# | r#"string "off""# | r#"string "n""#, "true or false") => {
            Some("write false")
        }
        (_, "a list") => Some("write one `- value` line for each item"),
        (found, "a number" | "a whole number from 0" | "true or false")
            if found
                .strip_prefix("string ")
                .is_some_and(|text| is_literal(text.trim_matches('"'))) =>
        {
            Some("write it without quotes")
        }
        (found, expected)
            if expected.starts_with("text")
                && ["integer ", "floating ", "boolean "]
                    .iter()
                    .any(|kind| found.starts_with(kind)) =>
        {
            Some("write it in quotes")
        }
        _ => None,
    };
    let found = match found.split_once(' ') {
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer" | "floating", _)) => format!(
            "the number {}",
            backticked(found).next().unwrap_or_default()
        ),
        Some(("boolean", _)) => backticked(found).next().unwrap_or_default().to_owned(),
        _ => match found {
            "map" => "keys and values".to_owned(),
            "sequence" => "a list".to_owned(),
            other => other.to_owned(),
        },
    };
    (
        format!("`{name}` must be {expected}, not {found}"),
        advice.map(Into::into),
    )
}

/// Whether YAML takes `text` without quotes as something other than text.
fn is_literal(text: &str) -> bool {
    text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok()
}

/// The parts of `text` between backticks.
fn backticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

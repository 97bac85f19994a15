//! What became of the targets of an environment, side by side.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::drift::{join_junit, join_sarif};
use super::page::join_pages;
use crate::exit_code::Exit;

/// How the run of a command for one target ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetResult {
    /// Its name.
    pub target: String,
    /// Its AWS account; `None` in the local cloud.
    pub account: Option<String>,
    /// Its region.
    pub region: String,
    /// When its turn was, from 1.
    pub wave: u64,
    /// How its run ended; `None` if it never began.
    #[serde(rename = "exitCode", serialize_with = "exit_code")]
    pub exit: Option<Exit>,
    /// How long it took.
    pub seconds: f64,
}

fn exit_code<S: Serializer>(exit: &Option<Exit>, serializer: S) -> Result<S::Ok, S::Error> {
    exit.map(Exit::code).serialize(serializer)
}

impl TargetResult {
    /// Whether later waves may begin.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(
            self.exit,
            Some(Exit::Success | Exit::Changes | Exit::NotFullyChecked)
        )
    }

    fn outcome(&self) -> &'static str {
        match self.exit {
            None => "not started",
            Some(Exit::Success) => "done",
            Some(Exit::Failure | Exit::Usage) => "failed",
            Some(Exit::InvalidEnvironment) => "failed: invalid",
            Some(Exit::Changes) => "changes",
            Some(Exit::NotFullyChecked) => "not fully checked",
            Some(Exit::RolledBack) => "failed, rolled back",
            Some(Exit::NeedsHuman) => "needs somebody's decision",
            Some(Exit::Busy) => "busy",
            Some(Exit::Credentials) => "no credentials",
            Some(Exit::ApprovalNeeded) => "needs approval",
            Some(Exit::Interrupted | Exit::Terminated) => "interrupted",
        }
    }
}

/// One line for each target.
#[must_use]
pub fn table(results: &[TargetResult]) -> String {
    let rows = results.iter().map(|result| {
        vec![
            result.target.clone(),
            result.account.clone().unwrap_or_else(|| "local".to_owned()),
            result.region.clone(),
            result.wave.to_string(),
            result.outcome().to_owned(),
            result
                .exit
                .map_or_else(String::new, |_| format!("{:.1}", result.seconds)),
        ]
    });
    super::table(
        &["TARGET", "ACCOUNT", "REGION", "WAVE", "OUTCOME", "SECONDS"],
        rows,
    )
}

/// The same as the last line of the JSON form.
#[must_use]
pub fn json_line(results: &[TargetResult]) -> String {
    json!({ "type": "targets", "targets": results }).to_string()
}

/// A line of the JSON form with the name of the target it is about.
#[must_use]
pub fn named(target: &str, line: &str) -> String {
    let mut object = Map::from_iter([("target".to_owned(), json!(target))]);
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => object.extend(fields),
        _ => {
            object.insert("line".to_owned(), json!(line));
        }
    }
    Value::Object(object).to_string()
}

/// How the documents of several targets become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// Plain text, each under the target's name.
    Text,
    /// Markdown, each under a heading.
    Markdown,
    /// One page of HTML with the content of each.
    Html,
    /// JUnit XML with the suites of each.
    Junit,
    /// SARIF with the runs of each.
    Sarif,
    /// `{"version": 1, "targets": {name: document}}`.
    Json,
}

impl Document {
    /// One document of each target's own.
    #[must_use]
    pub fn join<'a>(self, parts: impl Iterator<Item = (&'a str, &'a String)>) -> String {
        match self {
            Self::Text => parts
                .map(|(target, text)| format!("{target}\n{}\n{text}\n", "=".repeat(target.len())))
                .collect(),
            Self::Markdown => parts
                .map(|(target, text)| format!("## {target}\n\n{text}\n"))
                .collect(),
            Self::Html => join_pages(parts),
            Self::Junit => join_junit(parts),
            Self::Sarif => join_sarif(parts),
            Self::Json => {
                let targets: Map<String, Value> = parts
                    .map(|(target, text)| {
                        let document = serde_json::from_str(text).unwrap_or(Value::Null);
                        (target.to_owned(), document)
                    })
                    .collect();
                format!("{:#}\n", json!({ "version": 1, "targets": targets }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(target: &str, exit: Option<Exit>) -> TargetResult {
        TargetResult {
            target: target.to_owned(),
            account: Some("123456789012".to_owned()),
            region: "eu-central-1".to_owned(),
            wave: 1,
            exit,
            seconds: 62.04,
        }
    }

    #[test]
    fn the_summary_is_a_table() {
        let results = [
            result("frankfurt", Some(Exit::Success)),
            result("london", Some(Exit::RolledBack)),
            result("paris", Some(Exit::InvalidEnvironment)),
            result("tokyo", None),
        ];
        insta::assert_snapshot!(table(&results));
    }

    #[test]
    fn lines_of_json_get_the_name_of_their_target() {
        assert_eq!(
            named("london", r#"{"type":"event","status":"CREATE_COMPLETE"}"#),
            r#"{"status":"CREATE_COMPLETE","target":"london","type":"event"}"#
        );
        assert_eq!(
            named("london", "no JSON"),
            r#"{"line":"no JSON","target":"london"}"#
        );
    }

    #[test]
    fn documents_are_joined_in_the_order_of_the_targets() {
        let parts = [("a", "{\"x\":1}\n".to_owned()), ("b", String::new())];
        let join =
            |document: Document| document.join(parts.iter().map(|(name, text)| (*name, text)));
        assert_eq!(join(Document::Text), "a\n=\n{\"x\":1}\n\nb\n=\n\n");
        assert_eq!(join(Document::Markdown), "## a\n\n{\"x\":1}\n\n## b\n\n\n");
        let joined: Value = serde_json::from_str(&join(Document::Json)).unwrap();
        assert_eq!(
            joined,
            json!({"version": 1, "targets": {"a": {"x": 1}, "b": null}})
        );
    }
}

//! `outputs`: the URLs to enter at the identity provider, names and ids.

use std::collections::BTreeMap;

use super::interrupt::{InCloud, run_interruptibly};
use super::target::Target;
use super::{Error, Outcome};
use crate::cli::{OutputsArgs, OutputsFormat};
use crate::printer::Printer;

/// Runs `outputs`.
pub(super) fn run(args: &OutputsArgs, printer: &Printer) -> Result<Outcome, Error> {
    run_interruptibly(&InCloud::default(), async {
        let target = Target::find(&args.environment).await?;
        let stack = target.describe_existing().await?;
        let outputs = target.reachable_outputs(&stack);
        printer.data(&match args.format {
            OutputsFormat::Text => text(&outputs),
            OutputsFormat::Json => json(&outputs),
            OutputsFormat::Env => env(&outputs),
            OutputsFormat::Github => github(&outputs),
        });
        Ok(Outcome::SUCCESS)
    })
}

/// `Key  value` lines, values aligned.
pub(super) fn text(outputs: &BTreeMap<String, String>) -> String {
    let width = outputs.keys().map(String::len).max().unwrap_or_default();
    outputs
        .iter()
        .map(|(key, value)| format!("{key:width$}  {value}\n"))
        .collect()
}

fn json(outputs: &BTreeMap<String, String>) -> String {
    format!("{:#}\n", serde_json::json!(outputs))
}

/// `OKTA_BASE_URL='…'` lines that a shell can evaluate.
fn env(outputs: &BTreeMap<String, String>) -> String {
    outputs
        .iter()
        .map(|(key, value)| format!("{}='{}'\n", shouting(key), value.replace('\'', r"'\''")))
        .collect()
}

/// `OktaBaseUrl=…` lines for the file `$GITHUB_OUTPUT`. A value of several lines stands
/// between delimiters, which are unlike anything in it.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings>
fn github(outputs: &BTreeMap<String, String>) -> String {
    outputs
        .iter()
        .map(|(key, value)| {
            if value.contains(['\n', '\r']) {
                let delimiter = format!("end-of-{}", uuid::Uuid::new_v4().simple());
                format!("{key}<<{delimiter}\n{value}\n{delimiter}\n")
            } else {
                format!("{key}={value}\n")
            }
        })
        .collect()
}

/// `OktaBaseUrl` → `OKTA_BASE_URL`.
fn shouting(key: &str) -> String {
    let mut name = String::new();
    for (position, character) in key.chars().enumerate() {
        if position > 0 && character.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{env, github, json, text};

    fn outputs() -> BTreeMap<String, String> {
        BTreeMap::from([
            ("ApiId".to_owned(), "a1b2".to_owned()),
            (
                "OktaBaseUrl".to_owned(),
                "https://example.com/it's".to_owned(),
            ),
        ])
    }

    #[test]
    fn text_aligns_the_values() {
        insta::assert_snapshot!(text(&outputs()), @r"
        ApiId        a1b2
        OktaBaseUrl  https://example.com/it's
        ");
    }

    #[test]
    fn env_lines_survive_a_shell() {
        insta::assert_snapshot!(env(&outputs()), @r"
        API_ID='a1b2'
        OKTA_BASE_URL='https://example.com/it'\''s'
        ");
    }

    #[test]
    fn a_value_of_several_lines_cannot_make_another_output() {
        let mut outputs = outputs();
        outputs.insert("Note".to_owned(), "one\nApiId=forged".to_owned());
        let lines = github(&outputs);
        let (plain, note) = lines.split_once("Note<<").unwrap();
        assert_eq!(plain, "ApiId=a1b2\n");
        let (delimiter, rest) = note.split_once('\n').unwrap();
        assert_eq!(
            rest,
            format!("one\nApiId=forged\n{delimiter}\nOktaBaseUrl=https://example.com/it's\n")
        );
    }

    #[test]
    fn json_has_the_keys_of_the_template() {
        insta::assert_snapshot!(json(&outputs()), @r#"
        {
          "ApiId": "a1b2",
          "OktaBaseUrl": "https://example.com/it's"
        }
        "#);
    }
}

//! The matrix as Markdown.

use std::fmt::Write as _;

use super::{LEGEND, letter, problems, summary};
use crate::guardrail::{Decision, USER_EDITS, Verification, name};

/// The report for a pull request, a ticket or a job summary.
#[must_use]
pub fn markdown(verification: &Verification) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    line(format!(
        "## Guardrail of `{}`\n\nAccount {}, {}. {}.",
        verification.stack_name,
        verification.account,
        verification.region,
        summary(verification)
    ));
    let problems = problems(verification);
    if !problems.is_empty() {
        line("\n### Not as it should be\n".to_owned());
        problems
            .iter()
            .for_each(|problem| line(format!("- {problem}")));
    }
    if !verification.not_checked.is_empty() {
        line("\n### Not checked\n".to_owned());
        for unknown in &verification.not_checked {
            line(format!("- {}: {}", unknown.subject, unknown.reason));
        }
    }
    line("\n### Who may edit users\n".to_owned());
    line("| Principal | Part | Denied by a policy | Allowed by nothing | Allowed | Not checked |\n|---|---|---:|---:|---:|---:|".to_owned());
    for row in &verification.rows {
        line(format!(
            "| `{}` | {} | {} | {} | {} | {} |",
            row.name(),
            row.part.word(),
            row.count(Decision::DeniedExplicitly),
            row.count(Decision::DeniedImplicitly),
            row.count(Decision::Allowed),
            row.count(Decision::NotChecked),
        ));
    }
    for deployment in &verification.deployments {
        line(format!(
            "\n`{}` may do {} of the {} actions of a deployment.",
            name(&deployment.principal),
            deployment.actions - deployment.denied.len(),
            deployment.actions
        ));
    }
    line(format!(
        "\n<details><summary>Every action</summary>\n\n{LEGEND}\n"
    ));
    line(format!(
        "| Action | {} |",
        verification
            .rows
            .iter()
            .map(|row| format!("`{}`", row.name()))
            .collect::<Vec<_>>()
            .join(" | ")
    ));
    line(format!("|---|{}", ":-:|".repeat(verification.rows.len())));
    for (place, edit) in USER_EDITS.iter().enumerate() {
        let cells = verification.rows.iter().map(|row| {
            let letter = row.decisions.get(place).copied().map_or('?', letter);
            match row.unexpected().contains(&place) {
                true => format!("**{letter}**"),
                false => letter.to_string(),
            }
        });
        line(format!(
            "| {edit} | {} |",
            cells.collect::<Vec<_>>().join(" | ")
        ));
    }
    line("\n</details>".to_owned());
    text
}

//! How the guardrails' state is shown: who may edit users, and which security profiles let
//! their holders do so.
//!
//! The matrix has a column for each action. It is written with a letter for each
//! decision, so that it fits a terminal, and what is wrong is written out beside it.

mod audit;
mod html;
pub mod json_v1;
mod markdown;
mod text;

use crate::guardrail::{Decision, USER_EDITS, Verdict, Verification};

pub use audit::{markdown as audit_markdown, text as audit_text};
pub use html::{audit_html, html};
pub use markdown::markdown;
pub use text::text;

/// The letter of a decision in the matrix.
const fn letter(decision: Decision) -> char {
    match decision {
        Decision::Allowed => 'A',
        Decision::DeniedExplicitly => 'D',
        Decision::DeniedImplicitly => '.',
        Decision::NotChecked => '?',
    }
}

/// What the letters mean.
const LEGEND: &str =
    "D denied by a policy   . denied because nothing allows it   A allowed   ? not checked";

/// What is wrong, a line each.
fn problems(verification: &Verification) -> Vec<String> {
    let actions = |places: &[usize]| -> String {
        let names = places.iter().map(|place| USER_EDITS[*place].to_string());
        names.collect::<Vec<_>>().join(", ")
    };
    let rows = verification.rows.iter().filter_map(|row| {
        let unexpected = row.unexpected();
        let (denied, allowed): (Vec<usize>, Vec<usize>) = unexpected
            .iter()
            .partition(|place| row.decisions[**place] != Decision::Allowed);
        let lines = [("may not", denied), ("may", allowed)]
            .into_iter()
            .filter(|(_, places)| !places.is_empty())
            .map(|(verb, places)| format!("{} {verb} {}", row.name(), actions(&places)));
        (!unexpected.is_empty()).then(|| lines.collect::<Vec<_>>().join("; "))
    });
    let deployments = verification
        .deployments
        .iter()
        .filter(|deployment| !deployment.denied.is_empty())
        .map(|deployment| {
            format!(
                "{} deploys, and may not {}",
                crate::guardrail::name(&deployment.principal),
                deployment.denied.join(", ")
            )
        });
    rows.chain(deployments).collect()
}

/// The outcome in one sentence.
fn summary(verification: &Verification) -> String {
    let principals = match verification.rows.len() {
        1 => "1 principal".to_owned(),
        count => format!("{count} principals"),
    };
    let of = match verification.searched {
        Some(searched) => format!(" of {searched} roles and users"),
        None => String::new(),
    };
    let verdict = match verification.verdict() {
        Verdict::Holds => "nobody but the endpoint edits users",
        Verdict::Broken => "the guardrail does not hold",
        Verdict::NotFullyChecked => {
            "nobody but the endpoint edits users, as far as it could be checked"
        }
    };
    format!(
        "{}: {verdict} ({principals}{of}, {} actions each)",
        verification.stack_name,
        USER_EDITS.len()
    )
}

#[cfg(test)]
mod tests;

//! A plan as Markdown, for a comment on a pull request.
//!
//! GitHub takes 65,536 characters; a longer plan loses its last, least important details
//! and says so. Names and values come from templates, so they stand in `<code>` with
//! everything escaped that Markdown or HTML would read: no value can become a link, a
//! mention or markup.

use std::fmt::Write as _;

use super::value::{Comparison, compare, short_digests};
use super::{approval_flags, sign, subject, summary, verb, worst_first};
use crate::plan::{
    Action, Permission, Plan, PropertyChange, Replacement, ResourceChange, Severity, StackAction,
};
use crate::report::page::escape;

/// What GitHub takes, with room for what a pipeline puts before it.
const LONGEST: usize = 64_000;

/// Longer values are cut: a comment is read, not compared.
const LONGEST_VALUE: usize = 600;

/// The plan.
#[must_use]
pub fn markdown(plan: &Plan) -> String {
    let mut head = format!("**{}**\n\n", code_free(&summary(plan)));
    if plan.is_empty() {
        return head;
    }
    let _ = writeln!(head, "{}\n", code_free(&subject(plan)));
    if let Some(flags) = approval_flags(plan) {
        let _ = writeln!(head, "To be approved: {}\n", code(&flags));
    }
    notices(plan, &mut head);
    let details = [
        permissions(plan),
        resources(plan),
        api(plan),
        functions(plan),
        stack(plan),
    ]
    .concat();
    within(head, details)
}

/// Puts as many blocks behind the head as there is room for.
fn within(mut text: String, blocks: Vec<String>) -> String {
    let mut room = LONGEST.saturating_sub(text.chars().count());
    let mut left_out = 0;
    for block in blocks {
        let length = block.chars().count();
        // Once something is left out, so is all that matters less.
        if left_out > 0 || length > room {
            left_out += 1;
        } else {
            room -= length;
            text.push_str(&block);
        }
    }
    if left_out > 0 {
        let _ = writeln!(
            text,
            "\n_{left_out} more parts do not fit here: `connect-scim plan` shows them._"
        );
    }
    text
}

fn notices(plan: &Plan, text: &mut String) {
    if plan.notices.is_empty() {
        return;
    }
    let worst = plan.notices.iter().map(|notice| notice.severity).min();
    let alert = match worst {
        Some(Severity::Loss) => "CAUTION",
        Some(Severity::Warning) => "WARNING",
        Some(Severity::Note) | None => "NOTE",
    };
    let _ = writeln!(text, "> [!{alert}]");
    for notice in &plan.notices {
        let word = match notice.severity {
            Severity::Loss => "**DATA LOSS** ",
            Severity::Warning => "**Warning** ",
            Severity::Note => "",
        };
        let _ = writeln!(
            text,
            "> - {word}{} {}",
            code(&notice.subject),
            code_free(&notice.text)
        );
    }
    text.push('\n');
}

fn folded(summary: &str, body: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{body}\n</details>\n\n")
}

/// One block for each resource, the worst first; those that are made together in one.
fn resources(plan: &Plan) -> Vec<String> {
    let (made, others): (Vec<_>, Vec<_>) = worst_first(plan)
        .into_iter()
        .partition(|resource| resource.action == Action::Add);
    let mut blocks: Vec<String> = others.into_iter().map(resource).collect();
    if !made.is_empty() {
        let list: String = made
            .iter()
            .map(|resource| {
                format!(
                    "- {} {}\n",
                    code(&resource.logical_id),
                    code(&resource.resource_type)
                )
            })
            .collect();
        blocks.push(folded(&format!("+ {} made", made.len()), &list));
    }
    blocks
}

fn resource(resource: &ResourceChange) -> String {
    let name = format!(
        "{} {} {}",
        sign(resource),
        code(&resource.logical_id),
        code(&resource.resource_type)
    );
    let name = if resource.replacement == Replacement::None && resource.action == Action::Modify {
        name
    } else {
        format!("{name} <b>{}</b>", verb(resource))
    };
    if resource.action == Action::Remove {
        return format!("{name}\n\n");
    }
    folded(&name, &table(&resource.properties))
}

fn table(properties: &[PropertyChange]) -> String {
    let mut table = "| Property | Before | After |\n|---|---|---|\n".to_owned();
    for property in properties {
        let (before, after) = match compare(property) {
            Comparison::Follows(cause) => (String::new(), format!("changes with {}", code(&cause))),
            Comparison::Values(before, after) => (
                before.as_deref().map(code).unwrap_or_default(),
                after.as_deref().map(code).unwrap_or_default(),
            ),
            Comparison::Lines(lines) => {
                let side = |wanted: bool| {
                    let lines: Vec<_> = lines
                        .iter()
                        .filter(|(new, _)| *new == wanted)
                        .map(|(_, line)| code(line))
                        .collect();
                    lines.join("<br>")
                };
                (side(false), side(true))
            }
        };
        let mark = match property.replacement {
            Replacement::None => "",
            Replacement::Possible => " (may force a replacement)",
            Replacement::Certain => " (forces the replacement)",
        };
        let _ = writeln!(
            table,
            "| {}{mark} | {before} | {after} |",
            code(&property.name)
        );
    }
    table
}

fn permissions(plan: &Plan) -> Vec<String> {
    let updates = plan.action == StackAction::Update;
    plan.permissions
        .iter()
        .map(|policy| {
            let broadens = updates && policy.broadens();
            let list: String = policy
                .granted
                .iter()
                .map(|permission| (true, permission))
                .chain(policy.revoked.iter().map(|permission| (false, permission)))
                .map(|(granted, permission)| line(granted, permission, updates))
                .collect();
            let name = format!(
                "IAM: {} {}{}",
                code(&policy.logical_id),
                code_free(&policy.policy),
                if broadens { " <b>is broadened</b>" } else { "" }
            );
            folded(&name, &list)
        })
        .collect()
}

fn line(granted: bool, permission: &Permission, mark: bool) -> String {
    let mut line = format!(
        "- {}{} {} {}",
        if granted { "granted" } else { "revoked" },
        if mark && permission.broadens {
            " **(broadens)**"
        } else {
            ""
        },
        code_free(&permission.effect.to_lowercase()),
        code(&permission.actions.join(", "))
    );
    if !permission.resources.is_empty() {
        let _ = write!(line, " on {}", code(&permission.resources.join(", ")));
    }
    if let Some(principal) = &permission.principal {
        let _ = write!(line, " to {}", code(principal));
    }
    if let Some(condition) = &permission.condition {
        let _ = write!(line, " if {}", code(condition));
    }
    line.push('\n');
    line
}

fn api(plan: &Plan) -> Vec<String> {
    if plan.api.is_empty() {
        return Vec::new();
    }
    let list: String = plan
        .api
        .iter()
        .map(|words| format!("- {}\n", code(words)))
        .collect();
    vec![folded("API", &list)]
}

fn functions(plan: &Plan) -> Vec<String> {
    if plan.code.is_empty() || plan.action != StackAction::Update {
        return Vec::new();
    }
    let side = |side: &Option<String>| {
        side.as_deref()
            .map(|text| code(&short_digests(text)))
            .unwrap_or_default()
    };
    let mut table = "| Function | Before | After |\n|---|---|---|\n".to_owned();
    for change in &plan.code {
        let _ = writeln!(
            table,
            "| {} | {} | {} |",
            code(&change.function),
            side(&change.before),
            side(&change.after)
        );
    }
    vec![folded("Code", &table)]
}

fn stack(plan: &Plan) -> Vec<String> {
    if plan.stack.is_empty() {
        return Vec::new();
    }
    vec![folded("The stack itself", &table(&plan.stack))]
}

/// A name or a value: on one line, and read by nobody but people.
fn code(text: &str) -> String {
    format!(
        "<code>{}</code>",
        inert(&super::value::cut(text, LONGEST_VALUE))
    )
}

/// A sentence of ours, which may have a name in it.
fn code_free(text: &str) -> String {
    inert(text)
}

/// Without anything that Markdown reads.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for character in escape(text).chars() {
        match character {
            '\n' | '\r' => inert.push_str("<br>"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '@' | '#' | '$' | '!' => {
                let _ = write!(inert, "&#{};", u32::from(character));
            }
            other => inert.push(other),
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(
            code("<b>|`@user #1 [x](y)\n&"),
            "<code>&lt;b&gt;&#124;&#96;&#64;user &#35;1 &#91;x&#93;(y)<br>&amp;</code>"
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out_from_the_end_and_counted() {
        let blocks = vec!["a".repeat(60_000), "b".repeat(5_000), "c".to_owned()];
        let text = within("head\n".to_owned(), blocks);
        assert!(text.chars().count() < 65_000);
        assert!(text.contains("aaa") && !text.contains('b') && !text.contains("c\n"));
        assert!(
            text.ends_with("_2 more parts do not fit here: `connect-scim plan` shows them._\n")
        );
    }
}

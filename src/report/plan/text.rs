//! A plan as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use super::value::{Comparison, compare, cut, excerpts, short_digests};
use super::{approval_flags, sign, subject, summary, verb, worst_first};
use crate::plan::{
    Action, Permission, Plan, PolicyChange, PropertyChange, Replacement, ResourceChange, Severity,
    StackAction,
};

/// What stands for a value that is not there.
const NONE: &str = "(none)";

/// The plan for a terminal of so many columns; values that do not fit are cut. Without a
/// width nothing is cut.
///
/// Coloured: the stream strips what its reader cannot show.
#[must_use]
pub fn text(plan: &Plan, width: Option<usize>) -> String {
    let mut text = Text {
        text: String::new(),
        width: width.unwrap_or(usize::MAX),
    };
    if plan.is_empty() {
        text.line(0, &summary(plan));
        return text.text;
    }
    text.line(0, &subject(plan).bold().to_string());
    text.notices(plan);
    text.resources(plan);
    text.code(plan);
    text.api(plan);
    text.permissions(plan);
    text.stack(plan);
    text.line(0, "");
    text.wrapped(0, &summary(plan));
    if let Some(flags) = approval_flags(plan) {
        text.line(0, &format!("to be approved: {}", flags.bold()));
    }
    text.text
}

struct Text {
    text: String,
    width: usize,
}

impl Text {
    fn line(&mut self, indent: usize, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    fn heading(&mut self, heading: &str) {
        self.line(0, "");
        self.line(0, &heading.bold().to_string());
    }

    /// What fits beside an indentation.
    fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent).max(20)
    }

    fn notices(&mut self, plan: &Plan) {
        if plan.notices.is_empty() {
            return;
        }
        self.heading("Attention");
        for notice in &plan.notices {
            let word = match notice.severity {
                Severity::Loss => "DATA LOSS".red().bold().to_string(),
                Severity::Warning => "warning".yellow().bold().to_string(),
                Severity::Note => "note".cyan().to_string(),
            };
            self.wrapped(2, &format!("{word}  {} {}", notice.subject, notice.text));
        }
    }

    /// Breaks a text between words; all lines but the first stand two columns further in.
    fn wrapped(&mut self, indent: usize, text: &str) {
        let (mut current, mut line) = (indent, String::new());
        for word in text.split(' ') {
            if line.is_empty() {
                line.push_str(word);
            } else if visible(&line) + 1 + visible(word) <= self.room(current) {
                line.push(' ');
                line.push_str(word);
            } else {
                self.line(current, &line);
                current = indent + 2;
                word.clone_into(&mut line);
            }
        }
        self.line(current, &line);
    }

    fn resources(&mut self, plan: &Plan) {
        if plan.resources.is_empty() {
            return;
        }
        self.heading("Resources");
        if plan.action == StackAction::Update {
            for resource in worst_first(plan) {
                self.resource(resource);
            }
        } else {
            self.new_resources(plan);
        }
    }

    /// The resources of a stack that is made, by type.
    fn new_resources(&mut self, plan: &Plan) {
        let mut by_type: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for resource in &plan.resources {
            by_type
                .entry(&resource.resource_type)
                .or_default()
                .push(&resource.logical_id);
        }
        for (resource_type, logical_ids) in by_type {
            self.wrapped(
                2,
                &format!(
                    "{} {}  {}",
                    "+".green(),
                    resource_type.dimmed(),
                    logical_ids.join(", ")
                ),
            );
        }
    }

    fn resource(&mut self, resource: &ResourceChange) {
        let sign = sign(resource);
        let sign = match (resource.action, resource.replacement) {
            (Action::Add, _) => sign.green().to_string(),
            (Action::Modify, Replacement::None) => sign.yellow().to_string(),
            _ => sign.red().bold().to_string(),
        };
        let mut line = format!(
            "{sign} {}  {}",
            resource.logical_id.bold(),
            resource.resource_type.dimmed()
        );
        if resource.replacement != Replacement::None {
            line.push_str("  ");
            line.push_str(&verb(resource).red().bold().to_string());
        }
        self.line(2, &line);
        // A resource that comes or goes is no list of changes.
        if resource.action == Action::Modify {
            for property in &resource.properties {
                self.property(6, property);
            }
        }
    }

    fn property(&mut self, indent: usize, property: &PropertyChange) {
        let name = &property.name;
        let mark = match property.replacement {
            Replacement::None => "",
            Replacement::Possible => " (may force a replacement)",
            Replacement::Certain => " (forces the replacement)",
        };
        match compare(property) {
            Comparison::Follows(cause) => {
                self.wrapped(indent, &format!("{name}: changes with {cause}{mark}"));
            }
            Comparison::Values(before, after) => {
                let (before, after) = (
                    before.as_deref().unwrap_or(NONE),
                    after.as_deref().unwrap_or(NONE),
                );
                let line = format!("{name}: {before} → {after}{mark}");
                if visible(&line) <= self.room(indent) {
                    self.line(
                        indent,
                        &format!("{name}: {} → {}{}", before.red(), after.green(), mark.red()),
                    );
                    return;
                }
                self.line(indent, &format!("{name}:{}", mark.red()));
                let (before, after) = excerpts(before, after, self.room(indent + 4));
                self.line(indent + 2, &format!("- {before}").red().to_string());
                self.line(indent + 2, &format!("+ {after}").green().to_string());
            }
            Comparison::Lines(lines) => {
                self.line(indent, &format!("{name}:{}", mark.red()));
                for (new, line) in lines {
                    let line = cut(&line, self.room(indent + 4));
                    self.line(indent + 2, &marked(new, &line));
                }
            }
        }
    }

    fn code(&mut self, plan: &Plan) {
        // Of a stack that is made, everything is new.
        let updates = plan.action == StackAction::Update;
        if !updates || plan.code.is_empty() {
            return;
        }
        self.heading("Code");
        for change in &plan.code {
            let side =
                |side: &Option<String>| side.as_deref().map_or(NONE.to_owned(), short_digests);
            self.line(
                2,
                &format!(
                    "{}: {} → {}",
                    change.function,
                    side(&change.before).red(),
                    side(&change.after).green()
                ),
            );
        }
    }

    fn api(&mut self, plan: &Plan) {
        if plan.api.is_empty() {
            return;
        }
        self.heading("API");
        for words in &plan.api {
            self.wrapped(2, words);
        }
    }

    fn permissions(&mut self, plan: &Plan) {
        if plan.permissions.is_empty() {
            return;
        }
        self.heading("Permissions (IAM)");
        for policy in &plan.permissions {
            let mark = if policy.broadens() && plan.action == StackAction::Update {
                format!("  {}", "BROADENED".red().bold())
            } else {
                String::new()
            };
            self.line(
                2,
                &format!("{}, {}{mark}", policy.logical_id.bold(), policy.policy),
            );
            self.policy(policy, plan.action == StackAction::Update);
        }
    }

    fn policy(&mut self, policy: &PolicyChange, mark: bool) {
        let permissions = policy
            .granted
            .iter()
            .map(|permission| (true, permission))
            .chain(policy.revoked.iter().map(|permission| (false, permission)));
        for (granted, permission) in permissions {
            let star = if permission.broadens && mark {
                "!"
            } else {
                " "
            };
            self.wrapped(
                4,
                &format!("{star} {}", marked(granted, &permission_head(permission))),
            );
            for (word, detail) in permission_details(permission) {
                self.wrapped(8, &format!("{word} {detail}"));
            }
        }
    }

    fn stack(&mut self, plan: &Plan) {
        if plan.stack.is_empty() {
            return;
        }
        self.heading("Stack");
        for property in &plan.stack {
            self.property(2, property);
        }
    }
}

fn marked(new: bool, line: &str) -> String {
    if new {
        format!("+ {line}").green().to_string()
    } else {
        format!("- {line}").red().to_string()
    }
}

/// `allow ssm:GetParameter, ssm:PutParameter`
fn permission_head(permission: &Permission) -> String {
    format!(
        "{} {}",
        permission.effect.to_lowercase(),
        permission.actions.join(", ")
    )
}

/// The other parts of a permission, each with the word before it.
fn permission_details(permission: &Permission) -> Vec<(&'static str, String)> {
    let mut details: Vec<_> = permission
        .resources
        .iter()
        .map(|resource| ("on", resource.clone()))
        .collect();
    if let Some(principal) = &permission.principal {
        details.push(("to", principal.clone()));
    }
    if let Some(condition) = &permission.condition {
        details.push(("if", condition.clone()));
    }
    details
}

/// Characters without the escape sequences of colours.
fn visible(text: &str) -> usize {
    anstream::adapter::strip_str(text)
        .to_string()
        .chars()
        .count()
}

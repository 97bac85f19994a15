//! How a plan is shown: as text on a terminal, JSON for programs, Markdown for a pull
//! request, a page of HTML.
//!
//! All of them say the same in the same order: what cannot be taken back, then resources,
//! code, the API, permissions, the stack. Understandable without colour.

mod html;
pub mod json_v1;
mod markdown;
mod text;
mod value;

use crate::plan::{Action, Counts, Plan, Replacement, ResourceChange, StackAction};

pub use html::html;
pub use markdown::markdown;
pub use text::text;

/// How a resource is marked: `+` made, `-` removed, `~` changed, `-/+` replaced.
fn sign(resource: &ResourceChange) -> &'static str {
    match (resource.action, resource.replacement) {
        (Action::Add, _) => "+",
        (Action::Remove, _) => "-",
        (Action::Modify, Replacement::None) => "~",
        (Action::Modify, _) => "-/+",
    }
}

/// The same in words.
fn verb(resource: &ResourceChange) -> &'static str {
    match (resource.action, resource.replacement) {
        (Action::Add, _) => "is made",
        (Action::Remove, _) => "is removed",
        (Action::Modify, Replacement::None) => "is changed",
        (Action::Modify, Replacement::Possible) => "may be replaced",
        (Action::Modify, Replacement::Certain) => "is replaced",
    }
}

/// Resources in the order in which they are read: the worst first.
fn worst_first(plan: &Plan) -> Vec<&ResourceChange> {
    let mut resources: Vec<_> = plan.resources.iter().collect();
    resources.sort_by_key(|resource| {
        (
            std::cmp::Reverse(resource.replacement),
            resource.action,
            resource.logical_id.as_str(),
        )
    });
    resources
}

/// `connect-scim-prod in account 444455556666, eu-central-1`
fn subject(plan: &Plan) -> String {
    let subject = &plan.subject;
    format!(
        "{} in account {}, {}",
        subject.stack_name, subject.account, subject.region
    )
}

/// What becomes of the stack, in one sentence.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let stack_name = &plan.subject.stack_name;
    match plan.action {
        StackAction::Nothing => format!(
            "nothing to do: {stack_name} stands as {} says",
            plan.subject.environment
        ),
        StackAction::Create => format!("{stack_name} is made: {} resources", plan.counts().add),
        StackAction::Recreate => format!(
            "what is left of the failed creation of {stack_name} is deleted, and it is made anew: {} resources",
            plan.counts().add
        ),
        StackAction::Update => {
            let Counts {
                add,
                change,
                replace,
                remove,
            } = plan.counts();
            let replaced = match replace {
                0 => String::new(),
                replace => format!(" ({replace} by replacement)"),
            };
            let mut summary = format!(
                "{stack_name}: {add} to add, {change} to change{replaced}, {remove} to remove"
            );
            if !plan.stack.is_empty() {
                summary.push_str(", and the stack itself changes");
            }
            summary
        }
    }
}

/// The flags with which a pipeline approves the plan: `--approve iam --approve replace`.
fn approval_flags(plan: &Plan) -> Option<String> {
    let flags: Vec<String> = plan
        .approvals()
        .into_iter()
        .map(|approval| format!("--approve {}", approval.word()))
        .collect();
    (!flags.is_empty()).then(|| flags.join(" "))
}

#[cfg(test)]
mod tests;

//! A plan as one page of HTML.

use super::value::{Comparison, compare, short_digests};
use super::{approval_flags, sign, subject, summary, verb, worst_first};
use crate::plan::{
    Action, Permission, Plan, PropertyChange, Replacement, ResourceChange, Severity, StackAction,
};
use crate::report::page::{Page, code, escape};

/// The page.
#[must_use]
pub fn html(plan: &Plan) -> String {
    let title = format!("Plan: {}", plan.subject.stack_name);
    let mut page = Page::new(&title, "");
    let approvals =
        approval_flags(plan).map(|flags| format!("<p>To be approved: {}</p>", code(&flags)));
    page.header(&subject(plan), &summary(plan), approvals.as_deref());
    page.notices(plan);
    page.resources(plan);
    page.code(plan);
    page.api(plan);
    page.permissions(plan);
    page.stack(plan);
    page.finish()
}

impl Page {
    fn notices(&mut self, plan: &Plan) {
        if plan.notices.is_empty() {
            return;
        }
        self.section("Attention", |page| {
            page.line("<ul class=\"notices\">");
            for notice in &plan.notices {
                let (class, word) = match notice.severity {
                    Severity::Loss => ("loss", "Data loss"),
                    Severity::Warning => ("warning", "Warning"),
                    Severity::Note => ("note", "Note"),
                };
                page.line(&format!(
                    "<li class=\"{class}\"><strong>{word}</strong> {} {}</li>",
                    code(&notice.subject),
                    escape(&notice.text)
                ));
            }
            page.line("</ul>");
        });
    }

    fn resources(&mut self, plan: &Plan) {
        if plan.resources.is_empty() {
            return;
        }
        self.section("Resources", |page| {
            for resource in worst_first(plan) {
                page.resource(resource);
            }
        });
    }

    fn resource(&mut self, resource: &ResourceChange) {
        let class = match (resource.action, resource.replacement) {
            (Action::Add, _) => "add",
            (Action::Modify, Replacement::None) => "change",
            (Action::Modify, _) => "replace",
            (Action::Remove, _) => "remove",
        };
        let open = if resource.action == Action::Modify {
            " open"
        } else {
            ""
        };
        self.line(&format!(
            "<details class=\"{class}\"{open}>\n<summary><span class=\"sign\">{}</span> <b>{}</b> <span class=\"type\">{}</span> <span class=\"verb\">{}</span></summary>",
            sign(resource),
            escape(&resource.logical_id),
            escape(&resource.resource_type),
            verb(resource)
        ));
        self.properties(&resource.properties);
        self.line("</details>");
    }

    fn properties(&mut self, properties: &[PropertyChange]) {
        if properties.is_empty() {
            self.line("<p>No properties.</p>");
            return;
        }
        self.line("<dl>");
        for property in properties {
            let mark = match property.replacement {
                Replacement::None => "",
                Replacement::Possible => " <em>may force a replacement</em>",
                Replacement::Certain => " <em>forces the replacement</em>",
            };
            self.line(&format!("<dt>{}{mark}</dt>", code(&property.name)));
            match compare(property) {
                Comparison::Follows(cause) => {
                    self.line(&format!("<dd>changes with {}</dd>", code(&cause)));
                }
                Comparison::Values(before, after) => {
                    if let Some(before) = before {
                        self.value(false, &before);
                    }
                    if let Some(after) = after {
                        self.value(true, &after);
                    }
                }
                Comparison::Lines(lines) => {
                    for (new, line) in lines {
                        self.value(new, &line);
                    }
                }
            }
        }
        self.line("</dl>");
    }

    fn code(&mut self, plan: &Plan) {
        if plan.code.is_empty() || plan.action != StackAction::Update {
            return;
        }
        self.section("Code", |page| {
            page.line("<dl>");
            for change in &plan.code {
                page.line(&format!("<dt>{}</dt>", code(&change.function)));
                if let Some(before) = &change.before {
                    page.value(false, &short_digests(before));
                }
                if let Some(after) = &change.after {
                    page.value(true, &short_digests(after));
                }
            }
            page.line("</dl>");
        });
    }

    fn api(&mut self, plan: &Plan) {
        if plan.api.is_empty() {
            return;
        }
        self.section("API", |page| {
            page.line("<ul>");
            for words in &plan.api {
                page.line(&format!("<li>{}</li>", escape(words)));
            }
            page.line("</ul>");
        });
    }

    fn permissions(&mut self, plan: &Plan) {
        if plan.permissions.is_empty() {
            return;
        }
        let updates = plan.action == StackAction::Update;
        self.section("Permissions (IAM)", |page| {
            for policy in &plan.permissions {
                let broadens = updates && policy.broadens();
                let (class, open, word) = if broadens {
                    ("replace", " open", "is broadened")
                } else {
                    ("change", "", "changes")
                };
                page.line(&format!(
                    "<details class=\"{class}\"{open}>\n<summary><b>{}</b> <span class=\"type\">{}</span> <span class=\"verb\">{word}</span></summary>\n<dl>",
                    escape(&policy.logical_id),
                    escape(&policy.policy)
                ));
                let granted = policy.granted.iter().map(|permission| (true, permission));
                let revoked = policy.revoked.iter().map(|permission| (false, permission));
                for (new, permission) in granted.chain(revoked) {
                    page.permission(new, permission, updates && permission.broadens);
                }
                page.line("</dl>\n</details>");
            }
        });
    }

    fn permission(&mut self, new: bool, permission: &Permission, broadens: bool) {
        let mark = if broadens { " <em>broadens</em>" } else { "" };
        self.line(&format!(
            "<dt>{} {}{mark}</dt>",
            if new { "granted" } else { "revoked" },
            escape(&permission.effect.to_lowercase())
        ));
        self.value(new, &permission.actions.join(", "));
        for resource in &permission.resources {
            self.line(&format!("<dd>on {}</dd>", code(resource)));
        }
        if let Some(principal) = &permission.principal {
            self.line(&format!("<dd>to {}</dd>", code(principal)));
        }
        if let Some(condition) = &permission.condition {
            self.line(&format!("<dd>if {}</dd>", code(condition)));
        }
    }

    fn stack(&mut self, plan: &Plan) {
        if !plan.stack.is_empty() {
            self.section("Stack", |page| page.properties(&plan.stack));
        }
    }
}

//! A plan as one page of HTML.
//!
//! The page needs nothing but itself: no script, no font, no image. It is read on a phone
//! and at a desk, by day and by night, with the keyboard alone, and on paper. Everything
//! that comes from a template is escaped, and a policy in the page forbids what it does not
//! need, in case something should slip through.

use std::fmt::Write as _;

use super::value::{Comparison, compare, short_digests};
use super::{approval_flags, sign, subject, summary, verb, worst_first};
use crate::plan::{
    Action, Permission, Plan, PropertyChange, Replacement, ResourceChange, Severity, StackAction,
};

const STYLE: &str = include_str!("page.css");

const CONTENT_BEGINS: &str = "<main>\n";
const CONTENT_ENDS: &str = "</main>\n</body>\n</html>\n";

/// What begins a page of several plans if the first of them is missing.
const BARE_HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Plans</title></head>\n<body>\n";

/// The page.
#[must_use]
pub fn html(plan: &Plan) -> String {
    let mut page = Page(String::new());
    page.head(plan);
    page.notices(plan);
    page.resources(plan);
    page.code(plan);
    page.api(plan);
    page.permissions(plan);
    page.stack(plan);
    page.0.push_str(CONTENT_ENDS);
    page.0
}

/// One page with the content of several, each under its name.
#[must_use]
pub fn join_pages<'a>(pages: impl Iterator<Item = (&'a str, &'a String)>) -> String {
    let mut joined = String::new();
    for (name, page) in pages {
        // A target whose run failed has no page.
        let (head, content) = page
            .split_once(CONTENT_BEGINS)
            .and_then(|(head, rest)| Some((head, rest.split_once(CONTENT_ENDS)?.0)))
            .unwrap_or(("", "<p>There is no plan; see what the command said.</p>\n"));
        if joined.is_empty() {
            let head = if head.is_empty() { BARE_HEAD } else { head };
            joined = format!("{head}{CONTENT_BEGINS}");
        }
        let _ = write!(
            joined,
            "<article>\n<p class=\"subject\">{}</p>\n{content}</article>\n",
            escape(name)
        );
    }
    joined.push_str(CONTENT_ENDS);
    joined
}

/// Text for HTML, inside and outside of attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not allowed in HTML, escaped or not.
            '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn head(&mut self, plan: &Plan) {
        let title = format!("Plan: {}", plan.subject.stack_name);
        let _ = write!(
            self.0,
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{STYLE}</style>
</head>
<body>
<main>
<header>
<p class="subject">{subject}</p>
<h1>{summary}</h1>
"#,
            title = escape(&title),
            subject = escape(&subject(plan)),
            summary = escape(&summary(plan)),
        );
        if let Some(flags) = approval_flags(plan) {
            self.line(&format!("<p>To be approved: {}</p>", code(&flags)));
        }
        self.line("</header>");
    }

    fn section(&mut self, heading: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("<section>\n<h2>{heading}</h2>"));
        body(self);
        self.line("</section>");
    }

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

    /// A value that comes or goes, told apart without colour too.
    fn value(&mut self, new: bool, value: &str) {
        let element = if new { "ins" } else { "del" };
        self.line(&format!(
            "<dd><{element}>{}</{element}></dd>",
            escape(value)
        ));
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

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

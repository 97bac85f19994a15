//! A report for people: plain text, and Markdown for the page of a pipeline.

use std::fmt::Write as _;

use super::report::{Action, Command, Entry, Outcome, Report, Result};
use crate::mapping::Kind;

/// Lines of writes and of skipped entries that are shown; the JSON form has all.
const SHOWN: usize = 50;

/// What is said before a list of users of another tool whom nobody removed.
const LEFT_BEHIND: &str = "Made by AWS's PowerShell sample, and nobody in scope is theirs \
                           (leavers with `takeOverLeavers: true`)";

/// The report as text.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let _infallible = write_text(&mut out, report);
    out
}

fn write_text(out: &mut String, report: &Report) -> std::fmt::Result {
    let entries: Vec<&Entry> = report.entries.iter().collect();
    for entry in entries.iter().take(SHOWN) {
        writeln!(out, "{}", line(entry))?;
    }
    more(out, entries.len(), "writes")?;
    if !entries.is_empty() {
        writeln!(out)?;
    }
    for (name, figures) in rows(report) {
        writeln!(out, "{name:<12} {figures}")?;
    }
    if !report.skipped.is_empty() {
        writeln!(out, "\nLeft as they are:")?;
        for skip in report.skipped.iter().take(SHOWN) {
            writeln!(out, "  {}", skipped(skip))?;
        }
        more(out, report.skipped.len(), "entries")?;
    }
    if !report.left_behind.is_empty() {
        writeln!(out, "\n{LEFT_BEHIND}:")?;
        for user in report.left_behind.iter().take(SHOWN) {
            writeln!(out, "  {}", left_behind(user))?;
        }
        more(out, report.left_behind.len(), "users")?;
    }
    writeln!(out, "\n{}", conclusion(report))?;
    if let Some(refusal) = &report.refusal {
        writeln!(out, "{refusal}")?;
    }
    if let Some(hint) = &report.hint {
        writeln!(out, "hint: {hint}")?;
    }
    if let Some(warning) = renewal(report) {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    let _infallible = write_markdown(&mut out, report);
    out
}

fn write_markdown(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "### Directory sync: {}\n", conclusion(report))?;
    if let Some(refusal) = &report.refusal {
        writeln!(out, "> {}\n>", escape(refusal))?;
        writeln!(
            out,
            "> {}\n",
            escape(report.hint.as_deref().unwrap_or_default())
        )?;
    }
    if let Some(warning) = renewal(report) {
        writeln!(out, "> **Warning:** {}\n", escape(&warning))?;
    }
    writeln!(out, "| | |\n|---|---|")?;
    for (name, figures) in rows(report) {
        writeln!(out, "| {name} | {figures} |")?;
    }
    if !report.entries.is_empty() {
        writeln!(out, "\n```text")?;
        for entry in report.entries.iter().take(SHOWN) {
            writeln!(out, "{}", line(entry).replace('`', "'"))?;
        }
        more(out, report.entries.len(), "writes")?;
        writeln!(out, "```")?;
    }
    if !report.skipped.is_empty() {
        writeln!(out, "\nLeft as they are:\n")?;
        for skip in report.skipped.iter().take(SHOWN) {
            writeln!(out, "- {}", escape(&skipped(skip)))?;
        }
        more(out, report.skipped.len(), "entries")?;
    }
    if !report.left_behind.is_empty() {
        writeln!(out, "\n{LEFT_BEHIND}:\n")?;
        for user in report.left_behind.iter().take(SHOWN) {
            writeln!(out, "- {}", escape(&left_behind(user)))?;
        }
        more(out, report.left_behind.len(), "users")?;
    }
    Ok(())
}

/// Names come from the directory; none may become markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for next in text.chars() {
        match next {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' | '\r' => escaped.push(' '),
            '[' | ']' | '*' | '_' | '|' | '#' | '!' | '\\' => {
                escaped.push('\\');
                escaped.push(next);
            }
            _ => escaped.push(next),
        }
    }
    escaped
}

fn more(out: &mut String, count: usize, what: &str) -> std::fmt::Result {
    if count > SHOWN {
        writeln!(
            out,
            "… and {} more {what}: --format json has all",
            count - SHOWN
        )?;
    }
    Ok(())
}

fn rows(report: &Report) -> Vec<(&'static str, String)> {
    let mut rows = match &report.equal_since {
        Some(time) => vec![("server", format!("not read; equal since {time}"))],
        None => figures(report),
    };
    if let Some(token) = &report.token {
        rows.push(("token", format!("{} days left", token.days_left)));
    }
    rows
}

fn figures(report: &Report) -> Vec<(&'static str, String)> {
    let (summary, taken_over) = (&report.summary, &report.taken_over);
    let left_behind = report.left_behind.len();
    let mut rows = Vec::new();
    if taken_over.users + taken_over.groups + left_behind > 0 {
        rows.push((
            "taken over",
            format!(
                "{} users, {} groups of another tool; {left_behind} users left behind",
                taken_over.users, taken_over.groups
            ),
        ));
    }
    rows.extend([
        (
            "users",
            format!(
                "{} created, {} changed, {} deactivated, {} reactivated, {} deleted",
                summary.users_created,
                summary.users_updated,
                summary.users_deactivated,
                summary.users_reactivated,
                summary.users_deleted
            ),
        ),
        (
            "groups",
            format!(
                "{} created, {} changed, {} deleted",
                summary.groups_created, summary.groups_updated, summary.groups_deleted
            ),
        ),
        (
            "memberships",
            format!(
                "{} added, {} removed",
                summary.memberships_added, summary.memberships_removed
            ),
        ),
        (
            "of others",
            format!(
                "{} users, {} groups, {} memberships: not touched",
                report.foreign.users, report.foreign.groups, report.foreign.memberships
            ),
        ),
        ("skipped", summary.skipped.to_string()),
    ]);
    if report.command == Command::Run {
        rows.push((
            "failed",
            format!("{}, {} not begun", summary.failed, summary.not_attempted),
        ));
    }
    let calls: usize = report.calls.values().sum();
    let writes: usize = report
        .calls
        .iter()
        .filter(|(operation, _)| operation.is_write())
        .map(|(_, count)| count)
        .sum();
    rows.push((
        "calls",
        format!(
            "{} reads, {writes} writes, {} of them repeated",
            calls - writes,
            report.repeated_calls
        ),
    ));
    rows
}

/// That a new token is needed, and how to get one.
fn renewal(report: &Report) -> Option<String> {
    let token = report.token.as_ref().filter(|token| token.renew)?;
    let when = if token.days_left < 0 {
        format!("should have expired on {}", token.expires)
    } else {
        format!("expires in {} days", token.days_left)
    };
    Some(format!(
        "the server's token {when}; make a new one (IAM Identity Center: Settings, Automatic \
         provisioning), replace the secret, and note the new date"
    ))
}

fn conclusion(report: &Report) -> &'static str {
    if report.equal_since.is_some() {
        return "The directory has not changed; nothing to do.";
    }
    match (report.result, report.command) {
        (Result::Equal, _) => "The server is as the directory says; nothing to do.",
        (Result::Changes, Command::Verify) => "The server differs from the directory.",
        (Result::Changes, _) => "Nothing was written; `run` makes these changes.",
        (Result::Done, _) => "Done.",
        (Result::Failed, _) => "Not everything could be done; the next run tries again.",
        (Result::Refused, _) => "Refused, nothing was written.",
        (Result::CredentialsRefused, _) => "Ended: the server refuses the token.",
        (Result::Interrupted, _) => "Ended before it was done; the next run goes on.",
    }
}

fn line(entry: &Entry) -> String {
    let sign = match entry.action {
        Action::Create | Action::Reactivate => '+',
        Action::Delete | Action::Deactivate => '-',
        Action::Update | Action::ChangeMembers => '~',
    };
    let action = match entry.action {
        Action::Create => "create",
        Action::Update => "change",
        Action::Deactivate => "deactivate",
        Action::Reactivate => "reactivate",
        Action::Delete => "delete",
        Action::ChangeMembers => "members of",
    };
    let kind = match entry.kind {
        Kind::User => "user",
        Kind::Group => "group",
        Kind::Entry => "entry",
    };
    let mut line = format!("{sign} {action} {kind}");
    for part in [&entry.name, &entry.entry, &entry.id]
        .into_iter()
        .flatten()
        .take(2)
    {
        let _infallible = write!(line, " {}", printable(part));
    }
    if !entry.attributes.is_empty() {
        let _infallible = write!(line, ": {}", entry.attributes.join(", "));
    }
    if entry.added + entry.removed > 0 {
        let _infallible = write!(line, ": +{} -{}", entry.added, entry.removed);
    }
    match entry.outcome {
        Outcome::Planned | Outcome::Done => {}
        Outcome::Failed => line.push_str(" FAILED"),
        Outcome::NotAttempted => line.push_str(" not begun"),
    }
    if let Some(reason) = &entry.reason {
        let _infallible = write!(line, " ({reason})");
    }
    line
}

fn skipped(skip: &super::report::ReportSkip) -> String {
    let mut line = match skip.kind {
        Kind::User => "user".to_owned(),
        Kind::Group => "group".to_owned(),
        Kind::Entry => "entry".to_owned(),
    };
    for part in [&skip.entry, &skip.distinguished_name]
        .into_iter()
        .flatten()
    {
        let _infallible = write!(line, " {}", printable(part));
    }
    let _infallible = write!(line, ": {}", skip.reason);
    line
}

fn left_behind(user: &super::report::LeftBehind) -> String {
    let parts = [user.name.as_deref(), Some(user.id.as_str())];
    let parts: Vec<String> = parts.into_iter().flatten().map(printable).collect();
    format!("user {}", parts.join(" "))
}

/// Without control characters: names come from the directory, and end up on a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|next| if next.is_control() { '\u{fffd}' } else { next })
        .collect()
}

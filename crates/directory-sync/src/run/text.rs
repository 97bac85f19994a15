//! The report as plain text, and as Markdown for the summary page of a pipeline.

use std::fmt::Write as _;

use super::report::{Action, Command, Entry, Named, Outcome, Report, Result};
use crate::mapping::Kind;
use crate::wording::counted;

/// The number of lines of each list in a report without names. The JSON format has all.
const SHOWN: usize = 50;

/// The heading of users of another tool without an entry in scope.
const LEFT_BEHIND: &str = "Made by AWS's PowerShell sample, and nobody in scope is theirs \
                           (leavers with `takeOverLeavers: true`)";

/// The heading of users and groups that are held back.
const HELD_BACK: &str = "Held back, because the account cannot read an entry that may be theirs";

/// The heading of users and groups that are reassigned to another entry.
const REASSIGNED: &str = "Represent another directory entry of the same name, with everything that \
                          is assigned to them";

/// The heading of member values that identify no entry.
const UNRESOLVED: &str = "Members that lead to no entry of this directory (the run ignores them)";

/// The report as text.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let _infallible = write_text(&mut out, report);
    out
}

fn write_text(out: &mut String, report: &Report) -> std::fmt::Result {
    write_entries(out, report)?;
    if !report.entries.is_empty() {
        writeln!(out)?;
    }
    for (name, figures) in rows(report) {
        writeln!(out, "{name:<12} {figures}")?;
    }
    for section in sections(report) {
        writeln!(out, "\n{}:", section.heading)?;
        for line in section.lines.iter().take(shown(report)) {
            writeln!(out, "  {line}")?;
        }
        more(out, "", report, section.lines.len(), section.what)?;
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
        let mut entries = String::new();
        write_entries(&mut entries, report)?;
        writeln!(out, "{}```", entries.replace('`', "'"))?;
    }
    for section in sections(report) {
        writeln!(out, "\n{}:\n", section.heading)?;
        for line in section.lines.iter().take(shown(report)) {
            writeln!(out, "- {}", escape(line))?;
        }
        more(out, "", report, section.lines.len(), section.what)?;
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

/// The writes, each with its values and members.
fn write_entries(out: &mut String, report: &Report) -> std::fmt::Result {
    for entry in report.entries.iter().take(shown(report)) {
        writeln!(out, "{}", line(entry))?;
        let details = details(entry);
        for detail in details.iter().take(shown(report)) {
            writeln!(out, "    {detail}")?;
        }
        more(out, "    ", report, details.len(), ("line", "lines"))?;
    }
    more(out, "", report, report.entries.len(), ("write", "writes"))
}

/// The most lines of a list. A report with names is for a reviewer, who needs all of them.
fn shown(report: &Report) -> usize {
    if report.has_names { usize::MAX } else { SHOWN }
}

fn more(
    out: &mut String,
    indent: &str,
    report: &Report,
    count: usize,
    (one, several): Nouns,
) -> std::fmt::Result {
    let rest = count.saturating_sub(shown(report));
    let what = if rest == 1 { one } else { several };
    match rest {
        0 => Ok(()),
        rest => writeln!(
            out,
            "{indent}… and {rest} more {what}: --format json has all"
        ),
    }
}

/// The values that change, and the memberships that begin and end.
fn details(entry: &Entry) -> Vec<String> {
    let value = |value: &Option<String>| match value {
        Some(value) => printable(value),
        None => "(none)".to_owned(),
    };
    let values = entry.changes.iter().map(|change| {
        let (old, new) = (value(&change.old), value(&change.new));
        format!("{}: {old} -> {new}", change.attribute)
    });
    let added = entry.added_members.iter().map(|member| named("+", member));
    let removed = entry
        .removed_members
        .iter()
        .map(|member| named("-", member));
    let left = entry
        .left_groups
        .iter()
        .map(|group| named("- group", group));
    values.chain(added).chain(removed).chain(left).collect()
}

fn named(prefix: &str, object: &Named) -> String {
    let parts = [&object.name, &object.id, &object.entry];
    self::parts(prefix, parts.map(Option::as_ref))
}

fn rows(report: &Report) -> Vec<(&'static str, String)> {
    let mut rows = match &report.equal_since {
        Some(time) => vec![("server", format!("not read; equal since {time}"))],
        None => figures(report),
    };
    if let Some(token) = &report.token {
        rows.push(("token", format!("{} left", counted(token.days_left, "day"))));
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
                "{}, {} of another tool; {} left behind",
                counted(taken_over.users, "user"),
                counted(taken_over.groups, "group"),
                counted(left_behind, "user")
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
                "{}, {}, {}: not touched",
                counted(report.foreign.users, "user"),
                counted(report.foreign.groups, "group"),
                counted(report.foreign.memberships, "membership")
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
            "{}, {}, {} of them repeated",
            counted(calls - writes, "read"),
            counted(writes, "write"),
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
        format!("expires in {}", counted(token.days_left, "day"))
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
    let has_skipped = !report.skipped.is_empty();
    match (report.result, report.command) {
        (Result::Equal, _) if has_skipped => {
            "The server is as the directory says, except for the skipped entries."
        }
        (Result::Done, _) if has_skipped => "Done, except for the skipped entries.",
        (Result::Equal, _) => "The server is as the directory says; nothing to do.",
        (Result::Changes, Command::Verify) => "The server differs from the directory.",
        (Result::Changes, _) => "Nothing was written; `run` makes these changes.",
        (Result::Done, _) => "Done.",
        (Result::HeldBack, Command::Run) => {
            "Everything else was done. Leavers keep their access until the account can read the \
             skipped entries."
        }
        (Result::HeldBack, _) => {
            "Leavers keep their access until the account can read the skipped entries."
        }
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
    let mut line = format!("{sign} {action} {}", noun(entry.kind));
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
    let mut line = parts(
        noun(skip.kind),
        [
            skip.name.as_ref(),
            skip.entry.as_ref(),
            skip.distinguished_name.as_ref(),
        ],
    );
    let _infallible = write!(line, ": {}", skip.reason);
    if let Some(name) = skip.holder.as_ref().and_then(|holder| holder.name.as_ref()) {
        let _infallible = write!(line, " (its name is {})", printable(name));
    }
    if skip.holds_back {
        line.push_str(" (until then, leavers are held back)");
    }
    line
}

/// The singular and the plural.
type Nouns = (&'static str, &'static str);

const OBJECTS: Nouns = ("user or group", "users and groups");

/// A list of the report.
struct Section {
    heading: &'static str,
    lines: Vec<String>,
    /// What one entry is called, and several.
    what: Nouns,
}

/// The lists that have entries, in their order.
fn sections(report: &Report) -> Vec<Section> {
    let section = |heading, what, lines: Vec<String>| Section {
        heading,
        lines,
        what,
    };
    let left_behind = report
        .left_behind
        .iter()
        .map(|user| parts("user", [user.name.as_ref(), Some(&user.id)]));
    let held_back = report.held_back.iter().map(|leaver| {
        let id = Some(&leaver.id);
        parts(
            noun(leaver.kind),
            [leaver.name.as_ref(), leaver.entry.as_ref(), id],
        )
    });
    let unresolved = report.unresolved.iter().map(|member| {
        let group = parts("group", [Some(&member.group_name), member.group.as_ref()]);
        let member_and_reason = match &member.member {
            Some(name) => format!("{}: {}", printable(name), member.reason),
            None => member.reason.clone(),
        };
        format!("{group}: {member_and_reason}")
    });
    let reassigned = report.reassigned.iter().map(|object| {
        let name = [object.name.as_ref(), Some(&object.id)];
        let now = [Some(&object.new_entry), object.distinguished_name.as_ref()];
        format!(
            "{}: {}, {}",
            parts(noun(object.kind), name),
            parts("before", [Some(&object.old_entry)]),
            parts("now", now)
        )
    });
    let mut sections = vec![
        section(HELD_BACK, OBJECTS, held_back.collect()),
        section(
            "Left as they are",
            ("entry", "entries"),
            report.skipped.iter().map(skipped).collect(),
        ),
        section(REASSIGNED, OBJECTS, reassigned.collect()),
        section(LEFT_BEHIND, ("user", "users"), left_behind.collect()),
        section(UNRESOLVED, ("member", "members"), unresolved.collect()),
    ];
    sections.retain(|section| !section.lines.is_empty());
    sections
}

/// A noun and the parts that exist, separated by spaces.
fn parts<const N: usize>(noun: &str, parts: [Option<&String>; N]) -> String {
    let mut line = noun.to_owned();
    for part in parts.into_iter().flatten() {
        let _infallible = write!(line, " {}", printable(part));
    }
    line
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Group => "group",
        Kind::Entry => "entry",
    }
}

/// Without control characters: names come from the directory, and end up on a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|next| if next.is_control() { '\u{fffd}' } else { next })
        .collect()
}

//! The security profiles' dangerous permissions, as text and as Markdown.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::guardrail::{Audit, AuditedProfile};
use crate::report::table;

/// The report for a terminal.
///
/// Coloured: the stream strips what its reader cannot show.
#[must_use]
pub fn text(audit: &Audit) -> String {
    let rows = audit.editing().map(|profile| {
        vec![
            profile.name.clone(),
            profile.users.to_string(),
            status(profile).to_owned(),
            profile.editing.join(", "),
        ]
    });
    let mut text = table(
        &[
            "SECURITY PROFILE",
            "USERS",
            "STATUS",
            "PERMISSIONS THAT EDIT USERS",
        ],
        rows,
    );
    let style = match audit.open().count() {
        0 => owo_colors::Style::new().green(),
        _ => owo_colors::Style::new().red().bold(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{}", summary(audit).style(style));
    text
}

/// The report for a pull request, a ticket or a job summary.
#[must_use]
pub fn markdown(audit: &Audit) -> String {
    let mut text = format!(
        "## Security profiles of the instance `{}`\n\n{}.\n\n\
         | Security profile | Users | Status | Permissions that edit users |\n|---|---:|---|---|\n",
        audit.instance_id,
        summary(audit)
    );
    for profile in audit.editing() {
        let permissions: Vec<_> = profile
            .editing
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        // Writing to a String cannot fail. A profile's name has no `|`.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            profile.name,
            profile.users,
            status(profile),
            permissions.join(", ")
        );
    }
    text
}

pub(super) const fn status(profile: &AuditedProfile) -> &'static str {
    match profile.accepted {
        true => "accepted",
        false => "open",
    }
}

pub(super) fn summary(audit: &Audit) -> String {
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let (profiles, users) = (audit.profiles.len(), audit.users_who_edit);
    match audit.open().count() {
        0 => format!(
            "none of {} lets anybody edit users in the admin website but those that the environment names",
            counted(profiles, "security profile")
        ),
        open => format!(
            "{} of {profiles} may edit users in the admin website and should not; {} may, with those that the environment names",
            counted(open, "security profile"),
            counted(users, "user")
        ),
    }
}

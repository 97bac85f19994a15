//! How the course of work on many users is told: a line for each as soon as it is done, a
//! bar on a terminal because Amazon Connect takes two calls a second, JSON lines on request.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::OwoColorize as _;
use serde::Serialize;

use super::operation::json_line;
use crate::cli::EventFormat;
use crate::printer::Printer;

/// What became of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserOutcome {
    /// `userName`, where it is known.
    pub user_name: Option<String>,
    /// The SCIM id, where there is one.
    pub id: Option<String>,
    /// One word.
    pub outcome: &'static str,
    /// Whether somebody has to look at it.
    pub failed: bool,
    /// Why, or what exactly.
    pub detail: Option<String>,
}

impl UserOutcome {
    /// Somebody whom the command line names and nobody knows.
    #[must_use]
    pub fn missing(user_name: &str, detail: &str) -> Self {
        Self {
            user_name: Some(user_name.to_owned()),
            id: None,
            outcome: "missing",
            failed: true,
            detail: Some(detail.to_owned()),
        }
    }
}

/// Tells what becomes of users as it happens.
pub struct UserReporter<'a> {
    printer: &'a Printer,
    format: EventFormat,
    bar: Option<ProgressBar>,
    counts: BTreeMap<&'static str, usize>,
    failed: usize,
}

/// The last line of the JSON form.
#[derive(Serialize)]
struct Result<'a> {
    outcomes: &'a BTreeMap<&'static str, usize>,
    failed: usize,
}

impl<'a> UserReporter<'a> {
    /// A reporter for work on `users` users, if that is known.
    #[must_use]
    pub fn new(printer: &'a Printer, format: EventFormat, users: Option<usize>) -> Self {
        let is_shown = format == EventFormat::Text && printer.is_interactive();
        Self {
            printer,
            format,
            bar: is_shown.then(|| progress_bar(users)),
            counts: BTreeMap::new(),
            failed: 0,
        }
    }

    /// Tells what became of one user, on standard output.
    pub fn tell(&mut self, outcome: &UserOutcome) {
        *self.counts.entry(outcome.outcome).or_default() += 1;
        self.failed += usize::from(outcome.failed);
        let line = match self.format {
            EventFormat::Json => json_line("user", outcome),
            EventFormat::Text => text(outcome),
        };
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.suspend(|| self.printer.data_line(&line));
            }
            None => self.printer.data_line(&line),
        }
    }

    /// Sums up. The answer is whether nothing failed.
    #[must_use]
    pub fn finish(self) -> bool {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        match self.format {
            EventFormat::Json => self.printer.data_line(&json_line(
                "result",
                &Result {
                    outcomes: &self.counts,
                    failed: self.failed,
                },
            )),
            EventFormat::Text => self.printer.message(&summary(&self.counts)),
        }
        self.failed == 0
    }
}

fn progress_bar(users: Option<usize>) -> ProgressBar {
    let (bar, template) = match users {
        Some(users) => (
            ProgressBar::new(users as u64),
            "{bar:30} {pos}/{len} {elapsed}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {pos} done {elapsed}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

fn text(outcome: &UserOutcome) -> String {
    let word = format!("{:<12}", outcome.outcome);
    let mut line = if outcome.failed {
        word.red().to_string()
    } else {
        word
    };
    for part in [&outcome.user_name, &outcome.id, &outcome.detail]
        .into_iter()
        .flatten()
    {
        line.push_str("  ");
        line.push_str(part);
    }
    line
}

/// `2 imported, 1 failed`.
fn summary(counts: &BTreeMap<&'static str, usize>) -> String {
    if counts.is_empty() {
        return "no users".to_owned();
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_user_and_why() {
        let outcome = UserOutcome {
            user_name: Some("ada".to_owned()),
            id: None,
            outcome: "skipped",
            failed: false,
            detail: Some("the directory has it already".to_owned()),
        };
        assert_eq!(
            text(&outcome),
            "skipped       ada  the directory has it already"
        );
        assert_eq!(
            json_line("user", &outcome),
            r#"{"detail":"the directory has it already","failed":false,"id":null,"outcome":"skipped","type":"user","userName":"ada"}"#
        );
    }

    #[test]
    fn the_summary_counts_each_outcome() {
        assert_eq!(summary(&BTreeMap::new()), "no users");
        assert_eq!(
            summary(&BTreeMap::from([("imported", 2), ("failed", 1)])),
            "1 failed, 2 imported"
        );
    }
}

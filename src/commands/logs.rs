//! `logs`: what the functions wrote, merged by time.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::ValueEnum as _;
use jiff::Timestamp;
use owo_colors::{OwoColorize as _, Style};
use serde_json::{Value, json};

use super::error::{LeavingError, StackError};
use super::interrupt::{InCloud, run_interruptibly};
use super::target::Target;
use super::{Error, Outcome};
use crate::cli::{LogSource, LogsArgs, LogsFormat};
use crate::environment::StackKind;
use crate::logs::{Event, Group, Level, Line, Logs};
use crate::printer::Printer;

/// FilterLogEvents has a quota of a few calls a second, shared by the whole account.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// The local cloud has nobody to share with.
const LOCAL_POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Runs `logs`.
pub(super) fn run(args: &LogsArgs, printer: &Printer) -> Result<Outcome, Error> {
    match run_interruptibly(&InCloud::default(), logs(args, printer)) {
        // Whoever follows ends it so, and nothing is amiss.
        Err(Error::Leaving(LeavingError::Interrupted { exit, .. })) if args.follow => {
            printer.message("stopped following the logs");
            Ok(Outcome(exit))
        }
        outcome => outcome,
    }
}

async fn logs(args: &LogsArgs, printer: &Printer) -> Result<Outcome, Error> {
    let target = Target::find(&args.environment).await?;
    let groups = groups(&target, &args.sources).await?;
    let since = i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX);
    let since = Timestamp::now()
        .as_millisecond()
        .saturating_sub(since)
        .max(0);
    let mut logs = Logs::new(&target.cloud, groups, args.filter.clone(), since);

    let count = tell(&logs.read().await?, args.format, printer);
    if !args.follow {
        if count == 0 {
            printer.message("there are no such lines; --since goes back further");
        }
        return Ok(Outcome::SUCCESS);
    }
    loop {
        tokio::time::sleep(if target.cloud.is_local() {
            LOCAL_POLL_INTERVAL
        } else {
            POLL_INTERVAL
        })
        .await;
        match logs.read().await {
            Ok(events) => {
                tell(&events, args.format, printer);
            }
            // Whoever follows does so for hours; the next reading brings what this one did not.
            Err(error) if error.is_transient() => printer.warning(&error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The stack's log groups of these sources; without any, those of all programs.
async fn groups(target: &Target, sources: &[LogSource]) -> Result<Vec<Group>, Error> {
    let stack = target.describe_existing().await?;
    let programs: &[LogSource] = match target.environment.kind() {
        StackKind::Endpoint => &[
            LogSource::UserProvisioning,
            LogSource::Reconciler,
            LogSource::TokenAuthorizer,
            LogSource::TokenGenerator,
        ],
        StackKind::DirectorySync => &[LogSource::DirectorySync],
    };
    let sources = if sources.is_empty() {
        programs
    } else {
        sources
    };
    let wanted: BTreeSet<String> = sources.iter().map(name).collect();
    let found: Vec<Group> = target
        .stacks
        .resources(&stack.id, "AWS::Logs::LogGroup")
        .await?
        .values()
        .map(|group| Group::of_stack(group, &target.stack_name()))
        .filter(|group| wanted.contains(&group.source))
        .collect();
    if let Some(missing) = wanted
        .iter()
        .find(|wanted| found.iter().all(|group| group.source != **wanted))
    {
        return Err(StackError::NoLogGroup {
            source_name: missing.clone(),
            stack: target.stack_name(),
        }
        .into());
    }
    Ok(found)
}

fn name(source: &LogSource) -> String {
    source
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// Prints events, and returns how many of them.
fn tell(events: &[Event], format: LogsFormat, printer: &Printer) -> usize {
    let lines: Vec<String> = match format {
        LogsFormat::Text => events.iter().filter_map(Line::of).map(text).collect(),
        LogsFormat::Json => events.iter().map(json).collect(),
    };
    for line in &lines {
        printer.data_line(line);
    }
    lines.len()
}

fn text(line: Line) -> String {
    let style = match line.level {
        Some(Level::Error) => Style::new().red().bold(),
        Some(Level::Warn) => Style::new().yellow(),
        Some(Level::Info) => Style::new().green(),
        Some(Level::Debug) | None => Style::new().dimmed(),
    };
    format!(
        "{}  {}  {:17}  {}",
        line.time.dimmed(),
        format!("{:5}", line.level.map_or("-", Level::name)).style(style),
        line.source,
        line.text
    )
}

fn json(event: &Event) -> String {
    let timestamp = Timestamp::from_millisecond(event.timestamp).map(|time| time.to_string());
    let message = serde_json::from_str(&event.message)
        .unwrap_or_else(|_| Value::String(event.message.clone()));
    json!({"timestamp": timestamp.ok(), "source": event.source, "event": message}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_workspace_can_be_named() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lambda-artifacts");
        let functions: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .chain(["access-log", "directory-sync"].map(str::to_owned))
            .collect();
        let sources: BTreeSet<String> = LogSource::value_variants().iter().map(name).collect();
        assert_eq!(sources, functions);
    }
}

//! A command for several targets: one run of this program for each.
//!
//! A run of its own keeps apart what belongs to one target: its credentials, its time
//! limit, its exit code, what it leaves going on in the cloud. So no command has to know
//! of targets, and what holds for one holds for each of many. What the runs say is passed
//! on line by line under the target's name.

mod saved;

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::runtime::Builder;

use self::saved::Saved;
use super::interrupt::{Signals, runtime};
use super::{Error, Outcome};
use crate::cli::{
    DriftFormat, EnvironmentArg, EventFormat, GuardrailsCommand, GuardrailsFormat, PlanFormat,
    PolicyFormat, ReportFile,
};
use crate::environment::{Environment, EnvironmentFile, TargetEnvironment};
use crate::exit_code::Exit;
use crate::printer::Printer;
use crate::report::targets::{self, Document, TargetResult};

/// Targets that are worked on at the same time.
const AT_ONCE: usize = 4;

/// Options whose value is a file for one target: with several it is a directory that has
/// one file for each.
const FILES: [&str; 2] = ["--out", "--plan"];

/// What a command writes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writes {
    /// Lines for people, passed on as they come.
    Lines,
    /// One JSON object a line, passed on as they come.
    JsonLines,
    /// One document, passed on once all runs have ended.
    Document(Document),
}

impl Writes {
    /// What a command writes that follows an operation.
    pub(super) fn progress(format: EventFormat) -> Self {
        match format {
            EventFormat::Text => Self::Lines,
            EventFormat::Json => Self::JsonLines,
        }
    }

    /// What `plan` writes.
    pub(super) fn plan(format: PlanFormat) -> Self {
        Self::Document(match format {
            PlanFormat::Text => Document::Text,
            PlanFormat::Markdown => Document::Markdown,
            PlanFormat::Html => Document::Html,
            PlanFormat::Json => Document::Json,
        })
    }

    /// What `drift` writes.
    pub(super) fn drift(format: DriftFormat) -> Self {
        Self::Document(document(format))
    }

    /// What `guardrails …` writes.
    pub(super) fn guardrails(command: &GuardrailsCommand) -> Self {
        let format = match command {
            GuardrailsCommand::Apply(_) => return Self::Lines,
            GuardrailsCommand::Render(args) => {
                return Self::Document(match args.format {
                    PolicyFormat::Json => Document::Json,
                    PolicyFormat::Minified => Document::Text,
                });
            }
            GuardrailsCommand::Verify(args) => args.format,
            GuardrailsCommand::Audit(args) => args.format,
        };
        Self::Document(match format {
            GuardrailsFormat::Text => Document::Text,
            GuardrailsFormat::Json => Document::Json,
            GuardrailsFormat::Markdown => Document::Markdown,
            GuardrailsFormat::Html => Document::Html,
        })
    }
}

const fn document(format: DriftFormat) -> Document {
    match format {
        DriftFormat::Text => Document::Text,
        DriftFormat::Json => Document::Json,
        DriftFormat::Markdown => Document::Markdown,
        DriftFormat::Html => Document::Html,
        DriftFormat::Junit => Document::Junit,
        DriftFormat::Sarif => Document::Sarif,
    }
}

/// What a command line means that may be for several targets.
pub(super) enum Meant {
    One(Box<Environment>),
    Several(EnvironmentFile),
}

/// The one environment, or the file with its several targets, that a command line means.
pub(super) fn meant(argument: &EnvironmentArg) -> Result<Meant, Error> {
    let file = EnvironmentFile::load(&argument.environment)?;
    Ok(if argument.target.is_none() && file.targets.len() > 1 {
        Meant::Several(file)
    } else {
        Meant::One(Box::new(file.one(argument.target.as_deref())?))
    })
}

/// Runs the command of this process once for each target: side by side within a wave,
/// and a wave only when all targets of the one before have succeeded. `saves` are the files
/// that the command line names for reports.
pub(super) fn run(
    file: &EnvironmentFile,
    writes: Writes,
    saves: &[ReportFile],
    printer: &Printer,
) -> Result<Outcome, Error> {
    let runtime = runtime(&mut Builder::new_current_thread())?;
    let runs = Runs {
        writes,
        saved: Saved::new(saves)?,
        printer,
        children: Mutex::default(),
        interrupted: AtomicBool::new(false),
    };
    let finished = runtime.block_on(runs.run(file))?;
    let (results, documents): (Vec<_>, Vec<_>) = finished.into_iter().unzip();
    match writes {
        Writes::Lines => printer.data(&targets::table(&results)),
        Writes::JsonLines => printer.data_line(&targets::json_line(&results)),
        Writes::Document(document) => {
            let parts = results.iter().map(|result| result.target.as_str());
            printer.data(&document.join(parts.zip(&documents)));
        }
    }
    let targets: Vec<_> = results.iter().map(|one| one.target.as_str()).collect();
    runs.saved.join(&targets)?;
    outcome(&results)
}

/// What the shell hears: the first failure, else that there are changes, else that
/// something could not be checked, else success.
fn outcome(results: &[TargetResult]) -> Result<Outcome, Error> {
    let failure = results
        .iter()
        .filter(|result| !result.is_success())
        .find_map(|result| result.exit);
    let Some(exit) = failure else {
        let any = |exit| results.iter().any(|result| result.exit == Some(exit));
        return Ok(if any(Exit::Changes) {
            Outcome::CHANGES
        } else if any(Exit::NotFullyChecked) {
            Outcome::NOT_FULLY_CHECKED
        } else {
            Outcome::SUCCESS
        });
    };
    let (not_started, failed): (Vec<_>, Vec<_>) = results
        .iter()
        .filter(|result| !result.is_success())
        .partition(|result| result.exit.is_none());
    let names = |results: Vec<&TargetResult>| {
        let names = results.into_iter().map(|result| result.target.clone());
        names.collect()
    };
    Err(Error::Targets {
        failed: names(failed),
        not_started: names(not_started),
        exit,
    })
}

struct Runs<'a> {
    writes: Writes,
    saved: Saved<'a>,
    printer: &'a Printer,
    /// The processes that run at the moment.
    children: Mutex<Vec<Pid>>,
    interrupted: AtomicBool,
}

impl Runs<'_> {
    /// The results in the order of the file's targets, each with its standard output
    /// where that is a document.
    async fn run(&self, file: &EnvironmentFile) -> Result<Vec<(TargetResult, String)>, Error> {
        let signals = Signals::listen()?;
        tokio::select! {
            finished = self.waves(file) => finished,
            never = self.pass_on(signals) => match never {},
        }
    }

    async fn waves(&self, file: &EnvironmentFile) -> Result<Vec<(TargetResult, String)>, Error> {
        let mut finished: Vec<(TargetResult, String)> = Vec::new();
        for wave in file.targets.chunk_by(|one, other| one.wave == other.wave) {
            let goes_on = !self.interrupted.load(Ordering::Relaxed)
                && finished.iter().all(|(result, _)| result.is_success());
            if !goes_on {
                finished.extend(
                    wave.iter()
                        .map(|target| (not_started(target), String::new())),
                );
                continue;
            }
            let runs = futures_util::stream::iter(wave)
                .map(|target| self.one(target))
                .buffered(AT_ONCE);
            let runs: Vec<_> = runs.collect().await;
            for run in runs {
                finished.push(run?);
            }
        }
        Ok(finished)
    }

    /// Runs this very command line for one target.
    async fn one(&self, target: &TargetEnvironment) -> Result<(TargetResult, String), Error> {
        let name = target
            .name
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let io = |source| Error::Io {
            action: format!("run connect-scim for the target {name}"),
            source,
        };
        let started = Instant::now();
        let mut child = Command::new(std::env::current_exe().map_err(io)?)
            .args(arguments(std::env::args_os().skip(1), &name, &self.saved))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(io)?;
        let process = process_id(&child);
        self.children().extend(process);
        let output = child.stdout.take();
        let messages = child.stderr.take();
        let (document, ()) = tokio::join!(
            self.pass_on_output(&name, output),
            self.pass_on_messages(&name, messages),
        );
        let status = child.wait().await.map_err(io)?;
        self.children().retain(|child| Some(*child) != process);
        let result = TargetResult {
            // A run that a signal ended has no code.
            exit: Some(
                status
                    .code()
                    .and_then(Exit::from_code)
                    .unwrap_or(Exit::Failure),
            ),
            seconds: started.elapsed().as_secs_f64(),
            ..not_started(target)
        };
        Ok((result, document))
    }

    async fn pass_on_output(&self, name: &str, output: Option<impl AsyncRead + Unpin>) -> String {
        let mut document = String::new();
        let Some(output) = output else {
            return document;
        };
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match self.writes {
                Writes::Lines => self.printer.data_line(&format!("{name}: {line}")),
                Writes::JsonLines => self.printer.data_line(&targets::named(name, &line)),
                Writes::Document(_) => {
                    document.push_str(&line);
                    document.push('\n');
                }
            }
        }
        document
    }

    async fn pass_on_messages(&self, name: &str, messages: Option<impl AsyncRead + Unpin>) {
        let Some(messages) = messages else { return };
        let mut lines = BufReader::new(messages).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            // A command to GitHub Actions is one at the beginning of a line only.
            if line.starts_with("::") {
                self.printer.notice(&line);
            } else {
                self.printer.notice(&format!("{name}: {line}"));
            }
        }
    }

    /// Hands SIGINT and SIGTERM to the runs, each of which knows what to say; no further
    /// wave begins.
    async fn pass_on(&self, mut signals: Signals) -> Infallible {
        loop {
            let signal = match signals.next().await {
                Exit::Interrupted => Signal::INT,
                _ => Signal::TERM,
            };
            self.interrupted.store(true, Ordering::Relaxed);
            for child in self.children().iter() {
                // It may have ended by itself.
                let _ = kill_process(*child, signal);
            }
        }
    }

    fn children(&self) -> std::sync::MutexGuard<'_, Vec<Pid>> {
        self.children
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn process_id(child: &Child) -> Option<Pid> {
    child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw)
}

fn not_started(target: &TargetEnvironment) -> TargetResult {
    let environment = &target.environment;
    TargetResult {
        target: target
            .name
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        account: environment.account.as_ref().map(ToString::to_string),
        region: environment.region.to_string(),
        wave: target.wave,
        exit: None,
        seconds: 0.0,
    }
}

/// The command line of one target's run: the same, with files of its own.
fn arguments(
    given: impl Iterator<Item = OsString>,
    target: &str,
    saved: &Saved<'_>,
) -> Vec<OsString> {
    let takes_file = |option: &str| FILES.contains(&option) || option == saved::OPTION;
    let mut saves = 0;
    let mut file = |option: &str, value: &OsStr| -> OsString {
        if option == saved::OPTION {
            saves += 1;
            let place = saved.place(saves - 1, target);
            return place.map_or_else(|| value.to_owned(), Into::into);
        }
        let directory = Path::new(value);
        directory.join(format!("{target}.json")).into_os_string()
    };
    let mut arguments = Vec::new();
    let mut option: Option<String> = None;
    for argument in given {
        if let Some(option) = option.take() {
            arguments.push(file(&option, &argument));
            continue;
        }
        let text = argument.to_str().unwrap_or_default();
        match text.split_once('=') {
            Some((name, value)) if takes_file(name) => {
                arguments.push(name.into());
                arguments.push(file(name, OsStr::new(value)));
            }
            _ => {
                option = takes_file(text).then(|| text.to_owned());
                arguments.push(argument);
            }
        }
    }
    arguments.extend(["--target".into(), target.into()]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(exit: Option<Exit>) -> TargetResult {
        TargetResult {
            target: "frankfurt".to_owned(),
            account: None,
            region: "eu-central-1".to_owned(),
            wave: 1,
            exit,
            seconds: 1.0,
        }
    }

    #[test]
    fn each_run_gets_the_command_line_with_its_target_and_a_file_of_its_own() {
        let given = [
            "plan",
            "--env",
            "prod",
            "--out",
            "plans",
            "--plan=old",
            "--quiet",
            "--save",
            "drift.html",
            "--save=reports/drift.html",
        ];
        let files = ["drift.html", "reports/drift.html"].map(|name| name.parse().unwrap());
        let saved = Saved::new(&files).unwrap();
        let place = |number| saved.place(number, "london").unwrap();
        let (first, second) = (place(0), place(1));
        assert_ne!(first, second);
        assert_eq!(
            arguments(given.iter().map(OsString::from), "london", &saved),
            [
                "plan",
                "--env",
                "prod",
                "--out",
                "plans/london.json",
                "--plan",
                "old/london.json",
                "--quiet",
                "--save",
                first.to_str().unwrap(),
                "--save",
                second.to_str().unwrap(),
                "--target",
                "london",
            ]
        );
    }

    #[test]
    fn the_first_failure_decides_the_exit_code() {
        use Exit::{Changes, Credentials, Interrupted, RolledBack, Success};
        for (exits, expected) in [
            (&[Some(Success), Some(Success)][..], Success),
            (&[Some(Success), Some(Changes)], Changes),
            (
                &[Some(Changes), Some(RolledBack), Some(Credentials), None],
                RolledBack,
            ),
            (&[Some(Success), Some(Interrupted), None], Interrupted),
        ] {
            let results: Vec<_> = exits.iter().map(|exit| result(*exit)).collect();
            let decided = match outcome(&results) {
                Ok(Outcome(exit)) | Err(Error::Targets { exit, .. }) => exit,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(decided, expected, "{exits:?}");
        }
    }
}

//! `smoke`: does the endpoint do what an identity provider will ask of it?

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::Serialize;

use super::error::{HealthError, StackError, TokenError};
use super::interrupt::{InCloud, run_interruptibly};
use super::target::Target;
use super::token::{kept, pick_client, read_token_text};
use super::{Error, Outcome};
use crate::cli::{SmokeArgs, StatusFormat};
use crate::printer::Printer;
use crate::smoke::{Failure, Step, Trial};

/// A token for clients whose token this program cannot or must not read.
const TOKEN_VARIABLE: &str = "CONNECT_SCIM_TOKEN";

/// Runs `smoke`.
pub(super) fn run(args: &SmokeArgs, printer: &Printer) -> Result<Outcome, Error> {
    run_interruptibly(&InCloud::default(), smoke(args, printer))
}

async fn smoke(args: &SmokeArgs, printer: &Printer) -> Result<Outcome, Error> {
    let target = Target::find_endpoint(&args.environment).await?;
    let stack = target.describe_existing().await?;
    let url = target
        .reachable_outputs(&stack)
        .remove("OktaBaseUrl")
        .ok_or_else(|| StackError::NotDeployed {
            stack: target.stack_name(),
        })?;
    let token = token(args, &target, printer).await?;

    let trial = Arc::new(Trial::new(&url, token));
    let _guard = CleanUp {
        trial: Arc::clone(&trial),
        printer,
    };
    let mut report = Report::new(&url);
    if args.format == StatusFormat::Text {
        printer.message(&format!("trying {url}"));
    }
    for step in steps(args.write) {
        let begin = Instant::now();
        let failure = take(step, &trial).await.err();
        report.add(step, begin.elapsed(), failure.as_ref());
        if args.format == StatusFormat::Text {
            report.tell_last(printer);
        }
        if let Some(source) = failure {
            report.tell_json(args.format, printer);
            return Err(HealthError::SmokeFailed {
                step: step.title(),
                source: Box::new(source),
            }
            .into());
        }
    }
    report.tell_json(args.format, printer);
    Ok(Outcome::SUCCESS)
}

fn steps(write: bool) -> impl Iterator<Item = Step> {
    let writing: &[Step] = if write { &Step::WRITING } else { &[] };
    Step::READING.into_iter().chain(writing.iter().copied())
}

/// Takes one step on a thread where it may block.
async fn take(step: Step, trial: &Arc<Trial>) -> Result<(), Failure> {
    let trial = Arc::clone(trial);
    tokio::task::spawn_blocking(move || step.run(&trial))
        .await
        .unwrap_or_else(|panic| {
            Err(Failure::Answer(format!(
                "the step was not finished: {panic}"
            )))
        })
}

/// The token that was given, or the client's own.
async fn token(
    args: &SmokeArgs,
    target: &Target,
    printer: &Printer,
) -> Result<SecretString, Error> {
    if args.token_stdin {
        return read_token_text(printer, "token (not shown):");
    }
    if let Ok(token) = std::env::var(TOKEN_VARIABLE)
        && !token.trim().is_empty()
    {
        return Ok(token.trim().into());
    }
    let client = pick_client(&target.environment, args.client.client.as_deref())?;
    let place = match kept::place(&target.environment, client) {
        Err(Error::Token(TokenError::SignsInWithJwts { client, issuer })) => {
            return Err(TokenError::Needed { client, issuer }.into());
        }
        place => place?,
    };
    let token = kept::read(target, &place).await?;
    Ok(token.reveal(|text| text.trim().into()))
}

/// Removes the canary when the command ends, and also when it fails or is interrupted.
struct CleanUp<'a> {
    trial: Arc<Trial>,
    printer: &'a Printer,
}

impl Drop for CleanUp<'_> {
    fn drop(&mut self) {
        if let Err(left) = self.trial.clean_up() {
            self.printer.warning(&format!(
                "{left}: {}\nremove it at the endpoint with DELETE, or repeat `connect-scim smoke --write` once the endpoint works and remove it by its name",
                left.source
            ));
        }
    }
}

/// What happened, in the form that `--format json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    endpoint: String,
    ok: bool,
    steps: Vec<StepReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepReport {
    step: &'static str,
    ok: bool,
    milliseconds: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

impl Report {
    fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            ok: true,
            steps: Vec::new(),
        }
    }

    fn add(&mut self, step: Step, time: Duration, failure: Option<&Failure>) {
        self.ok &= failure.is_none();
        self.steps.push(StepReport {
            step: step.title(),
            ok: failure.is_none(),
            milliseconds: time.as_millis(),
            failure: failure.map(ToString::to_string),
        });
    }

    fn tell_last(&self, printer: &Printer) {
        if let Some(step) = self.steps.last() {
            printer.data_line(&step.line());
        }
    }

    fn tell_json(&self, format: StatusFormat, printer: &Printer) {
        if format == StatusFormat::Json {
            printer.data(&format!("{:#}\n", serde_json::json!(self)));
        }
    }
}

impl StepReport {
    fn line(&self) -> String {
        let word = if self.ok { "ok  " } else { "FAIL" };
        format!("{word}  {:42} {:>6} ms", self.step, self.milliseconds)
    }
}

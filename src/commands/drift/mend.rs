//! `drift --mend`: takes drift back, after somebody has said yes to how.

use crate::cli::DriftArgs;
use crate::cloud::{ServiceError, ServiceErrorKind};
use crate::commands::error::ReviewError;
use crate::commands::target::Target;
use crate::commands::{Error, question, token, users};
use crate::drift::{DeployedStack, Report};
use crate::mend::{self, Change, Mending};
use crate::printer::Printer;
use crate::report::mending;

/// Mends what was found, and says whether anything was done.
///
/// A step that fails does not keep the others from being taken: each is about something of
/// its own, and a guardrail is worth putting back even if a function's package is gone. Only
/// without credentials none of them can succeed.
///
/// # Errors
/// When nobody says yes, or there are no credentials any more.
pub(super) async fn mend(
    args: &DriftArgs,
    target: &Target,
    stack: &DeployedStack,
    report: &Report,
    printer: &Printer,
) -> Result<bool, Error> {
    let mending = mend::plan(&report.findings, stack, args.users);
    if mending == Mending::default() {
        return Ok(false);
    }
    let shown = mending::text(&mending, &report.stack_name);
    if mending.steps.is_empty() {
        printer.notice(shown.trim_end());
        return Ok(false);
    }
    if args.yes {
        printer.message(shown.trim_end());
    } else {
        printer.notice(shown.trim_end());
        ask(report, printer).await?;
    }
    let count = mending.steps.len();
    let mut not_done = Vec::new();
    for (index, step) in mending.steps.iter().enumerate() {
        let number = format!("{}/{count}", index + 1);
        match take(&step.change, args, target, printer).await {
            Ok(()) => printer.message(&format!("{number} done: {}", step.change)),
            Err(error) if is_about_credentials(&error) => {
                for step in &mending.steps[index..] {
                    printer.warning(&format!("not done: {}", step.change));
                }
                return Err(error);
            }
            Err(error) => {
                printer.warning(&format!("{number} not done: {}: {error}", step.change));
                not_done.push(step);
            }
        }
    }
    if !not_done.is_empty() {
        printer.warning(&format!(
            "{} of {count} steps not done; `drift --mend` again takes up what is left",
            not_done.len()
        ));
    }
    Ok(true)
}

async fn take(
    change: &Change,
    args: &DriftArgs,
    target: &Target,
    printer: &Printer,
) -> Result<(), Error> {
    match change {
        Change::Token { client } => token::renew(&args.environment, client, printer).await,
        Change::Users { ids } => users::mend(&args.environment, ids, printer).await,
        Change::Iam(change) => Ok(change.make(&target.cloud).await?),
        Change::Function(change) => Ok(change.make(&target.cloud).await?),
        Change::Api(change) => Ok(change.make(&target.cloud).await?),
        Change::Resource(change) => Ok(change.make(&target.service_environment()?).await?),
        Change::Topic(change) => Ok(change.make(&target.cloud).await?),
    }
}

fn is_about_credentials(error: &Error) -> bool {
    matches!(
        error,
        Error::Service(ServiceError {
            kind: ServiceErrorKind::Credentials,
            ..
        })
    )
}

async fn ask(report: &Report, printer: &Printer) -> Result<(), Error> {
    if !printer.can_ask() {
        return Err(ReviewError::ApprovalNeeded {
            stack: report.stack_name.clone(),
            yes: false,
            missing: Vec::new(),
        }
        .into());
    }
    let question = format!(
        "mend this in {}, account {}?\ntype yes to go on:",
        report.stack_name, report.account
    );
    question::confirm(printer, false, question, "yes").await
}

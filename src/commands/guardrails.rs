//! `guardrails`: what keeps everybody but the endpoint from editing users.

mod apply;
mod audit;
mod organization;
mod render;
pub(super) mod verify;

use super::error::{GuardrailError, StackError};
use super::interrupt::{InCloud, run_interruptibly};
use super::target::Target;
use super::{Error, Outcome, question};
use crate::cli::GuardrailsCommand;
use crate::environment::Environment;
use crate::guardrail::Deployed;
use crate::printer::Printer;

/// Runs `guardrails …`.
pub(super) fn run(
    command: &GuardrailsCommand,
    environment: Environment,
    printer: &Printer,
) -> Result<Outcome, Error> {
    environment.connect()?;
    run_interruptibly(&InCloud::default(), async {
        let target = Target::open(command.environment(), environment).await?;
        match command {
            GuardrailsCommand::Render(args) => render::run(args, &target, printer).await,
            GuardrailsCommand::Apply(args) if args.scp => {
                organization::run(args, &target, printer).await
            }
            GuardrailsCommand::Apply(args) => apply::run(args, &target, printer).await,
            GuardrailsCommand::Verify(args) => verify::run(args, &target, printer).await,
            GuardrailsCommand::Audit(args) => audit::run(args, &target, printer).await,
        }
    })
}

/// The guardrail of a stack.
async fn deployed(target: &Target) -> Result<Deployed, Error> {
    let stack = target
        .describe()
        .await?
        .filter(|stack| stack.has_resources());
    let stack = stack.ok_or_else(|| StackError::NotDeployed {
        stack: target.stack_name(),
    })?;
    let physical_ids = target.stacks.physical_ids(&stack.id).await?;
    let deployed = Deployed::new(
        &target.environment,
        target.environment.connect()?,
        &stack.id,
        &physical_ids,
    )
    .map_err(GuardrailError::from)?;
    Ok(deployed)
}

/// Shows what would be done, and has somebody approve it.
async fn approve(
    printer: &Printer,
    yes: bool,
    steps: &[String],
    changes: &str,
) -> Result<(), Error> {
    let plan: Vec<String> = steps.iter().map(|step| format!("  {step}")).collect();
    printer.notice(&plan.join("\n"));
    if !yes && !printer.can_ask() {
        return Err(GuardrailError::ApprovalNeeded {
            changes: changes.to_owned(),
        }
        .into());
    }
    let question = "type yes to go on:".to_owned();
    question::confirm(printer, yes, question, "yes").await
}

/// `1 attachment`, `2 attachments`.
fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

//! `watch`: follows the operation that is going on, or tells how the last one ended, with
//! the output and the exit codes of the command that started it.

use super::conclusion::{tell_deleted, tell_deployed};
use super::error::StackError;
use super::interrupt::{InCloud, run_interruptibly, within};
use super::operation::{Follower, Operation};
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::WatchArgs;
use crate::printer::Printer;
use crate::stack::StackStatus;

/// Runs `watch`.
pub(super) fn run(args: &WatchArgs, printer: &Printer) -> Result<Outcome, Error> {
    let in_cloud = InCloud::default();
    let work = watch(args, printer, &in_cloud);
    run_interruptibly(&in_cloud, within(args.timeout.duration(), &in_cloud, work))
}

async fn watch(args: &WatchArgs, printer: &Printer, in_cloud: &InCloud) -> Result<Outcome, Error> {
    let target = Target::find(&args.environment).await?;
    let stack_name = target.stack_name();
    let stack = target.describe_existing().await?;
    if !stack.has_resources() {
        // The shell of a change set that nobody has executed.
        return Err(StackError::NotDeployed { stack: stack_name }.into());
    }
    let attempt = target.stacks.newest_attempt(&stack.id).await?;
    let deletes = attempt
        .events
        .first()
        .is_some_and(|event| event.status == "DELETE_IN_PROGRESS");
    let follower = Follower {
        target: &target,
        environment: target::name(&args.environment),
        format: args.format,
        printer,
        in_cloud,
    };
    let what = if deletes { "deletion" } else { "deployment" };
    follower
        .follow(Operation {
            what: format!("the {what} of {stack_name}"),
            stack_id: &stack.id,
            since: attempt.since.as_ref(),
            resources: None,
            is_success: if deletes {
                |status| *status == StackStatus::DeleteComplete
            } else {
                StackStatus::is_success
            },
        })
        .await?;
    if deletes {
        tell_deleted(&stack_name, true, args.format, printer);
    } else {
        let stack = target.describe_existing().await?;
        tell_deployed(&target, &stack, args.format, printer);
    }
    Ok(Outcome::SUCCESS)
}

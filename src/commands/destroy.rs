//! `destroy`: deletes the stack and everything in it.

use super::conclusion::tell_deleted;
use super::error::StackError;
use super::interrupt::{InCloud, run_interruptibly, within};
use super::operation::Follower;
use super::question::confirm;
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::DestroyArgs;
use crate::drift::record::Records;
use crate::printer::Printer;

/// Runs `destroy`.
pub(super) fn run(args: &DestroyArgs, printer: &Printer) -> Result<Outcome, Error> {
    let in_cloud = InCloud::default();
    let work = destroy(args, printer, &in_cloud);
    run_interruptibly(&in_cloud, within(args.timeout.duration(), &in_cloud, work))
}

async fn destroy(
    args: &DestroyArgs,
    printer: &Printer,
    in_cloud: &InCloud,
) -> Result<Outcome, Error> {
    let target = Target::find(&args.environment).await?;
    let stack_name = target.stack_name();
    if target.environment.protected {
        return Err(StackError::Protected { stack: stack_name }.into());
    }
    let stack = target.describe().await?;
    if let Some(stack) = &stack {
        if stack.termination_protection {
            return Err(StackError::Protected { stack: stack_name }.into());
        }
        // A `y` is typed too easily.
        let question = format!(
            "this deletes the stack {stack_name} in account {}, with the directory of users and the tokens in it.\ntype {stack_name} to go on:",
            target.cloud.account()
        );
        confirm(printer, args.yes, question, &stack_name).await?;
        let follower = Follower {
            target: &target,
            environment: target::name(&args.environment),
            format: args.format,
            printer,
            in_cloud,
        };
        follower.delete(stack, &[]).await?;
        // No part of the stack: `drift --record` keeps it.
        let parameter = target.environment.drift_parameter();
        if let Err(error) = Records::new(&target.cloud).delete(&parameter).await {
            printer.warning(&format!("the last result of `drift` stays: {error}"));
        }
    }
    tell_deleted(&stack_name, stack.is_some(), args.format, printer);
    Ok(Outcome::SUCCESS)
}

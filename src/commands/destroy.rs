//! `destroy`: deletes the stack and everything in it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::interrupt::{InCloud, run_interruptibly};
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::{DestroyArgs, EventFormat};
use crate::printer::Printer;
use crate::report::OperationResult;

/// Runs `destroy`.
pub(super) fn run(args: &DestroyArgs, printer: &Printer) -> Result<Outcome, Error> {
    let in_cloud = InCloud::default();
    run_interruptibly(&in_cloud, destroy(args, printer, &in_cloud))
}

async fn destroy(
    args: &DestroyArgs,
    printer: &Printer,
    in_cloud: &InCloud,
) -> Result<Outcome, Error> {
    let target = Target::open(&args.environment).await?;
    let stack_name = target.stack_name();
    if target.environment.protected {
        return Err(Error::Protected { stack: stack_name });
    }
    let stack = target.describe().await?;
    if let Some(stack) = &stack {
        if stack.termination_protection {
            return Err(Error::Protected { stack: stack_name });
        }
        confirm(args, printer, &stack_name, target.cloud.account())?;
        let timeout = Duration::from_secs(args.timeout.saturating_mul(60));
        target::delete_stack(&target, stack, args.format, timeout, printer, in_cloud).await?;
        printer.message(&format!("{stack_name} is deleted"));
    } else {
        printer.message(&format!("there is no stack {stack_name}"));
    }
    if args.format == EventFormat::Json {
        let result = OperationResult {
            stack_name: &stack_name,
            changed: stack.is_some(),
            status: "DELETE_COMPLETE",
            outputs: &BTreeMap::new(),
        };
        printer.data_line(&result.json_line());
    }
    Ok(Outcome::SUCCESS)
}

/// Has the person type the stack's name: a `y` is typed too easily.
fn confirm(
    args: &DestroyArgs,
    printer: &Printer,
    stack_name: &str,
    account: &str,
) -> Result<(), Error> {
    if args.yes {
        return Ok(());
    }
    if !printer.can_ask() {
        return Err(Error::ConfirmationNeeded { flag: "--yes" });
    }
    let question = format!(
        "this deletes the stack {stack_name} in account {account}, with the directory of users and the tokens in it.\ntype {stack_name} to go on:"
    );
    let answer = printer.ask(&question).map_err(|source| Error::Io {
        action: "read the answer".to_owned(),
        source,
    })?;
    if answer == stack_name {
        Ok(())
    } else {
        Err(Error::NotConfirmed)
    }
}

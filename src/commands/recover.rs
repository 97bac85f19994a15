//! `recover`: brings a stack that an operation left half way back to where it can be
//! deployed. Says what it will do, and asks.

use std::collections::{BTreeMap, BTreeSet};

use super::conclusion::{Conclusion, tell_deleted};
use super::error::StackError;
use super::interrupt::{InCloud, run_interruptibly, within};
use super::operation::{Follower, Operation, new_token};
use super::question::confirm;
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::RecoverArgs;
use crate::printer::Printer;
use crate::stack::{Recovery, StackDescription, StackEvent, StackStatus, not_undone};

/// Runs `recover`.
pub(super) fn run(args: &RecoverArgs, printer: &Printer) -> Result<Outcome, Error> {
    let in_cloud = InCloud::default();
    let work = recover(args, printer, &in_cloud);
    run_interruptibly(&in_cloud, within(args.timeout.duration(), &in_cloud, work))
}

async fn recover(
    args: &RecoverArgs,
    printer: &Printer,
    in_cloud: &InCloud,
) -> Result<Outcome, Error> {
    let environment = target::name(&args.environment);
    let target = Target::find(&args.environment).await?;
    let Some(stack) = target.describe().await? else {
        tell_deleted(&target.stack_name(), false, args.format, printer);
        return Ok(Outcome::SUCCESS);
    };
    let recovery = Recovery::of(&stack.status);
    match recovery {
        Recovery::NotNeeded => {
            tell(&target, &stack, false, args, printer);
            return Ok(Outcome::SUCCESS);
        }
        Recovery::Wait => {
            let newest = target.stacks.newest_event(&stack.id).await?;
            return Err(StackError::Busy {
                stack: target.stack_name(),
                status: stack.status.to_string(),
                token: newest.and_then(|event| event.client_request_token),
                environment,
            }
            .into());
        }
        Recovery::Unknown => {
            return Err(StackError::NeedsHuman {
                stack: target.stack_name(),
                status: stack.status.to_string(),
                advice: UNKNOWN_STATE.to_owned(),
            }
            .into());
        }
        Recovery::ContinueRollback | Recovery::RollBack | Recovery::Delete => {}
    }
    let attempt = target.stacks.newest_attempt(&stack.id).await?;
    let stuck = not_undone(&attempt.events);
    let skip = skipped(&args.skip, &stuck, &stack.status)?;
    for resource in &stuck {
        printer.message(&format!("not undone: {}", resource.summary()));
    }
    let follower = Follower {
        target: &target,
        environment,
        format: args.format,
        printer,
        in_cloud,
    };
    if recovery == Recovery::Delete {
        delete(&follower, &stack, skip, args).await?;
        tell_deleted(&target.stack_name(), true, args.format, printer);
        return Ok(Outcome::SUCCESS);
    }
    roll_back(&follower, &stack, &skip, args).await?;
    match target.describe().await? {
        Some(stack) => tell(&target, &stack, true, args, printer),
        // Without a state to go back to, CloudFormation may delete the stack.
        None => tell_deleted(&target.stack_name(), true, args.format, printer),
    }
    Ok(Outcome::SUCCESS)
}

/// What to do about a state that AWS made up after this program.
pub(super) const UNKNOWN_STATE: &str =
    "connect-scim knows no way out of this state; look at the stack in the CloudFormation console";

/// Whether resources can be left as they are, and which.
fn skipped(
    named: &[String],
    stuck: &[&StackEvent],
    status: &StackStatus,
) -> Result<BTreeSet<String>, Error> {
    let skippable: BTreeSet<&str> = match status.as_str() {
        "UPDATE_ROLLBACK_FAILED" | "DELETE_FAILED" => stuck
            .iter()
            .map(|event| event.logical_id.as_str())
            .collect(),
        _ => BTreeSet::new(),
    };
    let (skipped, refused): (Vec<&String>, Vec<&String>) = named
        .iter()
        .partition(|name| skippable.contains(name.as_str()));
    if refused.is_empty() {
        return Ok(skipped.into_iter().cloned().collect());
    }
    Err(StackError::NotSkippable {
        named: refused.into_iter().cloned().collect(),
        skippable: skippable.into_iter().map(str::to_owned).collect(),
    }
    .into())
}

async fn roll_back(
    follower: &Follower<'_>,
    stack: &StackDescription,
    skip: &BTreeSet<String>,
    args: &RecoverArgs,
) -> Result<(), Error> {
    let stacks = &follower.target.stacks;
    let stack_name = follower.target.stack_name();
    let continues = stack.status.as_str() == "UPDATE_ROLLBACK_FAILED";
    let mut plan = match stack.status.as_str() {
        "UPDATE_ROLLBACK_FAILED" => {
            format!("this continues the rollback of {stack_name} to where it was before the update")
        }
        "UPDATE_FAILED" => {
            format!("this rolls {stack_name} back to where it was before the update")
        }
        _ => format!("this deletes what the failed first deployment of {stack_name} made"),
    };
    for name in skip {
        plan.push_str(&format!(
            "\n  {name} stays as it is; CloudFormation takes it for rolled back, so mend it before the next deployment"
        ));
    }
    agree(follower.printer, args, plan).await?;
    let what = format!("the rollback of {stack_name}");
    let newest = stacks.newest_event(&stack.id).await?;
    let token = new_token("recover");
    follower.in_cloud.begin(follower.ongoing(&what));
    if continues {
        stacks.continue_rollback(&stack.id, skip, &token).await?;
    } else {
        stacks.roll_back(&stack.id, &token).await?;
    }
    follower
        .follow(Operation {
            what,
            stack_id: &stack.id,
            since: newest.map(|event| event.id).as_ref(),
            resources: None,
            is_success: |status| {
                matches!(
                    status,
                    StackStatus::Deployed(_)
                        | StackStatus::RollbackComplete
                        | StackStatus::DeleteComplete
                )
            },
        })
        .await?;
    Ok(())
}

async fn delete(
    follower: &Follower<'_>,
    stack: &StackDescription,
    skip: BTreeSet<String>,
    args: &RecoverArgs,
) -> Result<(), Error> {
    let stack_name = follower.target.stack_name();
    if stack.termination_protection {
        return Err(StackError::Protected { stack: stack_name }.into());
    }
    let mut plan = match stack.status.as_str() {
        "DELETE_FAILED" => format!("this deletes what is left of {stack_name}"),
        _ => format!("this deletes what is left of the failed first deployment of {stack_name}"),
    };
    for name in &skip {
        plan.push_str(&format!(
            "\n  {name} stays in the account and no longer belongs to a stack"
        ));
    }
    if stack.status == StackStatus::RollbackComplete {
        for resource in follower.target.stacks.retained_data(&stack.id).await? {
            plan.push_str(&format!(
                "\n  {} {} stays in the account and no longer belongs to a stack",
                resource.resource_type, resource.physical_id
            ));
        }
    }
    agree(follower.printer, args, plan).await?;
    let retain: Vec<String> = skip.into_iter().collect();
    follower.delete(stack, &retain).await
}

/// Says what will be done, and asks.
async fn agree(printer: &Printer, args: &RecoverArgs, plan: String) -> Result<(), Error> {
    printer.message(&plan);
    confirm(printer, args.yes, "type yes to go on:".to_owned(), "yes").await
}

fn tell(
    target: &Target,
    stack: &StackDescription,
    changed: bool,
    args: &RecoverArgs,
    printer: &Printer,
) {
    let stack_name = target.stack_name();
    let verb = if changed {
        "is in"
    } else {
        "needs no recovery in"
    };
    let message = format!(
        "{stack_name} {verb} the state {}; `connect-scim deploy --env {}` can go on",
        stack.status,
        target::name(&args.environment)
    );
    Conclusion {
        stack_name: &stack_name,
        status: stack.status.as_str(),
        changed,
        outputs: &BTreeMap::new(),
        message: &message,
    }
    .tell(args.format, printer);
}

#[cfg(test)]
mod tests {
    use super::{Error, StackError, skipped};
    use crate::stack::{StackEvent, StackStatus};

    #[test]
    fn only_what_could_not_be_undone_can_be_skipped() {
        let event = StackEvent {
            id: String::new(),
            timestamp: String::new(),
            logical_id: "TokenIdp".into(),
            resource_type: "Custom::ScimToken".into(),
            physical_id: None,
            status: "UPDATE_FAILED".into(),
            reason: None,
            client_request_token: None,
            is_stack: false,
        };
        let skip = |names: &[&str], status: &str| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            skipped(&names, &[&event], &StackStatus::parse(status))
        };
        for status in ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"] {
            let skipped = skip(&["TokenIdp", "TokenIdp"], status).unwrap();
            assert_eq!(skipped.into_iter().collect::<Vec<_>>(), ["TokenIdp"]);
            assert!(skip(&[], status).unwrap().is_empty());
            let Err(Error::Stack(StackError::NotSkippable { named, skippable })) =
                skip(&["TokenIdp", "DirectoryTable"], status)
            else {
                panic!("DirectoryTable was skipped");
            };
            assert_eq!(named, ["DirectoryTable"]);
            assert_eq!(skippable, ["TokenIdp"]);
        }
        for status in [
            "CREATE_FAILED",
            "UPDATE_FAILED",
            "ROLLBACK_FAILED",
            "ROLLBACK_COMPLETE",
        ] {
            assert!(skip(&["TokenIdp"], status).is_err(), "{status}");
            assert!(skip(&[], status).is_ok());
        }
    }
}

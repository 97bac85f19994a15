//! `drift --mend`: takes drift back, after somebody has said yes to how.

mod approval;
mod recreation;

use self::approval::approve;
use self::recreation::Recreation;
use crate::cli::DriftArgs;
use crate::cloud::{ServiceError, ServiceErrorKind};
use crate::commands::operation::Follower;
use crate::commands::users::{self, Removal};
use crate::commands::{Error, token};
use crate::drift::{DeployedStack, Report};
use crate::mend::{self, Change, Mending, Users};
use crate::report::mending;

/// Mends what was found, and says whether anything was done.
///
/// A step that fails does not keep the others from being taken: each is about something of
/// its own, and a guardrail is worth putting back even if a function's package is gone. Only
/// without credentials none of them can succeed. What becomes of the stack itself, in the
/// last step, is not passed over either.
///
/// # Errors
/// When nobody says yes, there are no credentials any more, or CloudFormation fails to make
/// resources again.
pub(super) async fn mend(
    args: &DriftArgs,
    follower: &Follower<'_>,
    stack: &DeployedStack,
    report: &Report,
) -> Result<bool, Error> {
    let printer = follower.printer;
    let (mending, means) = plan(args, follower, stack, report).await?;
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
    }
    if let Err(refusal) = approve(args, report, means.removal.as_ref(), printer).await {
        if let Some(recreation) = &means.recreation {
            recreation.discard(follower.target).await?;
        }
        return Err(refusal);
    }
    let count = mending.steps.len();
    let mut not_done = Vec::new();
    for (index, step) in mending.steps.iter().enumerate() {
        let number = format!("{}/{count}", index + 1);
        match means.take(&step.change).await {
            Ok(()) => printer.message(&format!("{number} done: {}", step.change)),
            Err(error) if is_about_credentials(&error) => {
                for step in &mending.steps[index..] {
                    printer.warning(&format!("not done: {}", step.change));
                }
                return Err(error);
            }
            Err(error) if matches!(step.change, Change::MakeAgain { .. }) => return Err(error),
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

/// What is to be done, and what was prepared for it.
async fn plan<'a>(
    args: &'a DriftArgs,
    follower: &'a Follower<'a>,
    stack: &DeployedStack,
    report: &Report,
) -> Result<(Mending, Means<'a>), Error> {
    let mut mending = mend::plan(&report.findings, stack, users_of(args));
    let removal = match mending.users_to_remove() {
        None => None,
        Some(ids) => Some(Removal::plan(&args.environment, ids).await?),
    };
    for kept in removal.iter().flat_map(Removal::kept) {
        mending.keep_user(&kept.id, kept.reason);
    }
    let recreation =
        Recreation::prepare(follower.target, stack, &report.findings, &mut mending).await?;
    let means = Means {
        args,
        follower,
        removal: removal.filter(|removal| removal.len() > 0),
        recreation,
    };
    Ok((mending, means))
}

/// What steps are taken with.
struct Means<'a> {
    args: &'a DriftArgs,
    follower: &'a Follower<'a>,
    /// The users whom the plan removes.
    removal: Option<Removal>,
    /// The change set that makes deleted resources again.
    recreation: Option<Recreation>,
}

impl Means<'_> {
    async fn take(&self, change: &Change) -> Result<(), Error> {
        let (environment, printer) = (&self.args.environment, self.follower.printer);
        let target = self.follower.target;
        match change {
            Change::Token { client } => token::renew(environment, client, printer).await,
            Change::Users { ids } => users::mend(environment, ids, printer).await,
            Change::RemoveUsers { .. } => match &self.removal {
                Some(removal) => removal.run(printer).await,
                None => Ok(()),
            },
            Change::MakeAgain { .. } => match &self.recreation {
                Some(recreation) => recreation.run(self.follower).await,
                None => Ok(()),
            },
            Change::Iam(change) => Ok(change.make(&target.cloud).await?),
            Change::Function(change) => Ok(change.make(&target.cloud).await?),
            Change::Api(change) => Ok(change.make(&target.cloud).await?),
            Change::Resource(change) => Ok(change.make(&target.service_environment()?).await?),
            Change::Topic(change) => Ok(change.make(&target.cloud).await?),
        }
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

fn users_of(args: &DriftArgs) -> Users {
    match (args.users, args.remove_unmanaged_users) {
        (false, _) => Users::Leave,
        (true, false) => Users::Reconcile,
        (true, true) => Users::ReconcileAndRemove,
    }
}

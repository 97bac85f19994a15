//! `drift --mend`: deleted resources, which CloudFormation makes again where it knows
//! drift-aware change sets.

use crate::commands::Error;
use crate::commands::operation::{Follower, new_token};
use crate::commands::target::Target;
use crate::drift::{DeployedStack, Finding};
use crate::mend::Mending;
use crate::stack::{ChangeSet, Reversion};

/// What is said where CloudFormation refuses, or would do more than is wanted.
const NOT_BY_CLOUDFORMATION: &str = "CloudFormation was asked to make it again";

/// A change set that makes deleted resources again, and waits for somebody's yes.
///
/// Where the run is interrupted before that, the change set stays behind; the next
/// deployment deletes it.
pub(super) struct Recreation {
    change_set: ChangeSet,
    token: String,
}

impl Recreation {
    /// Asks CloudFormation about deleted resources, if there are any, and takes its answer
    /// into the plan: as a step, or as a word on why a person has to do it.
    ///
    /// # Errors
    /// When CloudFormation cannot be reached, or there are no credentials.
    pub(super) async fn prepare(
        target: &Target,
        stack: &DeployedStack,
        findings: &[Finding],
        mending: &mut Mending,
    ) -> Result<Option<Self>, Error> {
        let deleted = mending.deleted(findings, stack);
        if deleted.is_empty() {
            return Ok(None);
        }
        let token = new_token("mend");
        let (change_set, changes) = match target.stacks.revert(stack.id(), &token).await? {
            Reversion::Ready(change_set, changes) => (change_set, changes),
            Reversion::Empty | Reversion::Unknown => return Ok(None),
            Reversion::Refused(reason) => {
                let why = format!("{NOT_BY_CLOUDFORMATION}, and refused: {reason}");
                mending.explain(&deleted, findings, &why);
                return Ok(None);
            }
        };
        let recreation = Self { change_set, token };
        match mending.make_again(&deleted, changes, findings, &stack.parts()) {
            Ok(()) if mending.makes_again() => Ok(Some(recreation)),
            Ok(()) => {
                recreation.discard(target).await?;
                Ok(None)
            }
            Err(unwanted) => {
                recreation.discard(target).await?;
                let unwanted: Vec<_> = unwanted.iter().map(ToString::to_string).collect();
                let why = format!(
                    "{NOT_BY_CLOUDFORMATION}, and would also {}: it was not let do it; if that is drift too, mend it first",
                    unwanted.join(", ")
                );
                mending.explain(&deleted, findings, &why);
                Ok(None)
            }
        }
    }

    /// Executes the change set, and follows it to its end.
    ///
    /// # Errors
    /// Those of [`Follower::execute`].
    pub(super) async fn run(&self, follower: &Follower<'_>) -> Result<(), Error> {
        let what = format!("the mending of {}", follower.target.stack_name());
        follower
            .execute(&self.change_set, &self.token, what, None)
            .await
    }

    /// Deletes the change set.
    ///
    /// # Errors
    /// When CloudFormation refuses or cannot be reached.
    pub(super) async fn discard(&self, target: &Target) -> Result<(), Error> {
        Ok(target.stacks.delete_change_set(&self.change_set).await?)
    }
}

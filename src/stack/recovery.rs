//! How a stack that an operation left half way is brought back to where it can be deployed.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::ResourceStatus;

use super::{StackStatus, Stacks};
use crate::cloud::{ServiceError, failed_to};

/// What brings a stack back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing has to be: it can be deployed as it is.
    NotNeeded,
    /// An operation is going on; it has to end first.
    Wait,
    /// Continue the rollback of an update (`UPDATE_ROLLBACK_FAILED`).
    ContinueRollback,
    /// Roll back what was left as it failed (`CREATE_FAILED`, `UPDATE_FAILED`).
    RollBack,
    /// Delete what is left of a first deployment or of a deletion
    /// (`ROLLBACK_FAILED`, `ROLLBACK_COMPLETE`, `DELETE_FAILED`).
    Delete,
    /// This program does not know.
    Unknown,
}

impl Recovery {
    /// Decides by the state alone.
    #[must_use]
    pub fn of(status: &StackStatus) -> Self {
        match status {
            StackStatus::ReviewInProgress
            | StackStatus::Deployed(_)
            | StackStatus::DeleteComplete => Self::NotNeeded,
            StackStatus::InProgress(_) => Self::Wait,
            StackStatus::RollbackComplete => Self::Delete,
            StackStatus::Failed(word) => match word.as_str() {
                "UPDATE_ROLLBACK_FAILED" => Self::ContinueRollback,
                "CREATE_FAILED" | "UPDATE_FAILED" => Self::RollBack,
                "ROLLBACK_FAILED" | "DELETE_FAILED" => Self::Delete,
                _ => Self::Unknown,
            },
            StackStatus::Other(_) => Self::Unknown,
        }
    }
}

/// A resource that CloudFormation left in the account when it deleted the others
/// (`DELETE_SKIPPED`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedResource {
    /// `AWS::…::…`.
    pub resource_type: String,
    /// Its name in the cloud.
    pub physical_id: String,
}

/// The types in our templates that hold what nobody can make again.
const DATA: [&str; 1] = ["AWS::DynamoDB::Table"];

impl Stacks {
    /// The resources with data that a rollback left in the account.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn retained_data(&self, stack: &str) -> Result<Vec<RetainedResource>, ServiceError> {
        Ok(self
            .resource_summaries(stack)
            .await?
            .into_iter()
            .filter(|resource| resource.resource_status() == Some(&ResourceStatus::DeleteSkipped))
            .filter_map(|resource| {
                Some(RetainedResource {
                    resource_type: resource.resource_type()?.to_owned(),
                    physical_id: resource.physical_resource_id()?.to_owned(),
                })
            })
            .filter(|resource| DATA.contains(&resource.resource_type.as_str()))
            .collect())
    }

    /// Continues the rollback of an update without `skip`; [`Stacks::follow`] sees it through.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn continue_rollback(
        &self,
        stack: &str,
        skip: &BTreeSet<String>,
        token: &str,
    ) -> Result<(), ServiceError> {
        let resources = (!skip.is_empty()).then(|| skip.iter().cloned().collect());
        let answer = self
            .client
            .continue_update_rollback()
            .stack_name(stack)
            .set_resources_to_skip(resources)
            .client_request_token(token)
            .send()
            .await
            .map_err(failed_to(format!(
                "continue the rollback of the stack {stack}"
            )));
        self.unless_begun(stack, token, answer.map(drop)).await
    }

    /// Rolls back what an operation without rollback left; [`Stacks::follow`] sees it through.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn roll_back(&self, stack: &str, token: &str) -> Result<(), ServiceError> {
        let answer = self
            .client
            .rollback_stack()
            .stack_name(stack)
            .client_request_token(token)
            .send()
            .await
            .map_err(failed_to(format!("roll back the stack {stack}")));
        self.unless_begun(stack, token, answer.map(drop)).await
    }

    /// A refusal counts for nothing where an earlier attempt, of which the answer was
    /// lost, has begun the operation.
    async fn unless_begun(
        &self,
        stack: &str,
        token: &str,
        answer: Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        match answer {
            Err(refusal) if !self.has_begun(stack, token).await.unwrap_or(false) => Err(refusal),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Recovery;
    use crate::stack::StackStatus;

    #[test]
    fn every_state_of_a_stack_has_a_defined_recovery() {
        for (word, recovery) in [
            ("REVIEW_IN_PROGRESS", Recovery::NotNeeded),
            ("CREATE_COMPLETE", Recovery::NotNeeded),
            ("UPDATE_COMPLETE", Recovery::NotNeeded),
            ("UPDATE_ROLLBACK_COMPLETE", Recovery::NotNeeded),
            ("IMPORT_COMPLETE", Recovery::NotNeeded),
            ("IMPORT_ROLLBACK_COMPLETE", Recovery::NotNeeded),
            ("DELETE_COMPLETE", Recovery::NotNeeded),
            ("CREATE_IN_PROGRESS", Recovery::Wait),
            (
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                Recovery::Wait,
            ),
            ("UPDATE_ROLLBACK_FAILED", Recovery::ContinueRollback),
            ("CREATE_FAILED", Recovery::RollBack),
            ("UPDATE_FAILED", Recovery::RollBack),
            ("ROLLBACK_COMPLETE", Recovery::Delete),
            ("ROLLBACK_FAILED", Recovery::Delete),
            ("DELETE_FAILED", Recovery::Delete),
            ("IMPORT_ROLLBACK_FAILED", Recovery::Unknown),
            ("A_STATE_OF_TOMORROW", Recovery::Unknown),
        ] {
            assert_eq!(Recovery::of(&StackStatus::parse(word)), recovery, "{word}");
        }
    }
}

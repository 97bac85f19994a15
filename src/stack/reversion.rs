//! Drift-aware change sets: CloudFormation brings a stack's resources back to its template.
//!
//! Such a change set compares the template with what is there, not with what was deployed
//! last, and so makes again what somebody deleted. It takes everything back at once, also
//! what nobody asked for; so whoever executes one has to look at what it would do.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html>
//!
//! Who does not know the mode, as an emulator, makes a change set of the usual kind of it.
//! Only the description of the change set tells.

use std::fmt;

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    self, Capability, ChangeAction, ChangeSetType, DeploymentMode, Replacement,
};

use super::{ChangeSet, ChangeSetOutcome, Stacks};
use crate::cloud::{ServiceError, ServiceErrorKind, failed_to};

/// What became of the question how a stack would be brought back to its template.
#[derive(Debug, Clone)]
pub enum Reversion {
    /// The change set can be executed, and would do this.
    Ready(ChangeSet, Vec<ResourceChange>),
    /// Nothing would be changed.
    Empty,
    /// The service has no such change sets.
    Unknown,
    /// The service refuses, for this reason.
    Refused(String),
}

/// What a change set would do to one resource. Displays as `replace UsersMethod
/// (AWS::ApiGateway::Method)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceChange {
    /// What it would do.
    pub action: ResourceAction,
    /// The resource's name in the template.
    pub logical_id: String,
    /// Its type.
    pub resource_type: String,
}

/// Whether the service has understood, and does not do it.
fn has_answered(error: &ServiceError) -> bool {
    matches!(
        error.kind,
        ServiceErrorKind::Refused | ServiceErrorKind::Denied
    )
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceAction {
    /// It is made.
    Make,
    /// It is changed in its place.
    Change,
    /// It is made anew, and the old one is deleted; or nobody knows whether it is.
    Replace,
    /// It is deleted.
    Remove,
    /// Nothing: CloudFormation takes note of how it is.
    Note,
}

impl fmt::Display for ResourceChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.action {
            ResourceAction::Make => "make",
            ResourceAction::Change => "change",
            ResourceAction::Replace => "replace",
            ResourceAction::Remove => "delete",
            ResourceAction::Note => "take note of",
        };
        write!(
            formatter,
            "{verb} {} ({})",
            self.logical_id, self.resource_type
        )
    }
}

impl ResourceChange {
    fn read(change: &types::ResourceChange) -> Self {
        let stays = |replacement: &Replacement| *replacement == Replacement::False;
        let action = match change.action() {
            Some(ChangeAction::Add | ChangeAction::Import) => ResourceAction::Make,
            Some(ChangeAction::Modify) if change.replacement().is_none_or(stays) => {
                ResourceAction::Change
            }
            Some(ChangeAction::Remove) => ResourceAction::Remove,
            Some(ChangeAction::SyncWithActual) => ResourceAction::Note,
            _ => ResourceAction::Replace,
        };
        Self {
            action,
            logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
            resource_type: change.resource_type().unwrap_or_default().to_owned(),
        }
    }
}

impl Stacks {
    /// Asks how a stack would be brought back to the template that it has. Tags, service
    /// role and notification topics stay as they are. A change set that would not be
    /// executed is deleted again.
    ///
    /// # Errors
    /// When the service cannot be reached, or there are no credentials.
    pub async fn revert(&self, stack: &str, token: &str) -> Result<Reversion, ServiceError> {
        let answer = self
            .client
            .create_change_set()
            .stack_name(stack)
            .change_set_name(token)
            .client_token(token)
            .change_set_type(ChangeSetType::Update)
            .use_previous_template(true)
            .deployment_mode(DeploymentMode::RevertDrift)
            .capabilities(Capability::CapabilityNamedIam)
            .send()
            .await
            .map_err(failed_to(format!(
                "make a drift-aware change set for the stack {stack}"
            )));
        let change_set = match answer {
            Ok(answer) => ChangeSet {
                id: answer.id().unwrap_or_default().to_owned(),
                stack_id: answer.stack_id().unwrap_or_default().to_owned(),
            },
            Err(error) if has_answered(&error) => return Ok(Reversion::Refused(error.message)),
            Err(error) => return Err(error),
        };
        let reversion = match self.await_change_set(&change_set).await? {
            ChangeSetOutcome::Refused { reason, .. } => Reversion::Refused(reason),
            outcome => match (self.reverting_changes(&change_set).await?, outcome) {
                (None, _) => Reversion::Unknown,
                (Some(changes), ChangeSetOutcome::Ready(_)) => {
                    return Ok(Reversion::Ready(change_set, changes));
                }
                (Some(_), _) => Reversion::Empty,
            },
        };
        self.delete_change_set(&change_set).await?;
        Ok(reversion)
    }

    /// What a drift-aware change set would do; `None` where it is none.
    async fn reverting_changes(
        &self,
        change_set: &ChangeSet,
    ) -> Result<Option<Vec<ResourceChange>>, ServiceError> {
        let pages = self.describe_change_set(change_set, false).await?;
        let reverts = |page: &DescribeChangeSetOutput| {
            page.deployment_mode() == Some(&DeploymentMode::RevertDrift)
        };
        if !pages.iter().all(reverts) {
            return Ok(None);
        }
        let changes = pages.iter().flat_map(|page| page.changes());
        let of_resources = changes.filter_map(|change| change.resource_change());
        Ok(Some(of_resources.map(ResourceChange::read).collect()))
    }
}

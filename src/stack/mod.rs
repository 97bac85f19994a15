//! The lifecycle of one CloudFormation stack: look, change, follow, delete.
//!
//! Every call after creation names the stack by its ARN: a name can come to mean another
//! stack while we wait. Nothing here decides what to deploy; that is [`crate::commands`].

mod change_set;
mod custom_resource;
mod events;
mod follow;
mod policy;
mod recovery;
mod reversion;
mod service_view;
mod status;
mod validation;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::config::Builder;
use aws_sdk_cloudformation::types::{StackResourceSummary, TemplateStage};
use aws_smithy_types::timeout::TimeoutConfig;

use crate::cloud::{Cloud, RepeatGarbledReads, ServiceError, failed_to};

pub use change_set::{
    ChangeSet, ChangeSetOutcome, ChangeSetRequest, Changes, StackSettings, TemplateSource,
};
pub use custom_resource::{CustomResourceFunction, function_of};
pub use events::{EventId, StackEvent, first_cause, not_undone};
pub use follow::{Attempt, Followed};
pub use policy::StackPolicy;
pub use recovery::{Recovery, RetainedResource};
pub use reversion::{ResourceAction, ResourceChange, Reversion};
pub use status::StackStatus;
pub use validation::ValidationProblem;

/// CloudFormation publishes no rate limit; slower than this nobody has been throttled for long.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// The local cloud has nobody to share with.
const LOCAL_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// CloudFormation answers within seconds: a connection that stays silent for longer is dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The stacks of one account and region.
#[derive(Debug, Clone)]
pub struct Stacks {
    client: Client,
    poll_interval: Duration,
}

/// What DescribeStacks tells of one stack.
#[derive(Debug, Clone)]
pub struct StackDescription {
    /// The ARN.
    pub id: String,
    /// The state.
    pub status: StackStatus,
    /// Why it is in that state, where the service says.
    pub status_reason: Option<String>,
    /// Output keys and values.
    pub outputs: BTreeMap<String, String>,
    /// The stack's own tags.
    pub tags: BTreeMap<String, String>,
    /// Whether CloudFormation refuses to delete it.
    pub termination_protection: bool,
    /// Seconds since 1970 at which the last operation started.
    pub last_changed: Option<i64>,
    /// The role with which CloudFormation makes the resources.
    pub service_role: Option<String>,
    /// The SNS topics that are told of every event.
    pub notification_topics: BTreeSet<String>,
}

impl StackDescription {
    /// Whether it is more than the empty shell that a first change set makes.
    #[must_use]
    pub fn has_resources(&self) -> bool {
        !matches!(
            self.status,
            StackStatus::ReviewInProgress | StackStatus::DeleteComplete
        )
    }
}

impl Stacks {
    /// The stacks behind `cloud`.
    #[must_use]
    pub fn new(cloud: &Cloud) -> Self {
        Self {
            client: Client::from_conf(
                Builder::from(cloud.config())
                    .interceptor(RepeatGarbledReads)
                    .timeout_config(
                        TimeoutConfig::builder()
                            .read_timeout(ANSWER_TIMEOUT)
                            .build(),
                    )
                    .build(),
            ),
            poll_interval: if cloud.is_local() {
                LOCAL_POLL_INTERVAL
            } else {
                POLL_INTERVAL
            },
        }
    }

    /// Describes a stack by name or ARN; `None` where there is no such stack.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn describe(&self, stack: &str) -> Result<Option<StackDescription>, ServiceError> {
        let answer = self.client.describe_stacks().stack_name(stack).send().await;
        let answer = match answer.map_err(failed_to(format!("describe the stack {stack}"))) {
            // CloudFormation has no code of its own for "not found".
            Err(error)
                if error.has_code("ValidationError")
                    && error.message.contains("does not exist") =>
            {
                return Ok(None);
            }
            answer => answer?,
        };
        Ok(answer.stacks().first().map(description))
    }

    /// The template as it was sent for the last operation, or `None` for an empty shell.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn template(&self, stack: &str) -> Result<Option<String>, ServiceError> {
        let answer = self
            .client
            .get_template()
            .stack_name(stack)
            .template_stage(TemplateStage::Original)
            .send()
            .await
            .map_err(failed_to(format!("read the template of the stack {stack}")))?;
        Ok(answer.template_body().map(str::to_owned))
    }

    /// The physical ids of a stack's resources of one type, by logical id.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn resources(
        &self,
        stack: &str,
        resource_type: &str,
    ) -> Result<BTreeMap<String, String>, ServiceError> {
        Ok(self
            .resource_summaries(stack)
            .await?
            .into_iter()
            .filter(|resource| resource.resource_type() == Some(resource_type))
            .filter_map(|resource| {
                Some((
                    resource.logical_resource_id()?.to_owned(),
                    resource.physical_resource_id()?.to_owned(),
                ))
            })
            .collect())
    }

    /// The physical ids of all of a stack's resources, by logical id.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn physical_ids(
        &self,
        stack: &str,
    ) -> Result<BTreeMap<String, String>, ServiceError> {
        let resources = self.resource_summaries(stack).await?;
        Ok(resources
            .into_iter()
            .filter_map(|resource| {
                Some((
                    resource.logical_resource_id?,
                    resource.physical_resource_id?,
                ))
            })
            .collect())
    }

    async fn resource_summaries(
        &self,
        stack: &str,
    ) -> Result<Vec<StackResourceSummary>, ServiceError> {
        let mut resources = Vec::new();
        let mut next_token = None;
        loop {
            let page = self
                .client
                .list_stack_resources()
                .stack_name(stack)
                .set_next_token(next_token)
                .send()
                .await
                .map_err(failed_to(format!(
                    "list the resources of the stack {stack}"
                )))?;
            next_token = page.next_token().map(str::to_owned);
            resources.extend(page.stack_resource_summaries.unwrap_or_default());
            if next_token.is_none() {
                return Ok(resources);
            }
        }
    }

    /// Sets termination protection.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn protect(&self, stack: &str, protect: bool) -> Result<(), ServiceError> {
        self.client
            .update_termination_protection()
            .stack_name(stack)
            .enable_termination_protection(protect)
            .send()
            .await
            .map_err(failed_to(format!(
                "set termination protection of the stack {stack}"
            )))?;
        Ok(())
    }

    /// Starts the deletion of a stack; [`Stacks::follow`] sees it through. The resources
    /// in `retain` stay in the account: possible only where an earlier deletion failed.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn delete(
        &self,
        stack: &str,
        token: &str,
        retain: &[String],
    ) -> Result<(), ServiceError> {
        self.client
            .delete_stack()
            .stack_name(stack)
            .set_retain_resources((!retain.is_empty()).then(|| retain.to_vec()))
            .client_request_token(token)
            .send()
            .await
            .map_err(failed_to(format!("delete the stack {stack}")))?;
        Ok(())
    }
}

fn description(stack: &aws_sdk_cloudformation::types::Stack) -> StackDescription {
    let status = stack.stack_status().map_or("", |status| status.as_str());
    StackDescription {
        id: stack
            .stack_id()
            .or(stack.stack_name())
            .unwrap_or_default()
            .to_owned(),
        status: StackStatus::parse(status),
        status_reason: stack
            .stack_status_reason()
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned),
        outputs: stack
            .outputs()
            .iter()
            .filter_map(|output| {
                Some((
                    output.output_key()?.to_owned(),
                    output.output_value()?.to_owned(),
                ))
            })
            .collect(),
        tags: stack
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
            .collect(),
        termination_protection: stack.enable_termination_protection().unwrap_or(false),
        last_changed: stack
            .last_updated_time()
            .or(stack.creation_time())
            .map(aws_smithy_types::DateTime::secs),
        service_role: stack.role_arn().map(str::to_owned),
        notification_topics: stack.notification_arns().iter().cloned().collect(),
    }
}

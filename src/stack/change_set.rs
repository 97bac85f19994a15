//! Change sets: how a template reaches a stack.
//!
//! Every run makes its own change set under a name of its own, so that two pipelines
//! never fight over one, and deletes those that an earlier run of ours left behind an
//! hour ago or more (a younger one may belong to a run that is still going on).
//! Somebody else's are never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetSummary, ChangeSetType, ExecutionStatus,
    Tag,
};

use super::{StackDescription, StackStatus, Stacks, ValidationProblem};
use crate::cloud::{ServiceError, ServiceErrorKind, failed_to};

/// Every change set of this program has a name that starts so.
const NAME_PREFIX: &str = "connect-scim-";

/// No run takes longer than this from making a change set to executing it.
const STALE_AFTER: Duration = Duration::from_secs(60 * 60);

/// By these words a change set says that it would change nothing.
const EMPTY: [&str; 2] = [
    "The submitted information didn't contain changes",
    "No updates are to be performed",
];

/// A change set that was asked for.
#[derive(Debug, Clone)]
pub struct ChangeSet {
    /// Its ARN.
    pub id: String,
    /// The ARN of its stack.
    pub stack_id: String,
}

/// What a change set would do, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Resources that it makes.
    pub add: usize,
    /// Resources that it changes, replacements included.
    pub modify: usize,
    /// Resources that it removes.
    pub remove: usize,
}

impl Changes {
    /// All resources that it touches.
    #[must_use]
    pub fn total(&self) -> usize {
        self.add + self.modify + self.remove
    }
}

impl StackSettings {
    /// Whether a stack has them. Without a service role the stack keeps the one it had.
    #[must_use]
    pub fn stand(&self, stack: &StackDescription) -> bool {
        self.notification_topics == stack.notification_topics
            && (self.service_role.is_none() || self.service_role == stack.service_role)
    }
}

/// What became of a change set.
#[derive(Debug, Clone)]
pub enum ChangeSetOutcome {
    /// It can be executed.
    Ready(Changes),
    /// It would change nothing.
    Empty,
    /// CloudFormation refuses it.
    Refused {
        /// The service's reason.
        reason: String,
        /// What its validation found, where it looked.
        problems: Vec<ValidationProblem>,
    },
}

/// What a change set is asked for with.
#[derive(Debug, Clone)]
pub struct ChangeSetRequest<'a> {
    /// The stack's name, or its ARN once it exists.
    pub stack: &'a str,
    /// For a stack that does not exist yet or is an empty shell.
    pub create: bool,
    /// What the stack should be.
    pub template: TemplateSource,
    /// The stack's tags.
    pub tags: &'a BTreeMap<String, String>,
    /// The rest of what is set for the stack as a whole.
    pub settings: &'a StackSettings,
    /// A name that no other change set has; also marks the operation that executes it.
    pub token: &'a str,
}

/// What is set for a stack as a whole, by each change set anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackSettings {
    /// The ARN of the role with which CloudFormation makes the resources; without one it
    /// keeps the role it had, or takes the caller's credentials.
    pub service_role: Option<String>,
    /// The ARNs of the SNS topics that are told of every stack event.
    pub notification_topics: BTreeSet<String>,
}

/// Where the template is.
#[derive(Debug, Clone)]
pub enum TemplateSource {
    /// In the request: up to 51,200 bytes.
    Body(String),
    /// In S3.
    Url(String),
}

impl Stacks {
    /// Asks for a change set.
    ///
    /// # Errors
    /// When the service refuses the template outright or cannot be reached.
    pub async fn create_change_set(
        &self,
        request: ChangeSetRequest<'_>,
    ) -> Result<ChangeSet, ServiceError> {
        let ChangeSetRequest { stack, token, .. } = request;
        let call = self
            .client
            .create_change_set()
            .stack_name(stack)
            .change_set_name(token)
            .client_token(token)
            .change_set_type(if request.create {
                ChangeSetType::Create
            } else {
                ChangeSetType::Update
            })
            .capabilities(Capability::CapabilityNamedIam)
            .set_role_arn(request.settings.service_role.clone())
            .set_notification_arns(Some(
                request
                    .settings
                    .notification_topics
                    .iter()
                    .cloned()
                    .collect(),
            ))
            .set_tags(Some(
                request
                    .tags
                    .iter()
                    .map(|(key, value)| Tag::builder().key(key).value(value).build())
                    .collect(),
            ));
        let call = match request.template {
            TemplateSource::Body(body) => call.template_body(body),
            TemplateSource::Url(url) => call.template_url(url),
        };
        let answer = call.send().await.map_err(failed_to(format!(
            "make a change set for the stack {stack}"
        )));
        match answer {
            Ok(answer) => Ok(ChangeSet {
                id: answer.id().unwrap_or_default().to_owned(),
                stack_id: answer.stack_id().unwrap_or_default().to_owned(),
            }),
            // Nobody else takes this name: an attempt made it whose answer was lost or garbled.
            Err(error)
                if error.has_code("AlreadyExistsException")
                    || error.kind == ServiceErrorKind::Unreachable =>
            {
                let found = self.find_change_set(stack, token).await;
                found.ok().flatten().ok_or(error)
            }
            Err(refusal) => Err(refusal),
        }
    }

    async fn find_change_set(
        &self,
        stack: &str,
        name: &str,
    ) -> Result<Option<ChangeSet>, ServiceError> {
        let answer = self
            .client
            .describe_change_set()
            .stack_name(stack)
            .change_set_name(name)
            .send()
            .await
            .map_err(failed_to("read the change set"));
        match answer {
            Ok(answer) => Ok(Some(ChangeSet {
                id: answer.change_set_id().unwrap_or_default().to_owned(),
                stack_id: answer.stack_id().unwrap_or_default().to_owned(),
            })),
            Err(error) if error.has_code("ChangeSetNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits until a change set can be executed, or cannot. A poll that is lost is repeated.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn await_change_set(
        &self,
        change_set: &ChangeSet,
    ) -> Result<ChangeSetOutcome, ServiceError> {
        loop {
            match self.change_set_outcome(change_set).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) => {}
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.poll_interval).await;
        }
    }

    /// What became of a change set, or `None` while CloudFormation is at it.
    /// All pages of the description of a change set, at least one; with `values` each has
    /// what properties are before and after.
    pub(super) async fn describe_change_set(
        &self,
        change_set: &ChangeSet,
        values: bool,
    ) -> Result<Vec<DescribeChangeSetOutput>, ServiceError> {
        let mut pages: Vec<DescribeChangeSetOutput> = Vec::new();
        loop {
            let next_token = pages.last().and_then(|page| page.next_token.clone());
            let page = self
                .client
                .describe_change_set()
                .change_set_name(&change_set.id)
                .stack_name(&change_set.stack_id)
                .set_include_property_values(values.then_some(true))
                .set_next_token(next_token)
                .send()
                .await
                .map_err(failed_to("read the change set"))?;
            let is_last = page.next_token().is_none();
            pages.push(page);
            if is_last {
                return Ok(pages);
            }
        }
    }

    async fn change_set_outcome(
        &self,
        change_set: &ChangeSet,
    ) -> Result<Option<ChangeSetOutcome>, ServiceError> {
        let mut changes = Changes::default();
        let pages = self.describe_change_set(change_set, false).await?;
        for change in pages.iter().flat_map(|page| page.changes()) {
            match change.resource_change().and_then(|change| change.action()) {
                Some(ChangeAction::Add | ChangeAction::Import) => changes.add += 1,
                Some(ChangeAction::Remove) => changes.remove += 1,
                Some(_) => changes.modify += 1,
                None => {}
            }
        }
        let last = pages.last();
        let status = last.and_then(|page| page.status()).cloned();
        let reason = last.and_then(|page| page.status_reason());
        let reason = reason.unwrap_or_default().to_owned();
        Ok(match status {
            Some(ChangeSetStatus::CreateComplete) => Some(ChangeSetOutcome::Ready(changes)),
            Some(ChangeSetStatus::Failed) if EMPTY.iter().any(|words| reason.contains(words)) => {
                Some(ChangeSetOutcome::Empty)
            }
            Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) | None => None,
            Some(_) => Some(ChangeSetOutcome::Refused {
                reason,
                problems: self.problems_of_change_set(change_set).await,
            }),
        })
    }

    /// Executes a change set; [`Stacks::follow`] sees it through.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn execute(&self, change_set: &ChangeSet, token: &str) -> Result<(), ServiceError> {
        let answer = self
            .client
            .execute_change_set()
            .change_set_name(&change_set.id)
            .stack_name(&change_set.stack_id)
            .client_request_token(token)
            // The service's documentation contradicts itself about the default.
            .disable_rollback(false)
            .send()
            .await
            .map_err(failed_to("execute the change set"));
        match answer {
            Ok(_) => Ok(()),
            // The answer to an earlier attempt may have been lost.
            Err(refusal) => match self.was_executed(change_set, token).await {
                Ok(true) => Ok(()),
                _ => Err(refusal),
            },
        }
    }

    async fn was_executed(
        &self,
        change_set: &ChangeSet,
        token: &str,
    ) -> Result<bool, ServiceError> {
        let answer = self
            .client
            .describe_change_set()
            .change_set_name(&change_set.id)
            .stack_name(&change_set.stack_id)
            .send()
            .await
            .map_err(failed_to("read the change set"))?;
        Ok(is_executed(answer.execution_status())
            || self.has_begun(&change_set.stack_id, token).await?)
    }

    /// Deletes a change set that will not be executed, and the stack with it if that is
    /// nothing but the shell that change sets of type CREATE leave behind.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn discard(&self, change_set: &ChangeSet) -> Result<(), ServiceError> {
        self.delete_change_set(change_set).await?;
        self.delete_empty_shell(&change_set.stack_id).await
    }

    /// Deletes a stack that has neither resources nor change sets.
    async fn delete_empty_shell(&self, stack: &str) -> Result<(), ServiceError> {
        let is_shell = self
            .describe(stack)
            .await?
            .is_some_and(|stack| stack.status == StackStatus::ReviewInProgress);
        if is_shell && self.change_sets(stack).await?.is_empty() {
            let token = format!("{NAME_PREFIX}shell-{}", uuid::Uuid::new_v4().simple());
            self.delete(stack, &token, &[]).await?;
        }
        Ok(())
    }

    /// Deletes a change set that will not be executed.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn delete_change_set(&self, change_set: &ChangeSet) -> Result<(), ServiceError> {
        self.client
            .delete_change_set()
            .change_set_name(&change_set.id)
            .stack_name(&change_set.stack_id)
            .send()
            .await
            .map_err(failed_to("delete the change set"))?;
        Ok(())
    }

    /// Deletes the change sets that earlier runs of this program made and never executed.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn delete_stale_change_sets(&self, stack: &str) -> Result<usize, ServiceError> {
        let now = SystemTime::now();
        let mut deleted = 0;
        for summary in self.change_sets(stack).await? {
            if summary.is_stale(now) {
                self.delete_change_set(&summary.change_set).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    async fn change_sets(&self, stack: &str) -> Result<Vec<Summary>, ServiceError> {
        let mut summaries = Vec::new();
        let mut next_token = None;
        loop {
            let page = self
                .client
                .list_change_sets()
                .stack_name(stack)
                .set_next_token(next_token)
                .send()
                .await
                .map_err(failed_to(format!(
                    "list the change sets of the stack {stack}"
                )))?;
            summaries.extend(page.summaries().iter().filter_map(Summary::read));
            next_token = page.next_token().map(str::to_owned);
            if next_token.is_none() {
                return Ok(summaries);
            }
        }
    }
}

/// One change set of a list.
struct Summary {
    change_set: ChangeSet,
    name: String,
    made: Option<SystemTime>,
    executed: bool,
}

impl Summary {
    fn read(summary: &ChangeSetSummary) -> Option<Self> {
        Some(Self {
            change_set: ChangeSet {
                id: summary.change_set_id()?.to_owned(),
                stack_id: summary.stack_id()?.to_owned(),
            },
            name: summary.change_set_name()?.to_owned(),
            made: summary
                .creation_time()
                .and_then(|made| SystemTime::try_from(*made).ok()),
            executed: is_executed(summary.execution_status()),
        })
    }

    /// Whether a run of this program made it so long ago that it will not be executed.
    fn is_stale(&self, now: SystemTime) -> bool {
        self.name.starts_with(NAME_PREFIX)
            && !self.executed
            && self
                .made
                .and_then(|made| now.duration_since(made).ok())
                .is_some_and(|age| age >= STALE_AFTER)
    }
}

fn is_executed(status: Option<&ExecutionStatus>) -> bool {
    matches!(
        status,
        Some(
            ExecutionStatus::ExecuteInProgress
                | ExecutionStatus::ExecuteComplete
                | ExecutionStatus::ExecuteFailed
        )
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{ChangeSet, Summary};

    #[test]
    fn only_old_change_sets_of_our_own_that_nobody_executed_are_stale() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let stale = |name: &str, minutes: u64, executed: bool| {
            Summary {
                change_set: ChangeSet {
                    id: "arn".into(),
                    stack_id: "arn".into(),
                },
                name: name.into(),
                made: Some(now - Duration::from_secs(minutes * 60)),
                executed,
            }
            .is_stale(now)
        };
        assert!(stale("connect-scim-0a1b2c-42", 60, false));
        assert!(!stale("connect-scim-0a1b2c-42", 59, false), "may be in use");
        assert!(!stale("connect-scim-0a1b2c-42", 60, true), "was executed");
        assert!(!stale("somebody-elses", 600, false));
    }
}

//! Change sets: how a template reaches a stack.
//!
//! Every run makes its own change set under a name of its own, so that two pipelines
//! never fight over one, and deletes those that an earlier run of ours left behind an
//! hour ago or more (a younger one may belong to a run that is still going on).
//! Somebody else's are never touched.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetType, Tag,
};

use super::Stacks;
use crate::cloud::{ServiceError, failed_to};

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
    },
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
    /// Asks for a change set; `create` for a stack that does not exist yet or is an empty shell.
    ///
    /// # Errors
    /// When the service refuses the template outright or cannot be reached.
    pub async fn create_change_set(
        &self,
        stack: &str,
        create: bool,
        template: TemplateSource,
        tags: &BTreeMap<String, String>,
        token: &str,
    ) -> Result<ChangeSet, ServiceError> {
        let request = self
            .client
            .create_change_set()
            .stack_name(stack)
            .change_set_name(token)
            .client_token(token)
            .change_set_type(if create {
                ChangeSetType::Create
            } else {
                ChangeSetType::Update
            })
            .capabilities(Capability::CapabilityNamedIam)
            .set_tags(Some(
                tags.iter()
                    .map(|(key, value)| Tag::builder().key(key).value(value).build())
                    .collect(),
            ));
        let request = match template {
            TemplateSource::Body(body) => request.template_body(body),
            TemplateSource::Url(url) => request.template_url(url),
        };
        let answer = request.send().await.map_err(failed_to(format!(
            "make a change set for the stack {stack}"
        )))?;
        Ok(ChangeSet {
            id: answer.id().unwrap_or_default().to_owned(),
            stack_id: answer.stack_id().unwrap_or_default().to_owned(),
        })
    }

    /// Waits until a change set can be executed, or cannot.
    ///
    /// # Errors
    /// When the service refuses or stays out of reach.
    pub async fn await_change_set(
        &self,
        change_set: &ChangeSet,
    ) -> Result<ChangeSetOutcome, ServiceError> {
        loop {
            let mut changes = Changes::default();
            let mut next_token = None;
            let (status, reason) = loop {
                let page = self
                    .client
                    .describe_change_set()
                    .change_set_name(&change_set.id)
                    .stack_name(&change_set.stack_id)
                    .set_next_token(next_token)
                    .send()
                    .await
                    .map_err(failed_to("read the change set"))?;
                for change in page.changes() {
                    match change.resource_change().and_then(|change| change.action()) {
                        Some(ChangeAction::Add | ChangeAction::Import) => changes.add += 1,
                        Some(ChangeAction::Remove) => changes.remove += 1,
                        Some(_) => changes.modify += 1,
                        None => {}
                    }
                }
                next_token = page.next_token().map(str::to_owned);
                if next_token.is_none() {
                    break (
                        page.status().cloned(),
                        page.status_reason().unwrap_or_default().to_owned(),
                    );
                }
            };
            match status {
                Some(ChangeSetStatus::CreateComplete) => {
                    return Ok(ChangeSetOutcome::Ready(changes));
                }
                Some(ChangeSetStatus::Failed)
                    if EMPTY.iter().any(|words| reason.contains(words)) =>
                {
                    return Ok(ChangeSetOutcome::Empty);
                }
                Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) | None => {
                }
                Some(_) => return Ok(ChangeSetOutcome::Refused { reason }),
            }
            tokio::time::sleep(self.poll_interval).await;
        }
    }

    /// Executes a change set; [`Stacks::follow`] sees it through.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn execute(&self, change_set: &ChangeSet, token: &str) -> Result<(), ServiceError> {
        self.client
            .execute_change_set()
            .change_set_name(&change_set.id)
            .stack_name(&change_set.stack_id)
            .client_request_token(token)
            // The service's documentation contradicts itself about the default.
            .disable_rollback(false)
            .send()
            .await
            .map_err(failed_to("execute the change set"))?;
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
        let mut deleted = 0;
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
            for summary in page.summaries() {
                let ours = summary
                    .change_set_name()
                    .is_some_and(|name| name.starts_with(NAME_PREFIX));
                let stale = summary
                    .creation_time()
                    .and_then(|made| SystemTime::try_from(*made).ok())
                    .and_then(|made| made.elapsed().ok())
                    .is_some_and(|age| age >= STALE_AFTER);
                let (Some(id), Some(stack_id), true) =
                    (summary.change_set_id(), summary.stack_id(), ours && stale)
                else {
                    continue;
                };
                self.delete_change_set(&ChangeSet {
                    id: id.to_owned(),
                    stack_id: stack_id.to_owned(),
                })
                .await?;
                deleted += 1;
            }
            next_token = page.next_token().map(str::to_owned);
            if next_token.is_none() {
                return Ok(deleted);
            }
        }
    }
}

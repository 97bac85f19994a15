//! Following an operation to its end.
//!
//! The operation goes on in the cloud whether we look or not. So looking must never make
//! it fail: a throttled, lost or garbled poll is repeated until the end is known or the
//! credentials have expired. Whoever has no more time stops following from outside.

use std::collections::HashSet;

use aws_sdk_cloudformation::primitives::DateTimeFormat;

use super::{EventId, StackEvent, StackStatus, Stacks};
use crate::cloud::{ServiceError, failed_to};

/// How an operation ended.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The state that the stack came to rest in.
    pub status: StackStatus,
    /// Its events, in order of time.
    pub events: Vec<StackEvent>,
}

/// The newest thing that was tried with a stack: a deployment with its rollbacks, or a deletion.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    /// The last event before it; `None` where it is the stack's first.
    pub since: Option<EventId>,
    /// Its events so far, in order of time.
    pub events: Vec<StackEvent>,
}

impl Stacks {
    /// The newest event of a stack: everything after it belongs to the next operation.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn newest_event(&self, stack: &str) -> Result<Option<StackEvent>, ServiceError> {
        let (events, _) = self.event_page(stack, None).await?;
        Ok(events.into_iter().next())
    }

    /// The newest attempt at a stack, of which the events may still come.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn newest_attempt(&self, stack: &str) -> Result<Attempt, ServiceError> {
        let mut events = Vec::new();
        let mut next_token = None;
        let mut has_begun = false;
        loop {
            let (page, next) = self.event_page(stack, next_token).await?;
            for event in page {
                if has_begun {
                    events.reverse();
                    let since = Some(event.id);
                    return Ok(Attempt { since, events });
                }
                has_begun = event.begins_attempt();
                events.push(event);
            }
            next_token = next;
            if next_token.is_none() {
                events.reverse();
                return Ok(Attempt {
                    since: None,
                    events,
                });
            }
        }
    }

    /// Whether an operation that carries `token` has begun: tells what became of a call
    /// of which the answer was lost.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn has_begun(&self, stack: &str, token: &str) -> Result<bool, ServiceError> {
        let attempt = self.newest_attempt(stack).await?;
        Ok(attempt
            .events
            .iter()
            .any(|event| event.client_request_token.as_deref() == Some(token)))
    }

    /// Hands every event after `since` to `on_event`, in order of time, until the stack
    /// comes to rest.
    ///
    /// # Errors
    /// When the credentials expire or the service refuses. The operation goes on.
    pub async fn follow(
        &self,
        stack: &str,
        since: Option<&EventId>,
        mut on_event: impl FnMut(&StackEvent),
    ) -> Result<Followed, ServiceError> {
        let mut seen: HashSet<EventId> = since.cloned().into_iter().collect();
        let mut events = Vec::new();
        let mut may_have_ended = false;
        loop {
            match self.events_after(stack, &seen).await {
                Ok(fresh) => {
                    for event in fresh {
                        seen.insert(event.id.clone());
                        if event.is_stack {
                            may_have_ended = !StackStatus::parse(&event.status).is_in_progress();
                        }
                        on_event(&event);
                        events.push(event);
                    }
                    if may_have_ended && let Some(status) = self.resting_status(stack).await? {
                        return Ok(Followed { status, events });
                    }
                }
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.poll_interval).await;
        }
    }

    /// The stack's state if it has come to rest. The stack's own events say so too, but
    /// some of them (`CREATE_FAILED` before a rollback) are not the end.
    async fn resting_status(&self, stack: &str) -> Result<Option<StackStatus>, ServiceError> {
        match self.describe(stack).await {
            Ok(None) => Ok(Some(StackStatus::DeleteComplete)),
            Ok(Some(description)) if description.status.is_in_progress() => Ok(None),
            Ok(Some(description)) => Ok(Some(description.status)),
            Err(error) if error.is_transient() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The events that are not in `seen`, in order of time. Pages come newest first, so
    /// reading stops at the first one that was seen.
    async fn events_after(
        &self,
        stack: &str,
        seen: &HashSet<EventId>,
    ) -> Result<Vec<StackEvent>, ServiceError> {
        let mut fresh = Vec::new();
        let mut next_token = None;
        loop {
            let (page, next) = self.event_page(stack, next_token).await?;
            for event in page {
                if seen.contains(&event.id) {
                    fresh.reverse();
                    return Ok(fresh);
                }
                fresh.push(event);
            }
            next_token = next;
            if next_token.is_none() {
                fresh.reverse();
                return Ok(fresh);
            }
        }
    }

    async fn event_page(
        &self,
        stack: &str,
        next_token: Option<String>,
    ) -> Result<(Vec<StackEvent>, Option<String>), ServiceError> {
        let page = self
            .client
            .describe_stack_events()
            .stack_name(stack)
            .set_next_token(next_token)
            .send()
            .await
            .map_err(failed_to(format!("read the events of the stack {stack}")))?;
        let events = page.stack_events().iter().map(stack_event).collect();
        Ok((events, page.next_token().map(str::to_owned)))
    }
}

fn stack_event(event: &aws_sdk_cloudformation::types::StackEvent) -> StackEvent {
    StackEvent {
        id: event.event_id().unwrap_or_default().to_owned(),
        timestamp: event
            .timestamp()
            .and_then(|timestamp| timestamp.fmt(DateTimeFormat::DateTime).ok())
            .unwrap_or_default(),
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        resource_type: event.resource_type().unwrap_or_default().to_owned(),
        physical_id: event
            .physical_resource_id()
            .filter(|id| !id.is_empty())
            .map(str::to_owned),
        status: event
            .resource_status()
            .map(|status| status.as_str().to_owned())
            .unwrap_or_default(),
        reason: event
            .resource_status_reason()
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned),
        client_request_token: event.client_request_token().map(str::to_owned),
        is_stack: event.resource_type() == Some("AWS::CloudFormation::Stack")
            && event.physical_resource_id() == event.stack_id(),
    }
}

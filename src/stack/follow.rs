//! Following an operation to its end.
//!
//! The operation goes on in the cloud whether we look or not. So looking must never make
//! it fail: a throttled or lost poll is repeated until the end is known, the time is up,
//! or the credentials have expired.

use std::collections::HashSet;
use std::time::{Duration, Instant};

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

/// Why nobody knows yet how an operation ends.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The time was up.
    #[error("the operation on the stack is still going on after {} minutes", .0.as_secs() / 60)]
    StillRunning(Duration),
    /// The service will not tell any more.
    #[error(transparent)]
    Service(#[from] ServiceError),
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

    /// The last event before the operation that carries `token`; `None` where the
    /// operation is the stack's first.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn last_event_before(
        &self,
        stack: &str,
        token: &str,
    ) -> Result<Option<EventId>, ServiceError> {
        let mut next_token = None;
        loop {
            let (page, next) = self.event_page(stack, next_token).await?;
            let earlier = page
                .into_iter()
                .find(|event| event.client_request_token.as_deref() != Some(token));
            if let Some(event) = earlier {
                return Ok(Some(event.id));
            }
            next_token = next;
            if next_token.is_none() {
                return Ok(None);
            }
        }
    }

    /// Hands every event after `since` to `on_event`, in order of time, until the stack
    /// comes to rest.
    ///
    /// # Errors
    /// [`FollowError::StillRunning`] when `timeout` has passed; [`FollowError::Service`]
    /// when the credentials expire or the service refuses. The operation goes on.
    pub async fn follow(
        &self,
        stack: &str,
        since: Option<&EventId>,
        timeout: Duration,
        mut on_event: impl FnMut(&StackEvent),
    ) -> Result<Followed, FollowError> {
        let started = Instant::now();
        let mut seen: HashSet<EventId> = since.cloned().into_iter().collect();
        let mut events = Vec::new();
        loop {
            match self.events_after(stack, &seen).await {
                Ok(fresh) => {
                    let mut may_have_ended = false;
                    for event in fresh {
                        seen.insert(event.id.clone());
                        may_have_ended |=
                            event.is_stack && !StackStatus::parse(&event.status).is_in_progress();
                        on_event(&event);
                        events.push(event);
                    }
                    if may_have_ended && let Some(status) = self.resting_status(stack).await? {
                        return Ok(Followed { status, events });
                    }
                }
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error.into()),
            }
            if started.elapsed() >= timeout {
                return Err(FollowError::StillRunning(timeout));
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

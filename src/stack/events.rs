//! What happened to a stack, event by event, and which event was the first real cause of
//! a failure.

use serde::Serialize;

/// The id of one stack event.
pub type EventId = String;

/// One line of a stack's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StackEvent {
    /// The event's id.
    #[serde(skip)]
    pub id: EventId,
    /// When it happened: RFC 3339, UTC.
    pub timestamp: String,
    /// The resource's name in the template; the stack's own name for the stack itself.
    pub logical_id: String,
    /// `AWS::…::…`.
    pub resource_type: String,
    /// The resource's name in the cloud, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// `CREATE_IN_PROGRESS`, `UPDATE_COMPLETE`, …
    pub status: String,
    /// Why, where the service says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The token of the operation that the event belongs to.
    #[serde(skip)]
    pub client_request_token: Option<String>,
    /// Whether the event is about the stack itself.
    #[serde(skip)]
    pub is_stack: bool,
}

impl StackEvent {
    /// Whether something went wrong.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.status.ends_with("_FAILED")
    }

    /// Whether a resource has reached the end of what was being done to it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.status.ends_with("_COMPLETE")
    }
}

/// What CloudFormation writes for resources that it gave up because another one had failed.
const CANCELLED: [&str; 3] = [
    "Resource creation cancelled",
    "Resource update cancelled",
    "Resource deletion cancelled",
];

/// The first failure that is not merely the echo of another one, of events in order of time.
#[must_use]
pub fn first_cause(events: &[StackEvent]) -> Option<&StackEvent> {
    let failures = || events.iter().filter(|event| event.is_failure());
    failures()
        .filter(|event| !event.is_stack)
        .find(|event| !is_cancellation(event))
        .or_else(|| failures().find(|event| !event.is_stack))
        .or_else(|| failures().next())
}

fn is_cancellation(event: &StackEvent) -> bool {
    event
        .reason
        .as_deref()
        .is_some_and(|reason| CANCELLED.iter().any(|noise| reason.starts_with(noise)))
}

#[cfg(test)]
mod tests {
    use super::{StackEvent, first_cause};

    fn event(logical_id: &str, status: &str, reason: Option<&str>) -> StackEvent {
        StackEvent {
            id: format!("{logical_id}-{status}"),
            timestamp: "2026-01-01T00:00:00Z".into(),
            logical_id: logical_id.into(),
            resource_type: "AWS::IAM::Role".into(),
            physical_id: None,
            status: status.into(),
            reason: reason.map(str::to_owned),
            client_request_token: None,
            is_stack: logical_id == "stack",
        }
    }

    #[test]
    fn the_cause_is_the_first_failure_that_is_no_cancellation() {
        let events = [
            event("Role", "CREATE_IN_PROGRESS", None),
            event(
                "Queue",
                "CREATE_FAILED",
                Some("Resource creation cancelled"),
            ),
            event("Role", "CREATE_FAILED", Some("the policy is malformed")),
            event("Table", "CREATE_FAILED", Some("a later failure")),
            event(
                "stack",
                "ROLLBACK_FAILED",
                Some("The following resource(s) failed"),
            ),
        ];
        assert_eq!(
            first_cause(&events).map(|cause| cause.logical_id.as_str()),
            Some("Role")
        );
    }

    #[test]
    fn a_history_of_cancellations_still_names_one() {
        let events = [event(
            "Queue",
            "CREATE_FAILED",
            Some("Resource creation cancelled"),
        )];
        assert_eq!(
            first_cause(&events).map(|cause| cause.logical_id.as_str()),
            Some("Queue")
        );
        assert_eq!(first_cause(&[]), None);
    }
}

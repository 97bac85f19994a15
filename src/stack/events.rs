//! What happened to a stack, event by event, and which event was the first real cause of
//! a failure.

use std::collections::BTreeMap;

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

    /// Whether CloudFormation merely gave the resource up because another one had failed.
    #[must_use]
    pub fn is_cancellation(&self) -> bool {
        self.is_failure()
            && self
                .reason
                .as_deref()
                .is_some_and(|reason| CANCELLED.iter().any(|noise| reason.starts_with(noise)))
    }

    /// Whether a function of the stack's own makes the resource.
    #[must_use]
    pub fn is_custom_resource(&self) -> bool {
        self.resource_type.starts_with("Custom::")
            || self.resource_type == "AWS::CloudFormation::CustomResource"
    }

    /// Whether something new is being tried with the stack; a rollback belongs to what
    /// was tried before it.
    #[must_use]
    pub fn begins_attempt(&self) -> bool {
        self.is_stack
            && matches!(
                self.status.as_str(),
                "CREATE_IN_PROGRESS"
                    | "UPDATE_IN_PROGRESS"
                    | "DELETE_IN_PROGRESS"
                    | "IMPORT_IN_PROGRESS"
            )
    }

    /// Whether the stack begins to be undone: by a rollback or a deletion.
    fn begins_undoing(&self) -> bool {
        self.is_stack
            && (self.status.ends_with("ROLLBACK_IN_PROGRESS")
                || self.status == "DELETE_IN_PROGRESS")
    }

    /// `type name STATUS: reason`, on one line.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "{} {} {}: {}",
            self.resource_type,
            self.logical_id,
            self.status,
            self.reason
                .as_deref()
                .unwrap_or("the service gave no reason")
        )
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
        .find(|event| !event.is_cancellation())
        .or_else(|| failures().find(|event| !event.is_stack))
        .or_else(|| failures().next())
}

/// What a rollback or a deletion could not undo: of each resource its last failure since
/// the undoing began last, of events in order of time.
///
/// Of an update's rollback these are the only resources that `ContinueUpdateRollback` can
/// skip: a resource whose own update was refused, or that was cancelled, is not among them.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html>
#[must_use]
pub fn not_undone(events: &[StackEvent]) -> Vec<&StackEvent> {
    let Some(begin) = events.iter().rposition(StackEvent::begins_undoing) else {
        return Vec::new();
    };
    let mut last: BTreeMap<&str, &StackEvent> = BTreeMap::new();
    for event in events[begin..].iter().filter(|event| !event.is_stack) {
        last.insert(&event.logical_id, event);
    }
    last.into_values()
        .filter(|event| event.is_failure() && !event.is_cancellation())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{StackEvent, first_cause, not_undone};

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

    #[test]
    fn only_what_failed_in_the_rollback_itself_is_not_undone() {
        let mut events = vec![
            event("stack", "UPDATE_IN_PROGRESS", None),
            event("Role", "UPDATE_FAILED", Some("the policy is malformed")),
            event("Queue", "UPDATE_FAILED", Some("Resource update cancelled")),
            event("stack", "UPDATE_ROLLBACK_IN_PROGRESS", None),
            event("Table", "UPDATE_FAILED", Some("it was deleted by hand")),
            event("Queue", "UPDATE_FAILED", Some("throttled")),
            event("Queue", "UPDATE_COMPLETE", None),
            event("Stage", "UPDATE_FAILED", Some("Resource update cancelled")),
            event("stack", "UPDATE_ROLLBACK_FAILED", None),
        ];
        let names = |events: &[StackEvent]| -> Vec<String> {
            let failed = not_undone(events).into_iter();
            failed.map(|event| event.logical_id.clone()).collect()
        };
        assert_eq!(names(&events), ["Table"]);

        // A rollback that was continued counts alone.
        events.push(event("stack", "UPDATE_ROLLBACK_IN_PROGRESS", None));
        events.push(event("Table", "UPDATE_COMPLETE", None));
        assert_eq!(names(&events), Vec::<String>::new());
        assert_eq!(names(&events[..3]), Vec::<String>::new());
    }

    #[test]
    fn a_rollback_belongs_to_the_attempt_before_it() {
        for (status, begins) in [
            ("CREATE_IN_PROGRESS", true),
            ("UPDATE_IN_PROGRESS", true),
            ("DELETE_IN_PROGRESS", true),
            ("ROLLBACK_IN_PROGRESS", false),
            ("UPDATE_ROLLBACK_IN_PROGRESS", false),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", false),
            ("REVIEW_IN_PROGRESS", false),
        ] {
            assert_eq!(
                event("stack", status, None).begins_attempt(),
                begins,
                "{status}"
            );
            assert!(!event("Role", status, None).begins_attempt());
        }
    }
}

//! What the detectors of plain resources share: those that are compared property by property.

use std::fmt::Display;

use serde_json::Value;

use super::deployed::Resource;
use super::finding::{Detector, Finding, Severity};
use super::properties::compare;

/// How resources of one kind are judged.
pub(super) struct Check {
    pub(super) detector: Detector,
    /// What one is called.
    pub(super) noun: &'static str,
    /// How bad it is if one is gone.
    pub(super) if_deleted: Severity,
    /// How bad it is if a property was changed.
    pub(super) severity: fn(property: &str) -> Severity,
    /// How to make one again.
    pub(super) remake: &'static str,
    /// How to set a property back, given the physical id.
    pub(super) set_back: fn(physical_id: &str) -> String,
}

impl Check {
    /// What is to be said of a resource, given its live properties in the form of the
    /// template's; `None` where it is gone.
    pub(super) fn outcome(
        &self,
        resource: &Resource,
        live: Result<Option<Value>, impl Display>,
    ) -> Vec<Finding> {
        let (id, physical_id) = (&resource.logical_id, &resource.physical_id);
        match live {
            Ok(Some(live)) => compare(
                self.detector,
                id,
                &resource.properties,
                &live,
                self.severity,
                &(self.set_back)(physical_id),
            ),
            Ok(None) => vec![
                Finding::drift(
                    self.detector,
                    self.if_deleted,
                    "deleted",
                    id,
                    format!("the {} {physical_id} was deleted", self.noun),
                )
                .expected(physical_id)
                .actual("(none)")
                .cure(self.remake),
            ],
            Err(error) => vec![Finding::not_checked(self.detector, "unreadable", id, error)],
        }
    }
}

/// A resource whose template says nothing of a property that has a default.
pub(super) fn with_defaults(mut resource: Resource, defaults: &Value) -> Resource {
    for (property, default) in defaults.as_object().into_iter().flatten() {
        if resource.properties[property].is_null() {
            resource.properties[property] = default.clone();
        }
    }
    resource
}

/// The answer to a question about something that may be gone.
///
/// # Errors
/// Every other failure.
pub(super) fn unless_gone<T>(
    answer: Result<T, aws_json_client::Error>,
    codes: &[&str],
) -> Result<Option<T>, aws_json_client::Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code().is_some_and(|code| codes.contains(&code)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A resource as it was deployed.
    pub(in crate::drift) fn deployed(properties: Value) -> Resource {
        Resource {
            logical_id: "R".to_owned(),
            physical_id: "r-1".to_owned(),
            properties,
        }
    }

    /// The ids of what is found of a resource in a state.
    pub(in crate::drift) fn ids(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.id.as_str()).collect()
    }

    const CHECK: Check = Check {
        detector: Detector::Queue,
        noun: "queue",
        if_deleted: Severity::High,
        severity: |_| Severity::Low,
        remake: "make it",
        set_back: |id| format!("set {id}"),
    };

    #[test]
    fn a_resource_is_as_it_was_changed_gone_or_unreadable() {
        let resource = with_defaults(deployed(json!({"A": 1})), &json!({"A": 0, "B": 2}));
        let outcome = |live: Result<Option<Value>, &str>| CHECK.outcome(&resource, live);
        assert!(outcome(Ok(Some(json!({"A": 1, "B": 2})))).is_empty());
        let changed = outcome(Ok(Some(json!({"A": 1, "B": 3}))));
        assert_eq!(ids(&changed), ["queue.B:R"]);
        assert_eq!(changed[0].cure, "set r-1");
        assert_eq!(ids(&outcome(Ok(None))), ["queue.deleted:R"]);
        assert_eq!(ids(&outcome(Err("denied"))), ["queue.unreadable:R"]);
    }
}

//! The service's own view of the changes, from a change set.
//!
//! CloudFormation knows what the templates do not tell: what a function resolves to, which
//! resources follow from others, whether a conditional replacement happens. So where it
//! gives a value or an opinion, that wins over ours.

use serde_json::Value;

use super::{Action, Plan, PropertyChange, Replacement, ResourceChange, StackAction, notice};

/// One resource as a change set has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceChange {
    /// Its name in the template.
    pub logical_id: String,
    /// `AWS::…::…`
    pub resource_type: String,
    /// What becomes of it.
    pub action: Action,
    /// Whether it is replaced.
    pub replacement: Replacement,
    /// Its properties, where the service lists them.
    pub properties: Vec<ServiceProperty>,
}

/// One property as a change set has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceProperty {
    /// Where: a JSON pointer from the resource. To the topmost property only, where the
    /// service is no more exact.
    pub pointer: String,
    /// The value that is there, if the service gives it.
    pub before: Option<String>,
    /// The value that will be there, if the service gives it.
    pub after: Option<String>,
    /// What the change does to the resource.
    pub replacement: Replacement,
    /// What the change follows from: `Table.StreamArn`.
    pub cause: Option<String>,
}

/// What a change set has in place of a value that exists after the deployment only.
///
/// AWS CloudFormation API Reference, `ResourceTargetDefinition`.
const KNOWN_AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// Values that a change set must not spread: a client's API key, which a template names by
/// an expression only.
const HIDDEN: [(&str, &str); 1] = [("AWS::ApiGateway::ApiKey", "/Properties/Value")];

impl Plan {
    /// Lets the service's view of the changes win over what was computed from the templates
    /// `before` and `after` (in canonical form).
    #[must_use]
    pub fn with_service_view(
        mut self,
        changes: Vec<ServiceChange>,
        before: &Value,
        after: &Value,
    ) -> Self {
        self.from_change_set = true;
        for change in changes {
            let known = self
                .resources
                .iter_mut()
                .find(|known| known.logical_id == change.logical_id);
            match known {
                Some(known) => merge(known, change),
                None => self.resources.push(resource(change)),
            }
        }
        self.resources
            .sort_by(|one, other| one.logical_id.cmp(&other.logical_id));
        if self.action == StackAction::Nothing && !self.resources.is_empty() {
            self.action = StackAction::Update;
        }
        self.notices = notice::notices(&self, before, after);
        self
    }
}

impl Plan {
    /// What this plan, which has the service's view in it, takes away that `reviewed` does
    /// not show: resources that are replaced in place of being changed, or removed in place
    /// of staying. Empty where there is nothing of the kind.
    #[must_use]
    pub fn losses_beyond(&self, reviewed: &Self) -> Self {
        let shown = |resource: &ResourceChange| {
            reviewed.resources.iter().any(|known| {
                known.logical_id == resource.logical_id
                    && known.action == resource.action
                    && (resource.action != Action::Modify || known.replacement != Replacement::None)
            })
        };
        let takes_away = |resource: &ResourceChange| match resource.action {
            Action::Add => false,
            Action::Modify => resource.replacement != Replacement::None,
            Action::Remove => true,
        };
        let mut losses = self.clone();
        losses
            .resources
            .retain(|resource| takes_away(resource) && !shown(resource));
        losses.notices.retain(|notice| {
            losses
                .resources
                .iter()
                .any(|resource| resource.logical_id == notice.subject)
        });
        losses.code.clear();
        losses.api.clear();
        losses.permissions.clear();
        losses.stack.clear();
        if losses.resources.is_empty() {
            losses.action = StackAction::Nothing;
        }
        losses
    }
}

fn merge(known: &mut ResourceChange, change: ServiceChange) {
    known.action = change.action;
    if change.action != Action::Modify {
        return;
    }
    known.replacement = decided(known.replacement, change.replacement);
    for property in change.properties {
        let hidden = HIDDEN.contains(&(known.resource_type.as_str(), property.pointer.as_str()));
        let exact = known
            .properties
            .iter()
            .position(|known| known.pointer == property.pointer);
        if let Some(exact) = exact.and_then(|position| known.properties.get_mut(position)) {
            exact.replacement = decided(exact.replacement, property.replacement);
            if !hidden && let Some(before) = property.before {
                exact.before = Some(value(&before));
            }
            if !hidden && let Some(after) = property.after {
                exact.after = Some(value(&after));
            }
        } else if !is_known_in_parts(known, &property.pointer) {
            known.properties.push(self::property(property, hidden));
        }
    }
}

/// The service's opinion where it has one. "Conditionally" is none: then the schema of the
/// resource type, from which ours is, knows better.
fn decided(ours: Replacement, service: Replacement) -> Replacement {
    match service {
        Replacement::Possible => ours,
        certain => certain,
    }
}

/// Whether the pointer is to a topmost property of which it is known what changes in it.
fn is_known_in_parts(known: &ResourceChange, pointer: &str) -> bool {
    known.properties.iter().any(|property| {
        property
            .pointer
            .strip_prefix(pointer)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}

fn resource(change: ServiceChange) -> ResourceChange {
    let hidden = |pointer: &str| HIDDEN.contains(&(change.resource_type.as_str(), pointer));
    let properties = change
        .properties
        .into_iter()
        .map(|property| {
            let hidden = hidden(&property.pointer);
            self::property(property, hidden)
        })
        .collect();
    ResourceChange {
        properties,
        logical_id: change.logical_id,
        resource_type: change.resource_type,
        action: change.action,
        replacement: change.replacement,
    }
}

fn property(property: ServiceProperty, hidden: bool) -> PropertyChange {
    let value = |text: Option<String>| text.filter(|_| !hidden).map(|text| value(&text));
    let (before, mut after) = (value(property.before), value(property.after));
    if before.is_none() && after.is_none() && property.cause.is_none() {
        after = Some(Value::from(
            "(another value, which the service does not tell)",
        ));
    }
    PropertyChange {
        before,
        after,
        name: property
            .pointer
            .trim_start_matches("/Properties/")
            .trim_start_matches('/')
            .replace('/', "."),
        pointer: property.pointer,
        replacement: property.replacement,
        cause: property.cause,
    }
}

/// The service gives every value as text, lists and objects as JSON.
fn value(text: &str) -> Value {
    if text == KNOWN_AFTER_APPLY {
        return Value::from("(known after the deployment)");
    }
    match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::plan::{Stack, Subject};

    fn plan(before: &Value, after: &Value, changes: Vec<ServiceChange>) -> Plan {
        let stack = |template: &Value| Stack::new(template.clone(), &BTreeMap::new(), false);
        let subject = Subject {
            environment: "prod".into(),
            stack_name: "scim".into(),
            account: "111122223333".into(),
            region: "eu-central-1".into(),
        };
        Plan::new(subject, Some(&stack(before)), &stack(after))
            .with_service_view(changes, before, after)
    }

    fn queue(timeout: Value) -> Value {
        json!({"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": timeout}}}})
    }

    fn change(properties: Vec<ServiceProperty>) -> ServiceChange {
        ServiceChange {
            logical_id: "Queue".into(),
            resource_type: "AWS::SQS::Queue".into(),
            action: Action::Modify,
            replacement: Replacement::None,
            properties,
        }
    }

    fn property(pointer: &str, before: Option<&str>, after: Option<&str>) -> ServiceProperty {
        ServiceProperty {
            pointer: pointer.into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            replacement: Replacement::None,
            cause: None,
        }
    }

    #[test]
    fn values_that_the_service_gives_win() {
        let plan = plan(
            &queue(json!(30)),
            &queue(json!({"Ref": "Timeout"})),
            vec![change(vec![property(
                "/Properties/VisibilityTimeout",
                Some("31"),
                Some(KNOWN_AFTER_APPLY),
            )])],
        );
        let [resource] = plan.resources.as_slice() else {
            panic!("{plan:?}")
        };
        let [property] = resource.properties.as_slice() else {
            panic!("{plan:?}")
        };
        assert_eq!(property.before, Some(json!(31)));
        assert_eq!(property.after, Some(json!("(known after the deployment)")));
        assert!(plan.from_change_set);
    }

    #[test]
    fn a_replacement_that_only_the_service_sees_has_to_be_approved() {
        let mut change = change(Vec::new());
        change.replacement = Replacement::Certain;
        let plan = plan(&queue(json!(30)), &queue(json!(31)), vec![change]);
        assert!(plan.approvals().contains(&crate::plan::Approval::Replace));
        assert_eq!(plan.notices[0].severity, crate::plan::Severity::Loss);
    }

    #[test]
    fn what_the_service_takes_away_beyond_the_templates_is_told_apart() {
        let (before, after) = (queue(json!(30)), queue(json!(31)));
        let reviewed = plan(&before, &after, Vec::new());
        let same = plan(&before, &after, vec![change(Vec::new())]);
        assert!(same.losses_beyond(&reviewed).is_empty());

        let mut replaced = change(Vec::new());
        replaced.replacement = Replacement::Certain;
        let replacing = plan(&before, &after, vec![replaced]);
        let losses = replacing.losses_beyond(&reviewed);
        assert_eq!(losses.resources.len(), 1);
        assert_eq!(losses.notices.len(), 1);
        assert!(losses.approvals().contains(&crate::plan::Approval::Replace));
        assert!(
            replacing.losses_beyond(&replacing).is_empty(),
            "it was seen"
        );

        let mut removed = change(Vec::new());
        removed.action = Action::Remove;
        let removing = plan(&before, &after, vec![removed]);
        let losses = removing.losses_beyond(&reviewed);
        assert_eq!(losses.counts().remove, 1);
        assert!(losses.approvals().contains(&crate::plan::Approval::Replace));
    }

    #[test]
    fn a_service_that_does_not_decide_leaves_it_to_the_schema() {
        let mut change = change(Vec::new());
        change.replacement = Replacement::Possible;
        let plan = plan(&queue(json!(30)), &queue(json!(31)), vec![change]);
        assert_eq!(plan.resources[0].replacement, Replacement::None);
    }

    #[test]
    fn a_resource_that_only_the_service_sees_is_added() {
        let same = queue(json!(30));
        let plan = plan(
            &same,
            &same,
            vec![change(vec![property("/Tags", None, None)])],
        );
        assert_eq!(plan.action, StackAction::Update);
        assert_eq!(plan.resources[0].properties[0].name, "Tags");
    }

    #[test]
    fn the_topmost_property_adds_nothing_to_what_is_known_of_its_parts() {
        let stage = |rate: i32| json!({"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {"maxReceiveCount": rate}}}}});
        let plan = plan(
            &stage(1),
            &stage(2),
            vec![change(vec![property(
                "/Properties/RedrivePolicy",
                None,
                None,
            )])],
        );
        assert_eq!(plan.resources[0].properties.len(), 1);
        assert_eq!(
            plan.resources[0].properties[0].name,
            "RedrivePolicy.maxReceiveCount"
        );
    }

    #[test]
    fn an_api_key_is_not_spread() {
        let key = |name: &str| json!({"Resources": {"Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Value": {"Fn::Sub": name}}}}});
        let change = ServiceChange {
            logical_id: "Key".into(),
            resource_type: "AWS::ApiGateway::ApiKey".into(),
            action: Action::Modify,
            replacement: Replacement::Certain,
            properties: vec![property(
                "/Properties/Value",
                Some("canary"),
                Some("canary"),
            )],
        };
        let plan = plan(&key("a"), &key("b"), vec![change]);
        assert!(!format!("{plan:?}").contains("canary"));
    }
}

//! Which resources are made, changed and removed.
//!
//! A resource that is replaced gets another physical id, so every property that refers to
//! it changes too, and where that property cannot be changed in place, its resource is
//! replaced in turn: a renamed function replaces its permissions. So the search goes on
//! until nothing new is found.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::create_only;
use super::difference::{Difference, Place, differences};
use super::expression::references;

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is removed.
    Remove,
    /// It is changed, in place or by replacement.
    Modify,
    /// It is made.
    Add,
}

/// Whether a change makes a new resource in place of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Replacement {
    /// It is changed in place.
    None,
    /// The service decides while it deploys, or nobody here knows the resource type.
    Possible,
    /// A new one is made, then the old one is deleted.
    Certain,
}

/// One changed property.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyChange {
    /// Where: a JSON pointer, from the resource (`/Properties/Timeout`, `/DeletionPolicy`)
    /// or from the stack.
    pub pointer: String,
    /// Where, for people: `MethodSettings[/*].ThrottlingRateLimit`.
    pub name: String,
    /// The value that is there.
    pub before: Option<Value>,
    /// The value that will be there.
    pub after: Option<Value>,
    /// What the change does to the resource.
    pub replacement: Replacement,
    /// The resource whose replacement changes the value, where the text stays the same.
    pub cause: Option<String>,
}

impl PropertyChange {
    pub(super) fn in_place(difference: Difference) -> Self {
        Self {
            pointer: difference.pointer,
            name: difference.name,
            before: difference.before,
            after: difference.after,
            replacement: Replacement::None,
            cause: None,
        }
    }
}

/// One resource that is made, changed or removed.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceChange {
    /// Its name in the template.
    pub logical_id: String,
    /// `AWS::…::…`; the new one, should it change.
    pub resource_type: String,
    /// What becomes of it.
    pub action: Action,
    /// Whether it is replaced; only of one that is changed.
    pub replacement: Replacement,
    /// Its changed properties. Of one that is made or removed, all of the topmost.
    pub properties: Vec<PropertyChange>,
}

/// The changes between two templates, by logical id.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<ResourceChange> {
    let old: BTreeMap<&str, &Value> = super::resources(before).collect();
    let new: BTreeMap<&str, &Value> = super::resources(after).collect();
    let mut changes: BTreeMap<&str, ResourceChange> = BTreeMap::new();
    for (id, resource) in &old {
        let change = match new.get(id) {
            Some(other) if resource == other => continue,
            Some(other) => modified(id, resource, other),
            None => whole(id, resource, Action::Remove),
        };
        changes.insert(id, change);
    }
    for (id, resource) in &new {
        if !old.contains_key(id) {
            changes.insert(id, whole(id, resource, Action::Add));
        }
    }
    let common: BTreeMap<&str, &Value> = new
        .into_iter()
        .filter(|(id, _)| old.contains_key(id))
        .collect();
    cascade(&common, &mut changes);
    changes.into_values().collect()
}

fn resource_type(resource: &Value) -> &str {
    resource["Type"].as_str().unwrap_or_default()
}

fn whole(id: &str, resource: &Value, action: Action) -> ResourceChange {
    let none = Map::new();
    let properties = resource["Properties"].as_object().unwrap_or(&none);
    let value = Value::Object(properties.clone());
    let none = Value::Object(none);
    let (before, after) = match action {
        Action::Remove => (&value, &none),
        Action::Add | Action::Modify => (&none, &value),
    };
    ResourceChange {
        logical_id: id.to_owned(),
        resource_type: resource_type(resource).to_owned(),
        action,
        replacement: Replacement::None,
        properties: differences(Some(before), Some(after), &Place::root("/Properties"))
            .into_iter()
            .map(PropertyChange::in_place)
            .collect(),
    }
}

fn modified(id: &str, before: &Value, after: &Value) -> ResourceChange {
    let same_type = before["Type"] == after["Type"];
    let resource_type = resource_type(after);
    let attributes = |resource: &Value| {
        let mut attributes = resource.clone();
        if let Some(attributes) = attributes.as_object_mut() {
            attributes.remove("Properties");
        }
        attributes
    };
    let properties: Vec<PropertyChange> = differences(
        before.get("Properties"),
        after.get("Properties"),
        &Place::root("/Properties"),
    )
    .into_iter()
    .map(|difference| PropertyChange {
        replacement: create_only::replacement(resource_type, top_property(&difference.pointer)),
        ..PropertyChange::in_place(difference)
    })
    .chain(
        differences(
            Some(&attributes(before)),
            Some(&attributes(after)),
            &Place::root(""),
        )
        .into_iter()
        .map(|difference| PropertyChange {
            replacement: if difference.pointer == "/Type" {
                Replacement::Certain
            } else {
                Replacement::None
            },
            ..PropertyChange::in_place(difference)
        }),
    )
    .collect();
    let replacement = if same_type {
        worst(&properties)
    } else {
        Replacement::Certain
    };
    ResourceChange {
        logical_id: id.to_owned(),
        resource_type: resource_type.to_owned(),
        action: Action::Modify,
        replacement,
        properties,
    }
}

fn worst(properties: &[PropertyChange]) -> Replacement {
    properties
        .iter()
        .map(|property| property.replacement)
        .max()
        .unwrap_or(Replacement::None)
}

/// `MethodSettings` of `/Properties/MethodSettings/0/HttpMethod`.
fn top_property(pointer: &str) -> &str {
    pointer.split('/').nth(2).unwrap_or_default()
}

/// Adds what changes because a resource that it refers to is replaced.
fn cascade<'a>(
    resources: &BTreeMap<&'a str, &Value>,
    changes: &mut BTreeMap<&'a str, ResourceChange>,
) {
    loop {
        let replaced: BTreeMap<String, Replacement> = changes
            .values()
            .filter(|change| change.replacement != Replacement::None)
            .map(|change| (change.logical_id.clone(), change.replacement))
            .collect();
        let mut found_any = false;
        for (id, resource) in resources {
            for (property, value) in resource["Properties"].as_object().into_iter().flatten() {
                let pointer = format!("/Properties/{property}");
                let mut cause: Option<(String, Replacement)> = None;
                references(value, &mut |name| {
                    if let Some(replacement) = replaced.get(name)
                        && cause.as_ref().is_none_or(|(_, known)| known < replacement)
                    {
                        cause = Some((name.to_owned(), *replacement));
                    }
                });
                let Some((cause, certainty)) = cause else {
                    continue;
                };
                let change = changes.entry(id).or_insert_with(|| ResourceChange {
                    logical_id: (*id).to_owned(),
                    resource_type: resource_type(resource).to_owned(),
                    action: Action::Modify,
                    replacement: Replacement::None,
                    properties: Vec::new(),
                });
                let replacement =
                    create_only::replacement(resource_type(resource), property).min(certainty);
                let known = change
                    .properties
                    .iter_mut()
                    .find(|known| known.cause.is_some() && known.pointer == pointer);
                match known {
                    Some(known) if known.replacement >= replacement => continue,
                    Some(known) => known.replacement = replacement,
                    None => change.properties.push(PropertyChange {
                        pointer,
                        name: property.clone(),
                        before: Some(value.clone()),
                        after: Some(value.clone()),
                        replacement,
                        cause: Some(cause),
                    }),
                }
                change.replacement = worst(&change.properties).max(change.replacement);
                found_any = true;
            }
        }
        if !found_any {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        changes(&json!({"Resources": before}), &json!({"Resources": after}))
            .iter()
            .map(|change| {
                let properties: Vec<_> = change
                    .properties
                    .iter()
                    .map(|property| {
                        format!(
                            "{}{}",
                            property.name,
                            property
                                .cause
                                .as_ref()
                                .map(|cause| format!(" by {cause}"))
                                .unwrap_or_default()
                        )
                    })
                    .collect();
                format!(
                    "{:?} {} {:?}: {}",
                    change.action,
                    change.logical_id,
                    change.replacement,
                    properties.join(", ")
                )
            })
            .collect()
    }

    #[test]
    fn resources_are_made_changed_and_removed() {
        let before = json!({
            "Same": {"Type": "AWS::SQS::Queue"},
            "Gone": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": true}},
            "Changed": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 1}},
        });
        let after = json!({
            "Same": {"Type": "AWS::SQS::Queue"},
            "New": {"Type": "AWS::SQS::Queue"},
            "Changed": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": {"VisibilityTimeout": 2}},
        });
        assert_eq!(
            lines(&before, &after),
            [
                "Modify Changed None: VisibilityTimeout, DeletionPolicy",
                "Remove Gone None: FifoQueue",
                "Add New None: ",
            ]
        );
    }

    #[test]
    fn a_replacement_runs_through_everything_that_refers_to_it() {
        let template = |name: &str| {
            json!({
                "Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": name}},
                "Permission": {"Type": "AWS::Lambda::Permission", "Properties": {
                    "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
                }},
                "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
                    "PolicyDocument": {"Statement": [{"Resource": {"Fn::Sub": "${Function.Arn}:*"}}]},
                }},
                "Queue": {"Type": "AWS::SQS::Queue"},
            })
        };
        assert_eq!(
            lines(&template("one"), &template("two")),
            [
                "Modify Function Certain: FunctionName",
                "Modify Permission Certain: FunctionName by Function",
                "Modify Policy None: PolicyDocument by Function",
            ]
        );
    }

    #[test]
    fn what_may_be_replaced_makes_others_only_possibly_replaced() {
        let template = |key: &str| {
            json!({
                "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": [{"AttributeName": key, "KeyType": "HASH"}]}},
                "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                    "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
                }},
            })
        };
        assert_eq!(
            lines(&template("a"), &template("b")),
            [
                "Modify Mapping Possible: EventSourceArn by Table",
                "Modify Table Possible: KeySchema[a], KeySchema[b]",
            ]
        );
    }

    #[test]
    fn another_type_is_another_resource() {
        let before = json!({"X": {"Type": "AWS::SQS::Queue"}});
        let after = json!({"X": {"Type": "AWS::SNS::Topic"}});
        assert_eq!(lines(&before, &after), ["Modify X Certain: Type"]);
    }

    #[test]
    fn resources_that_refer_to_each_other_end_the_search() {
        let template = |name: &str| {
            json!({
                "A": {"Type": "AWS::Lambda::Permission", "Properties": {"Action": name, "SourceArn": {"Ref": "B"}}},
                "B": {"Type": "AWS::Lambda::Permission", "Properties": {"SourceArn": {"Ref": "A"}}},
            })
        };
        assert_eq!(
            lines(&template("a"), &template("b")),
            [
                "Modify A Certain: Action, SourceArn by B",
                "Modify B Certain: SourceArn by A",
            ]
        );
    }
}

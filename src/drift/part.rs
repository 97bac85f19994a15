//! The parts of a stack and what refers to what, as its template says: what a picture of
//! the stack is drawn from.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::plan::expression::references;

/// A resource of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type: `AWS::Lambda::Function`.
    pub resource_type: String,
    /// The names of the resources that it refers to, or depends on.
    pub refers_to: BTreeSet<String>,
}

/// The parts of a template in canonical form, in the order of their names.
pub(super) fn parts(template: &Value) -> Vec<Part> {
    let resources = template["Resources"].as_object();
    let resources = || resources.into_iter().flatten();
    let is_resource = |name: &str| resources().any(|(logical_id, _)| logical_id == name);
    resources()
        .map(|(logical_id, resource)| {
            let mut refers_to = BTreeSet::new();
            let mut add = |name: &str| {
                if name != logical_id && is_resource(name) {
                    refers_to.insert(name.to_owned());
                }
            };
            references(&resource["Properties"], &mut add);
            match &resource["DependsOn"] {
                Value::String(name) => add(name),
                names => names
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .for_each(add),
            }
            Part {
                logical_id: logical_id.clone(),
                resource_type: resource["Type"].as_str().unwrap_or_default().to_owned(),
                refers_to,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_refers_to_resources_and_to_nothing_else() {
        let template = json!({"Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "DependsOn": ["Policy", "Gone"],
                "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Name": {"Fn::Sub": "${AWS::StackName}-${Function}"}}},
            "Policy": {"Type": "AWS::IAM::Policy", "DependsOn": "Role"},
            "Role": {"Type": "AWS::IAM::Role"},
        }});
        let told: Vec<_> = parts(&template)
            .into_iter()
            .map(|part| (part.logical_id, Vec::from_iter(part.refers_to)))
            .collect();
        let expected = [
            ("Function", vec!["Policy", "Role"]),
            ("Policy", vec!["Role"]),
            ("Role", vec![]),
        ]
        .map(|(id, refers)| {
            (
                id.to_owned(),
                refers.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            )
        });
        assert_eq!(told, expected);
    }
}

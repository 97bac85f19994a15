//! The stack as it was deployed: its template with every reference replaced by what it
//! stands for.
//!
//! Detectors compare values, and a template holds expressions: `!GetAtt Role.Arn`. The
//! services' ARNs follow from names, so that what the template refers to can be worked out
//! from the physical ids alone. An expression that cannot be worked out stays as it is, and
//! whoever compares it has to say that it could not be checked.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::part::{self, Part};
use crate::environment::url_suffix;
use crate::plan::expression::function;

/// A deployed stack.
#[derive(Debug, Clone)]
pub struct DeployedStack {
    name: String,
    id: String,
    partition: String,
    region: String,
    account: String,
    /// In canonical form.
    template: Value,
    physical_ids: BTreeMap<String, String>,
}

/// A resource of a deployed stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name in the template.
    pub logical_id: String,
    /// What the service calls it.
    pub physical_id: String,
    /// Its properties as they were deployed.
    pub properties: Value,
}

impl DeployedStack {
    /// A stack by its ARN, its template in canonical form and its resources' physical ids;
    /// `None` for what is no stack's ARN.
    #[must_use]
    pub fn new(id: &str, template: Value, physical_ids: BTreeMap<String, String>) -> Option<Self> {
        let mut parts = id.splitn(6, ':');
        let (_arn, partition, _service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, path) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            name: path.split('/').nth(1)?.to_owned(),
            id: id.to_owned(),
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            template,
            physical_ids,
        })
    }

    /// The stack's ARN.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The stack's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of each resource of the template, by its name there.
    #[must_use]
    pub fn types(&self) -> BTreeMap<&str, &str> {
        self.template["Resources"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(id, resource)| Some((id.as_str(), resource["Type"].as_str()?)))
            .collect()
    }

    /// The partition, region and account that the stack is in.
    #[must_use]
    pub fn place(&self) -> (&str, &str, &str) {
        (&self.partition, &self.region, &self.account)
    }

    /// The resources of a type, in the order of their names.
    pub fn resources(&self, resource_type: &str) -> Vec<Resource> {
        self.template["Resources"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, resource)| resource["Type"] == resource_type)
            .filter_map(|(logical_id, resource)| {
                Some(Resource {
                    logical_id: logical_id.clone(),
                    physical_id: self.physical_ids.get(logical_id)?.clone(),
                    properties: self.resolve(&resource["Properties"]),
                })
            })
            .collect()
    }

    /// A resource by its name in the template, with its type.
    #[must_use]
    pub fn resource(&self, logical_id: &str) -> Option<(String, Resource)> {
        let resource_type = self.template["Resources"][logical_id]["Type"].as_str()?;
        let resource = self
            .resources(resource_type)
            .into_iter()
            .find(|resource| resource.logical_id == logical_id)?;
        Some((resource_type.to_owned(), resource))
    }

    /// What the template is made of.
    pub fn parts(&self) -> Vec<Part> {
        part::parts(&self.template)
    }

    /// Resources that the template has and the stack has not.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.template["Resources"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(logical_id, _)| logical_id)
            .filter(|logical_id| !self.physical_ids.contains_key(*logical_id))
            .cloned()
            .collect()
    }

    /// A value with its expressions worked out, as far as they can be.
    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(members) => function(members)
                .and_then(|(name, argument)| self.call(name, argument))
                .unwrap_or_else(|| self.members(members)),
            scalar => scalar.clone(),
        }
    }

    fn members(&self, members: &Map<String, Value>) -> Value {
        let members = members
            .iter()
            .map(|(key, member)| (key.clone(), self.resolve(member)));
        Value::Object(members.collect())
    }

    fn call(&self, name: &str, argument: &Value) -> Option<Value> {
        match name {
            "Ref" => self.reference(argument.as_str()?).map(Value::from),
            "GetAtt" => {
                let (id, attribute) = (argument.get(0)?.as_str()?, argument.get(1)?.as_str()?);
                self.attribute(id, attribute).map(Value::from)
            }
            "Sub" => match argument {
                Value::String(text) => self.substitute(text, &Map::new()).map(Value::from),
                _ => {
                    let own = self.resolve(argument.get(1)?);
                    self.substitute(argument.get(0)?.as_str()?, own.as_object()?)
                        .map(Value::from)
                }
            },
            "Select" => {
                let index = usize::try_from(argument.get(0)?.as_u64()?).ok()?;
                self.resolve(argument.get(1)?).get(index).cloned()
            }
            "Split" => {
                let text = self.resolve(argument.get(1)?);
                Some(text.as_str()?.split(argument.get(0)?.as_str()?).collect())
            }
            "Join" => {
                let parts = self.resolve(argument.get(1)?);
                let parts: Option<Vec<_>> = parts.as_array()?.iter().map(Value::as_str).collect();
                Some(Value::from(parts?.join(argument.get(0)?.as_str()?)))
            }
            _ => None,
        }
    }

    fn reference(&self, name: &str) -> Option<String> {
        Some(match name {
            "AWS::AccountId" => self.account.clone(),
            "AWS::Region" => self.region.clone(),
            "AWS::Partition" => self.partition.clone(),
            "AWS::URLSuffix" => url_suffix(&self.partition).to_owned(),
            "AWS::StackName" => self.name.clone(),
            "AWS::StackId" => self.id.clone(),
            id => self.physical_ids.get(id)?.clone(),
        })
    }

    /// What `Fn::GetAtt` gives: the AWS CloudFormation Template Reference Guide, "Return
    /// values" of each resource type; the forms of ARNs are in the Service Authorization
    /// Reference.
    fn attribute(&self, id: &str, attribute: &str) -> Option<String> {
        let resource = &self.template["Resources"][id];
        let physical_id = self.physical_ids.get(id)?;
        let queue_name = || physical_id.rsplit('/').next().unwrap_or(physical_id);
        let arn = |service: &str, rest: String| {
            format!(
                "arn:{}:{service}:{}:{}:{rest}",
                self.partition, self.region, self.account
            )
        };
        Some(match (resource["Type"].as_str()?, attribute) {
            ("AWS::Lambda::Function", "Arn") => arn("lambda", format!("function:{physical_id}")),
            ("AWS::IAM::Role", "Arn") => {
                let path = resource["Properties"]["Path"].as_str().unwrap_or("/");
                format!(
                    "arn:{}:iam::{}:role{path}{physical_id}",
                    self.partition, self.account
                )
            }
            ("AWS::SQS::Queue", "Arn") => arn("sqs", queue_name().to_owned()),
            ("AWS::SQS::Queue", "QueueName") => queue_name().to_owned(),
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", format!("table/{physical_id}")),
            ("AWS::Logs::LogGroup", "Arn") => arn("logs", format!("log-group:{physical_id}:*")),
            ("AWS::CloudWatch::Alarm", "Arn") => arn("cloudwatch", format!("alarm:{physical_id}")),
            ("AWS::Events::Rule", "Arn") => arn("events", format!("rule/{physical_id}")),
            ("AWS::ECS::Cluster", "Arn") => arn("ecs", format!("cluster/{physical_id}")),
            ("AWS::ECR::Repository", "Arn") => arn("ecr", format!("repository/{physical_id}")),
            ("AWS::ECR::Repository", "RepositoryUri") => {
                let (account, region) = (&self.account, &self.region);
                let suffix = url_suffix(&self.partition);
                format!("{account}.dkr.ecr.{region}.{suffix}/{physical_id}")
            }
            ("AWS::EC2::SecurityGroup", "GroupId") => physical_id.clone(),
            _ => return None,
        })
    }

    /// Replaces `${Name}` and `${Name.Attribute}`; `${!Literal}` becomes `${Literal}`.
    fn substitute(&self, text: &str, own: &Map<String, Value>) -> Option<String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}')?;
            result.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if let Some(value) = own.get(name) {
                result.push_str(value.as_str()?);
            } else if let Some((id, attribute)) = name.split_once('.') {
                result.push_str(&self.attribute(id, attribute)?);
            } else {
                result.push_str(&self.reference(name)?);
            }
            rest = after;
        }
        result.push_str(rest);
        Some(result)
    }
}

/// Whether a value still holds an expression that could not be worked out.
#[must_use]
pub fn is_open(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_open),
        Value::Object(members) => function(members).is_some() || members.values().any(is_open),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stack(properties: Value) -> DeployedStack {
        let template = json!({"Resources": {
            "Subject": {"Type": "Test", "Properties": properties},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {}},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
            "Repository": {"Type": "AWS::ECR::Repository", "Properties": {}},
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {}},
            "Network": {"Type": "AWS::EC2::SecurityGroup", "Properties": {}},
        }});
        let physical_ids = [
            ("Subject", "subject"),
            ("Role", "role-1"),
            ("Function", "function-1"),
            (
                "Queue",
                "https://sqs.eu-central-1.amazonaws.com/444455556666/queue-1.fifo",
            ),
            ("Group", "/aws/lambda/x"),
            ("Repository", "images"),
            ("Cluster", "cluster-1"),
            ("Network", "sg-1"),
        ]
        .map(|(id, physical)| (id.to_owned(), physical.to_owned()));
        DeployedStack::new(
            "arn:aws-cn:cloudformation:eu-central-1:444455556666:stack/scim/9f1c",
            template,
            physical_ids.into(),
        )
        .unwrap()
    }

    #[test]
    fn expressions_are_replaced_by_what_they_stand_for() {
        let cases = [
            (json!({"Ref": "AWS::StackName"}), json!("scim")),
            (json!({"Ref": "Role"}), json!("role-1")),
            (
                json!({"Fn::GetAtt": ["Role", "Arn"]}),
                json!("arn:aws-cn:iam::444455556666:role/role-1"),
            ),
            (
                json!({"Fn::Sub": "${AWS::Region}/${Function.Arn}/${!Literal}"}),
                json!(
                    "eu-central-1/arn:aws-cn:lambda:eu-central-1:444455556666:function:function-1/${Literal}"
                ),
            ),
            (
                json!({"Fn::Sub": ["${Own}-x", {"Own": {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}}]}),
                json!("9f1c-x"),
            ),
            (
                json!({"Fn::Join": ["-", ["a", {"Ref": "Role"}]]}),
                json!("a-role-1"),
            ),
            (json!({"Ref": "AWS::URLSuffix"}), json!("amazonaws.com.cn")),
            (
                json!({"Fn::GetAtt": ["Queue", "Arn"]}),
                json!("arn:aws-cn:sqs:eu-central-1:444455556666:queue-1.fifo"),
            ),
            (
                json!({"Fn::GetAtt": ["Group", "Arn"]}),
                json!("arn:aws-cn:logs:eu-central-1:444455556666:log-group:/aws/lambda/x:*"),
            ),
            (
                json!({"Fn::Sub": "${Repository.RepositoryUri}@sha256:0"}),
                json!("444455556666.dkr.ecr.eu-central-1.amazonaws.com.cn/images@sha256:0"),
            ),
            (
                json!([
                    {"Fn::GetAtt": ["Repository", "Arn"]},
                    {"Fn::GetAtt": ["Cluster", "Arn"]},
                    {"Fn::GetAtt": ["Network", "GroupId"]},
                ]),
                json!([
                    "arn:aws-cn:ecr:eu-central-1:444455556666:repository/images",
                    "arn:aws-cn:ecs:eu-central-1:444455556666:cluster/cluster-1",
                    "sg-1",
                ]),
            ),
        ];
        for (expression, expected) in cases {
            let stack = stack(json!({ "A": expression }));
            let resolved = &stack.resources("Test")[0].properties["A"];
            assert_eq!(resolved, &expected);
            assert!(!is_open(resolved));
        }
    }

    #[test]
    fn what_cannot_be_worked_out_stays_an_expression() {
        let unknown = json!({"A": [{"Fn::GetAtt": ["Unknown", "Arn"]}], "B": 1});
        let properties = stack(unknown.clone())
            .resources("Test")
            .remove(0)
            .properties;
        assert_eq!(properties, unknown);
        assert!(is_open(&properties));
        assert!(!is_open(&json!({"A": ["x", 1]})));
    }

    #[test]
    fn a_resource_without_a_physical_id_is_missing() {
        let mut stack = stack(json!({}));
        stack.physical_ids.remove("Queue");
        assert_eq!(stack.missing(), ["Queue"]);
        assert_eq!(stack.resources("AWS::SQS::Queue"), []);
    }
}

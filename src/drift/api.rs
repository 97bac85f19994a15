//! Detector: a REST API that serves something else than what was deployed.
//!
//! Callers meet the snapshot that the stage points at, not the API's resources: a method
//! that was added is harmless until somebody deploys it, and a stage that was moved serves
//! another API although every resource is as it should be. So all three are compared: the
//! resources, the stage, and the snapshot behind the stage.

mod keys;
mod read;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::properties::{compare, same, shown};
use crate::cloud::Cloud;

pub(crate) use read::resources;

const API: Detector = Detector::Api;

/// A property that MiniStack does not take from a template: in the local cloud it is never
/// as it was deployed, and nobody touched it.
const NOT_IN_LOCAL_CLOUD: &str = "ApiKeySourceType";

/// Methods by name, `ANY /{Users+}`, with their properties as a template has them.
type Methods = BTreeMap<String, Value>;

/// What API Gateway tells of one API. Everything by its physical id, in the form of the
/// template's properties.
#[derive(Debug, Clone, Default, PartialEq)]
struct Live {
    properties: Value,
    methods: Methods,
    stages: Map<String, Value>,
    /// The methods in the snapshot that each stage of the stack points at.
    snapshots: BTreeMap<String, Methods>,
    authorizers: Map<String, Value>,
    /// By response type; those that somebody defined.
    gateway_responses: Map<String, Value>,
    /// Those that let somebody use the API.
    usage_plans: Map<String, Value>,
}

/// What was deployed of one API.
struct Deployed<'a> {
    api: &'a Resource,
    stack: &'a DeployedStack,
}

/// Looks at every REST API of the stack.
pub async fn detect(cloud: &Cloud, stack: &DeployedStack) -> Vec<Finding> {
    let client = crate::cloud::client!(aws_sdk_apigateway, cloud);
    let mut findings = Vec::new();
    for api in stack.resources("AWS::ApiGateway::RestApi") {
        match read::api(&client, &api.physical_id).await {
            Ok(Some(mut live)) => {
                if cloud.is_local()
                    && let Some(properties) = live.properties.as_object_mut()
                {
                    properties.remove(NOT_IN_LOCAL_CLOUD);
                }
                findings.extend(Deployed { api: &api, stack }.findings(&live));
            }
            Ok(None) => findings.push(
                Finding::drift(
                    API,
                    Severity::High,
                    "deleted",
                    &api.logical_id,
                    format!("the API {} was deleted", api.physical_id),
                )
                .cure("`connect-scim destroy` and `deploy`, after the table was saved; the endpoint gets another URL"),
            ),
            Err(error) => findings.push(Finding::not_checked(
                API,
                "unreadable",
                &api.logical_id,
                error,
            )),
        }
    }
    findings.extend(keys::detect(cloud, &client, stack).await);
    findings
}

impl Deployed<'_> {
    fn findings(&self, live: &Live) -> Vec<Finding> {
        let id = &self.api.logical_id;
        let mut findings = compare(
            API,
            id,
            &self.deployed_properties(),
            &live.properties,
            |_| Severity::High,
            &format!(
                "set it back with `aws apigateway update-rest-api --rest-api-id {}`, and deploy the API to its stage",
                self.api.physical_id
            ),
        );
        findings.extend(self.methods(live));
        findings.extend(self.stages(live));
        findings.extend(self.snapshots(live));
        let groups = [
            (
                "AWS::ApiGateway::Authorizer",
                "authorizer",
                &live.authorizers,
            ),
            (
                "AWS::ApiGateway::GatewayResponse",
                "gateway-response",
                &live.gateway_responses,
            ),
            (
                "AWS::ApiGateway::UsagePlan",
                "usage-plan",
                &live.usage_plans,
            ),
        ];
        for (resource_type, check, live) in groups {
            findings.extend(self.group(resource_type, check, live));
        }
        findings
    }

    /// The API's own properties. In its policy API Gateway makes whole ARNs of the short form
    /// that templates may use.
    fn deployed_properties(&self) -> Value {
        let mut properties = self.api.properties.clone();
        let (partition, region, account) = self.stack.place();
        let id = &self.api.physical_id;
        let whole = format!("arn:{partition}:execute-api:{region}:{account}:{id}/");
        let statements = properties.pointer_mut("/Policy/Statement");
        if let Some(statements) = statements.and_then(Value::as_array_mut) {
            for statement in statements {
                let resource = statement["Resource"].as_str().unwrap_or_default();
                if let Some(rest) = resource.strip_prefix("execute-api:/") {
                    statement["Resource"] = json!(format!("{whole}{rest}"));
                }
            }
        }
        properties
    }

    /// The resources of a type that belong to this API.
    fn resources(&self, resource_type: &str) -> Vec<Resource> {
        let is_ours = |resource: &Resource| {
            let api = &resource.properties["RestApiId"];
            api.is_null() || api == self.api.physical_id.as_str()
        };
        let mut resources = self.stack.resources(resource_type);
        resources.retain(is_ours);
        resources
    }

    /// The methods of the template, by name, with the logical id.
    fn deployed_methods(&self) -> BTreeMap<String, Resource> {
        let resources = self.resources("AWS::ApiGateway::Resource");
        self.resources("AWS::ApiGateway::Method")
            .into_iter()
            .map(|method| {
                let path = path(&method.properties["ResourceId"], &resources);
                (
                    format!("{} {path}", shown(&method.properties["HttpMethod"])),
                    method,
                )
            })
            .collect()
    }

    fn methods(&self, live: &Live) -> Vec<Finding> {
        let (id, api) = (&self.api.logical_id, &self.api.physical_id);
        let deployed = self.deployed_methods();
        let mut findings = Vec::new();
        for (name, method) in &deployed {
            match live.methods.get(name) {
                None => findings.push(
                    Finding::drift(API, Severity::Medium, "method", &method.logical_id, format!("the method {name} was deleted"))
                        .expected(name)
                        .actual("(none)")
                        .cure("make it again as it was deployed, and deploy the API to its stage"),
                ),
                Some(live) => findings.extend(compare(
                    API,
                    &method.logical_id,
                    &method.properties,
                    live,
                    |_| Severity::High,
                    &format!("set it back with `aws apigateway update-method --rest-api-id {api}`, or `update-integration`, before anybody deploys it"),
                )),
            }
        }
        for name in live
            .methods
            .keys()
            .filter(|name| !deployed.contains_key(*name))
        {
            findings.push(
                Finding::drift(API, Severity::High, "method", id, format!("a method {name} was added"))
                    .part(name)
                    .expected("(none)")
                    .actual(name)
                    .cure(format!("delete it with `aws apigateway delete-method --rest-api-id {api}`, before anybody deploys it")),
            );
        }
        findings
    }

    fn stages(&self, live: &Live) -> Vec<Finding> {
        let (id, api) = (&self.api.logical_id, &self.api.physical_id);
        let stages = self.resources("AWS::ApiGateway::Stage");
        let mut findings = Vec::new();
        for stage in &stages {
            let Some(live) = live.stages.get(&stage.physical_id) else {
                findings.push(
                    Finding::drift(
                        API,
                        Severity::Medium,
                        "stage",
                        &stage.logical_id,
                        format!("the stage {} was deleted", stage.physical_id),
                    )
                    .expected(&stage.physical_id)
                    .actual("(none)")
                    .cure("make it again as it was deployed, with `aws apigateway create-stage`"),
                );
                continue;
            };
            let severity = |property: &str| match property {
                "DeploymentId" => Severity::High,
                _ => Severity::Medium,
            };
            findings.extend(compare(
                API,
                &stage.logical_id,
                &stage.properties,
                live,
                severity,
                &format!(
                    "`aws apigateway update-stage --rest-api-id {api} --stage-name {} --patch-operations op=replace,…`; of the deployment: path=/deploymentId,value={}",
                    stage.physical_id,
                    shown(&stage.properties["DeploymentId"])
                ),
            ));
        }
        for name in live.stages.keys() {
            if !stages.iter().any(|stage| stage.physical_id == *name) {
                findings.push(
                    Finding::drift(
                        API,
                        Severity::High,
                        "stage",
                        id,
                        format!("the API has another stage, {name}"),
                    )
                    .part(name)
                    .expected("(none)")
                    .actual(name)
                    .cure(format!(
                        "`aws apigateway delete-stage --rest-api-id {api} --stage-name {name}`"
                    )),
                );
            }
        }
        findings
    }

    /// What callers of a stage really meet.
    fn snapshots(&self, live: &Live) -> Vec<Finding> {
        let deployed = self.deployed_methods();
        let mut findings = Vec::new();
        for stage in self.resources("AWS::ApiGateway::Stage") {
            let Some(snapshot) = live.snapshots.get(&stage.physical_id) else {
                continue;
            };
            let served = |name: &str, what: String| {
                Finding::drift(API, Severity::High, "served-method", &stage.logical_id, what)
                    .part(name)
                    .cure(format!(
                        "point the stage at the stack's deployment: `aws apigateway update-stage --rest-api-id {} --stage-name {} --patch-operations op=replace,path=/deploymentId,value={}`",
                        self.api.physical_id,
                        stage.physical_id,
                        shown(&stage.properties["DeploymentId"])
                    ))
            };
            for (name, method) in &deployed {
                match snapshot.get(name) {
                    None => findings.push(
                        served(name, format!("the stage does not serve {name}"))
                            .expected(name)
                            .actual("(none)"),
                    ),
                    Some(live) => {
                        for (property, value) in live.as_object().into_iter().flatten() {
                            let expected = &method.properties[property];
                            if !same(expected, value) {
                                findings.push(
                                    served(
                                        name,
                                        format!("the stage serves {name} with another {property}"),
                                    )
                                    .expected(shown(expected))
                                    .actual(shown(value)),
                                );
                            }
                        }
                    }
                }
            }
            for name in snapshot.keys().filter(|name| !deployed.contains_key(*name)) {
                findings.push(
                    served(
                        name,
                        format!("the stage serves a method that was not deployed, {name}"),
                    )
                    .expected("(none)")
                    .actual(name),
                );
            }
        }
        findings
    }

    /// Resources of one type by physical id, nothing more and nothing less.
    fn group(&self, resource_type: &str, check: &str, live: &Map<String, Value>) -> Vec<Finding> {
        let deployed = self.resources(resource_type);
        let by_id = |resource: &Resource| match check {
            // Their physical id is made up by CloudFormation; API Gateway knows the type.
            "gateway-response" => shown(&resource.properties["ResponseType"]),
            _ => resource.physical_id.clone(),
        };
        let severity = match check {
            "gateway-response" => Severity::Low,
            _ => Severity::High,
        };
        let words = check.replace('-', " ");
        let mut findings = Vec::new();
        for resource in &deployed {
            let id = by_id(resource);
            match live.get(&id) {
                None => findings.push(
                    Finding::drift(
                        API,
                        Severity::Medium,
                        check,
                        &resource.logical_id,
                        format!("the {words} {id} was deleted"),
                    )
                    .expected(resource.properties.to_string())
                    .actual("(none)")
                    .cure("make it again as it was deployed, and deploy the API to its stage"),
                ),
                Some(live) => findings.extend(compare(
                    API,
                    &resource.logical_id,
                    &resource.properties,
                    live,
                    |_| severity,
                    &format!("set it back with `aws apigateway update-{check}` (id or type {id})"),
                )),
            }
        }
        for (id, properties) in live {
            if !deployed.iter().any(|resource| by_id(resource) == *id) {
                findings.push(
                    Finding::drift(API, severity, check, &self.api.logical_id, format!("the API has another {words}, {id}"))
                        .part(id)
                        .expected("(none)")
                        .actual(properties.to_string())
                        .cure(format!("find out whose it is, and `aws apigateway delete-{check}` (id or type {id})")),
                );
            }
        }
        findings
    }
}

/// The path of a resource, by its physical id, through its parents; the root is none of the
/// stack's resources. A template in which parents form a circle ends at the deepest path.
fn path(id: &Value, resources: &[Resource]) -> String {
    let mut parts = Vec::new();
    let mut id = id.clone();
    while let Some(resource) = resources
        .iter()
        .find(|resource| id == resource.physical_id.as_str())
        .filter(|_| parts.len() <= resources.len())
    {
        parts.push(shown(&resource.properties["PathPart"]));
        id = resource.properties["ParentId"].clone();
    }
    parts.reverse();
    format!("/{}", parts.join("/"))
}

/// Method settings as a template lists them, from API Gateway's map by path and method.
fn method_settings(settings: impl Iterator<Item = (String, Value)>) -> Value {
    settings
        .map(|(place, mut setting)| {
            let (path, method) = place.rsplit_once('/').unwrap_or((&place, "*"));
            // `*/*` stands for every method, and ~1 for a slash within a path.
            let path = path.replace("~1", "/");
            setting["ResourcePath"] = json!(if path == "*" { "/*".to_owned() } else { path });
            setting["HttpMethod"] = json!(method);
            setting
        })
        .collect()
}

#[cfg(test)]
mod tests;

//! What changes for callers of the API, in words: properties of a dozen resources make up
//! one API, and "UsagePlanOkta: Throttle.RateLimit 25 → 10" says less than "client okta: 10
//! requests per second instead of 25".

use serde_json::Value;

use super::expression::readable;

/// Sentences about the API that differ between two templates in canonical form.
pub(super) fn words(before: &Value, after: &Value) -> Vec<String> {
    let (old, new) = (Api(before), Api(after));
    let mut words = Vec::new();
    methods(&old, &new, &mut words);
    for (id, resource) in old.resources() {
        let Some(other) = new.resource(id) else {
            words.extend(gone(id, resource));
            continue;
        };
        if resource != other {
            words.extend(changed(id, resource, other));
        }
    }
    // Of a new API, the answers to twenty kinds of refusal are no news.
    let is_new = old.resources().next().is_none();
    for (id, resource) in new.resources() {
        let answer = resource["Type"] == "AWS::ApiGateway::GatewayResponse";
        if old.resource(id).is_none() && !(is_new && answer) {
            words.extend(made(id, resource));
        }
    }
    let deployments = |api: &Api<'_>| -> Vec<String> {
        let of_type =
            |(_, resource): &(&str, &Value)| resource["Type"] == "AWS::ApiGateway::Deployment";
        api.resources()
            .filter(of_type)
            .map(|(id, _)| id.to_owned())
            .collect()
    };
    let (was, is) = (deployments(&old), deployments(&new));
    if !was.is_empty() && !is.is_empty() && was != is {
        words.push("the API is deployed anew, so that its stage serves the changes".to_owned());
    }
    words
}

/// The resources of a template that make up an API.
struct Api<'a>(&'a Value);

impl<'a> Api<'a> {
    fn resources(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        super::resources(self.0).filter(|(_, resource)| {
            resource["Type"]
                .as_str()
                .is_some_and(|name| name.starts_with("AWS::ApiGateway::"))
        })
    }

    fn resource(&self, id: &str) -> Option<&'a Value> {
        self.0["Resources"].get(id)
    }

    /// `ANY /{Users+}` of a method.
    fn method_name(&self, method: &Value) -> String {
        let properties = &method["Properties"];
        format!(
            "{} {}",
            properties["HttpMethod"].as_str().unwrap_or("?"),
            self.path(&properties["ResourceId"])
        )
    }

    /// The path of an API resource, found through its parents. A template in which parents
    /// form a circle gets no further than the deepest path that API Gateway allows.
    fn path(&self, reference: &Value) -> String {
        const DEEPEST: usize = 30;
        let mut parts = Vec::new();
        let mut reference = reference;
        while let Some(resource) = reference["Ref"].as_str().and_then(|id| self.resource(id)) {
            let properties = &resource["Properties"];
            parts.push(properties["PathPart"].as_str().unwrap_or("?"));
            reference = &properties["ParentId"];
            if parts.len() > DEEPEST {
                break;
            }
        }
        parts.reverse();
        format!("/{}", parts.join("/"))
    }

    /// All methods by name.
    fn methods(&self) -> Vec<(String, &'a Value)> {
        let of_type =
            |(_, resource): &(&str, &'a Value)| resource["Type"] == "AWS::ApiGateway::Method";
        self.resources()
            .filter(of_type)
            .map(|(_, method)| (self.method_name(method), method))
            .collect()
    }
}

/// Methods by what callers see of them, so that a resource with another logical id is still
/// the same method.
fn methods(old: &Api<'_>, new: &Api<'_>, words: &mut Vec<String>) {
    let (was, is) = (old.methods(), new.methods());
    for (name, method) in &was {
        match is.iter().find(|(other, _)| other == name) {
            None => words.push(format!("the method {name} is removed")),
            Some((_, other)) => {
                let facts = [
                    ("AuthorizationType", "authorization"),
                    ("ApiKeyRequired", "API key required"),
                    ("RequestParameters", "request parameters"),
                    ("AuthorizerId", "authorizer"),
                ];
                for (property, label) in facts {
                    changed_fact(
                        &format!("the method {name}: {label}"),
                        method,
                        other,
                        &[property],
                        words,
                    );
                }
                changed_fact(
                    &format!("the method {name}: timeout in ms"),
                    method,
                    other,
                    &["Integration", "TimeoutInMillis"],
                    words,
                );
                changed_fact(
                    &format!("the method {name}: integration"),
                    method,
                    other,
                    &["Integration", "Uri"],
                    words,
                );
            }
        }
    }
    for (name, _) in &is {
        if !was.iter().any(|(other, _)| other == name) {
            words.push(format!("a method {name} is added"));
        }
    }
}

/// `label: before → after`, if it differs.
fn changed_fact(label: &str, old: &Value, new: &Value, path: &[&str], words: &mut Vec<String>) {
    let (before, after) = (property(old, path), property(new, path));
    if before != after {
        words.push(format!("{label} {} → {}", shown(before), shown(after)));
    }
}

fn property<'a>(resource: &'a Value, path: &[&str]) -> &'a Value {
    path.iter()
        .fold(&resource["Properties"], |value, key| &value[*key])
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        value => readable(value),
    }
}

fn made(id: &str, resource: &Value) -> Option<String> {
    match resource["Type"].as_str()? {
        "AWS::ApiGateway::UsagePlan" => Some(format!(
            "{} is admitted: {}",
            client(id, resource),
            limits(resource)
        )),
        "AWS::ApiGateway::GatewayResponse" => Some(format!(
            "{} is answered with {}",
            refusal(resource),
            shown(&resource["Properties"]["StatusCode"])
        )),
        "AWS::ApiGateway::Stage" => Some(format!(
            "a stage {} is added",
            shown(&resource["Properties"]["StageName"])
        )),
        _ => None,
    }
}

fn gone(id: &str, resource: &Value) -> Option<String> {
    match resource["Type"].as_str()? {
        "AWS::ApiGateway::UsagePlan" => {
            Some(format!("{} is no longer admitted", client(id, resource)))
        }
        "AWS::ApiGateway::GatewayResponse" => Some(format!(
            "{} is answered as API Gateway does by itself",
            refusal(resource)
        )),
        "AWS::ApiGateway::Stage" => Some(format!(
            "the stage {} is removed",
            shown(&resource["Properties"]["StageName"])
        )),
        _ => None,
    }
}

fn changed(id: &str, old: &Value, new: &Value) -> Vec<String> {
    let mut words = Vec::new();
    let mut fact = |label: &str, path: &[&str]| changed_fact(label, old, new, path, &mut words);
    match new["Type"].as_str().unwrap_or_default() {
        "AWS::ApiGateway::Authorizer" => {
            fact(
                "the authorizer remembers a token for (seconds)",
                &["AuthorizerResultTtlInSeconds"],
            );
            fact(
                "the authorizer takes tokens of the form",
                &["IdentityValidationExpression"],
            );
            fact("the authorizer reads the token from", &["IdentitySource"]);
            fact("the authorizer's function", &["AuthorizerUri"]);
        }
        "AWS::ApiGateway::Stage" => {
            fact("the stage's name, which is in the URL", &["StageName"]);
            fact("X-Ray tracing", &["TracingEnabled"]);
            fact("access logs", &["AccessLogSetting"]);
            words.extend(stage_throttles(old, new));
        }
        "AWS::ApiGateway::UsagePlan" => {
            let client = client(id, new);
            fact(
                &format!("{client}: requests per second"),
                &["Throttle", "RateLimit"],
            );
            fact(
                &format!("{client}: requests at once"),
                &["Throttle", "BurstLimit"],
            );
            fact(&format!("{client}: quota"), &["Quota"]);
        }
        "AWS::ApiGateway::GatewayResponse" => {
            let refusal = refusal(new);
            fact(&format!("{refusal} is answered with"), &["StatusCode"]);
            fact(
                &format!("{refusal} has the body"),
                &["ResponseTemplates", "application/json"],
            );
            fact(
                &format!("{refusal} has the headers"),
                &["ResponseParameters"],
            );
        }
        "AWS::ApiGateway::RestApi" => {
            fact("addresses that may call the API", &["Policy"]);
            fact("the kind of endpoint", &["EndpointConfiguration", "Types"]);
            fact("API keys are taken from", &["ApiKeySourceType"]);
            fact("the API's name", &["Name"]);
        }
        "AWS::ApiGateway::Resource" => fact("a part of a path", &["PathPart"]),
        _ => {}
    }
    words
}

/// The throttle of all clients together.
fn stage_throttles(old: &Value, new: &Value) -> Vec<String> {
    let setting = |stage: &Value, key: &str| {
        let settings = stage["Properties"]["MethodSettings"].as_array()?;
        let all =
            |setting: &&Value| setting["ResourcePath"] == "/*" && setting["HttpMethod"] == "*";
        settings.iter().find(all)?.get(key).cloned()
    };
    [
        ("ThrottlingRateLimit", "requests per second"),
        ("ThrottlingBurstLimit", "requests at once"),
    ]
    .into_iter()
    .filter_map(|(key, label)| {
        let (before, after) = (setting(old, key), setting(new, key));
        (before != after).then(|| {
            format!(
                "all clients together: {label} {} → {}",
                shown(&before.unwrap_or_default()),
                shown(&after.unwrap_or_default())
            )
        })
    })
    .collect()
}

/// `client okta`; by the name of the usage plan where it is `<stack>-<client>`.
fn client(id: &str, usage_plan: &Value) -> String {
    let name = usage_plan["Properties"]["UsagePlanName"]["Fn::Sub"]
        .as_str()
        .and_then(|name| name.strip_prefix("${AWS::StackName}-"));
    format!("client {}", name.unwrap_or(id))
}

fn limits(usage_plan: &Value) -> String {
    let throttle = &usage_plan["Properties"]["Throttle"];
    format!(
        "{} requests per second, {} at once",
        shown(&throttle["RateLimit"]),
        shown(&throttle["BurstLimit"])
    )
}

fn refusal(response: &Value) -> String {
    format!(
        "a request refused as {}",
        shown(&response["Properties"]["ResponseType"])
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn api() -> Value {
        json!({"Resources": {
            "RestApi": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "scim"}},
            "UsersResource": {"Type": "AWS::ApiGateway::Resource", "Properties": {
                "ParentId": {"Fn::GetAtt": ["RestApi", "RootResourceId"]}, "PathPart": "{Users+}",
            }},
            "UsersMethod": {"Type": "AWS::ApiGateway::Method", "Properties": {
                "HttpMethod": "ANY", "ResourceId": {"Ref": "UsersResource"}, "ApiKeyRequired": true,
                "Integration": {"TimeoutInMillis": 29000},
            }},
            "TokenAuthorizer": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"AuthorizerResultTtlInSeconds": 300}},
            "GatewayResponseThrottled": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {
                "ResponseType": "THROTTLED", "StatusCode": "429",
            }},
            "ApiDeployment0": {"Type": "AWS::ApiGateway::Deployment"},
            "ApiStage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
                "StageName": "prod",
                "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}],
            }},
            "UsagePlanOkta": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {
                "UsagePlanName": {"Fn::Sub": "${AWS::StackName}-okta"},
                "Throttle": {"RateLimit": 25, "BurstLimit": 50},
            }},
        }})
    }

    fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut changed = api();
        change(&mut changed["Resources"]);
        words(&api(), &changed)
    }

    #[test]
    fn every_change_that_a_caller_notices_has_words() {
        assert_eq!(words(&api(), &api()), Vec::<String>::new());
        let cases: Vec<(&str, Value, &str)> = vec![
            (
                "/UsersMethod/Properties/ApiKeyRequired",
                json!(false),
                "the method ANY /{Users+}: API key required true → false",
            ),
            (
                "/UsersMethod/Properties/Integration/TimeoutInMillis",
                json!(9000),
                "the method ANY /{Users+}: timeout in ms 29000 → 9000",
            ),
            (
                "/TokenAuthorizer/Properties/AuthorizerResultTtlInSeconds",
                json!(60),
                "the authorizer remembers a token for (seconds) 300 → 60",
            ),
            (
                "/ApiStage/Properties/MethodSettings/0/ThrottlingRateLimit",
                json!(20),
                "all clients together: requests per second 50 → 20",
            ),
            (
                "/UsagePlanOkta/Properties/Throttle/BurstLimit",
                json!(10),
                "client okta: requests at once 50 → 10",
            ),
            (
                "/GatewayResponseThrottled/Properties/StatusCode",
                json!("503"),
                "a request refused as THROTTLED is answered with \"429\" → \"503\"",
            ),
        ];
        for (pointer, value, expected) in cases {
            assert_eq!(
                after(|resources| *resources.pointer_mut(pointer).unwrap() = value),
                [expected],
                "{pointer}"
            );
        }
    }

    #[test]
    fn methods_and_clients_come_and_go_in_words() {
        let words = after(|resources| {
            resources["GroupsResource"] = json!({"Type": "AWS::ApiGateway::Resource", "Properties": {
                "ParentId": {"Ref": "UsersResource"}, "PathPart": "Groups",
            }});
            resources["GroupsMethod"] = json!({"Type": "AWS::ApiGateway::Method", "Properties": {
                "HttpMethod": "GET", "ResourceId": {"Ref": "GroupsResource"},
            }});
            let deployment = resources["ApiDeployment0"].take();
            resources.as_object_mut().unwrap().remove("ApiDeployment0");
            resources["ApiDeployment1"] = deployment;
            resources.as_object_mut().unwrap().remove("UsagePlanOkta");
        });
        assert_eq!(
            words,
            [
                "a method GET /{Users+}/Groups is added",
                "client okta is no longer admitted",
                "the API is deployed anew, so that its stage serves the changes",
            ]
        );
    }

    #[test]
    fn a_new_api_is_told_by_its_methods_and_clients() {
        assert_eq!(
            words(&Value::Null, &api()),
            [
                "a method ANY /{Users+} is added",
                "a stage prod is added",
                "client okta is admitted: 25 requests per second, 50 at once",
            ]
        );
    }
}

//! The calls of API Gateway that carry out its changes.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::types::{GatewayResponseType, IntegrationType, Op, PatchOperation};
use serde_json::Value;

use super::{AUTHORIZER, ApiChange};
use crate::cloud::{Cloud, ServiceError, ServiceErrorKind, failed_to};
use crate::drift::{api_resources, shown};

/// The settings of methods on a stage, each with its place in a patch:
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateStage.html>.
const METHOD_SETTINGS: [(&str, &str); 5] = [
    ("ThrottlingRateLimit", "throttling/rateLimit"),
    ("ThrottlingBurstLimit", "throttling/burstLimit"),
    ("LoggingLevel", "logging/loglevel"),
    ("DataTraceEnabled", "logging/dataTrace"),
    ("MetricsEnabled", "metrics/enabled"),
];

impl ApiChange {
    /// Makes the change.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached. Repeating is safe.
    pub async fn make(&self, cloud: &Cloud) -> Result<(), ServiceError> {
        let client = Client::new(cloud.config());
        let action = self.to_string();
        if cloud.is_local() && matches!(self, Self::UsagePlan { .. } | Self::Authorizer { .. }) {
            return Err(not_in_local_cloud(action));
        }
        match self {
            Self::KeySource { api, source } => client
                .update_rest_api()
                .rest_api_id(api)
                .patch_operations(replace("/apiKeySource", source))
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::Policy { api, document } => {
                let document = match document {
                    Value::Null => String::new(),
                    document => document.to_string(),
                };
                client
                    .update_rest_api()
                    .rest_api_id(api)
                    .patch_operations(replace("/policy", document))
                    .send()
                    .await
                    .map_err(failed_to(action))
                    .map(drop)
            }
            Self::Method {
                api,
                resource,
                properties,
            } => make_method(&client, api, resource, properties, action).await,
            Self::RemoveMethod { api, method } => remove_method(&client, api, method, action).await,
            Self::Stage {
                api,
                stage,
                properties,
            } => set_stage(&client, api, stage, properties, action).await,
            Self::RemoveStage { api, stage } => client
                .delete_stage()
                .rest_api_id(api)
                .stage_name(stage)
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::Authorizer {
                api,
                authorizer,
                property,
                value,
            } => {
                let path = AUTHORIZER.into_iter().find(|(name, _)| name == property);
                let path = path.map(|(_, path)| path).unwrap_or_default();
                client
                    .update_authorizer()
                    .rest_api_id(api)
                    .authorizer_id(authorizer)
                    .patch_operations(replace(path, value))
                    .send()
                    .await
                    .map_err(failed_to(action))
                    .map(drop)
            }
            Self::RemoveAuthorizer { api, authorizer } => client
                .delete_authorizer()
                .rest_api_id(api)
                .authorizer_id(authorizer)
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::GatewayResponse {
                api,
                response,
                properties,
            } => client
                .put_gateway_response()
                .rest_api_id(api)
                .response_type(GatewayResponseType::from(response.as_str()))
                .status_code(shown(&properties["StatusCode"]))
                .set_response_parameters(Some(texts(&properties["ResponseParameters"])))
                .set_response_templates(Some(texts(&properties["ResponseTemplates"])))
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::RemoveGatewayResponse { api, response } => client
                .delete_gateway_response()
                .rest_api_id(api)
                .response_type(GatewayResponseType::from(response.as_str()))
                .send()
                .await
                .map_err(failed_to(action))
                .map(drop),
            Self::UsagePlan { plan, properties } => {
                set_usage_plan(&client, plan, properties, action).await
            }
            Self::RemoveUsagePlan { api, plan } => {
                remove_usage_plan(&client, api, plan, action).await
            }
        }
    }
}

/// MiniStack keeps the numbers of such a patch as texts, which no SDK can read any more.
fn not_in_local_cloud(action: String) -> ServiceError {
    ServiceError {
        action,
        kind: ServiceErrorKind::Refused,
        code: None,
        message: "the local cloud cannot set it back; `connect-scim destroy` and `deploy`"
            .to_owned(),
    }
}

fn patch(op: Op, path: impl Into<String>) -> PatchOperation {
    PatchOperation::builder().op(op).path(path).build()
}

fn replace(path: impl Into<String>, value: impl Into<String>) -> PatchOperation {
    PatchOperation::builder()
        .op(Op::Replace)
        .path(path)
        .value(value)
        .build()
}

/// A mapping of texts.
fn texts(value: &Value) -> HashMap<String, String> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), shown(value)))
        .collect()
}

fn optional(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| shown(value))
}

/// What is not there any more is as good as removed.
fn unless_gone<T>(outcome: Result<T, ServiceError>) -> Result<(), ServiceError> {
    match outcome {
        Err(error) if error.has_code("NotFoundException") => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Makes a method. What somebody added to the one that is there (scopes, parameters) goes
/// with it; no caller meets the gap, because the stage serves its snapshot.
async fn make_method(
    client: &Client,
    api: &str,
    resource: &str,
    properties: &Value,
    action: String,
) -> Result<(), ServiceError> {
    let verb = shown(&properties["HttpMethod"]);
    let removed = client
        .delete_method()
        .rest_api_id(api)
        .resource_id(resource)
        .http_method(&verb)
        .send()
        .await;
    unless_gone(removed.map_err(failed_to(action.clone())))?;
    client
        .put_method()
        .rest_api_id(api)
        .resource_id(resource)
        .http_method(&verb)
        .authorization_type(shown(&properties["AuthorizationType"]))
        .set_authorizer_id(optional(&properties["AuthorizerId"]))
        .api_key_required(shown(&properties["ApiKeyRequired"]) == "true")
        .send()
        .await
        .map_err(failed_to(action.clone()))?;
    let integration = &properties["Integration"];
    client
        .put_integration()
        .rest_api_id(api)
        .resource_id(resource)
        .http_method(&verb)
        .r#type(IntegrationType::from(shown(&integration["Type"]).as_str()))
        .set_integration_http_method(optional(&integration["IntegrationHttpMethod"]))
        .set_uri(optional(&integration["Uri"]))
        .set_timeout_in_millis(
            integration["TimeoutInMillis"]
                .as_i64()
                .and_then(|milliseconds| i32::try_from(milliseconds).ok()),
        )
        .send()
        .await
        .map_err(failed_to(action))
        .map(drop)
}

async fn remove_method(
    client: &Client,
    api: &str,
    method: &str,
    action: String,
) -> Result<(), ServiceError> {
    let Some((verb, path)) = method.split_once(' ') else {
        return Ok(());
    };
    let resources = api_resources(client, api).await?;
    let place = resources
        .iter()
        .find(|resource| resource.path() == Some(path));
    let Some((resource, id)) = place.and_then(|resource| Some((resource, resource.id()?))) else {
        return Ok(());
    };
    let removed = client
        .delete_method()
        .rest_api_id(api)
        .resource_id(id)
        .http_method(verb)
        .send()
        .await;
    unless_gone(removed.map_err(failed_to(action.clone())))?;
    let has_others = resource
        .resource_methods()
        .is_some_and(|methods| methods.keys().any(|other| other != verb));
    let has_children = resources.iter().any(|child| child.parent_id() == Some(id));
    if has_others || has_children || path == "/" {
        return Ok(());
    }
    let removed = client
        .delete_resource()
        .rest_api_id(api)
        .resource_id(id)
        .send()
        .await;
    unless_gone(removed.map_err(failed_to(action)))
}

async fn set_stage(
    client: &Client,
    api: &str,
    stage: &str,
    properties: &Value,
    action: String,
) -> Result<(), ServiceError> {
    let deployment = shown(&properties["DeploymentId"]);
    let live = client
        .get_stage()
        .rest_api_id(api)
        .stage_name(stage)
        .send()
        .await
        .map_err(failed_to(action.clone()));
    let (settings, logs) = match live {
        Err(error) if error.has_code("NotFoundException") => {
            client
                .create_stage()
                .rest_api_id(api)
                .stage_name(stage)
                .deployment_id(&deployment)
                .send()
                .await
                .map_err(failed_to(action.clone()))?;
            (Vec::new(), false)
        }
        live => {
            let live = live?;
            let settings = live.method_settings().into_iter().flatten();
            let has_logs = live
                .access_log_settings()
                .is_some_and(|logs| logs.destination_arn().is_some());
            (settings.map(|(place, _)| place.clone()).collect(), has_logs)
        }
    };
    client
        .update_stage()
        .rest_api_id(api)
        .stage_name(stage)
        .set_patch_operations(Some(stage_patches(properties, &settings, logs)))
        .send()
        .await
        .map_err(failed_to(action))
        .map(drop)
}

/// The patches that make a stage what the template says, given the places for which it has
/// settings of methods, and whether it writes access logs.
fn stage_patches(properties: &Value, settings: &[String], logs: bool) -> Vec<PatchOperation> {
    let mut patches = vec![
        replace("/deploymentId", shown(&properties["DeploymentId"])),
        replace(
            "/tracingEnabled",
            (shown(&properties["TracingEnabled"]) == "true").to_string(),
        ),
    ];
    let expected: BTreeMap<String, &Value> = properties["MethodSettings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|setting| (place(setting), setting))
        .collect();
    let live = settings.iter().map(|place| match place.rsplit_once('/') {
        Some((path, verb)) => place_of(path, verb),
        None => place.clone(),
    });
    for place in live.filter(|place| !expected.contains_key(place)) {
        patches.push(patch(Op::Remove, format!("/{place}")));
    }
    for (place, setting) in expected {
        for (property, path) in METHOD_SETTINGS {
            if let Some(value) = optional(&setting[property]) {
                patches.push(replace(format!("/{place}/{path}"), value));
            }
        }
    }
    let access_log = &properties["AccessLogSetting"];
    if access_log.is_object() {
        for (property, path) in [("DestinationArn", "destinationArn"), ("Format", "format")] {
            if let Some(value) = optional(&access_log[property]) {
                patches.push(replace(format!("/accessLogSettings/{path}"), value));
            }
        }
    } else if logs {
        patches.push(patch(Op::Remove, "/accessLogSettings"));
    }
    patches
}

/// Where a stage keeps a setting of methods: `*/*` for all, `~1` for a slash in a path.
fn place(setting: &Value) -> String {
    place_of(
        &shown(&setting["ResourcePath"]),
        &shown(&setting["HttpMethod"]),
    )
}

fn place_of(path: &str, verb: &str) -> String {
    let path = match path {
        "/*" => "*".to_owned(),
        path => path.replace('/', "~1"),
    };
    format!("{path}/{verb}")
}

async fn set_usage_plan(
    client: &Client,
    plan: &str,
    properties: &Value,
    action: String,
) -> Result<(), ServiceError> {
    let live = client
        .get_usage_plan()
        .usage_plan_id(plan)
        .send()
        .await
        .map_err(failed_to(action.clone()))?;
    let stages: Vec<String> = live
        .api_stages()
        .iter()
        .map(|stage| {
            format!(
                "{}:{}",
                stage.api_id().unwrap_or_default(),
                stage.stage().unwrap_or_default()
            )
        })
        .collect();
    client
        .update_usage_plan()
        .usage_plan_id(plan)
        .set_patch_operations(Some(usage_plan_patches(
            properties,
            &stages,
            live.throttle().is_some(),
            live.quota().is_some_and(|quota| quota.limit() > 0),
        )))
        .send()
        .await
        .map_err(failed_to(action))
        .map(drop)
}

/// The patches that make a usage plan what the template says, given its stages (`api:stage`)
/// and whether it has a throttle and a quota.
fn usage_plan_patches(
    properties: &Value,
    stages: &[String],
    throttle: bool,
    quota: bool,
) -> Vec<PatchOperation> {
    let mut patches = Vec::new();
    for stage in properties["ApiStages"].as_array().into_iter().flatten() {
        let stage = format!("{}:{}", shown(&stage["ApiId"]), shown(&stage["Stage"]));
        if !stages.contains(&stage) {
            let add = PatchOperation::builder().op(Op::Add).path("/apiStages");
            patches.push(add.value(stage).build());
        }
    }
    let groups = [
        (
            "Throttle",
            throttle,
            [("RateLimit", "rateLimit"), ("BurstLimit", "burstLimit")],
        ),
        ("Quota", quota, [("Limit", "limit"), ("Period", "period")]),
    ];
    for (group, is_there, members) in groups {
        let root = format!("/{}", group.to_lowercase());
        if properties[group].is_object() {
            for (property, path) in members {
                if let Some(value) = optional(&properties[group][property]) {
                    patches.push(replace(format!("{root}/{path}"), value));
                }
            }
        } else if is_there {
            patches.push(patch(Op::Remove, root));
        }
    }
    patches
}

/// Only what is ours is taken away: the plan may serve other APIs as well.
async fn remove_usage_plan(
    client: &Client,
    api: &str,
    plan: &str,
    action: String,
) -> Result<(), ServiceError> {
    let live = client
        .get_usage_plan()
        .usage_plan_id(plan)
        .send()
        .await
        .map_err(failed_to(action.clone()));
    let live = match live {
        Err(error) if error.has_code("NotFoundException") => return Ok(()),
        live => live?,
    };
    let (ours, others): (Vec<_>, Vec<_>) = live
        .api_stages()
        .iter()
        .partition(|stage| stage.api_id() == Some(api));
    let removals = ours
        .into_iter()
        .map(|stage| {
            let stage = format!("{api}:{}", stage.stage().unwrap_or_default());
            let remove = PatchOperation::builder().op(Op::Remove).path("/apiStages");
            remove.value(stage).build()
        })
        .collect();
    client
        .update_usage_plan()
        .usage_plan_id(plan)
        .set_patch_operations(Some(removals))
        .send()
        .await
        .map_err(failed_to(action.clone()))?;
    if others.is_empty() {
        let removed = client.delete_usage_plan().usage_plan_id(plan).send().await;
        unless_gone(removed.map_err(failed_to(action)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(patches: Vec<PatchOperation>) -> Vec<String> {
        patches
            .iter()
            .map(|patch| {
                let op = patch.op().map(Op::as_str).unwrap_or_default();
                let (path, value) = (patch.path(), patch.value());
                let words = [Some(op), path, value];
                words.into_iter().flatten().collect::<Vec<_>>().join(" ")
            })
            .collect()
    }

    #[test]
    fn a_stage_gets_its_settings_and_loses_others() {
        let properties = json!({
            "DeploymentId": "d1", "TracingEnabled": false,
            "MethodSettings": [{
                "ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 25,
                "LoggingLevel": "OFF", "MetricsEnabled": false,
            }],
        });
        let settings = ["*/*", "~1open/GET", "/users/GET"].map(str::to_owned);
        assert_eq!(
            told(stage_patches(&properties, &settings, true)),
            [
                "replace /deploymentId d1",
                "replace /tracingEnabled false",
                "remove /~1open/GET",
                "remove /~1users/GET",
                "replace /*/*/throttling/rateLimit 25",
                "replace /*/*/logging/loglevel OFF",
                "replace /*/*/metrics/enabled false",
                "remove /accessLogSettings",
            ]
        );
        let logged = json!({"DeploymentId": "d1",
            "AccessLogSetting": {"DestinationArn": "arn:logs", "Format": "$context"}});
        assert_eq!(
            told(stage_patches(&logged, &[], false))[2..],
            [
                "replace /accessLogSettings/destinationArn arn:logs",
                "replace /accessLogSettings/format $context",
            ]
        );
    }

    #[test]
    fn a_usage_plan_gets_its_stage_and_limits_and_loses_a_quota() {
        let properties = json!({
            "ApiStages": [{"ApiId": "a", "Stage": "prod"}],
            "Throttle": {"RateLimit": 25, "BurstLimit": 50},
        });
        assert_eq!(
            told(usage_plan_patches(&properties, &[], true, true)),
            [
                "add /apiStages a:prod",
                "replace /throttle/rateLimit 25",
                "replace /throttle/burstLimit 50",
                "remove /quota",
            ]
        );
    }
}

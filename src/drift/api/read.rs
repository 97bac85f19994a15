//! Reads a REST API, in the form in which templates describe one.

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::types::{Method, Resource, Stage};
use serde_json::{Map, Value, json};

use super::{Live, Methods, method_settings};
use crate::cloud::{ServiceError, failed_to};

/// The largest page that API Gateway gives.
const PAGE: i32 = 500;

/// Reads an API; `None` where it is gone.
pub(super) async fn api(client: &Client, id: &str) -> Result<Option<Live>, ServiceError> {
    let api = client.get_rest_api().rest_api_id(id).send().await;
    let api = match api.map_err(failed_to(format!("read the API {id}"))) {
        Err(error) if error.has_code("NotFoundException") => return Ok(None),
        api => api?,
    };
    let mut properties = json!({
        "ApiKeySourceType": api.api_key_source().map(|source| source.as_str()),
        "Policy": api.policy().map(policy),
    });
    let types = api
        .endpoint_configuration()
        .map(|endpoint| endpoint.types());
    if let Some(types) = types.filter(|types| !types.is_empty()) {
        let types: Vec<_> = types.iter().map(|one| one.as_str()).collect();
        properties["EndpointConfiguration"] = json!({"Types": types});
    }
    let mut live = Live {
        properties,
        methods: methods(client, id).await?,
        authorizers: authorizers(client, id).await?,
        gateway_responses: gateway_responses(client, id).await?,
        usage_plans: usage_plans(client, id).await?,
        ..Live::default()
    };
    let stages = client
        .get_stages()
        .rest_api_id(id)
        .send()
        .await
        .map_err(failed_to(format!("list the stages of the API {id}")))?;
    for stage in stages.item() {
        let name = stage.stage_name().unwrap_or_default().to_owned();
        if let Some(deployment) = stage.deployment_id() {
            let snapshot = snapshot(client, id, deployment).await?;
            live.snapshots.insert(name.clone(), snapshot);
        }
        live.stages.insert(name, properties_of_stage(stage));
    }
    Ok(Some(live))
}

/// The resource policy, which API Gateway gives as JSON whose quotes are escaped once more:
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html>.
fn policy(text: &str) -> Value {
    serde_json::from_str(text)
        .or_else(|_| {
            serde_json::from_str::<String>(&format!("\"{text}\""))
                .and_then(|text| serde_json::from_str(&text))
        })
        .unwrap_or_else(|_| json!(text))
}

fn properties_of_stage(stage: &Stage) -> Value {
    let settings = stage.method_settings().into_iter().flatten();
    let settings = settings.map(|(place, setting)| {
        let properties = json!({
            "ThrottlingRateLimit": setting.throttling_rate_limit(),
            "ThrottlingBurstLimit": setting.throttling_burst_limit(),
            "LoggingLevel": setting.logging_level(),
            "DataTraceEnabled": setting.data_trace_enabled(),
            "MetricsEnabled": setting.metrics_enabled(),
        });
        (place.clone(), properties)
    });
    let mut properties = json!({
        "DeploymentId": stage.deployment_id(),
        "TracingEnabled": stage.tracing_enabled(),
        "MethodSettings": method_settings(settings),
    });
    match stage.access_log_settings() {
        None => properties["AccessLogSetting"] = Value::Null,
        Some(logs) if logs.destination_arn().is_some() => {
            properties["AccessLogSetting"] = json!({
                "DestinationArn": logs.destination_arn(),
                "Format": logs.format(),
            });
        }
        // MiniStack has settings for each stage, and never tells what they are.
        Some(_) => {}
    }
    properties
}

/// The resources of an API, with their methods.
///
/// # Errors
/// When API Gateway refuses or cannot be reached.
pub(crate) async fn resources(client: &Client, id: &str) -> Result<Vec<Resource>, ServiceError> {
    client
        .get_resources()
        .rest_api_id(id)
        .embed("methods")
        .limit(PAGE)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(failed_to(format!("list the resources of the API {id}")))
}

async fn methods(client: &Client, id: &str) -> Result<Methods, ServiceError> {
    Ok(resources(client, id)
        .await?
        .iter()
        .flat_map(|resource| {
            let path = resource.path().unwrap_or_default();
            let methods = resource.resource_methods().into_iter().flatten();
            methods.map(move |(verb, method)| (format!("{verb} {path}"), properties_of(method)))
        })
        .collect())
}

fn properties_of(method: &Method) -> Value {
    let mut properties = json!({
        "AuthorizationType": method.authorization_type(),
        "AuthorizerId": method.authorizer_id(),
        "ApiKeyRequired": method.api_key_required().unwrap_or(false),
    });
    if let Some(integration) = method.method_integration() {
        properties["Integration"] = json!({
            "Type": integration.r#type().map(|kind| kind.as_str()),
            "IntegrationHttpMethod": integration.http_method(),
            "Uri": integration.uri(),
            "TimeoutInMillis": integration.timeout_in_millis(),
        });
    }
    properties
}

/// The methods of a deployment. What the service does not tell of a method is not compared:
/// MiniStack's summary has no authorization types.
async fn snapshot(client: &Client, api: &str, deployment: &str) -> Result<Methods, ServiceError> {
    let answer = client
        .get_deployment()
        .rest_api_id(api)
        .deployment_id(deployment)
        .embed("apisummary")
        .send()
        .await
        .map_err(failed_to(format!(
            "read the deployment {deployment} of the API {api}"
        )))?;
    let mut methods = Methods::new();
    for (path, verbs) in answer.api_summary().into_iter().flatten() {
        for (verb, method) in verbs {
            let mut properties = json!({"ApiKeyRequired": method.api_key_required()});
            if let Some(authorization) = method.authorization_type() {
                properties["AuthorizationType"] = json!(authorization);
            }
            methods.insert(format!("{verb} {path}"), properties);
        }
    }
    Ok(methods)
}

async fn authorizers(client: &Client, id: &str) -> Result<Map<String, Value>, ServiceError> {
    let authorizers = client
        .get_authorizers()
        .rest_api_id(id)
        .limit(PAGE)
        .send()
        .await
        .map_err(failed_to(format!("list the authorizers of the API {id}")))?;
    Ok(authorizers
        .items()
        .iter()
        .filter_map(|authorizer| {
            let properties = json!({
                "Type": authorizer.r#type().map(|kind| kind.as_str()),
                "AuthorizerUri": authorizer.authorizer_uri(),
                "IdentitySource": authorizer.identity_source(),
                "IdentityValidationExpression": authorizer.identity_validation_expression(),
                "AuthorizerResultTtlInSeconds": authorizer.authorizer_result_ttl_in_seconds(),
            });
            Some((authorizer.id()?.to_owned(), properties))
        })
        .collect())
}

async fn gateway_responses(client: &Client, id: &str) -> Result<Map<String, Value>, ServiceError> {
    let responses = client
        .get_gateway_responses()
        .rest_api_id(id)
        .limit(PAGE)
        .send()
        .await
        .map_err(failed_to(format!(
            "list the gateway responses of the API {id}"
        )))?;
    Ok(responses
        .items()
        .iter()
        .filter(|response| !response.default_response())
        .filter_map(|response| {
            let properties = json!({
                "StatusCode": response.status_code(),
                "ResponseParameters": response.response_parameters(),
                "ResponseTemplates": response.response_templates(),
            });
            Some((response.response_type()?.as_str().to_owned(), properties))
        })
        .collect())
}

/// The usage plans of the account that have a stage of this API.
async fn usage_plans(client: &Client, api: &str) -> Result<Map<String, Value>, ServiceError> {
    let plans = client
        .get_usage_plans()
        .limit(PAGE)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(failed_to("list the usage plans"))?;
    Ok(plans
        .iter()
        .filter(|plan| {
            plan.api_stages()
                .iter()
                .any(|stage| stage.api_id() == Some(api))
        })
        .filter_map(|plan| {
            let throttle = plan.throttle().map(|throttle| {
                json!({"RateLimit": throttle.rate_limit(), "BurstLimit": throttle.burst_limit()})
            });
            // A limit of 0 is none.
            let quota = plan.quota().filter(|quota| quota.limit() > 0).map(|quota| {
                json!({
                    "Limit": quota.limit(),
                    "Period": quota.period().map(|period| period.as_str()),
                })
            });
            Some((
                plan.id()?.to_owned(),
                json!({"Throttle": throttle, "Quota": quota}),
            ))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_with_and_without_escaped_quotes() {
        let expected = json!({"Version": "2012-10-17"});
        assert_eq!(policy(r#"{"Version":"2012-10-17"}"#), expected);
        assert_eq!(policy(r#"{\"Version\":\"2012-10-17\"}"#), expected);
        assert_eq!(policy("no JSON"), json!("no JSON"));
    }
}

//! Detector: Lambda functions whose code, configuration, callers or event sources are not
//! those that were deployed.
//!
//! CloudFormation treats a function's code as write-only, so its own drift detection never
//! sees that it was replaced. The key of a package carries the SHA-256 of the package, and
//! Lambda tells the SHA-256 of what it runs.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use serde_json::{Map, Value, json};

use super::deployed::{DeployedStack, Resource, is_open};
use super::finding::{Detector, Finding, Severity};
use super::properties::{compare, same, shown};
use crate::artifact::Sha256;
use crate::cloud::{Cloud, ServiceError, failed_to};

const FUNCTION: Detector = Detector::Function;

/// What Lambda tells of one function.
#[derive(Debug, Clone, Default, PartialEq)]
struct Live {
    /// The digest of the package.
    code: Option<Sha256>,
    /// In the form of the template's properties; of environment variables see
    /// [`environment`].
    properties: Value,
    /// The environment variables. Their values are compared, and never told.
    environment: Value,
    /// The statements of its resource policy.
    statements: Vec<Value>,
    /// Its event source mappings by UUID, in the form of the template's properties.
    event_sources: Map<String, Value>,
}

/// Looks at every function of the stack.
pub async fn detect(cloud: &Cloud, stack: &DeployedStack) -> Vec<Finding> {
    let client = crate::cloud::client!(aws_sdk_lambda, cloud);
    let permissions = stack.resources("AWS::Lambda::Permission");
    let event_sources = stack.resources("AWS::Lambda::EventSourceMapping");
    let functions = stack.resources("AWS::Lambda::Function");
    let checks =
        functions.iter().map(
            async |function| match read(&client, &function.physical_id).await {
                Ok(None) => vec![gone(function)],
                Ok(Some(live)) => findings(function, &permissions, &event_sources, &live),
                Err(error) => vec![Finding::not_checked(
                    FUNCTION,
                    "unreadable",
                    &function.logical_id,
                    error,
                )],
            },
        );
    futures_util::future::join_all(checks).await.concat()
}

fn gone(function: &Resource) -> Finding {
    Finding::drift(
        FUNCTION,
        Severity::High,
        "deleted",
        &function.logical_id,
        format!("the function {} was deleted", function.physical_id),
    )
    .cure("CloudFormation cannot make it again under the same name by itself: `connect-scim destroy` and `deploy`, after the table was saved")
}

fn findings(
    function: &Resource,
    permissions: &[Resource],
    event_sources: &[Resource],
    live: &Live,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(code(function, live));
    findings.extend(configuration(function, live));
    findings.extend(environment(function, live));
    findings.extend(callers(function, permissions, live));
    findings.extend(sources(function, event_sources, live));
    findings
}

fn code(function: &Resource, live: &Live) -> Option<Finding> {
    let code = &function.properties["Code"];
    let (bucket, key) = (shown(&code["S3Bucket"]), shown(&code["S3Key"]));
    let actual = live
        .code
        .map_or_else(|| "unknown".to_owned(), |digest| digest.to_string());
    (!key.contains(&actual)).then(|| {
        Finding::drift(
            FUNCTION,
            Severity::High,
            "code",
            &function.logical_id,
            format!("{} runs other code than the package that was deployed", function.physical_id),
        )
        .expected(&key)
        .actual(format!("a package with the SHA-256 {actual}"))
        .cure(format!(
            "find out who replaced it, then `aws lambda update-function-code --function-name {} --s3-bucket {bucket} --s3-key {key}`",
            function.physical_id
        ))
    })
}

fn configuration(function: &Resource, live: &Live) -> Vec<Finding> {
    let severity = |property: &str| match property {
        "Role" | "Layers" | "Handler" | "Runtime" => Severity::High,
        _ => Severity::Medium,
    };
    let cure = format!(
        "set it back with `aws lambda update-function-configuration --function-name {}`, of the concurrency with `put-function-concurrency` or `delete-function-concurrency`",
        function.physical_id
    );
    compare(
        FUNCTION,
        &function.logical_id,
        &function.properties,
        &live.properties,
        severity,
        &cure,
    )
}

/// Environment variables by name: a value may be a secret, so none is told.
fn environment(function: &Resource, live: &Live) -> Vec<Finding> {
    let nothing = Map::new();
    let expected = &function.properties["Environment"]["Variables"];
    let expected = expected.as_object().unwrap_or(&nothing);
    let actual = live.environment.as_object().unwrap_or(&nothing);
    let id = &function.logical_id;
    let finding = |name: &str, what: String, was: &str, is: &str| {
        Finding::drift(FUNCTION, Severity::High, "environment", id, what)
            .part(name)
            .expected(was)
            .actual(is)
            .cure(format!(
                "set the variables back with `aws lambda update-function-configuration --function-name {} --environment …`; it replaces all of them",
                function.physical_id
            ))
    };
    let mut findings = Vec::new();
    for (name, value) in expected {
        let what = format!("the environment variable {name} was");
        match actual.get(name) {
            None => findings.push(finding(name, format!("{what} removed"), "(set)", "(none)")),
            Some(_) if is_open(value) => findings.push(
                Finding::not_checked(
                    FUNCTION,
                    "environment",
                    id,
                    format!("the value of {name} could not be worked out from the template"),
                )
                .part(name),
            ),
            Some(other) if !same(value, other) => findings.push(finding(
                name,
                format!("{what} changed"),
                "the deployed value",
                "another value",
            )),
            Some(_) => {}
        }
    }
    for name in actual.keys().filter(|name| !expected.contains_key(*name)) {
        findings.push(finding(
            name,
            format!("the environment variable {name} was added"),
            "(none)",
            "(set)",
        ));
    }
    findings
}

/// Whether a permission or an event source mapping is about this function, which it may
/// name by name or by ARN.
fn is_about(resource: &Resource, function: &Resource) -> bool {
    let named = resource.properties["FunctionName"]
        .as_str()
        .unwrap_or_default();
    named.rsplit(':').next() == Some(function.physical_id.as_str())
}

/// The resource policy: who may call the function. The physical id of a permission is the
/// id of the statement that CloudFormation made of it.
fn callers(function: &Resource, permissions: &[Resource], live: &Live) -> Vec<Finding> {
    let name = &function.physical_id;
    let ours: Vec<_> = permissions
        .iter()
        .filter(|permission| is_about(permission, function))
        .collect();
    let mut findings = Vec::new();
    for statement in &live.statements {
        let sid = shown(&statement["Sid"]);
        let own = ours.iter().find(|permission| permission.physical_id == sid);
        match own {
            None => findings.push(
                Finding::drift(
                    FUNCTION,
                    Severity::High,
                    "caller",
                    &function.logical_id,
                    format!("somebody else may call {name}: its resource policy has a statement that was not deployed"),
                )
                .part(&sid)
                .expected("(none)")
                .actual(statement.to_string())
                .cure(format!("`aws lambda remove-permission --function-name {name} --statement-id {sid}`")),
            ),
            Some(permission) if !is_same_permission(permission, statement) => findings.push(
                Finding::drift(
                    FUNCTION,
                    Severity::High,
                    "caller",
                    &permission.logical_id,
                    format!("the statement of {name}'s resource policy was replaced by another one"),
                )
                .expected(permission.properties.to_string())
                .actual(statement.to_string())
                .cure(format!("remove the statement {sid} with `aws lambda remove-permission`, and add it again as it was deployed")),
            ),
            Some(_) => {}
        }
    }
    for permission in ours {
        let sid = &permission.physical_id;
        if !live
            .statements
            .iter()
            .any(|live| shown(&live["Sid"]) == *sid)
        {
            findings.push(
                Finding::drift(
                    FUNCTION,
                    Severity::Medium,
                    "caller",
                    &permission.logical_id,
                    format!("the permission to call {name} was removed"),
                )
                .expected(permission.properties.to_string())
                .actual("(none)")
                .cure(format!("`aws lambda add-permission --function-name {name} --statement-id {sid}`, with what was deployed")),
            );
        }
    }
    findings
}

fn is_same_permission(permission: &Resource, statement: &Value) -> bool {
    let expected = &permission.properties;
    let principal = &statement["Principal"];
    let principal = principal
        .get("Service")
        .or_else(|| principal.get("AWS"))
        .unwrap_or(principal);
    let condition = |operator: &str, key: &str| statement["Condition"][operator][key].clone();
    statement["Effect"] == "Allow"
        && same(&expected["Action"], &statement["Action"])
        && same(&expected["Principal"], principal)
        && same(
            &expected["SourceArn"],
            &condition("ArnLike", "AWS:SourceArn"),
        )
}

/// What feeds the function with messages.
fn sources(function: &Resource, event_sources: &[Resource], live: &Live) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours: Vec<_> = event_sources
        .iter()
        .filter(|source| is_about(source, function))
        .collect();
    for source in &ours {
        match live.event_sources.get(&source.physical_id) {
            None => findings.push(
                Finding::drift(
                    FUNCTION,
                    Severity::Medium,
                    "event-source",
                    &source.logical_id,
                    format!(
                        "the event source mapping of {} was deleted",
                        function.physical_id
                    ),
                )
                .cure("`aws lambda create-event-source-mapping`, with what was deployed"),
            ),
            Some(live) => findings.extend(compare(
                FUNCTION,
                &source.logical_id,
                &enabled_unless_told(&source.properties),
                live,
                |_| Severity::Medium,
                &format!(
                    "set it back with `aws lambda update-event-source-mapping --uuid {}`",
                    source.physical_id
                ),
            )),
        }
    }
    for (uuid, source) in &live.event_sources {
        if !ours.iter().any(|ours| ours.physical_id == *uuid) {
            findings.push(
                Finding::drift(
                    FUNCTION,
                    Severity::High,
                    "event-source",
                    &function.logical_id,
                    format!(
                        "something else feeds {}: an event source mapping that was not deployed",
                        function.physical_id
                    ),
                )
                .part(uuid)
                .expected("(none)")
                .actual(shown(&source["EventSourceArn"]))
                .cure(format!(
                    "`aws lambda delete-event-source-mapping --uuid {uuid}`"
                )),
            );
        }
    }
    findings
}

/// `Enabled` is true where a template says nothing.
fn enabled_unless_told(properties: &Value) -> Value {
    let mut properties = properties.clone();
    if properties["Enabled"].is_null() {
        properties["Enabled"] = json!(true);
    }
    properties
}

/// Reads one function; `None` where it is gone.
async fn read(client: &Client, name: &str) -> Result<Option<Live>, ServiceError> {
    let configuration = client
        .get_function_configuration()
        .function_name(name)
        .send()
        .await
        .map_err(failed_to(format!(
            "read the configuration of the function {name}"
        )));
    let configuration = match configuration {
        Err(error) if error.has_code("ResourceNotFoundException") => return Ok(None),
        configuration => configuration?,
    };
    let concurrency = client
        .get_function_concurrency()
        .function_name(name)
        .send()
        .await
        .map_err(failed_to(format!(
            "read the reserved concurrency of the function {name}"
        )))?;
    let mut properties = properties(&configuration);
    properties["ReservedConcurrentExecutions"] =
        json!(concurrency.reserved_concurrent_executions());
    let variables = configuration
        .environment()
        .and_then(|environment| environment.variables());
    Ok(Some(Live {
        code: configuration
            .code_sha256()
            .and_then(|hash| Sha256::from_base64(hash).ok()),
        properties,
        environment: json!(variables),
        statements: statements(client, name).await?,
        event_sources: event_sources(client, name).await?,
    }))
}

fn properties(live: &GetFunctionConfigurationOutput) -> Value {
    let architectures: Vec<_> = live
        .architectures()
        .iter()
        .map(|one| one.as_str())
        .collect();
    let layers: Vec<_> = live.layers().iter().map(|layer| layer.arn()).collect();
    let mut properties = json!({
        "Runtime": live.runtime().map(|runtime| runtime.as_str()),
        "Handler": live.handler(),
        "Role": live.role(),
        "MemorySize": live.memory_size(),
        "Timeout": live.timeout(),
        "Architectures": architectures,
        "Layers": layers,
    });
    if let Some(tracing) = live.tracing_config().and_then(|tracing| tracing.mode()) {
        properties["TracingConfig"] = json!({"Mode": tracing.as_str()});
    }
    if let Some(logging) = live.logging_config() {
        properties["LoggingConfig"] = json!({
            "LogFormat": logging.log_format().map(|format| format.as_str()),
            "LogGroup": logging.log_group(),
        });
    }
    properties
}

async fn statements(client: &Client, name: &str) -> Result<Vec<Value>, ServiceError> {
    let answer = client
        .get_policy()
        .function_name(name)
        .send()
        .await
        .map_err(failed_to(format!(
            "read the resource policy of the function {name}"
        )));
    let answer = match answer {
        Err(error) if error.has_code("ResourceNotFoundException") => return Ok(Vec::new()),
        answer => answer?,
    };
    let policy: Value =
        serde_json::from_str(answer.policy().unwrap_or_default()).unwrap_or_default();
    Ok(policy["Statement"].as_array().cloned().unwrap_or_default())
}

async fn event_sources(client: &Client, name: &str) -> Result<Map<String, Value>, ServiceError> {
    let answer = client
        .list_event_source_mappings()
        .function_name(name)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(failed_to(format!(
            "list the event sources of the function {name}"
        )))?;
    Ok(answer
        .into_iter()
        .filter_map(|source| {
            let state = source.state().unwrap_or_default();
            let mut properties = json!({
                "EventSourceArn": source.event_source_arn(),
                "BatchSize": source.batch_size(),
                "Enabled": !matches!(state, "Disabled" | "Disabling"),
            });
            if let Some(scaling) = source.scaling_config() {
                properties["ScalingConfig"] =
                    json!({"MaximumConcurrency": scaling.maximum_concurrency()});
            }
            Some((source.uuid()?.to_owned(), properties))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn resource(logical_id: &str, physical_id: &str, properties: Value) -> Resource {
        Resource {
            logical_id: logical_id.to_owned(),
            physical_id: physical_id.to_owned(),
            properties,
        }
    }

    fn function() -> Resource {
        resource(
            "Provisioning",
            "scim-provisioning",
            json!({
                "Code": {"S3Bucket": "b", "S3Key": format!("functions/{HASH}.zip")},
                "MemorySize": 256,
                "Role": "arn:aws:iam::444455556666:role/r",
                "Environment": {"Variables": {"LOG_LEVEL": "info", "STACK_NAME": "scim"}},
            }),
        )
    }

    fn permission() -> Resource {
        resource(
            "Permission",
            "sid-1",
            json!({
                "Action": "lambda:InvokeFunction",
                "FunctionName": "arn:aws:lambda:eu-central-1:444455556666:function:scim-provisioning",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": "arn:x",
            }),
        )
    }

    fn mapping() -> Resource {
        resource(
            "Mapping",
            "uuid-1",
            json!({"FunctionName": "scim-provisioning", "BatchSize": 1, "EventSourceArn": "arn:queue"}),
        )
    }

    fn statement(sid: &str, source: &str) -> Value {
        json!({
            "Sid": sid, "Effect": "Allow", "Action": "lambda:InvokeFunction",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Condition": {"ArnLike": {"AWS:SourceArn": source}},
        })
    }

    fn live() -> Live {
        let source = json!({"BatchSize": 1, "EventSourceArn": "arn:queue", "Enabled": true});
        Live {
            code: HASH.parse().ok(),
            properties: json!({"MemorySize": 256, "Role": "arn:aws:iam::444455556666:role/r", "Layers": []}),
            environment: json!({"LOG_LEVEL": "info", "STACK_NAME": "scim"}),
            statements: vec![statement("sid-1", "arn:x")],
            event_sources: Map::from_iter([("uuid-1".to_owned(), source)]),
        }
    }

    fn found(live: &Live) -> Vec<String> {
        findings(&function(), &[permission()], &[mapping()], live)
            .into_iter()
            .map(|finding| finding.id)
            .collect()
    }

    #[test]
    fn a_function_as_it_was_deployed_has_no_finding() {
        assert_eq!(found(&live()), Vec::<String>::new());
    }

    #[test]
    fn every_tampering_is_found_and_named() {
        type Tampering = fn(&mut Live);
        let cases: [(Tampering, &str); 12] = [
            (
                |live| live.code = "00".repeat(32).parse().ok(),
                "function.code:Provisioning",
            ),
            (|live| live.code = None, "function.code:Provisioning"),
            (
                |live| live.properties["MemorySize"] = json!(512),
                "function.MemorySize:Provisioning",
            ),
            (
                |live| live.properties["Layers"] = json!(["arn:layer"]),
                "function.Layers:Provisioning",
            ),
            (
                |live| live.environment["EXTRA"] = json!("s3cret"),
                "function.environment:Provisioning:EXTRA",
            ),
            (
                |live| live.environment["LOG_LEVEL"] = json!("s3cret"),
                "function.environment:Provisioning:LOG_LEVEL",
            ),
            (
                |live| live.environment = json!({"LOG_LEVEL": "info"}),
                "function.environment:Provisioning:STACK_NAME",
            ),
            (
                |live| live.statements.push(statement("other", "arn:x")),
                "function.caller:Provisioning:other",
            ),
            (
                |live| live.statements = vec![statement("sid-1", "arn:other")],
                "function.caller:Permission",
            ),
            (|live| live.statements.clear(), "function.caller:Permission"),
            (
                |live| live.event_sources.clear(),
                "function.event-source:Mapping",
            ),
            (
                |live| live.event_sources["uuid-1"]["Enabled"] = json!(false),
                "function.Enabled:Mapping",
            ),
        ];
        for (tamper, id) in cases {
            let mut live = live();
            tamper(&mut live);
            assert_eq!(found(&live), [id]);
        }
    }

    #[test]
    fn another_event_source_is_found() {
        let mut live = live();
        let other = json!({"EventSourceArn": "arn:other"});
        live.event_sources.insert("uuid-2".to_owned(), other);
        assert_eq!(found(&live), ["function.event-source:Provisioning:uuid-2"]);
    }

    #[test]
    fn values_of_environment_variables_are_never_told() {
        let mut live = live();
        live.environment = json!({"LOG_LEVEL": "s3cret", "EXTRA": "s3cret"});
        let findings = findings(&function(), &[permission()], &[mapping()], &live);
        assert_eq!(findings.len(), 3);
        assert!(!format!("{findings:?}").contains("s3cret"));
    }
}

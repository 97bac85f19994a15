//! Functions: their code, configuration, callers and event sources.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::client::Waiters as _;
use aws_sdk_lambda::types::{
    Environment, LogFormat, LoggingConfig, Runtime, ScalingConfig, TracingConfig, TracingMode,
};
use serde_json::Value;

use super::{known, text};
use crate::cloud::{Cloud, ServiceError, ServiceErrorKind, failed_to};
use crate::drift::{DeployedStack, Finding, shown};

/// How long a function may take to take over a change before the next one.
const PATIENCE: Duration = Duration::from_secs(120);

/// One change of a function.
#[derive(Debug, Clone, PartialEq)]
pub enum FunctionChange {
    /// Put the deployed package back.
    Code {
        /// The function's name.
        function: String,
        /// The bucket of the package.
        bucket: String,
        /// Its key.
        key: String,
    },
    /// Set the whole configuration, environment variables included.
    Configuration {
        /// The function's name.
        function: String,
        /// The properties of the template.
        properties: Value,
    },
    /// Reserve as many concurrent executions as were deployed, or none.
    Concurrency {
        /// The function's name.
        function: String,
        /// How many.
        reserved: Option<i32>,
    },
    /// Take a statement out of the resource policy.
    RemoveCaller {
        /// The function's name.
        function: String,
        /// The statement's id.
        statement: String,
    },
    /// Put a statement of the resource policy back.
    Caller {
        /// The function's name or ARN.
        function: String,
        /// The statement's id.
        statement: String,
        /// The properties of the template's permission.
        permission: Value,
    },
    /// Remove an event source mapping.
    RemoveSource {
        /// Its UUID.
        uuid: String,
    },
    /// Set an event source mapping.
    Source {
        /// Its UUID.
        uuid: String,
        /// The properties of the template.
        properties: Value,
    },
}

impl fmt::Display for FunctionChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { function, key, .. } => {
                write!(
                    formatter,
                    "put the package {key} back into the function {function}"
                )
            }
            Self::Configuration { function, .. } => write!(
                formatter,
                "set the configuration of the function {function} back, all environment variables included"
            ),
            Self::Concurrency { function, reserved } => match reserved {
                Some(reserved) => write!(
                    formatter,
                    "reserve {reserved} concurrent executions for the function {function}"
                ),
                None => write!(
                    formatter,
                    "reserve no concurrency for the function {function}"
                ),
            },
            Self::RemoveCaller {
                function,
                statement,
            } => write!(
                formatter,
                "take the statement {statement} out of the resource policy of the function {function}"
            ),
            Self::Caller {
                function,
                statement,
                ..
            } => write!(
                formatter,
                "put the statement {statement} back into the resource policy of the function {function}"
            ),
            Self::RemoveSource { uuid } => {
                write!(formatter, "remove the event source mapping {uuid}")
            }
            Self::Source { uuid, .. } => {
                write!(formatter, "set the event source mapping {uuid} back")
            }
        }
    }
}

/// What mends a finding of a function.
pub(super) fn change(finding: &Finding, stack: &DeployedStack) -> Option<FunctionChange> {
    let (resource_type, resource) = stack.resource(&finding.resource)?;
    let name = resource.physical_id.clone();
    let properties = &resource.properties;
    Some(
        match (finding.check(), resource_type.as_str(), finding.detail()) {
            ("deleted", ..) => return None,
            ("code", ..) => FunctionChange::Code {
                function: name,
                bucket: text(&properties["Code"]["S3Bucket"])?,
                key: text(&properties["Code"]["S3Key"])?,
            },
            ("ReservedConcurrentExecutions", ..) => FunctionChange::Concurrency {
                function: name,
                reserved: number(&properties["ReservedConcurrentExecutions"]),
            },
            ("caller", "AWS::Lambda::Function", Some(statement)) => FunctionChange::RemoveCaller {
                function: name,
                statement: statement.to_owned(),
            },
            ("caller", "AWS::Lambda::Permission", _) => FunctionChange::Caller {
                function: text(&properties["FunctionName"])?,
                statement: name,
                permission: known(properties)?,
            },
            ("event-source", "AWS::Lambda::Function", Some(uuid)) => FunctionChange::RemoveSource {
                uuid: uuid.to_owned(),
            },
            // Made anew it would have another UUID, of which the stack knows nothing.
            ("event-source", ..) => return None,
            // Only new code can change it.
            ("Architectures", ..) => return None,
            (_, "AWS::Lambda::EventSourceMapping", _) => FunctionChange::Source {
                uuid: name,
                properties: known(properties)?,
            },
            (_, "AWS::Lambda::Function", _) => FunctionChange::Configuration {
                function: name,
                properties: known(properties)?,
            },
            _ => return None,
        },
    )
}

/// A number, which templates may write as a text.
fn number(value: &Value) -> Option<i32> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => i32::try_from(value.as_i64()?).ok(),
    }
}

fn optional(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| shown(value))
}

impl FunctionChange {
    /// Makes the change.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached. Repeating is safe.
    pub async fn make(&self, cloud: &Cloud) -> Result<(), ServiceError> {
        let client = Client::new(cloud.config());
        match self {
            Self::Code {
                function,
                bucket,
                key,
            } => {
                settled(&client, function).await?;
                client
                    .update_function_code()
                    .function_name(function)
                    .s3_bucket(bucket)
                    .s3_key(key)
                    .send()
                    .await
                    .map_err(failed_to(format!("put {key} into the function {function}")))?;
                settled(&client, function).await
            }
            Self::Configuration {
                function,
                properties,
            } => configure(&client, function, properties).await,
            Self::Concurrency { function, reserved } => {
                let action = format!("set the reserved concurrency of the function {function}");
                match reserved {
                    Some(reserved) => client
                        .put_function_concurrency()
                        .function_name(function)
                        .reserved_concurrent_executions(*reserved)
                        .send()
                        .await
                        .map_err(failed_to(action))
                        .map(drop),
                    None => client
                        .delete_function_concurrency()
                        .function_name(function)
                        .send()
                        .await
                        .map_err(failed_to(action))
                        .map(drop),
                }
            }
            Self::RemoveCaller {
                function,
                statement,
            } => remove_caller(&client, function, statement).await,
            Self::Caller {
                function,
                statement,
                permission,
            } => {
                remove_caller(&client, function, statement).await?;
                client
                    .add_permission()
                    .function_name(function)
                    .statement_id(statement)
                    .action(shown(&permission["Action"]))
                    .principal(shown(&permission["Principal"]))
                    .set_source_arn(optional(&permission["SourceArn"]))
                    .set_source_account(optional(&permission["SourceAccount"]))
                    .send()
                    .await
                    .map_err(failed_to(format!(
                        "add the statement {statement} to the resource policy of {function}"
                    )))
                    .map(drop)
            }
            Self::RemoveSource { uuid } => client
                .delete_event_source_mapping()
                .uuid(uuid)
                .send()
                .await
                .map_err(failed_to(format!("delete the event source mapping {uuid}")))
                .map(drop),
            Self::Source { uuid, properties } => {
                let concurrency = number(&properties["ScalingConfig"]["MaximumConcurrency"]);
                client
                    .update_event_source_mapping()
                    .uuid(uuid)
                    .enabled(shown(&properties["Enabled"]) != "false")
                    .set_batch_size(number(&properties["BatchSize"]))
                    .scaling_config(
                        ScalingConfig::builder()
                            .set_maximum_concurrency(concurrency)
                            .build(),
                    )
                    .send()
                    .await
                    .map_err(failed_to(format!("set the event source mapping {uuid}")))
                    .map(drop)
            }
        }
    }
}

/// Removes a statement; one that is not there is as good.
async fn remove_caller(
    client: &Client,
    function: &str,
    statement: &str,
) -> Result<(), ServiceError> {
    let removed = client
        .remove_permission()
        .function_name(function)
        .statement_id(statement)
        .send()
        .await
        .map_err(failed_to(format!(
            "remove the statement {statement} from the resource policy of {function}"
        )));
    match removed {
        Err(error) if error.has_code("ResourceNotFoundException") => Ok(()),
        removed => removed.map(drop),
    }
}

/// Sets everything that the template says, and takes away what it does not.
async fn configure(
    client: &Client,
    function: &str,
    properties: &Value,
) -> Result<(), ServiceError> {
    settled(client, function).await?;
    let variables: HashMap<String, String> = properties["Environment"]["Variables"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), shown(value)))
        .collect();
    let layers = properties["Layers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(shown)
        .collect();
    let tracing = optional(&properties["TracingConfig"]["Mode"]);
    let tracing = tracing.map_or(TracingMode::PassThrough, |mode| {
        TracingMode::from(mode.as_str())
    });
    let logging = &properties["LoggingConfig"];
    let logging = logging.is_object().then(|| {
        LoggingConfig::builder()
            .set_log_format(
                optional(&logging["LogFormat"]).map(|format| LogFormat::from(format.as_str())),
            )
            .set_log_group(optional(&logging["LogGroup"]))
            .build()
    });
    client
        .update_function_configuration()
        .function_name(function)
        .set_runtime(optional(&properties["Runtime"]).map(|name| Runtime::from(name.as_str())))
        .set_handler(optional(&properties["Handler"]))
        .set_role(optional(&properties["Role"]))
        .set_memory_size(number(&properties["MemorySize"]))
        .set_timeout(number(&properties["Timeout"]))
        .set_layers(Some(layers))
        .environment(
            Environment::builder()
                .set_variables(Some(variables))
                .build(),
        )
        .tracing_config(TracingConfig::builder().mode(tracing).build())
        .set_logging_config(logging)
        .send()
        .await
        .map_err(failed_to(format!(
            "set the configuration of the function {function}"
        )))?;
    settled(client, function).await
}

/// Waits until a function has taken over its last change; before, Lambda refuses the next.
async fn settled(client: &Client, function: &str) -> Result<(), ServiceError> {
    client
        .wait_until_function_updated_v2()
        .function_name(function)
        .wait(PATIENCE)
        .await
        .map(drop)
        .map_err(|error| ServiceError {
            action: format!("wait for the function {function}"),
            kind: ServiceErrorKind::Refused,
            code: None,
            message: error.to_string(),
        })
}

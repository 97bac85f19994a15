//! The event that CloudFormation sends to a custom resource.
//!
//! It is read in two steps, because an answer is owed even when the event makes no
//! sense: the [`Envelope`] takes whatever an answer needs and is there, the
//! [`Operation`] insists on what the work needs.
//!
//! Source: AWS CloudFormation User Guide, "Custom resource request objects".

use serde_json::Value;
use thiserror::Error;

/// No identifier of CloudFormation's is longer (a stack ARN has at most about 250 bytes).
/// What is longer is not echoed, or the answer could outgrow its own limit.
const LONGEST_IDENTIFIER: usize = 512;

/// CloudFormation takes physical ids of at most 1 KiB.
const LONGEST_PHYSICAL_ID: usize = 1024;

/// The longest parameter name that SSM takes for a caller of its own account.
const LONGEST_PARAMETER_NAME: usize = 1011;

/// What an answer to CloudFormation is made of. Whatever the event lacks is empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Where to PUT the answer: a presigned URL, and so a credential that is never logged.
    pub response_url: Option<String>,
    /// The stack's ARN.
    pub stack_id: String,
    /// The id of this request; a retried event carries the same.
    pub request_id: String,
    /// The resource's name in the template.
    pub logical_resource_id: String,
    /// The id that an earlier answer gave to the resource; absent on `Create`.
    pub physical_resource_id: Option<String>,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Envelope")
            .field("stack_id", &self.stack_id)
            .field("request_id", &self.request_id)
            .field("logical_resource_id", &self.logical_resource_id)
            .field("physical_resource_id", &self.physical_resource_id)
            .finish_non_exhaustive()
    }
}

impl Envelope {
    /// Takes what there is; nothing in `event` can make this fail.
    pub fn read(event: &Value) -> Self {
        let identifier = |name| identifier(event, name, LONGEST_IDENTIFIER);
        Self {
            response_url: event
                .get("ResponseURL")
                .and_then(Value::as_str)
                .filter(|url| !url.is_empty())
                .map(str::to_owned),
            stack_id: identifier("StackId").unwrap_or_default(),
            request_id: identifier("RequestId").unwrap_or_default(),
            logical_resource_id: identifier("LogicalResourceId").unwrap_or_default(),
            physical_resource_id: self::identifier(
                event,
                "PhysicalResourceId",
                LONGEST_PHYSICAL_ID,
            ),
        }
    }
}

fn identifier(event: &Value, name: &str, longest: usize) -> Option<String> {
    let text = event.get(name)?.as_str()?;
    let plain = !text.is_empty()
        && text.len() <= longest
        && !text
            .chars()
            .any(|character| character.is_control() || matches!(character, '"' | '\\'));
    plain.then(|| text.to_owned())
}

/// What CloudFormation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The resource is new in the stack.
    Create(Properties),
    /// The resource's properties changed (or the stack is rolled back to these).
    Update {
        /// The name of the parameter that the resource stands for so far.
        physical_resource_id: String,
        /// The generation so far; 0 if the event does not tell.
        previous_generation: u64,
        /// What the template asks for now.
        requested: Properties,
    },
    /// The resource leaves the stack, or was replaced by one of another name.
    Delete {
        /// The name of the parameter, or an id that CloudFormation made up because
        /// the creation was never answered; absent from a malformed event.
        physical_resource_id: Option<String>,
        /// `ParameterName` of the template.
        parameter_name: Option<String>,
    },
}

/// The properties of `Custom::ScimToken`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    /// `ParameterName`: the name of the SSM parameter.
    pub parameter_name: ParameterName,
    /// `Client`: whose token it is.
    pub client: String,
    /// `Generation`: a higher number than before asks for a new token.
    pub generation: u64,
}

/// A parameter name that SSM will take: `[A-Za-z0-9_.-/]`, at most 1,011 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterName(String);

impl ParameterName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`MalformedEvent::ParameterName`].
    pub fn parse(name: &str) -> Result<Self, MalformedEvent> {
        let good = !name.is_empty()
            && name.len() <= LONGEST_PARAMETER_NAME
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte));
        if good {
            Ok(Self(name.to_owned()))
        } else {
            Err(MalformedEvent::ParameterName)
        }
    }
}

/// The event cannot be acted on. The texts name properties, never quote values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MalformedEvent {
    /// `RequestType` is absent or unknown.
    #[error("RequestType must be Create, Update or Delete")]
    RequestType,
    /// An update that does not say of what.
    #[error("an Update must carry the PhysicalResourceId of the resource")]
    PhysicalResourceId,
    /// A parameter name that SSM refuses.
    #[error(
        "the property ParameterName must be an SSM parameter name: letters, digits and _.-/ only, at most 1011 characters"
    )]
    ParameterName,
    /// No client.
    #[error("the property Client must name the client whose token this is")]
    Client,
    /// Not a whole number.
    #[error("the property Generation must be a whole number")]
    Generation,
}

impl Operation {
    /// Reads what CloudFormation asks for.
    ///
    /// # Errors
    ///
    /// What is missing or wrong. A `Delete` is never malformed: refusing one would
    /// leave the stack stuck in `DELETE_FAILED`.
    pub fn read(event: &Value) -> Result<Self, MalformedEvent> {
        let physical_resource_id = Envelope::read(event).physical_resource_id;
        let properties = &event["ResourceProperties"];
        match event["RequestType"].as_str() {
            Some("Create") => Ok(Self::Create(Properties::read(properties)?)),
            Some("Update") => Ok(Self::Update {
                physical_resource_id: physical_resource_id
                    .ok_or(MalformedEvent::PhysicalResourceId)?,
                previous_generation: generation(&event["OldResourceProperties"]).unwrap_or(0),
                requested: Properties::read(properties)?,
            }),
            Some("Delete") => Ok(Self::Delete {
                physical_resource_id,
                parameter_name: properties["ParameterName"].as_str().map(str::to_owned),
            }),
            _ => Err(MalformedEvent::RequestType),
        }
    }
}

impl Properties {
    fn read(properties: &Value) -> Result<Self, MalformedEvent> {
        Ok(Self {
            parameter_name: ParameterName::parse(
                properties["ParameterName"]
                    .as_str()
                    .ok_or(MalformedEvent::ParameterName)?,
            )?,
            client: properties["Client"]
                .as_str()
                .filter(|client| !client.is_empty())
                .ok_or(MalformedEvent::Client)?
                .to_owned(),
            generation: generation(properties)?,
        })
    }
}

/// CloudFormation turns numbers into strings on their way to a custom resource.
fn generation(properties: &Value) -> Result<u64, MalformedEvent> {
    match &properties["Generation"] {
        Value::Null => Ok(0),
        Value::String(digits) => digits.parse().map_err(|_| MalformedEvent::Generation),
        Value::Number(number) => number.as_u64().ok_or(MalformedEvent::Generation),
        _ => Err(MalformedEvent::Generation),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(request_type: &str) -> Value {
        json!({
            "RequestType": request_type,
            "RequestId": "6b0c5f0e",
            "StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/1",
            "LogicalResourceId": "TokenIdp",
            "ResponseURL": "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=abc",
            "ResourceProperties": {
                "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:token-generator",
                "ServiceTimeout": "60",
                "ParameterName": "/connect-scim/dev/token/idp",
                "Client": "idp",
                "Generation": "1"
            }
        })
    }

    #[test]
    fn a_create_is_read() {
        assert_eq!(
            Operation::read(&event("Create")),
            Ok(Operation::Create(Properties {
                parameter_name: ParameterName("/connect-scim/dev/token/idp".into()),
                client: "idp".into(),
                generation: 1,
            }))
        );
    }

    #[test]
    fn a_generation_is_read_as_a_number_too_and_its_absence_is_zero() {
        for (value, expected) in [
            (json!(3), Ok(3)),
            (json!("3"), Ok(3)),
            (Value::Null, Ok(0)),
            (json!("three"), Err(MalformedEvent::Generation)),
            (json!(-1), Err(MalformedEvent::Generation)),
            (json!(["1"]), Err(MalformedEvent::Generation)),
        ] {
            let mut event = event("Create");
            event["ResourceProperties"]["Generation"] = value.clone();
            let read = Operation::read(&event).map(|operation| match operation {
                Operation::Create(properties) => properties.generation,
                other => panic!("{other:?}"),
            });
            assert_eq!(read, expected, "{value}");
        }
    }

    #[test]
    fn what_the_work_needs_is_insisted_on() {
        for (path, value, expected) in [
            (
                "/RequestType",
                json!("Replace"),
                MalformedEvent::RequestType,
            ),
            ("/RequestType", Value::Null, MalformedEvent::RequestType),
            (
                "/ResourceProperties",
                json!([]),
                MalformedEvent::ParameterName,
            ),
            (
                "/ResourceProperties/ParameterName",
                json!(""),
                MalformedEvent::ParameterName,
            ),
            (
                "/ResourceProperties/ParameterName",
                json!("/a:1"),
                MalformedEvent::ParameterName,
            ),
            (
                "/ResourceProperties/ParameterName",
                json!("/a b"),
                MalformedEvent::ParameterName,
            ),
            (
                "/ResourceProperties/ParameterName",
                json!("/".repeat(1012)),
                MalformedEvent::ParameterName,
            ),
            (
                "/ResourceProperties/Client",
                json!(7),
                MalformedEvent::Client,
            ),
        ] {
            let mut event = event("Create");
            *event.pointer_mut(path).unwrap() = value;
            assert_eq!(Operation::read(&event), Err(expected), "{path}");
        }
        assert_eq!(
            Operation::read(&event("Update")),
            Err(MalformedEvent::PhysicalResourceId)
        );
    }

    #[test]
    fn a_delete_is_understood_however_little_it_says() {
        assert_eq!(
            Operation::read(&json!({"RequestType": "Delete"})),
            Ok(Operation::Delete {
                physical_resource_id: None,
                parameter_name: None
            })
        );
    }

    #[test]
    fn an_envelope_is_read_from_anything() {
        for event in [json!(null), json!([1]), json!("x"), json!({"StackId": {}})] {
            assert_eq!(Envelope::read(&event), Envelope::default(), "{event}");
        }
        let envelope = Envelope::read(&json!({
            "ResponseURL": "http://127.0.0.1/x",
            "RequestId": "r",
            "StackId": "s".repeat(513),
            "LogicalResourceId": "a\u{0}b"
        }));
        assert_eq!(envelope.response_url.as_deref(), Some("http://127.0.0.1/x"));
        assert_eq!(envelope.request_id, "r");
        assert_eq!(envelope.stack_id, "");
        assert_eq!(envelope.logical_resource_id, "");
    }

    #[test]
    fn the_presigned_url_is_not_in_debug_output() {
        let envelope = Envelope::read(&event("Create"));
        assert!(!format!("{envelope:?}").contains("Signature"));
    }
}

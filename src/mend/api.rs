//! The REST API: its settings, methods, stages, authorizers, gateway responses and usage
//! plans.
//!
//! Callers meet the snapshot that a stage serves, and a snapshot never changes. So it is
//! enough to set what lies behind the next snapshot back, and to point the stage at the
//! stack's deployment; nothing is deployed anew.

mod calls;

use std::fmt;

use serde_json::Value;

use super::{known, text};
use crate::drift::{DeployedStack, Finding};

/// One change of an API.
#[derive(Debug, Clone, PartialEq)]
pub enum ApiChange {
    /// Set where an API key is taken from.
    KeySource {
        /// The API's id.
        api: String,
        /// `AUTHORIZER` or `HEADER`.
        source: String,
    },
    /// Set the resource policy, or take it away.
    Policy {
        /// The API's id.
        api: String,
        /// The policy document; null for none.
        document: Value,
    },
    /// Make a method as it was deployed, in the place of the one that is there.
    Method {
        /// The API's id.
        api: String,
        /// The id of the method's resource.
        resource: String,
        /// The properties of the template.
        properties: Value,
    },
    /// Remove a method, and its path if nothing else is under it.
    RemoveMethod {
        /// The API's id.
        api: String,
        /// Verb and path: `GET /open`.
        method: String,
    },
    /// Set a stage, or make it again.
    Stage {
        /// The API's id.
        api: String,
        /// The stage's name.
        stage: String,
        /// The properties of the template.
        properties: Value,
    },
    /// Remove a stage.
    RemoveStage {
        /// The API's id.
        api: String,
        /// The stage's name.
        stage: String,
    },
    /// Set an authorizer.
    Authorizer {
        /// The API's id.
        api: String,
        /// The authorizer's id.
        authorizer: String,
        /// The property of the template.
        property: &'static str,
        /// Its value.
        value: String,
    },
    /// Remove an authorizer.
    RemoveAuthorizer {
        /// The API's id.
        api: String,
        /// The authorizer's id.
        authorizer: String,
    },
    /// Put a gateway response.
    GatewayResponse {
        /// The API's id.
        api: String,
        /// Which error it answers.
        response: String,
        /// The properties of the template.
        properties: Value,
    },
    /// Remove a gateway response.
    RemoveGatewayResponse {
        /// The API's id.
        api: String,
        /// Which error it answers.
        response: String,
    },
    /// Set a usage plan's limits and stages.
    UsagePlan {
        /// The plan's id.
        plan: String,
        /// The properties of the template.
        properties: Value,
    },
    /// Take this API out of a usage plan, which goes if it has no other.
    RemoveUsagePlan {
        /// The API's id.
        api: String,
        /// The plan's id.
        plan: String,
    },
}

/// The properties of an authorizer that can be set, each with its place in a patch.
const AUTHORIZER: [(&str, &str); 4] = [
    ("AuthorizerUri", "/authorizerUri"),
    ("IdentitySource", "/identitySource"),
    (
        "IdentityValidationExpression",
        "/identityValidationExpression",
    ),
    (
        "AuthorizerResultTtlInSeconds",
        "/authorizerResultTtlInSeconds",
    ),
];

impl fmt::Display for ApiChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeySource { api, source } => {
                write!(formatter, "take the API {api}'s key from {source} again")
            }
            Self::Policy { api, document } if document.is_null() => {
                write!(formatter, "take the resource policy of the API {api} away")
            }
            Self::Policy { api, .. } => {
                write!(formatter, "set the resource policy of the API {api} back")
            }
            Self::Method {
                api, properties, ..
            } => write!(
                formatter,
                "make the method {} of the API {api} again as it was deployed",
                properties["HttpMethod"].as_str().unwrap_or_default()
            ),
            Self::RemoveMethod { api, method } => {
                write!(formatter, "remove the method {method} from the API {api}")
            }
            Self::Stage {
                stage, properties, ..
            } => write!(
                formatter,
                "point the stage {stage} at the deployment {} and set its settings back",
                properties["DeploymentId"].as_str().unwrap_or_default()
            ),
            Self::RemoveStage { api, stage } => {
                write!(formatter, "remove the stage {stage} from the API {api}")
            }
            Self::Authorizer {
                authorizer,
                property,
                ..
            } => write!(
                formatter,
                "set {property} of the authorizer {authorizer} back"
            ),
            Self::RemoveAuthorizer { api, authorizer } => write!(
                formatter,
                "remove the authorizer {authorizer} from the API {api}"
            ),
            Self::GatewayResponse { api, response, .. } => write!(
                formatter,
                "set the gateway response {response} of the API {api} back"
            ),
            Self::RemoveGatewayResponse { api, response } => write!(
                formatter,
                "remove the gateway response {response} from the API {api}"
            ),
            Self::UsagePlan { plan, .. } => write!(formatter, "set the usage plan {plan} back"),
            Self::RemoveUsagePlan { api, plan } => write!(
                formatter,
                "take the API {api} out of the usage plan {plan}, which goes if it has no other"
            ),
        }
    }
}

/// What mends a finding of the API.
pub(super) fn change(finding: &Finding, stack: &DeployedStack) -> Option<ApiChange> {
    let (resource_type, resource) = stack.resource(&finding.resource)?;
    let id = resource.physical_id.clone();
    let properties = &resource.properties;
    let check = finding.check();
    match (resource_type.as_str(), finding.detail()) {
        ("AWS::ApiGateway::RestApi", Some(added)) => added_to(check, id, added.to_owned()),
        ("AWS::ApiGateway::RestApi", None) => match check {
            "ApiKeySourceType" => Some(ApiChange::KeySource {
                source: text(&properties["ApiKeySourceType"])?,
                api: id,
            }),
            "Policy" => Some(ApiChange::Policy {
                api: id,
                document: known(&properties["Policy"])?,
            }),
            _ => None,
        },
        ("AWS::ApiGateway::Method", _) => Some(ApiChange::Method {
            api: text(&properties["RestApiId"])?,
            resource: text(&properties["ResourceId"])?,
            properties: known(properties)?,
        }),
        ("AWS::ApiGateway::Stage", _) => Some(ApiChange::Stage {
            api: text(&properties["RestApiId"])?,
            stage: id,
            properties: known(properties)?,
        }),
        // Made anew it would have another id, of which the stack knows nothing.
        ("AWS::ApiGateway::Authorizer", _) => {
            let (property, _) = AUTHORIZER.into_iter().find(|(name, _)| *name == check)?;
            Some(ApiChange::Authorizer {
                api: text(&properties["RestApiId"])?,
                authorizer: id,
                property,
                value: crate::drift::shown(&known(&properties[property])?),
            })
        }
        ("AWS::ApiGateway::GatewayResponse", _) => Some(ApiChange::GatewayResponse {
            api: text(&properties["RestApiId"])?,
            response: text(&properties["ResponseType"])?,
            properties: known(properties)?,
        }),
        ("AWS::ApiGateway::UsagePlan", _) => Some(ApiChange::UsagePlan {
            plan: id,
            properties: known(properties)?,
        }),
        _ => None,
    }
}

/// What somebody added to an API is removed.
fn added_to(check: &str, api: String, added: String) -> Option<ApiChange> {
    Some(match check {
        "method" => ApiChange::RemoveMethod { api, method: added },
        "stage" => ApiChange::RemoveStage { api, stage: added },
        "authorizer" => ApiChange::RemoveAuthorizer {
            api,
            authorizer: added,
        },
        "gateway-response" => ApiChange::RemoveGatewayResponse {
            api,
            response: added,
        },
        "usage-plan" => ApiChange::RemoveUsagePlan { api, plan: added },
        _ => return None,
    })
}

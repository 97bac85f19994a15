//! The event of a TOKEN authorizer and the answer to it.
//!
//! Source: Amazon API Gateway Developer Guide, "Input to an API Gateway Lambda
//! authorizer" and "Output from an API Gateway Lambda authorizer".

use serde::{Deserialize, Serialize};

use crate::clients::Client;

/// What API Gateway asks.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerEvent {
    /// The `Authorization` header, whole.
    #[serde(default)]
    pub authorization_token: String,
    /// `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH` of the request.
    #[serde(default)]
    pub method_arn: String,
}

impl std::fmt::Debug for AuthorizerEvent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AuthorizerEvent")
            .field("method_arn", &self.method_arn)
            .finish_non_exhaustive()
    }
}

/// The whole stage of a request, as a resource of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageArn(String);

impl StageArn {
    /// Takes the API and the stage from the ARN of a method.
    ///
    /// API Gateway caches the policy per token, not per path: a policy for the one method
    /// would refuse the client's next request to another.
    pub fn of_method(method_arn: &str) -> Option<Self> {
        let resource = method_arn.splitn(6, ':').nth(5)?;
        let (api, rest) = resource.split_once('/')?;
        let (stage, _) = rest.split_once('/')?;
        if !method_arn.starts_with("arn:") || api.is_empty() || stage.is_empty() {
            return None;
        }
        let prefix = &method_arn[..method_arn.len() - resource.len()];
        Some(Self(format!("{prefix}{api}/{stage}/*/*")))
    }
}

/// The answer that lets a request in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Allow {
    principal_id: String,
    policy_document: PolicyDocument,
    context: Context,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_identifier_key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

/// What the integration sees below `requestContext.authorizer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Context {
    client: String,
}

impl Allow {
    /// Lets `client` use every method of the stage.
    pub fn new(client: &Client, stage: StageArn) -> Self {
        Self {
            principal_id: client.name.clone(),
            policy_document: PolicyDocument {
                version: "2012-10-17",
                statement: [Statement {
                    action: "execute-api:Invoke",
                    effect: "Allow",
                    resource: stage.0,
                }],
            },
            context: Context {
                client: client.name.clone(),
            },
            usage_identifier_key: client.usage_identifier_key.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clients::SignIn;

    #[test]
    fn a_method_arn_becomes_the_arn_of_its_stage() {
        for (method, expected) in [
            (
                "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/dev/GET/scim/v2/Users",
                Some("arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/dev/*/*"),
            ),
            (
                "arn:aws-us-gov:execute-api:us-gov-west-1:111122223333:a1b2c3/dev/POST/",
                Some("arn:aws-us-gov:execute-api:us-gov-west-1:111122223333:a1b2c3/dev/*/*"),
            ),
            (
                "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/dev/GET/a:b",
                Some("arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/dev/*/*"),
            ),
            (
                "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/dev",
                None,
            ),
            (
                "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3//GET/",
                None,
            ),
            (
                "arn:aws:execute-api:eu-central-1:111122223333:/dev/GET/",
                None,
            ),
            ("a:b:c:d:e:api/dev/GET/", None),
            ("", None),
        ] {
            assert_eq!(
                StageArn::of_method(method),
                expected.map(|arn| StageArn(arn.into())),
                "{method}"
            );
        }
    }

    #[test]
    fn the_answer_has_the_shape_that_api_gateway_takes() {
        let client = Client {
            name: "idp".into(),
            sign_in: SignIn::Token {
                parameter_name: "/token/idp".into(),
            },
            usage_identifier_key: Some("0a1b-idp".into()),
        };
        let stage = StageArn("arn:aws:execute-api:r:a:api/dev/*/*".into());
        assert_eq!(
            serde_json::to_value(Allow::new(&client, stage)).unwrap(),
            json!({
                "principalId": "idp",
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Action": "execute-api:Invoke",
                        "Effect": "Allow",
                        "Resource": "arn:aws:execute-api:r:a:api/dev/*/*"
                    }]
                },
                "context": {"client": "idp"},
                "usageIdentifierKey": "0a1b-idp"
            })
        );
    }

    #[test]
    fn a_client_without_an_api_key_has_none_in_the_answer() {
        let client = Client {
            name: "idp".into(),
            sign_in: SignIn::Token {
                parameter_name: "/token/idp".into(),
            },
            usage_identifier_key: None,
        };
        let answer = serde_json::to_value(Allow::new(&client, StageArn("x".into()))).unwrap();
        assert!(answer.get("usageIdentifierKey").is_none());
    }

    #[test]
    fn the_token_is_not_in_the_debug_output_of_the_event() {
        let event: AuthorizerEvent = serde_json::from_value(json!({
            "type": "TOKEN",
            "authorizationToken": "Bearer canary",
            "methodArn": "arn"
        }))
        .unwrap();
        assert!(!format!("{event:?}").contains("canary"));
    }
}

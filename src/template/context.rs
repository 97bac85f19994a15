//! What the templates see.

use serde::Serialize;
use serde_json::Value;

use super::snapshot::Snapshot;
use super::{CodeLocations, Error, LocalCloud, Options};
use crate::environment::{
    Connect, EndpointType, Environment, IdentityManagement, Jwt, UnmappedGroups,
};
use crate::guardrail::{self, Names, Protected, Unfit};

/// The variables of the templates. Texts with `${…}` in them are made for `Fn::Sub`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Context<'a> {
    /// The environment file, defaults filled in.
    environment: Value,
    endpoint_type: &'static str,
    identity_management: &'static str,
    /// JSON, where it differs from what is usual.
    attribute_mapping: Option<String>,
    /// A JSON object: the security profiles of each mapped group.
    group_mapping: Option<String>,
    accept_unmapped_groups: bool,
    clients: Vec<Client<'a>>,
    /// The function's `CLIENTS`: names with commas between them.
    client_names: String,
    /// For Fn::Sub with `StackUuid`: the authorizer's `TOKEN_CLIENTS`.
    token_clients: String,
    /// Whether some client has a token that is no JWT.
    has_token_client: bool,
    /// Whether some client's token is in an SSM parameter.
    has_parameter_client: bool,
    has_jwt_client: bool,
    code: &'a CodeLocations,
    local: Option<&'a LocalCloud>,
    /// For Fn::Sub, if it has variables: the URL of the stage.
    base_url: String,
    base_url_has_variables: bool,
    /// The URL of the stage with `{apiId}` and `{stage}`, where the function cannot
    /// derive it from its requests.
    function_base_url: Option<&'a str>,
    /// For Fn::Sub.
    connect_instance_arn: String,
    /// For Fn::Sub: the path above the tokens, without `/` at the end.
    token_path_arn: String,
    account_logging_role: bool,
    pending_max_seconds: u32,
    guardrail: Guardrail,
    /// Where somebody is to be told of edits by others than the endpoint.
    user_edits: Option<UserEdits>,
    pub(super) snapshot: Snapshot,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Client<'a> {
    name: &'a str,
    /// The name as part of a logical id.
    id: String,
    /// Whether the token generator makes the token.
    generated: bool,
    /// Where the token is, if that is a parameter.
    parameter_name: Option<String>,
    /// For Fn::Sub.
    parameter_arn: Option<String>,
    secret_arn: Option<&'a str>,
    secret_key: Option<&'a str>,
    kms_key_arn: Option<&'a str>,
    throttle: crate::environment::Throttle,
    quota: Option<crate::environment::Quota>,
    token_generation: u32,
    /// In place of a token.
    jwt: Option<&'a Jwt>,
}

/// A client as the authorizer is told of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenClient<'a> {
    client: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<&'a str>,
    usage_identifier_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt: Option<&'a Jwt>,
}

#[derive(Debug, Serialize)]
struct Guardrail {
    /// For Fn::Sub.
    statements: Vec<guardrail::Statement>,
    /// Those of the one for use as a permissions boundary, if there is one.
    boundary: Option<Vec<guardrail::Statement>>,
}

/// The calls of Amazon Connect that edit users or what they may do, as CloudTrail names them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserEdits {
    event_names: Vec<&'static str>,
    event_name_prefixes: Vec<&'static str>,
}

impl UserEdits {
    /// Those that the guardrail denies: an event has the name of its IAM action. Operations
    /// that edit users may appear before their actions are documented.
    fn new() -> Self {
        const FUTURE: &str = "UpdateUser";
        let names = guardrail::USER_EDITS.iter();
        let names = names.map(|edit| edit.action.trim_start_matches("connect:"));
        Self {
            event_names: names.filter(|name| !name.starts_with(FUTURE)).collect(),
            event_name_prefixes: vec![FUTURE],
        }
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(
        environment: &'a Environment,
        code: &'a CodeLocations,
        options: &'a Options,
    ) -> Result<Self, Error> {
        let connect = environment.connect()?;
        let connect_instance_arn = format!(
            "arn:${{AWS::Partition}}:connect:${{AWS::Region}}:${{AWS::AccountId}}:instance/{}",
            connect.instance_id
        );
        let token_path = environment.token_path();
        let token_path_arn = parameter_arn(&token_path);
        let local = options.local_cloud.as_ref();
        let base_url_pattern = environment
            .api
            .base_url
            .as_ref()
            .map(AsRef::as_ref)
            .or(local.map(|local| local.base_url.as_str()));
        let clients = clients(environment, &token_path);
        let base_url = base_url(base_url_pattern, environment.stage.as_ref());
        Ok(Self {
            environment: serde_json::to_value(environment).map_err(Error::Environment)?,
            endpoint_type: match environment.api.endpoint_type {
                EndpointType::Regional => "REGIONAL",
                EndpointType::Edge => "EDGE",
            },
            identity_management: match connect.identity_management {
                IdentityManagement::Saml => "SAML",
                IdentityManagement::ConnectManaged => "CONNECT_MANAGED",
            },
            attribute_mapping: environment.provisioning.attributes.differences(),
            group_mapping: environment.provisioning.group_mapping(),
            accept_unmapped_groups: environment.provisioning.unmapped_groups
                == UnmappedGroups::Accept,
            client_names: names(&clients),
            token_clients: token_clients(&clients)?,
            has_token_client: clients.iter().any(|client| client.jwt.is_none()),
            has_parameter_client: clients.iter().any(|client| client.parameter_name.is_some()),
            has_jwt_client: clients.iter().any(|client| client.jwt.is_some()),
            clients,
            code,
            local,
            base_url_has_variables: base_url.contains("${"),
            base_url,
            function_base_url: base_url_pattern,
            guardrail: Guardrail::new(environment, connect)?,
            user_edits: environment.drift.watch.as_ref().map(|_| UserEdits::new()),
            connect_instance_arn,
            token_path_arn,
            account_logging_role: options.account_logging_role,
            pending_max_seconds: environment.alarms.pending_max_minutes.get() * 60,
            snapshot: Snapshot::default(),
        })
    }
}

/// For Fn::Sub: the ARN of an SSM parameter whose name begins with `/`.
fn parameter_arn(name: &str) -> String {
    format!("arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter{name}")
}

/// For Fn::Sub: the URL of the stage. A pattern's own `${` is kept from Fn::Sub.
fn base_url(pattern: Option<&str>, stage: &str) -> String {
    match pattern {
        Some(pattern) => pattern
            .replace("${", "${!")
            .replace("{apiId}", "${RestApi}")
            .replace("{stage}", stage),
        None => {
            format!("https://${{RestApi}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{stage}")
        }
    }
}

fn clients<'a>(environment: &'a Environment, token_path: &str) -> Vec<Client<'a>> {
    environment
        .clients
        .iter()
        .map(|(name, client)| {
            let name = name.as_ref();
            let generated = client.jwt.is_none() && client.token.is_none();
            let external = client.token.as_ref();
            let parameter_name = if generated {
                Some(format!("{token_path}/{name}"))
            } else {
                external
                    .and_then(|token| token.parameter_name.as_ref())
                    .map(ToString::to_string)
            };
            Client {
                name,
                id: logical_id(name),
                generated,
                parameter_arn: parameter_name.as_deref().map(parameter_arn),
                parameter_name,
                secret_arn: external.and_then(|token| Some(token.secret_arn.as_ref()?.get())),
                secret_key: external.and_then(|token| Some(token.secret_key.as_ref()?.get())),
                kms_key_arn: external.and_then(|token| Some(token.kms_key_arn.as_ref()?.get())),
                throttle: client.throttle.unwrap_or(environment.api.throttle),
                quota: client.quota.or(environment.api.quota),
                token_generation: client.token_generation,
                jwt: client.jwt.as_ref(),
            }
        })
        .collect()
}

fn names(clients: &[Client<'_>]) -> String {
    let names: Vec<&str> = clients.iter().map(|client| client.name).collect();
    names.join(",")
}

/// JSON with the one variable `StackUuid` for Fn::Sub; what looks like another one in an
/// audience stays as it is.
fn token_clients(clients: &[Client<'_>]) -> Result<String, Error> {
    let clients: Vec<_> = clients
        .iter()
        .map(|client| TokenClient {
            client: client.name,
            parameter_name: client.parameter_name.as_deref(),
            secret_arn: client.secret_arn,
            secret_key: client.secret_key,
            usage_identifier_key: format!("StackUuid-{}", client.name),
            jwt: client.jwt,
        })
        .collect();
    let json = serde_json::to_string(&clients).map_err(Error::Environment)?;
    Ok(json.replace("${", "${!").replace(
        r#""usageIdentifierKey":"StackUuid-"#,
        r#""usageIdentifierKey":"${StackUuid}-"#,
    ))
}

/// A client's name as part of a logical id, which takes letters and digits only:
/// `okta-eu` becomes `OktaEu`. The environment has no two names that come to the same.
fn logical_id(name: &str) -> String {
    name.split(|character: char| !character.is_ascii_alphanumeric())
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<Vec<_>>()
        })
        .collect()
}

impl Guardrail {
    fn new(environment: &Environment, connect: &Connect) -> Result<Self, Error> {
        guardrail::fits(environment, connect)?;
        // A policy variable, such as ${aws:username}, is not a variable of Fn::Sub.
        let literal = |text: &str| text.replace("${", "${!");
        let resource = |id: &str| {
            Some(match id {
                "ReconcileQueue" | "ReconcileDeadLetterQueue" => format!("${{{id}.QueueName}}"),
                id => format!("${{{id}}}"),
            })
        };
        let names = Names {
            partition: "${AWS::Partition}",
            region: "${AWS::Region}",
            account: "${AWS::AccountId}",
            stack: "${AWS::StackName}",
            resource: &resource,
            literal: &literal,
        };
        let exceptions = names.exceptions(environment).map_err(Unfit::from)?;
        let protected = Protected::new(environment, connect, &names, &exceptions);
        let protected = protected.map_err(Unfit::from)?;
        let bounds = !environment.guardrails.boundary_of.is_empty();
        Ok(Self {
            statements: guardrail::statements(&protected, &exceptions),
            boundary: bounds.then(|| guardrail::boundary_statements(&protected, &exceptions)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_name_becomes_part_of_a_logical_id() {
        for (name, id) in [("idp", "Idp"), ("okta-eu", "OktaEu"), ("entra2", "Entra2")] {
            assert_eq!(logical_id(name), id);
        }
    }

    #[test]
    fn a_base_url_names_the_api_and_the_stage() {
        assert_eq!(
            base_url(None, "prod"),
            "https://${RestApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod"
        );
        assert_eq!(
            base_url(
                Some("http://127.0.0.1:1/restapis/{apiId}/{stage}/_user_request_"),
                "dev"
            ),
            "http://127.0.0.1:1/restapis/${RestApi}/dev/_user_request_"
        );
        assert_eq!(base_url(Some("https://a/${b}"), "dev"), "https://a/${!b}");
    }
}

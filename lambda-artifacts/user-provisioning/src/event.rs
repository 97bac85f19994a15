//! API Gateway's proxy event (payload format 1.0) and the answer to it.
//!
//! Source: "Set up Lambda proxy integrations in API Gateway", input and output format.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use scim::protocol::{HttpRequest, Response};
use serde::{Deserialize, Deserializer, Serialize};

/// The parts of a proxy event that are used. It has no `Debug`: it holds the token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyEvent {
    /// The method in capitals.
    pub http_method: String,
    /// The path without the stage; with a base path mapping, with the base path.
    pub path: String,
    /// The headers, each name with all its values.
    #[serde(default, deserialize_with = "null_as_default")]
    pub multi_value_headers: BTreeMap<String, Vec<String>>,
    /// The query parameters, decoded, each name with all its values.
    #[serde(default, deserialize_with = "null_as_default")]
    pub multi_value_query_string_parameters: BTreeMap<String, Vec<String>>,
    /// `Users`: the path behind the API's root, still percent-encoded.
    #[serde(default, deserialize_with = "null_as_default")]
    pub path_parameters: BTreeMap<String, String>,
    /// What API Gateway knows of the request.
    #[serde(default, deserialize_with = "null_as_default")]
    pub request_context: RequestContext,
    /// The body.
    #[serde(default)]
    pub body: Option<String>,
    /// Whether the body is in base64.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_base64_encoded: bool,
}

/// What API Gateway knows of a request.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestContext {
    /// API Gateway's id of the request.
    #[serde(deserialize_with = "null_as_default")]
    pub request_id: String,
    /// The API.
    #[serde(deserialize_with = "null_as_default")]
    pub api_id: String,
    /// The stage.
    #[serde(deserialize_with = "null_as_default")]
    pub stage: String,
    /// The host that the client called.
    #[serde(deserialize_with = "null_as_default")]
    pub domain_name: String,
    /// The path that the client called, with the stage or the base path.
    #[serde(deserialize_with = "null_as_default")]
    pub path: String,
    /// What the token authorizer said.
    #[serde(deserialize_with = "null_as_default")]
    pub authorizer: Authorizer,
}

/// What the token authorizer said.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Authorizer {
    /// The name of the client.
    #[serde(deserialize_with = "null_as_default")]
    pub principal_id: String,
}

/// API Gateway writes `null` for what is not there.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The answer to a proxy event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyResponse {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<&'static str, String>,
    /// The body.
    pub body: String,
    /// Always false.
    pub is_base64_encoded: bool,
}

impl ProxyEvent {
    /// The path behind the API's root.
    fn scim_path(&self) -> &str {
        self.path_parameters
            .get("Users")
            .map_or(&self.path, |rest| rest)
    }

    /// The client's name.
    pub fn client(&self) -> &str {
        match self.request_context.authorizer.principal_id.as_str() {
            "" => "-",
            client => client,
        }
    }

    /// The URL that resources are below. `configured` may hold `{apiId}` and `{stage}`.
    pub fn base_url(&self, configured: Option<&str>) -> String {
        let context = &self.request_context;
        let root = match configured {
            Some(url) => url
                .replace("{apiId}", &context.api_id)
                .replace("{stage}", &context.stage),
            None => {
                // The stage, or the base path of a custom domain.
                let prefix = context
                    .path
                    .strip_suffix(self.scim_path())
                    .unwrap_or(&context.stage);
                let prefix = prefix.trim_matches('/');
                let separator = if prefix.is_empty() { "" } else { "/" };
                format!("https://{}{separator}{prefix}", context.domain_name)
            }
        };
        format!("{}/scim/v2", root.trim_end_matches('/'))
    }

    /// The HTTP request that the event stands for. A body that is not the base64 it is
    /// said to be is passed on as it is, to be refused as JSON.
    pub fn into_http_request(self) -> HttpRequest {
        let path = self.scim_path().to_owned();
        let pairs = |map: BTreeMap<String, Vec<String>>| {
            map.into_iter()
                .flat_map(|(name, values)| {
                    values.into_iter().map(move |value| (name.clone(), value))
                })
                .collect()
        };
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded {
            BASE64_STANDARD
                .decode(&body)
                .unwrap_or_else(|_| body.into_bytes())
        } else {
            body.into_bytes()
        };
        HttpRequest {
            method: self.http_method,
            path,
            query: pairs(self.multi_value_query_string_parameters),
            headers: pairs(self.multi_value_headers),
            body,
        }
    }
}

/// The header by which a client finds its request in the log: API Gateway's id. Answers
/// that API Gateway makes itself have it as `x-amzn-RequestId` only.
const REQUEST_ID: &str = "X-Request-Id";

impl ProxyResponse {
    /// The answer to the request of this id.
    pub fn new(response: Response, request_id: String) -> Self {
        let status_code = response.status;
        let mut headers: BTreeMap<_, _> = response.headers.iter().cloned().collect();
        headers.insert(REQUEST_ID, request_id);
        Self {
            status_code,
            headers,
            body: response.into_text().unwrap_or_default(),
            is_base64_encoded: false,
        }
    }
}

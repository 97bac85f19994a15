//! Requests as API Gateway passes them on.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// The event of a request; `target` is the path below `/scim/v2`, without a query.
/// `query` holds decoded pairs.
pub fn proxy_event(method: &str, target: &str, query: &[(&str, &str)], body: &Value) -> Value {
    let mut parameters = json!({});
    for (name, value) in query {
        parameters[*name] = json!([value]);
    }
    json!({
        "resource": "/{Users+}",
        "path": format!("/scim/v2{target}"),
        "httpMethod": method,
        "headers": null,
        "multiValueHeaders": {
            "Authorization": ["Bearer not-looked-at"],
            "Content-Type": ["application/scim+json"],
        },
        "queryStringParameters": null,
        "multiValueQueryStringParameters": parameters,
        "pathParameters": {"Users": format!("scim/v2{target}")},
        "requestContext": {
            "requestId": "request",
            "apiId": "api",
            "stage": "load",
            "domainName": "api.execute-api.eu-central-1.amazonaws.com",
            "path": format!("/load/scim/v2{target}"),
            "authorizer": {"principalId": "idp", "client": "idp"},
        },
        "body": if body.is_null() { Value::Null } else { json!(body.to_string()) },
        "isBase64Encoded": false,
    })
}

/// When Lambda would end an invocation that starts now and may take this long:
/// milliseconds since 1970.
///
/// # Panics
/// In the far future.
pub fn deadline(timeout: Duration) -> u64 {
    let end = (SystemTime::now() + timeout)
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    u64::try_from(end.as_millis()).unwrap()
}

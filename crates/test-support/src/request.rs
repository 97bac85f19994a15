//! Requests as API Gateway passes them on.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// The id of the API in [`proxy_event`].
pub const API_ID: &str = "abc123";

/// The client in [`proxy_event`].
pub const CLIENT: &str = "idp";

/// The event of a request. `target` is the path below `/scim/v2`, without a query, which
/// stands decoded in `query`; `headers` come beside those of every request.
#[must_use]
pub fn proxy_event(
    method: &str,
    target: &str,
    query: &[(&str, &str)],
    headers: &[(&str, &str)],
    body: &Value,
) -> Value {
    let lists = |pairs: &mut dyn Iterator<Item = &(&str, &str)>| {
        let lists = pairs.map(|(name, value)| ((*name).to_owned(), json!([value])));
        Value::Object(lists.collect())
    };
    let usual = [
        ("Authorization", "Bearer canary-token"),
        ("Content-Type", "application/scim+json"),
    ];
    json!({
        "resource": "/{Users+}",
        "path": format!("/scim/v2{target}"),
        "httpMethod": method,
        "headers": null,
        "multiValueHeaders": lists(&mut usual.iter().chain(headers)),
        "queryStringParameters": null,
        "multiValueQueryStringParameters": lists(&mut query.iter()),
        "pathParameters": {"Users": format!("scim/v2{target}")},
        "requestContext": {
            "requestId": "r-1",
            "apiId": API_ID,
            "stage": "dev",
            "domainName": "abc123.execute-api.eu-central-1.amazonaws.com",
            "path": format!("/dev/scim/v2{target}"),
            "authorizer": {"principalId": CLIENT, "client": CLIENT},
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
#[must_use]
pub fn deadline(timeout: Duration) -> u64 {
    let since_1970 = (SystemTime::now() + timeout)
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("it is later than 1970");
    u64::try_from(since_1970.as_millis()).expect("it is not yet the far future")
}

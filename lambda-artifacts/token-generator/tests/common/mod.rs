//! What the test binaries share: events as CloudFormation sends them, and their answers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use test_support::{HttpAnswer, HttpServer};
use token_generator::response_url::ResponseHosts;

/// Plays the presigned URL: takes every answer.
pub fn response_url() -> HttpServer {
    HttpServer::start(|_| HttpAnswer::ok(""))
}

/// Permits the server that plays the presigned URL.
pub fn hosts(url: &HttpServer) -> ResponseHosts {
    ResponseHosts::new("amazonaws.com", Some(&url.url()))
}

/// An event for the parameter `name`, to be answered at `url`.
pub fn event(request_type: &str, name: &str, generation: &str, url: &HttpServer) -> Value {
    json!({
        "RequestType": request_type,
        "RequestId": "6b0c5f0e-0000-4000-8000-000000000001",
        "StackId": "arn:aws:cloudformation:eu-central-1:000000000000:stack/scim/0a1b",
        "LogicalResourceId": "TokenIdp",
        "ResourceType": "Custom::ScimToken",
        "ResponseURL": format!("{}/key?X-Amz-Signature=signature", url.url()),
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:eu-central-1:000000000000:function:token-generator",
            "ServiceTimeout": "60",
            "ParameterName": name,
            "Client": "idp",
            "Generation": generation
        }
    })
}

/// The only answer that came to `url`.
pub fn answer(url: &HttpServer) -> Value {
    let requests = url.requests();
    assert_eq!(requests.len(), 1, "CloudFormation wants one answer");
    serde_json::from_str(&requests[0].body).unwrap()
}

/// When Lambda ends the function: in `milliseconds`.
pub fn deadline(milliseconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_millis(milliseconds)
}

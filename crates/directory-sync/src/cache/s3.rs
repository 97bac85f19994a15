//! One object in Amazon S3: GetObject, and PutObject on a condition.
//!
//! Two operations, so that no SDK for S3 is needed; signing is the SDK's own (`aws-sigv4`). Each
//! is tried once: what fails costs a comparison, and a run must not wait for its cache.
//!
//! Sources: "GetObject", "PutObject" and "Conditional requests" in the Amazon S3 documentation,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningInstructions,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ETAG, IF_MATCH};
use reqwest::{Method, Response, StatusCode, redirect};

use super::configuration::S3Object;
use super::credentials::{self, Environment};
use super::store::{Seen, StoreError};

/// The time limit for a response.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The characters that S3 does not encode in a path ("Create a canonical request"), and the slash
/// between parts.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// An operation of Amazon S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    GetObject,
    PutObject,
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// One object.
pub(super) struct S3 {
    http: reqwest::Client,
    region: String,
    url: String,
    environment: Environment,
}

impl S3 {
    /// Sends nothing yet.
    pub(super) fn new(object: &S3Object, environment: Environment) -> Result<Self, StoreError> {
        let variable = |name| environment.get(name);
        let region = object
            .region
            .as_deref()
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .ok_or(StoreError::NoRegion)?;
        let endpoint = variable("AWS_ENDPOINT_URL_S3")
            .or_else(|| variable("AWS_ENDPOINT_URL"))
            .map_or_else(|| regional_endpoint(region), str::to_owned);
        // Another part of the program may have installed it already.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(StoreError::NoAnswer)?;
        Ok(Self {
            http,
            region: region.to_owned(),
            url: url(&endpoint, object),
            environment,
        })
    }

    /// The object and its entity tag; `None` if it does not exist.
    pub(super) async fn get(&self) -> Result<Option<(Vec<u8>, Seen)>, StoreError> {
        let operation = Operation::GetObject;
        let response = self.send(operation, None, Vec::new()).await?;
        match response.status() {
            StatusCode::OK => {
                let seen = seen(operation, &response)?;
                let body = response.bytes().await.map_err(StoreError::NoAnswer)?;
                Ok(Some((body.to_vec(), seen)))
            }
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(refused(operation, status)),
        }
    }

    /// Replaces the object, with `expected` only if it has not changed since.
    pub(super) async fn put(
        &self,
        expected: Option<&Seen>,
        body: Vec<u8>,
    ) -> Result<Seen, StoreError> {
        let operation = Operation::PutObject;
        let response = self.send(operation, expected, body).await?;
        match response.status() {
            StatusCode::OK => seen(operation, &response),
            // 409: a concurrent write. 404: the object has been deleted.
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => Err(StoreError::Conflict),
            StatusCode::NOT_FOUND if expected.is_some() => Err(StoreError::Conflict),
            status => Err(refused(operation, status)),
        }
    }

    async fn send(
        &self,
        operation: Operation,
        if_match: Option<&Seen>,
        body: Vec<u8>,
    ) -> Result<Response, StoreError> {
        let if_match = if_match.and_then(|seen| std::str::from_utf8(&seen.0).ok());
        let request = Request {
            method: match operation {
                Operation::GetObject => Method::GET,
                Operation::PutObject => Method::PUT,
            },
            url: &self.url,
            header: if_match.map(|tag| (IF_MATCH.as_str(), tag)),
            body: &body,
        };
        let credentials = credentials::read(&self.http, &self.environment).await?;
        let signature = request
            .signature(credentials, &self.region, SystemTime::now())
            .ok_or(StoreError::Signing)?;
        let mut sent = self.http.request(request.method, &self.url);
        for (name, value) in request.header.into_iter().chain(signature.headers()) {
            sent = sent.header(name, value);
        }
        let response = sent.body(body).send().await;
        response.map_err(StoreError::NoAnswer)
    }
}

/// A request that is not signed yet.
struct Request<'a> {
    method: Method,
    url: &'a str,
    header: Option<(&'static str, &'a str)>,
    body: &'a [u8],
}

impl Request<'_> {
    /// The headers to add.
    fn signature(
        &self,
        credentials: Credentials,
        region: &str,
        time: SystemTime,
    ) -> Option<SigningInstructions> {
        let identity = credentials.into();
        // S3 differs from other services here: "Create a signed AWS API request".
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("s3")
            .time(time)
            .settings(settings)
            .build()
            .ok()?
            .into();
        let signable = SignableRequest::new(
            self.method.as_str(),
            self.url,
            self.header.into_iter(),
            SignableBody::Bytes(self.body),
        );
        let (instructions, _) = sign(signable.ok()?, &parameters).ok()?.into_parts();
        Some(instructions)
    }
}

fn seen(operation: Operation, response: &Response) -> Result<Seen, StoreError> {
    let tag = response.headers().get(ETAG);
    tag.map(|tag| Seen(tag.as_bytes().to_vec()))
        .ok_or_else(|| refused(operation, response.status()))
}

fn refused(operation: Operation, status: StatusCode) -> StoreError {
    StoreError::Refused {
        operation,
        status: status.as_u16(),
    }
}

fn regional_endpoint(region: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://s3.{region}.{domain}")
}

/// With the bucket in the path: in the host's name, one with a dot would not be covered by the
/// certificate.
fn url(endpoint: &str, object: &S3Object) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    let key = utf8_percent_encode(&object.key, RESERVED);
    format!("{endpoint}/{}/{key}", object.bucket)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::extract::{Path, State};
    use axum::response::IntoResponse as _;
    use axum::routing::any;
    use reqwest::header::HeaderMap;

    use super::*;

    type Requests = Arc<Mutex<Vec<String>>>;

    /// A server whose response to each request has the status that the key begins with, the rest
    /// of the key as its entity tag, and `content` as its body.
    async fn server() -> (Requests, String) {
        async fn object(
            State(requests): State<Requests>,
            Path(key): Path<String>,
            method: Method,
            headers: HeaderMap,
        ) -> axum::response::Response {
            let condition = headers.get(IF_MATCH).map(|tag| tag.to_str().unwrap());
            let request = format!("{method} {}", condition.unwrap_or("always"));
            requests.lock().unwrap().push(request);
            let (status, tag) = key.split_at(3);
            let status = StatusCode::from_u16(status.parse().unwrap()).unwrap();
            if tag.is_empty() {
                return (status, "content").into_response();
            }
            (status, [(ETAG, tag.to_owned())], "content").into_response()
        }
        async fn credentials(
            Path(kind): Path<String>,
            headers: HeaderMap,
        ) -> axum::response::Response {
            if kind == "none" {
                return StatusCode::BAD_GATEWAY.into_response();
            }
            let token = headers.get("authorization");
            let id = token.map_or("of-task", |token| token.to_str().unwrap());
            let response = serde_json::json!({
                "AccessKeyId": id,
                "SecretAccessKey": "secret",
                "Token": "session of task",
            });
            response.to_string().into_response()
        }
        let requests = Requests::default();
        let router = Router::new()
            .route("/bucket/{key}", any(object))
            .route("/credentials/{kind}", any(credentials))
            .with_state(requests.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (requests, address)
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter();
        variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn object(address: &str, key: &str) -> S3 {
        let environment = environment(&[
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ENDPOINT_URL_S3", address),
        ]);
        let object = S3Object {
            bucket: "bucket".to_owned(),
            key: key.to_owned(),
            region: None,
        };
        S3::new(&object, environment).unwrap()
    }

    #[tokio::test]
    async fn each_response_to_a_read_has_its_result() {
        let (_, address) = server().await;
        for (key, expected) in [
            ("200tag", Ok(Some("tag"))),
            ("404", Ok(None)),
            // Without an entity tag, the object cannot be replaced safely.
            ("200", Err("GetObject was refused with status 200")),
            (
                "403",
                Err("GetObject was refused with status 403: the role"),
            ),
            ("500", Err("GetObject was refused with status 500")),
        ] {
            let found = object(&address, key).get().await;
            let found = found.map(|found| found.map(|(body, seen)| (body, seen.0)));
            match expected {
                Ok(tag) => {
                    let expected = tag.map(|tag: &str| (b"content".to_vec(), tag.into()));
                    assert_eq!(found.unwrap(), expected, "{key}");
                }
                Err(begin) => {
                    let error = found.unwrap_err().to_string();
                    assert!(error.starts_with(begin), "{error}");
                }
            }
        }
        let nowhere = object("http://127.0.0.1:9", "200tag").get().await;
        assert!(matches!(nowhere, Err(StoreError::NoAnswer(_))));
    }

    #[tokio::test]
    async fn each_response_to_a_write_has_its_result() {
        let (requests, address) = server().await;
        let conflict = StoreError::Conflict.to_string();
        let no_bucket = "PutObject was refused with status 404: there is no such bucket";
        for (key, condition, expected) in [
            ("200tag", None, Ok("tag")),
            ("200tag", Some("old"), Ok("tag")),
            ("412", Some("old"), Err(conflict.as_str())),
            ("409", Some("old"), Err(&conflict)),
            ("404", Some("old"), Err(&conflict)),
            ("404", None, Err(no_bucket)),
            ("200", None, Err("PutObject was refused with status 200")),
            ("500", None, Err("PutObject was refused with status 500")),
        ] {
            let seen = condition.map(|tag: &str| Seen(tag.into()));
            let written = object(&address, key)
                .put(seen.as_ref(), b"{}".to_vec())
                .await;
            let written = written.map(|seen| String::from_utf8(seen.0).unwrap());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(
                written.map_err(|error| error.to_string()),
                expected,
                "{key}"
            );
            let request = format!("PUT {}", condition.unwrap_or("always"));
            assert_eq!(requests.lock().unwrap().pop(), Some(request), "{key}");
        }
    }

    #[test]
    fn the_region_and_the_endpoint_come_from_the_configuration_or_the_environment() {
        let regional = "https://s3.eu-west-1.amazonaws.com/bucket/key";
        let (default, first) = ("AWS_DEFAULT_REGION", "AWS_REGION");
        for (configured, variables, expected) in [
            (
                Some("eu-west-1"),
                &[(first, "us-east-1")][..],
                Some(regional),
            ),
            (
                None,
                &[(first, "eu-west-1"), (default, "us-east-1")],
                Some(regional),
            ),
            (None, &[(first, ""), (default, "eu-west-1")], Some(regional)),
            (None, &[(first, "")], None),
            (
                Some("eu-west-1"),
                &[
                    ("AWS_ENDPOINT_URL_S3", "http://s3/"),
                    ("AWS_ENDPOINT_URL", "http://all"),
                ],
                Some("http://s3/bucket/key"),
            ),
            (
                Some("eu-west-1"),
                &[("AWS_ENDPOINT_URL", "http://all")],
                Some("http://all/bucket/key"),
            ),
        ] {
            let object = S3Object {
                bucket: "bucket".to_owned(),
                key: "key".to_owned(),
                region: configured.map(str::to_owned),
            };
            let found = S3::new(&object, environment(variables));
            if expected.is_none() {
                assert!(matches!(found, Err(StoreError::NoRegion)), "{variables:?}");
            } else {
                assert_eq!(found.ok().map(|s3| s3.url).as_deref(), expected);
            }
        }
    }

    #[tokio::test]
    async fn credentials_come_from_the_environment_before_the_task_role() {
        let (_, address) = server().await;
        let task = format!("{address}/credentials/task");
        let none = format!("{address}/credentials/none");
        let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        let no_credentials = StoreError::NoCredentials.to_string();
        for (variables, expected) in [
            (
                &[(id, "mine"), (secret, "x"), (full, &*task)][..],
                Ok(("mine", None)),
            ),
            (
                &[
                    (id, "mine"),
                    (secret, "x"),
                    ("AWS_SESSION_TOKEN", "session"),
                ],
                Ok(("mine", Some("session"))),
            ),
            (
                &[(id, "mine"), (full, &task)],
                Ok(("of-task", Some("session of task"))),
            ),
            (
                &[(id, ""), (secret, ""), (full, &task)],
                Ok(("of-task", Some("session of task"))),
            ),
            (
                &[
                    (full, &task),
                    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-token"),
                ],
                Ok(("of-token", Some("session of task"))),
            ),
            (
                &[(full, &none)],
                Err("the address for the task role's credentials gave none (status 502)"),
            ),
            (&[], Err(&no_credentials)),
        ] {
            let http = object(&address, "200").http;
            let found = credentials::read(&http, &environment(variables)).await;
            let found = found.map_err(|error| error.to_string());
            let found = found
                .as_ref()
                .map(|found| (found.access_key_id(), found.session_token()));
            assert_eq!(found.map_err(String::as_str), expected);
        }
    }

    #[test]
    fn the_address_of_an_object_has_the_bucket_in_its_path() {
        for (region, key, expected) in [
            (
                "eu-central-1",
                "directory-sync/corp.json",
                "https://s3.eu-central-1.amazonaws.com/bucket.of.corp/directory-sync/corp.json",
            ),
            (
                "cn-north-1",
                "a b+c.json",
                "https://s3.cn-north-1.amazonaws.com.cn/bucket.of.corp/a%20b%2Bc.json",
            ),
        ] {
            let object = S3Object {
                bucket: "bucket.of.corp".to_owned(),
                key: key.to_owned(),
                region: None,
            };
            assert_eq!(url(&regional_endpoint(region), &object), expected);
        }
    }

    /// The expected signature is that of botocore 1.x (`S3SigV4Auth`) for the same request.
    #[test]
    fn a_request_is_signed_as_s3_requires() {
        let object = S3Object {
            bucket: "bucket.of.corp".to_owned(),
            key: "directory sync/a+b.json".to_owned(),
            region: None,
        };
        let request = Request {
            method: Method::PUT,
            url: &url("https://s3.eu-central-1.amazonaws.com", &object),
            header: Some(("if-match", "\"tag\"")),
            body: br#"{"version":1}"#,
        };
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            Some("session".to_owned()),
            None,
            "test",
        );
        // 2026-11-22T12:00:00Z
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_348_800);
        let signature = request.signature(credentials, "eu-central-1", time);
        let signature = signature.unwrap();
        let mut headers: Vec<String> = signature
            .headers()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        headers.sort();
        insta::assert_snapshot!(headers.join("\n"), @r"
        authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-central-1/s3/aws4_request, SignedHeaders=host;if-match;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=4de24a2630f4a980fd671b45305489c27c9e61b2bb1f6c3246ba5e07fb147079
        x-amz-content-sha256: 2430f1a2ad2982d0067885488a4c89e21ad1d7c83b115ba8f1b20acc88dfaea8
        x-amz-date: 20261122T120000Z
        x-amz-security-token: session
        ");
    }
}

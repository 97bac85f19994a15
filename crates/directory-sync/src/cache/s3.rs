//! One object in Amazon S3: GetObject, and PutObject on a condition.
//!
//! Two operations, so that no SDK for S3 is needed; signing is the SDK's own (`aws-sigv4`). Each
//! is tried once: what fails costs a comparison, and a run must not wait for its cache.
//!
//! Sources: "GetObject", "PutObject" and "Conditional requests" in the Amazon S3 documentation,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>.

use std::time::{Duration, SystemTime};
use std::{env, fmt};

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
use super::credentials;
use super::store::{Seen, StoreError};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What S3 leaves bare in a path ("Create a canonical request"), and the slash between parts.
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
}

impl S3 {
    /// Sends nothing yet.
    pub(super) fn new(object: &S3Object) -> Result<Self, StoreError> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let region = object
            .region
            .clone()
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .ok_or(StoreError::NoRegion)?;
        let endpoint = variable("AWS_ENDPOINT_URL_S3")
            .or_else(|| variable("AWS_ENDPOINT_URL"))
            .unwrap_or_else(|| regional_endpoint(&region));
        // Another part of the program may have installed it already.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(StoreError::NoAnswer)?;
        Ok(Self {
            http,
            region,
            url: url(&endpoint, object),
        })
    }

    /// The object and its entity tag; none where it is not there.
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

    /// Replaces the object: the one that was seen, or whatever is there.
    pub(super) async fn put(
        &self,
        expected: Option<&Seen>,
        body: Vec<u8>,
    ) -> Result<Seen, StoreError> {
        let operation = Operation::PutObject;
        let response = self.send(operation, expected, body).await?;
        match response.status() {
            StatusCode::OK => seen(operation, &response),
            // 409: a write at the same time. 404: there is nothing any more to compare with.
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
        let credentials = credentials::read(&self.http).await?;
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
        // What S3 wants otherwise than other services: "Create a signed AWS API request".
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
    use super::*;

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
    fn a_request_is_signed_as_s3_wants_it() {
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

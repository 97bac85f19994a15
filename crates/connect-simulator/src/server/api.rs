//! Amazon Connect's API over HTTP, protocol rest-json.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::DropConnection;
use super::authorizer::Signer;
use super::engine::{Engine, Outcome};
use crate::call::{Call, Reply};
use crate::error::{ErrorCode, ServiceError};
use crate::operation::Operation;

const LARGEST_BODY: usize = 1024 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

pub(super) async fn respond(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some((operation, labels)) = Operation::find(parts.method.as_str(), parts.uri.path()) else {
        return write(Err(ServiceError::new(
            ErrorCode::UnknownOperation,
            "No simulated operation has this method and path",
        )));
    };
    let call = match to_bytes(body, LARGEST_BODY).await {
        Ok(body) => Call::new(
            operation,
            labels,
            parts.uri.query().unwrap_or_default(),
            &body,
        ),
        Err(_) => Err(ServiceError::invalid_request(format!(
            "the body broke off or has more than {LARGEST_BODY} bytes"
        ))),
    };
    match engine.handle(operation, signer(&parts.headers), call).await {
        Outcome::Reply(reply) => write(reply),
        Outcome::Drop => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(DropConnection);
            response
        }
    }
}

fn write(reply: Reply) -> Response {
    let (status, error_type, body) = match reply {
        Ok(body) => (200, None, body),
        Err(error) => (
            error.code.status(),
            Some(HeaderValue::from_static(error.code.name())),
            Some(error.body()),
        ),
    };
    let mut response = match body {
        Some(body) => (
            [(CONTENT_TYPE, "application/json")],
            Body::from(body.to_string()),
        )
            .into_response(),
        None => Response::new(Body::empty()),
    };
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(error_type) = error_type {
        response.headers_mut().insert(ERROR_TYPE, error_type);
    }
    if let Ok(request_id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        response.headers_mut().insert(REQUEST_ID, request_id);
    }
    response
}

/// Who signed the request, by Signature Version 4:
/// `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/connect/aws4_request, …`.
fn signer(headers: &HeaderMap) -> Option<Signer> {
    let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")?
        .split_once("Credential=")?;
    let (access_key_id, _) = credential.split_once('/')?;
    let session_token = headers.get(SESSION_TOKEN);
    Some(Signer {
        access_key_id: access_key_id.to_owned(),
        session_token: session_token
            .and_then(|token| token.to_str().ok())
            .map(str::to_owned),
    })
}

//! HTTP around the endpoint: tenant and token, throttles, faults, counts.

use std::future;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use futures_util::stream;
use serde_json::Value;
use uuid::Uuid;

use crate::endpoint::{self, Answer, Request};
use crate::error::Error;
use crate::fault::Fault;
use crate::operation::Operation;
use crate::simulator::{Shared, TENANT, TOKEN};

pub(crate) async fn serve(
    shared: Arc<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request = match read(&method, &uri, &headers, &body) {
        Ok(request) => request,
        Err(error) => return respond(Err(error)),
    };
    let operation = request.operation;
    let (answer, fault) = handle(&shared, request);
    match fault {
        None => respond(answer),
        Some(fault) => {
            shared.reached.notify_one();
            if fault.hangs() {
                future::pending::<()>().await;
            }
            match fault.error() {
                Some(error) => respond(Err(error)),
                None => broken(operation),
            }
        }
    }
}

fn read(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Request, Error> {
    let authorization = headers.get(header::AUTHORIZATION);
    if authorization.is_none_or(|value| value.as_bytes() != format!("Bearer {TOKEN}").as_bytes()) {
        return Err(Error::Unauthorized);
    }
    let path = uri.path().strip_prefix(&format!("/{TENANT}/scim/v2/"));
    let path = path.ok_or(Error::Unauthorized)?;
    let segments: Vec<&str> = path.split('/').collect();
    let (operation, id) = Operation::of(method.as_str(), &segments).ok_or(Error::Validation)?;
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body).map_err(|_| Error::Validation)?
    };
    Ok(Request {
        operation,
        id,
        query: uri.query().unwrap_or_default().to_owned(),
        body,
    })
}

fn handle(shared: &Shared, request: Request) -> (Result<Answer, Error>, Option<Fault>) {
    let operation = request.operation;
    let mut inner = shared.inner.lock().unwrap_or_else(PoisonError::into_inner);
    *inner.calls.entry(operation).or_default() += 1;
    if inner.state.options.throttle && !inner.throttle.admits(operation, Instant::now()) {
        inner.throttled += 1;
        return (Err(Error::Throttling), None);
    }
    let fault = inner.fault(operation);
    if fault.is_some_and(|fault| !fault.happens_after()) {
        return (Err(Error::Internal), fault);
    }
    let answer = endpoint::answer(&mut inner.state, request);
    if answer.is_err() && operation.is_write() {
        inner.refused += 1;
    }
    (answer, fault)
}

fn respond(answer: Result<Answer, Error>) -> Response<Body> {
    let (status, document) = match answer {
        Ok(answer) => answer,
        Err(error) => (error.status(), Some(error.body())),
    };
    let mut response = Response::new(match document {
        Some(document) => Body::from(document.to_string()),
        None => Body::empty(),
    });
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    if let Ok(id) = Uuid::new_v4().to_string().parse() {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// An answer that ends before it has begun to say anything.
fn broken(operation: Operation) -> Response<Body> {
    let error = io::Error::other(format!("{operation:?} was cut off"));
    Response::new(Body::from_stream(stream::once(future::ready(Err::<
        Bytes,
        _,
    >(error)))))
}

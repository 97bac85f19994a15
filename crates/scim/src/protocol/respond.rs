//! From a result to an HTTP answer (RFC 7644 sections 3.3 to 3.12 and 3.14).

use std::fmt;

use serde_json::{Value, json};

use super::http::{HttpRequest, MediaType, percent_encode};
use super::parse::{Operation, Request};
use crate::error::{ScimError, ScimType};
use crate::list::{ListQuery, Page, escaped_length, escaped_size, list_response};
use crate::projection::Projection;
use crate::resource::{Resource, object_at};
use crate::schema::{Discovery, ResourceType, ServiceDefinition};

/// Where a list response without resources has them.
const NO_RESOURCES: &str = "\"Resources\":[]";

/// An answer, free of any framework.
#[derive(Clone, PartialEq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, each name once.
    pub headers: Vec<(&'static str, String)>,
    /// The body; none on 204, 304 and answers to HEAD.
    pub body: Option<Body>,
}

/// The body of an answer.
#[derive(Clone, PartialEq)]
pub enum Body {
    /// A document.
    Json(Value),
    /// A document that is written already.
    Text(String),
}

/// Shows the status only: the rest is personal data.
impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The header of this name, as it is spelled here.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| *header == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as it goes over the wire.
    #[must_use]
    pub fn into_text(self) -> Option<String> {
        self.body.map(|body| match body {
            Body::Json(document) => document.to_string(),
            Body::Text(text) => text,
        })
    }

    /// The body as a document; none for one that is written already.
    #[must_use]
    pub const fn json(&self) -> Option<&Value> {
        match &self.body {
            Some(Body::Json(document)) => Some(document),
            Some(Body::Text(_)) | None => None,
        }
    }
}

/// Shapes the answers to one request.
#[derive(Debug, Clone)]
pub struct Responder<'s> {
    service: &'s ServiceDefinition,
    base: String,
    media_type: MediaType,
    is_head: bool,
}

impl<'s> Responder<'s> {
    /// For a request; `base` is the service's URL, to which `/Users/…` is appended. Made
    /// before the request is parsed, because errors of parsing need it too.
    #[must_use]
    pub fn new(service: &'s ServiceDefinition, http: &HttpRequest, base: &str) -> Self {
        Self {
            service,
            base: base.trim_end_matches('/').to_owned(),
            media_type: MediaType::negotiate(http.header("accept")),
            is_head: http.method == "HEAD",
        }
    }

    /// 201: the resource was created.
    #[must_use]
    pub fn created(
        &self,
        request: &Request<'_>,
        resource_type: &ResourceType,
        resource: &Resource,
    ) -> Response {
        self.resource(201, request, resource_type, resource)
    }

    /// 200: the resource was replaced or patched, or nothing had to change; 204 after a PATCH
    /// of a resource that is too large for a response.
    #[must_use]
    pub fn updated(
        &self,
        request: &Request<'_>,
        resource_type: &ResourceType,
        resource: &Resource,
    ) -> Response {
        self.resource(200, request, resource_type, resource)
    }

    /// 200 with the resource that was read, or 304 if the client has it already.
    #[must_use]
    pub fn found(
        &self,
        request: &Request<'_>,
        resource_type: &ResourceType,
        resource: &Resource,
    ) -> Response {
        match request
            .preconditions
            .check_read(version(resource).unwrap_or_default())
        {
            Err(error) => self.error(&error),
            Ok(true) => {
                let headers = version(resource).map(|version| ("ETag", version.to_owned()));
                Response {
                    status: 304,
                    headers: headers.into_iter().collect(),
                    body: None,
                }
            }
            Ok(false) => self.resource(200, request, resource_type, resource),
        }
    }

    /// 204: the resource was deleted.
    #[must_use]
    pub const fn deleted(&self) -> Response {
        Response {
            status: 204,
            headers: Vec::new(),
            body: None,
        }
    }

    /// 200 with a list response, or `tooMany` if a single resource is too large for it.
    #[must_use]
    pub fn list(&self, query: &ListQuery, mut page: Page<'_>) -> Response {
        let resources = std::mem::take(&mut page.resources)
            .into_iter()
            .map(|(resource_type, resource)| {
                self.present(resource, resource_type, &query.projection)
            })
            .collect();
        let document = list_response(query, &page, resources);
        if escaped_size(&document) > self.service.max_response_size {
            return self.error(&too_large());
        }
        self.document(200, document)
    }

    /// 200 with a list response of resources that are written already, as the client gets
    /// to see them. `page` has no resources of its own.
    ///
    /// A store that keeps texts need not take a hundred of them apart for a query that asks
    /// for nothing special.
    #[must_use]
    pub fn written_list(
        &self,
        query: &ListQuery,
        page: &Page<'_>,
        resources: &[String],
    ) -> Response {
        let mut envelope = list_response(query, page, Vec::new());
        envelope["itemsPerPage"] = resources.len().into();
        let envelope = envelope.to_string();
        let (before, after) = envelope.split_once(NO_RESOURCES).unwrap_or((&envelope, ""));
        let resources = resources.join(",");
        let text = format!("{before}\"Resources\":[{resources}]{after}");
        if escaped_length(text.as_bytes()) > self.service.max_response_size {
            return self.error(&too_large());
        }
        self.respond(200, Body::Text(text))
    }

    /// 200 with a discovery document, or 404.
    #[must_use]
    pub fn discovery(&self, document: &Discovery) -> Response {
        match self.service.discover(document, &self.base) {
            Ok(document) => self.document(200, document),
            Err(error) => self.error(&error),
        }
    }

    /// 204 with the methods of the address.
    #[must_use]
    pub fn options(&self, allow: &'static str) -> Response {
        Response {
            status: 204,
            headers: vec![("Allow", allow.to_owned())],
            body: None,
        }
    }

    /// The error document with the headers that belong to its status.
    #[must_use]
    pub fn error(&self, error: &ScimError) -> Response {
        let mut response = self.document(error.status, error.to_json());
        if let Some(seconds) = error.retry_after {
            response.headers.push(("Retry-After", seconds.to_string()));
        }
        if let Some(allow) = error.allow {
            response.headers.push(("Allow", allow.to_owned()));
        }
        if error.status == 401 {
            response
                .headers
                .push(("WWW-Authenticate", "Bearer".to_owned()));
        }
        response
    }

    /// Any other document.
    #[must_use]
    pub fn document(&self, status: u16, document: Value) -> Response {
        self.respond(status, Body::Json(document))
    }

    fn respond(&self, status: u16, body: Body) -> Response {
        Response {
            status,
            headers: vec![("Content-Type", self.media_type.as_str().to_owned())],
            body: (!self.is_head).then_some(body),
        }
    }

    /// The URL of a resource.
    #[must_use]
    pub fn location(&self, resource_type: &ResourceType, id: &str) -> String {
        format!(
            "{}{}/{}",
            self.base,
            resource_type.endpoint,
            percent_encode(id)
        )
    }

    /// The service's URL, without a trailing slash.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    fn resource(
        &self,
        status: u16,
        request: &Request<'_>,
        resource_type: &ResourceType,
        resource: &Resource,
    ) -> Response {
        let mut document = self.present(resource.clone(), resource_type, &request.projection);
        let mut status = status;
        if escaped_size(&document) > self.service.max_response_size {
            match request.operation {
                Operation::Get { .. } => return self.error(&too_large()),
                // The change has been made. RFC 7644 section 3.5.2 allows a PATCH to return
                // nothing; the other methods return what is always returned.
                Operation::Patch { .. } => status = 204,
                _ => {
                    let always = Projection::Only(Vec::new());
                    document = self.present(resource.clone(), resource_type, &always);
                }
            }
        }
        let mut response = match status {
            204 => self.deleted(),
            _ => self.document(status, document),
        };
        if let Some(id) = resource.get("id").and_then(Value::as_str) {
            let location = self.location(resource_type, id);
            response.headers.push(("Location", location.clone()));
            response.headers.push(("Content-Location", location));
        }
        if let Some(version) = version(resource).filter(|_| self.service.etag) {
            response.headers.push(("ETag", version.to_owned()));
        }
        response
    }

    /// The part of the resource that the client sees, with its type and address.
    fn present(
        &self,
        resource: Resource,
        resource_type: &ResourceType,
        projection: &Projection,
    ) -> Value {
        let mut shown = projection.apply(resource, resource_type);
        let location = shown
            .get("id")
            .and_then(Value::as_str)
            .map(|id| self.location(resource_type, id));
        let meta = object_at(&mut shown, "meta");
        meta.insert("resourceType".to_owned(), json!(resource_type.name));
        if let Some(location) = location {
            meta.insert("location".to_owned(), location.into());
        }
        Value::Object(shown)
    }
}

fn too_large() -> ScimError {
    ScimError::of(
        ScimType::TooMany,
        "the response would be too large; ask for fewer attributes, for example with \
         excludedAttributes=members, or for fewer results",
    )
}

fn version(resource: &Resource) -> Option<&str> {
    resource.get("meta")?.get("version")?.as_str()
}

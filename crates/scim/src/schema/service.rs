//! What a service supports: its resource types and its configuration
//! (RFC 7643 section 5).

use super::{ResourceType, Schema};

/// The limits of bulk requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkLimits {
    /// Operations in one request, at most.
    pub max_operations: usize,
    /// Bytes of one request's body, at most.
    pub max_payload_size: usize,
}

/// Cursor pagination (RFC 9865 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pagination {
    /// Whether `cursor` is honoured.
    pub cursor: bool,
    /// The page size where the client names none.
    pub default_page_size: usize,
    /// The largest page.
    pub max_page_size: usize,
    /// Seconds for which a cursor stays valid, where that is bounded.
    pub cursor_timeout: Option<u32>,
}

/// How clients authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationScheme {
    /// `oauthbearertoken`, `oauth2`, `httpbasic` and the like.
    pub kind: String,
    /// The name for people.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The specification's address.
    pub spec_uri: Option<String>,
    /// Whether it is the preferred one.
    pub primary: bool,
}

impl AuthenticationScheme {
    /// A bearer token in the `Authorization` header (RFC 6750).
    #[must_use]
    pub fn bearer_token() -> Self {
        Self {
            kind: "oauthbearertoken".to_owned(),
            name: "OAuth Bearer Token".to_owned(),
            description: "A bearer token in the Authorization header".to_owned(),
            spec_uri: Some("https://www.rfc-editor.org/rfc/rfc6750".to_owned()),
            primary: true,
        }
    }
}

/// A service: everything that parsing, answering and discovery are driven by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceDefinition {
    /// The resource types, in the order in which they are announced.
    pub resource_types: Vec<ResourceType>,
    /// The address of help for people.
    pub documentation_uri: Option<String>,
    /// Bulk requests, where they are supported.
    pub bulk: Option<BulkLimits>,
    /// Whether passwords can be changed.
    pub change_password: bool,
    /// Whether lists can be sorted.
    pub sort: bool,
    /// Whether resources carry versions.
    pub etag: bool,
    /// Paging.
    pub pagination: Pagination,
    /// How clients authenticate.
    pub authentication_schemes: Vec<AuthenticationScheme>,
    /// Bytes of a request's body, at most; larger ones are refused with 413.
    pub max_body_size: usize,
    /// Operations of a PATCH, at most; more are refused with 413. Each may look at every
    /// value of a list.
    pub max_patch_operations: usize,
    /// Bytes of a response's body, at most, quotation marks and backslashes counted twice:
    /// gateways carry it as a text in JSON. Lists end earlier, a resource that is larger is
    /// not returned.
    pub max_response_size: usize,
    /// How deep a body's arrays and objects may nest, at most.
    pub max_body_depth: usize,
}

impl ServiceDefinition {
    /// A service that supports everything the library does, for the given types.
    #[must_use]
    pub fn new(resource_types: Vec<ResourceType>) -> Self {
        Self {
            resource_types,
            documentation_uri: None,
            bulk: Some(BulkLimits {
                max_operations: 100,
                max_payload_size: 1024 * 1024,
            }),
            change_password: false,
            sort: true,
            etag: true,
            pagination: Pagination {
                cursor: true,
                default_page_size: 100,
                max_page_size: 200,
                cursor_timeout: None,
            },
            authentication_schemes: vec![AuthenticationScheme::bearer_token()],
            max_body_size: 1024 * 1024,
            max_patch_operations: 5_000,
            max_response_size: 5 * 1024 * 1024,
            max_body_depth: 24,
        }
    }

    /// The resource type of this name, compared without case.
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        self.resource_types
            .iter()
            .find(|resource_type| resource_type.name.eq_ignore_ascii_case(name))
    }

    /// The resource type at this address, with or without the leading slash.
    #[must_use]
    pub fn resource_type_at(&self, endpoint: &str) -> Option<&ResourceType> {
        let name = endpoint.trim_start_matches('/');
        self.resource_types.iter().find(|resource_type| {
            resource_type
                .endpoint
                .trim_start_matches('/')
                .eq_ignore_ascii_case(name)
        })
    }

    /// All schemas, each once: core schemas first, then extensions.
    #[must_use]
    pub fn schemas(&self) -> Vec<&Schema> {
        let core = self
            .resource_types
            .iter()
            .map(|resource_type| &resource_type.schema);
        let extensions = self.resource_types.iter().flat_map(|resource_type| {
            resource_type
                .extensions
                .iter()
                .map(|extension| &extension.schema)
        });
        let mut schemas: Vec<&Schema> = Vec::new();
        for schema in core.chain(extensions) {
            if !schemas.iter().any(|known| known.id == schema.id) {
                schemas.push(schema);
            }
        }
        schemas
    }
}

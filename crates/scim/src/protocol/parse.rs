//! From an HTTP request to a typed operation (RFC 7644 section 3.2).

use std::fmt;

use serde_json::Value;

use super::http::{HttpRequest, percent_decode};
use crate::bulk::BulkRequest;
use crate::error::ScimError;
use crate::etag::Preconditions;
use crate::list::ListQuery;
use crate::patch::PatchRequest;
use crate::projection::Projection;
use crate::resource::Incoming;
use crate::schema::{Discovery, ResourceType, ServiceDefinition};

/// What a client wants, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'s> {
    /// The operation.
    pub operation: Operation<'s>,
    /// `If-Match` and `If-None-Match`.
    pub preconditions: Preconditions,
    /// Which attributes the answer has; lists carry theirs in the query.
    pub projection: Projection,
}

/// What is to be done. Bodies are checked against the schema already.
#[derive(Clone, PartialEq)]
pub enum Operation<'s> {
    /// POST of a resource.
    Create {
        /// The type of the new resource.
        resource_type: &'s ResourceType,
        /// The new resource.
        incoming: Incoming,
    },
    /// GET (or HEAD) of a resource.
    Get {
        /// The resource's type.
        resource_type: &'s ResourceType,
        /// The resource's id.
        id: String,
    },
    /// GET of a resource type or the root, or POST to its `.search`.
    List {
        /// Where to look: one type, or all for the root.
        resource_types: Vec<&'s ResourceType>,
        /// What to look for.
        query: ListQuery,
    },
    /// PUT of a resource.
    Replace {
        /// The resource's type.
        resource_type: &'s ResourceType,
        /// The resource's id.
        id: String,
        /// What takes its place; see [`replace`](crate::resource::replace()).
        incoming: Incoming,
    },
    /// PATCH of a resource.
    Patch {
        /// The resource's type.
        resource_type: &'s ResourceType,
        /// The resource's id.
        id: String,
        /// The changes.
        patch: PatchRequest,
    },
    /// DELETE of a resource.
    Delete {
        /// The resource's type.
        resource_type: &'s ResourceType,
        /// The resource's id.
        id: String,
    },
    /// POST of several operations; see [`BulkRun`](crate::bulk::BulkRun).
    Bulk(BulkRequest),
    /// GET of a discovery document; the [`Responder`](super::Responder) answers it.
    Discovery(Discovery),
    /// OPTIONS, with the methods of the address.
    Options {
        /// The value of `Allow`.
        allow: &'static str,
    },
}

impl Operation<'_> {
    /// The operation's name, fit for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Get { .. } => "get",
            Self::List { .. } => "list",
            Self::Replace { .. } => "replace",
            Self::Patch { .. } => "patch",
            Self::Delete { .. } => "delete",
            Self::Bulk(_) => "bulk",
            Self::Discovery(_) => "discovery",
            Self::Options { .. } => "options",
        }
    }

    /// The resource type that the operation is about, if it is one.
    #[must_use]
    pub fn resource_type(&self) -> Option<&ResourceType> {
        match self {
            Self::Create { resource_type, .. }
            | Self::Get { resource_type, .. }
            | Self::Replace { resource_type, .. }
            | Self::Patch { resource_type, .. }
            | Self::Delete { resource_type, .. } => Some(resource_type),
            Self::List { resource_types, .. } if resource_types.len() == 1 => {
                resource_types.first().copied()
            }
            Self::List { .. } | Self::Bulk(_) | Self::Discovery(_) | Self::Options { .. } => None,
        }
    }
}

/// Shows the operation's kind only: the rest is personal data.
impl fmt::Debug for Operation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .resource_type()
            .map(|resource_type| resource_type.name.as_str());
        formatter
            .debug_tuple(self.name())
            .field(&name.unwrap_or("-"))
            .finish()
    }
}

/// Reads a request.
///
/// Addresses may stand under `/`, `/scim` or `/scim/v2` and end with a slash; each
/// segment is percent-decoded once. HEAD is read as GET.
///
/// # Errors
///
/// 404 for an unknown address, 405 with `Allow` for a method it does not have, 413 for a
/// body that is too large, 415 for one that is compressed, 501 for `/Me` and for bulk where it is not supported, 403 for
/// a filter on a discovery document, and whatever the parsers of bodies, filters and
/// paths refuse.
pub fn parse<'s>(
    service: &'s ServiceDefinition,
    http: &HttpRequest,
) -> Result<Request<'s>, ScimError> {
    let segments = parse_path(&http.path)?;
    let is_bulk = matches!(segments.as_slice(), [one] if one.eq_ignore_ascii_case("Bulk"));
    let limit = match service.bulk {
        Some(limits) if is_bulk => limits.max_payload_size,
        _ => service.max_body_size,
    };
    if http.body.len() > limit {
        return Err(ScimError::new(
            413,
            format!("the body is larger than {limit} bytes"),
        ));
    }
    let coding = http.header("content-encoding").map(str::trim);
    if !http.body.is_empty()
        && coding
            .is_some_and(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
    {
        return Err(ScimError::new(
            415,
            "the body must not be compressed; send it without Content-Encoding",
        ));
    }
    let body = || json(&http.body, service.max_body_depth);
    let operation = operation(service, &http.method, &segments, &http.query, body)?;
    Ok(Request {
        operation,
        preconditions: Preconditions::new(http.header("if-match"), http.header("if-none-match")),
        projection: Projection::from_query(&http.query)?,
    })
}

/// The segments of a path behind the SCIM prefix, decoded.
pub(crate) fn parse_path(path: &str) -> Result<Vec<String>, ScimError> {
    let decode = |segment: &str| {
        String::from_utf8(percent_decode(segment))
            .map_err(|_| ScimError::invalid_syntax("the path is not UTF-8"))
    };
    let mut segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(decode)
        .collect::<Result<Vec<_>, _>>()?;
    for prefix in ["scim", "v2"] {
        if !segments
            .first()
            .is_some_and(|first| first.eq_ignore_ascii_case(prefix))
        {
            break;
        }
        segments.remove(0);
    }
    Ok(segments)
}

fn json(bytes: &[u8], max_depth: usize) -> Result<Value, ScimError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ScimError::invalid_syntax(
            "the body is empty; it must be a JSON object",
        ));
    }
    let document = serde_json::from_slice(bytes).map_err(|error| {
        // The error's own text may quote the body.
        let (line, column) = (error.line(), error.column());
        ScimError::invalid_syntax(format!(
            "the body is not valid JSON (line {line}, column {column})"
        ))
    })?;
    if nests_deeper_than(&document, max_depth) {
        return Err(ScimError::invalid_syntax(format!(
            "the body nests deeper than {max_depth} levels"
        )));
    }
    Ok(document)
}

/// Recursion is bounded: the JSON parser stops at 128 levels.
fn nests_deeper_than(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(values) => {
            depth == 0
                || values
                    .iter()
                    .any(|value| nests_deeper_than(value, depth - 1))
        }
        Value::Object(members) => {
            depth == 0
                || members
                    .values()
                    .any(|value| nests_deeper_than(value, depth - 1))
        }
        _ => false,
    }
}

const ROOT: &str = "GET, HEAD, OPTIONS";
const COLLECTION: &str = "GET, HEAD, POST, OPTIONS";
const RESOURCE: &str = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
const SEARCH: &str = "POST, OPTIONS";
const DISCOVERY: &str = "GET, HEAD, OPTIONS";

/// The kinds of addresses.
enum Address<'s> {
    Root,
    RootSearch,
    Collection(&'s ResourceType),
    Search(&'s ResourceType),
    Resource(&'s ResourceType, String),
    Bulk,
    Discovery(Discovery),
}

impl<'s> Address<'s> {
    fn find(service: &'s ServiceDefinition, segments: &[String]) -> Result<Self, ScimError> {
        let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            [] => return Ok(Self::Root),
            [first] if is(first, ".search") => return Ok(Self::RootSearch),
            [first] if is(first, "Bulk") => return Ok(Self::Bulk),
            [first, ..] if is(first, "Me") => {
                return Err(ScimError::new(501, "/Me is not supported"));
            }
            [first] if is(first, "ServiceProviderConfig") => {
                return Ok(Self::Discovery(Discovery::ServiceProviderConfig));
            }
            [first] if is(first, "ResourceTypes") => {
                return Ok(Self::Discovery(Discovery::ResourceTypes));
            }
            [first, id] if is(first, "ResourceTypes") => {
                return Ok(Self::Discovery(Discovery::ResourceType((*id).to_owned())));
            }
            [first] if is(first, "Schemas") => return Ok(Self::Discovery(Discovery::Schemas)),
            [first, id] if is(first, "Schemas") => {
                return Ok(Self::Discovery(Discovery::Schema((*id).to_owned())));
            }
            _ => {}
        }
        let resource_type = segments
            .first()
            .and_then(|first| service.resource_type_at(first));
        match (resource_type, segments.as_slice()) {
            (Some(resource_type), [_]) => Ok(Self::Collection(resource_type)),
            (Some(resource_type), [_, second]) if is(second, ".search") => {
                Ok(Self::Search(resource_type))
            }
            (Some(resource_type), [_, id]) => Ok(Self::Resource(resource_type, (*id).to_owned())),
            _ => Err(ScimError::not_found("no such address; see /ResourceTypes")),
        }
    }

    const fn allow(&self) -> &'static str {
        match self {
            Self::Root => ROOT,
            Self::Collection(_) => COLLECTION,
            Self::Resource(..) => RESOURCE,
            Self::RootSearch | Self::Search(_) | Self::Bulk => SEARCH,
            Self::Discovery(_) => DISCOVERY,
        }
    }
}

/// Reads an operation from its parts; bulk operations come this way too.
pub(crate) fn operation<'s>(
    service: &'s ServiceDefinition,
    method: &str,
    segments: &[String],
    query: &[(String, String)],
    body: impl FnOnce() -> Result<Value, ScimError>,
) -> Result<Operation<'s>, ScimError> {
    let address = Address::find(service, segments)?;
    let allow = address.allow();
    let all = || service.resource_types.iter().collect::<Vec<_>>();
    let list = |resource_types: Vec<&'s ResourceType>| {
        let query = ListQuery::from_query(query, service, &resource_types)?;
        Ok(Operation::List {
            resource_types,
            query,
        })
    };
    let search = |resource_types: Vec<&'s ResourceType>, body: Value| {
        let query = ListQuery::from_search_request(&body, service, &resource_types)?;
        Ok(Operation::List {
            resource_types,
            query,
        })
    };
    match (method, address) {
        ("OPTIONS", _) => Ok(Operation::Options { allow }),
        ("GET" | "HEAD", Address::Root) => list(all()),
        ("GET" | "HEAD", Address::Collection(resource_type)) => list(vec![resource_type]),
        ("GET" | "HEAD", Address::Resource(resource_type, id)) => {
            Ok(Operation::Get { resource_type, id })
        }
        ("GET" | "HEAD", Address::Discovery(document)) => {
            // RFC 7644 section 4.
            if query
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("filter"))
            {
                return Err(ScimError::new(
                    403,
                    "discovery documents cannot be filtered",
                ));
            }
            Ok(Operation::Discovery(document))
        }
        ("POST", Address::RootSearch) => search(all(), body()?),
        ("POST", Address::Search(resource_type)) => search(vec![resource_type], body()?),
        ("POST", Address::Collection(resource_type)) => Ok(Operation::Create {
            resource_type,
            incoming: Incoming::from_json(body()?, resource_type, service)?,
        }),
        ("POST", Address::Bulk) => match service.bulk {
            Some(limits) => Ok(Operation::Bulk(BulkRequest::from_json(body()?, limits)?)),
            None => Err(ScimError::new(501, "/Bulk is not supported")),
        },
        ("PUT", Address::Resource(resource_type, id)) => Ok(Operation::Replace {
            resource_type,
            id,
            incoming: Incoming::from_json(body()?, resource_type, service)?,
        }),
        ("PATCH", Address::Resource(resource_type, id)) => Ok(Operation::Patch {
            resource_type,
            id,
            patch: PatchRequest::from_json(body()?)?.of_type(resource_type, service)?,
        }),
        ("DELETE", Address::Resource(resource_type, id)) => {
            Ok(Operation::Delete { resource_type, id })
        }
        _ => Err(ScimError::method_not_allowed(allow)),
    }
}

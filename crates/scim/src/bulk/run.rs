//! The order in which bulk operations run, and what they refer to.
//!
//! `bulkId:x`, as a text in a body or as the id in a path, stands for the resource that
//! the POST of that name creates. An operation waits until everything it refers to is
//! there, whatever the order in the request. Operations that wait for each other in a
//! circle are refused with 409, as RFC 7644 section 3.7.1 allows.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{BULK_RESPONSE_URN, BulkOperation, BulkRequest};
use crate::error::ScimError;
use crate::etag::Preconditions;
use crate::projection::Projection;
use crate::protocol::{Body, Request, Response, operation, parse_path, percent_encode};
use crate::schema::ServiceDefinition;

const REFERENCE: &str = "bulkId:";

/// An operation that is ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkStep<'s> {
    /// Its position in the request, for [`BulkRun::record`].
    pub index: usize,
    /// What is to be done: never a list, discovery or bulk operation.
    pub request: Request<'s>,
}

/// The execution of one bulk request.
///
/// ```no_run
/// # fn run(service: &scim::schema::ServiceDefinition, request: scim::bulk::BulkRequest,
/// #     execute: impl Fn(scim::protocol::Request<'_>) -> scim::protocol::Response) {
/// let mut run = scim::bulk::BulkRun::new(service, request, "https://example.com/scim/v2");
/// while let Some(step) = run.next_step() {
///     run.record(step.index, &execute(step.request));
/// }
/// let document = run.finish();
/// # }
/// ```
pub struct BulkRun<'s> {
    service: &'s ServiceDefinition,
    base: String,
    fail_on_errors: usize,
    operations: Vec<Planned>,
    /// What became of the operations that others refer to.
    created: HashMap<String, Created>,
    errors: usize,
}

struct Planned {
    operation: BulkOperation,
    references: Vec<String>,
    state: State,
}

enum State {
    Waiting,
    Running,
    Done(Value),
}

#[derive(Clone)]
enum Created {
    Pending,
    Id(String),
    Failed,
}

/// What an operation waits for.
enum Readiness {
    Ready,
    Waits,
    Refused(ScimError),
}

impl<'s> BulkRun<'s> {
    /// Plans a request; `base` is the service's URL, for the locations in the answer.
    #[must_use]
    pub fn new(service: &'s ServiceDefinition, request: BulkRequest, base: &str) -> Self {
        let created = request
            .operations
            .iter()
            .filter(|operation| operation.method == "POST")
            .filter_map(|operation| Some((operation.bulk_id.clone()?, Created::Pending)))
            .collect();
        let operations = request
            .operations
            .into_iter()
            .map(|operation| Planned {
                references: references(&operation),
                operation,
                state: State::Waiting,
            })
            .collect();
        Self {
            service,
            base: base.trim_end_matches('/').to_owned(),
            fail_on_errors: request.fail_on_errors.unwrap_or(usize::MAX),
            operations,
            created,
            errors: 0,
        }
    }

    /// The next operation that can run; none when all are done, when too many have
    /// failed, or while a step that others wait for has not been recorded.
    pub fn next_step(&mut self) -> Option<BulkStep<'s>> {
        while self.errors < self.fail_on_errors {
            let mut waiting = None;
            let mut chosen = None;
            for (index, planned) in self.operations.iter().enumerate() {
                if !matches!(planned.state, State::Waiting) {
                    continue;
                }
                match self.readiness(planned) {
                    Readiness::Waits => waiting = waiting.or(Some(index)),
                    readiness => {
                        chosen = Some((index, readiness));
                        break;
                    }
                }
            }
            match (chosen, waiting) {
                (Some((index, Readiness::Refused(error))), _) => self.fail(index, &error),
                (Some((index, _)), _) => match self.prepare(index) {
                    Ok(request) => {
                        self.operations[index].state = State::Running;
                        return Some(BulkStep { index, request });
                    }
                    Err(error) => self.fail(index, &error),
                },
                (None, Some(_)) if self.is_running() => return None,
                (None, Some(index)) => {
                    self.fail(
                        index,
                        &ScimError::new(409, "the operation refers to itself through others"),
                    );
                }
                (None, None) => return None,
            }
        }
        None
    }

    /// Records the answer to a step.
    pub fn record(&mut self, index: usize, response: &Response) {
        let Some(planned) = self.operations.get_mut(index) else {
            return;
        };
        let failed = response.status >= 400;
        if let (Some(bulk_id), "POST") = (
            &planned.operation.bulk_id,
            planned.operation.method.as_str(),
        ) {
            let id = response
                .json()
                .and_then(|body| body.get("id"))
                .and_then(Value::as_str);
            let created = match id {
                Some(id) if !failed => Created::Id(id.to_owned()),
                _ => Created::Failed,
            };
            self.created.insert(bulk_id.clone(), created);
        }
        let mut result = outline(&planned.operation, response.status);
        let created_at = response.header("Location").map(str::to_owned);
        if !failed || planned.operation.method != "POST" {
            let path = substitute_path(&planned.operation.path, &self.created);
            let location = created_at.unwrap_or_else(|| location(&self.base, &path));
            result.insert("location".to_owned(), location.into());
        }
        if let Some(version) = response.header("ETag") {
            result.insert("version".to_owned(), version.into());
        }
        if let (true, Some(body)) = (failed, response.json()) {
            result.insert("response".to_owned(), body.clone());
        }
        planned.state = State::Done(Value::Object(result));
        self.errors += usize::from(failed);
    }

    /// The bulk response: the operations that ran, in the order of the request.
    #[must_use]
    pub fn finish(self) -> Value {
        let results: Vec<Value> = self
            .operations
            .into_iter()
            .filter_map(|planned| match planned.state {
                State::Done(result) => Some(result),
                State::Waiting | State::Running => None,
            })
            .collect();
        json!({ "schemas": [BULK_RESPONSE_URN], "Operations": results })
    }

    fn is_running(&self) -> bool {
        self.operations
            .iter()
            .any(|planned| matches!(planned.state, State::Running))
    }

    fn readiness(&self, planned: &Planned) -> Readiness {
        let mut waits = false;
        for reference in &planned.references {
            match self.created.get(reference) {
                None => {
                    return Readiness::Refused(ScimError::invalid_value(
                        "the operation refers to a bulkId that no POST in this request has",
                    ));
                }
                Some(Created::Failed) => {
                    return Readiness::Refused(ScimError::new(
                        409,
                        "the operation refers to one that failed",
                    ));
                }
                Some(Created::Pending) => waits = true,
                Some(Created::Id(_)) => {}
            }
        }
        if waits {
            Readiness::Waits
        } else {
            Readiness::Ready
        }
    }

    fn prepare(&self, index: usize) -> Result<Request<'s>, ScimError> {
        let operation_sent = &self.operations[index].operation;
        if !matches!(
            operation_sent.method.as_str(),
            "POST" | "PUT" | "PATCH" | "DELETE"
        ) {
            return Err(ScimError::invalid_syntax(
                "method must be POST, PUT, PATCH or DELETE",
            ));
        }
        let path = substitute_path(&operation_sent.path, &self.created);
        let segments = parse_path(&path)?;
        // A search or another bulk request has no place here.
        let is_special = segments
            .first()
            .is_none_or(|first| self.service.resource_type_at(first).is_none());
        if is_special
            || segments
                .iter()
                .any(|segment| segment.eq_ignore_ascii_case(".search"))
        {
            return Err(ScimError::invalid_value(
                "path must be that of a resource or resource type",
            ));
        }
        let mut data = operation_sent.data.clone();
        substitute(&mut data, &self.created);
        Ok(Request {
            operation: operation(self.service, &operation_sent.method, &segments, &[], || {
                Ok(data)
            })?,
            preconditions: Preconditions::new(operation_sent.version.as_deref(), None),
            projection: Projection::Default,
        })
    }

    fn fail(&mut self, index: usize, error: &ScimError) {
        let response = Response {
            status: error.status,
            headers: Vec::new(),
            body: Some(Body::Json(error.to_json())),
        };
        self.record(index, &response);
    }
}

fn outline(operation: &BulkOperation, status: u16) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("method".to_owned(), operation.method.as_str().into());
    if let Some(bulk_id) = &operation.bulk_id {
        result.insert("bulkId".to_owned(), bulk_id.as_str().into());
    }
    result.insert("status".to_owned(), status.to_string().into());
    result
}

fn location(base: &str, path: &str) -> String {
    format!("{base}/{}", path.trim_start_matches('/'))
}

/// The bulkIds that an operation refers to.
fn references(operation: &BulkOperation) -> Vec<String> {
    let mut found: Vec<String> = operation
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix(REFERENCE))
        .map(str::to_owned)
        .collect();
    collect_references(&operation.data, &mut found);
    found
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(text.strip_prefix(REFERENCE).map(str::to_owned)),
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect_references(value, found)),
        Value::Object(members) => members
            .values()
            .for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

fn substitute(value: &mut Value, created: &HashMap<String, Created>) {
    match value {
        Value::String(text) => {
            if let Some(Created::Id(id)) = text
                .strip_prefix(REFERENCE)
                .and_then(|name| created.get(name))
            {
                id.clone_into(text);
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| substitute(value, created)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|value| substitute(value, created)),
        _ => {}
    }
}

fn substitute_path(path: &str, created: &HashMap<String, Created>) -> String {
    let segments: Vec<Cow<'_, str>> = path
        .split('/')
        .map(|segment| {
            match segment
                .strip_prefix(REFERENCE)
                .and_then(|name| created.get(name))
            {
                Some(Created::Id(id)) => Cow::Owned(percent_encode(id)),
                _ => Cow::Borrowed(segment),
            }
        })
        .collect();
    segments.join("/")
}

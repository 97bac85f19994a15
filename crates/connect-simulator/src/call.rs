//! One request to an operation, apart from HTTP.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ServiceError;
use crate::operation::Operation;
use crate::options::{Identity, Settings};
use crate::timestamp::Timestamp;

/// What an operation answers: a body, or nothing.
pub(crate) type Reply = Result<Option<Value>, ServiceError>;

/// A request to an operation.
pub(crate) struct Call {
    pub(crate) operation: Operation,
    labels: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    body: Value,
}

/// What an operation may know besides the state and the call.
pub(crate) struct Context<'a> {
    pub(crate) now: Timestamp,
    /// The id of the one resource that a call may create.
    pub(crate) fresh_id: &'a str,
    pub(crate) identity: &'a Identity,
    pub(crate) settings: &'a Settings,
}

impl Call {
    /// `query` as in the URL; `body` as sent, possibly empty.
    ///
    /// # Errors
    ///
    /// A body that is not a JSON object.
    pub(crate) fn new(
        operation: Operation,
        labels: Vec<(&'static str, String)>,
        query: &str,
        body: &[u8],
    ) -> Result<Self, ServiceError> {
        let body = if body.is_empty() {
            Value::Object(serde_json::Map::new())
        } else {
            serde_json::from_slice(body)
                .map_err(|error| ServiceError::invalid_request(format!("the body: {error}")))?
        };
        if !body.is_object() {
            return Err(ServiceError::invalid_request(
                "the body: expected an object",
            ));
        }
        Ok(Self {
            operation,
            labels,
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            body,
        })
    }

    /// A label of the path; empty if the operation's path has none of that name.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels
            .iter()
            .find(|(label, _)| *label == name)
            .map_or("", |(_, value)| value)
    }

    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(parameter, _)| parameter == name)
            .map(|(_, value)| value.as_str())
    }

    /// The values of a query parameter that may be repeated.
    pub(crate) fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query
            .iter()
            .filter(move |(parameter, _)| parameter == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as the shape of the operation's input. Members that the shape does not
    /// have are ignored, as the service does.
    ///
    /// # Errors
    ///
    /// A required member that is missing, a member of another type.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ServiceError> {
        T::deserialize(&self.body).map_err(|error| ServiceError::invalid_request(error.to_string()))
    }

    /// The body as sent.
    pub(crate) fn raw_body(&self) -> &Value {
        &self.body
    }

    /// What the call is about, whatever page it asks for: a token for the next page is
    /// good for the same question only.
    pub(crate) fn question(&self) -> String {
        let mut body = self.body.clone();
        if let Some(members) = body.as_object_mut() {
            members.remove("NextToken");
            members.remove("MaxResults");
        }
        format!("{}{:?}{body}", self.operation.name(), self.labels)
    }
}

//! Bulk bodies.

use serde_json::Value;

use super::{BULK_REQUEST_URN, BulkOperation, BulkRequest};
use crate::error::ScimError;
use crate::resource::take;
use crate::schema::BulkLimits;

impl BulkRequest {
    /// Reads a bulk body.
    ///
    /// # Errors
    ///
    /// `invalidSyntax` for another structure, 413 for more operations than the service
    /// takes (RFC 7644 section 3.7.4). What is wrong with one operation is that
    /// operation's result, not the request's.
    pub fn from_json(document: Value, limits: BulkLimits) -> Result<Self, ScimError> {
        let Value::Object(mut document) = document else {
            return Err(ScimError::invalid_syntax(
                "the body must be a JSON object with Operations",
            ));
        };
        let schemas = take(&mut document, "schemas");
        let is_bulk = |urn: &Value| {
            urn.as_str()
                .is_some_and(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST_URN))
        };
        if !schemas
            .as_ref()
            .and_then(Value::as_array)
            .is_some_and(|urns| urns.iter().any(is_bulk))
        {
            return Err(ScimError::invalid_syntax(format!(
                "schemas of a bulk body must name {BULK_REQUEST_URN}"
            )));
        }
        let Some(Value::Array(operations)) = take(&mut document, "operations") else {
            return Err(ScimError::invalid_syntax("Operations must be an array"));
        };
        if operations.len() > limits.max_operations {
            let limit = limits.max_operations;
            return Err(ScimError::new(
                413,
                format!("a bulk request takes at most {limit} operations"),
            ));
        }
        let fail_on_errors = match take(&mut document, "failOnErrors") {
            None | Some(Value::Null) => None,
            Some(value) => Some(
                value
                    .as_u64()
                    .or_else(|| value.as_str()?.parse().ok())
                    .and_then(|count| usize::try_from(count).ok())
                    .ok_or_else(|| ScimError::invalid_value("failOnErrors must be a whole number"))?
                    .max(1),
            ),
        };
        let operations = operations
            .into_iter()
            .map(BulkOperation::from_json)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            fail_on_errors,
            operations,
        })
    }
}

impl BulkOperation {
    fn from_json(operation: Value) -> Result<Self, ScimError> {
        let Value::Object(mut operation) = operation else {
            return Err(ScimError::invalid_syntax(
                "an operation must be an object with method and path",
            ));
        };
        let mut text = |name: &str| match take(&mut operation, name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        Ok(Self {
            method: text("method").unwrap_or_default().to_ascii_uppercase(),
            bulk_id: text("bulkId"),
            path: text("path").unwrap_or_default(),
            version: text("version"),
            data: take(&mut operation, "data").unwrap_or_default(),
        })
    }
}

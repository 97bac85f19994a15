//! PATCH bodies.

use serde_json::Value;

use super::{PATCH_OP_URN, PatchOperation, PatchOperator, PatchRequest};
use crate::error::{ScimError, ScimType};
use crate::path::{AttributePath, PatchPath};
use crate::resource::take;
use crate::schema::{ResourceType, ServiceDefinition};

impl PatchRequest {
    /// Reads a PATCH body. Keys and operation names have no case; `schemas` may be
    /// missing, because some clients leave it out.
    ///
    /// # Errors
    ///
    /// `invalidSyntax` for another structure, `invalidPath` for a malformed path,
    /// `noTarget` for a removal without a path, `invalidValue` for an operation without
    /// its value. The detail counts operations from 1.
    pub fn from_json(document: Value) -> Result<Self, ScimError> {
        let Value::Object(mut document) = document else {
            return Err(ScimError::invalid_syntax(
                "the body must be a JSON object with Operations",
            ));
        };
        check_schemas(take(&mut document, "schemas").as_ref())?;
        let operations = match take(&mut document, "operations") {
            Some(Value::Array(operations)) if !operations.is_empty() => operations,
            _ => {
                return Err(ScimError::invalid_syntax(
                    "Operations must be an array of at least one operation",
                ));
            }
        };
        let operations = operations
            .into_iter()
            .enumerate()
            .map(|(index, operation)| {
                PatchOperation::from_json(operation).map_err(|error| at_operation(index, error))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { operations })
    }
}

impl PatchRequest {
    /// Checks the number of operations, and that no path has the URN of a schema of another
    /// resource type.
    ///
    /// # Errors
    ///
    /// 413; `invalidPath`: [`apply`](Self::apply) would ignore the operation, as it does
    /// those of unknown schemas.
    pub(crate) fn of_type(
        self,
        resource_type: &ResourceType,
        service: &ServiceDefinition,
    ) -> Result<Self, ScimError> {
        let limit = service.max_patch_operations;
        if self.operations.len() > limit {
            return Err(ScimError::new(
                413,
                format!("a PATCH takes at most {limit} operations; send several requests"),
            ));
        }
        for (index, operation) in self.operations.iter().enumerate() {
            let Some(PatchPath { path, .. }) = &operation.path else {
                continue;
            };
            let mut others = service.resource_types.iter();
            if !resource_type.knows_schema(path) && others.any(|other| other.knows_schema(path)) {
                return Err(at_operation(index, unknown_attribute(resource_type, path)));
            }
        }
        Ok(self)
    }
}

/// The error about a path that names no attribute of the resource type.
pub(super) fn unknown_attribute(resource_type: &ResourceType, path: &AttributePath) -> ScimError {
    ScimError::of(
        ScimType::InvalidPath,
        format!("a {} has no attribute {path}", resource_type.name),
    )
}

/// Says in which operation an error is.
pub(super) fn at_operation(index: usize, error: ScimError) -> ScimError {
    ScimError {
        detail: format!("operation {}: {}", index + 1, error.detail),
        ..error
    }
}

fn check_schemas(schemas: Option<&Value>) -> Result<(), ScimError> {
    let Some(Value::Array(urns)) = schemas else {
        return Ok(());
    };
    let is_patch = |urn: &Value| {
        urn.as_str()
            .is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_OP_URN))
    };
    if urns.is_empty() || urns.iter().any(is_patch) {
        return Ok(());
    }
    Err(ScimError::invalid_syntax(format!(
        "schemas of a PATCH body must name {PATCH_OP_URN}"
    )))
}

impl PatchOperation {
    fn from_json(operation: Value) -> Result<Self, ScimError> {
        let Value::Object(mut operation) = operation else {
            return Err(ScimError::invalid_syntax(
                "an operation must be an object with op",
            ));
        };
        let operator = take(&mut operation, "op")
            .and_then(|operator| PatchOperator::from_keyword(operator.as_str()?));
        let Some(operator) = operator else {
            return Err(ScimError::invalid_syntax(
                "op must be add, replace or remove",
            ));
        };
        let path = match take(&mut operation, "path") {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) if path.trim().is_empty() => None,
            Some(Value::String(path)) => Some(path.parse::<PatchPath>()?),
            Some(_) => return Err(ScimError::of(ScimType::InvalidPath, "path must be text")),
        };
        let value = take(&mut operation, "value");
        match (operator, &path, &value) {
            (PatchOperator::Remove, None, _) => Err(ScimError::of(
                ScimType::NoTarget,
                "a remove operation needs a path",
            )),
            (PatchOperator::Add | PatchOperator::Replace, _, None) => {
                Err(ScimError::invalid_value("add and replace need a value"))
            }
            (PatchOperator::Add | PatchOperator::Replace, None, Some(value))
                if !value.is_object() =>
            {
                Err(ScimError::invalid_value(
                    "without a path the value must be an object of attributes",
                ))
            }
            _ => Ok(Self {
                operator,
                path,
                value: value.unwrap_or_default(),
            }),
        }
    }
}

impl PatchOperator {
    /// Entra ID writes `Add`, `Replace`, `Remove`.
    fn from_keyword(word: &str) -> Option<Self> {
        [
            ("add", Self::Add),
            ("replace", Self::Replace),
            ("remove", Self::Remove),
        ]
        .into_iter()
        .find_map(|(keyword, operator)| keyword.eq_ignore_ascii_case(word).then_some(operator))
    }
}

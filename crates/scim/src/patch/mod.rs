//! PATCH (RFC 7644 section 3.5.2): parsed by the letter and by the habits of identity
//! providers, applied as a pure function.
//!
//! [`PatchRequest::apply`] takes a resource in canonical form and gives the one that the
//! operations lead to; an error leaves nothing half done, because the original was never
//! touched. Where the RFC and the identity providers differ:
//!
//! - A read-only attribute is refused (`mutability`) if the path names it, and ignored
//!   inside a path-less value object, where Okta repeats the `id`.
//! - A value path that matches nothing creates the value for `add` and `replace` of a
//!   sub-attribute, if the filter says what the value looks like by `eq` on something
//!   else than `value`: Entra ID sends `emails[type eq "work"].value` to users without
//!   e-mails. `replace` creates only values that the schema suggests: a canonical value, or the
//!   primary one. Otherwise it is `noTarget`.
//! - An operation whose path has an unknown schema URN is ignored: Entra ID
//!   sends attributes of its own so, next to those that count. An unknown attribute of a
//!   known schema is `invalidPath`.
//! - Removing what is not there is no error: removals are repeated after lost answers.
//! - `remove` with a list of values removes only these (Entra ID, JumpCloud).

mod apply;
mod multi_valued;
mod parse;
mod single_valued;

use std::fmt;

use serde_json::Value;

use crate::path::PatchPath;
use crate::resource::Resource;

/// The schema URN of a PATCH body.
pub const PATCH_OP_URN: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchOperator {
    /// Adds to what is there.
    Add,
    /// Puts in place of what is there.
    Replace,
    /// Takes away.
    Remove,
}

/// One operation.
#[derive(Clone, PartialEq)]
pub struct PatchOperation {
    /// What it does.
    pub operator: PatchOperator,
    /// Where; without it the value is an object of attributes.
    pub path: Option<PatchPath>,
    /// With what; null where the client sent nothing.
    pub value: Value,
}

impl fmt::Debug for PatchOperation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PatchOperation")
            .field("operator", &self.operator)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The operations of a PATCH body, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest {
    /// At least one operation.
    pub operations: Vec<PatchOperation>,
}

/// What a PATCH leads to.
#[derive(Clone, PartialEq)]
pub struct Patched {
    /// The resource afterwards.
    pub resource: Resource,
    /// Write-only attributes that were set, such as a password.
    pub write_only: Resource,
    /// The paths of operations that were ignored, because the service does not know their
    /// schema: fit for logs.
    pub ignored: Vec<String>,
    /// Whether the resource differs from the one before.
    pub changed: bool,
}

impl fmt::Debug for Patched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Patched")
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}

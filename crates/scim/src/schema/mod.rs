//! Schemas, resource types and the description of a service (RFC 7643).
//!
//! Everything the library does with a resource is driven by these definitions:
//! an application takes the [core schemas](core), trims them to what it supports,
//! adds its own extension, and gets parsing, filters, PATCH, projection and the
//! discovery documents for exactly that.

mod attribute;
pub mod core;
mod discovery;
mod discovery_schemas;
mod resource_type;
mod service;

pub use attribute::{Attribute, AttributeType, Mutability, Returned, Uniqueness};
pub use discovery::Discovery;
pub use resource_type::{Extension, Resolved, ResourceType, Schema};
pub use service::{AuthenticationScheme, BulkLimits, Pagination, ServiceDefinition};

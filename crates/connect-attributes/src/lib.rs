//! The attributes of a SCIM User for Amazon Connect, and which of them feeds what.
//!
//! Identity providers differ in the attributes that they can send: Okta has entitlements,
//! Entra ID has not, others send custom attributes only. So the file of an environment may
//! say which attribute feeds which field of a Connect user. The deployer checks it against
//! the same schema by which the functions answer requests, and hands it to them as JSON;
//! both use the types of this crate, and nothing is written twice.
//!
//! - [`schema`]: the extension for what only Amazon Connect has of a user.
//! - [`source`]: one SCIM path, known to name values of a User.
//! - [`attributes`]: the paths of every field, with their defaults.
//! - [`write_back`]: values of fields into the attributes that feed them.

pub mod attributes;
pub mod schema;
pub mod source;
pub mod write_back;

pub use attributes::Attributes;
pub use source::{Source, SourceError, Sources};

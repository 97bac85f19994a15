//! Tests of the library as an application uses it.
//!
//! One module per section of the RFCs, one per identity provider, and the properties.

mod active;
mod bulk;
mod comparison;
mod discovery;
mod elements;
mod entra_id;
mod filter;
mod filter_types;
mod immutable;
mod limits;
mod lists;
mod names;
mod okta;
mod other_identity_providers;
mod patch;
mod paths;
mod projection;
mod properties;
mod protocol;
mod removal;
mod resources;
mod service;
mod sizes;
mod values;

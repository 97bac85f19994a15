//! The directory between the identity provider and Amazon Connect.
//!
//! Connect cannot be the store of a SCIM endpoint: it has no disabled state, forgets
//! deleted users, cannot rename, keeps no external id and answers two calls per second.
//! So a DynamoDB table holds what the identity provider wants, Connect holds what is,
//! and reconciliation makes them equal.
//!
//! - [`directory`]: create, change, delete, reconcile; how concurrent requests, crashes
//!   and lost answers are dealt with.
//! - [`store`]: the table.
//! - [`mapping`]: a SCIM User as a Connect user; pure.
//! - [`profiles`]: names of profiles to ids.
//! - [`plan`]: which calls lead from one state to another; pure.
//! - [`reconcile`]: carrying the calls out.
//! - [`connect`]: the calls.
//! - [`queue`]: handing a user over to the reconciler.
//! - [`import`]: a Connect user as a SCIM User; pure.
//! - [`facet`]: what is wanted beside what is, for people; pure.
//! - [`configuration`]: all of it, as the functions' environment says.

pub mod configuration;
pub mod connect;
pub mod directory;
pub mod facet;
pub mod import;
pub mod mapping;
pub mod plan;
pub mod profiles;
pub mod queue;
pub mod reconcile;
pub mod store;
pub mod user;

//! The Lambda function `user-provisioning`: SCIM 2.0 for Amazon Connect, behind API
//! Gateway.
//!
//! An event becomes an HTTP request ([`event`]), that a SCIM operation (`scim`), that a
//! change of the directory (`connect-directory`), and its result a SCIM response
//! ([`handler`]). A read ends at the directory table and never asks Connect.

pub mod caller;
pub mod event;
mod failure;
mod groups;
pub mod handler;
mod service;
mod users;
mod view;

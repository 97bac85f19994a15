//! Active Directory and LDAP to AWS IAM Identity Center, or to any other SCIM server.
//!
//! A directory is read whole ([`snapshot::Snapshot`]); what the SCIM server has is compared
//! with it, and the fewest operations that make both equal are sent. A read that is not
//! whole is an error and never a snapshot: what a half-read directory does not show must not
//! be taken for somebody who left.
//!
//! ```text
//! Snapshot ── mapping ─▶ Desired ─┐
//!                                 ├─ plan ─▶ Plan ── run ─▶ Report
//! SCIM server ── target ─▶ Current ┘                 │
//!        ▲───────────────────────────────────────────┘
//! ```
//!
//! A [`cache`] may say that a run need not look at the server; nothing depends on it.

pub mod attribute;
pub mod cache;
pub mod command_line;
pub mod configuration;
pub mod exit;
pub mod identity;
pub mod log;
pub mod mapping;
pub mod plan;
pub mod run;
pub mod snapshot;
pub mod source;
pub mod target;
pub mod token;
mod wording;

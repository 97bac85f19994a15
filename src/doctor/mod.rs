//! What has to be true before a deployment can succeed, as lines that are ok, a warning or a
//! failure with its cure.
//!
//! The commands gather the facts; here they are judged, without a cloud at hand, so that
//! every failure has a test.

mod clock;
mod connect;
mod permissions;
mod tools;

use serde::Serialize;

pub use clock::{clock, skew};
pub use connect::{ProfileKind, instance, profiles, users};
pub use permissions::{
    ACTIONS, Actor, CALLER, Decision, Permission, SERVICE_ROLE, TOPIC, actions, permissions,
};
pub use tools::{Tool, tools};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It may matter, or could not be checked.
    Warn,
    /// A deployment, or the endpoint, would fail.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was looked at, in a word or two.
    pub check: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Check {
    /// All is well.
    pub fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Ok,
            detail: detail.into(),
            cure: None,
        }
    }

    /// Somebody should look at it.
    pub fn warn(check: &'static str, detail: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Warn,
            detail: detail.into(),
            cure: Some(cure.into()),
        }
    }

    /// It has to be mended.
    pub fn fail(check: &'static str, detail: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Fail,
            detail: detail.into(),
            cure: Some(cure.into()),
        }
    }
}

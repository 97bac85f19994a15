//! The policy for objects whose entry is deleted or no longer in scope.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identity::{MatchBy, Owner};

/// The policy for users that are no longer in scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Leavers {
    /// `active` becomes false: can be undone, and keeps assignments of accounts.
    #[default]
    Deactivate,
    /// The user is deleted.
    Delete,
    /// The user stays, but loses the memberships that the directory does not have.
    Ignore,
}

/// The policy for groups that are no longer in scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum GoneGroups {
    /// The members are removed: no user has access through it, and its assignments of
    /// permission sets are still there when it comes back.
    #[default]
    Empty,
    /// The group is deleted, and its assignments with it.
    Delete,
    /// The group stays as it is.
    Ignore,
}

/// The settings of the planner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whose objects the plan may change.
    pub owner: Owner,
    /// How an object without a mark is recognised.
    pub match_by: MatchBy,
    /// Whether users count as leavers who were made by AWS's PowerShell sample (their
    /// `externalId` is a security identifier of a domain in scope) and are not in scope.
    pub take_over_leavers: bool,
    /// The policy for users that are no longer in scope.
    pub leavers: Leavers,
    /// The policy for groups that are no longer in scope.
    pub gone_groups: GoneGroups,
    /// The most membership changes of one request; 100 in Identity Center.
    pub membership_batch: usize,
    /// Whether two users cannot have the same e-mail address.
    pub unique_emails: bool,
}

//! The IAM policy that keeps everyone else's hands off the users that SCIM owns.
//!
//! One source, [`statements`], feeds the template and the verification. It denies,
//! so it holds against every grant, an administrator's too. What it cannot stop is
//! the Connect admin website: that is authorised by Connect's own security profiles,
//! not by IAM.
//!
//! AWS documents a denial of `connect:*` under the condition key `connect:InstanceId`.
//! That key is absent from requests to `TagResource` and `AdminGetEmergencyAccessToken`,
//! which would slip through; so everything here is scoped by resource ARN.

mod statements;

pub use statements::{Protected, Statement, statements};

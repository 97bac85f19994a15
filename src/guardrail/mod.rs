//! The IAM policy that keeps everyone else's hands off the users that SCIM owns.
//!
//! One source, [`statements`], feeds the template, the service control policy and the
//! verification. It denies, so it holds against every grant, an administrator's too. What
//! it cannot stop is the Connect admin website: that is authorised by Connect's own
//! security profiles, not by IAM, which is what the audit is for.
//!
//! AWS documents a denial of `connect:*` under the condition key `connect:InstanceId`.
//! That key is absent from requests to `TagResource` and `AdminGetEmergencyAccessToken`,
//! which would slip through; so everything here is scoped by resource ARN.
//!
//! A denial that exempts a role by its name is worth as much as that role: so the second
//! half of the statements protects the role, its functions, and the guardrail itself.

mod actions;
mod attachment;
mod audit;
mod deployed;
mod effects;
mod organization;
mod principal;
mod protected;
mod security_profile;
mod simulation;
mod size;
mod statements;
mod verification;

pub use actions::{
    CONNECT_ACTIONS, READING_ACTIONS, READING_DATA_ACTIONS, ResourceKind, USER_EDITS, UserEdit,
};
pub use attachment::{Attachment, Attachments, Kind, wanted};
pub use audit::{Audit, AuditedProfile};
pub use deployed::Deployed;
pub use effects::{EFFECTS, Effect, NOT_DENIED, READING_DENIED};
pub use organization::{Organization, ServiceControlPolicy, Step};
pub use principal::{Account, Holder, Principal};
pub use protected::{Missing, Names, Protected};
pub use security_profile::set_permissions;
pub use simulation::{Samples, Simulation, read_account};
pub use size::{FORMER_LIMIT, TooLarge, Unfit, Use, fits, minified};
pub use statements::{
    Condition, Exceptions, Key, Statement, boundary_statements, document, statements,
};
pub use verification::{Decision, Deployment, NotChecked, Part, Row, Verdict, Verification, name};

#[cfg(test)]
mod tests;

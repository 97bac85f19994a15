//! What is tried, in order.

use super::{Failure, Trial};

/// One step of a trial. Each builds on those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A call without a token is refused.
    Refusal,
    /// The endpoint describes what it can do (RFC 7644, section 4).
    ServiceProviderConfig,
    /// … what there is …
    ResourceTypes,
    /// … and what it looks like, with the profiles' names, which come from Connect.
    Schemas,
    /// A page of users, from the directory table.
    Users,
    /// A page of groups, from Connect's security profiles.
    Groups,
    /// A user is made.
    Create,
    /// The user is there.
    Read,
    /// The user is found by name, as every identity provider looks first.
    Find,
    /// The user is deactivated, and that is to be read.
    Suspend,
    /// The user is removed, and gone.
    Remove,
}

impl Step {
    /// The steps that change nothing.
    pub const READING: [Self; 6] = [
        Self::Refusal,
        Self::ServiceProviderConfig,
        Self::ResourceTypes,
        Self::Schemas,
        Self::Users,
        Self::Groups,
    ];

    /// The steps that make a user and remove it.
    pub const WRITING: [Self; 5] = [
        Self::Create,
        Self::Read,
        Self::Find,
        Self::Suspend,
        Self::Remove,
    ];

    /// What it is called, in reports.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Refusal => "refuse a call without a token",
            Self::ServiceProviderConfig => "read the service provider configuration",
            Self::ResourceTypes => "read the resource types",
            Self::Schemas => "read the schemas",
            Self::Users => "read a page of users",
            Self::Groups => "read a page of groups",
            Self::Create => "create a canary user",
            Self::Read => "read the canary user",
            Self::Find => "find the canary user by name",
            Self::Suspend => "suspend the canary user",
            Self::Remove => "remove the canary user",
        }
    }

    /// Takes the step.
    ///
    /// # Errors
    /// What the endpoint did instead of what it should.
    pub fn run(self, trial: &Trial) -> Result<(), Failure> {
        match self {
            Self::Refusal => trial
                .scim
                .get_without_token("/ServiceProviderConfig")?
                .expect(401)
                .map(drop),
            Self::ServiceProviderConfig => {
                let found = trial.scim.send("GET", "/ServiceProviderConfig", None)?;
                match found.expect(200)?["patch"]["supported"].as_bool() {
                    Some(true) => Ok(()),
                    _ => Err(Failure::wrong("it says nothing of PATCH")),
                }
            }
            Self::ResourceTypes => resources(trial, "/ResourceTypes", 1),
            Self::Schemas => resources(trial, "/Schemas", 1),
            Self::Users => resources(trial, "/Users?count=1", 0),
            Self::Groups => resources(trial, "/Groups?count=1", 0),
            Self::Create => trial.create(),
            Self::Read => trial.expect_canary(true),
            Self::Find => match trial.find()?.len() {
                1 => Ok(()),
                other => Err(Failure::wrong(format!("{other} users were found"))),
            },
            Self::Suspend => trial.suspend(),
            Self::Remove => trial.remove(),
        }
    }
}

/// Reads a list with at least so many resources.
fn resources(trial: &Trial, path: &str, least: u64) -> Result<(), Failure> {
    let list = trial.scim.send("GET", path, None)?.expect(200)?;
    match list["totalResults"].as_u64() {
        Some(total) if total >= least => Ok(()),
        Some(total) => Err(Failure::wrong(format!("the list has {total} resources"))),
        None => Err(Failure::wrong("it is not a list of resources")),
    }
}

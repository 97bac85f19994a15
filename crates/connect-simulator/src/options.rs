//! What a simulator is started with, and what may be changed while it runs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a simulator is started with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which instance it plays.
    pub identity: Identity,
    /// How it behaves; can be changed while it runs.
    pub settings: Settings,
    /// Where the state is kept; in memory only if absent. The file is replaced after
    /// every change and read at the start.
    pub state_file: Option<PathBuf>,
    /// The URL of the policy engine that decides whether the signer of a request may make
    /// it; everybody may do everything if absent. It is sent a POST with the members
    /// `accessKeyId`, `sessionToken`, `action`, `resources` and `context`, and answers with
    /// `principal` and, where it refuses, `denied` or `error`.
    pub authorizer: Option<String>,
}

/// Where the simulated instance lives: the parts of its ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// The id of the instance.
    pub instance_id: String,
    /// The account, 12 digits.
    pub account: String,
    /// The region, like `eu-central-1`.
    pub region: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            instance_id: "11111111-2222-4333-8444-555555555555".to_owned(),
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }
}

impl Identity {
    /// The instance's ARN.
    #[must_use]
    pub fn instance_arn(&self) -> String {
        format!(
            "arn:aws:connect:{}:{}:instance/{}",
            self.region, self.account, self.instance_id
        )
    }

    /// The ARN of something in the instance; `kind` as ARNs spell it, like `agent`.
    pub(crate) fn arn(&self, kind: &str, id: &str) -> String {
        format!("{}/{kind}/{id}", self.instance_arn())
    }
}

/// How the simulator behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Where the instance's users are managed. It decides which members of a user are
    /// required and which are refused.
    pub identity_management: IdentityManagement,
    /// The limit on calls of each operation; absent for no limit.
    pub throttle: Option<Throttle>,
    /// How many users the instance takes (Amazon's default is 500).
    pub user_quota: usize,
    /// How long a change stays unseen by `SearchUsers`, in milliseconds. A shorter lag
    /// shows the changes that were made before it, too.
    pub search_lag_milliseconds: u64,
    /// Whether a username may have an @ only in the form of an email address, as the
    /// documentation of `CreateUser` requires. Instances of Salesforce Service Cloud Voice
    /// have users whose names do not follow it.
    pub usernames_with_at_are_emails: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            identity_management: IdentityManagement::Saml,
            throttle: Some(Throttle::default()),
            user_quota: 500,
            search_lag_milliseconds: 0,
            usernames_with_at_are_emails: true,
        }
    }
}

/// Where the users of an instance are managed (`DirectoryType` in the API model).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IdentityManagement {
    /// Users sign in at an identity provider.
    Saml,
    /// Users have a password in Connect.
    ConnectManaged,
    /// Users come from an Active Directory.
    ExistingDirectory,
}

/// A token bucket for each operation.
///
/// Amazon counts by account, region and operation; the default is its default for every
/// operation simulated here.
/// Source: Amazon Connect service quotas, "API throttling quotas".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Throttle {
    /// Calls per second in the long run.
    pub rate_per_second: f64,
    /// Calls that may come at once.
    pub burst: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            rate_per_second: 2.0,
            burst: 5,
        }
    }
}

//! One deployment target, described by `environments/<name>.yaml`.
//!
//! The file is read into [`Environment`] and checked whole before anything else
//! happens: a value that got past this module is known to be well formed, so the
//! template and the commands never check again. Nothing here knows AWS or does I/O
//! beyond reading the file.

mod check;
mod error;
mod explain;
mod load;
mod problem;
mod rules;
mod schema;
mod secret;
mod suggestion;
mod targets;
mod task;
#[cfg(test)]
mod tests;
mod types;
mod yaml;

use std::collections::BTreeMap;

use connect_attributes::Attributes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use error::Error;
pub use load::{EnvironmentFile, files, find};
pub use problem::{Problem, Problems};
pub use schema::json_schema;
pub use targets::TargetEnvironment;
pub use task::*;
pub use types::*;
use types::{
    default_client, default_editing_profiles, default_routing_profile, default_security_profile,
};

/// Everything that `environments/<name>.yaml` may say.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Environment {
    /// Where the stack lives: the real AWS (`aws`) or the local cloud on this machine (`local`).
    #[serde(default)]
    pub cloud: Cloud,
    /// The 12-digit AWS account. Required unless `cloud: local`; another account is refused before anything is changed.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// The AWS region of the Connect instance and of the stack.
    pub region: Region,
    /// A profile of the AWS configuration files to take credentials from.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub profile: Option<String>,
    /// A role to assume for everything the deployer does.
    #[serde(default)]
    pub role_arn: Option<RoleArn>,
    /// The external id that the trust policy of `roleArn` asks for.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// The CloudFormation stack.
    pub stack_name: StackName,
    /// The API Gateway stage: the first path segment of the endpoint's URL. Okta refuses `_` in it.
    #[serde(default)]
    pub stage: StageName,
    /// Guards a production stack: termination protection, deletion protection of the
    /// directory table, a stack policy that refuses every update which would replace or
    /// delete it, and `destroy` refuses.
    #[serde(default)]
    pub protected: bool,
    /// What CloudFormation is told about the stack as a whole.
    #[serde(default)]
    pub stack: Stack,
    /// The Amazon Connect instance whose users SCIM owns. A file has either this, and describes an endpoint, or `directorySync`.
    #[serde(default)]
    pub connect: Option<Connect>,
    /// The directory that is kept equal to IAM Identity Center or another SCIM server, and how. A file has either this, and describes a directory sync, or `connect`.
    #[serde(default)]
    pub directory_sync: Option<directory_sync::configuration::Configuration>,
    /// The Fargate task that runs the directory sync. Required with `directorySync`.
    #[serde(default)]
    pub task: Option<Task>,
    /// Which groups get into which accounts, and with which permissions: the last step from the directory to AWS. For a directory sync into IAM Identity Center, in its region.
    #[serde(default)]
    pub assignments: Option<Assignments>,
    /// What happens to Connect users when the identity provider changes its mind.
    #[serde(default)]
    pub provisioning: Provisioning,
    /// The REST API in front of the endpoint.
    #[serde(default)]
    pub api: Api,
    /// The bearer tokens of the clients.
    #[serde(default)]
    pub token: Token,
    /// One entry per identity provider that calls the endpoint; each has its own token (or issuer of JWTs), API key and usage plan.
    #[serde(default = "default_clients")]
    #[schemars(schema_with = "schema::clients")]
    pub clients: BTreeMap<ClientName, Client>,
    /// The Lambda functions.
    #[serde(default)]
    pub functions: Functions,
    /// The IAM policy that keeps everyone else's hands off the users that SCIM owns.
    #[serde(default)]
    pub guardrails: Guardrails,
    /// What `drift` is told beforehand.
    #[serde(default)]
    pub drift: Drift,
    /// The CloudWatch alarms.
    #[serde(default)]
    pub alarms: Alarms,
    /// Where the function packages are uploaded.
    #[serde(default)]
    pub artifacts: Artifacts,
    /// Tags of the stack and of every resource in it.
    #[serde(default)]
    #[schemars(schema_with = "schema::tags")]
    pub tags: BTreeMap<TagKey, TagValue>,
}

impl Environment {
    /// What the stack is.
    #[must_use]
    pub fn kind(&self) -> StackKind {
        match self.directory_sync {
            None => StackKind::Endpoint,
            Some(_) => StackKind::DirectorySync,
        }
    }

    /// The Connect instance of an endpoint.
    ///
    /// # Errors
    /// When the file describes a directory sync.
    pub fn connect(&self) -> Result<&Connect, Error> {
        self.connect.as_ref().ok_or_else(|| Error::OtherKind {
            stack: self.stack_name.to_string(),
            kind: StackKind::DirectorySync,
        })
    }

    /// The directory sync, and the task that runs it.
    ///
    /// # Errors
    /// When the file describes an endpoint.
    pub fn directory_sync(&self) -> Result<DirectorySync<'_>, Error> {
        match (&self.directory_sync, &self.task) {
            (Some(configuration), Some(task)) => Ok(DirectorySync {
                configuration,
                task,
            }),
            _ => Err(Error::OtherKind {
                stack: self.stack_name.to_string(),
                kind: StackKind::Endpoint,
            }),
        }
    }

    /// The principals that deploy, as `aws:PrincipalArn` holds them; `*` is a wildcard.
    #[must_use]
    pub fn deployers(&self) -> Vec<String> {
        let unnamed = [&self.role_arn, &self.stack.service_role_arn];
        unnamed
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .chain(self.guardrails.deployers.iter().map(ToString::to_string))
            .collect()
    }

    /// The name of the SSM parameter that holds a client's token.
    #[must_use]
    pub fn token_parameter(&self, client: &ClientName) -> String {
        format!("{}/{client}", self.token_path())
    }

    /// The clients whose tokens the token generator makes.
    pub fn clients_with_tokens(&self) -> impl Iterator<Item = &ClientName> {
        let generated = self
            .clients
            .iter()
            .filter(|(_, client)| client.jwt.is_none() && client.token.is_none());
        generated.map(|(name, _)| name)
    }

    /// The name of the SSM parameter in which the last result of `drift` is kept.
    #[must_use]
    pub fn drift_parameter(&self) -> String {
        format!("/connect-scim/{}/drift", self.stack_name)
    }

    /// The SSM parameter path under which all clients' tokens are.
    #[must_use]
    pub fn token_path(&self) -> String {
        self.token.parameter_name.as_ref().map_or_else(
            || format!("/connect-scim/{}/token", self.stack_name),
            ToString::to_string,
        )
    }
}

/// What a stack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackKind {
    /// A SCIM endpoint for a Connect instance.
    Endpoint,
    /// A task that keeps a SCIM server equal to a directory.
    DirectorySync,
}

impl std::fmt::Display for StackKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Endpoint => "an endpoint",
            Self::DirectorySync => "a directory sync",
        })
    }
}

/// A directory sync, and the task that runs it.
#[derive(Debug, Clone, Copy)]
pub struct DirectorySync<'a> {
    /// What is kept equal to what, and how.
    pub configuration: &'a directory_sync::configuration::Configuration,
    /// What runs it.
    pub task: &'a Task,
}

/// The cloud that a stack lives in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Cloud {
    /// Amazon Web Services.
    #[default]
    Aws,
    /// MiniStack and the Connect simulator on this machine.
    Local,
}

/// What CloudFormation is told about the stack as a whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Stack {
    /// The role with which CloudFormation makes the resources, so that whoever deploys needs no permissions on them. The stack keeps it once it has one.
    pub service_role_arn: Option<RoleArn>,
    /// The SNS topics that are told of every event of the stack, up to five.
    pub notification_topic_arns: Vec<TopicArn>,
}

/// The Amazon Connect instance.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Connect {
    /// The instance id: the UUID at the end of the instance ARN.
    pub instance_id: InstanceId,
    /// How people sign in to the instance. It decides which usernames Connect accepts and whether it takes an e-mail address.
    #[serde(default)]
    pub identity_management: IdentityManagement,
    /// The security profile of a user for whom the identity provider names none.
    #[serde(default = "default_security_profile")]
    pub default_security_profile: ProfileName,
    /// The routing profile of a user for whom the identity provider names none.
    #[serde(default = "default_routing_profile")]
    pub default_routing_profile: ProfileName,
}

/// `IdentityManagementType` of the Connect instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IdentityManagement {
    /// `SAML`: people sign in through their identity provider.
    #[default]
    Saml,
    /// `CONNECT_MANAGED`: Connect keeps passwords itself.
    ConnectManaged,
}

/// What becomes of a Connect user.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Provisioning {
    /// What `active: false` does in Connect. Either way the SCIM resource stays readable.
    #[serde(default)]
    pub deprovision: Deprovision,
    /// With `deprovision: suspend`, the security profile without permissions that replaces all others.
    #[serde(default)]
    pub suspended_security_profile: Option<ProfileName>,
    /// What a changed `userName` does: Connect cannot rename a user.
    #[serde(default)]
    pub rename: Rename,
    /// Whether a Connect user that was there before, with the same username, is taken over.
    #[serde(default)]
    pub adopt: Adopt,
    /// Which SCIM attribute feeds which field of a Connect user: for each field a SCIM path, or a list of paths in order of preference; an empty list feeds it with nothing.
    #[serde(default)]
    pub attributes: Attributes,
    /// Which security profiles the members of a group get, by the group's name at the identity provider: one name of a security profile, or a list. Several groups may grant one profile.
    #[serde(default)]
    #[schemars(schema_with = "schema::provisioned_groups")]
    pub groups: BTreeMap<ScimGroupName, MappedProfiles>,
    /// What happens to a group that neither `groups` nor a security profile has the name of.
    #[serde(default)]
    pub unmapped_groups: UnmappedGroups,
}

impl Provisioning {
    /// `groups` as the JSON object that a function is given; `None` if it is empty.
    #[must_use]
    pub fn group_mapping(&self) -> Option<String> {
        let groups: BTreeMap<&str, &MappedProfiles> = self
            .groups
            .iter()
            .map(|(group, profiles)| (group.get(), profiles))
            .collect();
        (!groups.is_empty()).then(|| serde_json::json!(groups).to_string())
    }
}

/// What `active: false` does in Connect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Deprovision {
    /// Deletes the Connect user; reactivation creates it again.
    #[default]
    Delete,
    /// Keeps the Connect user with a security profile that permits nothing.
    Suspend,
}

/// What a changed `userName` does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Rename {
    /// Answers 400 `mutability`.
    #[default]
    Reject,
    /// Deletes the Connect user and creates one with the new name; the SCIM id stays.
    Recreate,
}

/// What happens to a group that no security profile is mapped to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UnmappedGroups {
    /// Creating it returns 400.
    #[default]
    Reject,
    /// It is stored with its members and grants nothing.
    Accept,
}

/// Whether Connect users that were there before are taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Adopt {
    /// Answers 409.
    Never,
    /// Takes over a user whose first and last name match as well.
    #[default]
    Matching,
    /// Takes over every user of that username.
    Always,
}

/// The REST API.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Api {
    /// Where the API answers: in the region, or at the edge locations.
    pub endpoint_type: EndpointType,
    /// The URL under which clients reach the API when it has a custom domain, without the SCIM path. `{apiId}` and `{stage}` are replaced.
    pub base_url: Option<BaseUrl>,
    /// Requests per second and burst that the stage accepts from all clients together.
    pub throttle: Throttle,
    /// Requests that one client may make in a period.
    pub quota: Option<Quota>,
    /// Address ranges that may call the API; empty: all.
    pub allowed_cidrs: Vec<Cidr>,
    /// Seconds for which API Gateway remembers an accepted token (0 to 3600). A revoked or expired token stays valid that long.
    pub authorizer_ttl_seconds: AuthorizerTtl,
    /// Whether a method call needs an API key; the token authorizer supplies it, so that usage plans bind.
    pub require_api_key: bool,
    /// Writes one JSON line per request to a log group. Needs the account's API Gateway logging role.
    pub access_logs: bool,
    /// Traces requests with AWS X-Ray.
    pub tracing: bool,
    /// Creates the account-wide API Gateway logging role where the account and region have none.
    pub create_account_logging_role: bool,
}

/// Where a REST API answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EndpointType {
    /// `REGIONAL`.
    #[default]
    Regional,
    /// `EDGE`.
    Edge,
}

/// A token bucket of API Gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Throttle {
    /// Requests per second, sustained.
    pub rate: ThrottleRate,
    /// Requests at once.
    pub burst: ThrottleBurst,
}

/// A usage quota of API Gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Quota {
    /// Requests per period.
    pub limit: QuotaLimit,
    /// The period.
    pub period: QuotaPeriod,
}

/// The period of a usage quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum QuotaPeriod {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
}

/// The bearer tokens.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Token {
    /// The SSM parameter path under which each client's token is kept, as `<parameterName>/<client>`. Default: `/connect-scim/<stackName>/token`.
    pub parameter_name: Option<ParameterName>,
    /// Minutes for which the previous token is still accepted after a rotation.
    pub overlap_minutes: OverlapMinutes,
}

/// One identity provider that calls the endpoint.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Client {
    /// This client's share of the throttle. Default: the stage's.
    pub throttle: Option<Throttle>,
    /// This client's quota. Default: the API's.
    pub quota: Option<Quota>,
    /// Raise it to have the next deployment rotate this client's token.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub token_generation: u32,
    /// Takes this client's token from where somebody else keeps it. The token generator makes none then, and `token rotate`, `revoke` and `set` refuse.
    pub token: Option<ExternalToken>,
    /// Signs this client in with JWTs that an issuer makes. There is no token of ours then, in SSM or elsewhere.
    pub jwt: Option<Jwt>,
}

/// A token that somebody else makes, such as a company's vault: in an SSM parameter or in a
/// secret of Secrets Manager, one of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExternalToken {
    /// The SSM parameter that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_name: Option<ParameterName>,
    /// The secret that holds the token, in the stack's region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_arn: Option<SecretArn>,
    /// The member that is the token, where the secret is a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<SecretKey>,
    /// The KMS key of the parameter or secret, if it is not the one that AWS manages. The key's own policy must let the authorizer's role decrypt as well, or leave that to IAM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<KmsKeyArn>,
}

/// Which JWTs are a client's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Jwt {
    /// Who makes the tokens: their `iss`, letter by letter.
    pub issuer: IssuerUrl,
    /// Whom the tokens are for: what their `aud` must contain.
    pub audience: Audience,
    /// What the tokens' `scp`, `scope` or `roles` must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_scope: Option<Scope>,
    /// Which application the tokens must have been given to: their `azp`, `appid`, `client_id` or `cid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_client_id: Option<ClientId>,
    /// Where the issuer publishes its keys. Default: where its OpenID configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<JwksUrl>,
}

/// The Lambda functions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Functions {
    /// The processor that the functions are built for.
    pub architecture: Architecture,
    /// Memory of the `user-provisioning` function in MiB (128 to 10240).
    pub memory_mb: MemoryMb,
    /// Seconds after which a request is given up (3 to 29: API Gateway waits no longer).
    pub timeout_seconds: TimeoutSeconds,
    /// Instances of the `user-provisioning` function that may run at once; unset: the account's pool.
    pub reserved_concurrency: Option<ReservedConcurrency>,
    /// Days for which logs are kept; one of the periods that CloudWatch Logs offers.
    pub log_retention_days: LogRetentionDays,
    /// How much the functions log.
    pub log_level: LogLevel,
}

/// A Lambda instruction set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Architecture {
    /// 64-bit Intel and AMD.
    #[serde(rename = "x86_64")]
    #[default]
    X86_64,
    /// AWS Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

/// How much the functions log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// Failures of ours.
    Error,
    /// And what somebody should look at.
    Warn,
    /// And one line per request.
    #[default]
    Info,
    /// And every call to another service.
    Debug,
}

/// What keeps users' edits to SCIM: the IAM guardrail, and who may edit in Connect itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Guardrails {
    /// The principals that are denied users' edits around SCIM.
    pub attach_to: AttachTo,
    /// The roles and users whose permissions boundary the guardrail becomes: `guardrails apply` sets it. A boundary cannot be detached by who is bound, and covers policies that are attached later.
    pub boundary_of: BoundaryOf,
    /// IAM principals (ARNs, `*` allowed) that may change the endpoint, though no users: whoever deploys. `roleArn` and `stack.serviceRoleArn` are among them unnamed.
    pub deployers: Vec<PrincipalArn>,
    /// IAM principals (ARNs, `*` allowed) to whom the guardrail does not apply besides the endpoint itself.
    pub exempt_principals: Vec<PrincipalArn>,
    /// The security profiles whose holders may edit users or security profiles in Connect's admin website, which IAM does not govern: those for emergencies. Every other one that can is reported.
    pub editing_profiles: Vec<ProfileName>,
}

impl Default for Guardrails {
    fn default() -> Self {
        Self {
            attach_to: AttachTo::default(),
            boundary_of: BoundaryOf::default(),
            deployers: Vec::new(),
            exempt_principals: Vec::new(),
            editing_profiles: default_editing_profiles(),
        }
    }
}

/// The principals that have a permissions boundary, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct BoundaryOf {
    /// IAM roles.
    pub roles: Vec<IamName>,
    /// IAM users.
    pub users: Vec<IamName>,
}

impl BoundaryOf {
    /// Whether nobody has it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.users.is_empty()
    }
}

/// The principals that a managed policy is attached to, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct AttachTo {
    /// IAM roles.
    pub roles: Vec<IamName>,
    /// IAM groups.
    pub groups: Vec<IamName>,
    /// IAM users.
    pub users: Vec<IamName>,
}

/// What `drift` is told beforehand.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Drift {
    /// Has the stack report edits of users by others than the endpoint within minutes, to an SNS topic. The account must have a CloudTrail trail that logs management events of the region. `{}` is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    /// Has `drift` simulate everybody in the account who might edit users, as `guardrails verify` does: whoever can is drift. Leave it off as long as some administrators may.
    pub simulate_principals: bool,
    /// Findings that somebody has accepted until a day. They are reported as accepted and do not count.
    pub accepted: Vec<AcceptedFinding>,
}

/// Where edits of users by others are reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Watch {
    /// A topic that exists, in the stack's region; its policy must let `events.amazonaws.com` publish, without a condition. Default: the stack makes one.
    pub topic_arn: Option<TopicArn>,
    /// The KMS key of the topic that the stack makes. The key's own policy must let `events.amazonaws.com` generate data keys and decrypt. Default: the topic has no key.
    pub kms_key_arn: Option<KmsKeyArn>,
}

/// A finding of `drift` that somebody has accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AcceptedFinding {
    /// The finding's id, as `drift` prints it.
    pub id: FindingId,
    /// Why it is accepted, and by whom.
    pub reason: Reason,
    /// The last day (UTC) on which it is accepted; from the next one on it is drift again.
    pub expires: ExpiryDate,
}

/// The CloudWatch alarms.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Alarms {
    /// The SNS topic that is told when an alarm begins and ends, in the stack's region. Without it alarms are to be seen in CloudWatch only.
    pub topic_arn: Option<TopicArn>,
    /// Days after which a client's token should have been rotated (1 to 3650).
    pub token_max_age_days: TokenAgeDays,
    /// Minutes for which a user may wait for Connect (15 to 1440).
    pub pending_max_minutes: PendingMinutes,
}

/// Where the function packages go.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Artifacts {
    /// An S3 bucket that exists. Default: `connect-scim-artifacts-<account>-<region>`, made on first use.
    pub bucket: Option<BucketName>,
}

fn default_clients() -> BTreeMap<ClientName, Client> {
    BTreeMap::from([(default_client(), Client::default())])
}

impl Default for Api {
    fn default() -> Self {
        Self {
            endpoint_type: EndpointType::default(),
            base_url: None,
            throttle: Throttle::default(),
            quota: None,
            allowed_cidrs: Vec::new(),
            authorizer_ttl_seconds: AuthorizerTtl::default(),
            require_api_key: true,
            access_logs: true,
            tracing: false,
            create_account_logging_role: false,
        }
    }
}

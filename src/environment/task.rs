//! What is special to the environment of a directory sync: the task that runs it, and who
//! gets into which account through the groups that it makes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Architecture;
use super::types::*;

/// The Fargate task that runs a directory sync.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Task {
    /// Minutes from one run to the next (15 to 1440).
    #[serde(default)]
    pub every_minutes: RunMinutes,
    /// Minutes by which EventBridge Scheduler may start a run later than its turn, so that not all tasks of a company begin in the same second (1 to 60).
    #[serde(default)]
    pub jitter_minutes: JitterMinutes,
    /// The processor that the task runs on.
    #[serde(default)]
    pub architecture: Architecture,
    /// CPU units; 1024 are one processor.
    #[serde(default)]
    pub cpu: TaskCpu,
    /// Memory in MiB, as Fargate offers it for `cpu` (512 to 30720).
    #[serde(default)]
    pub memory_mb: TaskMemoryMb,
    /// Days for which logs are kept; one of the periods that CloudWatch Logs offers.
    #[serde(default)]
    pub log_retention_days: LogRetentionDays,
    /// Where the task is in the network.
    pub network: Network,
}

/// Where a task is in the network. From there it must reach the directory, the SCIM server
/// and, through a NAT gateway or endpoints, Amazon ECR, Secrets Manager, Systems Manager and
/// CloudWatch Logs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Network {
    /// The VPC.
    pub vpc_id: VpcId,
    /// The subnets, up to 16; private ones are meant.
    #[schemars(length(min = 1, max = 16))]
    pub subnet_ids: Vec<SubnetId>,
    /// Where the directory's servers are. The task may call nothing else but HTTPS: the ports of the directory are open to these address ranges only.
    #[schemars(length(min = 1))]
    pub directory_cidrs: Vec<Cidr>,
    /// Gives the task a public address: for a public subnet without a NAT gateway.
    #[serde(default)]
    pub assign_public_ip: bool,
}

/// Who gets into which accounts of the organization, and with which permissions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Assignments {
    /// The instance of IAM Identity Center.
    pub instance_arn: SsoInstanceArn,
    /// Its identity store, in which the groups are.
    pub identity_store_id: IdentityStoreId,
    /// The permissions, by the name that people see when they sign in.
    #[schemars(schema_with = "super::schema::permission_sets")]
    pub permission_sets: BTreeMap<PermissionSetName, PermissionSet>,
    /// What each group gets, by its display name: a list of `permissionSet` with its `accounts`.
    #[schemars(schema_with = "super::schema::group_assignments")]
    pub groups: BTreeMap<GroupName, Vec<GroupAssignment>>,
}

/// Permissions under a name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct PermissionSet {
    /// What it is for.
    pub description: Option<PermissionSetDescription>,
    /// Policies of AWS that it has, by ARN.
    pub managed_policies: Vec<ManagedPolicyArn>,
    /// Policies that every account has under this name.
    pub customer_managed_policies: Vec<IamName>,
    /// Hours after which people sign in again (1 to 12).
    pub session_hours: SessionHours,
}

/// Accounts that a group gets into with one permission set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GroupAssignment {
    /// One of `permissionSets`.
    pub permission_set: PermissionSetName,
    /// The accounts.
    #[schemars(length(min = 1))]
    pub accounts: Vec<AccountId>,
}

/// CPU units of a Fargate task.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schemars(with = "u32", extend("enum" = [256, 512, 1024, 2048, 4096]))]
pub enum TaskCpu {
    /// A quarter of a processor.
    #[default]
    Quarter,
    /// Half a processor.
    Half,
    /// One processor.
    One,
    /// Two processors.
    Two,
    /// Four processors.
    Four,
}

impl TaskCpu {
    /// The memory that Fargate offers with it, in MiB.
    #[must_use]
    pub fn offers(self, memory_mb: u32) -> bool {
        let gib = memory_mb / 1024;
        let is_whole = memory_mb.is_multiple_of(1024);
        match self {
            Self::Quarter => memory_mb == 512 || (is_whole && (1..=2).contains(&gib)),
            Self::Half => is_whole && (1..=4).contains(&gib),
            Self::One => is_whole && (2..=8).contains(&gib),
            Self::Two => is_whole && (4..=16).contains(&gib),
            Self::Four => is_whole && (8..=30).contains(&gib),
        }
    }
}

impl From<TaskCpu> for u32 {
    fn from(cpu: TaskCpu) -> Self {
        match cpu {
            TaskCpu::Quarter => 256,
            TaskCpu::Half => 512,
            TaskCpu::One => 1024,
            TaskCpu::Two => 2048,
            TaskCpu::Four => 4096,
        }
    }
}

impl TryFrom<u32> for TaskCpu {
    type Error = String;

    fn try_from(units: u32) -> Result<Self, String> {
        match units {
            256 => Ok(Self::Quarter),
            512 => Ok(Self::Half),
            1024 => Ok(Self::One),
            2048 => Ok(Self::Two),
            4096 => Ok(Self::Four),
            _ => Err("must be 256, 512, 1024, 2048 or 4096 CPU units".to_owned()),
        }
    }
}

//! A plan as JSON, version 1. The schema is docs/plan.schema.json.
//!
//! The version changes when a field goes, changes its type or its meaning. A new field or a
//! new word does not change it: readers ignore what they do not know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::{self, StackAction};

/// The version of this format.
pub const VERSION: u32 = 1;

/// What `connect-scim plan --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// The environment's name, as it was asked for.
    pub environment: String,
    /// The stack's name.
    pub stack_name: String,
    /// The 12-digit account id.
    pub account: String,
    /// The region.
    pub region: String,
    /// What becomes of the stack as a whole.
    pub action: Action,
    /// Whether the service's own view, a change set, is in it.
    pub from_change_set: bool,
    /// What a deployment in a pipeline needs to be told by `--approve`.
    pub approvals: Vec<Approval>,
    /// How many resources are touched.
    pub counts: Counts,
    /// What to know before all else, the worst first.
    pub notices: Vec<Notice>,
    /// Resources that are made, changed or removed, the worst first.
    pub resources: Vec<Resource>,
    /// Functions that get other code.
    pub code: Vec<Code>,
    /// What changes for callers of the API, in words.
    pub api: Vec<String>,
    /// Policies whose permissions change, those that broaden first.
    pub permissions: Vec<Policy>,
    /// Changes of the stack itself: tags, protection, outputs.
    pub stack: Vec<Property>,
}

/// What becomes of the stack as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It does not exist and is made.
    Create,
    /// What is left of a failed creation is deleted, and it is made anew.
    Recreate,
    /// It stands and changes.
    Update,
    /// It stands as it should.
    Nothing,
}

/// What has to be approved by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Approval {
    /// Permissions that grow.
    Iam,
    /// Resources that are replaced, and data that is lost.
    Replace,
}

/// How many resources are touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Resources that are made.
    pub add: usize,
    /// Resources that are changed, replacements included.
    pub change: usize,
    /// Of them, those that are replaced, or may be.
    pub replace: usize,
    /// Resources that are removed.
    pub remove: usize,
}

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// How much it matters.
    pub severity: Severity,
    /// The resource, or the stack's name.
    pub subject: String,
    /// What happens.
    pub text: String,
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Data is lost for good.
    Loss,
    /// Something breaks or stands unprotected unless somebody acts.
    Warning,
    /// Somebody should know.
    Note,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its name in the template.
    pub logical_id: String,
    /// `AWS::…::…`
    #[serde(rename = "type")]
    pub resource_type: String,
    /// What becomes of it.
    pub action: ResourceAction,
    /// Whether it is replaced.
    pub replacement: Replacement,
    /// Its changed properties; of one that is made or removed, all.
    pub properties: Vec<Property>,
}

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ResourceAction {
    /// It is made.
    Add,
    /// It is changed, in place or by replacement.
    Modify,
    /// It is removed.
    Remove,
}

/// Whether a change makes a new resource in place of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Replacement {
    /// It does not.
    None,
    /// The service decides while it deploys.
    Possible,
    /// It does.
    Certain,
}

/// One changed property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    /// Where: a JSON pointer into the resource, or into the stack.
    pub path: String,
    /// Where, for people.
    pub name: String,
    /// The value that is there, functions in their long form; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value that will be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// What the change does to the resource.
    pub replacement: Replacement,
    /// The resource whose replacement changes the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// One function that gets other code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// The function's resource.
    pub logical_id: String,
    /// The function's name: `user-provisioning`.
    pub function: String,
    /// The SHA-256 of the package that runs, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The SHA-256 of the package that will run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// One policy whose permissions change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The resource that it stands in.
    pub logical_id: String,
    /// `AWS::…::…`
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Which of its policies.
    pub policy: String,
    /// Whether somebody can do more than before.
    pub broadens: bool,
    /// What is new in it.
    pub granted: Vec<Permission>,
    /// What is no longer in it.
    pub revoked: Vec<Permission>,
}

/// One permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// Whether it lets somebody do what nobody could do before.
    pub broadens: bool,
    /// `Allow`, `Deny`; `Unclear` for a statement that could not be read.
    pub effect: String,
    /// Who, where the policy names somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What.
    pub actions: Vec<String>,
    /// On what.
    pub resources: Vec<String>,
    /// Only if.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// The JSON Schema of the format.
#[must_use]
pub fn json_schema() -> Value {
    schemars::schema_for!(Plan).to_value()
}

impl From<&plan::Plan> for Plan {
    fn from(plan: &plan::Plan) -> Self {
        let counts = plan.counts();
        Self {
            version: VERSION,
            environment: plan.subject.environment.clone(),
            stack_name: plan.subject.stack_name.clone(),
            account: plan.subject.account.clone(),
            region: plan.subject.region.clone(),
            action: match plan.action {
                StackAction::Create => Action::Create,
                StackAction::Recreate => Action::Recreate,
                StackAction::Update => Action::Update,
                StackAction::Nothing => Action::Nothing,
            },
            from_change_set: plan.from_change_set,
            approvals: plan
                .approvals()
                .into_iter()
                .map(|approval| match approval {
                    plan::Approval::Iam => Approval::Iam,
                    plan::Approval::Replace => Approval::Replace,
                })
                .collect(),
            counts: Counts {
                add: counts.add,
                change: counts.change,
                replace: counts.replace,
                remove: counts.remove,
            },
            notices: plan.notices.iter().map(Notice::from).collect(),
            resources: super::worst_first(plan)
                .into_iter()
                .map(Resource::from)
                .collect(),
            code: plan.code.iter().map(Code::from).collect(),
            api: plan.api.clone(),
            permissions: plan.permissions.iter().map(Policy::from).collect(),
            stack: plan.stack.iter().map(Property::from).collect(),
        }
    }
}

impl From<&plan::Notice> for Notice {
    fn from(notice: &plan::Notice) -> Self {
        Self {
            severity: match notice.severity {
                plan::Severity::Loss => Severity::Loss,
                plan::Severity::Warning => Severity::Warning,
                plan::Severity::Note => Severity::Note,
            },
            subject: notice.subject.clone(),
            text: notice.text.clone(),
        }
    }
}

impl From<&plan::ResourceChange> for Resource {
    fn from(resource: &plan::ResourceChange) -> Self {
        Self {
            logical_id: resource.logical_id.clone(),
            resource_type: resource.resource_type.clone(),
            action: match resource.action {
                plan::Action::Add => ResourceAction::Add,
                plan::Action::Modify => ResourceAction::Modify,
                plan::Action::Remove => ResourceAction::Remove,
            },
            replacement: resource.replacement.into(),
            properties: resource.properties.iter().map(Property::from).collect(),
        }
    }
}

impl From<plan::Replacement> for Replacement {
    fn from(replacement: plan::Replacement) -> Self {
        match replacement {
            plan::Replacement::None => Self::None,
            plan::Replacement::Possible => Self::Possible,
            plan::Replacement::Certain => Self::Certain,
        }
    }
}

impl From<&plan::PropertyChange> for Property {
    fn from(property: &plan::PropertyChange) -> Self {
        Self {
            path: property.pointer.clone(),
            name: property.name.clone(),
            before: property.before.clone(),
            after: property.after.clone(),
            replacement: property.replacement.into(),
            cause: property.cause.clone(),
        }
    }
}

impl From<&plan::CodeChange> for Code {
    fn from(change: &plan::CodeChange) -> Self {
        Self {
            logical_id: change.logical_id.clone(),
            function: change.function.clone(),
            before: change.before.clone(),
            after: change.after.clone(),
        }
    }
}

impl From<&plan::PolicyChange> for Policy {
    fn from(change: &plan::PolicyChange) -> Self {
        Self {
            logical_id: change.logical_id.clone(),
            resource_type: change.resource_type.clone(),
            policy: change.policy.clone(),
            broadens: change.broadens(),
            granted: change.granted.iter().map(Permission::from).collect(),
            revoked: change.revoked.iter().map(Permission::from).collect(),
        }
    }
}

impl From<&plan::Permission> for Permission {
    fn from(permission: &plan::Permission) -> Self {
        Self {
            broadens: permission.broadens,
            effect: permission.effect.clone(),
            principal: permission.principal.clone(),
            actions: permission.actions.clone(),
            resources: permission.resources.clone(),
            condition: permission.condition.clone(),
        }
    }
}

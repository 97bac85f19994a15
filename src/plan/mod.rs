//! What a deployment would change, before it changes anything.
//!
//! A person has to be able to say yes to a deployment, so it is shown down to the single
//! property, and what cannot be taken back comes first: resources that are replaced, data
//! that is lost, permissions that grow. All of it is computed from two templates in
//! canonical form and the stacks' settings, so a plan needs no change set, leaves nothing
//! behind, and works for a stack that does not exist yet. Where the service has computed
//! its own view (a change set), that view wins: [`Plan::with_service_view`].
//!
//! Pure: no AWS, no files, no clock. How a plan is shown is [`crate::report::plan`].

mod api;
mod code;
mod create_only;
mod difference;
pub mod expression;
mod former_client;
mod iam;
mod notice;
mod resource;
pub mod saved;
mod service;
mod setting;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

pub use code::CodeChange;
pub use create_only::{CREATE_ONLY, CreateOnly};
pub use former_client::{former_clients, removed_clients};
pub(crate) use iam::matches_pattern;
pub use iam::{Permission, PolicyChange};
pub use notice::{Notice, Severity};
pub use resource::{Action, PropertyChange, Replacement, ResourceChange};
pub use service::{ServiceChange, ServiceProperty};
pub use setting::{changed_groups, settings_of_users};

use self::difference::{Place, differences};

/// Which stack a plan is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The environment's name, as it was asked for.
    pub environment: String,
    /// The stack's name.
    pub stack_name: String,
    /// The 12-digit account id.
    pub account: String,
    /// The region.
    pub region: String,
}

/// A stack as it is, or as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The template in canonical form.
    pub template: Value,
    /// What belongs to the stack and not to its template: tags, termination protection.
    pub settings: BTreeMap<String, Value>,
}

impl Stack {
    /// Adds a setting; one that is `null` counts as one that is not there.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: Value) -> Self {
        if !value.is_null() {
            self.settings.insert(name.to_owned(), value);
        }
        self
    }

    /// A stack by its template (in canonical form), its tags and its termination protection.
    #[must_use]
    pub fn new(
        template: Value,
        tags: &BTreeMap<String, String>,
        termination_protection: bool,
    ) -> Self {
        Self {
            template,
            settings: BTreeMap::from([
                ("Tags".to_owned(), json!(tags)),
                (
                    TERMINATION_PROTECTION.to_owned(),
                    json!(termination_protection),
                ),
            ]),
        }
    }
}

/// The name of a setting: whether the stack can be deleted.
const TERMINATION_PROTECTION: &str = "TerminationProtection";

/// The name of a setting: which updates CloudFormation refuses, in words.
pub const STACK_POLICY: &str = "StackPolicy";

/// What becomes of the stack as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackAction {
    /// It does not exist and is made.
    Create,
    /// What is left of a failed creation is deleted, and it is made anew.
    Recreate,
    /// It stands and changes.
    Update,
    /// It stands as it should.
    Nothing,
}

/// What somebody has to approve by name before a deployment goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Approval {
    /// Permissions that grow.
    Iam,
    /// Resources that are replaced, and data that is lost.
    Replace,
}

impl Approval {
    /// The word by which it is given.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Replace => "replace",
        }
    }

    /// What is approved.
    #[must_use]
    pub fn describes(self) -> &'static str {
        match self {
            Self::Iam => "permissions are broadened",
            Self::Replace => "resources are replaced or data is lost",
        }
    }
}

/// What a deployment would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Which stack.
    pub subject: Subject,
    /// What becomes of it.
    pub action: StackAction,
    /// What to know before all else, the worst first.
    pub notices: Vec<Notice>,
    /// Resources that are made, changed or removed, by logical id.
    pub resources: Vec<ResourceChange>,
    /// Functions that get other code.
    pub code: Vec<CodeChange>,
    /// What changes for callers of the API, in words.
    pub api: Vec<String>,
    /// Permissions that are granted or revoked.
    pub permissions: Vec<PolicyChange>,
    /// What changes of the stack itself: its tags and protection, and the template's parts
    /// other than resources.
    pub stack: Vec<PropertyChange>,
    /// Whether the service's own view of the changes is in it.
    pub from_change_set: bool,
}

/// How many resources a plan touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

impl Plan {
    /// Compares a stack as it is (`None` for one that does not exist) with what it should be.
    #[must_use]
    pub fn new(subject: Subject, deployed: Option<&Stack>, intended: &Stack) -> Self {
        let nothing = Value::Null;
        let before = deployed.map_or(&nothing, |stack| &stack.template);
        let after = &intended.template;
        let resources = resource::changes(before, after);
        let stack = stack_changes(deployed, intended);
        let mut plan = Self {
            subject,
            action: match deployed {
                None => StackAction::Create,
                Some(_) if resources.is_empty() && stack.is_empty() => StackAction::Nothing,
                Some(_) => StackAction::Update,
            },
            notices: Vec::new(),
            code: code::changes(before, after),
            api: api::words(before, after),
            permissions: iam::changes(before, after),
            resources,
            stack,
            from_change_set: false,
        };
        if deployed.is_some() {
            plan.notices = notice::notices(&plan, before, after);
        }
        plan
    }

    /// The plan for a stack whose creation failed: what is left of it is deleted first.
    #[must_use]
    pub fn recreating(mut self) -> Self {
        self.action = StackAction::Recreate;
        self
    }

    /// The plan with more to know.
    #[must_use]
    pub fn with_notices(mut self, notices: Vec<Notice>) -> Self {
        self.notices.extend(notices);
        self.notices.sort();
        self
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.action == StackAction::Nothing
    }

    /// How many resources it touches.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for resource in &self.resources {
            match resource.action {
                Action::Add => counts.add += 1,
                Action::Remove => counts.remove += 1,
                Action::Modify => {
                    counts.change += 1;
                    counts.replace += usize::from(resource.replacement != Replacement::None);
                }
            }
        }
        counts
    }

    /// What has to be approved by name. Of a stack that is made, everything is new and
    /// nothing is lost, so that its creation as such is the one thing to approve.
    #[must_use]
    pub fn approvals(&self) -> BTreeSet<Approval> {
        let mut approvals = BTreeSet::new();
        if self.action == StackAction::Update {
            let lets_in = self.resources.iter().any(lets_somebody_in);
            if lets_in || self.permissions.iter().any(PolicyChange::broadens) {
                approvals.insert(Approval::Iam);
            }
            let replaces = self.resources.iter().any(|resource| {
                resource.replacement != Replacement::None && !is_revision(resource)
            });
            let loses = self
                .notices
                .iter()
                .any(|notice| notice.severity == Severity::Loss);
            if replaces || loses {
                approvals.insert(Approval::Replace);
            }
        }
        approvals
    }
}

/// Whether somebody may do more in an account of the organization than before, or may.
fn lets_somebody_in(change: &ResourceChange) -> bool {
    match change.resource_type.as_str() {
        "AWS::SSO::Assignment" => change.action != Action::Remove,
        "AWS::SSO::PermissionSet" => change.properties.iter().any(|property| {
            ["/Properties/ManagedPolicies", "/Properties/CustomerManaged"]
                .iter()
                .any(|pointer| property.pointer.starts_with(pointer))
        }),
        _ => false,
    }
}

/// Whether a replacement is one more revision of the same thing, by which nothing is lost.
fn is_revision(resource: &ResourceChange) -> bool {
    resource.resource_type == "AWS::ECS::TaskDefinition"
}

/// What differs outside the resources.
fn stack_changes(deployed: Option<&Stack>, intended: &Stack) -> Vec<PropertyChange> {
    let Some(deployed) = deployed else {
        return Vec::new();
    };
    let without_resources = |stack: &Stack| {
        let mut template = stack.template.clone();
        if let Some(parts) = template.as_object_mut() {
            parts.remove("Resources");
        }
        template
    };
    let settings = |stack: &Stack| json!(stack.settings);
    let of_settings = differences(
        Some(&settings(deployed)),
        Some(&settings(intended)),
        &Place::root(""),
    );
    let of_template = differences(
        Some(&without_resources(deployed)),
        Some(&without_resources(intended)),
        &Place::root("/Template"),
    );
    of_settings
        .into_iter()
        .chain(of_template)
        .map(PropertyChange::in_place)
        .collect()
}

/// The resources of a template in canonical form.
fn resources(template: &Value) -> impl Iterator<Item = (&str, &Value)> {
    template["Resources"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(id, resource)| (id.as_str(), resource))
}

#[cfg(test)]
mod tests;

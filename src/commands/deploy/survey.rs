//! The stack as it stands and as it should: what `plan` shows and `deploy` brings about.

use serde_json::{Value, json};

use super::groups::{self, Groups};
use super::intended::Intended;
use super::logging_role::{self, LoggingRole};
use crate::cloud::ServiceErrorKind;
use crate::commands::Error;
use crate::commands::software::Software;
use crate::commands::target::Target;
use crate::plan::saved::{Basis, DeployedStack, Digests};
use crate::plan::{self, Plan, Stack, Subject};
use crate::printer::Printer;
use crate::stack::{StackDescription, StackPolicy, StackStatus};
use crate::template::{Template, canonical};

/// What was found in the cloud, and what should be there.
#[derive(Debug)]
pub(in crate::commands) struct Survey {
    pub(in crate::commands) stack: Option<StackDescription>,
    /// The template of the last operation, as it was sent.
    pub(super) deployed_template: Option<String>,
    /// The stack's policy, where it may be read.
    policy: Option<StackPolicy>,
    /// Groups with assignments that are not in the identity store yet.
    pub(in crate::commands) missing_groups: Vec<String>,
    pub(super) intended: Intended,
}

/// What DescribeStacks does not tell of a stack.
#[derive(Debug, Default)]
pub(super) struct Closer {
    /// The template of the last operation, as it was sent.
    pub(super) deployed_template: Option<String>,
    /// The stack's policy, where it may be read.
    policy: Option<StackPolicy>,
}

/// Asks for what DescribeStacks does not tell.
pub(super) async fn look_closer(
    target: &Target,
    stack: &StackDescription,
) -> Result<Closer, Error> {
    let (template, policy) = tokio::join!(
        target.stacks.template(&stack.id),
        target.stacks.policy(&stack.id)
    );
    let policy = match policy {
        // Whoever protects nothing may do without the permission.
        Err(denied) if denied.kind == ServiceErrorKind::Denied && !target.environment.protected => {
            None
        }
        policy => policy?,
    };
    Ok(Closer {
        deployed_template: template?,
        policy,
    })
}

fn words(policy: Option<&StackPolicy>) -> Value {
    json!(policy.map(ToString::to_string))
}

impl Survey {
    /// Looks; changes nothing.
    pub(in crate::commands) async fn take(
        target: &Target,
        software: &Software,
    ) -> Result<Self, Error> {
        let (stack, logging_role, groups) = tokio::try_join!(
            target.describe(),
            logging_role::find(target),
            groups::find(target)
        )?;
        let closer = match &stack {
            Some(stack) => look_closer(target, stack).await?,
            None => Closer::default(),
        };
        Self::new(target, software, stack, closer, &logging_role, groups)
    }

    /// Works out what should be there, given what is.
    pub(super) fn new(
        target: &Target,
        software: &Software,
        stack: Option<StackDescription>,
        closer: Closer,
        logging_role: &LoggingRole<'_>,
        groups: Groups,
    ) -> Result<Self, Error> {
        let Closer {
            deployed_template,
            policy,
        } = closer;
        let template = Template::render(
            &target.environment,
            &software.code(target)?,
            &target.template_options(
                groups.ids,
                logging_role.belongs_in_stack(deployed_template.as_deref())?,
            ),
        )?;
        Ok(Self {
            stack,
            deployed_template,
            policy,
            missing_groups: groups.missing,
            intended: Intended::new(&target.environment, template),
        })
    }

    /// Says whose assignments have to wait.
    pub(in crate::commands) fn tell_missing_groups(&self, printer: &Printer) {
        if !self.missing_groups.is_empty() {
            printer.warning(&format!(
                "not in Identity Center yet: {}; their assignments come with a deployment after the sync has made them",
                self.missing_groups.join(", ")
            ));
        }
    }

    /// What a deployment would change.
    pub(in crate::commands) fn plan(
        &self,
        target: &Target,
        environment: &str,
    ) -> Result<Plan, Error> {
        let subject = Subject {
            environment: environment.to_owned(),
            stack_name: target.stack_name(),
            account: target.cloud.account().to_owned(),
            region: target.environment.region.to_string(),
        };
        let plan = Plan::new(subject, self.deployed()?.as_ref(), &self.intended());
        Ok(if self.is_failed_creation() {
            plan.recreating()
        } else {
            plan
        })
    }

    /// What the plan is made of, to be recognised later.
    pub(in crate::commands) fn basis(
        &self,
        plan: &Plan,
        software: &Software,
    ) -> Result<Basis, Error> {
        let deployed = match (&self.stack, self.deployed()?) {
            (Some(stack), Some(deployed)) => Some(DeployedStack {
                stack_id: stack.id.clone(),
                last_changed: stack.last_changed,
                digests: Digests::of(&deployed),
            }),
            _ => None,
        };
        let code = software.digests();
        Ok(Basis::new(&plan.subject, deployed, &self.intended(), code))
    }

    /// The stack as it stands; an empty shell and the rest of a failed creation are none.
    pub(super) fn deployed(&self) -> Result<Option<Stack>, Error> {
        Ok(match (self.standing(), &self.deployed_template) {
            (Some(stack), Some(template)) => Some(
                Stack::new(
                    canonical(template)?,
                    &stack.tags,
                    stack.termination_protection,
                )
                .with_setting("NotificationTopics", json!(stack.notification_topics))
                .with_setting("ServiceRole", json!(stack.service_role))
                .with_setting(plan::STACK_POLICY, words(self.policy.as_ref())),
            ),
            _ => None,
        })
    }

    /// The stack as the environment wants it.
    fn intended(&self) -> Stack {
        let Intended {
            template,
            tags,
            settings,
            protected,
            keeps_directory,
            ..
        } = &self.intended;
        // Without a role of its own in the environment the stack keeps the one it has.
        let kept_role = self
            .standing()
            .and_then(|stack| stack.service_role.as_ref());
        let service_role = settings.service_role.as_ref().or(kept_role);
        Stack::new(template.canonical().clone(), tags, *protected)
            .with_setting("NotificationTopics", json!(settings.notification_topics))
            .with_setting("ServiceRole", json!(service_role))
            .with_setting(
                plan::STACK_POLICY,
                words(
                    StackPolicy::after_deployment(self.policy.as_ref(), *keeps_directory).as_ref(),
                ),
            )
    }

    fn standing(&self) -> Option<&StackDescription> {
        self.stack
            .as_ref()
            .filter(|stack| stack.has_resources() && !self.is_failed_creation())
    }

    fn is_failed_creation(&self) -> bool {
        self.stack
            .as_ref()
            .is_some_and(|stack| stack.status == StackStatus::RollbackComplete)
    }
}

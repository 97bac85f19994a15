//! The stack as it stands and as it should: what `plan` shows and `deploy` brings about.

use std::collections::BTreeMap;

use serde_json::json;

use super::intended::Intended;
use super::logging_role::{self, LoggingRole};
use crate::artifact::Artifacts;
use crate::commands::Error;
use crate::commands::target::Target;
use crate::plan::saved::{Basis, DeployedStack, Digests};
use crate::plan::{Plan, Stack, Subject};
use crate::stack::{StackDescription, StackStatus};
use crate::template::{Template, canonical};

/// What was found in the cloud, and what should be there.
#[derive(Debug)]
pub(in crate::commands) struct Survey {
    pub(in crate::commands) stack: Option<StackDescription>,
    /// The template of the last operation, as it was sent.
    pub(super) deployed_template: Option<String>,
    pub(super) intended: Intended,
}

impl Survey {
    /// Looks; changes nothing.
    pub(in crate::commands) async fn take(
        target: &Target,
        artifacts: &Artifacts,
    ) -> Result<Self, Error> {
        let (stack, logging_role) =
            tokio::try_join!(target.describe(), logging_role::find(target))?;
        let deployed_template = match &stack {
            Some(stack) => target.stacks.template(&stack.id).await?,
            None => None,
        };
        Self::new(target, artifacts, stack, deployed_template, &logging_role)
    }

    /// Works out what should be there, given what is.
    pub(super) fn new(
        target: &Target,
        artifacts: &Artifacts,
        stack: Option<StackDescription>,
        deployed_template: Option<String>,
        logging_role: &LoggingRole<'_>,
    ) -> Result<Self, Error> {
        let template = Template::render(
            &target.environment,
            &target.code_locations(artifacts)?,
            &target.template_options(logging_role.belongs_in_stack(deployed_template.as_deref())?),
        )?;
        Ok(Self {
            stack,
            deployed_template,
            intended: Intended::new(&target.environment, template),
        })
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
        artifacts: &Artifacts,
    ) -> Result<Basis, Error> {
        let deployed = match (&self.stack, self.deployed()?) {
            (Some(stack), Some(deployed)) => Some(DeployedStack {
                stack_id: stack.id.clone(),
                last_changed: stack.last_changed,
                digests: Digests::of(&deployed),
            }),
            _ => None,
        };
        let code: BTreeMap<_, _> = artifacts
            .packages()
            .iter()
            .map(|package| (package.function.clone(), package.sha256))
            .collect();
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
                .with_setting("ServiceRole", json!(stack.service_role)),
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

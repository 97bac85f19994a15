//! `plan --change-set`: asks CloudFormation what it would do, and leaves nothing behind.

use super::survey::Survey;
use crate::commands::Error;
use crate::commands::error::StackError;
use crate::commands::target::Target;
use crate::plan::{Plan, ServiceChange};
use crate::stack::{ChangeSetOutcome, ChangeSetRequest, TemplateSource};
use crate::template::LONGEST_TEMPLATE_BODY;

impl Survey {
    /// The plan with CloudFormation's view of it, where there is a stack to ask about.
    ///
    /// # Errors
    /// [`StackError::ChangeSetRefused`] where CloudFormation would not carry it out.
    pub(in crate::commands) async fn rehearse(
        &self,
        target: &Target,
        plan: Plan,
    ) -> Result<Plan, Error> {
        let Some(deployed) = self.deployed()? else {
            return Ok(plan);
        };
        let view = self.service_view(target).await?;
        Ok(plan.with_service_view(view, &deployed.template, self.intended.template.canonical()))
    }

    async fn service_view(&self, target: &Target) -> Result<Vec<ServiceChange>, Error> {
        let stacks = &target.stacks;
        let stack = target.stack_name();
        let text = self.intended.template.text();
        let template = if text.len() > LONGEST_TEMPLATE_BODY {
            TemplateSource::Url(target.bucket().await?.upload_template(text).await?)
        } else {
            TemplateSource::Body(text.to_owned())
        };
        let change_set = stacks
            .create_change_set(ChangeSetRequest {
                stack: &stack,
                create: false,
                template,
                tags: &self.intended.tags,
                settings: &self.intended.settings,
                token: &self.intended.new_token(),
            })
            .await?;
        let outcome = stacks.await_change_set(&change_set).await;
        let view = match outcome {
            Ok(ChangeSetOutcome::Ready(_)) => {
                stacks.service_view(&change_set).await.map_err(Error::from)
            }
            Ok(ChangeSetOutcome::Empty) => Ok(Vec::new()),
            Ok(ChangeSetOutcome::Refused { reason, problems }) => {
                Err(StackError::ChangeSetRefused {
                    stack,
                    reason,
                    problems,
                }
                .into())
            }
            Err(error) => Err(error.into()),
        };
        stacks.discard(&change_set).await?;
        view
    }
}

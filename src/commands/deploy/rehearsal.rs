//! `plan --change-set`: asks CloudFormation what it would do, and leaves nothing behind.

use std::time::Duration;

use super::survey::Survey;
use crate::artifact::{Bucket, PassingObject};
use crate::commands::Error;
use crate::commands::error::StackError;
use crate::commands::target::Target;
use crate::plan::{Plan, ServiceChange};
use crate::printer::Printer;
use crate::stack::{ChangeSet, ChangeSetOutcome, ChangeSetRequest, Stacks, TemplateSource};
use crate::template::LONGEST_TEMPLATE_BODY;

/// How long an interrupted run may take to clean up.
const LAST_MOMENTS: Duration = Duration::from_secs(10);

impl Survey {
    /// The plan with CloudFormation's view of it, where there is a stack to ask about.
    ///
    /// # Errors
    /// [`StackError::ChangeSetRefused`] where CloudFormation would not carry it out.
    pub(in crate::commands) async fn rehearse(
        &self,
        target: &Target,
        plan: Plan,
        printer: &Printer,
    ) -> Result<Plan, Error> {
        if self.deployed()?.is_none() {
            return Ok(plan);
        }
        let mut traces = Traces {
            stacks: &target.stacks,
            printer,
            change_set: None,
            template: None,
        };
        let view = self.service_view(target, &mut traces).await;
        traces.remove().await;
        self.with_service_view(plan, view?)
    }

    /// The plan with CloudFormation's view of it.
    pub(super) fn with_service_view(
        &self,
        plan: Plan,
        view: Vec<ServiceChange>,
    ) -> Result<Plan, Error> {
        let Some(deployed) = self.deployed()? else {
            return Ok(plan);
        };
        Ok(plan.with_service_view(view, &deployed.template, self.intended.template.canonical()))
    }

    async fn service_view(
        &self,
        target: &Target,
        traces: &mut Traces<'_>,
    ) -> Result<Vec<ServiceChange>, Error> {
        let stacks = &target.stacks;
        let stack = target.stack_name();
        let text = self.intended.template.text();
        let template = if text.len() > LONGEST_TEMPLATE_BODY {
            let bucket = target.bucket().await?;
            let object = bucket.upload_for_a_moment(text).await?;
            let url = object.url.clone();
            traces.template = Some((bucket, object));
            TemplateSource::Url(url)
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
        traces.change_set = Some(change_set.clone());
        match stacks.await_change_set(&change_set).await? {
            ChangeSetOutcome::Ready(_) => Ok(stacks.service_view(&change_set).await?),
            ChangeSetOutcome::Empty => Ok(Vec::new()),
            ChangeSetOutcome::Refused { reason, problems } => Err(StackError::ChangeSetRefused {
                stack,
                reason,
                problems,
            }
            .into()),
        }
    }
}

/// What a rehearsal has put into the cloud. It is taken out when the rehearsal is over, and
/// when it is interrupted.
struct Traces<'a> {
    stacks: &'a Stacks,
    printer: &'a Printer,
    change_set: Option<ChangeSet>,
    template: Option<(Bucket, PassingObject)>,
}

impl Traces<'_> {
    /// Takes out what is there. What stays harms nobody, so it is told and no more.
    async fn remove(&mut self) {
        let mut left = Vec::new();
        if let Some(change_set) = self.change_set.take()
            && let Err(error) = self.stacks.discard(&change_set).await
        {
            left.push(error);
        }
        if let Some((bucket, object)) = self.template.take()
            && let Err(error) = bucket.remove(&object).await
        {
            left.push(error);
        }
        for error in left {
            self.printer.warning(&error.to_string());
        }
    }
}

impl Drop for Traces<'_> {
    fn drop(&mut self) {
        if self.change_set.is_none() && self.template.is_none() {
            return;
        }
        // An interrupted run is dropped where it stands, and nobody awaits anything for it.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let removed = tokio::time::timeout(LAST_MOMENTS, self.remove()).await;
                if removed.is_err() {
                    self.printer
                        .warning("there was no time to delete the change set and its template");
                }
            });
        });
    }
}

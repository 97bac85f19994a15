//! The review gate: nothing is uploaded or made before somebody has said yes to the plan.
//!
//! On a terminal the plan is shown and the person is asked. A pipeline says yes beforehand
//! (`--yes`), and has to name what cannot be taken back (`--approve`), so that a pipeline
//! that says yes to everything stops where somebody should look. The local cloud holds
//! nothing that matters and asks nothing.
//!
//! CloudFormation may come to another view of the changes than the plan, which is made from
//! the templates alone. So its change set is held against the plan before it is executed.

use std::collections::BTreeSet;
use std::path::Path;

use super::Survey;
use crate::cli::{ApproveArg, DeployArgs};
use crate::commands::error::ReviewError;
use crate::commands::software::Software;
use crate::commands::target::{self, Target};
use crate::commands::{Error, question, saved_plan};
use crate::environment::Cloud;
use crate::plan::saved::Basis;
use crate::plan::{Approval, Plan};
use crate::printer::Printer;
use crate::report::plan::text;
use crate::stack::ChangeSet;

/// What was approved so far, in one deployment.
pub(super) struct Gate<'a> {
    target: &'a Target,
    software: &'a Software,
    args: &'a DeployArgs,
    printer: &'a Printer,
    /// The plan that is to be carried out, if it is one from a file.
    saved: Option<(&'a Path, Basis)>,
    /// What has passed already: a deployment that has to look again asks about news only.
    approved: Option<Basis>,
}

impl<'a> Gate<'a> {
    /// A gate that nothing has passed yet.
    ///
    /// # Errors
    /// When there is no plan in the file that the arguments name.
    pub(super) fn new(
        target: &'a Target,
        software: &'a Software,
        args: &'a DeployArgs,
        printer: &'a Printer,
    ) -> Result<Self, Error> {
        let saved = match &args.plan {
            Some(path) => Some((path.as_path(), saved_plan::read(path)?)),
            None => None,
        };
        Ok(Self {
            target,
            software,
            args,
            printer,
            saved,
            approved: None,
        })
    }

    /// Lets a plan pass, or does not.
    ///
    /// # Errors
    /// [`ReviewError::StalePlan`] where the saved plan no longer holds,
    /// [`ReviewError::ApprovalNeeded`] where nobody can be asked, and that of
    /// [`question::confirm`] where the answer was no.
    pub(super) async fn review(&mut self, survey: &Survey) -> Result<(), Error> {
        let plan = survey.plan(self.target, &target::name(&self.args.environment))?;
        let basis = survey.basis(&plan, self.software)?;
        if let Some((path, saved)) = &self.saved {
            check(path, saved, &plan, &basis)?;
        }
        let trusted = self.target.environment.cloud == Cloud::Local;
        if plan.is_empty() || trusted || self.approved.as_ref() == Some(&basis) {
            return Ok(());
        }
        let plan = survey.with_affected_users(self.target, plan).await?;
        self.ask(&plan, self.args.yes || self.saved.is_some())
            .await?;
        self.approved = Some(basis);
        Ok(())
    }

    /// Lets a change set pass that takes nothing away but what the plan has shown: what a
    /// function such as `!GetAtt` resolves to, only CloudFormation knows.
    ///
    /// # Errors
    /// Those of [`Gate::review`].
    pub(super) async fn review_change_set(
        &self,
        survey: &Survey,
        change_set: &ChangeSet,
    ) -> Result<(), Error> {
        if self.target.environment.cloud == Cloud::Local {
            return Ok(());
        }
        let reviewed = survey.plan(self.target, &target::name(&self.args.environment))?;
        let view = self.target.stacks.service_view(change_set).await?;
        let losses = survey
            .with_service_view(reviewed.clone(), view)?
            .losses_beyond(&reviewed);
        if losses.is_empty() {
            return Ok(());
        }
        self.printer
            .notice("CloudFormation would do more than the templates tell:");
        self.ask(&losses, true).await
    }

    async fn ask(&self, plan: &Plan, yes: bool) -> Result<(), Error> {
        let given: BTreeSet<Approval> = self.args.approve.iter().map(approval).collect();
        let missing: Vec<Approval> = plan.approvals().difference(&given).copied().collect();
        let asks = !yes || !missing.is_empty();
        let review = text(plan, self.printer.message_width());
        if asks {
            self.printer.notice(review.trim_end());
        } else {
            self.printer.message(review.trim_end());
            return Ok(());
        }
        if !self.printer.can_ask() {
            return Err(ReviewError::ApprovalNeeded {
                stack: plan.subject.stack_name.clone(),
                yes,
                missing,
            }
            .into());
        }
        let (question, answer) = question(plan, &missing);
        question::confirm(self.printer, false, question, &answer).await
    }
}

fn approval(argument: &ApproveArg) -> Approval {
    match argument {
        ApproveArg::Iam => Approval::Iam,
        ApproveArg::Replace => Approval::Replace,
    }
}

/// Refuses a saved plan that no longer holds; but what it wanted may stand already.
fn check(path: &Path, saved: &Basis, plan: &Plan, now: &Basis) -> Result<(), Error> {
    if plan.is_empty() && saved.wants_the_same_as(now) {
        return Ok(());
    }
    match saved.changed_to(now) {
        None => Ok(()),
        Some(change) => Err(ReviewError::StalePlan {
            path: path.to_owned(),
            environment: plan.subject.environment.clone(),
            change,
        }
        .into()),
    }
}

/// What is asked, and what has to be typed: a `y` is typed too easily.
fn question(plan: &Plan, missing: &[Approval]) -> (String, String) {
    let subject = &plan.subject;
    let mut question = format!(
        "deploy this to {} in account {}?\n",
        subject.stack_name, subject.account
    );
    if missing.is_empty() {
        question.push_str("type yes to go on:");
        return (question, "yes".to_owned());
    }
    let words: Vec<&str> = missing.iter().map(|approval| approval.word()).collect();
    let words = words.join(" ");
    for approval in missing {
        question.push_str(&format!("{}: {}\n", approval.word(), approval.describes()));
    }
    question.push_str(&format!("type {words} to approve that and go on:"));
    (question, words)
}

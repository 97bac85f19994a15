//! `deploy`: brings the cloud to what the environment file says.

mod affected;
mod follow_up;
mod gate;
mod groups;
mod intended;
pub(super) mod logging_role;
mod rehearsal;
mod start;
mod survey;

use self::follow_up::FollowUp;
use self::gate::Gate;
use self::intended::Intended;
use self::start::{Holder, Start};
use self::survey::Closer;
pub(super) use self::survey::Survey;
use super::conclusion::{Conclusion, tell_deployed};
use super::error::{LeavingError, StackError};
use super::interrupt::{InCloud, run_interruptibly, within};
use super::operation::{Follower, Operation};
use super::recover::UNKNOWN_STATE;
use super::software::Software;
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::{DeployArgs, EventFormat};
use crate::cloud::{ServiceError, ServiceErrorKind};
use crate::environment::{Environment, StackKind};
use crate::printer::Printer;
use crate::report::OperationStarted;
use crate::stack::{
    ChangeSet, ChangeSetOutcome, ChangeSetRequest, Recovery, StackDescription, StackStatus,
    TemplateSource,
};
use crate::template::LONGEST_TEMPLATE_BODY;

/// Runs `deploy`.
pub(super) fn run(
    args: &DeployArgs,
    environment: Environment,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let local = target::start_local_cloud(&environment, printer)?;
    let software = Software::of(&environment, args.artifacts.as_deref(), printer)?;
    let in_cloud = InCloud::default();
    let work = async {
        let target = Target::connect(environment, local).await?;
        Deployment {
            target: &target,
            software: &software,
            args,
            printer,
            in_cloud: &in_cloud,
        }
        .run()
        .await
    };
    run_interruptibly(&in_cloud, within(args.timeout.duration(), &in_cloud, work))
}

/// One deployment of one environment.
struct Deployment<'a> {
    target: &'a Target,
    software: &'a Software,
    args: &'a DeployArgs,
    printer: &'a Printer,
    in_cloud: &'a InCloud,
}

impl Deployment<'_> {
    async fn run(&self) -> Result<Outcome, Error> {
        let mut gate = Gate::new(self.target, self.software, self.args, self.printer)?;
        loop {
            let (stack, logging_role, groups) = tokio::try_join!(
                self.target.describe(),
                logging_role::find(self.target),
                groups::find(self.target)
            )?;
            let closer = match &stack {
                Some(stack) => self.look_closer(stack).await?,
                None => Closer::default(),
            };
            let survey = Survey::new(
                self.target,
                self.software,
                stack,
                closer,
                &logging_role,
                groups,
            )?;
            survey.tell_missing_groups(self.printer);
            let Survey {
                stack,
                deployed_template,
                intended,
                ..
            } = &survey;
            let start = Start::from(stack.as_ref().map(|stack| &stack.status));
            if start == Start::DeleteThenCreate
                && let Some(stack) = stack
            {
                self.expect_no_data(stack).await?;
            }
            if start.changes_the_stack() {
                gate.review(&survey).await?;
            }
            match start {
                Start::Create | Start::Update => {
                    let outcome = match stack.as_ref().filter(|stack| stack.has_resources()) {
                        Some(stack) if intended.stands(stack, deployed_template.as_deref()) => {
                            self.conclude(intended, stack, false).await
                        }
                        deployed => self.apply(&survey, deployed, &gate).await,
                    };
                    match outcome {
                        Err(error) if self.was_overtaken(stack.as_ref(), &error).await? => {
                            self.printer
                                .message("another deployment was faster; looking again");
                        }
                        outcome => return outcome,
                    }
                }
                Start::DeleteThenCreate => {
                    if let Some(stack) = stack {
                        self.delete_failed_creation(stack).await?;
                    }
                }
                Start::Busy => {
                    if let Some(stack) = stack
                        && let Some(outcome) = self.follow_other(intended, stack).await?
                    {
                        return Ok(outcome);
                    }
                }
                Start::NeedsHuman => return Err(self.needs_human(stack.as_ref())),
            }
        }
    }

    /// Looks at what the stack is made of, and cleans up what runs that died have left
    /// meanwhile.
    async fn look_closer(&self, stack: &StackDescription) -> Result<Closer, Error> {
        let (closer, cleaned) = tokio::join!(
            survey::look_closer(self.target, stack),
            self.target.stacks.delete_stale_change_sets(&stack.id)
        );
        if let Err(error) = cleaned {
            self.printer.warning(&error.to_string());
        }
        closer
    }

    fn needs_human(&self, stack: Option<&StackDescription>) -> Error {
        let status = stack.map(|stack| &stack.status);
        let advice = match status.map(Recovery::of) {
            None | Some(Recovery::Unknown) => UNKNOWN_STATE.to_owned(),
            Some(_) => format!(
                "`connect-scim recover --env {}` says what it would do about it, and asks",
                target::name(&self.args.environment)
            ),
        };
        StackError::NeedsHuman {
            stack: self.target.stack_name(),
            status: status.map(ToString::to_string).unwrap_or_default(),
            advice,
        }
        .into()
    }

    /// Whether it failed because somebody else changed the stack after we had looked at it.
    async fn was_overtaken(
        &self,
        seen: Option<&StackDescription>,
        error: &Error,
    ) -> Result<bool, Error> {
        let refusal = match error {
            Error::Service(refusal) => refusal,
            // Two first deployments at once can each have made a stack; only one stays.
            Error::Leaving(LeavingError::NotSeenThrough { source, .. }) => {
                return Ok(is_gone(source));
            }
            _ => return Ok(false),
        };
        if refusal.kind != ServiceErrorKind::Refused {
            return Ok(false);
        }
        if is_gone(refusal) {
            return Ok(true);
        }
        let now = self.target.describe().await?;
        let state =
            |stack: &StackDescription| (stack.id.clone(), stack.status.clone(), stack.last_changed);
        let seen = seen.filter(|stack| stack.has_resources()).map(state);
        Ok(now
            .as_ref()
            .filter(|stack| stack.has_resources())
            .map(state)
            != seen)
    }

    /// Uploads what is missing, makes a change set, executes it and follows it.
    async fn apply(
        &self,
        survey: &Survey,
        deployed: Option<&StackDescription>,
        gate: &Gate<'_>,
    ) -> Result<Outcome, Error> {
        let intended = &survey.intended;
        let follow_up = FollowUp::of(survey)?;
        let stacks = &self.target.stacks;
        let stack_name = self.target.stack_name();
        let token = intended.new_token();
        self.software
            .upload(self.target, deployed, self.printer)
            .await?;
        let text = intended.template.text();
        let source = if text.len() > LONGEST_TEMPLATE_BODY {
            TemplateSource::Url(self.target.bucket().await?.upload_template(text).await?)
        } else {
            TemplateSource::Body(text.to_owned())
        };
        let change_set = stacks
            .create_change_set(ChangeSetRequest {
                stack: &stack_name,
                create: deployed.is_none(),
                template: source,
                tags: &intended.tags,
                settings: &intended.settings,
                token: &token,
            })
            .await?;
        let changes = match stacks.await_change_set(&change_set).await? {
            ChangeSetOutcome::Ready(changes) => changes,
            ChangeSetOutcome::Empty => {
                stacks.discard(&change_set).await?;
                let stack = self.target.describe_existing().await?;
                return self.conclude(intended, &stack, false).await;
            }
            ChangeSetOutcome::Refused { reason, problems } => {
                stacks.discard(&change_set).await?;
                return Err(StackError::ChangeSetRefused {
                    stack: stack_name,
                    reason,
                    problems,
                }
                .into());
            }
        };
        if deployed.is_some()
            && let Err(refusal) = gate.review_change_set(survey, &change_set).await
        {
            stacks.discard(&change_set).await?;
            return Err(refusal);
        }
        self.printer.message(&format!(
            "deploying {stack_name}: {} to add, {} to change, {} to remove",
            changes.add, changes.modify, changes.remove
        ));
        if let Some(stack) = deployed {
            self.guard(intended, stack).await?;
        }
        self.execute(&change_set, &token, changes.total()).await?;
        if self.args.detach {
            if deployed.is_none() && matches!(self.software, Software::Image(_)) {
                self.printer.warning(&format!(
                    "the image has nowhere to go until the stack stands: deploy {} again to push it",
                    target::name(&self.args.environment)
                ));
            }
            let outcome = self.leave(&token, deployed.is_none() && intended.protected);
            follow_up.warn_of_cached_access(self.target, self.printer);
            follow_up.print_command(&target::name(&self.args.environment), self.printer);
            return Ok(outcome);
        }
        let stack = self.target.describe_existing().await?;
        follow_up
            .end_access(self.target, &stack, self.printer)
            .await;
        stacks.delete_stale_change_sets(&stack.id).await?;
        let outcome = self.conclude(intended, &stack, true).await?;
        follow_up.print_command(&target::name(&self.args.environment), self.printer);
        Ok(outcome)
    }

    /// Executes a change set, and follows it to its end unless it is to be left to itself.
    async fn execute(
        &self,
        change_set: &ChangeSet,
        token: &str,
        resources: usize,
    ) -> Result<(), Error> {
        let (follower, what) = (self.follower(), self.what());
        if self.args.detach {
            follower.begin(change_set, token, &what).await?;
            return Ok(());
        }
        follower
            .execute(change_set, token, what, Some(resources))
            .await
    }

    /// Tells how to come back to an operation that is left to itself.
    fn leave(&self, token: &str, still_to_guard: bool) -> Outcome {
        let stack_name = self.target.stack_name();
        let resume = self.follower().ongoing(&self.what()).resume_command();
        if self.args.format == EventFormat::Json {
            let started = OperationStarted {
                stack_name: &stack_name,
                operation: token,
                resume: &resume,
            };
            self.printer.data_line(&started.json_line());
        } else {
            self.printer.message(&format!(
                "the deployment of {stack_name} goes on in the cloud as operation {token}; this follows it to its end:\n  {resume}"
            ));
        }
        if still_to_guard {
            self.printer.warning(&format!(
                "a stack can be guarded only once it stands: deploy {} again for `protected: true` to take effect",
                target::name(&self.args.environment)
            ));
        }
        Outcome::SUCCESS
    }

    fn what(&self) -> String {
        format!("the deployment of {}", self.target.stack_name())
    }

    fn follower(&self) -> Follower<'_> {
        Follower {
            target: self.target,
            environment: target::name(&self.args.environment),
            format: self.args.format,
            printer: self.printer,
            in_cloud: self.in_cloud,
        }
    }

    /// Deals with a stack that another operation holds; an outcome ends this run.
    async fn follow_other(
        &self,
        intended: &Intended,
        stack: &StackDescription,
    ) -> Result<Option<Outcome>, Error> {
        let stacks = &self.target.stacks;
        let newest = stacks.newest_event(&stack.id).await?;
        let follower = self.follower();
        match Holder::from(newest.as_ref(), &intended.token_prefix()) {
            Holder::SameDeployment { token } if self.args.detach => {
                Ok(Some(self.leave(&token, false)))
            }
            Holder::SameDeployment { .. } => {
                self.printer
                    .message("an earlier run started this very deployment; following it");
                let attempt = stacks.newest_attempt(&stack.id).await?;
                follower
                    .follow(Operation {
                        what: self.what(),
                        stack_id: &stack.id,
                        since: attempt.since.as_ref(),
                        resources: None,
                        is_success: StackStatus::is_success,
                    })
                    .await?;
                Ok(None)
            }
            Holder::Other(token) if self.args.wait => {
                let stack_name = self.target.stack_name();
                self.printer.message(&format!(
                    "{stack_name} is busy ({}{}); waiting",
                    stack.status,
                    token
                        .map(|token| format!(", operation {token}"))
                        .unwrap_or_default()
                ));
                follower
                    .follow(Operation {
                        what: format!("another operation on {stack_name}"),
                        stack_id: &stack.id,
                        since: newest.map(|event| event.id).as_ref(),
                        resources: None,
                        // What became of it shows when this run looks at the stack again.
                        is_success: |_| true,
                    })
                    .await?;
                Ok(None)
            }
            Holder::Other(token) => Err(StackError::Busy {
                stack: self.target.stack_name(),
                status: stack.status.to_string(),
                token,
                environment: target::name(&self.args.environment),
            }
            .into()),
        }
    }

    /// Makes sure that what is left of a rolled-back first deployment holds no data.
    async fn expect_no_data(&self, stack: &StackDescription) -> Result<(), Error> {
        let resources = self.target.stacks.retained_data(&stack.id).await?;
        if resources.is_empty() {
            return Ok(());
        }
        Err(StackError::DataRetained {
            stack: self.target.stack_name(),
            environment: target::name(&self.args.environment),
            resources,
        }
        .into())
    }

    /// Deletes what is left of a first deployment that was rolled back.
    async fn delete_failed_creation(&self, stack: &StackDescription) -> Result<(), Error> {
        let stack_name = self.target.stack_name();
        self.printer.message(&format!(
            "the first deployment of {stack_name} failed and was rolled back; deleting what is left of it and creating it anew"
        ));
        self.follower().delete(stack, &[]).await
    }

    /// Guards a stack that stands, or no longer, as the environment says. Returns whether
    /// that changed anything.
    async fn guard(&self, intended: &Intended, stack: &StackDescription) -> Result<bool, Error> {
        let stacks = &self.target.stacks;
        let protect = intended.protected;
        let policy = match stacks
            .protect_directory(&stack.id, intended.keeps_directory)
            .await
        {
            Err(denied) if denied.kind == ServiceErrorKind::Denied && !protect => false,
            changed => changed?,
        };
        let termination = stack.termination_protection != protect;
        if termination {
            stacks.protect(&stack.id, protect).await?;
        }
        Ok(policy || termination)
    }

    /// Settles what is not part of the template, and tells the outcome.
    async fn conclude(
        &self,
        intended: &Intended,
        stack: &StackDescription,
        changed: bool,
    ) -> Result<Outcome, Error> {
        let name = &target::name(&self.args.environment);
        let guarded = self.guard(intended, stack).await?;
        let completed = self
            .software
            .complete(self.target, stack, self.printer)
            .await?;
        if !changed && !guarded && !completed {
            let stack_name = self.target.stack_name();
            Conclusion {
                stack_name: &stack_name,
                status: stack.status.as_str(),
                changed: false,
                outputs: &self.target.reachable_outputs(stack),
                message: &format!("nothing changed: {stack_name} stands as {name} says"),
            }
            .tell(self.args.format, self.printer);
            return Ok(Outcome::SUCCESS);
        }
        tell_deployed(self.target, stack, self.args.format, self.printer);
        if self.args.format == EventFormat::Text {
            self.printer
                .message(&next_step(name, &self.target.environment));
        }
        Ok(Outcome::SUCCESS)
    }
}

/// What a person does after a deployment.
fn next_step(name: &str, environment: &Environment) -> String {
    let clients: Vec<&str> = environment
        .clients_with_tokens()
        .map(AsRef::as_ref)
        .collect();
    let which = match clients.as_slice() {
        _ if environment.kind() == StackKind::DirectorySync => {
            return format!(
                "next: hand over the two secrets, if they are not there yet, and look at what a run would do:\n  connect-scim sync secret set bind-password --env {name}\n  connect-scim sync secret set token --env {name}\n  connect-scim sync plan --env {name}"
            );
        }
        [] => return "next: enter the URL above at the identity provider".to_owned(),
        [only] if environment.clients.len() > 1 => format!(" --client {only}"),
        [_] => String::new(),
        names => format!(" --client {}", names.join("|")),
    };
    format!(
        "next: enter the URL above and the token at the identity provider; this prints the token alone:\n  connect-scim token show --env {name}{which} --reveal"
    )
}

/// Whether the stack or the change set that this run has just made is not there any more.
fn is_gone(refusal: &ServiceError) -> bool {
    refusal.kind == ServiceErrorKind::Refused
        && (refusal.has_code("ChangeSetNotFound") || refusal.message.contains("does not exist"))
}

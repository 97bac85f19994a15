//! `deploy`: brings the cloud to what the environment file says.

mod intended;
mod logging_role;
mod start;

use std::time::Duration;

use self::intended::Intended;
use self::start::{Holder, Start};
use super::interrupt::{InCloud, run_interruptibly};
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::artifact::Artifacts;
use crate::cli::{DeployArgs, EventFormat};
use crate::cloud::{ServiceError, ServiceErrorKind};
use crate::environment::Environment;
use crate::printer::Printer;
use crate::report::{EventReporter, OperationResult};
use crate::stack::{ChangeSetOutcome, StackDescription, TemplateSource};
use crate::template::{LONGEST_TEMPLATE_BODY, Template};

/// Runs `deploy`.
pub(super) fn run(args: &DeployArgs, printer: &Printer) -> Result<Outcome, Error> {
    let environment = target::environment(&args.environment)?;
    let local = target::start_local_cloud(&environment, printer)?;
    let artifacts = target::artifacts(&environment, args.artifacts.as_deref(), printer)?;
    let in_cloud = InCloud::default();
    run_interruptibly(&in_cloud, async {
        let target = Target::connect(environment, local).await?;
        Deployment {
            target: &target,
            artifacts: &artifacts,
            args,
            printer,
            in_cloud: &in_cloud,
        }
        .run()
        .await
    })
}

/// One deployment of one environment.
struct Deployment<'a> {
    target: &'a Target,
    artifacts: &'a Artifacts,
    args: &'a DeployArgs,
    printer: &'a Printer,
    in_cloud: &'a InCloud,
}

impl Deployment<'_> {
    async fn run(&self) -> Result<Outcome, Error> {
        let stack_name = self.target.stack_name();
        loop {
            let (stack, logging_role) =
                tokio::try_join!(self.target.describe(), logging_role::find(self.target))?;
            let deployed_template = match &stack {
                Some(stack) => self.target.stacks.template(&stack.id).await?,
                None => None,
            };
            let template = Template::render(
                &self.target.environment,
                &self.target.code_locations(self.artifacts)?,
                &self
                    .target
                    .template_options(logging_role.belongs_in_stack(deployed_template.as_deref())?),
            )?;
            let intended = Intended::new(&self.target.environment, template);
            match Start::from(stack.as_ref().map(|stack| &stack.status)) {
                Start::Create | Start::Update => {
                    let outcome = match stack.as_ref().filter(|stack| stack.has_resources()) {
                        Some(stack) if intended.stands(stack, deployed_template.as_deref()) => {
                            self.conclude(&intended, stack, false).await
                        }
                        deployed => self.apply(&intended, deployed).await,
                    };
                    match outcome {
                        Err(Error::Service(error))
                            if self.was_overtaken(stack.as_ref(), &error).await? =>
                        {
                            self.printer
                                .message("another deployment was faster; looking again");
                        }
                        outcome => return outcome,
                    }
                }
                Start::DeleteThenCreate => {
                    self.printer.message(&format!(
                        "the first deployment of {stack_name} failed and was rolled back; deleting what is left of it and creating it anew"
                    ));
                    self.delete_failed_creation(stack.as_ref()).await?;
                }
                Start::Busy => self.follow_other(&intended, stack.as_ref()).await?,
                Start::NeedsHuman { advice } => {
                    let status = stack
                        .map(|stack| stack.status.to_string())
                        .unwrap_or_default();
                    return Err(Error::NeedsHuman {
                        stack: stack_name,
                        status,
                        advice: advice.to_owned(),
                    });
                }
            }
        }
    }

    /// Whether a call was refused because somebody else changed the stack after we had
    /// looked at it.
    async fn was_overtaken(
        &self,
        seen: Option<&StackDescription>,
        refusal: &ServiceError,
    ) -> Result<bool, Error> {
        if refusal.kind != ServiceErrorKind::Refused {
            return Ok(false);
        }
        // Of the stack or the change set that this run has just made.
        if refusal.has_code("ChangeSetNotFound") || refusal.message.contains("does not exist") {
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
        intended: &Intended,
        deployed: Option<&StackDescription>,
    ) -> Result<Outcome, Error> {
        let stacks = &self.target.stacks;
        let stack_name = self.target.stack_name();
        let token = intended.new_token();
        let bucket = self.target.bucket().await?;
        for package in bucket.upload(self.artifacts).await? {
            self.printer.message(&format!(
                "uploaded {} ({} KiB)",
                package.function,
                package.size / 1024
            ));
        }
        let text = intended.template.text();
        let source = if text.len() > LONGEST_TEMPLATE_BODY {
            TemplateSource::Url(bucket.upload_template(text).await?)
        } else {
            TemplateSource::Body(text.to_owned())
        };
        let change_set = stacks
            .create_change_set(
                &stack_name,
                deployed.is_none(),
                source,
                &intended.tags,
                &token,
            )
            .await?;
        let changes = match stacks.await_change_set(&change_set).await? {
            ChangeSetOutcome::Ready(changes) => changes,
            ChangeSetOutcome::Empty => {
                stacks.delete_change_set(&change_set).await?;
                let stack = self.target.describe_existing().await?;
                return self.conclude(intended, &stack, false).await;
            }
            ChangeSetOutcome::Refused { reason } => {
                stacks.delete_change_set(&change_set).await?;
                return Err(Error::ChangeSetRefused {
                    stack: stack_name,
                    reason,
                });
            }
        };
        self.printer.message(&format!(
            "deploying {stack_name}: {} to add, {} to change, {} to remove",
            changes.add, changes.modify, changes.remove
        ));
        let before = stacks.newest_event(&change_set.stack_id).await?;
        stacks.execute(&change_set, &token).await?;
        self.follow(
            &change_set.stack_id,
            before.map(|event| event.id).as_ref(),
            Some(changes.total()),
        )
        .await?;
        let stack = self.target.describe_existing().await?;
        stacks.delete_stale_change_sets(&stack.id).await?;
        self.conclude(intended, &stack, true).await
    }

    /// Follows a running operation; anything but its success is an error.
    async fn follow(
        &self,
        stack_id: &str,
        since: Option<&String>,
        resources: Option<usize>,
    ) -> Result<(), Error> {
        let mut reporter = EventReporter::new(self.printer, self.args.format, resources);
        self.in_cloud
            .begin(format!("the deployment of {}", self.target.stack_name()));
        let followed = self
            .target
            .stacks
            .follow(stack_id, since, self.timeout(), |event| {
                reporter.event(event)
            })
            .await;
        reporter.finish();
        let followed = followed.map_err(|error| Error::follow(error, &self.target.stack_name()))?;
        self.in_cloud.end();
        if followed.status.is_success() {
            Ok(())
        } else {
            Err(Error::operation_failed(
                &self.target.stack_name(),
                &followed,
            ))
        }
    }

    /// Deals with a stack that another operation holds.
    async fn follow_other(
        &self,
        intended: &Intended,
        stack: Option<&StackDescription>,
    ) -> Result<(), Error> {
        let Some(stack) = stack else { return Ok(()) };
        let stacks = &self.target.stacks;
        let newest = stacks.newest_event(&stack.id).await?;
        match Holder::from(newest.as_ref(), &intended.token_prefix()) {
            Holder::SameDeployment { token } => {
                self.printer
                    .message("an earlier run started this very deployment; following it");
                let since = stacks.last_event_before(&stack.id, &token).await?;
                self.follow(&stack.id, since.as_ref(), None).await
            }
            Holder::Other(token) if self.args.wait => {
                self.printer.message(&format!(
                    "{} is busy ({}{}); waiting",
                    self.target.stack_name(),
                    stack.status,
                    token
                        .map(|token| format!(", operation {token}"))
                        .unwrap_or_default()
                ));
                let mut reporter = EventReporter::new(self.printer, EventFormat::Text, None);
                let since = newest.map(|event| event.id);
                let followed = stacks
                    .follow(&stack.id, since.as_ref(), self.timeout(), |event| {
                        reporter.event(event)
                    })
                    .await;
                reporter.finish();
                followed
                    .map(drop)
                    .map_err(|error| Error::follow(error, &self.target.stack_name()))
            }
            Holder::Other(token) => Err(Error::Busy {
                stack: self.target.stack_name(),
                status: stack.status.to_string(),
                token,
            }),
        }
    }

    async fn delete_failed_creation(&self, stack: Option<&StackDescription>) -> Result<(), Error> {
        let Some(stack) = stack else { return Ok(()) };
        target::delete_stack(
            self.target,
            stack,
            self.args.format,
            self.timeout(),
            self.printer,
            self.in_cloud,
        )
        .await
    }

    /// Settles what is not part of the template, and tells the outcome.
    async fn conclude(
        &self,
        intended: &Intended,
        stack: &StackDescription,
        changed: bool,
    ) -> Result<Outcome, Error> {
        let protection_changed = stack.termination_protection != intended.termination_protection;
        if protection_changed {
            self.target
                .stacks
                .protect(&stack.id, intended.termination_protection)
                .await?;
        }
        let changed = changed || protection_changed;
        let outputs = self.target.reachable_outputs(stack);
        let stack_name = self.target.stack_name();
        if self.args.format == EventFormat::Json {
            self.printer.data_line(
                &OperationResult {
                    stack_name: &stack_name,
                    changed,
                    status: stack.status.as_str(),
                    outputs: &outputs,
                }
                .json_line(),
            );
            return Ok(Outcome::SUCCESS);
        }
        if changed {
            self.printer
                .message(&format!("{stack_name} is deployed ({})", stack.status));
        } else {
            self.printer.message(&format!(
                "nothing changed: {stack_name} stands as {} says",
                self.args.environment.environment
            ));
        }
        self.printer.data(&super::outputs::text(&outputs));
        if changed {
            self.printer.message(&next_step(
                &self.args.environment.environment,
                &self.target.environment,
            ));
        }
        Ok(Outcome::SUCCESS)
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.args.timeout.saturating_mul(60))
    }
}

/// What a person does after a deployment.
fn next_step(name: &str, environment: &Environment) -> String {
    let clients: Vec<&str> = environment
        .clients_with_tokens()
        .map(AsRef::as_ref)
        .collect();
    let which = match clients.as_slice() {
        [] => return "next: enter the URL above at the identity provider".to_owned(),
        [only] if environment.clients.len() > 1 => format!(" --client {only}"),
        [_] => String::new(),
        names => format!(" --client {}", names.join("|")),
    };
    format!(
        "next: enter the URL above and the token at the identity provider; this prints the token alone:\n  connect-scim token show --env {name}{which} --reveal"
    )
}

//! One operation on a stack, followed to its end and told as it goes: the same for
//! `deploy`, `watch`, `recover` and `destroy`.

mod function_log;

use self::function_log::FunctionLogs;
use super::Error;
use super::error::{LeavingError, StackError};
use super::interrupt::{InCloud, Ongoing};
use super::target::Target;
use crate::cli::EventFormat;
use crate::printer::Printer;
use crate::report::{EventReporter, OperationFailure};
use crate::stack::{
    ChangeSet, EventId, Followed, StackDescription, StackEvent, StackStatus, first_cause,
    not_undone,
};

pub use function_log::FunctionLog;

/// Who follows, and how.
pub(super) struct Follower<'a> {
    pub(super) target: &'a Target,
    /// The environment, as it was named on the command line.
    pub(super) environment: String,
    pub(super) format: EventFormat,
    pub(super) printer: &'a Printer,
    pub(super) in_cloud: &'a InCloud,
}

/// What is followed.
pub(super) struct Operation<'a> {
    /// As words that read before "goes on in the cloud".
    pub(super) what: String,
    /// The ARN of the stack.
    pub(super) stack_id: &'a str,
    /// The last event before it.
    pub(super) since: Option<&'a EventId>,
    /// How many resources it touches, where that is known.
    pub(super) resources: Option<usize>,
    /// Whether this is how it was meant to end.
    pub(super) is_success: fn(&StackStatus) -> bool,
}

/// How an operation failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The state that the stack came to rest in.
    pub status: StackStatus,
    /// The first event that was no echo of another one, and what validation found.
    pub cause: Vec<String>,
    /// What the rollback or the deletion could not undo.
    pub not_undone: Vec<String>,
    /// What the functions behind failed custom resources logged.
    pub logs: Vec<FunctionLog>,
}

impl std::fmt::Display for Failure {
    /// The state on the first line, the first cause on the last ones.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ended in the state {}", self.status)?;
        for resource in &self.not_undone {
            write!(formatter, "\nnot undone: {resource}")?;
        }
        for log in &self.logs {
            write!(formatter, "\n{log}")?;
        }
        for line in &self.cause {
            write!(formatter, "\n{line}")?;
        }
        Ok(())
    }
}

impl Follower<'_> {
    /// What is told of an operation by whoever has to leave before its end.
    pub(super) fn ongoing(&self, what: &str) -> Ongoing {
        Ongoing {
            what: what.to_owned(),
            environment: self.environment.clone(),
        }
    }

    /// Follows an operation to its end.
    ///
    /// # Errors
    /// [`LeavingError::NotSeenThrough`] when the service will not tell any more, and
    /// [`StackError::OperationFailed`] when it did not end as meant.
    pub(super) async fn follow(&self, operation: Operation<'_>) -> Result<StackStatus, Error> {
        let ongoing = self.ongoing(&operation.what);
        self.in_cloud.begin(ongoing.clone());
        let mut reporter = EventReporter::new(self.printer, self.format, operation.resources);
        let mut logs =
            FunctionLogs::new(&self.target.cloud, &self.target.stacks, operation.stack_id);
        let followed = self
            .target
            .stacks
            .follow(operation.stack_id, operation.since, |event| {
                reporter.event(event);
                logs.event(event);
            })
            .await;
        reporter.finish();
        let followed = followed.map_err(|source| LeavingError::NotSeenThrough {
            ongoing: Box::new(ongoing),
            source,
        })?;
        self.in_cloud.end();
        if (operation.is_success)(&followed.status) {
            return Ok(followed.status);
        }
        let failure = self.failure(operation.stack_id, followed, logs).await;
        Err(StackError::OperationFailed {
            stack: self.target.stack_name(),
            environment: self.environment.clone(),
            failure: Box::new(failure),
        }
        .into())
    }

    /// Executes a change set, and follows it to its end.
    ///
    /// # Errors
    /// Those of [`Follower::follow`], and when the service refuses.
    pub(super) async fn execute(
        &self,
        change_set: &ChangeSet,
        token: &str,
        what: String,
        resources: Option<usize>,
    ) -> Result<(), Error> {
        let since = self.begin(change_set, token, &what).await?;
        self.follow(Operation {
            what,
            stack_id: &change_set.stack_id,
            since: since.as_ref(),
            resources,
            is_success: StackStatus::is_success,
        })
        .await?;
        Ok(())
    }

    /// Executes a change set, which goes on by itself; the answer is the last event before.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub(super) async fn begin(
        &self,
        change_set: &ChangeSet,
        token: &str,
        what: &str,
    ) -> Result<Option<EventId>, Error> {
        let stacks = &self.target.stacks;
        let before = stacks.newest_event(&change_set.stack_id).await?;
        self.in_cloud.begin(self.ongoing(what));
        stacks.execute(change_set, token).await?;
        Ok(before.map(|event| event.id))
    }

    /// Deletes a stack, without the resources in `retain`, and follows the deletion to its
    /// end; a deletion that is going on already is followed only.
    ///
    /// # Errors
    /// Those of [`Follower::follow`], and when the service refuses.
    pub(super) async fn delete(
        &self,
        stack: &StackDescription,
        retain: &[String],
    ) -> Result<(), Error> {
        let stacks = &self.target.stacks;
        let stack_name = self.target.stack_name();
        let newest = stacks.newest_event(&stack.id).await?;
        let since = newest.map(|event| event.id);
        let what = format!("the deletion of {stack_name}");
        if stack.status.as_str() == "DELETE_IN_PROGRESS" {
            self.printer.message(&format!(
                "{stack_name} is being deleted already; following it"
            ));
        } else {
            self.in_cloud.begin(self.ongoing(&what));
            stacks
                .delete(&stack.id, &new_token("delete"), retain)
                .await?;
        }
        self.follow(Operation {
            what,
            stack_id: &stack.id,
            since: since.as_ref(),
            resources: None,
            is_success: |status| *status == StackStatus::DeleteComplete,
        })
        .await?;
        Ok(())
    }

    async fn failure(&self, stack_id: &str, followed: Followed, logs: FunctionLogs) -> Failure {
        let first = first_cause(&followed.events);
        let mut cause = vec![first.map_or_else(
            || "the service reported no failed resource".to_owned(),
            StackEvent::summary,
        )];
        if first.is_some_and(points_to_validation) {
            let problems = self.target.stacks.problems_of_newest_operation(stack_id);
            cause.extend(problems.await.iter().map(|problem| format!("  {problem}")));
        }
        let not_undone = match followed.status {
            StackStatus::Failed(_) => not_undone(&followed.events)
                .into_iter()
                .map(StackEvent::summary)
                .collect(),
            _ => Vec::new(),
        };
        let failure = Failure {
            status: followed.status,
            cause,
            not_undone,
            logs: logs.collect().await,
        };
        if self.format == EventFormat::Json {
            let line = OperationFailure {
                stack_name: &self.target.stack_name(),
                status: failure.status.as_str(),
                cause: &failure.cause,
                not_undone: &failure.not_undone,
            };
            self.printer.data_line(&line.json_line());
        }
        failure
    }
}

/// A token that marks one operation of this program; `verb` says which.
pub(super) fn new_token(verb: &str) -> String {
    format!("connect-scim-{verb}-{}", uuid::Uuid::new_v4().simple())
}

/// Whether an event says that the reasons stand in the operation's own events.
fn points_to_validation(event: &StackEvent) -> bool {
    event
        .reason
        .as_deref()
        .is_some_and(|reason| reason.contains("DescribeEvents") || reason.contains("FAILED event"))
}

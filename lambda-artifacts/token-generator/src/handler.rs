//! One request of CloudFormation's from event to answer, whatever happens in between.

use std::future::Future;
use std::time::{Duration, SystemTime};

use aws_json_client::Client;
use serde_json::Value;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, error, info};

use crate::event::{Envelope, Operation};
use crate::parameter::{ActionError, carry_out};
use crate::plan::{Action, physical_resource_id, plan};
use crate::response::{Outcome, body};
use crate::response_url::{NotDelivered, ResponseHosts, deliver};

/// Kept back from the work for the answer: two attempts and a pause.
const TIME_TO_ANSWER: Duration = Duration::from_secs(7);

/// Kept back from the answer, so that the function returns before Lambda ends it.
const TIME_TO_RETURN: Duration = Duration::from_millis(500);

/// CloudFormation got no answer. Lambda invokes the function again with the same event,
/// at most twice, and the work is such that this does no harm.
#[derive(Debug, Error)]
pub enum NotAnswered {
    /// Nobody can be answered: not an event of CloudFormation's.
    #[error("the event has no ResponseURL: this function is invoked by CloudFormation only")]
    NoResponseUrl,
    /// The URL is not one of CloudFormation's.
    #[error(
        "the event's ResponseURL is not one of Amazon S3: this function is invoked by CloudFormation only"
    )]
    ForeignResponseUrl,
    /// The answer did not arrive.
    #[error(transparent)]
    NotDelivered(#[from] NotDelivered),
    /// The answer is not JSON, which cannot happen.
    #[error("the answer could not be rendered: {0}")]
    NotRendered(#[from] serde_json::Error),
}

impl From<NotAnswered> for lambda_runtime::Diagnostic {
    fn from(error: NotAnswered) -> Self {
        Self {
            error_type: "NotAnswered".into(),
            error_message: error.to_string(),
        }
    }
}

/// Does what `event` asks for and answers CloudFormation.
///
/// `deadline` is when Lambda ends the function.
///
/// # Errors
///
/// No answer was given. A request that failed and was answered so is no error.
pub async fn handle(
    ssm: &Client,
    hosts: &ResponseHosts,
    event: &Value,
    deadline: SystemTime,
) -> Result<(), NotAnswered> {
    let ssm = ssm.clone();
    answer(hosts, event, deadline, move |action| async move {
        carry_out(&ssm, &action).await
    })
    .await
}

/// [`handle`] with the work as a parameter, for tests of work that hangs or panics.
///
/// # Errors
///
/// As [`handle`].
pub async fn answer<Work, Working>(
    hosts: &ResponseHosts,
    event: &Value,
    deadline: SystemTime,
    work: Work,
) -> Result<(), NotAnswered>
where
    Work: FnOnce(Action) -> Working,
    Working: Future<Output = Result<(), ActionError>> + Send + 'static,
{
    let remaining = deadline
        .duration_since(SystemTime::now())
        .unwrap_or_default();
    let now = Instant::now();
    let envelope = Envelope::read(event);
    let Some(url) = &envelope.response_url else {
        error!("the event has no ResponseURL: nobody can be answered");
        return Err(NotAnswered::NoResponseUrl);
    };
    if !hosts.permit(url) {
        error!("the event's ResponseURL is not one of Amazon S3: nothing is done");
        return Err(NotAnswered::ForeignResponseUrl);
    }

    let operation = Operation::read(event);
    let outcome = match &operation {
        Ok(operation) => attempt(work(plan(operation)), now + time_to_work(remaining)).await,
        Err(malformed) => Outcome::Failed {
            reason: malformed.to_string(),
        },
    };
    match &outcome {
        Outcome::Success => info!(resource = envelope.logical_resource_id, "done"),
        Outcome::Failed { reason } => {
            error!(resource = envelope.logical_resource_id, reason, "not done");
        }
    }

    let physical_resource_id = physical_resource_id(
        operation.as_ref().ok(),
        envelope.physical_resource_id.as_deref(),
        outcome == Outcome::Success,
    );
    let body = body(&envelope, &physical_resource_id, &outcome)?;
    let answer_by = now + time_until_answered(remaining);
    deliver(url, &body, answer_by).await.inspect_err(|error| {
        error!(error = %error, "CloudFormation was not answered");
    })?;
    Ok(())
}

/// Runs the work as a task of its own, so that a panic ends the task only.
async fn attempt(
    work: impl Future<Output = Result<(), ActionError>> + Send + 'static,
    deadline: Instant,
) -> Outcome {
    let mut task = tokio::spawn(work.in_current_span());
    let reason = match timeout_at(deadline, &mut task).await {
        Ok(Ok(Ok(()))) => return Outcome::Success,
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(_)) => "the token generator panicked; its log names the place".to_owned(),
        Err(_) => {
            task.abort();
            "SSM did not finish in the time that the function has".to_owned()
        }
    };
    Outcome::Failed { reason }
}

/// Of the time that is left, all but what the answer needs; half of it if it is short.
fn time_to_work(remaining: Duration) -> Duration {
    remaining.saturating_sub(TIME_TO_ANSWER).max(remaining / 2)
}

/// Of the time that is left, all but what the return needs; a quarter of it if it is short.
fn time_until_answered(remaining: Duration) -> Duration {
    remaining
        .saturating_sub(TIME_TO_RETURN)
        .max(remaining / 4 * 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_leaves_time_for_the_answer_and_the_answer_for_the_return() {
        for (remaining, work, answer) in [
            (30_000, 23_000, 29_500),
            (14_000, 7_000, 13_500),
            (1_000, 500, 750),
            (0, 0, 0),
        ] {
            let remaining = Duration::from_millis(remaining);
            assert_eq!(time_to_work(remaining), Duration::from_millis(work));
            assert_eq!(
                time_until_answered(remaining),
                Duration::from_millis(answer)
            );
        }
    }
}

//! Answers that arrive and say nothing: a proxy's page in place of the service's XML, a body
//! that something on the way has spoilt.
//!
//! The SDK repeats what was lost or throttled, but takes an answer with status 200 for the
//! last word, readable or not. For a call that only looks, asking again costs nothing, and a
//! deployment should not end on it. A call that changes something may have been carried
//! out; whoever made it finds out.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::{Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// How the names of operations begin that only look.
const READING: [&str; 4] = ["Describe", "Get", "Head", "List"];

/// Has a read repeated, as often as a lost one, whose answer was a success that nobody can read.
#[derive(Debug)]
pub struct RepeatGarbledReads;

impl Intercept for RepeatGarbledReads {
    fn name(&self) -> &'static str {
        "RepeatGarbledReads"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reads = config
            .load::<Metadata>()
            .is_some_and(|operation| is_read(operation.name()));
        let succeeded = context
            .response()
            .is_some_and(|response| response.status().is_success());
        if reads
            && succeeded
            && let Some(outcome) = context.output_or_error_mut()
            && outcome
                .as_ref()
                .is_err_and(OrchestratorError::is_operation_error)
        {
            // The kind of failure that the SDK's own classifier takes for a passing one.
            *outcome = Err(OrchestratorError::response(
                "the service's answer could not be read".into(),
            ));
        }
        Ok(())
    }
}

fn is_read(operation: &str) -> bool {
    READING.iter().any(|verb| operation.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::is_read;

    #[test]
    fn only_what_changes_nothing_is_repeated() {
        for operation in [
            "DescribeStacks",
            "GetCallerIdentity",
            "HeadBucket",
            "ListChangeSets",
        ] {
            assert!(is_read(operation), "{operation}");
        }
        for operation in [
            "CreateChangeSet",
            "DeleteStack",
            "PutParameter",
            "AssumeRole",
        ] {
            assert!(!is_read(operation), "{operation}");
        }
    }
}

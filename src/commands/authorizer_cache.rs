//! The cache in which API Gateway keeps the decisions of the token authorizer.

use super::target::Target;
use crate::cloud::{ServiceError, failed_to};
use crate::stack::StackDescription;

/// Deletes all decisions, so that the next request of each token reaches the authorizer.
///
/// # Errors
/// When API Gateway refuses, as for want of `apigateway:DELETE`.
pub(super) async fn flush(target: &Target, stack: &StackDescription) -> Result<(), ServiceError> {
    let output = |key: &str| stack.outputs.get(key).cloned().unwrap_or_default();
    aws_sdk_apigateway::Client::new(target.cloud.config())
        .flush_stage_authorizers_cache()
        .rest_api_id(output("ApiId"))
        .stage_name(output("StageName"))
        .send()
        .await
        .map_err(failed_to("flush the authorizers' cache of the stage"))?;
    Ok(())
}

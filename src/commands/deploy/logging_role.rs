//! The account's API Gateway logging role.
//!
//! There is one per account and region, and whoever writes it last wins. So the stack
//! makes it only where the account has none and the environment asks for it, and keeps it
//! once it was the one that made it.

use crate::cloud::{self, failed_to};
use crate::commands::Error;
use crate::commands::error::StackError;
use crate::commands::target::Target;
use crate::environment::{Api, StackKind};
use crate::template;

/// What is known of the logging role.
pub(in crate::commands) struct LoggingRole<'a> {
    /// The settings, where they need the role.
    api: Option<&'a Api>,
    exists: bool,
}

/// Asks API Gateway, if the environment's access logs need the role at all.
pub(in crate::commands) async fn find(target: &Target) -> Result<LoggingRole<'_>, Error> {
    let is_endpoint = target.environment.kind() == StackKind::Endpoint;
    let api = is_endpoint.then_some(&target.environment.api);
    let api = api.filter(|api| api.access_logs);
    let exists = if api.is_some() {
        let account = cloud::client!(aws_sdk_apigateway, target.cloud)
            .get_account()
            .send()
            .await
            .map_err(failed_to("read the account's API Gateway settings"))?;
        account
            .cloudwatch_role_arn()
            .is_some_and(|arn| !arn.is_empty())
    } else {
        false
    };
    Ok(LoggingRole { api, exists })
}

impl LoggingRole<'_> {
    /// Whether the role is a resource of this stack.
    ///
    /// # Errors
    /// [`StackError::NoLoggingRole`] when access logs are wanted, the account has no role, and
    /// the environment does not ask for one.
    pub(in crate::commands) fn belongs_in_stack(
        &self,
        deployed_template: Option<&str>,
    ) -> Result<bool, Error> {
        let Some(api) = self.api else {
            return Ok(false);
        };
        let ours = deployed_template
            .and_then(|text| template::canonical(text).ok())
            .is_some_and(|template| has_account_logging_role(&template));
        match (api.create_account_logging_role, self.exists) {
            (true, true) => Ok(ours),
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            (false, false) => Err(StackError::NoLoggingRole.into()),
        }
    }
}

fn has_account_logging_role(template: &serde_json::Value) -> bool {
    template["Resources"].as_object().is_some_and(|resources| {
        resources
            .values()
            .any(|resource| resource["Type"] == "AWS::ApiGateway::Account")
    })
}

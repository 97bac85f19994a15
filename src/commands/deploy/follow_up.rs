//! What a deployment does not do by itself: end the access of former clients at once, and
//! bring changed settings to existing users.

use std::collections::BTreeSet;

use super::Survey;
use crate::commands::target::Target;
use crate::commands::{Error, authorizer_cache};
use crate::plan;
use crate::printer::Printer;
use crate::stack::StackDescription;

/// What remains after the deployment of a survey.
pub(super) struct FollowUp {
    /// Clients whose credentials the new stack does not accept.
    former_clients: BTreeSet<String>,
    /// Keys of the environment file that existing users do not get.
    settings: Vec<&'static str>,
}

impl FollowUp {
    /// Compares the deployed stack with the intended one.
    pub(super) fn of(survey: &Survey) -> Result<Self, Error> {
        let deployed = survey.deployed()?;
        let before = deployed.as_ref().map(|stack| &stack.template);
        let after = survey.intended.template.canonical();
        Ok(Self {
            former_clients: before
                .map(|before| plan::former_clients(before, after))
                .unwrap_or_default(),
            settings: before
                .map(|before| plan::settings_of_users(before, after))
                .unwrap_or_default(),
        })
    }

    /// Flushes the cache in which API Gateway keeps the former clients' access.
    pub(super) async fn end_access(
        &self,
        target: &Target,
        stack: &StackDescription,
        printer: &Printer,
    ) {
        if self.former_clients.is_empty() {
            return;
        }
        match authorizer_cache::flush(target, stack).await {
            Ok(()) => printer.message(&format!(
                "flushed API Gateway's authorizer cache: the former credentials of {} are no longer accepted",
                self.clients()
            )),
            Err(error) => printer.warning(&format!("{}: {error}", self.cached_access(target))),
        }
    }

    /// Prints what the caller has to know about a deployment that nothing follows.
    pub(super) fn warn_of_cached_access(&self, target: &Target, printer: &Printer) {
        if !self.former_clients.is_empty() {
            printer.warning(&self.cached_access(target));
        }
    }

    /// Prints the command that brings changed settings to existing users.
    pub(super) fn print_command(&self, environment: &str, printer: &Printer) {
        if self.settings.is_empty() {
            return;
        }
        printer.message(&format!(
            "{} changed. To apply this to existing users, at two users per second (1,000 users take 9 minutes):\n  connect-scim users reconcile --all --env {environment}",
            self.settings.join(", ")
        ));
    }

    fn cached_access(&self, target: &Target) -> String {
        format!(
            "API Gateway's authorizer cache is not flushed, so the former credentials of {} may be accepted for up to {} seconds after the deployment (`api.authorizerTtlSeconds`)",
            self.clients(),
            target.environment.api.authorizer_ttl_seconds.get()
        )
    }

    fn clients(&self) -> String {
        let names: Vec<&str> = self.former_clients.iter().map(String::as_str).collect();
        names.join(", ")
    }
}

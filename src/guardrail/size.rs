//! How large a policy may be.

use serde_json::Value;

use super::protected::{Missing, Names, Protected};
use super::statements::{boundary_document, boundary_statements, document, statements};
use crate::environment::{Connect, Environment};

/// How large a service control policy could be before May 2026. A partition may not have
/// the larger limit yet.
pub const FORMER_LIMIT: usize = 5_120;

/// What a policy is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A managed policy of IAM.
    ManagedPolicy,
    /// A service control policy of AWS Organizations.
    ServiceControlPolicy,
}

impl Use {
    /// The most characters that the service takes. IAM counts no white space; Organizations
    /// counts every character, but a document is sent without white space.
    ///
    /// Sources: AWS IAM User Guide, "IAM and AWS STS quotas"; AWS Organizations User Guide,
    /// "Quotas for AWS Organizations" (raised in May 2026 from [`FORMER_LIMIT`]).
    #[must_use]
    pub const fn limit(self) -> usize {
        match self {
            Self::ManagedPolicy => 6_144,
            Self::ServiceControlPolicy => 10_240,
        }
    }
}

/// A policy is larger than the service takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the guardrail has {characters} characters, and {} takes {}", match .used_as { Use::ManagedPolicy => "a managed policy of IAM", Use::ServiceControlPolicy => "a service control policy" }, .used_as.limit())]
pub struct TooLarge {
    /// What it was to become.
    pub used_as: Use,
    /// How many characters it has.
    pub characters: usize,
}

/// The document without white space, if the service takes it.
///
/// # Errors
/// [`TooLarge`].
pub fn minified(document: &Value, used_as: Use) -> Result<String, TooLarge> {
    let text = document.to_string();
    let characters = text.chars().count();
    if characters > used_as.limit() {
        return Err(TooLarge {
            used_as,
            characters,
        });
    }
    Ok(text)
}

/// Why an environment's guardrail cannot be deployed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// It names a resource that no stack has.
    #[error(transparent)]
    Missing(#[from] Missing),
}

/// Whether the policies of an environment are small enough, each name that CloudFormation
/// generates taken as the longest that there is. The boundary has one statement more.
///
/// # Errors
/// [`Unfit`].
pub fn fits(environment: &Environment, connect: &Connect) -> Result<(), Unfit> {
    const RANDOM: &str = "-1ABCDEFGHIJKL";
    const LONGEST_NAME: usize = 64;
    let stack = environment.stack_name.get();
    let resource = |id: &str| {
        let end = format!("-{id}{RANDOM}");
        let room = LONGEST_NAME.saturating_sub(end.len());
        let name = format!("{stack:.room$}{end}");
        Some(match id {
            "RestApi" => "abcdefghij".to_owned(),
            id if id.starts_with("UsagePlan") || id.starts_with("ApiKey") => {
                "abcdefghij".to_owned()
            }
            id if id.ends_with("Queue") => format!("{stack}{end}.fifo"),
            _ => name,
        })
    };
    let names = Names {
        partition: environment.region.partition(),
        region: environment.region.get(),
        // The local cloud's, where an environment names none.
        account: environment
            .account
            .as_ref()
            .map_or("000000000000", |id| id.get()),
        stack,
        resource: &resource,
        literal: &str::to_owned,
    };
    let exceptions = names.exceptions(environment)?;
    let protected = Protected::new(environment, connect, &names, &exceptions)?;
    minified(
        &document(&statements(&protected, &exceptions)),
        Use::ManagedPolicy,
    )?;
    if !environment.guardrails.boundary_of.is_empty() {
        let statements = boundary_statements(&protected, &exceptions);
        minified(&boundary_document(&statements), Use::ManagedPolicy)?;
    }
    Ok(())
}

//! How large a policy may be.

use serde_json::Value;

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

//! The stack policy of a protected stack: no update may replace or delete the directory.
//!
//! Deletion protection and `Retain` keep the table in the account, but an update that
//! replaces it would still leave the endpoint with an empty one. A stack policy has
//! CloudFormation refuse such an update before it begins.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>
//!
//! A policy that somebody else set stays: only our own is set and lifted.

use std::fmt;

use serde_json::{Value, json};

use super::Stacks;
use crate::cloud::{ServiceError, failed_to};

/// What the directory table is called in the template.
const DIRECTORY_TABLE: &str = "DirectoryTable";

/// Keeps the directory.
fn protecting() -> Value {
    json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["Update:Replace", "Update:Delete"],
            "Resource": format!("LogicalResourceId/{DIRECTORY_TABLE}"),
        },
    ]})
}

/// Allows every update: a policy can be replaced, but not removed.
fn permissive() -> Value {
    json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
    ]})
}

/// A stack policy as the plan tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackPolicy {
    /// Ours: updates neither replace nor delete the directory.
    KeepsDirectory,
    /// Ours, lifted.
    AllowsEverything,
    /// Somebody else's, as CloudFormation has it.
    Other(String),
}

impl StackPolicy {
    fn of(text: &str) -> Self {
        match serde_json::from_str::<Value>(text) {
            Ok(policy) if policy == protecting() => Self::KeepsDirectory,
            Ok(policy) if policy == permissive() => Self::AllowsEverything,
            _ => Self::Other(text.to_owned()),
        }
    }

    /// What a deployment makes of the policy in force, if there is one.
    #[must_use]
    pub fn after_deployment(in_force: Option<&Self>, protect: bool) -> Option<Self> {
        match (in_force, protect) {
            (None | Some(Self::AllowsEverything), true) => Some(Self::KeepsDirectory),
            (Some(Self::KeepsDirectory), false) => Some(Self::AllowsEverything),
            (in_force, _) => in_force.cloned(),
        }
    }

    fn document(&self) -> String {
        match self {
            Self::KeepsDirectory => protecting().to_string(),
            Self::AllowsEverything => permissive().to_string(),
            Self::Other(text) => text.clone(),
        }
    }
}

impl fmt::Display for StackPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::KeepsDirectory => "no update replaces or deletes the directory",
            Self::AllowsEverything => "every update is allowed",
            Self::Other(text) => text,
        })
    }
}

impl Stacks {
    /// The policy in force, if there is one.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn policy(&self, stack: &str) -> Result<Option<StackPolicy>, ServiceError> {
        let answer = self
            .client
            .get_stack_policy()
            .stack_name(stack)
            .send()
            .await
            .map_err(failed_to(format!("read the policy of the stack {stack}")))?;
        Ok(answer.stack_policy_body().map(StackPolicy::of))
    }

    /// Has updates of the stack keep the directory, or not. Returns whether that changed
    /// anything.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn protect_directory(
        &self,
        stack: &str,
        protect: bool,
    ) -> Result<bool, ServiceError> {
        let in_force = self.policy(stack).await?;
        let next = StackPolicy::after_deployment(in_force.as_ref(), protect);
        let Some(next) = next.filter(|next| in_force.as_ref() != Some(next)) else {
            return Ok(false);
        };
        self.client
            .set_stack_policy()
            .stack_name(stack)
            .stack_policy_body(next.document())
            .send()
            .await
            .map_err(failed_to(format!("set the policy of the stack {stack}")))?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::StackPolicy::{self, AllowsEverything, KeepsDirectory};

    #[test]
    fn only_our_own_policy_is_set_and_lifted() {
        let foreign = StackPolicy::of(
            r#"{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}"#,
        );
        assert!(matches!(foreign, StackPolicy::Other(_)));
        for (in_force, protect, after) in [
            (None, true, Some(KeepsDirectory)),
            (Some(AllowsEverything), true, Some(KeepsDirectory)),
            (Some(KeepsDirectory), true, Some(KeepsDirectory)),
            (Some(foreign.clone()), true, Some(foreign.clone())),
            (None, false, None),
            (Some(KeepsDirectory), false, Some(AllowsEverything)),
            (Some(AllowsEverything), false, Some(AllowsEverything)),
            (Some(foreign.clone()), false, Some(foreign.clone())),
        ] {
            assert_eq!(
                StackPolicy::after_deployment(in_force.as_ref(), protect),
                after,
                "{in_force:?}, {protect}"
            );
        }
    }

    #[test]
    fn our_policies_are_recognised_however_they_are_written() {
        for policy in [KeepsDirectory, AllowsEverything] {
            let spaced = policy.document().replace(',', ",\n  ");
            assert_eq!(StackPolicy::of(&spaced), policy);
        }
    }
}

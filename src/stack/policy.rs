//! The stack policy of a protected stack: no update may replace or delete the directory.
//!
//! Deletion protection and `Retain` keep the table in the account, but an update that
//! replaces it would still leave the endpoint with an empty one. A stack policy has
//! CloudFormation refuse such an update before it begins.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>
//!
//! A policy that somebody else set stays: only our own is set and lifted.

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

/// The policy to set, or `None` where the one in force is right.
fn next_policy(in_force: Option<&str>, protect: bool) -> Option<Value> {
    let in_force: Option<Value> = in_force.and_then(|text| serde_json::from_str(text).ok());
    match (protect, in_force) {
        (true, None) => Some(protecting()),
        (true, Some(policy)) => (policy == permissive()).then(protecting),
        (false, policy) => (policy == Some(protecting())).then(permissive),
    }
}

impl Stacks {
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
        let in_force = self
            .client
            .get_stack_policy()
            .stack_name(stack)
            .send()
            .await
            .map_err(failed_to(format!("read the policy of the stack {stack}")))?;
        let Some(policy) = next_policy(in_force.stack_policy_body(), protect) else {
            return Ok(false);
        };
        self.client
            .set_stack_policy()
            .stack_name(stack)
            .stack_policy_body(policy.to_string())
            .send()
            .await
            .map_err(failed_to(format!("set the policy of the stack {stack}")))?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::{next_policy, permissive, protecting};

    #[test]
    fn only_our_own_policy_is_set_and_lifted() {
        let ours = protecting().to_string();
        let lifted = permissive().to_string();
        let foreign = r#"{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}"#;
        assert_eq!(next_policy(None, true), Some(protecting()));
        assert_eq!(next_policy(Some(&lifted), true), Some(protecting()));
        assert_eq!(next_policy(Some(&ours), true), None);
        assert_eq!(next_policy(Some(foreign), true), None);
        assert_eq!(next_policy(None, false), None);
        assert_eq!(next_policy(Some(&ours), false), Some(permissive()));
        assert_eq!(next_policy(Some(&lifted), false), None);
        assert_eq!(next_policy(Some(foreign), false), None);
    }
}

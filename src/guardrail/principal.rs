//! Who might edit users, by the policies that everybody has.
//!
//! The answer is coarse on purpose: it decides who is simulated, and the simulation decides
//! who may. A statement that might grant an edit makes its principal a suspect, whatever
//! its resources and conditions; what cannot be read makes one too.

use std::collections::BTreeMap;

use serde_json::Value;

use super::actions::USER_EDITS;
use crate::plan::matches_pattern;

/// Paths of roles that only AWS services take on. No service control policy binds these,
/// nobody can attach anything to them, and they do what their service is told to do.
const SERVICE_LINKED: &str = ":role/aws-service-role/";

/// A role or user of the account, with the documents of all policies that grant it
/// something: its own, those attached to it, and those of its groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// Its ARN.
    pub arn: String,
    /// `None` for a policy that could not be read.
    pub policies: Vec<Option<Value>>,
}

impl Principal {
    /// Whether some policy might allow it an edit of users.
    #[must_use]
    pub fn may_edit_users(&self) -> bool {
        !self.arn.contains(SERVICE_LINKED)
            && self
                .policies
                .iter()
                .any(|policy| policy.as_ref().is_none_or(grants_an_edit))
    }
}

fn grants_an_edit(document: &Value) -> bool {
    each(&document["Statement"]).any(|statement| {
        let named = |element: &str, action: &str| {
            each(&statement[element])
                .filter_map(Value::as_str)
                .any(|pattern| {
                    let action = action.to_ascii_lowercase();
                    matches_pattern(&pattern.to_ascii_lowercase(), &action)
                })
        };
        let granted = |action: &str| match statement.get("NotAction") {
            Some(_) => !named("NotAction", action),
            None => named("Action", action),
        };
        statement["Effect"] == "Allow" && USER_EDITS.iter().any(|edit| granted(edit.action))
    })
}

/// The elements of a list, or the one that stands in place of a list.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        single => std::slice::from_ref(single),
    }
    .iter()
}

/// Everybody in an account, as `GetAccountAuthorizationDetails` tells it, page by page.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Roles, users and groups by ARN.
    pub holders: Vec<Holder>,
    /// The documents of managed policies in their default version, by ARN.
    pub managed: BTreeMap<String, Value>,
}

/// A role, user or group with what is its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Holder {
    /// Its ARN.
    pub arn: String,
    /// Its name, by which a user names its groups.
    pub name: String,
    /// The documents of its inline policies.
    pub inline: Vec<Value>,
    /// The ARNs of the managed policies attached to it.
    pub attached: Vec<String>,
    /// The names of a user's groups.
    pub groups: Vec<String>,
}

impl Holder {
    fn is_group(&self) -> bool {
        self.arn.contains(":group/")
    }
}

impl Account {
    /// The roles and users, each with all that its policies grant.
    #[must_use]
    pub fn principals(&self) -> Vec<Principal> {
        let groups: BTreeMap<&str, &Holder> = self
            .holders
            .iter()
            .filter(|holder| holder.is_group())
            .map(|holder| (holder.name.as_str(), holder))
            .collect();
        let policies = |holder: &Holder| -> Vec<Option<Value>> {
            let inline = holder.inline.iter().cloned().map(Some);
            let attached = holder
                .attached
                .iter()
                .map(|arn| self.managed.get(arn).cloned());
            inline.chain(attached).collect()
        };
        self.holders
            .iter()
            .filter(|holder| !holder.is_group())
            .map(|holder| {
                let of_groups = holder
                    .groups
                    .iter()
                    .filter_map(|name| groups.get(name.as_str()))
                    .flat_map(|group| policies(group));
                Principal {
                    arn: holder.arn.clone(),
                    policies: policies(holder).into_iter().chain(of_groups).collect(),
                }
            })
            .collect()
    }

    /// The users of a group.
    #[must_use]
    pub fn members(&self, group: &str) -> Vec<&str> {
        self.holders
            .iter()
            .filter(|holder| holder.groups.iter().any(|name| name == group))
            .map(|holder| holder.arn.as_str())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(statement: Value) -> Principal {
        Principal {
            arn: "arn:aws:iam::111122223333:role/a".to_owned(),
            policies: vec![Some(
                json!({"Version": "2012-10-17", "Statement": statement}),
            )],
        }
    }

    #[test]
    fn whoever_a_statement_might_grant_an_edit_is_a_suspect() {
        for (statement, suspect) in [
            (
                json!({"Effect": "Allow", "Action": "*", "Resource": "*"}),
                true,
            ),
            (
                json!([{"Effect": "Allow", "Action": ["s3:*", "Connect:update*"], "Resource": "*"}]),
                true,
            ),
            (
                json!([{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}]),
                true,
            ),
            (
                json!([{"Effect": "Allow", "NotAction": "connect:*", "Resource": "*"}]),
                false,
            ),
            (
                json!([{"Effect": "Allow", "Action": ["connect:Describe*", "connect:List*"], "Resource": "*"}]),
                false,
            ),
            (
                json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]),
                false,
            ),
            (json!([]), false),
        ] {
            assert_eq!(
                with(statement.clone()).may_edit_users(),
                suspect,
                "{statement}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_makes_a_suspect_and_a_service_linked_role_is_none() {
        let unread = Principal {
            arn: "arn:aws:iam::1:user/u".to_owned(),
            policies: vec![None],
        };
        assert!(unread.may_edit_users());
        let linked = Principal {
            arn: "arn:aws:iam::1:role/aws-service-role/connect.amazonaws.com/x".to_owned(),
            ..unread
        };
        assert!(!linked.may_edit_users());
    }

    #[test]
    fn a_user_has_what_its_groups_have() {
        let account = Account {
            holders: vec![
                Holder {
                    arn: "arn:aws:iam::1:user/ada".to_owned(),
                    name: "ada".to_owned(),
                    groups: vec!["Operators".to_owned()],
                    ..Holder::default()
                },
                Holder {
                    arn: "arn:aws:iam::1:group/Operators".to_owned(),
                    name: "Operators".to_owned(),
                    attached: vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()],
                    ..Holder::default()
                },
            ],
            managed: BTreeMap::from([(
                "arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
                json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
            )]),
        };
        let principals = account.principals();
        assert_eq!(principals.len(), 1);
        assert!(principals[0].may_edit_users());
        assert_eq!(account.members("Operators"), ["arn:aws:iam::1:user/ada"]);
    }
}

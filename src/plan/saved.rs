//! A plan in a file: what was reviewed, so that exactly that is deployed.
//!
//! It names by digest all that the plan was made of: the stack as it was found, the
//! template, the settings and the code. A deployment compares the digests and refuses where
//! one differs. There is no template text and no value in them, and no commit either: the
//! same sources give the same digests wherever they are checked out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Stack, Subject};
use crate::artifact::Sha256;

/// The version of the format that this program writes and reads.
pub const VERSION: u32 = 1;

/// What a plan was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basis {
    /// The stack's name.
    pub stack_name: String,
    /// The 12-digit account id.
    pub account: String,
    /// The region.
    pub region: String,
    /// The stack as it was found; nothing where it did not exist.
    pub deployed: Option<DeployedStack>,
    /// The stack as it shall be.
    pub intended: Digests,
    /// The digest of each function's package.
    pub code: BTreeMap<String, Sha256>,
}

/// The stack that a plan was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeployedStack {
    /// Its ARN.
    pub stack_id: String,
    /// When its last operation started: seconds since 1970.
    pub last_changed: Option<i64>,
    /// What stood in it.
    pub digests: Digests,
}

/// The digests of one stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Digests {
    /// Of the template in canonical form.
    pub template: Sha256,
    /// Of the tags, the protection and the like.
    pub settings: Sha256,
}

impl Digests {
    /// The digests of a stack.
    #[must_use]
    pub fn of(stack: &Stack) -> Self {
        Self {
            template: Sha256::of(stack.template.to_string().as_bytes()),
            settings: Sha256::of(
                Value::from_iter(stack.settings.clone())
                    .to_string()
                    .as_bytes(),
            ),
        }
    }
}

impl Basis {
    /// What the plan for a stack is made of.
    #[must_use]
    pub fn new(
        subject: &Subject,
        deployed: Option<DeployedStack>,
        intended: &Stack,
        code: BTreeMap<String, Sha256>,
    ) -> Self {
        Self {
            stack_name: subject.stack_name.clone(),
            account: subject.account.clone(),
            region: subject.region.clone(),
            deployed,
            intended: Digests::of(intended),
            code,
        }
    }

    /// Whether both want the same of the same stack, whatever stood there.
    #[must_use]
    pub fn wants_the_same_as(&self, other: &Self) -> bool {
        let wants = |basis: &Self| Self {
            deployed: None,
            ..basis.clone()
        };
        wants(self) == wants(other)
    }

    /// What has changed from this basis to `now`, as words that read after "since it was made,";
    /// nothing where the plan still holds.
    #[must_use]
    pub fn changed_to(&self, now: &Self) -> Option<&'static str> {
        let same_stack = (&self.stack_name, &self.account, &self.region)
            == (&now.stack_name, &now.account, &now.region);
        if !same_stack {
            return Some("it was made for another stack");
        }
        match (&self.deployed, &now.deployed) {
            (None, Some(_)) => return Some("the stack has been created since"),
            (Some(_), None) => return Some("the stack has been deleted since"),
            (Some(then), Some(now)) if then.stack_id != now.stack_id => {
                return Some("the stack has been deleted and created anew since");
            }
            (Some(then), Some(now)) if then != now => {
                return Some("the stack has been changed since");
            }
            _ => {}
        }
        if self.code != now.code {
            return Some("the code of the functions has changed since");
        }
        if self.intended != now.intended {
            return Some("the environment file or the templates have changed since");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn basis() -> Basis {
        let stack = Stack::new(json!({"Resources": {}}), &BTreeMap::new(), true);
        let subject = Subject {
            environment: "prod".into(),
            stack_name: "scim".into(),
            account: "111122223333".into(),
            region: "eu-central-1".into(),
        };
        let deployed = DeployedStack {
            stack_id: "arn:1".into(),
            last_changed: Some(1),
            digests: Digests::of(&stack),
        };
        let code = BTreeMap::from([("reconciler".to_owned(), Sha256::of(b"code"))]);
        Basis::new(&subject, Some(deployed), &stack, code)
    }

    #[test]
    fn whatever_a_plan_rests_on_is_noticed_when_it_changes() {
        let other = Stack::new(json!({"Resources": {"A": {}}}), &BTreeMap::new(), true);
        let unprotected = Stack::new(json!({"Resources": {}}), &BTreeMap::new(), false);
        type Change = fn(&mut Basis, &Stack);
        let cases: Vec<(&str, Change, &Stack)> = vec![
            (
                "it was made for another stack",
                |now, _| now.account = "444455556666".into(),
                &other,
            ),
            (
                "the stack has been deleted since",
                |now, _| now.deployed = None,
                &other,
            ),
            (
                "the stack has been deleted and created anew since",
                |now, _| now.deployed.as_mut().unwrap().stack_id = "arn:2".into(),
                &other,
            ),
            (
                "the stack has been changed since",
                |now, _| now.deployed.as_mut().unwrap().last_changed = Some(2),
                &other,
            ),
            (
                "the stack has been changed since",
                |now, stack| now.deployed.as_mut().unwrap().digests = Digests::of(stack),
                &unprotected,
            ),
            (
                "the code of the functions has changed since",
                |now, _| now.code.clear(),
                &other,
            ),
            (
                "the environment file or the templates have changed since",
                |now, stack| now.intended = Digests::of(stack),
                &other,
            ),
        ];
        assert_eq!(basis().changed_to(&basis()), None);
        for (expected, change, stack) in cases {
            let mut now = basis();
            change(&mut now, stack);
            assert_eq!(basis().changed_to(&now), Some(expected));
        }
        let mut before = basis();
        before.deployed = None;
        assert_eq!(
            before.changed_to(&basis()),
            Some("the stack has been created since")
        );
    }

    #[test]
    fn a_basis_is_read_back_as_it_was_written() {
        let text = serde_json::to_string(&basis()).unwrap();
        assert_eq!(serde_json::from_str::<Basis>(&text).unwrap(), basis());
    }
}

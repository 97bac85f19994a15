//! Permissions that a deployment grants or revokes, whatever resource they stand in.
//!
//! Policies are compared as sets of single permissions (one principal, one action, one
//! resource, one condition), because that is what they mean: moving an action from one
//! statement to another changes nothing. A permission that an old one covers already
//! broadens nothing. What cannot be judged for certain counts as broadened.

mod condition;
mod document;
mod statement;

pub(crate) use statement::matches as matches_pattern;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::document::{Document, documents};
use self::statement::Atom;

/// The permissions of one policy that change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChange {
    /// The resource that the policy stands in.
    pub logical_id: String,
    /// Its type.
    pub resource_type: String,
    /// Which of its policies: `permissions`, `trust policy`, `managed policies`, …
    pub policy: String,
    /// What is new in it.
    pub granted: Vec<Permission>,
    /// What is no longer in it.
    pub revoked: Vec<Permission>,
}

/// A permission, or several that differ in their actions or resources only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// Whether its appearance (of a grant) or disappearance (of a revocation) lets somebody
    /// do what nobody could do before.
    pub broadens: bool,
    /// `Allow`, `Deny`, or what else stands there.
    pub effect: String,
    /// Who: `Service lambda.amazonaws.com`; nobody is named in the policy of a role.
    pub principal: Option<String>,
    /// What.
    pub actions: Vec<String>,
    /// On what.
    pub resources: Vec<String>,
    /// Only if.
    pub condition: Option<String>,
}

impl PolicyChange {
    /// Whether somebody can do more than before.
    #[must_use]
    pub fn broadens(&self) -> bool {
        self.granted
            .iter()
            .chain(&self.revoked)
            .any(|permission| permission.broadens)
    }
}

/// The changed policies between two templates in canonical form, those that broaden first.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<PolicyChange> {
    let none = Value::Null;
    let side = |template: &Value, id: &str| template["Resources"].get(id).cloned();
    let ids: BTreeSet<&str> = super::resources(before)
        .chain(super::resources(after))
        .map(|(id, _)| id)
        .collect();
    let mut changes = Vec::new();
    for id in ids {
        let (old, new) = (side(before, id), side(after, id));
        if old == new {
            continue;
        }
        let (old_documents, new_documents) = (
            documents(old.as_ref().unwrap_or(&none)),
            documents(new.as_ref().unwrap_or(&none)),
        );
        let policies: BTreeSet<&String> =
            old_documents.keys().chain(new_documents.keys()).collect();
        for policy in policies {
            let empty = Document::default();
            let (granted, revoked) = compare(
                old_documents.get(policy).unwrap_or(&empty),
                new_documents.get(policy).unwrap_or(&empty),
            );
            if granted.is_empty() && revoked.is_empty() {
                continue;
            }
            let resource = new.as_ref().or(old.as_ref()).unwrap_or(&none);
            changes.push(PolicyChange {
                logical_id: id.to_owned(),
                resource_type: resource["Type"].as_str().unwrap_or_default().to_owned(),
                policy: policy.clone(),
                granted,
                revoked,
            });
        }
    }
    changes.sort_by_key(|change| !change.broadens());
    changes
}

/// What is granted and what is revoked.
fn compare(old: &Document, new: &Document) -> (Vec<Permission>, Vec<Permission>) {
    let granted = new.atoms.difference(&old.atoms).map(|atom| {
        let broadens = match atom {
            atom if atom.is_deny() => false,
            atom => !old.atoms.iter().any(|known| known.covers(atom)),
        };
        (broadens, atom)
    });
    let revoked = old.atoms.difference(&new.atoms).map(|atom| {
        let broadens = match atom {
            atom if atom.is_deny() => !new.atoms.iter().any(|known| known.covers(atom)),
            atom => !atom.is_clear(),
        };
        (broadens, atom)
    });
    (grouped(granted), grouped(revoked))
}

/// Puts together again what differs in actions or in resources only.
fn grouped<'a>(atoms: impl Iterator<Item = (bool, &'a Atom)>) -> Vec<Permission> {
    type Rest = (bool, String, Option<String>, Option<String>);
    let mut by_resource: BTreeMap<(Rest, String), BTreeSet<String>> = BTreeMap::new();
    for (broadens, atom) in atoms {
        let rest = (
            broadens,
            atom.effect.clone(),
            atom.principal.clone(),
            atom.condition_text(),
        );
        by_resource
            .entry((rest, atom.resource.to_string()))
            .or_default()
            .insert(atom.action.to_string());
    }
    let mut by_actions: BTreeMap<(Rest, BTreeSet<String>), BTreeSet<String>> = BTreeMap::new();
    for ((rest, resource), actions) in by_resource {
        by_actions
            .entry((rest, actions))
            .or_default()
            .insert(resource);
    }
    let mut permissions: Vec<_> = by_actions
        .into_iter()
        .map(
            |(((broadens, effect, principal, condition), actions), resources)| Permission {
                broadens,
                effect,
                principal,
                actions: actions
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect(),
                resources: resources
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect(),
                condition,
            },
        )
        .collect();
    permissions.sort_by_key(|permission| !permission.broadens);
    permissions
}

#[cfg(test)]
mod tests;

//! A complete list of named resources, and how names are found in it.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;

use super::{Kind, ProfileError};
use crate::connect::NamedResource;

/// All resources of a kind, as they were when the list was read.
#[derive(Debug)]
pub(super) struct List {
    pub items: Vec<NamedResource>,
    read_at: Instant,
}

impl List {
    /// A list; `read_at` is the time at which its read began.
    pub(super) fn new(items: Vec<NamedResource>, read_at: Instant) -> Self {
        Self { items, read_at }
    }

    /// Whether the read began at this time or later.
    pub(super) fn is_newer_than(&self, time: Instant) -> bool {
        self.read_at >= time
    }

    pub(super) fn age(&self) -> Duration {
        self.read_at.elapsed()
    }

    /// The resource of this name, or of this name in other case if that is only one.
    pub(super) fn find(&self, name: &str) -> Option<&NamedResource> {
        self.items
            .iter()
            .find(|item| item.name == name)
            .or_else(|| {
                let folded = name.to_lowercase();
                let mut similar = self
                    .items
                    .iter()
                    .filter(|item| item.name.to_lowercase() == folded);
                similar.next().filter(|_| similar.next().is_none())
            })
    }

    /// The ids of the resources of these names.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`] with each name that is not in the list;
    /// [`ProfileError::Ambiguous`] if several hierarchy groups have the name.
    pub(super) fn find_all(
        &self,
        kind: Kind,
        names: &[String],
    ) -> Result<BTreeSet<String>, ProfileError> {
        let mut ids = BTreeSet::new();
        let mut unknown = Vec::new();
        for name in names {
            match self.find(name) {
                Some(item) => {
                    let same_name = self.items.iter().filter(|other| other.name == item.name);
                    if kind == Kind::HierarchyGroup && same_name.count() > 1 {
                        return Err(ProfileError::Ambiguous(name.clone()));
                    }
                    ids.insert(item.id.clone());
                }
                None => unknown.push((name.clone(), self.closest(name))),
            }
        }
        if unknown.is_empty() {
            Ok(ids)
        } else {
            Err(ProfileError::Unknown { kind, unknown })
        }
    }

    /// Up to three similar names, the most similar first.
    pub(super) fn closest(&self, name: &str) -> Vec<String> {
        let folded = name.to_lowercase();
        let mut scored: Vec<(f64, &str)> = self
            .items
            .iter()
            .map(|item| {
                let score = strsim::jaro_winkler(&folded, &item.name.to_lowercase());
                (score, item.name.as_str())
            })
            .filter(|(score, _)| *score > 0.7)
            .collect();
        scored.sort_by(|left, right| right.0.total_cmp(&left.0));
        scored
            .into_iter()
            .take(3)
            .map(|(_, name)| name.to_owned())
            .collect()
    }

    /// The names that occur once, sorted.
    pub(super) fn unambiguous_names(&self) -> Vec<String> {
        let mut names: Vec<&str> = self.items.iter().map(|item| item.name.as_str()).collect();
        names.sort_unstable();
        names
            .chunk_by(|left, right| left == right)
            .filter_map(|same| match same {
                [name] => Some((*name).to_owned()),
                _ => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;

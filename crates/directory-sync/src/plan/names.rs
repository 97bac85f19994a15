//! In which order names that a server takes only once change hands.
//!
//! When Ann becomes `ann.berg` and another Ann becomes `ann`, the second write must follow
//! the first. Writes are put into waves: each wave takes only names that earlier ones gave
//! up. A name that nobody gives up, and names that go round in a circle, cannot be taken;
//! those who wanted them keep their own, and whoever waited for those too.
//!
//! User names, e-mail addresses and names of groups are settled apart from each other.

use std::collections::{HashMap, HashSet};

/// What one write would do to names. Names are compared as they stand: without their case.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    /// The object that is written; none for one that is made.
    pub object: Option<usize>,
    /// What it would be called.
    pub takes: Option<String>,
    /// What it would no longer be called.
    pub releases: Option<String>,
}

/// What a claim comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// Of the wave: 0 takes no name that somebody has, each other comes after all lower ones.
    Wave(usize),
    /// Somebody has the name, and keeps it.
    Refused,
}

/// Settles who can have which name, claim by claim. `held` says who has a name now, `deleted`
/// which objects are gone before any name is taken.
pub(super) fn settle(
    held: &HashMap<String, usize>,
    deleted: &HashSet<usize>,
    claims: &[Claim],
) -> Vec<Settled> {
    let settler = Settler {
        claims,
        releasers: by_name(claims, |claim| claim.releases.as_deref()),
        held,
        deleted,
    };
    let mut refused = settler.refused();
    let mut waves = vec![0_usize; claims.len()];
    // Each waits for at most one other, and is waited for by at most one.
    let mut waited_for: HashMap<usize, usize> = HashMap::new();
    let mut ready = Vec::new();
    for index in (0..claims.len()).filter(|index| !refused[*index]) {
        match settler.wait(index) {
            Wait::Claim(other) => drop(waited_for.insert(other, index)),
            Wait::Deletion => {
                waves[index] = 1;
                ready.push(index);
            }
            Wait::Nothing | Wait::Forever => ready.push(index),
        }
    }
    let mut settled = vec![false; claims.len()];
    while let Some(index) = ready.pop() {
        settled[index] = true;
        if let Some(&next) = waited_for.get(&index) {
            waves[next] = waves[index] + 1;
            ready.push(next);
        }
    }
    // What still waits goes round in a circle.
    for (refused, settled) in refused.iter_mut().zip(settled) {
        *refused |= !settled;
    }
    let settled = refused.into_iter().zip(waves);
    settled
        .map(|(refused, wave)| {
            if refused {
                Settled::Refused
            } else {
                Settled::Wave(wave)
            }
        })
        .collect()
}

fn by_name(claims: &[Claim], name: impl Fn(&Claim) -> Option<&str>) -> HashMap<&str, usize> {
    let indexed = claims.iter().enumerate();
    indexed
        .filter_map(|(index, claim)| Some((name(claim)?, index)))
        .collect()
}

struct Settler<'a> {
    claims: &'a [Claim],
    releasers: HashMap<&'a str, usize>,
    held: &'a HashMap<String, usize>,
    deleted: &'a HashSet<usize>,
}

/// What a claim has to wait for before it can take its name.
enum Wait {
    Nothing,
    Deletion,
    Claim(usize),
    Forever,
}

impl Settler<'_> {
    fn wait(&self, index: usize) -> Wait {
        let claim = &self.claims[index];
        let Some(name) = claim.takes.as_deref() else {
            return Wait::Nothing;
        };
        match self.held.get(name) {
            None => Wait::Nothing,
            Some(holder) if Some(*holder) == claim.object => Wait::Nothing,
            Some(holder) if self.deleted.contains(holder) => Wait::Deletion,
            Some(holder) => match self.releasers.get(name) {
                Some(&other) if self.claims[other].object == Some(*holder) => Wait::Claim(other),
                _ => Wait::Forever,
            },
        }
    }

    /// What is refused because a name is not given up; who is refused keeps the old name, for
    /// which another may have waited.
    fn refused(&self) -> Vec<bool> {
        let takers = by_name(self.claims, |claim| claim.takes.as_deref());
        let mut refused = vec![false; self.claims.len()];
        let mut open: Vec<usize> = (0..self.claims.len())
            .filter(|index| matches!(self.wait(*index), Wait::Forever))
            .collect();
        while let Some(index) = open.pop() {
            if refused[index] {
                continue;
            }
            refused[index] = true;
            let released = self.claims[index].releases.as_deref();
            open.extend(released.and_then(|name| takers.get(name)));
        }
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::Settled::{Refused, Wave};
    use super::*;

    /// Objects 0, 1, … are called a, b, …; claims are (object, new name).
    fn settled(
        holders: &[&str],
        deleted: &[usize],
        claims: &[(Option<usize>, &str)],
    ) -> Vec<Settled> {
        let held = holders.iter().enumerate();
        let held = held
            .map(|(index, name)| ((*name).to_owned(), index))
            .collect();
        let claims: Vec<Claim> = claims
            .iter()
            .map(|(object, to)| Claim {
                object: *object,
                takes: Some((*to).to_owned()),
                releases: object
                    .map(|index| holders[index].to_owned())
                    .filter(|name| name != to),
            })
            .collect();
        settle(&held, &deleted.iter().copied().collect(), &claims)
    }

    #[test]
    fn a_free_name_is_taken_at_once() {
        assert_eq!(
            settled(&["a"], &[], &[(Some(0), "x"), (None, "y")]),
            [Wave(0), Wave(0)]
        );
    }

    #[test]
    fn a_name_is_taken_after_it_is_given_up() {
        let claims = [(Some(0), "b"), (Some(1), "c"), (Some(2), "x")];
        assert_eq!(
            settled(&["a", "b", "c"], &[], &claims),
            [Wave(2), Wave(1), Wave(0)]
        );
    }

    #[test]
    fn a_name_of_a_deleted_object_is_taken_after_the_deletion() {
        assert_eq!(settled(&["a", "b"], &[1], &[(Some(0), "b")]), [Wave(1)]);
    }

    #[test]
    fn a_name_that_nobody_gives_up_is_refused_to_all_who_wait() {
        let claims = [(Some(0), "b"), (Some(1), "c"), (None, "a"), (None, "x")];
        assert_eq!(
            settled(&["a", "b", "c"], &[], &claims),
            [Refused, Refused, Refused, Wave(0)]
        );
    }

    #[test]
    fn names_that_go_round_in_a_circle_are_refused() {
        let claims = [
            (Some(0), "b"),
            (Some(1), "a"),
            (Some(2), "x"),
            (Some(3), "c"),
            (None, "d"),
        ];
        assert_eq!(
            settled(&["a", "b", "c", "d"], &[], &claims),
            [Refused, Refused, Wave(0), Wave(1), Wave(2)]
        );
    }

    #[test]
    fn a_name_in_another_case_is_ones_own() {
        assert_eq!(settled(&["a"], &[], &[(Some(0), "a")]), [Wave(0)]);
    }
}

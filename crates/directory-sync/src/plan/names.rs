//! In which order values that a server takes only once change hands.
//!
//! When Ann becomes `ann.berg` and another Ann becomes `ann`, the second write must follow the
//! first. Writes are put into waves: each wave takes only values that earlier ones gave up. In a
//! circle, one object gives its value up before all others and takes the new one last. An
//! inactive object yields its value to an active one. A value that is not given up cannot be
//! taken; the object that needs it keeps its own, and so do all that wait for that one.
//!
//! User names, e-mail addresses and names of groups are settled apart from each other.

use std::collections::{BTreeSet, HashMap, HashSet};

/// The change of one write to a unique value. Values are compared as they are: case folded.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    /// The object that is written; none for one that is created.
    pub object: Option<usize>,
    /// The new value.
    pub takes: Option<String>,
    /// The value that the object no longer has.
    pub releases: Option<String>,
    /// Whether an object that yields gives its value up for this claim.
    pub is_active: bool,
}

/// The result of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// Of the wave: 0 takes no value that another object has, each other comes after all lower
    /// ones.
    Wave(usize),
    /// The first of a circle: gives its value up with wave 0, takes the new one in this wave.
    Circle(usize),
    /// Another object has the value, and keeps it.
    Refused,
}

/// The values of the server, and which of them can be given up.
pub(super) struct Holders<'a> {
    /// The object that has a value.
    pub held: &'a HashMap<String, usize>,
    /// Objects that are deleted before any value is taken.
    pub deleted: &'a BTreeSet<usize>,
    /// Objects that give their value up when an active one needs it.
    pub yielding: &'a HashSet<usize>,
}

/// The results of all claims.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settlement {
    /// Claim by claim. A claim of a yielding object is of wave 0.
    pub settled: Vec<Settled>,
    /// The objects that give their value up and take no other: the caller writes that with wave
    /// 0, instead of the write that it had for the object.
    pub yielded: Vec<usize>,
}

/// Settles which claim takes its value, and when.
pub(super) fn settle(holders: &Holders<'_>, claims: &[Claim]) -> Settlement {
    let mut claims = claims.to_vec();
    let count = claims.len();
    let mut yielded = Vec::new();
    loop {
        let mut settled = settle_without_yielding(holders, &claims);
        let yielding: Vec<(String, usize)> = claims
            .iter()
            .zip(&settled)
            .filter(|(claim, settled)| claim.is_active && **settled == Settled::Refused)
            .filter_map(|(claim, _)| {
                let (value, holder) = holders.held.get_key_value(claim.takes.as_ref()?)?;
                let yields = holders.yielding.contains(holder) && !yielded.contains(holder);
                yields.then(|| (value.clone(), *holder))
            })
            .collect();
        if yielding.is_empty() {
            settled.truncate(count);
            return Settlement { settled, yielded };
        }
        for (value, holder) in yielding {
            let claim = Claim {
                object: Some(holder),
                releases: Some(value),
                ..Claim::default()
            };
            match claims.iter_mut().find(|claim| claim.object == Some(holder)) {
                Some(known) => *known = claim,
                None => claims.push(claim),
            }
            yielded.push(holder);
        }
    }
}

fn settle_without_yielding(holders: &Holders<'_>, claims: &[Claim]) -> Vec<Settled> {
    let settler = Settler {
        claims,
        releasers: by_value(claims, |claim| claim.releases.as_deref()),
        holders,
    };
    let mut settled: Vec<Option<Settled>> = settler
        .refused()
        .into_iter()
        .map(|refused| refused.then_some(Settled::Refused))
        .collect();
    // Each waits for at most one other, and is waited for by at most one.
    let mut waited_for: HashMap<usize, usize> = HashMap::new();
    let mut ready = Vec::new();
    for index in (0..claims.len()).filter(|index| settled[*index].is_none()) {
        match settler.wait(index) {
            Wait::Claim(other) => drop(waited_for.insert(other, index)),
            Wait::Deletion => ready.push((index, 1)),
            Wait::Nothing | Wait::Forever => ready.push((index, 0)),
        }
    }
    for (index, wave) in ready {
        settled[index] = Some(Settled::Wave(wave));
        follow(&mut waited_for, &mut settled, (index, wave));
    }
    for index in 0..claims.len() {
        // Whatever still waits is in a circle, which ends with the first one of it.
        if settled[index].is_none() && waited_for.contains_key(&index) {
            let wave = follow(&mut waited_for, &mut settled, (index, 0));
            settled[index] = Some(Settled::Circle(wave));
        }
    }
    settled
        .into_iter()
        .map(|settled| settled.unwrap_or(Settled::Refused))
        .collect()
}

/// Puts all that wait for a claim into the waves after its own; the last of these waves.
fn follow(
    waited_for: &mut HashMap<usize, usize>,
    settled: &mut [Option<Settled>],
    (mut last, mut wave): (usize, usize),
) -> usize {
    while let Some(next) = waited_for.remove(&last) {
        wave += 1;
        settled[next] = Some(Settled::Wave(wave));
        last = next;
    }
    wave
}

/// A value that no object has and no claim takes: the identifier of the object that gives its
/// own value up, with a number if needed. For values that cannot be removed.
pub(super) fn placeholder(
    identifier: &str,
    held: &HashMap<String, usize>,
    claims: &[Claim],
    fold: impl Fn(&str) -> String,
) -> String {
    let taken: HashSet<&str> = claims
        .iter()
        .filter_map(|claim| claim.takes.as_deref())
        .collect();
    let mut value = identifier.to_owned();
    let mut number = 2;
    while {
        let folded = fold(&value);
        held.contains_key(&folded) || taken.contains(folded.as_str())
    } {
        value = format!("{identifier}-{number}");
        number += 1;
    }
    value
}

fn by_value(claims: &[Claim], value: impl Fn(&Claim) -> Option<&str>) -> HashMap<&str, usize> {
    let indexed = claims.iter().enumerate();
    indexed
        .filter_map(|(index, claim)| Some((value(claim)?, index)))
        .collect()
}

struct Settler<'a> {
    claims: &'a [Claim],
    releasers: HashMap<&'a str, usize>,
    holders: &'a Holders<'a>,
}

/// What a claim has to wait for before it can take its value.
enum Wait {
    Nothing,
    Deletion,
    Claim(usize),
    Forever,
}

impl Settler<'_> {
    fn wait(&self, index: usize) -> Wait {
        let claim = &self.claims[index];
        let Some(value) = claim.takes.as_deref() else {
            return Wait::Nothing;
        };
        match self.holders.held.get(value) {
            None => Wait::Nothing,
            Some(holder) if Some(*holder) == claim.object => Wait::Nothing,
            Some(holder) if self.holders.deleted.contains(holder) => Wait::Deletion,
            Some(holder) => match self.releasers.get(value) {
                Some(&other) if self.claims[other].object == Some(*holder) => Wait::Claim(other),
                _ => Wait::Forever,
            },
        }
    }

    /// The claims on values that are not given up. A refused object keeps its old value, for
    /// which another may have waited.
    fn refused(&self) -> Vec<bool> {
        let takers = by_value(self.claims, |claim| claim.takes.as_deref());
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
            open.extend(released.and_then(|value| takers.get(value)));
        }
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::Settled::{Circle, Refused, Wave};
    use super::*;

    /// Objects 0, 1, … have the values `holders`; claims are (object, new value).
    fn settlement(
        holders: &[&str],
        deleted: &[usize],
        yielding: &[usize],
        claims: &[(Option<usize>, &str)],
    ) -> Settlement {
        let held = holders.iter().enumerate();
        let held = held
            .map(|(index, value)| ((*value).to_owned(), index))
            .collect();
        let claims: Vec<Claim> = claims
            .iter()
            .map(|(object, to)| Claim {
                object: *object,
                takes: Some((*to).to_owned()),
                releases: object
                    .map(|index| holders[index].to_owned())
                    .filter(|value| value != to),
                is_active: object.is_none_or(|index| !yielding.contains(&index)),
            })
            .collect();
        let holders = Holders {
            held: &held,
            deleted: &deleted.iter().copied().collect(),
            yielding: &yielding.iter().copied().collect(),
        };
        settle(&holders, &claims)
    }

    fn settled(
        holders: &[&str],
        deleted: &[usize],
        claims: &[(Option<usize>, &str)],
    ) -> Vec<Settled> {
        let settlement = settlement(holders, deleted, &[], claims);
        assert!(settlement.yielded.is_empty());
        settlement.settled
    }

    #[test]
    fn a_free_value_is_taken_at_once() {
        assert_eq!(
            settled(&["a"], &[], &[(Some(0), "x"), (None, "y")]),
            [Wave(0), Wave(0)]
        );
    }

    #[test]
    fn a_value_is_taken_after_it_is_given_up() {
        let claims = [(Some(0), "b"), (Some(1), "c"), (Some(2), "x")];
        assert_eq!(
            settled(&["a", "b", "c"], &[], &claims),
            [Wave(2), Wave(1), Wave(0)]
        );
    }

    #[test]
    fn a_value_of_a_deleted_object_is_taken_after_the_deletion() {
        let claims = [(Some(0), "b"), (Some(2), "a")];
        assert_eq!(settled(&["a", "b", "c"], &[1], &claims), [Wave(1), Wave(2)]);
    }

    #[test]
    fn a_value_that_is_not_given_up_is_refused_to_all_that_wait() {
        let claims = [(Some(0), "b"), (Some(1), "c"), (None, "a"), (None, "x")];
        assert_eq!(
            settled(&["a", "b", "c"], &[], &claims),
            [Refused, Refused, Refused, Wave(0)]
        );
    }

    #[test]
    fn a_value_that_another_object_gives_up_as_well_is_not_free() {
        // A server that does not hold values apart as they are compared here: objects 0 and 1.
        let claims = [(Some(0), "x"), (None, "a")];
        assert_eq!(settled(&["a", "a"], &[], &claims), [Wave(0), Refused]);
    }

    #[test]
    fn a_circle_begins_and_ends_with_its_first_object() {
        let claims = [
            (Some(0), "b"),
            (Some(1), "a"),
            (Some(2), "x"),
            (Some(3), "c"),
            (None, "d"),
        ];
        assert_eq!(
            settled(&["a", "b", "c", "d"], &[], &claims),
            [Circle(2), Wave(1), Wave(0), Wave(1), Wave(2)]
        );
        // Object 0 gives `a` up, 3 takes it, 2 takes `d`, 1 takes `c`, 0 takes `b`.
        let claims = [
            (Some(0), "b"),
            (Some(1), "c"),
            (Some(2), "d"),
            (Some(3), "a"),
        ];
        let expected = [Circle(4), Wave(3), Wave(2), Wave(1)];
        assert_eq!(settled(&["a", "b", "c", "d"], &[], &claims), expected);
    }

    #[test]
    fn a_value_in_another_case_stays_with_its_object() {
        assert_eq!(settled(&["a"], &[], &[(Some(0), "a")]), [Wave(0)]);
    }

    #[test]
    fn an_inactive_object_yields_to_an_active_one_only() {
        let found = settlement(&["a", "b"], &[], &[0, 1], &[(None, "a")]);
        assert_eq!(found.yielded, [0]);
        assert_eq!(found.settled, [Wave(1)]);
        let found = settlement(&["a", "b"], &[], &[0, 1], &[(Some(1), "a")]);
        assert!(found.yielded.is_empty());
        assert_eq!(found.settled, [Refused]);
    }

    #[test]
    fn an_inactive_object_that_is_refused_its_own_value_still_yields() {
        // Object 0 wants `b`, which is not given up.
        let found = settlement(&["a", "b"], &[], &[0], &[(Some(0), "b"), (None, "a")]);
        assert_eq!(found.yielded, [0]);
        assert_eq!(found.settled, [Wave(0), Wave(1)]);
    }

    #[test]
    fn a_placeholder_is_free_and_not_wanted() {
        let held = [("id".to_owned(), 0)].into();
        let claims = [Claim {
            takes: Some("id-2".to_owned()),
            ..Claim::default()
        }];
        let fold = |value: &str| value.to_lowercase();
        assert_eq!(placeholder("ID", &held, &claims, fold), "ID-3");
        assert_eq!(placeholder("other", &held, &claims, fold), "other");
    }
}

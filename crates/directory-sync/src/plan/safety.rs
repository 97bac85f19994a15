//! How much may be taken away in one run.
//!
//! A wrong filter, a moved organizational unit or a half-empty directory looks to a sync as
//! if everybody had left. So a plan that takes away more than is allowed is refused as a
//! whole, before anything is written; somebody looks at it, and confirms the number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share of so few is no sign of anything: one of four users may leave.
const FEW: usize = 5;

/// The `safety:` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SafetyConfiguration {
    /// The most that a run takes away of the users, of the groups and of the memberships that
    /// it looks after, in percent of each. Up to five of each are not held to it. Default: 10.
    #[schemars(range(max = 100))]
    pub max_delete_percent: u8,
    /// The most users and groups, together, that a run takes away. Default: 100.
    pub max_delete_count: usize,
    /// Whether a directory without any user, or without any group, may take everything away.
    /// Default: false.
    pub allow_empty_source: bool,
}

impl Default for SafetyConfiguration {
    fn default() -> Self {
        Self {
            max_delete_percent: 10,
            max_delete_count: 100,
            allow_empty_source: false,
        }
    }
}

/// What a plan takes away, and of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Removals {
    /// Users who are deleted or deactivated.
    pub users: usize,
    /// Users whom the sync looks after, without those already inactive.
    pub users_before: usize,
    /// Groups that are deleted or emptied.
    pub groups: usize,
    /// Groups that the sync looks after.
    pub groups_before: usize,
    /// Memberships that end in groups that stay.
    pub memberships: usize,
    /// Memberships of the sync's users in its groups.
    pub memberships_before: usize,
    /// The directory has no user, but the server has some of ours.
    pub no_users: bool,
    /// The directory has no group, but the server has some of ours.
    pub no_groups: bool,
}

impl Removals {
    /// The number that has to be confirmed: users, groups and memberships.
    #[must_use]
    pub fn total(&self) -> usize {
        self.users + self.groups + self.memberships
    }
}

/// Why a plan is not carried out. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A directory in scope that holds nobody.
    #[error(
        "the directory has no {what} in scope, and {count} of them would be taken away: most \
         likely a wrong search base, filter or right to read"
    )]
    EmptySource {
        /// Users or groups.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// Too many at once.
    #[error(
        "{} users of {}, {} groups of {} and {} memberships of {} would be taken away; {limit}",
        removals.users, removals.users_before, removals.groups, removals.groups_before,
        removals.memberships, removals.memberships_before
    )]
    TooMany {
        /// What would be taken away.
        removals: Removals,
        /// The limit that is passed, and by what.
        limit: String,
    },
}

impl Refusal {
    /// What to do next; `command` makes the command line of a verb: `plan`, `run …`.
    #[must_use]
    pub fn hint(&self, command: impl Fn(&str) -> String) -> String {
        match self {
            Self::EmptySource { .. } => {
                "compare `source.users` and `source.groups` with the directory; if it is meant, \
                 set `safety.allowEmptySource: true` for one run"
                    .to_owned()
            }
            Self::TooMany { removals, .. } => format!(
                "look at `{}`; if it is meant, go on with `{}`",
                command("plan"),
                command(&format!("run --confirm-deletes {}", removals.total()))
            ),
        }
    }
}

/// Whether the plan may be carried out; `confirmed` is the number that somebody agreed to.
///
/// # Errors
/// When it takes away too much, and nobody agreed to that much.
pub fn check(
    removals: &Removals,
    safety: &SafetyConfiguration,
    confirmed: Option<usize>,
) -> Result<(), Refusal> {
    if !safety.allow_empty_source {
        for (empty, what, count) in [
            (removals.no_users, "users", removals.users),
            (removals.no_groups, "groups", removals.groups),
        ] {
            if empty && count > 0 {
                return Err(Refusal::EmptySource { what, count });
            }
        }
    }
    if confirmed.is_some_and(|number| removals.total() <= number) {
        return Ok(());
    }
    let count = removals.users + removals.groups;
    let mut limits = Vec::new();
    if count > safety.max_delete_count {
        limits.push(format!(
            "{count} users and groups are more than safety.maxDeleteCount, {}",
            safety.max_delete_count
        ));
    }
    for (what, part, whole) in [
        ("users", removals.users, removals.users_before),
        ("groups", removals.groups, removals.groups_before),
        (
            "memberships",
            removals.memberships,
            removals.memberships_before,
        ),
    ] {
        let percent = usize::from(safety.max_delete_percent);
        if part > FEW && part * 100 > whole * percent {
            limits.push(format!(
                "{} % of the {what} are more than safety.maxDeletePercent, {percent}",
                (part * 100).div_ceil(whole.max(1))
            ));
        }
    }
    if limits.is_empty() {
        return Ok(());
    }
    Err(Refusal::TooMany {
        removals: *removals,
        limit: limits.join("; "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removals(users: usize, before: usize) -> Removals {
        Removals {
            users,
            users_before: before,
            ..Removals::default()
        }
    }

    fn checked(removals: &Removals, confirmed: Option<usize>) -> Result<(), Refusal> {
        check(removals, &SafetyConfiguration::default(), confirmed)
    }

    #[test]
    fn ten_percent_or_five_may_leave_at_once() {
        for (users, before, allowed) in [
            (0, 0, true),
            (5, 5, true),
            (6, 60, true),
            (6, 59, false),
            (100, 1000, true),
            (101, 100_000, false),
        ] {
            let result = checked(&removals(users, before), None);
            assert_eq!(result.is_ok(), allowed, "{users} of {before}");
        }
    }

    #[test]
    fn a_refusal_names_the_figures_and_the_command_that_goes_on() {
        let refusal = checked(&removals(30, 200), None).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "30 users of 200, 0 groups of 0 and 0 memberships of 0 would be taken away; 15 % of \
             the users are more than safety.maxDeletePercent, 10"
        );
        assert!(
            refusal
                .hint(|verb| format!("directory-sync {verb}"))
                .contains("`directory-sync run --confirm-deletes 30`")
        );
    }

    #[test]
    fn what_was_confirmed_goes_on_and_one_more_does_not() {
        let removals = removals(30, 200);
        assert!(checked(&removals, Some(30)).is_ok());
        assert!(checked(&removals, Some(29)).is_err());
    }

    #[test]
    fn memberships_are_held_to_the_share_too() {
        let removals = Removals {
            memberships: 60,
            memberships_before: 500,
            ..Removals::default()
        };
        assert!(checked(&removals, None).is_err());
    }

    #[test]
    fn an_empty_directory_is_refused_whatever_is_confirmed() {
        let removals = Removals {
            no_users: true,
            ..removals(3, 3)
        };
        assert!(matches!(
            checked(&removals, Some(3)),
            Err(Refusal::EmptySource {
                what: "users",
                count: 3
            })
        ));
        let allowed = SafetyConfiguration {
            allow_empty_source: true,
            ..SafetyConfiguration::default()
        };
        assert!(check(&removals, &allowed, None).is_ok());
    }
}

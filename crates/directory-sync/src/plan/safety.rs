//! The safety limits for removals in one run.
//!
//! With a wrong filter, a moved organizational unit or an incomplete directory, all users seem to
//! have left. A plan whose removals exceed a limit is therefore refused as a whole, before
//! anything is written, until an operator reviews it and confirms the number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wording::counted;

/// The percentage does not apply to this many removals: one of four users may leave.
const FEW: usize = 5;

/// The `safety:` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SafetyConfiguration {
    /// The limit for removed users, groups and memberships and for renamed users in one run, in
    /// percent of those that the sync manages. The limit does not apply to up to five of each.
    /// Default: 10.
    #[schemars(range(max = 100))]
    pub max_delete_percent: u8,
    /// The limit for removed users and groups together in one run. Default: 100.
    pub max_delete_count: usize,
    /// Whether everything may be removed if the directory returns no user, or no group, in scope.
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

/// The number of removals in a plan and the totals that the safety limits apply to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Removals {
    /// Users that are deleted or deactivated.
    pub users: usize,
    /// Users that the sync manages, except those that are already inactive.
    pub users_before: usize,
    /// Active users with a new `userName`. It is the SAML name identifier, so these users cannot
    /// sign in until the identity provider sends the new value.
    pub renames: usize,
    /// Groups that are deleted or that lose all members.
    pub groups: usize,
    /// Groups that the sync manages.
    pub groups_before: usize,
    /// Memberships that end, with or without their user or group.
    pub memberships: usize,
    /// Memberships of managed users in managed groups, and other memberships that end because
    /// their user or group is deleted.
    pub memberships_before: usize,
    /// `true` if the directory has no user in scope.
    pub no_users: bool,
    /// `true` if the directory has no group in scope.
    pub no_groups: bool,
}

impl Removals {
    /// The number that an operator confirms: users, groups, memberships and renames.
    #[must_use]
    pub fn total(&self) -> usize {
        self.users + self.groups + self.memberships + self.renames
    }
}

/// The reason that a plan is refused. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The directory has no user, or no group, in scope.
    #[error(
        "the directory has no {what} in scope, and {loss} would be taken away: most \
         likely a wrong search base, filter or right to read"
    )]
    EmptySource {
        /// Users or groups.
        what: &'static str,
        /// The number and the type of what would be taken away.
        loss: String,
    },
    /// Too many at once.
    #[error(
        "{} of {}, {} of {} and {} of {} would be taken away, and {} renamed; {limit}",
        counted(removals.users, "user"), removals.users_before,
        counted(removals.groups, "group"), removals.groups_before,
        counted(removals.memberships, "membership"), removals.memberships_before,
        counted(removals.renames, "user")
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
        let Removals {
            users,
            groups,
            memberships,
            ..
        } = removals;
        for (is_empty, what, count, loss) in [
            (removals.no_users, "users", users, "user"),
            // With `leavers: ignore`, only memberships end.
            (removals.no_users, "users", memberships, "membership"),
            (removals.no_groups, "groups", groups, "group"),
        ] {
            if is_empty && *count > 0 {
                let loss = counted(*count, loss);
                return Err(Refusal::EmptySource { what, loss });
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
            "{} and {} are more than safety.maxDeleteCount, {}",
            counted(removals.users, "user"),
            counted(removals.groups, "group"),
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
        ("user names", removals.renames, removals.users_before),
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

    /// Every figure is different.
    const ALL: Removals = Removals {
        users: 7,
        users_before: 50,
        renames: 8,
        groups: 9,
        groups_before: 60,
        memberships: 31,
        memberships_before: 300,
        no_users: false,
        no_groups: false,
    };

    #[test]
    fn a_refusal_names_the_figures_and_the_command_that_goes_on() {
        let refusal = checked(&ALL, None).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "7 users of 50, 9 groups of 60 and 31 memberships of 300 would be taken away, and 8 \
             users renamed; 14 % of the users are more than safety.maxDeletePercent, 10; 15 % of \
             the groups are more than safety.maxDeletePercent, 10; 11 % of the memberships are \
             more than safety.maxDeletePercent, 10; 16 % of the user names are more than \
             safety.maxDeletePercent, 10"
        );
        assert!(
            refusal
                .hint(|verb| format!("directory-sync {verb}"))
                .contains("`directory-sync run --confirm-deletes 55`")
        );
    }

    #[test]
    fn exactly_the_sum_of_all_figures_has_to_be_confirmed() {
        assert_eq!(ALL.total(), 55);
        assert!(checked(&ALL, Some(55)).is_ok());
        assert!(checked(&ALL, Some(56)).is_ok());
        assert!(checked(&ALL, Some(54)).is_err());
    }

    #[test]
    fn each_figure_is_limited_by_its_own_share() {
        type Figure = fn(usize) -> Removals;
        let figures: [(&str, Figure); 4] = [
            ("users", |users| Removals {
                users,
                users_before: 100,
                ..Removals::default()
            }),
            ("groups", |groups| Removals {
                groups,
                groups_before: 100,
                ..Removals::default()
            }),
            ("memberships", |memberships| Removals {
                memberships,
                memberships_before: 100,
                ..Removals::default()
            }),
            ("user names", |renames| Removals {
                renames,
                users_before: 100,
                ..Removals::default()
            }),
        ];
        for (what, removals) in figures {
            assert!(checked(&removals(10), None).is_ok(), "{what}");
            let refusal = checked(&removals(11), None).unwrap_err();
            let expected = format!("; 11 % of the {what} are more than");
            assert!(refusal.to_string().contains(&expected), "{refusal}");
        }
    }

    #[test]
    fn users_and_groups_together_are_limited_by_a_number() {
        let removals = |users, groups| Removals {
            users,
            users_before: 10_000,
            groups,
            groups_before: 10_000,
            memberships: 900,
            memberships_before: 10_000,
            renames: 900,
            ..Removals::default()
        };
        for (users, groups) in [(100, 0), (0, 100), (60, 40)] {
            assert!(checked(&removals(users, groups), None).is_ok());
        }
        for (users, groups) in [(101, 0), (0, 101), (60, 41)] {
            let refusal = checked(&removals(users, groups), None).unwrap_err();
            let expected = format!(
                "; {users} users and {groups} groups are more than safety.maxDeleteCount, 100"
            );
            assert!(refusal.to_string().ends_with(&expected), "{refusal}");
        }
    }

    #[test]
    fn an_empty_directory_is_refused_whatever_is_confirmed() {
        let none = Removals::default();
        let cases = [
            (
                Removals {
                    no_users: true,
                    ..removals(3, 3)
                },
                Some(("users", "3 users")),
            ),
            (
                Removals {
                    no_users: true,
                    memberships: 2,
                    memberships_before: 2,
                    ..none
                },
                Some(("users", "2 memberships")),
            ),
            (
                Removals {
                    no_groups: true,
                    groups: 1,
                    groups_before: 1,
                    ..none
                },
                Some(("groups", "1 group")),
            ),
            // A sync without groups deletes a user that has memberships in groups of others.
            (
                Removals {
                    no_groups: true,
                    users: 1,
                    users_before: 9,
                    memberships: 2,
                    memberships_before: 2,
                    ..none
                },
                None,
            ),
            (
                Removals {
                    no_users: true,
                    no_groups: true,
                    ..none
                },
                None,
            ),
        ];
        let allowed = SafetyConfiguration {
            allow_empty_source: true,
            ..SafetyConfiguration::default()
        };
        for (removals, expected) in cases {
            let refused = checked(&removals, Some(1000)).err();
            let expected = expected.map(|(what, loss)| Refusal::EmptySource {
                what,
                loss: loss.to_owned(),
            });
            assert_eq!(refused, expected);
            assert_eq!(check(&removals, &allowed, None), Ok(()));
        }
    }
}

//! A case: what several instances of the function are asked to do, and what goes wrong.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::line::Fault;

/// Names of users. One user may get the name that another one had.
pub const NAMES: [&str; 5] = ["ada", "bob", "cleo", "dora", "egon"];

/// Groups that are security profiles.
pub const PROFILE_GROUPS: [&str; 3] = ["QualityAnalyst", "CallCenterManager", TEMPORARY];

/// A security profile that an administrator deletes and creates again.
pub const TEMPORARY: &str = "Temporary";

/// Groups with a name of their own, and the security profiles that they grant.
pub const MAPPED_GROUPS: [(&str, &[&str]); 2] = [
    ("APP-LEADS", &["Admin"]),
    ("APP-ANALYSTS", &["QualityAnalyst", "CallCenterManager"]),
];

/// The `displayName` that a rename gives a group.
pub fn second_name(group: &str) -> String {
    format!("{group} (renamed)")
}

/// Security profiles that a user's own entitlements name.
pub const ENTITLEMENTS: [&str; 2] = ["Agent", "CallCenterManager"];

/// How many of the users who were created last take part in a request.
pub const RECENT: usize = 4;

/// The users and the group of an action are chosen when it begins: a user by its position
/// among those who were created last, a group by its name.
#[derive(Debug, Clone)]
pub enum Action {
    Create {
        name: &'static str,
        active: bool,
    },
    Rename {
        user: usize,
        name: &'static str,
    },
    SetActive {
        user: usize,
        active: bool,
    },
    Entitle {
        user: usize,
        profile: Option<&'static str>,
    },
    SetFamilyName {
        user: usize,
        family_name: String,
    },
    SetExternalId {
        user: usize,
        external_id: String,
    },
    Delete {
        user: usize,
    },
    Add {
        group: &'static str,
        users: Vec<usize>,
    },
    Remove {
        group: &'static str,
        users: Vec<usize>,
    },
    Replace {
        group: &'static str,
        users: Vec<usize>,
    },
    CreateGroup {
        group: &'static str,
        users: Vec<usize>,
    },
    DeleteGroup {
        group: &'static str,
    },
    /// Changes the name of a group to its second name, or back to its first one.
    RenameGroup {
        group: &'static str,
        is_second: bool,
    },
    SetGroupExternalId {
        group: &'static str,
        external_id: Option<String>,
    },
    /// Deletes [`TEMPORARY`], or creates it if it does not exist.
    ToggleSecurityProfile {
        /// Assign the users of the security profile to another one first. Otherwise, the
        /// deletion fails while the security profile has users.
        is_replaced: bool,
    },
    Sweep,
    Repair {
        user: usize,
    },
}

#[derive(Debug, Clone)]
pub struct Step {
    pub action: Action,
    pub fault: Option<Fault>,
}

/// Requests that are under way at once.
#[derive(Debug, Clone)]
pub struct Round {
    /// One list for each instance of the function.
    pub instances: Vec<Vec<Step>>,
    /// Whether claims that were left expire afterwards.
    pub claims_expire: bool,
    /// Whether everything is recovered and compared afterwards.
    pub is_checked: bool,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub deprovision: &'static str,
    pub rename: &'static str,
    pub rounds: Vec<Round>,
}

/// The users and groups that the requests of one case concern. In a small scope, requests
/// meet more often.
struct Scope {
    users: usize,
    names: &'static [&'static str],
    groups: Vec<&'static str>,
    /// The share of requests that concern groups, from 0 to 1.
    of_groups: f64,
    /// How often an administrator deletes or creates [`TEMPORARY`], from 0 to 1.
    of_security_profiles: f64,
}

impl Scope {
    fn new(random: &mut StdRng) -> Self {
        let mut groups = PROFILE_GROUPS.to_vec();
        groups.extend(MAPPED_GROUPS.map(|(group, _)| group));
        let count = random.random_range(1..=groups.len());
        Self {
            users: random.random_range(1..=RECENT),
            names: &NAMES[..random.random_range(1..=NAMES.len())],
            groups: groups.choose_multiple(random, count).copied().collect(),
            of_groups: *[0.2, 0.5, 0.9].choose(random).unwrap(),
            of_security_profiles: *[0.0, 0.0, 0.2].choose(random).unwrap(),
        }
    }
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let deprovision = *["delete", "suspend"].choose(&mut random).unwrap();
        let rename = *["reject", "recreate"].choose(&mut random).unwrap();
        let mut rounds = vec![beginning()];
        let scope = Scope::new(&mut random);
        let instances = random.random_range(1..=5);
        for number in 0..random.random_range(2..=4) {
            let steps = |random: &mut StdRng| {
                let steps = random.random_range(1..=3);
                (0..steps).map(|_| step(random, &scope)).collect()
            };
            rounds.push(Round {
                instances: (0..instances).map(|_| steps(&mut random)).collect(),
                claims_expire: random.random_bool(0.8),
                is_checked: number > 0 && random.random_bool(0.4),
            });
        }
        if let Some(last) = rounds.last_mut() {
            last.is_checked = true;
        }
        Self {
            deprovision,
            rename,
            rounds,
        }
    }
}

/// Creates three users and all groups, with some members.
fn beginning() -> Round {
    let users = NAMES[..3]
        .iter()
        .map(|name| Action::Create { name, active: true });
    let groups = MAPPED_GROUPS.iter().map(|(group, _)| Action::CreateGroup {
        group,
        users: vec![0],
    });
    let join = Action::Add {
        group: TEMPORARY,
        users: vec![0, 1],
    };
    let steps = users.chain(groups).chain([join]).map(|action| Step {
        action,
        fault: None,
    });
    Round {
        instances: vec![steps.collect()],
        claims_expire: false,
        is_checked: false,
    }
}

fn step(random: &mut StdRng, scope: &Scope) -> Step {
    let fault = match random.random_range(0..12) {
        0..4 => Some(Fault::Kill {
            call: random.random_range(1..=12),
            is_carried_out: random.random_bool(0.6),
        }),
        4 => Some(Fault::ConnectLost {
            is_carried_out: random.random_bool(0.5),
        }),
        5..7 => Some(Fault::Lost {
            call: random.random_range(1..=12),
            is_carried_out: random.random_bool(0.8),
        }),
        7..10 => Some(Fault::Pause {
            call: random.random_range(1..=12),
        }),
        _ => None,
    };
    Step {
        action: action(random, scope),
        fault,
    }
}

fn action(random: &mut StdRng, scope: &Scope) -> Action {
    match random.random_range(0..12) {
        0 => Action::Sweep,
        1 => Action::Repair {
            user: random.random_range(0..scope.users),
        },
        _ if random.random_bool(scope.of_security_profiles) => Action::ToggleSecurityProfile {
            is_replaced: random.random_bool(0.5),
        },
        _ if random.random_bool(scope.of_groups) => group_action(random, scope),
        _ => user_action(random, scope),
    }
}

fn user_action(random: &mut StdRng, scope: &Scope) -> Action {
    let user = random.random_range(0..scope.users);
    let name = *scope.names.choose(random).unwrap();
    match random.random_range(0..17) {
        0..4 => Action::Create {
            name,
            active: random.random_bool(0.8),
        },
        4..6 => Action::Rename { user, name },
        6..10 => Action::SetActive {
            user,
            active: random.random_bool(0.5),
        },
        10..12 => Action::Entitle {
            user,
            profile: random
                .random_bool(0.6)
                .then(|| *ENTITLEMENTS.choose(random).unwrap()),
        },
        12 => Action::SetFamilyName {
            user,
            family_name: format!("Name{}", random.random_range(0..1000)),
        },
        13 => Action::SetExternalId {
            user,
            external_id: format!("external-{}", random.random_range(0..1000)),
        },
        _ => Action::Delete { user },
    }
}

fn group_action(random: &mut StdRng, scope: &Scope) -> Action {
    let users = (0..random.random_range(1..=3))
        .map(|_| random.random_range(0..scope.users))
        .collect();
    let group = *scope.groups.choose(random).unwrap();
    match random.random_range(0..18) {
        0..5 => Action::Add { group, users },
        5..8 => Action::Remove { group, users },
        8..10 => Action::Replace { group, users },
        10..13 => Action::CreateGroup { group, users },
        13 if !PROFILE_GROUPS.contains(&group) => Action::RenameGroup {
            group,
            is_second: random.random_bool(0.6),
        },
        14 => Action::SetGroupExternalId {
            group,
            external_id: random
                .random_bool(0.8)
                .then(|| format!("external-{}", random.random_range(0..1000))),
        },
        _ => Action::DeleteGroup { group },
    }
}

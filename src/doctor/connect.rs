//! The Connect instance that the environment names: there, of the declared kind, with the
//! profiles that are named, and with room for users.

use super::Check;
use crate::connect_instance::Instance;
use crate::environment::IdentityManagement;

/// Above this share of the quota there is not room for long.
const NEARLY_FULL_PERCENT: u64 = 90;

/// A kind of profile in Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileKind {
    /// What a user may do.
    Security,
    /// Which contacts reach a user.
    Routing,
}

impl ProfileKind {
    const fn check(self) -> &'static str {
        match self {
            Self::Security => "security profiles",
            Self::Routing => "routing profiles",
        }
    }
}

/// Judges the instance itself.
#[must_use]
pub fn instance(found: &Instance, declared: IdentityManagement) -> Check {
    const CHECK: &str = "Connect instance";
    let expected = match declared {
        IdentityManagement::Saml => "SAML",
        IdentityManagement::ConnectManaged => "CONNECT_MANAGED",
    };
    let alias = found.alias.as_deref().unwrap_or(&found.id);
    if found.status != "ACTIVE" {
        return Check::fail(
            CHECK,
            format!("{alias} is {}", found.status),
            "wait until it is ACTIVE, or mend it in the Amazon Connect console",
        );
    }
    let actual = found.identity_management.as_str();
    if actual == expected {
        return Check::ok(
            CHECK,
            format!("{alias} is ACTIVE, users are managed by {actual}"),
        );
    }
    let cure = match actual {
        "SAML" => "write `identityManagement: saml` under `connect`",
        "CONNECT_MANAGED" => "write `identityManagement: connectManaged` under `connect`",
        _ => {
            "name an instance whose users come from SAML or from Connect itself: others take none from SCIM"
        }
    };
    Check::fail(
        CHECK,
        format!("users of {alias} are managed by {actual}, and the environment says {expected}"),
        cure,
    )
}

/// Judges whether every profile that the environment names exists.
#[must_use]
pub fn profiles(kind: ProfileKind, wanted: &[&str], existing: &[String]) -> Check {
    let missing: Vec<String> = wanted
        .iter()
        .filter(|name| existing.iter().all(|other| other != *name))
        .map(|name| match closest(name, existing) {
            Some(other) => format!("{name} (is {other} meant?)"),
            None => (*name).to_owned(),
        })
        .collect();
    if missing.is_empty() {
        return Check::ok(kind.check(), format!("{} exist", wanted.join(", ")));
    }
    Check::fail(
        kind.check(),
        format!("the instance has no {}", missing.join(", ")),
        "correct the name in the environment file, or create the profile in Connect; until then, changes of the users that would get it are refused",
    )
}

fn closest<'a>(name: &str, existing: &'a [String]) -> Option<&'a str> {
    existing
        .iter()
        .map(|other| {
            (
                strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase()),
                other,
            )
        })
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, other)| other.as_str())
}

/// Judges how many more users the instance takes; `quota` is `None` where nobody tells.
#[must_use]
pub fn users(count: u64, quota: Option<u64>) -> Check {
    const CHECK: &str = "users";
    let Some(quota) = quota else {
        return Check::ok(CHECK, format!("{count}; the quota cannot be read here"));
    };
    let detail = format!("{count} of {quota}");
    let cure = "ask AWS for more in Service Quotas: Amazon Connect, Users per instance";
    if count >= quota {
        Check::fail(CHECK, format!("{detail}: no more can be made"), cure)
    } else if count * 100 >= quota * NEARLY_FULL_PERCENT {
        Check::warn(CHECK, detail, cure)
    } else {
        Check::ok(CHECK, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;

    fn found(status: &str, identity_management: &str) -> Instance {
        Instance {
            id: "1111".to_owned(),
            alias: Some("support".to_owned()),
            status: status.to_owned(),
            identity_management: identity_management.to_owned(),
        }
    }

    #[test]
    fn an_instance_of_another_kind_or_state_fails() {
        for (status, kind, declared, outcome) in [
            ("ACTIVE", "SAML", IdentityManagement::Saml, Outcome::Ok),
            (
                "ACTIVE",
                "CONNECT_MANAGED",
                IdentityManagement::ConnectManaged,
                Outcome::Ok,
            ),
            (
                "ACTIVE",
                "CONNECT_MANAGED",
                IdentityManagement::Saml,
                Outcome::Fail,
            ),
            (
                "ACTIVE",
                "EXISTING_DIRECTORY",
                IdentityManagement::Saml,
                Outcome::Fail,
            ),
            (
                "CREATION_FAILED",
                "SAML",
                IdentityManagement::Saml,
                Outcome::Fail,
            ),
        ] {
            let check = instance(&found(status, kind), declared);
            assert_eq!(check.outcome, outcome, "{status} {kind}: {check:?}");
        }
    }

    #[test]
    fn a_profile_that_is_not_there_is_named_with_the_closest_one() {
        let existing = ["Agent".to_owned(), "Admin".to_owned()];
        let check = profiles(ProfileKind::Security, &["Agents", "Zebra"], &existing);
        assert_eq!(check.outcome, Outcome::Fail);
        assert_eq!(
            check.detail,
            "the instance has no Agents (is Agent meant?), Zebra"
        );
        let check = profiles(ProfileKind::Routing, &["Agent"], &existing);
        assert_eq!(check.outcome, Outcome::Ok);
    }

    #[test]
    fn a_full_instance_fails_and_a_nearly_full_one_warns() {
        for (count, quota, outcome) in [
            (10, Some(500), Outcome::Ok),
            (450, Some(500), Outcome::Warn),
            (500, Some(500), Outcome::Fail),
            (500, None, Outcome::Ok),
        ] {
            assert_eq!(users(count, quota).outcome, outcome, "{count} of {quota:?}");
        }
    }
}

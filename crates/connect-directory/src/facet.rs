//! What is wanted of a user beside what Connect has, facet by facet.
//!
//! Pure, and for people: ids of profiles are shown by name. A facet in which SCIM has no
//! say is shown, and never differs.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    connect::{PhoneConfig, PhoneType, Proficiency},
    user::{ConnectUser, EXTERNAL_ID_TAG, ID_TAG, MANAGED_BY_TAG, OWN_TAGS},
};

/// One facet of a Connect user.
#[derive(Clone, PartialEq, Eq)]
pub struct Facet {
    /// What it is, in words.
    pub name: String,
    /// What is wanted; absent: nothing.
    pub desired: Option<String>,
    /// What Connect has; absent: nothing.
    pub actual: Option<String>,
    /// Whether SCIM has a say in it.
    pub decided: bool,
}

impl Facet {
    /// Whether Connect has something else than what is wanted.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.decided && self.desired != self.actual
    }
}

/// The facets of a user; `None` on either side: no user. `before` is what SCIM last wrote:
/// what it decided then, it decides now. `names` are those of profiles and hierarchy
/// groups, by id.
#[must_use]
pub fn facets(
    desired: Option<&ConnectUser>,
    actual: Option<&ConnectUser>,
    before: Option<&ConnectUser>,
    names: &BTreeMap<String, String>,
) -> Vec<Facet> {
    let facet = |name: &str, value: &dyn Fn(&ConnectUser) -> Option<String>| Facet {
        name: name.to_owned(),
        desired: desired.and_then(value),
        actual: actual.and_then(value),
        decided: true,
    };
    // Where no user is wanted, none of its facets is.
    let decides =
        |has: &dyn Fn(&ConnectUser) -> bool| desired.is_none_or(has) || before.is_some_and(has);
    let named = |id: &String| names.get(id).unwrap_or(id).clone();
    let mut facets = vec![
        facet("username", &|user| Some(user.username.clone())),
        facet("first name", &|user| user.identity.first_name.clone()),
        facet("last name", &|user| user.identity.last_name.clone()),
        facet("e-mail", &|user| user.identity.email.clone()),
        facet("secondary e-mail", &|user| {
            user.identity.secondary_email.clone()
        }),
        facet("mobile", &|user| user.identity.mobile.clone()),
        facet("security profiles", &|user| {
            listed(user.security_profile_ids.iter().map(named).collect())
        }),
        facet("routing profile", &|user| {
            Some(named(&user.routing_profile_id))
        }),
        Facet {
            decided: decides(&|user| user.hierarchy_group_id.is_some()),
            ..facet("hierarchy group", &|user| {
                user.hierarchy_group_id.as_ref().map(named)
            })
        },
        Facet {
            // Taking phone settings away changes nothing in Connect.
            decided: desired.is_none_or(|user| user.phone.is_some()),
            ..facet("phone", &|user| user.phone.as_ref().map(phone))
        },
        Facet {
            decided: decides(&|user| !user.proficiencies.is_empty()),
            ..facet("proficiencies", &|user| listed(proficiencies(user)))
        },
    ];
    // Tags that neither is nor was SCIM's are others' business.
    let tags = [desired, before].into_iter().flatten();
    let mut keys: BTreeSet<&str> = tags
        .flat_map(|user| user.tags.keys())
        .map(|key| &**key)
        .collect();
    keys.extend(OWN_TAGS);
    for key in keys {
        let name = match key {
            MANAGED_BY_TAG => "managed by".to_owned(),
            ID_TAG => "SCIM id".to_owned(),
            EXTERNAL_ID_TAG => "external id".to_owned(),
            other => format!("tag {other}"),
        };
        facets.push(facet(&name, &|user| user.tags.get(key).cloned()));
    }
    facets.retain(|facet| facet.desired.is_some() || facet.actual.is_some());
    facets
}

fn listed(mut values: Vec<String>) -> Option<String> {
    values.sort();
    (!values.is_empty()).then(|| values.join(", "))
}

/// `language: German (4)`.
fn proficiencies(user: &ConnectUser) -> Vec<String> {
    let proficiency = |proficiency: &Proficiency| {
        format!(
            "{}: {} ({})",
            proficiency.attribute_name, proficiency.attribute_value, proficiency.level
        )
    };
    user.proficiencies.iter().map(proficiency).collect()
}

fn phone(phone: &PhoneConfig) -> String {
    let mut parts = vec![match phone.phone_type {
        PhoneType::SoftPhone => "in the browser".to_owned(),
        PhoneType::DeskPhone => format!(
            "desk phone {}",
            phone.desk_phone_number.as_deref().unwrap_or_default()
        ),
    }];
    if phone.auto_accept == Some(true) {
        parts.push("accepts calls by itself".to_owned());
    }
    if let Some(seconds) = phone.after_contact_work_time_limit {
        parts.push(format!("{seconds} s of after-contact work"));
    }
    if phone.persistent_connection == Some(true) {
        parts.push("persistent connection".to_owned());
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connect::IdentityInfo, user::ownership_tags};

    fn ada() -> ConnectUser {
        ConnectUser {
            username: "ada".to_owned(),
            identity: IdentityInfo {
                first_name: Some("Ada".to_owned()),
                last_name: Some("Lovelace".to_owned()),
                ..IdentityInfo::default()
            },
            security_profile_ids: ["s1".to_owned()].into(),
            routing_profile_id: "r1".to_owned(),
            hierarchy_group_id: None,
            phone: None,
            proficiencies: Vec::new(),
            tags: ownership_tags("7", None),
        }
    }

    fn german(level: u8) -> Proficiency {
        Proficiency {
            attribute_name: "language".to_owned(),
            attribute_value: "German".to_owned(),
            level,
        }
    }

    fn differing(desired: Option<&ConnectUser>, actual: Option<&ConnectUser>) -> Vec<String> {
        facets(desired, actual, None, &BTreeMap::new())
            .into_iter()
            .filter(Facet::differs)
            .map(|facet| facet.name)
            .collect()
    }

    #[test]
    fn only_what_differs_is_marked() {
        let mut actual = ada();
        assert!(differing(Some(&ada()), Some(&actual)).is_empty());
        actual.identity.last_name = Some("King".to_owned());
        actual.security_profile_ids.insert("s2".to_owned());
        actual.tags.clear();
        assert_eq!(
            differing(Some(&ada()), Some(&actual)),
            ["last name", "security profiles", "SCIM id", "managed by"]
        );
    }

    #[test]
    fn what_scim_has_no_say_in_never_differs() {
        let mut actual = ada();
        actual.hierarchy_group_id = Some("h".to_owned());
        actual.phone = Some(PhoneConfig::default());
        actual.proficiencies = vec![german(4)];
        actual.tags.insert("team".to_owned(), "blue".to_owned());
        assert!(differing(Some(&ada()), Some(&actual)).is_empty());
        let facets = facets(Some(&ada()), Some(&actual), Some(&actual), &BTreeMap::new());
        let differing: Vec<_> = facets.iter().filter(|facet| facet.differs()).collect();
        let differing: Vec<&str> = differing.iter().map(|facet| &*facet.name).collect();
        assert_eq!(
            differing,
            ["hierarchy group", "proficiencies", "tag team"],
            "what it once decided, it still decides"
        );
    }

    #[test]
    fn proficiencies_are_compared_with_their_levels() {
        let (mut desired, mut actual) = (ada(), ada());
        desired.proficiencies = vec![german(4)];
        actual.proficiencies = vec![german(5)];
        let facets = facets(Some(&desired), Some(&actual), None, &BTreeMap::new());
        let facet = facets.iter().find(|facet| facet.differs()).unwrap();
        assert_eq!(facet.name, "proficiencies");
        assert_eq!(facet.desired.as_deref(), Some("language: German (4)"));
        assert_eq!(facet.actual.as_deref(), Some("language: German (5)"));
    }

    #[test]
    fn every_facet_is_shown_in_words() {
        let mut user = ada();
        user.identity.email = Some("ada@example.com".to_owned());
        user.identity.secondary_email = Some("ada@example.org".to_owned());
        user.identity.mobile = Some("+4930".to_owned());
        user.security_profile_ids.insert("s2".to_owned());
        user.hierarchy_group_id = Some("h1".to_owned());
        user.phone = Some(PhoneConfig {
            phone_type: PhoneType::DeskPhone,
            auto_accept: Some(true),
            after_contact_work_time_limit: Some(30),
            desk_phone_number: Some("+4931".to_owned()),
            persistent_connection: Some(true),
        });
        user.proficiencies = vec![german(4)];
        user.tags = ownership_tags("7", Some("00u1"));
        user.tags.insert("team".to_owned(), "blue".to_owned());
        let names = [("s1", "Agent"), ("r1", "Sales"), ("h1", "Berlin")]
            .map(|(id, name)| (id.to_owned(), name.to_owned()))
            .into();
        let shown: Vec<String> = facets(Some(&user), None, None, &names)
            .into_iter()
            .map(|facet| format!("{}: {}", facet.name, facet.desired.unwrap()))
            .collect();
        let expected = [
            "username: ada",
            "first name: Ada",
            "last name: Lovelace",
            "e-mail: ada@example.com",
            "secondary e-mail: ada@example.org",
            "mobile: +4930",
            "security profiles: Agent, s2",
            "routing profile: Sales",
            "hierarchy group: Berlin",
            "phone: desk phone +4931, accepts calls by itself, 30 s of after-contact work, persistent connection",
            "proficiencies: language: German (4)",
            "external id: 00u1",
            "SCIM id: 7",
            "managed by: connect-scim",
            "tag team: blue",
        ];
        assert_eq!(shown, expected);
        for (phone, expected) in [
            (PhoneConfig::default(), "in the browser"),
            (
                PhoneConfig {
                    auto_accept: Some(false),
                    persistent_connection: Some(false),
                    ..PhoneConfig::default()
                },
                "in the browser",
            ),
        ] {
            assert_eq!(super::phone(&phone), expected);
        }
    }

    #[test]
    fn a_user_that_is_missing_differs_in_everything() {
        assert_eq!(differing(Some(&ada()), None).len(), 7);
        assert_eq!(differing(None, Some(&ada())).len(), 7);
        assert!(differing(None, None).is_empty());
    }

    #[test]
    fn profiles_are_shown_by_name() {
        let names = [("s1", "Agent"), ("r1", "Sales")]
            .map(|(id, name)| (id.to_owned(), name.to_owned()))
            .into();
        let shown: Vec<_> = facets(Some(&ada()), None, None, &names)
            .into_iter()
            .filter_map(|facet| facet.desired)
            .collect();
        assert!(shown.contains(&"Agent".to_owned()) && shown.contains(&"Sales".to_owned()));
    }
}

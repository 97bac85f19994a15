use serde_json::json;

use super::*;
use crate::connect::PhoneConfig;

fn connect_user() -> User {
    serde_json::from_value(json!({
        "Id": "c1",
        "Arn": "arn",
        "Username": "ada",
        "IdentityInfo": {"FirstName": "Ada"},
        "PhoneConfig": {"PhoneType": "SOFT_PHONE", "AutoAccept": true},
        "SecurityProfileIds": ["s2", "s1"],
        "RoutingProfileId": "r1",
        "HierarchyGroupId": "h1",
        "Tags": {
            MANAGED_BY_TAG: MANAGED_BY,
            ID_TAG: "7",
            "team": "blue",
            "other": "x",
        },
    }))
    .unwrap()
}

fn decided(change: impl FnOnce(&mut ConnectUser)) -> ConnectUser {
    let mut user = AppliedUser::seen(connect_user()).user;
    user.hierarchy_group_id = None;
    user.phone = None;
    user.tags.clear();
    change(&mut user);
    user
}

fn proficiency() -> Proficiency {
    Proficiency {
        attribute_name: "Language".to_owned(),
        attribute_value: "German".to_owned(),
        level: 3,
    }
}

#[test]
fn a_facet_is_observed_if_scim_decides_it_now_or_decided_it_before() {
    let none = decided(|_| {});
    let hierarchy = decided(|user| user.hierarchy_group_id = Some("h2".to_owned()));
    let phone = decided(|user| user.phone = Some(PhoneConfig::default()));
    let tag = decided(|user| drop(user.tags.insert("team".to_owned(), "red".to_owned())));
    for (desired, before, seen) in [
        (&none, None, (false, false, false)),
        (&none, Some(&none), (false, false, false)),
        (&hierarchy, None, (true, false, false)),
        (&none, Some(&hierarchy), (true, false, false)),
        (&phone, None, (false, true, false)),
        (&none, Some(&phone), (false, true, false)),
        (&tag, None, (false, false, true)),
        (&none, Some(&tag), (false, false, true)),
    ] {
        let observed = AppliedUser::observed(connect_user(), desired, before);
        assert_eq!(observed.user_id, "c1");
        let user = observed.user;
        assert_eq!(user.hierarchy_group_id.is_some(), seen.0);
        assert_eq!(user.phone.is_some(), seen.1);
        assert_eq!(user.tags.contains_key("team"), seen.2);
        assert!(!user.tags.contains_key("other"));
        assert!(user.tags.contains_key(ID_TAG), "tags of ownership always");
        assert_eq!(
            user.security_profile_ids,
            ["s1".to_owned(), "s2".to_owned()].into()
        );
    }
}

#[test]
fn the_whole_user_has_everything() {
    let whole = AppliedUser::whole(connect_user(), vec![proficiency()]).user;
    assert_eq!(whole.hierarchy_group_id.as_deref(), Some("h1"));
    assert!(whole.phone.is_some());
    assert_eq!(whole.tags.len(), 4);
    assert!(whole.proficiencies == [proficiency()]);
    let seen = AppliedUser::seen(connect_user());
    assert_eq!(seen.user.tags.len(), 2);
    assert_eq!(seen.owner(), Some("7"));
}

#[test]
fn scim_owns_a_user_only_with_both_tags_of_this_product() {
    let tags = |pairs: &[(&str, &str)]| {
        let owned = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        owned.collect::<BTreeMap<_, _>>()
    };
    for (tags, expected) in [
        (tags(&[]), None),
        (tags(&[(MANAGED_BY_TAG, MANAGED_BY)]), None),
        (tags(&[(ID_TAG, "7")]), None),
        (tags(&[(MANAGED_BY_TAG, "other"), (ID_TAG, "7")]), None),
        (
            tags(&[(MANAGED_BY_TAG, MANAGED_BY), (ID_TAG, "7")]),
            Some("7"),
        ),
    ] {
        assert_eq!(owner(&tags), expected, "{tags:?}");
    }
}

#[test]
fn an_external_id_becomes_a_tag_if_it_can() {
    let longest = "x".repeat(256);
    for (external_id, expected) in [
        (None, None),
        (Some(""), None),
        (Some("00u1 _.:/=+-@\u{e9}"), Some("00u1 _.:/=+-@\u{e9}")),
        (Some("a,b"), None),
        (Some(longest.as_str()), Some(longest.as_str())),
        (Some(format!("{longest}x").as_str()), None),
    ] {
        let tags = ownership_tags("7", external_id);
        assert_eq!(tags[MANAGED_BY_TAG], MANAGED_BY);
        assert_eq!(tags[ID_TAG], "7");
        assert_eq!(tags.get(EXTERNAL_ID_TAG).map(String::as_str), expected);
    }
}

//! The mapping, attribute by attribute and by the habits of identity providers.

use serde_json::json;

use super::{person::e164, *};
use crate::connect::PhoneType;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn map(user: &Value, identity_management: IdentityManagement) -> Result<Wanted, MappingError> {
    let attributes = Attributes::default();
    super::map(
        user.as_object().unwrap(),
        Grants::default(),
        identity_management,
        &attributes,
    )
}

fn mapped(attributes: Value, user: &Value) -> Wanted {
    let attributes = serde_json::from_value(attributes).unwrap();
    let user = user.as_object().unwrap();
    super::map(
        user,
        Grants::default(),
        IdentityManagement::Saml,
        &attributes,
    )
    .unwrap()
}

fn saml(user: &Value) -> Wanted {
    map(user, IdentityManagement::Saml).unwrap()
}

fn names(user: &Value) -> (Option<String>, Option<String>) {
    let identity = saml(user).identity;
    (identity.first_name, identity.last_name)
}

#[test]
fn names_fall_back_to_what_is_there() {
    for (user, first, last) in [
        (
            json!({"userName": "ada", "name": {"givenName": "Ada", "familyName": "Lovelace"}}),
            "Ada",
            "Lovelace",
        ),
        (
            json!({"userName": "ada", "name": {"formatted": "Ada King Lovelace"}}),
            "Ada",
            "King Lovelace",
        ),
        (
            json!({"userName": "ada", "displayName": "Ada Lovelace", "name": {"givenName": "A."}}),
            "A.",
            "Lovelace",
        ),
        (json!({"userName": "ada@example.com"}), "ada", "ada"),
        (
            json!({"userName": "ada", "displayName": "Ada", "name": {"familyName": " "}}),
            "Ada",
            "ada",
        ),
    ] {
        assert_eq!(
            names(&user),
            (Some(first.to_owned()), Some(last.to_owned())),
            "{user}"
        );
    }
}

#[test]
fn what_goes_to_connect_is_nfc() {
    let user = json!({"userName": "ada", "name": {"givenName": "A\u{0308}da", "familyName": "L"}});
    assert_eq!(names(&user).0.as_deref(), Some("\u{c4}da"));
}

#[test]
fn saml_usernames_satisfy_connect_and_the_role_session_name() {
    let check = |name: &str| map(&json!({"userName": name}), IdentityManagement::Saml).is_ok();
    for name in [
        "ab",
        "ada.l",
        "ada_l-1",
        "ada@example.com",
        "ada@example",
        "ada@005xx000001Sv6e@00Dxx0000001gER",
        &"a".repeat(64),
    ] {
        assert!(check(name), "{name}");
    }
    for name in ["", "a", &"a".repeat(65), "ada l", "ada+l", "ä.l"] {
        assert!(!check(name), "{name}");
    }
}

#[test]
fn usernames_without_saml_have_at_most_20_characters() {
    let check = |name: &str| {
        map(
            &json!({"userName": name}),
            IdentityManagement::ConnectManaged,
        )
        .is_ok()
    };
    assert!(check(&"a".repeat(20)));
    assert!(!check(&"a".repeat(21)));
}

#[test]
fn the_primary_email_is_secondary_on_saml_and_the_email_elsewhere() {
    let user = json!({"userName": "ada", "emails": [
        {"value": "home@example.com", "type": "home"},
        {"value": "work@example.com", "type": "work"},
        {"value": "main@example.com", "primary": true},
    ]});
    let identity = saml(&user).identity;
    assert_eq!(identity.email, None);
    assert_eq!(
        identity.secondary_email.as_deref(),
        Some("main@example.com")
    );
    let identity = map(&user, IdentityManagement::ConnectManaged)
        .unwrap()
        .identity;
    assert_eq!(identity.email.as_deref(), Some("main@example.com"));
    assert_eq!(identity.secondary_email, None);
}

#[test]
fn an_address_or_number_that_connect_refuses_is_not_sent() {
    let user = json!({
        "userName": "ada",
        "emails": [{"value": "ada@localhost"}],
        "phoneNumbers": [{"value": "555 1234", "type": "mobile"}],
    });
    let identity = saml(&user).identity;
    assert_eq!((identity.secondary_email, identity.mobile), (None, None));
}

#[test]
fn numbers_are_sent_as_e164() {
    for (written, sent) in [
        ("+49 (30) 123-456", Some("+4930123456")),
        ("tel:+1-201-555-0123", Some("+12015550123")),
        ("+0123", None),
        ("+1234567890123456", None),
        ("030 123456", None),
    ] {
        assert_eq!(e164(written).as_deref(), sent, "{written}");
    }
}

#[test]
fn entitlements_and_the_extension_together_name_the_profiles() {
    let user = json!({
        "userName": "ada",
        "entitlements": [{"value": "Agent, Admin"}],
        AMAZON_CONNECT: {"securityProfiles": ["Auditor", "Agent"]},
        ENTERPRISE: {"department": "Sales"},
    });
    let wanted = saml(&user);
    assert_eq!(
        wanted.security_profiles,
        SecurityProfiles::Named(["Agent", "Admin", "Auditor"].map(str::to_owned).to_vec())
    );
}

#[test]
fn okta_sends_entitlements_and_roles_as_plain_strings() {
    let user = json!({"userName": "ada", "entitlements": ["Agent"], "roles": ["Sales"]});
    let wanted = saml(&user);
    assert_eq!(
        wanted.security_profiles,
        SecurityProfiles::Named(vec!["Agent".to_owned()])
    );
    assert_eq!(wanted.routing_profile.as_deref(), Some("Sales"));
}

#[test]
fn entra_names_profiles_in_the_department() {
    let department = |department: &str| {
        saml(&json!({"userName": "ada", ENTERPRISE: {"department": department}})).security_profiles
    };
    assert_eq!(
        department("Agent, Admin,,Agent"),
        SecurityProfiles::Fallback(vec!["Agent".to_owned(), "Admin".to_owned()])
    );
    assert_eq!(department(" , "), SecurityProfiles::Default);
}

#[test]
fn the_extension_wins_over_roles() {
    let user = json!({
        "userName": "ada",
        "roles": [{"value": "Sales"}, {"value": "Support", "primary": true}],
    });
    assert_eq!(saml(&user).routing_profile.as_deref(), Some("Support"));
    let mut user = user;
    user[AMAZON_CONNECT] = json!({"routingProfile": "Basic Routing Profile"});
    assert_eq!(
        saml(&user).routing_profile.as_deref(),
        Some("Basic Routing Profile")
    );
}

#[test]
fn a_desk_phone_number_makes_a_desk_phone() {
    let with = |settings: Value| {
        map(
            &json!({"userName": "ada", AMAZON_CONNECT: settings}),
            IdentityManagement::Saml,
        )
        .map(|wanted| wanted.phone)
    };
    let phone = with(json!({"deskPhoneNumber": "+49 30 1", "afterContactWorkSeconds": 30}))
        .unwrap()
        .unwrap();
    assert_eq!(phone.phone_type, PhoneType::DeskPhone);
    assert_eq!(phone.after_contact_work_time_limit, Some(30));
    assert!(with(json!({"deskPhoneNumber": "12"})).unwrap().is_none());
    assert!(with(json!({"afterContactWorkSeconds": -1})).is_err());
    assert!(with(json!({"routingProfile": "Sales"})).unwrap().is_none());
}

#[test]
fn after_contact_work_is_at_most_two_million_seconds() {
    let with = |seconds: Value| {
        let user = json!({"userName": "ada", AMAZON_CONNECT: {"afterContactWorkSeconds": seconds}});
        saml(&user).phone.unwrap().after_contact_work_time_limit
    };
    assert_eq!(with(json!(0)), Some(0));
    assert_eq!(with(json!(2_000_001)), Some(2_000_000));
    assert_eq!(with(json!(u64::MAX)), Some(2_000_000));
}

#[test]
fn the_environment_says_which_attribute_feeds_which_field() {
    let user = json!({
        "userName": "ada",
        "nickName": "Countess",
        "title": "A\u{0308}rztin",
        "userType": "Agent, Admin",
        "roles": [{"value": "Sales"}],
        "entitlements": [{"value": "Auditor"}],
        "emails": [{"value": "main@example.com", "primary": true}, {"value": "home@example.com", "type": "home"}],
        "phoneNumbers": [{"value": "+4930123456", "type": "work"}],
        ENTERPRISE: {"department": "Care", "division": "East", "costCenter": "45"},
    });
    let wanted = mapped(
        json!({
            "firstName": "nickName",
            "lastName": ["name.familyName", "title"],
            "secondaryEmail": "emails[type eq \"home\"].value",
            "mobile": ["phoneNumbers[type eq \"mobile\"]", "phoneNumbers"],
            "securityProfiles": ["userType", "entitlements"],
            "routingProfile": [format!("{ENTERPRISE}:department"), "roles".to_owned()],
            "hierarchyGroup": format!("{ENTERPRISE}:division"),
            "afterContactWorkSeconds": format!("{ENTERPRISE}:costCenter"),
        }),
        &user,
    );
    let identity = wanted.identity;
    assert_eq!(identity.first_name.as_deref(), Some("Countess"));
    assert_eq!(identity.last_name.as_deref(), Some("\u{c4}rztin"));
    assert_eq!(
        identity.secondary_email.as_deref(),
        Some("home@example.com")
    );
    assert_eq!(identity.mobile.as_deref(), Some("+4930123456"));
    let profiles = ["Agent", "Admin", "Auditor"].map(str::to_owned);
    assert_eq!(
        wanted.security_profiles,
        SecurityProfiles::Named(profiles.to_vec())
    );
    assert_eq!(wanted.routing_profile.as_deref(), Some("Care"));
    assert_eq!(wanted.hierarchy_group.as_deref(), Some("East"));
    let phone = wanted.phone.unwrap();
    assert_eq!(phone.after_contact_work_time_limit, Some(45));
}

#[test]
fn a_field_that_nothing_feeds_stays_empty() {
    let user = json!({
        "userName": "ada",
        "entitlements": ["Agent"],
        "emails": [{"value": "main@example.com"}],
        ENTERPRISE: {"department": "Agent"},
    });
    let wanted = mapped(
        json!({"email": [], "securityProfiles": [], "fallbackSecurityProfiles": []}),
        &user,
    );
    assert_eq!(wanted.identity.secondary_email, None);
    assert_eq!(wanted.security_profiles, SecurityProfiles::Default);
}

#[test]
fn proficiencies_are_sorted_and_have_whole_levels() {
    let with = |proficiencies: Value| {
        let user = json!({"userName": "ada", AMAZON_CONNECT: {"proficiencies": proficiencies}});
        map(&user, IdentityManagement::Saml).map(|wanted| {
            let proficiencies = wanted.proficiencies.into_iter();
            proficiencies
                .map(|given| (given.attribute_name, given.attribute_value, given.level))
                .collect::<Vec<_>>()
        })
    };
    let one = |name: &str, value: &str, level: Value| json!({"attributeName": name, "attributeValue": value, "level": level});
    let named = |name: &str, value: &str, level: u8| (name.to_owned(), value.to_owned(), level);
    assert_eq!(
        with(json!([
            one("Language", "German", json!(5.0)),
            one("Language", "English", json!(3)),
            one("Language", "German", json!(5)),
        ])),
        Ok(vec![
            named("Language", "English", 3),
            named("Language", "German", 5)
        ])
    );
    let many: Value = (0..11)
        .map(|index| one("Language", &index.to_string(), json!(1)))
        .collect();
    for refused in [
        json!([one("Language", "German", json!(0))]),
        json!([one("Language", "German", json!(2.5))]),
        json!([one("Language", "German", Value::Null)]),
        json!([one("Language", "", json!(1))]),
        json!([
            one("Language", "German", json!(1)),
            one("Language", "German", json!(2))
        ]),
        many,
    ] {
        assert!(with(refused.clone()).is_err(), "{refused}");
    }
}

#[test]
fn tags_are_free_except_for_the_keys_of_others() {
    let with = |tags: Value| {
        let user = json!({"userName": "ada", AMAZON_CONNECT: {"tags": tags}});
        map(&user, IdentityManagement::Saml).map(|wanted| wanted.tags)
    };
    assert_eq!(
        with(json!([{"key": "team", "value": " Gr\u{fc}n "}, {"key": "pilot"}])),
        Ok(BTreeMap::from([
            ("pilot".to_owned(), String::new()),
            ("team".to_owned(), "Gr\u{fc}n".to_owned()),
        ]))
    );
    let many: Value = (0..48)
        .map(|index| json!({"key": index.to_string()}))
        .collect();
    for refused in [
        json!([{"key": "aws:team", "value": "a"}]),
        json!([{"key": "AWS:team", "value": "a"}]),
        json!([{"key": "scim:id", "value": "another"}]),
        json!([{"key": "Scim:managed-by", "value": "a"}]),
        json!([{"key": "", "value": "a"}]),
        json!([{"key": "team", "value": "<a>"}]),
        json!([{"key": "team", "value": "a".repeat(257)}]),
        json!([{"key": "t".repeat(129), "value": "a"}]),
        json!([{"key": "team", "value": "a"}, {"key": "team", "value": "b"}]),
        many,
    ] {
        assert!(with(refused.clone()).is_err(), "{refused}");
    }
}

#[test]
fn messages_hold_no_values() {
    let user = json!({"userName": "canary with space"});
    let error = map(&user, IdentityManagement::Saml).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
fn an_address_is_sent_only_if_it_fits_the_pattern_of_connect() {
    let long = |length: usize| format!("{}@example.com", "a".repeat(length - 12));
    let top = |length: usize| format!("ada@example.{}", "c".repeat(length));
    for (address, is_sent) in [
        ("ada.l_o%v+e-1@sub-1.example.com".to_owned(), true),
        (long(265), true),
        (long(266), false),
        (top(2), true),
        (top(63), true),
        (top(1), false),
        (top(64), false),
        ("ada@example.c1".to_owned(), false),
        ("ada@example".to_owned(), false),
        ("ada.example.com".to_owned(), false),
        ("@example.com".to_owned(), false),
        ("ada@.com".to_owned(), false),
        ("a da@example.com".to_owned(), false),
        ("ada@exam_ple.com".to_owned(), false),
        ("ad\u{e4}@example.com".to_owned(), false),
    ] {
        let user = json!({"userName": "ada", "emails": [{"value": address}]});
        let sent = saml(&user).identity.secondary_email;
        assert_eq!(sent, is_sent.then_some(address.clone()), "{address}");
    }
}

#[test]
fn each_length_and_number_has_the_limit_of_connect() {
    use IdentityManagement::{ConnectManaged, Saml};
    let text = |length: usize| "a".repeat(length);
    let extension = |attribute: &str, value: Value| json!({"userName": "ada", AMAZON_CONNECT: {attribute: value}});
    let name = |part: &str, length: usize| json!({"userName": "ada", "name": {part: text(length)}});
    let user_name = |length: usize| json!({"userName": text(length)});
    let proficiencies = |count: usize| {
        let one = |number: usize| json!({"attributeName": "n", "attributeValue": number.to_string(), "level": 1});
        extension("proficiencies", (0..count).map(one).collect())
    };
    let proficiency = |name: usize, value: usize, level: f64| {
        let one = json!({
            "attributeName": text(name), "attributeValue": text(value), "level": level,
        });
        extension("proficiencies", json!([one]))
    };
    let tags = |count: usize| {
        let one = |number: usize| json!({"key": number.to_string(), "value": "v"});
        extension("tags", (0..count).map(one).collect())
    };
    let tag = |key: usize, value: usize| {
        extension("tags", json!([{"key": text(key), "value": text(value)}]))
    };
    for (largest, too_large, management) in [
        (name("givenName", 255), name("givenName", 256), Saml),
        (name("familyName", 300), name("familyName", 301), Saml),
        (
            name("familyName", 256),
            name("familyName", 257),
            ConnectManaged,
        ),
        (user_name(20), user_name(21), ConnectManaged),
        (user_name(64), user_name(65), Saml),
        (user_name(2), user_name(1), Saml),
        (proficiencies(10), proficiencies(11), Saml),
        (proficiency(100, 100, 5.0), proficiency(101, 100, 5.0), Saml),
        (proficiency(100, 100, 1.0), proficiency(100, 101, 1.0), Saml),
        (proficiency(1, 1, 1.0), proficiency(1, 1, 0.0), Saml),
        (proficiency(1, 1, 5.0), proficiency(1, 1, 6.0), Saml),
        (proficiency(1, 1, 4.0), proficiency(1, 1, 4.5), Saml),
        (tags(47), tags(48), Saml),
        (tag(128, 256), tag(129, 256), Saml),
        (tag(1, 0), tag(1, 257), Saml),
    ] {
        let accepted = map(&largest, management);
        assert!(accepted.is_ok(), "{:?} {largest}", accepted.err());
        assert!(map(&too_large, management).is_err(), "{too_large}");
    }
}

#[test]
fn numbers_have_from_two_to_fifteen_digits() {
    for (written, is_sent) in [
        ("+1", false),
        ("+12", true),
        ("+123456789012345", true),
        ("+1234567890123456", false),
        ("+12a", false),
        ("12", false),
    ] {
        assert_eq!(e164(written).is_some(), is_sent, "{written}");
    }
}

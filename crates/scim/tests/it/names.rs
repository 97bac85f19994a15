//! Names of users: look-up, uniqueness and order agree (RFC 7644 section 5, RFC 8265).

use proptest::prelude::*;
use scim::comparison::Comparison;
use scim::filter::Filter;
use scim::list::{ListQuery, Page};
use serde_json::json;

use crate::service::{resource, service, user_type};

const KEY: Comparison = Comparison::Name;

fn finds(filter: &str, user_name: &str) -> bool {
    let filter: Filter = filter.parse().expect("a filter");
    filter.matches(&resource(json!({"userName": user_name})), &user_type())
}

fn is_found(stored: &str, wanted: &str) -> bool {
    finds(&format!("userName eq {}", json!(wanted)), stored)
}

#[test]
fn names_that_differ_in_case_width_composition_or_surrounding_spaces_are_equal() {
    for (left, right) in [
        ("rose@example.net", "Rose@EXAMPLE.net"),
        ("rose@example.net ", "rose@example.net"),
        ("\t rose", "rose\u{a0}"),
        ("rose\u{3000}", "rose"),
        ("jos\u{e9}", "jose\u{301}"),
        ("JOS\u{c9}", "jose\u{301} "),
        ("\u{ff32}\u{ff4f}se", "rose"),
        ("\u{ff76}\u{ff9e}", "\u{30ac}"),
        ("\u{212b}", "a\u{30a}"),
        ("\u{ffa1}", "\u{3131}"),
    ] {
        assert_eq!(KEY.key(left), KEY.key(right), "{left:?} {right:?}");
        assert!(KEY.is_equal(left, right), "{left:?} {right:?}");
        assert!(
            is_found(left, right) && is_found(right, left),
            "{left:?} {right:?}"
        );
        assert!(!finds(&format!("userName ne {}", json!(left)), right));
    }
}

#[test]
fn other_names_are_not_equal() {
    for (left, right) in [
        ("rose", "rosé"),
        ("ro se", "rose"),
        ("stra\u{df}e", "strasse"),
        ("\u{2460}", "1"),
        ("", "rose"),
    ] {
        assert_ne!(KEY.key(left), KEY.key(right), "{left:?} {right:?}");
        assert!(!KEY.is_equal(left, right), "{left:?} {right:?}");
        assert!(
            !is_found(left, right) && !is_found(right, left),
            "{left:?} {right:?}"
        );
    }
}

#[test]
fn parts_of_names_are_found_by_the_same_rule() {
    let stored = " \u{ff32}ose Jos\u{e9} ";
    for filter in [
        r#"userName sw "rose""#,
        r#"userName sw "ROSE ""#,
        r#"userName co "e j""#,
        "userName ew \"SE\u{301}\"",
        "userName co \"\u{ff2a}os\"",
        r#"userName ge "rose jos\u00e9""#,
        r#"userName le "ROSE JOS\u00c9""#,
    ] {
        assert!(finds(filter, stored), "{filter}");
    }
    for filter in [
        r#"userName sw " rose""#,
        r#"userName ew " ""#,
        r#"userName co "rosejo""#,
        r#"userName gt "rose jos\u00e9""#,
        r#"userName lt "rose jos\u00e9""#,
    ] {
        assert!(!finds(filter, stored), "{filter}");
    }
}

#[test]
fn other_text_keeps_its_width_and_its_spaces() {
    let matches = |filter: &str, title: &str| {
        let filter: Filter = filter.parse().expect("a filter");
        filter.matches(&resource(json!({"title": title})), &user_type())
    };
    assert!(matches(r#"title eq "LEAD""#, "lead"));
    assert!(matches("title eq \"K\"", "\u{212a}"));
    assert!(!matches(r#"title eq "lead""#, "lead "));
    assert!(!matches(r#"title eq "lead""#, "\u{ff4c}ead"));
    assert!(matches(r#"title ew " ""#, "lead "));
}

#[test]
fn users_are_sorted_by_the_same_rule() {
    let names = ["\u{ff23}arl", " bea", "Ann"];
    let service = service();
    let user_type = user_type();
    let query = [("sortBy".to_owned(), "userName".to_owned())];
    let query = ListQuery::from_query(&query, &service, &[&user_type]).expect("a query");
    let users = names.map(|name| (&user_type, resource(json!({"userName": name}))));
    let page = Page::select(&query, users).expect("a page");
    let sorted: Vec<_> = page
        .resources
        .iter()
        .map(|(_, user)| user["userName"].clone())
        .collect();
    assert_eq!(sorted, ["Ann", " bea", "\u{ff23}arl"]);
}

/// Names that are likely to be spellings of each other.
fn name() -> impl Strategy<Value = String> {
    let part = proptest::sample::select(vec![
        "a",
        "A",
        "\u{ff41}",
        "\u{ff21}",
        "e\u{301}",
        "\u{e9}",
        "\u{c9}",
        "E\u{301}",
        " ",
        "\u{3000}",
        "\t",
        "@",
        "\u{ff20}",
        "\u{130}",
        "i\u{307}",
        "I",
        "\u{3a3}",
        "\u{3c3}",
        "\u{3c2}",
        "k",
        "\u{212a}",
        "\u{1fb3}",
        "\u{3b1}\u{345}",
        "\u{ff9e}",
        "\u{ff76}",
        "\u{323}",
        "\u{307}",
        "\u{df}",
        "\u{1e9e}",
    ]);
    prop_oneof![
        4 => proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn two_names_share_a_key_exactly_if_one_finds_the_other(left in name(), right in name()) {
        let same_key = KEY.key(&left) == KEY.key(&right);
        prop_assert_eq!(KEY.is_equal(&left, &right), same_key);
        let is_assigned = !left.is_empty();
        prop_assert_eq!(is_found(&left, &right), same_key && is_assigned);
        prop_assert_eq!(finds(&format!("userName ne {}", json!(right)), &left), !(same_key && is_assigned));
    }

    #[test]
    fn a_key_is_a_spelling_of_its_name(name in name()) {
        let key = KEY.key(&name).into_owned();
        prop_assert_eq!(KEY.key(&key).into_owned(), key.clone());
    }

    #[test]
    fn equal_text_has_one_key(left in any::<String>(), right in any::<String>()) {
        for comparison in [Comparison::CaseExact, Comparison::CaseInsensitive, Comparison::Name] {
            for (left, right) in [(&left, &right), (&left, &left.to_uppercase()), (&left, &left.to_lowercase())] {
                prop_assert_eq!(
                    comparison.is_equal(left, right),
                    comparison.key(left) == comparison.key(right)
                );
            }
        }
    }
}

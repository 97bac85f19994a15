//! Each operator of a filter on each type of attribute (RFC 7644 section 3.4.2.2, RFC 7643
//! section 2.3).

use proptest::prelude::*;
use scim::filter::Filter;
use scim::list::{ListQuery, Page};
use scim::schema::{Attribute, AttributeType, ResourceType, Schema, ServiceDefinition};
use serde_json::{Value, json};

use crate::service::resource;

fn thing_type() -> ResourceType {
    let schema = Schema {
        id: "urn:example:2.0:Thing".to_owned(),
        name: "Thing".to_owned(),
        description: "A thing".to_owned(),
        attributes: vec![
            Attribute::string("text"),
            Attribute::string("exact").case_exact(),
            Attribute::integer("whole"),
            Attribute::new("ratio", AttributeType::Decimal),
            Attribute::date_time("since"),
            Attribute::boolean("on"),
            Attribute::new("binary", AttributeType::Binary),
            Attribute::reference("link", &["external"]),
            Attribute::string("tags").multi_valued(),
            Attribute::complex(
                "parts",
                vec![
                    Attribute::string("value"),
                    Attribute::string("type"),
                    Attribute::integer("size"),
                    Attribute::string("labels").multi_valued(),
                ],
            )
            .multi_valued(),
            Attribute::complex("name", vec![Attribute::string("first")]),
        ],
        unsupported: Vec::new(),
    };
    ResourceType::new("Thing", "/Things", schema)
}

#[track_caller]
fn matches(thing: &Value, filter: &str) -> bool {
    let parsed: Filter = filter.parse().expect(filter);
    parsed.matches(&resource(thing.clone()), &thing_type())
}

/// Checks which of the operators hold between an attribute and a literal.
#[track_caller]
fn assert_holds(thing: &Value, attribute: &str, literal: &str, expected: &[&str]) {
    for operator in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
        let filter = format!("{attribute} {operator} {literal}");
        assert_eq!(
            matches(thing, &filter),
            expected.contains(&operator),
            "{filter}"
        );
    }
}

#[test]
fn text_is_compared_without_case_unless_it_is_exact() {
    let thing = json!({"text": "Mango", "exact": "Mango"});
    for attribute in ["text", "exact"] {
        assert_holds(
            &thing,
            attribute,
            "\"Mango\"",
            &["eq", "co", "sw", "ew", "ge", "le"],
        );
        assert_holds(
            &thing,
            attribute,
            "\"Man\"",
            &["ne", "co", "sw", "gt", "ge"],
        );
        assert_holds(
            &thing,
            attribute,
            "\"ngo\"",
            &["ne", "co", "ew", "lt", "le"],
        );
        assert_holds(
            &thing,
            attribute,
            "\"ang\"",
            if attribute == "text" {
                &["ne", "co", "gt", "ge"]
            } else {
                &["ne", "co", "lt", "le"]
            },
        );
        assert_holds(&thing, attribute, "\"Zebra\"", &["ne", "lt", "le"]);
        assert_holds(&thing, attribute, "\"Apple\"", &["ne", "gt", "ge"]);
    }
    assert_holds(
        &thing,
        "text",
        "\"mANGO\"",
        &["eq", "co", "sw", "ew", "ge", "le"],
    );
    assert_holds(&thing, "exact", "\"mango\"", &["ne", "lt", "le"]);
    assert_holds(&thing, "exact", "\"MANGO\"", &["ne", "gt", "ge"]);
}

#[test]
fn text_is_compared_with_other_literals_as_they_are_written() {
    let thing = json!({"text": "15", "exact": "true"});
    assert_holds(&thing, "text", "15", &["eq", "co", "sw", "ew", "ge", "le"]);
    assert_holds(&thing, "text", "1", &["ne", "co", "sw", "gt", "ge"]);
    assert_holds(
        &thing,
        "exact",
        "true",
        &["eq", "co", "sw", "ew", "ge", "le"],
    );
}

#[test]
fn numbers_are_compared_by_their_value() {
    let thing = json!({"whole": 10, "ratio": 2.5});
    for literal in ["10", "10.0", "1e1", "\"10\"", "\"10.0\""] {
        assert_holds(&thing, "whole", literal, &["eq", "ge", "le"]);
    }
    for literal in ["9", "-10", "9.5", "\"2\"", "0"] {
        assert_holds(&thing, "whole", literal, &["ne", "gt", "ge"]);
    }
    for literal in ["11", "100", "10.5", "\"90\""] {
        assert_holds(&thing, "whole", literal, &["ne", "lt", "le"]);
    }
    for literal in ["2.5", "2.50", "\"2.5\"", "25e-1"] {
        assert_holds(&thing, "ratio", literal, &["eq", "ge", "le"]);
    }
    assert_holds(&thing, "ratio", "2", &["ne", "gt", "ge"]);
    assert_holds(&thing, "ratio", "3", &["ne", "lt", "le"]);
    for literal in ["\"ten\"", "true", "\"\""] {
        assert_holds(&thing, "whole", literal, &["ne"]);
        assert_holds(&thing, "ratio", literal, &["ne"]);
    }
    let large = json!({"whole": 9_007_199_254_740_993_i64});
    assert_holds(&large, "whole", "9007199254740992", &["ne", "gt", "ge"]);
    assert_holds(&large, "whole", "9007199254740993", &["eq", "ge", "le"]);
}

#[test]
fn points_in_time_are_compared_on_the_time_line_and_searched_as_text() {
    let thing = json!({"since": "2011-05-13T04:42:34Z"});
    for literal in [
        "\"2011-05-13T04:42:34Z\"",
        "\"2011-05-13T06:42:34+02:00\"",
        "\"2011-05-13T04:42:34\"",
        "\"2011-05-13T04:42:34.000Z\"",
    ] {
        for (operator, expected) in [
            ("eq", true),
            ("ne", false),
            ("gt", false),
            ("ge", true),
            ("lt", false),
            ("le", true),
        ] {
            let filter = format!("since {operator} {literal}");
            assert_eq!(matches(&thing, &filter), expected, "{filter}");
        }
    }
    assert_holds(
        &thing,
        "since",
        "\"2011-05-13T04:42:33Z\"",
        &["ne", "gt", "ge"],
    );
    assert_holds(
        &thing,
        "since",
        "\"2011-05-13T04:42:35Z\"",
        &["ne", "lt", "le"],
    );
    assert_holds(&thing, "since", "\"2011\"", &["ne", "co", "sw"]);
    assert_holds(&thing, "since", "\"04:42\"", &["ne", "co"]);
    assert_holds(&thing, "since", "\"34Z\"", &["ne", "co", "ew"]);
    assert_holds(&thing, "since", "\"yesterday\"", &["ne"]);
    assert_holds(&thing, "since", "7", &["ne"]);
}

#[test]
fn booleans_are_compared_with_booleans_and_their_texts() {
    for (value, equal, other) in [(true, "true", "false"), (false, "false", "true")] {
        let thing = json!({"on": value});
        let quoted = |text: &str| {
            [
                text.to_owned(),
                format!("\"{text}\""),
                format!("\"{}\"", text.to_uppercase()),
            ]
        };
        for literal in quoted(equal) {
            assert!(matches(&thing, &format!("on eq {literal}")), "{literal}");
            assert!(!matches(&thing, &format!("on ne {literal}")), "{literal}");
        }
        for literal in quoted(other) {
            assert!(!matches(&thing, &format!("on eq {literal}")), "{literal}");
            assert!(matches(&thing, &format!("on ne {literal}")), "{literal}");
        }
        for literal in ["\"perhaps\"", "1", "0", "\"\""] {
            assert!(!matches(&thing, &format!("on eq {literal}")), "{literal}");
            assert!(matches(&thing, &format!("on ne {literal}")), "{literal}");
        }
        for operator in ["co", "sw", "ew"] {
            assert!(!matches(&thing, &format!("on {operator} {equal}")));
        }
    }
}

#[test]
fn booleans_and_binaries_have_no_order_and_other_types_have_one() {
    for operator in ["gt", "ge", "lt", "le"] {
        for (attribute, is_refused) in [
            ("on", true),
            ("binary", true),
            ("text", false),
            ("whole", false),
            ("since", false),
            ("link", false),
            ("unknown", false),
        ] {
            for filter in [
                format!("{attribute} {operator} \"true\""),
                format!("not ({attribute} {operator} \"true\")"),
                format!("text pr and {attribute} {operator} \"true\""),
            ] {
                let parsed: Filter = filter.parse().expect("a filter");
                assert_eq!(parsed.check(&thing_type()).is_err(), is_refused, "{filter}");
            }
        }
    }
    for operator in ["eq", "ne"] {
        let filter: Filter = format!("on {operator} true or binary {operator} \"AA==\"")
            .parse()
            .expect("a filter");
        assert!(filter.check(&thing_type()).is_ok());
    }
}

#[test]
fn binaries_and_references_are_exact() {
    let thing = json!({"binary": "AbC=", "link": "https://example.com/A"});
    assert_holds(
        &thing,
        "binary",
        "\"AbC=\"",
        &["eq", "co", "sw", "ew", "ge", "le"],
    );
    assert!(!matches(&thing, "binary eq \"abc=\""));
    assert!(matches(&thing, "link eq \"https://example.com/A\""));
    assert!(!matches(&thing, "link eq \"https://example.com/a\""));
}

#[test]
fn what_has_no_value_is_not_present_and_equals_null() {
    let absent = json!({});
    for value in [json!(null), json!(""), json!([]), json!({})] {
        let thing = json!({"text": value});
        for thing in [&thing, &absent] {
            assert!(!matches(thing, "text pr"), "{thing}");
            assert!(matches(thing, "text eq null"), "{thing}");
            assert!(!matches(thing, "text ne null"), "{thing}");
            assert_holds(thing, "text", "\"x\"", &["ne"]);
            assert_holds(thing, "text", "null", &["eq"]);
        }
    }
    for (attribute, value) in [
        ("text", json!("x")),
        ("whole", json!(0)),
        ("on", json!(false)),
        ("tags", json!(["", "x"])),
        ("name", json!({"first": "x"})),
        ("parts", json!([{"size": 1, "value": "x"}])),
    ] {
        let thing = json!({attribute: value});
        assert!(matches(&thing, &format!("{attribute} pr")), "{thing}");
        assert_holds(&thing, attribute, "null", &["ne"]);
    }
    assert!(!matches(&json!({"tags": ["", null]}), "tags pr"));
    assert!(!matches(&json!({"parts": [{"type": "a"}]}), "parts pr"));
    assert!(matches(&json!({"parts": [{"type": "a"}]}), "parts.type pr"));
    assert!(!matches(
        &json!({"parts": [{"type": "a"}]}),
        "parts.size pr"
    ));
}

#[test]
fn one_of_several_values_is_enough() {
    let thing = json!({
        "tags": ["red", "Blue"],
        "parts": [
            {"value": "a", "type": "x", "size": 1, "labels": ["l", "m"]},
            {"value": "b", "type": "y", "size": 5},
        ],
    });
    for filter in [
        "tags eq \"blue\"",
        "tags ne \"blue\"",
        "tags[value eq \"RED\"]",
        "parts eq \"b\"",
        "parts.value eq \"A\"",
        "parts.size gt 4",
        "parts.labels eq \"m\"",
        "parts[type eq \"y\" and size ge 5]",
        "parts[type eq \"y\" or size eq 9]",
        "parts[not (type eq \"y\")]",
        "parts[size pr]",
        "parts[labels pr and type eq \"x\"]",
    ] {
        assert!(matches(&thing, filter), "{filter}");
    }
    for filter in [
        "tags eq \"green\"",
        "tags[value eq \"green\"]",
        "tags[other eq \"red\"]",
        "parts eq \"c\"",
        "parts.size gt 5",
        "parts[type eq \"x\" and size eq 5]",
        "parts[not (type eq \"x\" or type eq \"y\")]",
        "parts[unknown pr]",
        "parts[unknown eq \"x\"]",
        "parts.unknown eq \"x\"",
        "unknown[type eq \"x\"]",
        "text[value eq \"x\"]",
    ] {
        assert!(!matches(&thing, filter), "{filter}");
    }
}

#[test]
fn an_extension_that_is_not_there_has_no_value() {
    let thing_type = thing_type().extended_by(Schema {
        id: "urn:example:2.0:More".to_owned(),
        name: "More".to_owned(),
        description: "More".to_owned(),
        attributes: vec![Attribute::string("colour")],
        unsupported: Vec::new(),
    });
    let found = |thing: Value, filter: &str| {
        let filter: Filter = filter.parse().expect("a filter");
        filter.matches(&resource(thing), &thing_type)
    };
    let with = || json!({"urn:example:2.0:More": {"colour": "red"}});
    assert!(found(with(), "urn:example:2.0:more:colour eq \"RED\""));
    assert!(found(with(), "colour eq \"red\""));
    assert!(found(with(), "urn:example:2.0:More.colour eq \"red\""));
    assert!(!found(json!({}), "colour pr"));
    assert!(!found(json!({"urn:example:2.0:More": "x"}), "colour pr"));
    assert!(found(json!({}), "colour ne \"red\""));
    assert!(!found(with(), "urn:example:2.0:More pr"));
}

#[test]
fn things_are_sorted_by_the_type_of_the_attribute() {
    let service = ServiceDefinition::new(vec![thing_type()]);
    let things = json!([
        {"id": "1", "whole": 10, "ratio": 1.5, "exact": "b", "text": "b", "on": true, "since": "2020-01-01T00:00:00Z", "parts": [{"value": "z"}, {"value": "a", "primary": true}]},
        {"id": "2", "whole": 9, "ratio": -2.5, "exact": "B", "text": "B", "on": false, "since": "2020-01-01T00:00:00+05:00", "parts": [{"value": "m"}]},
        {"id": "3", "whole": 100, "ratio": 10, "exact": "a", "text": "a", "on": true, "since": "2019-12-31T23:00:00Z"},
        {"id": "4"},
    ]);
    for (by, ascending, descending) in [
        ("whole", "2134", "4312"),
        ("ratio", "2134", "4312"),
        ("exact", "2314", "4132"),
        ("text", "3124", "4123"),
        ("on", "2134", "4132"),
        ("since", "2314", "4132"),
        ("parts", "1234", "3421"),
        ("unknown", "1234", "1234"),
    ] {
        for (order, expected) in [("ascending", ascending), ("descending", descending)] {
            let query = [
                ("sortBy".to_owned(), by.to_owned()),
                ("sortOrder".to_owned(), order.to_owned()),
            ];
            let thing_type = &service.resource_types[0];
            let query = ListQuery::from_query(&query, &service, &[thing_type]).expect("a query");
            let all = things.as_array().expect("things").iter();
            let page = Page::select(
                &query,
                all.map(|thing| (thing_type, resource(thing.clone()))),
            );
            let ids: String = page
                .expect("a page")
                .resources
                .iter()
                .map(|(_, thing)| thing["id"].as_str().expect("an id"))
                .collect();
            assert_eq!(ids, expected, "{by} {order}");
        }
    }
}

proptest! {
    #[test]
    fn whole_numbers_agree_with_their_order(value in any::<i64>(), literal in any::<i64>()) {
        let thing = json!({"whole": value});
        for (operator, expected) in [
            ("eq", value == literal),
            ("ne", value != literal),
            ("gt", value > literal),
            ("ge", value >= literal),
            ("lt", value < literal),
            ("le", value <= literal),
        ] {
            prop_assert_eq!(matches(&thing, &format!("whole {operator} {literal}")), expected, "{}", operator);
        }
    }

    #[test]
    fn exact_text_agrees_with_its_order(value in "[abAB]{1,4}", literal in "[abAB]{0,4}") {
        let thing = json!({"exact": value});
        let quoted = json!(literal);
        for (operator, expected) in [
            ("eq", value == literal),
            ("ne", value != literal),
            ("co", value.contains(&literal)),
            ("sw", value.starts_with(&literal)),
            ("ew", value.ends_with(&literal)),
            ("gt", value > literal),
            ("ge", value >= literal),
            ("lt", value < literal),
            ("le", value <= literal),
        ] {
            prop_assert_eq!(matches(&thing, &format!("exact {operator} {quoted}")), expected, "{}", operator);
        }
    }

    #[test]
    fn instants_agree_with_their_order(value in 0_i64..100_000, literal in 0_i64..100_000, offset in -12_i64..13) {
        let text = |second: i64, offset: i64| {
            let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(i8::try_from(offset).expect("small")));
            let zoned = jiff::Timestamp::from_second(second).expect("a time").to_zoned(zone);
            zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        };
        let thing = json!({"since": text(value, 0)});
        for (operator, expected) in [
            ("eq", value == literal),
            ("ne", value != literal),
            ("gt", value > literal),
            ("ge", value >= literal),
            ("lt", value < literal),
            ("le", value <= literal),
        ] {
            let filter = format!("since {operator} \"{}\"", text(literal, offset));
            prop_assert_eq!(matches(&thing, &filter), expected, "{}", filter);
        }
    }
}

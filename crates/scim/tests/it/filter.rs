//! Filters (RFC 7644 section 3.4.2.2).

use scim::filter::Filter;
use scim::schema::core;
use serde_json::{Value, json};

use crate::service::{resource, user_type};

fn user() -> Value {
    json!({
        "schemas": [core::USER_URN, core::ENTERPRISE_USER_URN],
        "id": "2819c223",
        "externalId": "bjensen-EXT",
        "userName": "bjensen@example.com",
        "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Bárbara"},
        "title": "Tour Guide",
        "userType": "Employee",
        "active": true,
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.org", "type": "home"},
        ],
        "ims": [{"value": "someaimhandle", "type": "aim"}],
        "meta": {"resourceType": "User", "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34Z"},
        core::ENTERPRISE_USER_URN: {"department": "Tour Operations", "manager": {"value": "26118915"}},
    })
}

#[track_caller]
fn assert_matches(filter: &str, expected: bool) {
    let parsed: Filter = filter
        .parse()
        .unwrap_or_else(|error| panic!("{filter}: {error}"));
    assert_eq!(
        parsed.matches(&resource(user()), &user_type()),
        expected,
        "{filter}"
    );
    assert_eq!(
        parsed.to_string().parse::<Filter>().as_ref(),
        Ok(&parsed),
        "{filter}"
    );
}

#[test]
fn the_examples_of_the_rfc() {
    for filter in [
        r#"userName eq "bjensen@example.com""#,
        r#"name.familyName co "ens""#,
        r#"userName sw "BJ""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "bj""#,
        "title pr",
        r#"meta.lastModified gt "2011-05-13T04:42:33Z""#,
        r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified lt "2011-05-13T04:42:35Z""#,
        r#"meta.lastModified le "2011-05-13T06:42:34+02:00""#,
        r#"title pr and userType eq "Employee""#,
        r#"title pr or userType eq "Intern""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
        r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType ne "Contractor" and not (emails co "example.net" or emails.value co "example.org")"#,
        r#"userType eq "Employee" and (emails.type eq "work")"#,
        r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
    ] {
        assert_matches(filter, true);
    }
}

#[test]
fn not_binds_before_and_and_before_or() {
    assert_matches(r#"userName eq "x" and title pr or active eq true"#, true);
    assert_matches(
        r#"active eq true or userName eq "x" and title eq "x""#,
        true,
    );
    assert_matches(
        r#"(active eq true or userName eq "x") and title eq "x""#,
        false,
    );
    assert_matches(r#"not (active eq true) or title pr"#, true);
    assert_matches(r#"not active eq false and title pr"#, true);
    assert_matches(r#"not (not (title pr))"#, true);
}

#[test]
fn case_follows_the_schema() {
    assert_matches(r#"USERNAME EQ "BJENSEN@EXAMPLE.COM""#, true);
    assert_matches(r#"externalId eq "bjensen-ext""#, false);
    assert_matches(r#"externalId eq "bjensen-EXT""#, true);
    assert_matches(r#"id eq "2819C223""#, false);
    assert_matches(r#"name.givenName eq "BÁRBARA""#, true);
    assert_matches(r#"NAME.GIVENNAME co "ÁR""#, true);
    assert_matches(r#"title Pr AND Active eq TRUE"#, true);
}

#[test]
fn one_value_satisfies_the_whole_value_path() {
    assert_matches(r#"emails[type eq "work" and value co "jensen.org"]"#, false);
    assert_matches(
        r#"emails.type eq "work" and emails.value co "jensen.org""#,
        true,
    );
    assert_matches(r#"emails[not (type eq "work")]"#, true);
    assert_matches(r#"emails[primary eq "True"]"#, true);
    assert_matches(r#"emails[type eq "other"]"#, false);
    assert_matches(r#"emails[primary pr]"#, true);
}

#[test]
fn qualified_names_reach_into_extensions() {
    assert_matches(
        &format!(
            r#"{}:department eq "tour operations""#,
            core::ENTERPRISE_USER_URN
        ),
        true,
    );
    assert_matches(
        &format!(
            r#"{}:manager.value eq "26118915""#,
            core::ENTERPRISE_USER_URN
        ),
        true,
    );
    assert_matches(
        &format!(r#"{}:manager eq "26118915""#, core::ENTERPRISE_USER_URN),
        true,
    );
    assert_matches(
        &format!(r#"{}:costCenter pr"#, core::ENTERPRISE_USER_URN),
        false,
    );
    assert_matches(r#"urn:example:1.0:Other:department pr"#, false);
}

#[test]
fn entra_asks_for_the_manager_without_its_schema() {
    assert_matches(r#"id pr and manager eq "26118915""#, true);
    assert_matches(r#"manager eq "9""#, false);
    assert_matches(r#"manager.value eq "26118915""#, true);
    // A core attribute comes first.
    assert_matches(r#"department.value pr"#, false);
}

#[test]
fn absent_attributes_satisfy_only_ne_and_null() {
    assert_matches(r#"nickName eq "x""#, false);
    assert_matches(r#"nickName ne "x""#, true);
    assert_matches("nickName eq null", true);
    assert_matches("nickName ne null", false);
    assert_matches("title ne null", true);
    assert_matches("nickName pr", false);
    assert_matches(r#"unknownAttribute eq "x""#, false);
    assert_matches(r#"nickName gt "x""#, false);
}

#[test]
fn literals_are_read_by_the_type_of_the_attribute() {
    assert_matches(r#"active eq "True""#, true);
    assert_matches("active eq False", false);
    assert_matches(r#"active eq "banana""#, false);
    assert_matches("title eq 5", false);
    assert_matches("meta.created gt 2010-01-23", true);
    assert_matches("meta.created gt 2010-01-24T00:00:00", false);
    assert_matches(r#"meta.created sw "2010-01""#, true);
    assert_matches(r#"meta.created gt "yesterday""#, false);
    assert_matches(r#"title eq "Tour \u0047uide""#, true);
}

#[test]
fn what_the_grammar_does_not_allow_is_an_invalid_filter() {
    let nested = "(".repeat(5000);
    let negated = "not ".repeat(5000);
    let long = format!("userName eq \"{}\"", "x".repeat(20_000));
    for filter in [
        "",
        "userName",
        "userName eq",
        "userName equals \"x\"",
        "eq \"x\"",
        "userName eq \"x",
        "userName eq \"x\\q\"",
        "userName eq \"x\" and",
        "userName eq \"x\" userName eq \"y\"",
        "(userName pr",
        "userName pr)",
        "emails[type eq \"work\"",
        "emails[]",
        "emails[type eq \"work\"].",
        "emails[type eq \"work\"].value",
        "emails[addresses[type eq \"work\"]]",
        "user name pr",
        "userName..x pr",
        "http://example.com:userName pr",
        "not",
        "and",
        "1abc pr",
        "userName eq (x)",
        "userName eq 'nora@example.net'",
        "emails[type eq 'work'] and title pr",
        nested.as_str(),
        negated.as_str(),
        long.as_str(),
    ] {
        let error = filter.parse::<Filter>().expect_err(filter);
        assert_eq!(error.status, 400);
        assert_eq!(error.scim_type, Some(scim::ScimType::InvalidFilter));
    }
}

#[test]
fn an_error_says_where_and_what_but_shows_no_value() {
    let error = "userName eq \"bjensen\" nad title pr"
        .parse::<Filter>()
        .expect_err("refused");
    insta::assert_snapshot!(error.detail, @"expected and, or, or the end at character 23 of the filter");
}

#[test]
fn booleans_have_no_order() {
    for filter in [
        "active gt true",
        "emails[primary le false]",
        "title pr and not (emails.primary ge true)",
    ] {
        let filter: Filter = filter.parse().expect("well-formed");
        let error = filter.check(&user_type()).expect_err("refused");
        assert_eq!(
            error.scim_type,
            Some(scim::ScimType::InvalidFilter),
            "{filter}"
        );
    }
}

#[test]
fn a_store_sees_the_equalities_that_every_match_satisfies() {
    let equalities = |filter: &str| -> Vec<String> {
        let filter: Filter = filter.parse().expect("a filter");
        filter
            .equalities(&user_type())
            .into_iter()
            .map(|found| format!("{}={}", found.attribute, found.value))
            .collect()
    };
    assert_eq!(equalities(r#"USERNAME eq "a""#), ["userName=a"]);
    assert_eq!(
        equalities(r#"externalId eq "a" and (active eq true and title pr)"#),
        ["externalId=a", "active=true"]
    );
    assert_eq!(
        equalities(r#"emails[type eq "work" and value eq "x"]"#),
        ["emails.type=work", "emails.value=x"]
    );
    assert_eq!(
        equalities(&format!(r#"{}:manager eq "9""#, core::ENTERPRISE_USER_URN)),
        [format!("{}:manager.value=9", core::ENTERPRISE_USER_URN)]
    );
    assert_eq!(equalities(r#"userName eq "a" or id eq "b""#), [""; 0]);
    assert_eq!(equalities(r#"not (userName eq "a")"#), [""; 0]);
    assert_eq!(
        equalities(r#"userName ne "a" and unknown eq "b" and title eq null"#),
        [""; 0]
    );
}

#[test]
fn debug_output_shows_no_value() {
    let filter: Filter = r#"userName eq "bjensen""#.parse().expect("a filter");
    assert!(!format!("{filter:?}").contains("bjensen"));
}

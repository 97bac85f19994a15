//! Values and names of a real directory, compared as the server compares them.

use serde_json::Value;

use crate::steps::Steps;

const SEARCHES: &str = "users: {searches: [{base: 'ou=People,dc=example,dc=test'}]}
groups: {names: ['aws-*']}";

const MEMBER_OF: &str = "users: {memberOf: [aws-admins]}
groups: {names: ['aws-*']}";

/// Ids by name, of users and groups.
fn ids(steps: &Steps) -> Vec<Value> {
    let simulator = &steps.stage.simulator;
    let all = simulator.users().into_iter().chain(simulator.groups());
    let mut ids: Vec<Value> = all.map(|object| object["id"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_in_another_unicode_form_is_the_same_entry() {
    let ldif = include_str!("cases/unicode-names.ldif");
    for source in [MEMBER_OF, SEARCHES] {
        let mut steps = Steps::new(ldif, source, "").await;
        let outcome = steps.next().await;
        assert_eq!(outcome.exit, 0, "{outcome:?}");
        assert_eq!(steps.active(), ["ann", "jose"]);
        assert_eq!(steps.members("aws-admins"), ["ann", "jose"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_that_keeps_the_old_value_renames_the_user_and_the_group() {
    let ldif = include_str!("cases/several-values.ldif");
    let mut steps = Steps::new(ldif, SEARCHES, "").await;
    let outcome = steps.next().await;
    assert_eq!(outcome.exit, 0, "{outcome:?}");
    assert_eq!(steps.active(), ["ann", "ben"]);
    assert_eq!(steps.members("aws-old"), ["ann"]);
    assert_eq!(steps.members("aws-named"), ["ben"]);
    let before = ids(&steps);
    let outcome = steps.next().await;
    assert_eq!(outcome.exit, 0, "{outcome:?}");
    assert_eq!(steps.active(), ["ann", "ben.married"]);
    assert_eq!(steps.members("aws-new"), ["ann"]);
    assert_eq!(steps.members("aws-named"), ["ben.married"]);
    assert_eq!(ids(&steps), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_in_another_order_cause_no_write() {
    let values = |order: [&str; 2]| {
        format!(
            "dn: uid=ann,ou=People,dc=example,dc=test\nchangetype: modify\nreplace: mail\n\
             mail: {}@example.com\nmail: {}@example.com\n",
            order[0], order[1]
        )
    };
    let ldif = format!(
        "{}# step 2\n{}# step 3\n{}",
        include_str!("cases/several-values.ldif")
            .split("# step 2")
            .next()
            .unwrap(),
        values(["b", "a"]),
        values(["a", "b"]),
    );
    let mut steps = Steps::new(&ldif, SEARCHES, "").await;
    for writes in [4, 1, 0] {
        let outcome = steps.next().await;
        assert_eq!((outcome.exit, outcome.writes), (0, writes), "{outcome:?}");
    }
    let ann = steps.stage.simulator.user("ann").unwrap();
    assert_eq!(ann["emails"][0]["value"], "a@example.com");
}

/// The attributes of `ann` that the names in `mapping` fill.
async fn ann(mapping: &str) -> Value {
    let ldif = include_str!("cases/attribute-names.ldif");
    let mut steps = Steps::new(ldif, SEARCHES, &format!("mapping: {{user: {mapping}}}")).await;
    let outcome = steps.next().await;
    assert_eq!(outcome.exit, 0, "{outcome:?}");
    let mut ann = steps.stage.simulator.user("ann").unwrap();
    for key in ["id", "meta", "externalId"] {
        ann.as_object_mut().unwrap().remove(key);
    }
    ann
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_has_the_same_value_by_each_of_its_names() {
    let canonical =
        ann("{familyName: [sn], email: [mail], streetAddress: [street], locality: [l]}").await;
    assert_eq!(canonical["name"]["familyName"], "Example");
    assert_eq!(canonical["emails"][0]["value"], "ann@example.com");
    assert_eq!(canonical["addresses"][0]["streetAddress"], "1 Main Street");
    assert_eq!(canonical["addresses"][0]["locality"], "Springfield");
    for mapping in [
        "{familyName: [surname], email: [rfc822Mailbox], streetAddress: [streetAddress], \
         locality: [localityName]}",
        "{familyName: ['2.5.4.4'], email: [RFC822MAILBOX], streetAddress: ['{2.5.4.9}'], \
         locality: ['{localityname}'], userName: [userid], displayName: [commonName], \
         givenName: [gn]}",
    ] {
        assert_eq!(ann(mapping).await, canonical, "{mapping}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_the_directory_does_not_have_is_a_configuration_error() {
    let ldif = include_str!("cases/attribute-names.ldif");
    let people = "users: {searches: [{base: 'ou=People,dc=example,dc=test', filter: FILTER}], \
                  inactiveWhen: {attribute: CONDITION}}
groups: {names: ['aws-*']}";
    let source = |filter: &str, condition: &str| {
        people
            .replace("FILTER", filter)
            .replace("CONDITION", condition)
    };
    let good = source("'(employeeType=staff)'", "employeeType");
    for (source, mapping, expected) in [
        (
            good.clone(),
            "{user: {familyName: [surnam]}}",
            "mapping.user.familyName: the directory has no attribute `surnam`; the nearest is \
             `surname`",
        ),
        (
            good.clone(),
            "{group: {displayName: ['{cn} {descripton}']}}",
            "mapping.group.displayName: the directory has no attribute `descripton`; the nearest \
             is `description`",
        ),
        (
            source("'(employeType=staff)'", "employeeType"),
            "{}",
            "source.users.searches: the directory has no attribute `employeType`",
        ),
        (
            source("'(employeeType=staff)'", "xyzzy"),
            "{}",
            "source.users.inactiveWhen: the directory has no attribute `xyzzy`",
        ),
    ] {
        let mut steps = Steps::new(ldif, &source, &format!("mapping: {mapping}")).await;
        let outcome = steps.next().await;
        assert_eq!((outcome.exit, outcome.writes), (3, 0), "{outcome:?}");
        assert!(outcome.errors.contains(expected), "{}", outcome.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terminated_people_lose_access_and_give_up_their_values_without_a_report() {
    let ldif = include_str!("cases/terminated.ldif");
    let source = "users:
  searches: [{base: 'ou=People,dc=example,dc=test'}]
  inactiveWhen: {attribute: employeeType, values: [terminated]}
groups: {names: ['aws-*']}";
    let mapping = "mapping: {user: {nickName: [jpegPhoto]}}";
    let mut steps = Steps::new(ldif, source, mapping).await;
    for expected in [
        &["ann", "ben", "cem"][..],
        &["ann", "cem"],
        &["ann", "dina"],
    ] {
        let outcome = steps.next().await;
        assert_eq!(outcome.exit, 0, "{outcome:?}");
        assert_eq!(outcome.report["skipped"].as_array().unwrap().len(), 0);
        assert_eq!(steps.active(), expected);
    }
    let dina = steps.stage.simulator.user("dina").unwrap();
    assert_eq!(dina["emails"][0]["value"], "cem@example.com");
}

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

/// An entry below `ou=People`.
fn person(name: &str, uid: &str) -> String {
    format!(
        "dn: cn={name},ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: {uid}
cn: {name}
givenName: {name}
sn: Example
mail: {name}@example.com

"
    )
}

/// Step 1: `ann`, whose `uid` is the only member of a POSIX group. Step 2: `ben` with the same
/// `uid` in another case, and the records of `change`.
fn shared_uid(group: &str, change: &str) -> String {
    format!(
        "# step 1\n\n{}dn: cn={group},ou=Groups,dc=example,dc=test
objectClass: posixGroup
cn: {group}
gidNumber: 1000
memberUid: shared

# step 2\n\n{}{change}",
        person("ann", "shared"),
        person("ben", "Shared"),
    )
}

const NAMED_BY_CN: &str = "mapping: {user: {userName: [cn]}}";

/// The result of a step: the exit code, whether anything was written, the number of skipped
/// entries, the active users and the members of the group.
type Expected<'a> = (i32, &'a str, usize, &'a [&'a str], &'a [&'a str]);

/// Takes one step for each expected result. Each run writes all of its plan.
async fn assert_steps(mut steps: Steps, group: &str, expected: &[Expected<'_>]) {
    for (exit, result, skipped, active, members) in expected {
        let outcome = steps.next().await;
        assert_eq!(outcome.exit, *exit, "{outcome:?}");
        assert_eq!(outcome.report["result"], *result, "{outcome:?}");
        let found = outcome.report["skipped"].as_array().unwrap().len();
        assert_eq!(found, *skipped, "{outcome:?}");
        assert_eq!(steps.active(), *active);
        assert_eq!(steps.members(group), *members);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_that_several_people_have_gives_no_access_and_takes_none() {
    let ldif = shared_uid(
        "aws-posix",
        "# step 3

dn: cn=ann,ou=People,dc=example,dc=test
changetype: modify
add: employeeType
employeeType: left
",
    );
    let source = "users:
  searches: [{base: 'ou=People,dc=example,dc=test'}]
  inactiveWhen: {attribute: employeeType, values: [left]}
groups: {names: ['aws-*']}";
    let expected: [Expected<'_>; 3] = [
        (0, "done", 0, &["ann"], &["ann"]),
        (5, "done", 2, &["ann", "ben"], &["ann"]),
        (0, "done", 0, &["ben"], &["ben"]),
    ];
    let steps = Steps::new(&ldif, source, NAMED_BY_CN).await;
    assert_steps(steps, "aws-posix", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_that_several_people_have_keeps_no_one_who_leaves_the_scope_of_a_search() {
    let ldif = shared_uid(
        "aws-posix",
        "dn: cn=ann,ou=People,dc=example,dc=test
changetype: modrdn
newrdn: cn=ann
deleteoldrdn: 1
newsuperior: ou=Elsewhere,dc=example,dc=test
",
    );
    let expected: [Expected<'_>; 2] = [
        (0, "done", 0, &["ann"], &["ann"]),
        (5, "done", 2, &["ben"], &[]),
    ];
    let steps = Steps::new(&ldif, SEARCHES, NAMED_BY_CN).await;
    assert_steps(steps, "aws-posix", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_that_several_people_have_takes_no_one_out_of_the_scope_of_a_group() {
    let ldif = shared_uid(
        "aws-admins",
        "# step 3

dn: cn=ben,ou=People,dc=example,dc=test
changetype: delete
",
    );
    let expected: [Expected<'_>; 3] = [
        (0, "done", 0, &["ann"], &["ann"]),
        (5, "equal", 2, &["ann"], &["ann"]),
        (0, "equal", 0, &["ann"], &["ann"]),
    ];
    let steps = Steps::new(&ldif, MEMBER_OF, NAMED_BY_CN).await;
    assert_steps(steps, "aws-admins", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_that_keeps_the_old_value_takes_no_one_out_of_the_scope_of_a_group() {
    let ldif = format!(
        "# step 1\n\n{}{}dn: cn=aws-admins,ou=Groups,dc=example,dc=test
objectClass: groupOfNames
cn: aws-admins
member: cn=ann,ou=People,dc=example,dc=test
member: cn=ben,ou=People,dc=example,dc=test

# step 2

dn: cn=ann,ou=People,dc=example,dc=test
changetype: modrdn
newrdn: cn=ann.married
deleteoldrdn: 0
",
        person("ann", "ann"),
        person("ben", "ben"),
    );
    let both = ["ann", "ben"];
    let expected: [Expected<'_>; 2] = [(0, "done", 0, &both, &both), (0, "equal", 0, &both, &both)];
    let steps = Steps::new(&ldif, MEMBER_OF, "").await;
    assert_steps(steps, "aws-admins", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_exchanged_change_hands_in_one_run() {
    let group = |name: &str, member: &str| {
        format!(
            "dn: cn={name},ou=Groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: {name}\n\
             description: aws {name}\nmember: cn={member},ou=People,dc=example,dc=test\n\n"
        )
    };
    let replace = |name: &str, attribute: &str, value: &str| {
        format!(
            "dn: {name},dc=example,dc=test\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n\n"
        )
    };
    let people = ["ann", "ben", "cem"];
    let mut ldif = "# step 1\n\n".to_owned();
    for name in people {
        ldif += &person(name, name);
        ldif += &group(&format!("aws-{name}"), name);
    }
    // User names go round in a circle, addresses and names of groups are exchanged.
    ldif += "# step 2\n\n";
    for (index, name) in people.iter().enumerate() {
        ldif += &replace(
            &format!("cn={name},ou=People"),
            "uid",
            people[(index + 1) % 3],
        );
    }
    for (name, other) in [("ann", "ben"), ("ben", "ann")] {
        let mail = format!("{other}@example.com");
        ldif += &replace(&format!("cn={name},ou=People"), "mail", &mail);
        let description = format!("aws aws-{other}");
        ldif += &replace(
            &format!("cn=aws-{name},ou=Groups"),
            "description",
            &description,
        );
    }
    let mapping = "mapping: {group: {displayName: [description]}}";
    let mut steps = Steps::new(&ldif, SEARCHES, mapping).await;
    assert_eq!(steps.next().await.exit, 0);
    let id = |steps: &Steps, name: &str| steps.stage.simulator.user(name).unwrap()["id"].clone();
    let before: Vec<Value> = people.iter().map(|name| id(&steps, name)).collect();
    let outcome = steps.next_with(&["--confirm-deletes", "100"]).await;
    assert_eq!(outcome.exit, 0, "{outcome:?}");
    for (index, expected) in before.iter().enumerate() {
        assert_eq!(id(&steps, people[(index + 1) % 3]), *expected);
    }
    let mail = |name: &str| steps.stage.simulator.user(name).unwrap()["emails"][0]["value"].clone();
    // `ann` is called `ben` now, and has his address.
    assert_eq!(
        [mail("ben"), mail("cem"), mail("ann")],
        ["ben@example.com", "ann@example.com", "cem@example.com"]
    );
    assert_eq!(steps.members("aws aws-ben"), ["ben"]);
    assert_eq!(steps.members("aws aws-ann"), ["cem"]);
}

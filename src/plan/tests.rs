use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn subject() -> Subject {
    Subject {
        environment: "prod".into(),
        stack_name: "scim".into(),
        account: "111122223333".into(),
        region: "eu-central-1".into(),
    }
}

fn stack(resources: Value) -> Stack {
    Stack::new(json!({"Resources": resources}), &BTreeMap::new(), false)
}

fn update(before: Value, after: Value) -> Plan {
    Plan::new(subject(), Some(&stack(before)), &stack(after))
}

fn notices(before: Value, after: Value) -> Vec<String> {
    update(before, after)
        .notices
        .iter()
        .map(|notice| format!("{:?} {}: {}", notice.severity, notice.subject, notice.text))
        .collect()
}

fn table(policy: &str, key: &str) -> Value {
    json!({"Table": {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "UpdateReplacePolicy": policy,
        "Properties": {"TableName": key},
    }})
}

#[test]
fn nothing_differs_between_a_stack_and_itself() {
    let plan = update(table("Delete", "a"), table("Delete", "a"));
    assert!(plan.is_empty());
    assert_eq!(plan.counts(), Counts::default());
    assert_eq!(plan.approvals(), BTreeSet::new());
}

#[test]
fn a_new_stack_is_all_additions_and_needs_no_approval_by_name() {
    let role = json!({"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Policies": [{"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}],
    }}});
    let plan = Plan::new(subject(), None, &stack(role));
    assert_eq!(plan.action, StackAction::Create);
    assert_eq!(
        plan.counts(),
        Counts {
            add: 1,
            ..Counts::default()
        }
    );
    assert!(plan.permissions.iter().any(PolicyChange::broadens));
    assert_eq!(plan.approvals(), BTreeSet::new());
    assert_eq!(plan.notices, []);
}

#[test]
fn tags_and_protection_are_changes_of_the_stack() {
    let tags = |value: &str| BTreeMap::from([("team".to_owned(), value.to_owned())]);
    let before = Stack::new(json!({"Resources": {}}), &tags("a"), true);
    let after = Stack::new(
        json!({"Resources": {}, "Outputs": {"Url": {"Value": "x"}}}),
        &tags("b"),
        false,
    );
    let plan = Plan::new(subject(), Some(&before), &after);
    let names: Vec<_> = plan
        .stack
        .iter()
        .map(|change| change.name.as_str())
        .collect();
    assert_eq!(names, ["Tags.team", "TerminationProtection", "Outputs"]);
    assert_eq!(plan.action, StackAction::Update);
    assert_eq!(plan.notices[0].text, "the stack can be deleted from now on");
}

#[test]
fn data_that_goes_is_told_first_and_has_to_be_approved() {
    assert_eq!(
        notices(table("Delete", "a"), json!({})),
        ["Loss Table: is removed: all items in it are lost"]
    );
    assert_eq!(
        notices(table("Delete", "a"), table("Delete", "b")),
        ["Loss Table: is replaced by an empty one: all items in it are lost"]
    );
    let plan = update(table("Delete", "a"), json!({}));
    assert_eq!(plan.approvals(), BTreeSet::from([Approval::Replace]));
}

#[test]
fn data_that_is_kept_is_told_too() {
    assert_eq!(
        notices(table("Retain", "a"), json!({})),
        ["Warning Table: is removed; the old one stays in the account, outside the stack (Retain)"]
    );
    assert_eq!(
        update(table("Retain", "a"), json!({})).approvals(),
        BTreeSet::new()
    );
    assert_eq!(
        update(table("Retain", "a"), table("Retain", "b")).approvals(),
        BTreeSet::from([Approval::Replace]),
        "the stack goes on with an empty table"
    );
}

#[test]
fn protection_that_goes_is_told() {
    let table = |protected: bool, policy: &str| {
        json!({"Table": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": policy,
            "Properties": {
                "DeletionProtectionEnabled": protected,
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": protected},
            },
        }})
    };
    assert_eq!(
        notices(table(true, "Retain"), table(false, "Delete")),
        [
            "Warning Table: can be deleted by anybody with the permission from now on",
            "Warning Table: is deleted with the stack from now on, and what it holds with it",
            "Warning Table: its backups are deleted: it cannot be restored to an earlier time any more",
        ]
    );
    assert_eq!(
        notices(table(false, "Delete"), table(true, "Retain")),
        Vec::<String>::new()
    );
}

#[test]
fn a_shorter_retention_deletes_what_is_older() {
    let group = |days: Value| json!({"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}});
    let lost = ["Loss Group: log lines older than 30 days are deleted"];
    assert_eq!(notices(group(json!(365)), group(json!(30))), lost);
    assert_eq!(
        notices(
            json!({"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {}}}),
            group(json!(30))
        ),
        lost
    );
    assert_eq!(
        notices(group(json!(30)), group(json!(365))),
        Vec::<String>::new()
    );
    assert_eq!(
        notices(group(json!(30)), group(json!({"Ref": "Days"}))),
        Vec::<String>::new()
    );
}

#[test]
fn a_rotated_token_and_a_new_address_are_told() {
    let token = |generation: i32| json!({"TokenOkta": {"Type": "Custom::ScimToken", "Properties": {"Generation": generation}}});
    assert_eq!(notices(token(1), token(2)).len(), 1);
    assert_eq!(notices(token(2), token(1)), Vec::<String>::new());
    let stage = |name: &str| json!({"ApiStage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"StageName": name}}});
    assert_eq!(
        notices(stage("dev"), stage("prod")),
        [
            "Warning ApiStage: the endpoint's URL changes: enter the new one at every identity provider"
        ]
    );
}

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::plan::{Stack, Subject};

/// A stack as an older version of a small template left it.
fn before() -> Value {
    json!({"Resources": {
        "ApiStage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
            "StageName": "prod",
            "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 50}],
        }},
        "DirectoryTable": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Delete", "Properties": {"TableName": "old"}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Key": format!("functions/reconciler/{}.zip", "a".repeat(64))},
            "Environment": {"Variables": {"TABLE": {"Ref": "DirectoryTable"}}},
        }},
        "Gone": {"Type": "AWS::Events::Rule", "Properties": {"State": "ENABLED"}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [
                {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": {"Fn::GetAtt": ["DirectoryTable", "Arn"]}},
            ]}}],
        }},
    }})
}

fn after() -> Value {
    json!({"Resources": {
        "ApiStage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
            "StageName": "prod",
            "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 20}],
        }},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "<script>alert(1)</script> | `x`"}},
        "DirectoryTable": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Delete", "Properties": {"TableName": "new"}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Key": format!("functions/reconciler/{}.zip", "b".repeat(64))},
            "Environment": {"Variables": {"TABLE": {"Ref": "DirectoryTable"}}},
        }},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [
                {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Scan"], "Resource": {"Fn::GetAtt": ["DirectoryTable", "Arn"]}},
            ]}}],
        }},
    }})
}

fn stack(template: Value, team: &str) -> Stack {
    Stack::new(
        template,
        &BTreeMap::from([("team".to_owned(), team.to_owned())]),
        true,
    )
}

fn plan(before: Option<Value>, after: Value) -> Plan {
    let subject = Subject {
        environment: "prod".into(),
        stack_name: "scim-prod".into(),
        account: "111122223333".into(),
        region: "eu-central-1".into(),
    };
    let before = before.map(|template| stack(template, "one"));
    Plan::new(subject, before.as_ref(), &stack(after, "two"))
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn text_shows_the_worst_first_and_every_property() {
    insta::assert_snapshot!(plain(&text(&plan(Some(before()), after()), None)), @r"
    scim-prod in account 111122223333, eu-central-1

    Attention
      DATA LOSS  DirectoryTable is replaced by an empty one, and with it go all items in it

    Resources
      -/+ DirectoryTable  AWS::DynamoDB::Table  is replaced
          TableName: old → new (forces the replacement)
      - Gone  AWS::Events::Rule
      ~ ApiStage  AWS::ApiGateway::Stage
          MethodSettings[/*].ThrottlingRateLimit: 50 → 20
      ~ Function  AWS::Lambda::Function
          Code.S3Key: functions/reconciler/aaaaaaaaaaaa….zip → functions/reconciler/bbbbbbbbbbbb….zip
          Environment: changes with DirectoryTable
      ~ Role  AWS::IAM::Role
          Policies[p].PolicyDocument.Statement:
            - {Action: dynamodb:GetItem, Effect: Allow, Resource: !GetAtt DirectoryTable.Arn}
            + {Action: [dynamodb:GetItem, dynamodb:Scan], Effect: Allow, Resource: !GetAtt DirectoryTable.Arn}
          Policies: changes with DirectoryTable
      + Alarm  AWS::CloudWatch::Alarm

    Code
      reconciler: aaaaaaaaaaaa… → bbbbbbbbbbbb…

    API
      all clients together: requests per second 50 → 20

    Permissions (IAM)
      Role, permissions  BROADENED
        ! + allow dynamodb:Scan
            on ${DirectoryTable.Arn}

    Stack
      Tags.team: one → two

    scim-prod: 1 to add, 4 to change (1 by replacement), 1 to remove, and the stack itself changes
    to be approved: --approve iam --approve replace
    ");
}

#[test]
fn text_fits_a_narrow_terminal() {
    let text = plain(&text(&plan(Some(before()), after()), Some(60)));
    insta::assert_snapshot!(text, @r"
    scim-prod in account 111122223333, eu-central-1

    Attention
      DATA LOSS  DirectoryTable is replaced by an empty one, and
        with it go all items in it

    Resources
      -/+ DirectoryTable  AWS::DynamoDB::Table  is replaced
          TableName: old → new (forces the replacement)
      - Gone  AWS::Events::Rule
      ~ ApiStage  AWS::ApiGateway::Stage
          MethodSettings[/*].ThrottlingRateLimit: 50 → 20
      ~ Function  AWS::Lambda::Function
          Code.S3Key:
            - functions/reconciler/aaaaaaaaaaaa….zip
            + functions/reconciler/bbbbbbbbbbbb….zip
          Environment: changes with DirectoryTable
      ~ Role  AWS::IAM::Role
          Policies[p].PolicyDocument.Statement:
            - {Action: dynamodb:GetItem, Effect: Allow, Resourc…
            + {Action: [dynamodb:GetItem, dynamodb:Scan], Effec…
          Policies: changes with DirectoryTable
      + Alarm  AWS::CloudWatch::Alarm

    Code
      reconciler: aaaaaaaaaaaa… → bbbbbbbbbbbb…

    API
      all clients together: requests per second 50 → 20

    Permissions (IAM)
      Role, permissions  BROADENED
        ! + allow dynamodb:Scan
            on ${DirectoryTable.Arn}

    Stack
      Tags.team: one → two

    scim-prod: 1 to add, 4 to change (1 by replacement), 1 to
      remove, and the stack itself changes
    to be approved: --approve iam --approve replace
    ");
}

#[test]
fn a_new_stack_is_a_list_of_resources() {
    insta::assert_snapshot!(plain(&text(&plan(None, after()), Some(80))), @r"
    scim-prod in account 111122223333, eu-central-1

    Resources
      + AWS::ApiGateway::Stage  ApiStage
      + AWS::CloudWatch::Alarm  Alarm
      + AWS::DynamoDB::Table  DirectoryTable
      + AWS::IAM::Role  Role
      + AWS::Lambda::Function  Function

    API
      a stage prod is added

    Permissions (IAM)
      Role, permissions
        + allow dynamodb:GetItem, dynamodb:Scan
            on ${DirectoryTable.Arn}

    scim-prod is made: 5 resources
    ");
}

#[test]
fn nothing_to_do_is_one_line() {
    let subject = plan(None, after()).subject;
    let same = stack(after(), "two");
    insta::assert_snapshot!(text(&Plan::new(subject, Some(&same), &same), None), @"nothing to do: scim-prod stands as prod says");
}

#[test]
fn json_satisfies_its_schema_and_is_read_back() {
    let validator = jsonschema::validator_for(&json_v1::json_schema()).unwrap();
    for plan in [plan(Some(before()), after()), plan(None, after())] {
        let json = json_v1::Plan::from(&plan);
        let value = serde_json::to_value(&json).unwrap();
        if let Err(error) = validator.validate(&value) {
            panic!("{error}");
        }
        assert_eq!(
            serde_json::from_value::<json_v1::Plan>(value).unwrap(),
            json
        );
    }
}

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
      DATA LOSS  DirectoryTable is replaced by an empty one: all items in it are lost

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
      DATA LOSS  DirectoryTable is replaced by an empty one: all
        items in it are lost

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

#[test]
fn markdown_folds_the_details_and_shows_the_worst_first() {
    insta::assert_snapshot!(markdown(&plan(Some(before()), after())), @r"
    **scim-prod: 1 to add, 4 to change (1 by replacement), 1 to remove, and the stack itself changes**

    scim-prod in account 111122223333, eu-central-1

    To be approved: <code>--approve iam --approve replace</code>

    > [!CAUTION]
    > - **DATA LOSS** <code>DirectoryTable</code> is replaced by an empty one: all items in it are lost

    <details><summary>IAM: <code>Role</code> permissions <b>is broadened</b></summary>

    - granted **(broadens)** allow <code>dynamodb:Scan</code> on <code>&#36;{DirectoryTable.Arn}</code>

    </details>

    <details><summary>-/+ <code>DirectoryTable</code> <code>AWS::DynamoDB::Table</code> <b>is replaced</b></summary>

    | Property | Before | After |
    |---|---|---|
    | <code>TableName</code> (forces the replacement) | <code>old</code> | <code>new</code> |

    </details>

    - <code>Gone</code> <code>AWS::Events::Rule</code> <b>is removed</b>

    <details><summary>~ <code>ApiStage</code> <code>AWS::ApiGateway::Stage</code></summary>

    | Property | Before | After |
    |---|---|---|
    | <code>MethodSettings&#91;/&#42;&#93;.ThrottlingRateLimit</code> | <code>50</code> | <code>20</code> |

    </details>

    <details><summary>~ <code>Function</code> <code>AWS::Lambda::Function</code></summary>

    | Property | Before | After |
    |---|---|---|
    | <code>Code.S3Key</code> | <code>functions/reconciler/aaaaaaaaaaaa….zip</code> | <code>functions/reconciler/bbbbbbbbbbbb….zip</code> |
    | <code>Environment</code> |  | changes with <code>DirectoryTable</code> |

    </details>

    <details><summary>~ <code>Role</code> <code>AWS::IAM::Role</code></summary>

    | Property | Before | After |
    |---|---|---|
    | <code>Policies&#91;p&#93;.PolicyDocument.Statement</code> | <code>{Action: dynamodb:GetItem, Effect: Allow, Resource: &#33;GetAtt DirectoryTable.Arn}</code> | <code>{Action: &#91;dynamodb:GetItem, dynamodb:Scan&#93;, Effect: Allow, Resource: &#33;GetAtt DirectoryTable.Arn}</code> |
    | <code>Policies</code> |  | changes with <code>DirectoryTable</code> |

    </details>

    <details><summary>+ 1 made</summary>

    - <code>Alarm</code> <code>AWS::CloudWatch::Alarm</code>

    </details>

    <details><summary>API</summary>

    - <code>all clients together: requests per second 50 → 20</code>

    </details>

    <details><summary>Code</summary>

    | Function | Before | After |
    |---|---|---|
    | <code>reconciler</code> | <code>aaaaaaaaaaaa…</code> | <code>bbbbbbbbbbbb…</code> |

    </details>

    <details><summary>The stack itself</summary>

    | Property | Before | After |
    |---|---|---|
    | <code>Tags.team</code> | <code>one</code> | <code>two</code> |

    </details>
    ");
}

#[test]
fn markdown_of_a_new_stack_lists_what_is_made() {
    insta::assert_snapshot!(markdown(&plan(None, after())), @r"
    **scim-prod is made: 5 resources**

    scim-prod in account 111122223333, eu-central-1

    <details><summary>IAM: <code>Role</code> permissions</summary>

    - granted allow <code>dynamodb:GetItem, dynamodb:Scan</code> on <code>&#36;{DirectoryTable.Arn}</code>

    </details>

    <details><summary>+ 5 made</summary>

    - <code>Alarm</code> <code>AWS::CloudWatch::Alarm</code>
    - <code>ApiStage</code> <code>AWS::ApiGateway::Stage</code>
    - <code>DirectoryTable</code> <code>AWS::DynamoDB::Table</code>
    - <code>Function</code> <code>AWS::Lambda::Function</code>
    - <code>Role</code> <code>AWS::IAM::Role</code>

    </details>

    <details><summary>API</summary>

    - <code>a stage prod is added</code>

    </details>
    ");
}

#[test]
fn html_has_everything_that_text_has_and_no_markup_of_a_template() {
    let page = html(&plan(Some(before()), after()));
    insta::assert_snapshot!(page.split("</style>").nth(1).unwrap(), @r#"
    </head>
    <body>
    <main>
    <header>
    <p class="subject">scim-prod in account 111122223333, eu-central-1</p>
    <h1>scim-prod: 1 to add, 4 to change (1 by replacement), 1 to remove, and the stack itself changes</h1>
    <p>To be approved: <code>--approve iam --approve replace</code></p>
    </header>
    <section>
    <h2>Attention</h2>
    <ul class="notices">
    <li class="loss"><strong>Data loss</strong> <code>DirectoryTable</code> is replaced by an empty one: all items in it are lost</li>
    </ul>
    </section>
    <section>
    <h2>Resources</h2>
    <details class="replace" open>
    <summary><span class="sign">-/+</span> <b>DirectoryTable</b> <span class="type">AWS::DynamoDB::Table</span> <span class="verb">is replaced</span></summary>
    <dl>
    <dt><code>TableName</code> <em>forces the replacement</em></dt>
    <dd><del>old</del></dd>
    <dd><ins>new</ins></dd>
    </dl>
    </details>
    <details class="remove">
    <summary><span class="sign">-</span> <b>Gone</b> <span class="type">AWS::Events::Rule</span> <span class="verb">is removed</span></summary>
    <dl>
    <dt><code>State</code></dt>
    <dd><del>ENABLED</del></dd>
    </dl>
    </details>
    <details class="change" open>
    <summary><span class="sign">~</span> <b>ApiStage</b> <span class="type">AWS::ApiGateway::Stage</span> <span class="verb">is changed</span></summary>
    <dl>
    <dt><code>MethodSettings[/*].ThrottlingRateLimit</code></dt>
    <dd><del>50</del></dd>
    <dd><ins>20</ins></dd>
    </dl>
    </details>
    <details class="change" open>
    <summary><span class="sign">~</span> <b>Function</b> <span class="type">AWS::Lambda::Function</span> <span class="verb">is changed</span></summary>
    <dl>
    <dt><code>Code.S3Key</code></dt>
    <dd><del>functions/reconciler/aaaaaaaaaaaa….zip</del></dd>
    <dd><ins>functions/reconciler/bbbbbbbbbbbb….zip</ins></dd>
    <dt><code>Environment</code></dt>
    <dd>changes with <code>DirectoryTable</code></dd>
    </dl>
    </details>
    <details class="change" open>
    <summary><span class="sign">~</span> <b>Role</b> <span class="type">AWS::IAM::Role</span> <span class="verb">is changed</span></summary>
    <dl>
    <dt><code>Policies[p].PolicyDocument.Statement</code></dt>
    <dd><del>{Action: dynamodb:GetItem, Effect: Allow, Resource: !GetAtt DirectoryTable.Arn}</del></dd>
    <dd><ins>{Action: [dynamodb:GetItem, dynamodb:Scan], Effect: Allow, Resource: !GetAtt DirectoryTable.Arn}</ins></dd>
    <dt><code>Policies</code></dt>
    <dd>changes with <code>DirectoryTable</code></dd>
    </dl>
    </details>
    <details class="add">
    <summary><span class="sign">+</span> <b>Alarm</b> <span class="type">AWS::CloudWatch::Alarm</span> <span class="verb">is made</span></summary>
    <dl>
    <dt><code>AlarmName</code></dt>
    <dd><ins>&lt;script&gt;alert(1)&lt;/script&gt; | `x`</ins></dd>
    </dl>
    </details>
    </section>
    <section>
    <h2>Code</h2>
    <dl>
    <dt><code>reconciler</code></dt>
    <dd><del>aaaaaaaaaaaa…</del></dd>
    <dd><ins>bbbbbbbbbbbb…</ins></dd>
    </dl>
    </section>
    <section>
    <h2>API</h2>
    <ul>
    <li>all clients together: requests per second 50 → 20</li>
    </ul>
    </section>
    <section>
    <h2>Permissions (IAM)</h2>
    <details class="replace" open>
    <summary><b>Role</b> <span class="type">permissions</span> <span class="verb">is broadened</span></summary>
    <dl>
    <dt>granted allow <em>broadens</em></dt>
    <dd><ins>dynamodb:Scan</ins></dd>
    <dd>on <code>${DirectoryTable.Arn}</code></dd>
    </dl>
    </details>
    </section>
    <section>
    <h2>Stack</h2>
    <dl>
    <dt><code>Tags.team</code></dt>
    <dd><del>one</del></dd>
    <dd><ins>two</ins></dd>
    </dl>
    </section>
    </main>
    </body>
    </html>
    "#);
    assert!(!page.contains("<script"));
}

use serde_json::{Value, json};

use super::*;

fn role(statements: Value) -> Value {
    json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}],
    }}}})
}

/// `+` granted, `-` revoked, `!` broadens.
fn lines(before: &Value, after: &Value) -> Vec<String> {
    changes(before, after)
        .iter()
        .flat_map(|change| {
            let line = |sign: &str, permission: &Permission| {
                format!(
                    "{sign}{} {}: {} {}{} on {}{}",
                    if permission.broadens { "!" } else { "" },
                    change.policy,
                    permission.effect,
                    permission
                        .principal
                        .as_ref()
                        .map(|who| format!("{who} "))
                        .unwrap_or_default(),
                    permission.actions.join(" "),
                    permission.resources.join(" "),
                    permission
                        .condition
                        .as_ref()
                        .map(|text| format!(" if {text}"))
                        .unwrap_or_default(),
                )
            };
            change
                .granted
                .iter()
                .map(|permission| line("+", permission))
                .chain(
                    change
                        .revoked
                        .iter()
                        .map(|permission| line("-", permission)),
                )
                .collect::<Vec<_>>()
        })
        .collect()
}

fn allow(actions: Value, resources: Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resources})
}

fn deny(actions: Value, resources: Value) -> Value {
    json!({"Effect": "Deny", "Action": actions, "Resource": resources})
}

fn with_condition(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

#[test]
fn what_grows_is_marked_and_what_shrinks_is_not() {
    let table = json!({"Fn::GetAtt": ["Table", "Arn"]});
    let tls = json!({"Bool": {"aws:SecureTransport": "true"}});
    let cases: Vec<(&str, Value, Value, Vec<&str>)> = vec![
        (
            "a new action",
            json!([allow(json!("a:Get"), table.clone())]),
            json!([allow(json!(["a:Get", "a:Put"]), table.clone())]),
            vec!["+! permissions: Allow a:Put on ${Table.Arn}"],
        ),
        (
            "a new resource",
            json!([allow(json!("a:Get"), json!("one"))]),
            json!([allow(json!("a:Get"), json!(["one", "two"]))]),
            vec!["+! permissions: Allow a:Get on two"],
        ),
        (
            "fewer actions",
            json!([allow(json!(["a:Get", "a:Put"]), json!("one"))]),
            json!([allow(json!("a:Get"), json!("one"))]),
            vec!["- permissions: Allow a:Put on one"],
        ),
        (
            "other statements with the same meaning",
            json!([allow(json!(["a:Get", "a:Put"]), json!("one"))]),
            json!([
                allow(json!("a:Put"), json!(["one"])),
                allow(json!("a:Get"), json!("one"))
            ]),
            vec![],
        ),
        (
            "an action that a wildcard had covered",
            json!([allow(json!("a:*"), json!("*"))]),
            json!([allow(json!("A:Get"), json!("one"))]),
            vec![
                "+ permissions: Allow A:Get on one",
                "- permissions: Allow a:* on *",
            ],
        ),
        (
            "a wildcard in place of a name",
            json!([allow(json!("a:Get"), json!({"Fn::Sub": "${Table.Arn}/x"}))]),
            json!([allow(json!("a:Get"), json!({"Fn::Sub": "${Table.Arn}/*"}))]),
            vec![
                "+! permissions: Allow a:Get on ${Table.Arn}/*",
                "- permissions: Allow a:Get on ${Table.Arn}/x",
            ],
        ),
        (
            "a removed denial",
            json!([
                allow(json!("a:*"), json!("*")),
                deny(json!("a:Delete"), json!("*"))
            ]),
            json!([allow(json!("a:*"), json!("*"))]),
            vec!["-! permissions: Deny a:Delete on *"],
        ),
        (
            "a denial within a wider one",
            json!([deny(json!("a:Delete"), json!("one"))]),
            json!([deny(json!("a:*"), json!("*"))]),
            vec![
                "+ permissions: Deny a:* on *",
                "- permissions: Deny a:Delete on one",
            ],
        ),
        (
            "a removed condition",
            json!([with_condition(
                allow(json!("a:Get"), json!("*")),
                tls.clone()
            )]),
            json!([allow(json!("a:Get"), json!("*"))]),
            vec![
                "+! permissions: Allow a:Get on *",
                "- permissions: Allow a:Get on * if Bool aws:SecureTransport \"true\"",
            ],
        ),
        (
            "an added condition",
            json!([allow(json!("a:Get"), json!("*"))]),
            json!([with_condition(
                allow(json!("a:Get"), json!("*")),
                tls.clone()
            )]),
            vec![
                "+ permissions: Allow a:Get on * if Bool aws:SecureTransport \"true\"",
                "- permissions: Allow a:Get on *",
            ],
        ),
        (
            "one more exempt from a denial",
            json!([with_condition(
                deny(json!("a:Get"), json!("*")),
                json!({"ArnNotLike": {"aws:PrincipalArn": ["one"]}})
            )]),
            json!([with_condition(
                deny(json!("a:Get"), json!("*")),
                json!({"ArnNotLike": {"aws:PrincipalArn": ["one", "two"]}})
            )]),
            vec![
                "+ permissions: Deny a:Get on * if ArnNotLike aws:PrincipalArn [one, two]",
                "-! permissions: Deny a:Get on * if ArnNotLike aws:PrincipalArn one",
            ],
        ),
        (
            "one fewer exempt from a denial",
            json!([with_condition(
                deny(json!("a:Get"), json!("*")),
                json!({"ArnNotLike": {"aws:PrincipalArn": ["one", "two"]}})
            )]),
            json!([with_condition(
                deny(json!("a:Get"), json!("*")),
                json!({"ArnNotLike": {"aws:PrincipalArn": ["one"]}})
            )]),
            vec![
                "+ permissions: Deny a:Get on * if ArnNotLike aws:PrincipalArn one",
                "- permissions: Deny a:Get on * if ArnNotLike aws:PrincipalArn [one, two]",
            ],
        ),
        (
            "fewer exceptions to an allowance",
            json!([{"Effect": "Allow", "NotAction": ["a:Delete", "a:Put"], "Resource": "*"}]),
            json!([{"Effect": "Allow", "NotAction": ["a:Delete"], "Resource": "*"}]),
            vec![
                "+! permissions: Allow all but a:Delete on *",
                "- permissions: Allow all but a:Delete, a:Put on *",
            ],
        ),
        (
            "a statement that nobody can judge",
            json!([]),
            json!([{"Fn::If": ["IsProd", {"Effect": "Allow"}, {"Ref": "AWS::NoValue"}]}]),
            vec!["+! permissions: Unclear !If [IsProd, {Effect: Allow}, !Ref AWS::NoValue] on "],
        ),
    ];
    for (name, before, after, expected) in cases {
        assert_eq!(lines(&role(before), &role(after)), expected, "{name}");
    }
}

#[test]
fn a_statement_may_move_from_one_policy_of_a_role_to_another() {
    let policies = |policies: Value| json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies}}}});
    let policy = |name: &str, statement: Value| json!({"PolicyName": name, "PolicyDocument": {"Statement": [statement]}});
    let (get, put) = (
        allow(json!("a:Get"), json!("*")),
        allow(json!("a:Put"), json!("*")),
    );
    assert_eq!(
        lines(
            &policies(json!([
                policy("one", get.clone()),
                policy("two", put.clone())
            ])),
            &policies(json!([policy("one", put), policy("two", get)])),
        ),
        Vec::<String>::new()
    );
}

#[test]
fn whoever_may_assume_a_role_is_told_apart_from_what_it_may_do() {
    let trust = |principal: Value| {
        json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": {"Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}},
        }}}})
    };
    let lambda = json!({"Service": "lambda.amazonaws.com"});
    assert_eq!(
        lines(&trust(lambda.clone()), &trust(json!({"AWS": "*"}))),
        [
            "+! trust policy: Allow everyone sts:AssumeRole on ",
            "- trust policy: Allow Service lambda.amazonaws.com sts:AssumeRole on ",
        ]
    );
    assert_eq!(
        lines(&trust(json!("*")), &trust(lambda)),
        [
            "+ trust policy: Allow Service lambda.amazonaws.com sts:AssumeRole on ",
            "- trust policy: Allow everyone sts:AssumeRole on ",
        ]
    );
}

#[test]
fn managed_policies_and_boundaries_of_a_role_count() {
    let role = |properties: Value| json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}});
    assert_eq!(
        lines(
            &role(json!({"ManagedPolicyArns": ["one"], "PermissionsBoundary": "b"})),
            &role(json!({"ManagedPolicyArns": ["one", "two"]})),
        ),
        [
            "+! managed policies: Allow whatever the managed policy allows on two",
            "-! permissions boundary: Deny all but what the permissions boundary allows on b",
        ]
    );
}

#[test]
fn detaching_a_policy_that_denies_broadens() {
    let guardrail = |roles: Value| {
        json!({"Resources": {"Guardrail": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
            "PolicyDocument": {"Statement": [deny(json!("connect:DeleteUser"), json!("*"))]},
            "Roles": roles,
        }}}})
    };
    assert_eq!(
        lines(
            &guardrail(json!(["Admin", "Support"])),
            &guardrail(json!(["Admin"]))
        ),
        ["-! permissions of role Support: Deny connect:DeleteUser on *"]
    );
    assert_eq!(
        lines(
            &guardrail(json!(["Admin"])),
            &guardrail(json!(["Admin", "Support"]))
        ),
        ["+ permissions of role Support: Deny connect:DeleteUser on *"]
    );
}

#[test]
fn a_permission_to_call_a_function_is_a_permission() {
    let permission = |source: &str| {
        json!({"Resources": {"Permission": {"Type": "AWS::Lambda::Permission", "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Sub": source},
        }}}})
    };
    assert_eq!(
        lines(&permission("${Api}/prod/*/*"), &permission("${Api}/*/*/*")),
        [
            "+! resource policy: Allow apigateway.amazonaws.com lambda:InvokeFunction on ${Function.Arn} if ArnLike AWS:SourceArn !Sub ${Api}/*/*/*",
            "- resource policy: Allow apigateway.amazonaws.com lambda:InvokeFunction on ${Function.Arn} if ArnLike AWS:SourceArn !Sub ${Api}/prod/*/*",
        ]
    );
}

#[test]
fn an_api_without_a_policy_lets_everybody_in() {
    let api = |policy: Option<Value>| {
        let mut properties = json!({"Name": "scim"});
        if let Some(policy) = policy {
            properties["Policy"] = policy;
        }
        json!({"Resources": {"RestApi": {"Type": "AWS::ApiGateway::RestApi", "Properties": properties}}})
    };
    let restricted = json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
        {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
         "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}},
    ]});
    let denial = "Policy: Deny everyone execute-api:Invoke on execute-api:/* if NotIpAddress aws:SourceIp 203.0.113.0/24";
    assert_eq!(
        lines(&api(None), &api(Some(restricted.clone()))),
        [format!("+ {denial}")]
    );
    assert_eq!(
        lines(&api(Some(restricted)), &api(None)),
        [format!("-! {denial}")]
    );
}

#[test]
fn a_role_that_is_removed_takes_its_permissions_with_it() {
    let before = role(json!([allow(json!("a:Get"), json!("*"))]));
    assert_eq!(
        lines(&before, &json!({"Resources": {}})),
        ["- permissions: Allow a:Get on *"]
    );
}

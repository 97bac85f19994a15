//! What the templates promise, read from their canonical form.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::plan::{Approval, Plan, Stack, Subject};

fn environment(changes: Value) -> Environment {
    let mut environment = json!({
        "account": "111122223333",
        "region": "eu-central-1",
        "stackName": "scim-dev",
        "connect": {"instanceId": "11111111-2222-4333-8444-555555555555"},
    });
    merge(&mut environment, changes);
    serde_json::from_value(environment).unwrap()
}

fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, change) in changes {
                merge(into.entry(key).or_insert(Value::Null), change);
            }
        }
        (into, change) => *into = change,
    }
}

fn code() -> Code {
    Code::Functions(locations())
}

fn locations() -> CodeLocations {
    CodeLocations::from_keys("artifacts", |function| {
        Ok::<_, Error>(format!("functions/{function}/0123456789abcdef.zip"))
    })
    .unwrap()
}

fn render_with(changes: Value, options: &Options) -> Result<Template, Error> {
    Template::render(&environment(changes), &code(), options)
}

fn rendered(changes: Value) -> Value {
    render_with(changes, &Options::default())
        .unwrap()
        .canonical()
        .clone()
}

fn of_type<'a>(template: &'a Value, resource_type: &str) -> Vec<(&'a str, &'a Value)> {
    template["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, resource)| resource["Type"] == resource_type)
        .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
        .collect()
}

fn function_variables(template: &Value) -> &Value {
    &template["Resources"]["UserProvisioningFunction"]["Properties"]["Environment"]["Variables"]
}

/// Ids of the resources that differ.
fn difference(before: &Value, after: &Value) -> Vec<String> {
    let [before, after] =
        [before, after].map(|template| template["Resources"].as_object().unwrap());
    let mut ids: Vec<_> = before
        .keys()
        .chain(after.keys())
        .filter(|id| before.get(*id) != after.get(*id))
        .cloned()
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

#[test]
fn the_resources_of_an_environment_with_two_clients() {
    let template = rendered(json!({"clients": {"okta": {}, "entra-id": {}}}));
    let list: Vec<_> = template["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, resource)| resource["Type"] != "AWS::ApiGateway::GatewayResponse")
        .map(|(id, resource)| format!("{id}: {}", resource["Type"].as_str().unwrap()))
        .collect();
    insta::with_settings!({filters => vec![("ApiDeployment[0-9a-f]{16}", "ApiDeployment[hash]")]}, {
        insta::assert_snapshot!(list.join("\n"), @r"
        AccessLogGroup: AWS::Logs::LogGroup
        ApiDeployment[hash]: AWS::ApiGateway::Deployment
        ApiKeyEntraId: AWS::ApiGateway::ApiKey
        ApiKeyOkta: AWS::ApiGateway::ApiKey
        ApiStage: AWS::ApiGateway::Stage
        AuthorizerFailuresAlarm: AWS::CloudWatch::Alarm
        ConnectThrottlesAlarm: AWS::CloudWatch::Alarm
        Dashboard: AWS::CloudWatch::Dashboard
        DeadLettersAlarm: AWS::CloudWatch::Alarm
        DirectoryTable: AWS::DynamoDB::Table
        GuardrailPolicy: AWS::IAM::ManagedPolicy
        MissingSweepAlarm: AWS::CloudWatch::Alarm
        OldestPendingUserAlarm: AWS::CloudWatch::Alarm
        ReconcileDeadLetterQueue: AWS::SQS::Queue
        ReconcileQueue: AWS::SQS::Queue
        ReconcilerErrorsAlarm: AWS::CloudWatch::Alarm
        ReconcilerFunction: AWS::Lambda::Function
        ReconcilerLogGroup: AWS::Logs::LogGroup
        ReconcilerQueueMapping: AWS::Lambda::EventSourceMapping
        ReconcilerRole: AWS::IAM::Role
        ReconcilerSchedule: AWS::Events::Rule
        ReconcilerSchedulePermission: AWS::Lambda::Permission
        RefusedTokensAlarm: AWS::CloudWatch::Alarm
        RestApi: AWS::ApiGateway::RestApi
        ServerErrorsAlarm: AWS::CloudWatch::Alarm
        TokenAgeAlarm: AWS::CloudWatch::Alarm
        TokenAuthorizer: AWS::ApiGateway::Authorizer
        TokenAuthorizerFunction: AWS::Lambda::Function
        TokenAuthorizerLogGroup: AWS::Logs::LogGroup
        TokenAuthorizerPermission: AWS::Lambda::Permission
        TokenAuthorizerRole: AWS::IAM::Role
        TokenEntraId: Custom::ScimToken
        TokenGeneratorFunction: AWS::Lambda::Function
        TokenGeneratorLogGroup: AWS::Logs::LogGroup
        TokenGeneratorRole: AWS::IAM::Role
        TokenOkta: Custom::ScimToken
        UsagePlanEntraId: AWS::ApiGateway::UsagePlan
        UsagePlanKeyEntraId: AWS::ApiGateway::UsagePlanKey
        UsagePlanKeyOkta: AWS::ApiGateway::UsagePlanKey
        UsagePlanOkta: AWS::ApiGateway::UsagePlan
        UserProvisioningErrorsAlarm: AWS::CloudWatch::Alarm
        UserProvisioningFunction: AWS::Lambda::Function
        UserProvisioningLogGroup: AWS::Logs::LogGroup
        UserProvisioningPermission: AWS::Lambda::Permission
        UserProvisioningRole: AWS::IAM::Role
        UsersMethod: AWS::ApiGateway::Method
        UsersResource: AWS::ApiGateway::Resource
        ");
    });
    let outputs: Vec<_> = template["Outputs"].as_object().unwrap().keys().collect();
    assert_eq!(
        outputs,
        [
            "ApiId",
            "DirectoryTableName",
            "EntraTenantUrl",
            "GuardrailPolicyArn",
            "OktaBaseUrl",
            "StageName",
            "TokenParameterNameEntraId",
            "TokenParameterNameOkta",
            "UserProvisioningFunctionName",
        ]
    );
}

/// The engine lets a condition on a variable that is not there pass as false.
#[test]
fn every_condition_and_loop_of_the_templates_is_on_a_variable_that_is_there() {
    let environment = environment(json!({"drift": {"watch": {}}}));
    let (code, options) = (locations(), Options::default());
    let context = context::Context::new(&environment, &code, &options).unwrap();
    let context = serde_json::to_value(&context).unwrap();
    let scopes = [
        &context,
        &context["clients"][0],
        &context["guardrail"]["statements"][0],
        &context["guardrail"]["statements"][0]["conditions"][0],
        &context["guardrail"]["statements"][0]["conditions"][0]["keys"][0],
        // Given by the caller of a partial, and by a loop.
        &json!({"below": 0, "challenge": 0, "retryAfter": 0, "@first": 0}),
    ];
    for (file, text) in engine::PARTIALS {
        for block in ["{{#if ", "{{#unless ", "{{#each "] {
            for (start, _) in text.match_indices(block) {
                let variable = text[start + block.len()..].split("}}").next().unwrap();
                let pointer = format!("/{}", variable.trim_start_matches("../").replace('.', "/"));
                assert!(
                    scopes.iter().any(|scope| scope.pointer(&pointer).is_some()),
                    "{file}: {variable}"
                );
            }
        }
    }
}

#[test]
fn the_same_input_gives_the_same_text() {
    let render = || render_with(json!({}), &Options::default()).unwrap();
    assert_eq!(render().text(), render().text());
}

#[test]
fn the_canonical_form_is_that_of_the_text() {
    let template = render_with(json!({}), &Options::default()).unwrap();
    assert_eq!(&canonical(template.text()).unwrap(), template.canonical());
    assert_eq!(
        &canonical(&template.canonical().to_string()).unwrap(),
        template.canonical()
    );
}

#[test]
fn a_changed_throttle_changes_the_stage_and_the_usage_plan_only() {
    let before = rendered(json!({}));
    let after = rendered(json!({"api": {"throttle": {"rate": 12.5, "burst": 25}}}));
    assert_eq!(difference(&before, &after), ["ApiStage", "UsagePlanIdp"]);
}

#[test]
fn a_changed_method_makes_a_new_deployment_and_moves_the_stage_to_it() {
    let before = rendered(json!({}));
    let after = rendered(json!({"api": {"requireApiKey": false}}));
    let [old, new] = [&before, &after].map(|template| {
        let [(id, _)] = of_type(template, "AWS::ApiGateway::Deployment")[..] else {
            panic!("one deployment");
        };
        assert_eq!(
            template["Resources"]["ApiStage"]["Properties"]["DeploymentId"]["Ref"],
            id
        );
        id
    });
    assert_ne!(old, new);
    assert_eq!(difference(&before, &after), {
        let mut ids = vec![old, new, "ApiStage", "UsersMethod"];
        ids.sort_unstable();
        ids
    });
}

#[test]
fn the_deployment_waits_for_every_method_and_gateway_response() {
    let template = rendered(json!({}));
    let [(deployment, _)] = of_type(&template, "AWS::ApiGateway::Deployment")[..] else {
        panic!("one deployment");
    };
    let mut awaited: Vec<_> = [
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
    ]
    .iter()
    .flat_map(|resource_type| of_type(&template, resource_type))
    .map(|(id, _)| id)
    .collect();
    awaited.sort_unstable();
    assert_eq!(
        template["Resources"][deployment]["DependsOn"],
        json!(awaited)
    );
}

#[test]
fn the_functions_are_told_of_attributes_only_where_the_environment_says_something() {
    let usual = rendered(json!({"provisioning": {"attributes": {"firstName": "name.givenName"}}}));
    assert!(
        function_variables(&usual)
            .get("ATTRIBUTE_MAPPING")
            .is_none()
    );
    let mapping = json!({"mobile": "phoneNumbers[type eq \"work\"].value", "hierarchyGroup": []});
    let template = rendered(json!({"provisioning": {"attributes": mapping}}));
    for function in ["UserProvisioningFunction", "ReconcilerFunction"] {
        let variables = &template["Resources"][function]["Properties"]["Environment"]["Variables"];
        let told = variables["ATTRIBUTE_MAPPING"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(told).unwrap(), mapping);
    }
}

#[test]
fn the_functions_get_the_group_mapping_only_if_the_environment_has_one() {
    let usual = rendered(json!({"provisioning": {"groups": {}, "unmappedGroups": "reject"}}));
    let variables = function_variables(&usual);
    assert!(variables.get("GROUP_MAPPING").is_none(), "{variables}");
    assert!(variables.get("UNMAPPED_GROUPS").is_none(), "{variables}");

    let template = rendered(json!({"provisioning": {
        "groups": {"Führung \"A\" ${x}": ["Agent", "CallCenterManager"], "agents": "Agent"},
        "unmappedGroups": "accept",
    }}));
    for function in ["UserProvisioningFunction", "ReconcilerFunction"] {
        let variables = &template["Resources"][function]["Properties"]["Environment"]["Variables"];
        let mapping = variables["GROUP_MAPPING"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(mapping).unwrap(),
            json!({"Führung \"A\" ${x}": ["Agent", "CallCenterManager"], "agents": ["Agent"]})
        );
        assert_eq!(variables["UNMAPPED_GROUPS"], "accept");
    }
    let unmapped_only = rendered(json!({"provisioning": {"unmappedGroups": "accept"}}));
    assert_eq!(
        function_variables(&unmapped_only)["UNMAPPED_GROUPS"],
        "accept"
    );
}

#[test]
fn the_usage_plan_binds_callers_that_send_no_key() {
    let template = rendered(json!({}));
    assert_eq!(
        template["Resources"]["RestApi"]["Properties"]["ApiKeySourceType"],
        "AUTHORIZER"
    );
    assert_eq!(
        template["Resources"]["UsersMethod"]["Properties"]["ApiKeyRequired"],
        true
    );
    // The value that the authorizer returns is the key's.
    let key = &template["Resources"]["ApiKeyIdp"]["Properties"]["Value"]["Fn::Sub"];
    let clients = &template["Resources"]["TokenAuthorizerFunction"]["Properties"]["Environment"]["Variables"]
        ["TOKEN_CLIENTS"]["Fn::Sub"];
    assert_eq!(key[1], clients[1]);
    let clients: Value = serde_json::from_str(clients[0].as_str().unwrap()).unwrap();
    assert_eq!(clients[0]["usageIdentifierKey"], key[0]);
}

/// The authorizer's list of clients, and what its API Gateway lets through to it.
fn authorizer_of(template: &Value) -> (Value, &str) {
    let function = &template["Resources"]["TokenAuthorizerFunction"]["Properties"];
    let clients = &function["Environment"]["Variables"]["TOKEN_CLIENTS"]["Fn::Sub"][0];
    let authorizer = &template["Resources"]["TokenAuthorizer"]["Properties"];
    (
        serde_json::from_str(clients.as_str().unwrap()).unwrap(),
        authorizer["IdentityValidationExpression"].as_str().unwrap(),
    )
}

fn jwt() -> Value {
    json!({
        "issuer": "https://login.example.com/$a/",
        "audience": "a${b}'\"\\",
        "requiredScope": "scim.write",
        "requiredClientId": "00000000-0000-4000-8000-000000000001",
    })
}

#[test]
fn a_client_with_jwts_has_no_token_of_ours() {
    let template = rendered(json!({"clients": {"entra": {"jwt": jwt()}}}));
    assert!(of_type(&template, "Custom::ScimToken").is_empty());
    assert!(template["Outputs"].get("TokenParameterNameEntra").is_none());
    assert_eq!(of_type(&template, "AWS::ApiGateway::UsagePlan").len(), 1);
    let role = &template["Resources"]["TokenAuthorizerRole"]["Properties"];
    assert!(!role.to_string().contains("ssm:"), "{role}");

    let (clients, _) = authorizer_of(&template);
    let mut told = jwt();
    told["audience"] = "a${!b}'\"\\".into();
    assert_eq!(
        clients,
        json!([{
            "client": "entra",
            "usageIdentifierKey": "${StackUuid}-entra",
            "jwt": told,
        }])
    );
}

#[test]
fn a_client_whose_token_is_kept_elsewhere_is_let_in_and_its_token_left_alone() {
    let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scim/a-AbCdEf";
    let key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555";
    let template = rendered(json!({"clients": {
        "a": {"token": {"secretArn": secret, "secretKey": "token", "kmsKeyArn": key}},
        "b": {"token": {"parameterName": "/vault/b"}},
    }}));
    assert!(of_type(&template, "Custom::ScimToken").is_empty());
    let (clients, _) = authorizer_of(&template);
    assert_eq!(
        clients,
        json!([
            {
                "client": "a",
                "secretArn": secret,
                "secretKey": "token",
                "usageIdentifierKey": "${StackUuid}-a",
            },
            {
                "client": "b",
                "parameterName": "/vault/b",
                "usageIdentifierKey": "${StackUuid}-b",
            },
        ])
    );
    let role = &template["Resources"]["TokenAuthorizerRole"]["Properties"]["Policies"][0];
    let statements = role["PolicyDocument"]["Statement"].as_array().unwrap();
    let statement = |sid: &str| {
        let found = statements.iter().find(|statement| statement["Sid"] == sid);
        found.unwrap_or_else(|| panic!("no {sid} in {role}"))
    };
    let parameters = statement("ReadTokens")["Resource"].to_string();
    assert!(parameters.contains("parameter/vault/b"), "{parameters}");
    assert!(!parameters.contains("token/a"), "{parameters}");
    assert_eq!(statement("ReadSecretA")["Resource"], secret);
    assert_eq!(statement("DecryptTokenA")["Resource"], key);
    assert!(statement("DecryptTokenA")["Condition"]["StringEquals"]["kms:ViaService"].is_array());
}

#[test]
fn clients_of_both_kinds_are_told_to_the_authorizer() {
    let template = rendered(json!({"clients": {"okta": {}, "entra": {"jwt": jwt()}}}));
    let (clients, _) = authorizer_of(&template);
    assert!(clients[0].get("parameterName").is_none());
    assert_eq!(
        clients[1],
        json!({
            "client": "okta",
            "parameterName": "/connect-scim/scim-dev/token/okta",
            "usageIdentifierKey": "${StackUuid}-okta",
        })
    );
    let tokens = of_type(&template, "Custom::ScimToken");
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].0, "TokenOkta");
}

#[test]
fn only_what_a_client_can_have_gets_through_to_the_authorizer() {
    let token = "a".repeat(43);
    let jwt_of = |signature: usize| {
        let part = "e".repeat(20);
        format!("{part}.{part}.{}", "s".repeat(signature))
    };
    for (clients, tokens, jwts) in [
        (json!({"okta": {}}), true, false),
        (json!({"entra": {"jwt": jwt()}}), false, true),
        (json!({"okta": {}, "entra": {"jwt": jwt()}}), true, true),
    ] {
        let template = rendered(json!({ "clients": clients }));
        let (_, expression) = authorizer_of(&template);
        let expression = regex_lite::Regex::new(expression).unwrap();
        for (header, passes) in [
            (format!("Bearer {token}"), tokens),
            (format!("bearer {token}"), tokens),
            (format!("BEARER {}", jwt_of(86)), jwts),
            (format!("Bearer {}", &token[1..]), false),
            (format!("Bearer {}", jwt_of(86)), jwts),
            (format!("Bearer {}", jwt_of(1366)), jwts),
            (format!("Bearer {}", jwt_of(0)), false),
            (format!("Bearer {}", jwt_of(1367)), false),
            (format!("Bearer {}.{token}", jwt_of(86)), false),
            (format!("x Bearer {}", jwt_of(86)), false),
            (format!("Bearer {} x", jwt_of(86)), false),
        ] {
            assert_eq!(
                expression.is_match(&header),
                passes,
                "{expression}: {header}"
            );
        }
    }
}

/// RFC 7644, section 3.12.
#[test]
fn every_gateway_response_is_a_scim_error_of_its_own_status() {
    let template = rendered(json!({}));
    let responses = of_type(&template, "AWS::ApiGateway::GatewayResponse");
    // All that API Gateway has: a type without a response would fall back to another
    // type's body, which names another status.
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    assert_eq!(responses.len(), 21);
    for (id, response) in responses {
        let body = response["ResponseTemplates"]["application/json"]
            .as_str()
            .unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
            "{id}"
        );
        assert_eq!(body["status"], response["StatusCode"], "{id}");
        assert!(!body["detail"].as_str().unwrap().is_empty(), "{id}");
        let headers = &response["ResponseParameters"];
        assert_eq!(
            headers["gatewayresponse.header.Content-Type"], "'application/scim+json'",
            "{id}"
        );
        assert_eq!(
            headers
                .get("gatewayresponse.header.WWW-Authenticate")
                .is_some(),
            response["StatusCode"] == "401",
            "{id}"
        );
        if response["StatusCode"] == "429" {
            assert!(
                headers.get("gatewayresponse.header.Retry-After").is_some(),
                "{id}"
            );
        }
    }
}

#[test]
fn a_protected_environment_keeps_its_directory() {
    for (protected, policy) in [(false, "Delete"), (true, "Retain")] {
        let template = rendered(json!({ "protected": protected }));
        let table = &template["Resources"]["DirectoryTable"];
        assert_eq!(table["DeletionPolicy"], policy);
        assert_eq!(table["UpdateReplacePolicy"], policy);
        assert_eq!(table["Properties"]["DeletionProtectionEnabled"], protected);
    }
}

#[test]
fn the_account_wide_logging_role_is_there_on_request_only_and_outlives_the_stack() {
    let template = rendered(json!({}));
    assert!(of_type(&template, "AWS::ApiGateway::Account").is_empty());
    let options = Options {
        account_logging_role: true,
        ..Options::default()
    };
    let template = render_with(json!({}), &options).unwrap();
    for id in ["ApiGatewayAccount", "ApiGatewayLoggingRole"] {
        assert_eq!(
            template.canonical()["Resources"][id]["DeletionPolicy"],
            "Retain"
        );
    }
}

#[test]
fn functions_and_outputs_of_the_local_cloud_use_its_addresses() {
    let options = Options {
        local_cloud: Some(LocalCloud {
            connect_endpoint: "http://127.0.0.1:4000".into(),
            base_url: "http://127.0.0.1:4566/restapis/{apiId}/{stage}/_user_request_".into(),
        }),
        ..Options::default()
    };
    let template = render_with(json!({}), &options).unwrap();
    let variables = function_variables(template.canonical());
    assert_eq!(
        variables["AWS_ENDPOINT_URL_CONNECT"],
        "http://127.0.0.1:4000"
    );
    assert_eq!(
        variables["SCIM_BASE_URL"],
        "http://127.0.0.1:4566/restapis/{apiId}/{stage}/_user_request_"
    );
    assert_eq!(
        template.canonical()["Outputs"]["OktaBaseUrl"]["Value"]["Fn::Sub"],
        "http://127.0.0.1:4566/restapis/${RestApi}/dev/_user_request_/scim/v2"
    );
}

#[test]
fn access_logs_hold_no_path_and_no_query() {
    let template = rendered(json!({}));
    let format = template["Resources"]["ApiStage"]["Properties"]["AccessLogSetting"]["Format"]
        .as_str()
        .unwrap();
    assert!(
        serde_json::from_str::<Value>(&format.replace("$context.requestTimeEpoch", "1")).is_ok()
    );
    for variable in [
        "$context.path",
        "$context.customDomain",
        "$input",
        "querystring",
    ] {
        assert!(!format.contains(variable), "{variable}");
    }
}

#[test]
fn a_value_that_cloudformation_would_replace_is_refused() {
    let error = render_with(
        json!({"connect": {"defaultRoutingProfile": "{{resolve:ssm:/secret}}"}}),
        &Options::default(),
    )
    .unwrap_err();
    insta::assert_snapshot!(error, @"the value at /Resources/ReconcilerFunction/Properties/Environment/Variables/DEFAULT_ROUTING_PROFILE contains `{{resolve:`, which CloudFormation takes for a dynamic reference");
}

#[test]
fn alarms_tell_the_topic_that_the_environment_names_and_nobody_else() {
    for topic in [
        None,
        Some("arn:aws:sns:eu-central-1:111122223333:operations"),
    ] {
        let template = rendered(json!({"alarms": {"topicArn": topic}}));
        let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
        assert_eq!(alarms.len(), 10);
        for (id, alarm) in alarms {
            for actions in ["AlarmActions", "OKActions"] {
                let expected = topic.map(|topic| json!([topic]));
                assert_eq!(alarm.get(actions), expected.as_ref(), "{id} {actions}");
            }
        }
    }
}

#[test]
fn no_data_is_an_alarm_only_where_the_sweep_should_have_measured() {
    let template = rendered(json!({}));
    for (id, alarm) in of_type(&template, "AWS::CloudWatch::Alarm") {
        let expected = match id {
            "MissingSweepAlarm" => ("breaching", "LessThanThreshold"),
            _ => ("notBreaching", "GreaterThanOrEqualToThreshold"),
        };
        assert_eq!(alarm["TreatMissingData"], expected.0, "{id}");
        assert_eq!(alarm["ComparisonOperator"], expected.1, "{id}");
    }
    let sweep = &template["Resources"]["MissingSweepAlarm"]["Properties"];
    assert_eq!(sweep["MetricName"], "PendingUsers");
    assert_eq!(sweep["Statistic"], "SampleCount");
}

#[test]
fn the_limits_of_the_environment_are_those_of_the_alarms() {
    let template = rendered(json!({"alarms": {"tokenMaxAgeDays": 90, "pendingMaxMinutes": 30}}));
    for (id, limit) in [("TokenAgeAlarm", 90), ("OldestPendingUserAlarm", 30 * 60)] {
        assert_eq!(template["Resources"][id]["Properties"]["Threshold"], limit);
    }
}

#[test]
fn the_dashboard_is_json_and_shows_every_alarm() {
    for template in [rendered(json!({})), assigned(&[])] {
        let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
        let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
        let shown = body["widgets"][0]["properties"]["alarms"]
            .as_array()
            .unwrap();
        let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
        assert_eq!(shown.len(), alarms.len());
        for (id, _) in alarms {
            assert!(shown.contains(&json!(format!("${{{id}.Arn}}"))), "{id}");
        }
    }
}

#[test]
fn failed_runs_and_skipped_entries_of_a_sync_have_an_alarm_each() {
    let template = assigned(&[]);
    let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
    let alarms: BTreeMap<_, _> = alarms
        .into_iter()
        .map(|(id, alarm)| {
            let comparison = [&alarm["MetricName"], &alarm["ComparisonOperator"]];
            let comparison = comparison.map(|value| value.as_str().unwrap());
            (id, (comparison, alarm["Threshold"].as_u64().unwrap()))
        })
        .collect();
    let (above, below) = ("GreaterThanOrEqualToThreshold", "LessThanThreshold");
    let expected = [
        ("DeletionsRefusedAlarm", (["DeletionsRefused", above], 1)),
        ("FailedRunAlarm", (["FailedRuns", above], 1)),
        ("MissingRunAlarm", (["SuccessfulRuns", below], 1)),
        ("SkippedEntriesAlarm", (["SkippedEntries", above], 1)),
        ("TokenExpiryAlarm", (["TokenDaysLeft", below], 90)),
    ];
    assert_eq!(alarms, expected.into());
}

#[test]
fn every_statement_of_the_functions_roles_names_its_actions() {
    for tracing in [false, true] {
        let template = rendered(json!({"api": {"tracing": tracing}}));
        for (id, role) in of_type(&template, "AWS::IAM::Role") {
            for policy in role["Policies"].as_array().unwrap() {
                for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
                    let sid = &statement["Sid"];
                    assert!(!statement["Action"].to_string().contains('*'), "{id} {sid}");
                    // X-Ray has no resources.
                    assert_eq!(statement["Resource"] == "*", sid == "Trace", "{id} {sid}");
                }
            }
        }
    }
}

fn arrives_literally(value: &str) {
    let template = rendered(json!({"connect": {"defaultRoutingProfile": value}}));
    assert_eq!(
        function_variables(&template)["DEFAULT_ROUTING_PROFILE"],
        value
    );
}

#[test]
fn a_hostile_value_arrives_as_it_is() {
    for value in [
        r#"a "quoted" name"#,
        "it's",
        "a: b # c",
        "- x",
        "{{name}}",
        "{{{{",
        "\\n",
        "!Sub ${AWS::AccountId}",
        "${!x}",
        "&a *a",
        "yes",
        "0x1F",
        "2026-01-01",
        "Müller 😀 \u{85}x\u{2028}x\u{feff}x",
        "%YAML 1.1",
        "<b>&amp;</b>",
    ] {
        arrives_literally(value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_valid_value_arrives_as_it_is(value in "[^\\x00-\\x1f\\x7f\\s]\\PC{0,30}[^\\x00-\\x1f\\x7f\\s]") {
        prop_assume!(!value.contains("{{resolve:"));
        arrives_literally(&value);
    }
}

#[test]
fn edits_by_others_are_told_to_a_topic_of_the_stack_or_to_the_one_that_is_named() {
    let made = |template: &Value| -> Vec<String> {
        let resources = template["Resources"].as_object().unwrap();
        let ids = resources.keys().filter(|id| id.starts_with("UserEdits"));
        ids.cloned().collect()
    };
    assert_eq!(made(&rendered(json!({}))), Vec::<String>::new());

    let own = rendered(json!({"drift": {"watch": {}}}));
    assert_eq!(
        made(&own),
        ["UserEditsRule", "UserEditsTopic", "UserEditsTopicPolicy"]
    );
    let rule = |template: &Value| template["Resources"]["UserEditsRule"]["Properties"].clone();
    assert_eq!(
        rule(&own)["Targets"][0]["Arn"],
        json!({"Ref": "UserEditsTopic"})
    );
    assert_eq!(
        own["Outputs"]["UserEditsTopicArn"]["Value"],
        json!({"Ref": "UserEditsTopic"})
    );
    let statement =
        &own["Resources"]["UserEditsTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
    assert_eq!(
        *statement,
        json!({
            "Sid": "EventBridge",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": {"Ref": "UserEditsTopic"},
        }),
        "EventBridge meets no condition of a topic"
    );

    let topic = "arn:aws:sns:eu-central-1:111122223333:operations";
    let named = rendered(json!({"drift": {"watch": {"topicArn": topic}}}));
    assert_eq!(made(&named), ["UserEditsRule"]);
    assert_eq!(rule(&named)["Targets"][0]["Arn"], topic);
    assert!(named["Outputs"].get("UserEditsTopicArn").is_none());
    assert_eq!(
        rule(&own)["EventPattern"],
        rule(&named)["EventPattern"],
        "what is told does not depend on who is told"
    );
}

#[test]
fn the_pattern_of_edits_by_others_has_the_guardrails_actions_and_fits_the_service() {
    let template = rendered(json!({"drift": {"watch": {}}}));
    let pattern = &template["Resources"]["UserEditsRule"]["Properties"]["EventPattern"];
    insta::assert_snapshot!(pattern["detail"]["eventName"], @r#"["CreateUser","DeleteUser","AssociateUserProficiencies","DisassociateUserProficiencies","TagResource","UntagResource","AssociateTrafficDistributionGroupUser","DisassociateTrafficDistributionGroupUser","CreateUserHierarchyGroup","DeleteUserHierarchyGroup","CreateSecurityProfile","UpdateSecurityProfile","DeleteSecurityProfile","AssociateSecurityProfiles","DisassociateSecurityProfiles","CreateAuthenticationProfile","UpdateAuthenticationProfile","AdminGetEmergencyAccessToken","DeleteInstance",{"prefix":"UpdateUser"}]"#);
    // The most characters of a pattern that every account may have, each role's ARN
    // counted as the longest that there is.
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    let text = pattern.to_string();
    let longest = "arn:aws-us-gov:iam::111122223333:role/".len() + 64;
    assert!(text.len() + 2 * longest <= 2048, "{}", text.len());
}

/// A directory sync with two groups that get into accounts.
fn assigning() -> Environment {
    let text = "account: '111122223333'
region: eu-central-1
stackName: directory-sync
directorySync:
  owner: corp
  source:
    servers: [ldaps://dc1.corp.example.com]
    bindName: reader@corp.example.com
    searchBases: ['DC=corp,DC=example,DC=com']
    users: {memberOf: [aws-users]}
  target: {endpoint: 'https://scim.example.com/scim/v2/'}
task:
  network:
    vpcId: vpc-0123456789abcdef0
    subnetIds: [subnet-0123456789abcdef0]
    directoryCidrs: [10.0.0.0/16]
assignments:
  instanceArn: arn:aws:sso:::instance/ssoins-1234567890abcdef
  identityStoreId: d-1234567890
  permissionSets:
    Reader: {managedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess']}
  groups:
    aws-readers:
      - {permissionSet: Reader, accounts: ['111122223333', '444455556666']}
    aws-new:
      - {permissionSet: Reader, accounts: ['111122223333']}
";
    Environment::parse("test.yaml", text).unwrap()
}

fn assigned(groups: &[(&str, &str)]) -> Value {
    let options = Options {
        groups: groups
            .iter()
            .map(|(name, id)| ((*name).to_owned(), (*id).to_owned()))
            .collect(),
        ..Options::default()
    };
    let image = Code::Image(format!("sha256:{}", "a".repeat(64)));
    let template = Template::render(&assigning(), &image, &options);
    template.unwrap().canonical().clone()
}

#[test]
fn a_group_gets_into_accounts_once_it_has_an_id() {
    let template = assigned(&[("aws-readers", "11111111-2222-4333-8444-555555555555")]);
    let [(reader, _)] = of_type(&template, "AWS::SSO::PermissionSet")[..] else {
        panic!("one permission set");
    };
    let accounts: BTreeSet<_> = of_type(&template, "AWS::SSO::Assignment")
        .into_iter()
        .map(|(id, assignment)| {
            let permission_set = json!({"Fn::GetAtt": [reader, "PermissionSetArn"]});
            assert_eq!(assignment["PermissionSetArn"], permission_set);
            let metadata = &template["Resources"][id]["Metadata"];
            assert_eq!(metadata["Group"], "aws-readers");
            assignment["TargetId"].as_str().unwrap()
        })
        .collect();
    assert_eq!(accounts, BTreeSet::from(["111122223333", "444455556666"]));
}

#[test]
fn a_plan_says_who_gains_and_loses_access_and_asks_before_somebody_gains_it() {
    let plan = |before: Value, after: Value| {
        let subject = Subject {
            environment: "directory".to_owned(),
            stack_name: "directory-sync".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        let stack = |template| Stack::new(template, &BTreeMap::new(), false);
        let plan = Plan::new(subject, Some(&stack(before)), &stack(after));
        let notices: Vec<_> = plan
            .notices
            .iter()
            .map(|notice| format!("{} {}", notice.subject, notice.text))
            .collect();
        (notices, plan.approvals())
    };
    let readers = ("aws-readers", "11111111-2222-4333-8444-555555555555");
    let new = ("aws-new", "66666666-7777-4888-8999-aaaaaaaaaaaa");
    let (few, all) = (assigned(&[readers]), assigned(&[readers, new]));
    let (notices, approvals) = plan(few.clone(), all.clone());
    assert_eq!(
        notices,
        ["aws-new gains Reader in the account 111122223333"]
    );
    assert_eq!(approvals, BTreeSet::from([Approval::Iam]));
    let (notices, approvals) = plan(all, few.clone());
    assert_eq!(
        notices,
        ["aws-new loses Reader in the account 111122223333"]
    );
    assert_eq!(approvals, BTreeSet::new());
    let (notices, approvals) = plan(few, assigned(&[(readers.0, new.1)]));
    assert!(notices[0].contains("is another group now"), "{notices:?}");
    assert!(approvals.contains(&Approval::Iam));
}

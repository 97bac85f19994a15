use super::*;

fn stack() -> DeployedStack {
    let template = json!({"Resources": {
        "RestApi": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"ApiKeySourceType": "AUTHORIZER"}},
        "Users": {"Type": "AWS::ApiGateway::Resource", "Properties": {
            "RestApiId": {"Ref": "RestApi"},
            "ParentId": {"Fn::GetAtt": ["RestApi", "RootResourceId"]},
            "PathPart": "{Users+}",
        }},
        "Method": {"Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": {"Ref": "RestApi"},
            "ResourceId": {"Ref": "Users"},
            "HttpMethod": "ANY",
            "AuthorizationType": "CUSTOM",
            "AuthorizerId": {"Ref": "Authorizer"},
            "ApiKeyRequired": true,
        }},
        "Authorizer": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {
            "RestApiId": {"Ref": "RestApi"}, "Type": "TOKEN",
        }},
        "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "RestApi"}}},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": {"Ref": "RestApi"},
            "DeploymentId": {"Ref": "Deployment"},
            "StageName": "scim",
            "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 25}],
        }},
        "Response": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {
            "RestApiId": {"Ref": "RestApi"}, "ResponseType": "UNAUTHORIZED", "StatusCode": "401",
        }},
        "Plan": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {"Throttle": {"RateLimit": 25}}},
    }});
    let ids = [
        ("RestApi", "api-1"),
        ("Users", "users-1"),
        ("Method", "method-1"),
        ("Authorizer", "authorizer-1"),
        ("Deployment", "deployment-1"),
        ("Stage", "scim"),
        ("Response", "made-up"),
        ("Plan", "plan-1"),
    ]
    .map(|(logical, physical)| (logical.to_owned(), physical.to_owned()));
    let id = "arn:aws:cloudformation:eu-central-1:444455556666:stack/scim/9f1c";
    DeployedStack::new(id, template, ids.into()).unwrap()
}

fn one(id: &str, properties: Value) -> Map<String, Value> {
    Map::from_iter([(id.to_owned(), properties)])
}

fn live() -> Live {
    let name = "ANY /{Users+}".to_owned();
    let settings = json!([{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 25.0}]);
    let method = json!({"AuthorizationType": "CUSTOM", "AuthorizerId": "authorizer-1", "ApiKeyRequired": true});
    let served = json!({"AuthorizationType": "CUSTOM", "ApiKeyRequired": true});
    Live {
        properties: json!({"ApiKeySourceType": "AUTHORIZER"}),
        methods: [(name.clone(), method)].into(),
        stages: one(
            "scim",
            json!({"DeploymentId": "deployment-1", "MethodSettings": settings, "AccessLogSetting": null}),
        ),
        snapshots: [("scim".to_owned(), [(name, served)].into())].into(),
        authorizers: one("authorizer-1", json!({"Type": "TOKEN"})),
        gateway_responses: one("UNAUTHORIZED", json!({"StatusCode": "401"})),
        usage_plans: one("plan-1", json!({"Throttle": {"RateLimit": 25.0}})),
    }
}

fn found(live: &Live) -> Vec<String> {
    let stack = stack();
    let api = stack.resources("AWS::ApiGateway::RestApi").remove(0);
    let deployed = Deployed {
        api: &api,
        stack: &stack,
    };
    deployed
        .findings(live)
        .into_iter()
        .map(|finding| finding.id)
        .collect()
}

#[test]
fn an_api_as_it_was_deployed_has_no_finding() {
    assert_eq!(found(&live()), Vec::<String>::new());
}

#[test]
fn every_tampering_is_found_and_named() {
    const METHOD: &str = "ANY /{Users+}";
    type Tampering<'a> = &'a dyn Fn(&mut Live);
    let method = |live: &mut Live, property: &str, value: Value| {
        live.methods.get_mut(METHOD).unwrap()[property] = value;
    };
    let cases: [(Tampering<'_>, &str); 15] = [
        (
            &|live| live.properties["ApiKeySourceType"] = json!("HEADER"),
            "api.ApiKeySourceType:RestApi",
        ),
        (
            &|live| method(live, "AuthorizationType", json!("NONE")),
            "api.AuthorizationType:Method",
        ),
        (
            &|live| method(live, "ApiKeyRequired", json!(false)),
            "api.ApiKeyRequired:Method",
        ),
        (&|live| live.methods.clear(), "api.method:Method"),
        (
            &|live| drop(live.methods.insert("GET /open".to_owned(), json!({}))),
            "api.method:RestApi:GET /open",
        ),
        (
            &|live| live.stages["scim"]["DeploymentId"] = json!("other"),
            "api.DeploymentId:Stage",
        ),
        (
            &|live| live.stages["scim"]["MethodSettings"][0]["ThrottlingRateLimit"] = json!(9000),
            "api.MethodSettings:Stage",
        ),
        (
            &|live| drop(live.stages.insert("open".to_owned(), json!({}))),
            "api.stage:RestApi:open",
        ),
        (&|live| drop(live.stages.remove("scim")), "api.stage:Stage"),
        (
            &|live| {
                live.snapshots
                    .get_mut("scim")
                    .unwrap()
                    .get_mut(METHOD)
                    .unwrap()["ApiKeyRequired"] = json!(false)
            },
            "api.served-method:Stage:ANY /{Users+}",
        ),
        (
            &|live| {
                drop(
                    live.snapshots
                        .get_mut("scim")
                        .unwrap()
                        .insert("GET /open".to_owned(), json!({})),
                )
            },
            "api.served-method:Stage:GET /open",
        ),
        (
            &|live| live.authorizers["authorizer-1"]["Type"] = json!("REQUEST"),
            "api.Type:Authorizer",
        ),
        (
            &|live| drop(live.authorizers.insert("x".to_owned(), json!({}))),
            "api.authorizer:RestApi:x",
        ),
        (
            &|live| live.gateway_responses.clear(),
            "api.gateway-response:Response",
        ),
        (
            &|live| live.usage_plans["plan-1"]["Throttle"]["RateLimit"] = json!(9000),
            "api.Throttle:Plan",
        ),
    ];
    for (tamper, id) in cases {
        let mut live = live();
        tamper(&mut live);
        assert_eq!(found(&live), [id]);
    }
}

#[test]
fn a_policy_in_its_short_form_is_what_api_gateway_makes_of_it() {
    let policy = |resource: &str, range: &str| {
        json!({"Statement": [{
            "Effect": "Deny",
            "Resource": resource,
            "Condition": {"NotIpAddress": {"aws:SourceIp": [range]}},
        }]})
    };
    let stack = stack();
    let mut api = stack.resources("AWS::ApiGateway::RestApi").remove(0);
    api.properties["Policy"] = policy("execute-api:/*", "10.0.0.0/8");
    let whole = "arn:aws:execute-api:eu-central-1:444455556666:api-1/*";
    for (live_policy, expected) in [
        (policy(whole, "10.0.0.0/8"), None),
        (policy(whole, "0.0.0.0/0"), Some("api.Policy:RestApi")),
        (Value::Null, Some("api.Policy:RestApi")),
    ] {
        let mut live = live();
        live.properties["Policy"] = live_policy;
        let (api, stack) = (&api, &stack);
        let findings = Deployed { api, stack }.findings(&live);
        let id = findings.first().map(|finding| finding.id.as_str());
        assert_eq!(
            (findings.len(), id),
            (usize::from(expected.is_some()), expected)
        );
    }
}

#[test]
fn method_settings_are_read_from_their_places() {
    let settings = [
        ("*/*".to_owned(), json!({"A": 1})),
        ("~1users/GET".to_owned(), json!({"A": 2})),
    ];
    assert_eq!(
        method_settings(settings.into_iter()),
        json!([
            {"A": 1, "ResourcePath": "/*", "HttpMethod": "*"},
            {"A": 2, "ResourcePath": "/users", "HttpMethod": "GET"},
        ])
    );
}

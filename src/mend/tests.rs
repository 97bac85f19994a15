use serde_json::json;

use super::*;
use crate::drift::{Part, Severity};
use crate::stack::ResourceAction;

/// A stack of one resource of each kind, with its physical ids.
fn stack() -> DeployedStack {
    let template = json!({"Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": {"Statement": []},
            "Policies": [{"PolicyName": "own", "PolicyDocument": {"Statement": []}}],
        }},
        "Guardrail": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {}}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Bucket": "b", "S3Key": "k.zip"},
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        }},
        "Open": {"Type": "AWS::Lambda::Function", "Properties": {
            "Role": {"Fn::GetAtt": ["Nobody", "Knows"]},
        }},
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": "f"}},
        "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"BatchSize": 1}},
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"ApiKeySourceType": "AUTHORIZER"}},
        "Method": {"Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ResourceId": "r1", "HttpMethod": "ANY",
        }},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": {"Ref": "Api"}, "DeploymentId": "d1",
        }},
        "Authorizer": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {
            "RestApiId": {"Ref": "Api"}, "AuthorizerResultTtlInSeconds": 300,
        }},
        "Response": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ResponseType": "DEFAULT_5XX",
        }},
        "Plan": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "DeletionProtectionEnabled": "true",
        }},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Period": 60, "Tags": []}},
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {
            "ScheduleExpression": "rate(1 minute)", "Targets": [{"Id": "own", "Arn": "arn:own"}],
        }},
        "Token": {"Type": "Custom::ScimToken", "Properties": {"Client": "okta"}},
    }});
    let physical_ids = template["Resources"]
        .as_object()
        .unwrap()
        .keys()
        .map(|id| (id.clone(), format!("p-{id}")))
        .collect();
    DeployedStack::new(
        "arn:aws:cloudformation:eu-central-1:444455556666:stack/scim/9f1c",
        template,
        physical_ids,
    )
    .unwrap()
}

fn finding(id: &str) -> Finding {
    let (detector, rest) = id.split_once('.').unwrap();
    let (check, rest) = rest.split_once(':').unwrap();
    let detector = match detector {
        "iam" => Detector::Iam,
        "api" => Detector::Api,
        "function" => Detector::Function,
        "connect" => Detector::Connect,
        "token" => Detector::Token,
        "queue" => Detector::Queue,
        "table" => Detector::Table,
        "alarm" => Detector::Alarm,
        "logs" => Detector::Logs,
        "schedule" => Detector::Schedule,
        _ => Detector::Template,
    };
    let (resource, part) = rest
        .split_once(':')
        .map_or((rest, None), |(resource, part)| (resource, Some(part)));
    let finding = Finding::drift(detector, Severity::High, check, resource, "w").cure("by hand");
    match part {
        Some(part) => finding.part(part),
        None => finding,
    }
}

#[test]
fn every_kind_of_drift_has_its_step() {
    let cases = [
        (
            "iam.trust:Role",
            "set the trust policy of the role p-Role back",
        ),
        (
            "iam.boundary:Role",
            "take the permissions boundary of the role p-Role away",
        ),
        (
            "iam.inline-policy:Role:own",
            "set the inline policy own of the role p-Role back",
        ),
        (
            "iam.inline-policy:Role:extra",
            "delete the inline policy extra of the role p-Role",
        ),
        (
            "iam.attached-policy:Role:arn:aws:iam::aws:policy/X",
            "detach arn:aws:iam::aws:policy/X from the role p-Role",
        ),
        (
            "iam.guard-detached:Guardrail:group/admins",
            "attach p-Guardrail to the group admins",
        ),
        (
            "iam.policy-document:Guardrail",
            "make a version of p-Guardrail as it was deployed, and make it the default",
        ),
        (
            "function.code:Function",
            "put the package k.zip back into the function p-Function",
        ),
        (
            "function.MemorySize:Function",
            "set the configuration of the function p-Function back, all environment variables included",
        ),
        (
            "function.ReservedConcurrentExecutions:Function",
            "reserve no concurrency for the function p-Function",
        ),
        (
            "function.caller:Function:open",
            "take the statement open out of the resource policy of the function p-Function",
        ),
        (
            "function.caller:Permission",
            "put the statement p-Permission back into the resource policy of the function f",
        ),
        (
            "function.event-source:Function:u-1",
            "remove the event source mapping u-1",
        ),
        (
            "function.Enabled:Mapping",
            "set the event source mapping p-Mapping back",
        ),
        (
            "api.ApiKeySourceType:Api",
            "take the API p-Api's key from AUTHORIZER again",
        ),
        (
            "api.method:Api:GET /open",
            "remove the method GET /open from the API p-Api",
        ),
        (
            "api.AuthorizationType:Method",
            "make the method ANY of the API p-Api again as it was deployed",
        ),
        (
            "api.method:Method",
            "make the method ANY of the API p-Api again as it was deployed",
        ),
        (
            "api.DeploymentId:Stage",
            "point the stage p-Stage at the deployment d1 and set its settings back",
        ),
        (
            "api.stage:Api:blue",
            "remove the stage blue from the API p-Api",
        ),
        (
            "api.AuthorizerResultTtlInSeconds:Authorizer",
            "set AuthorizerResultTtlInSeconds of the authorizer p-Authorizer back",
        ),
        (
            "api.authorizer:Api:a-2",
            "remove the authorizer a-2 from the API p-Api",
        ),
        (
            "api.StatusCode:Response",
            "set the gateway response DEFAULT_5XX of the API p-Api back",
        ),
        (
            "api.gateway-response:Api:THROTTLED",
            "remove the gateway response THROTTLED from the API p-Api",
        ),
        ("api.Throttle:Plan", "set the usage plan p-Plan back"),
        (
            "api.usage-plan:Api:u-2",
            "take the API p-Api out of the usage plan u-2, which goes if it has no other",
        ),
        (
            "queue.VisibilityTimeout:Queue",
            "set VisibilityTimeout of the queue p-Queue back",
        ),
        (
            "table.DeletionProtectionEnabled:Table",
            "set DeletionProtectionEnabled of the table p-Table back",
        ),
        (
            "table.ResourcePolicy:Table",
            "set ResourcePolicy of the table p-Table back",
        ),
        ("alarm.deleted:Alarm", "make the alarm p-Alarm again"),
        (
            "logs.RetentionInDays:Group",
            "set RetentionInDays of the log group p-Group back",
        ),
        (
            "logs.subscription:Group:spy",
            "remove the subscription filter spy from the log group p-Group",
        ),
        ("schedule.State:Rule", "set State of the rule p-Rule back"),
        (
            "token.deleted:Token",
            "write a new token for the client okta, which has to be entered at the identity provider",
        ),
    ];
    for (id, words) in cases {
        let mending = plan(&[finding(id)], &stack(), Users::Leave);
        let told: Vec<_> = mending
            .steps
            .iter()
            .map(|step| step.change.to_string())
            .collect();
        assert_eq!(told, [words], "{id}");
        assert_eq!(mending.manual, []);
    }
}

#[test]
fn what_the_stack_would_not_know_again_is_left_to_a_person() {
    for id in [
        "iam.deleted:Role",
        "function.deleted:Function",
        "function.event-source:Mapping",
        "function.Architectures:Function",
        "api.authorizer:Authorizer",
        "token.age:Token",
        "queue.deleted:Queue",
        "table.KeySchema:Table",
        // What it should be could not be worked out.
        "function.MemorySize:Open",
        "iam.trust:Unknown",
    ] {
        let mending = plan(&[finding(id)], &stack(), Users::Leave);
        assert_eq!(mending.steps, [], "{id}");
        assert_eq!(mending.manual[0].finding, id);
        assert_eq!(mending.manual[0].advice, "by hand");
    }
}

#[test]
fn a_policy_that_was_detached_is_attached_again() {
    let finding = finding("iam.attached-policy:Role:arn:x").expected("arn:x");
    let mending = plan(&[finding], &stack(), Users::Leave);
    assert_eq!(
        mending.steps[0].change.to_string(),
        "attach arn:x to the role p-Role"
    );
}

#[test]
fn one_step_mends_several_findings_stages_go_first_and_authorizers_last() {
    let ids = [
        "api.authorizer:Api:a-2",
        "function.MemorySize:Function",
        "function.environment:Function:EXTRA",
        "api.DeploymentId:Stage",
        "api.served-method:Stage:GET /open",
    ];
    let mending = plan(&ids.map(finding), &stack(), Users::Leave);
    let told: Vec<_> = mending
        .steps
        .iter()
        .map(|step| step.findings.join(" "))
        .collect();
    assert_eq!(
        told,
        [
            "api.DeploymentId:Stage api.served-method:Stage:GET /open",
            "function.MemorySize:Function function.environment:Function:EXTRA",
            "api.authorizer:Api:a-2",
        ]
    );
}

#[test]
fn what_is_no_drift_is_left_alone() {
    let unknown = Finding::not_checked(Detector::Iam, "unreadable", "Role", "denied");
    assert_eq!(plan(&[unknown], &stack(), Users::Leave), Mending::default());
}

#[test]
fn users_are_reconciled_only_if_it_is_said() {
    let ids = [
        "connect.security-profiles:u-1",
        "connect.tags:u-1",
        "connect.missing:u-2",
        "connect.unmanaged:c-3",
        "connect.profile:Team Lead",
    ];
    let findings = ids.map(finding);
    let without = plan(&findings, &stack(), Users::Leave);
    assert_eq!(without.steps, []);
    assert_eq!(without.manual.len(), 5);
    assert!(without.manual[0].advice.starts_with("add --users"));
    let with = plan(&findings, &stack(), Users::Reconcile);
    assert_eq!(with.manual.len(), 2);
    assert_eq!(
        with.steps[0].change.to_string(),
        "bring users of Amazon Connect to what the directory has: u-1, u-2"
    );
    assert_eq!(with.steps[0].findings, ids[..3]);
    assert!(
        with.manual[0]
            .advice
            .starts_with("add --remove-unmanaged-users")
    );
}

#[test]
fn strangers_are_removed_only_if_it_is_said_and_last_of_all() {
    let ids = [
        "connect.unmanaged:c-1",
        "connect.unmanaged:c-2",
        "connect.missing:u-1",
    ];
    let mut mending = plan(&ids.map(finding), &stack(), Users::ReconcileAndRemove);
    assert_eq!(mending.manual, []);
    let steps = |mending: &Mending| {
        let steps = mending.steps.iter();
        steps
            .map(|step| step.change.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        steps(&mending),
        [
            "bring users of Amazon Connect to what the directory has: u-1",
            "remove from Amazon Connect, for good, 2 users whom the directory does not know",
        ]
    );
    mending.keep_user("c-1", "it is gone already");
    assert_eq!(mending.steps[1].findings, ids[1..2]);
    assert_eq!(
        mending.manual,
        [Manual {
            finding: ids[0].to_owned(),
            advice: "not removed: it is gone already".to_owned(),
        }]
    );
    assert_eq!(
        mending.users_to_remove(),
        Some(&BTreeSet::from(["c-2".to_owned()]))
    );
    mending.keep_user("c-2", "it is gone already");
    assert_eq!(mending.steps.len(), 1);
    assert_eq!(mending.users_to_remove(), None);
}

fn change(action: ResourceAction, logical_id: &str, resource_type: &str) -> stack::ResourceChange {
    stack::ResourceChange {
        action,
        logical_id: logical_id.to_owned(),
        resource_type: resource_type.to_owned(),
    }
}

#[test]
fn deleted_resources_may_be_made_again_but_neither_the_table_nor_the_api() {
    let findings = [
        "iam.deleted:Role",
        "function.deleted:Function",
        "queue.deleted:Queue",
        "api.authorizer:Authorizer",
        "table.deleted:Table",
        "api.deleted:Api",
        "iam.deleted:NotOfThisStack",
        "logs.deleted:Group",
        "token.age:Token",
    ]
    .map(finding);
    let mending = plan(&findings, &stack(), Users::Leave);
    let deleted = mending.deleted(&findings, &stack());
    assert_eq!(
        Vec::from_iter(deleted),
        ["Authorizer", "Function", "Queue", "Role"]
    );
}

#[test]
fn a_change_set_is_taken_only_if_it_makes_again_and_adapts_what_refers_to_that() {
    use ResourceAction::{Change as Modify, Make, Note, Remove, Replace};

    const ROLE: &str = "AWS::IAM::Role";
    const FUNCTION: &str = "AWS::Lambda::Function";
    let deleted = BTreeSet::from(["Role".to_owned()]);
    let parts: Vec<Part> = [
        ("Function", "Role"),
        ("Mapping", "Function"),
        ("Method", "Function"),
        ("Alarm", "Queue"),
    ]
    .map(|(logical_id, refers_to)| Part {
        logical_id: logical_id.to_owned(),
        resource_type: String::new(),
        refers_to: [refers_to.to_owned()].into(),
    })
    .into();
    let role = || change(Make, "Role", ROLE);
    let mapping = || change(Replace, "Mapping", "AWS::Lambda::EventSourceMapping");
    let method = || change(Replace, "Method", "AWS::ApiGateway::Method");
    let alarm = || change(Modify, "Alarm", "AWS::CloudWatch::Alarm");
    let cases = [
        (vec![role()], None),
        (vec![change(Replace, "Role", ROLE)], None),
        (
            vec![
                role(),
                change(Modify, "Function", FUNCTION),
                mapping(),
                change(Note, "Alarm", "AWS::CloudWatch::Alarm"),
            ],
            None,
        ),
        // The false alarm of the module's documentation.
        (vec![role(), method()], Some(method())),
        (vec![role(), alarm()], Some(alarm())),
        (
            vec![role(), change(Remove, "Function", FUNCTION)],
            Some(change(Remove, "Function", FUNCTION)),
        ),
    ];
    for (changes, unwanted) in cases {
        let findings = [finding("iam.deleted:Role")];
        let mut mending = plan(&findings, &stack(), Users::Leave);
        let outcome = mending.make_again(&deleted, changes.clone(), &findings, &parts);
        assert_eq!(
            outcome.err(),
            unwanted.clone().map(|one| vec![one]),
            "{changes:?}"
        );
        assert_eq!(mending.makes_again(), unwanted.is_none(), "{changes:?}");
        assert_eq!(mending.manual.is_empty(), unwanted.is_none(), "{changes:?}");
    }

    // What somebody has accepted stays.
    let mut accepted = finding("function.MemorySize:Function");
    accepted.kind = Kind::Accepted;
    let findings = [finding("iam.deleted:Role"), accepted];
    let mut mending = plan(&findings, &stack(), Users::Leave);
    let changes = vec![role(), change(Modify, "Function", FUNCTION)];
    let outcome = mending.make_again(&deleted, changes, &findings, &parts);
    assert_eq!(
        outcome.err(),
        Some(vec![change(Modify, "Function", FUNCTION)])
    );
    let outcome = mending.make_again(&deleted, vec![role()], &findings, &parts);
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        mending.steps[0].change.to_string(),
        "have CloudFormation make Role (AWS::IAM::Role)"
    );
    assert_eq!(mending.steps[0].findings, ["iam.deleted:Role"]);
}

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::environment::{Environment, EnvironmentFile};
use crate::plan::matches_pattern;
use crate::template::{Code, CodeLocations, Options, Template};

const STACK: &str =
    "arn:aws:cloudformation:eu-central-1:111122223333:stack/connect-scim-production/3f1c";

/// An environment with these lines under `guardrails`.
fn environment(guardrails: &str) -> Environment {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("test.yaml");
    let text = format!(
        "account: \"111122223333\"\nregion: eu-central-1\nstackName: connect-scim-production\n\
         connect: {{instanceId: 11111111-2222-4333-8444-555555555555}}\n\
         guardrails: {guardrails}\n"
    );
    std::fs::write(&file, text).unwrap();
    EnvironmentFile::load(file.to_str().unwrap())
        .unwrap()
        .one(None)
        .unwrap()
}

fn physical_ids() -> BTreeMap<String, String> {
    let named = |names: &[&str], prefix: &str, suffix: &str| -> Vec<(String, String)> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), format!("{prefix}{name}{suffix}")))
            .collect()
    };
    let suffix = "-1ABCDEFGHIJKL";
    let stack = "connect-scim-production-";
    [
        named(
            &[
                "ReconcilerRole",
                "TokenAuthorizerRole",
                "TokenGeneratorRole",
                "UserProvisioningRole",
            ],
            stack,
            suffix,
        ),
        named(
            &[
                "ReconcilerFunction",
                "TokenAuthorizerFunction",
                "TokenGeneratorFunction",
                "UserProvisioningFunction",
            ],
            stack,
            "",
        ),
        named(&["DirectoryTable", "ReconcilerSchedule"], stack, suffix),
        named(&["RestApi", "UsagePlanIdp", "ApiKeyIdp"], "", ""),
        named(
            &["ReconcileQueue", "ReconcileDeadLetterQueue"],
            "https://sqs.eu-central-1.amazonaws.com/111122223333/connect-scim-production-",
            "-1ABCDEFGHIJKL.fifo",
        ),
        named(
            &["GuardrailPolicy", "GuardrailBoundary"],
            "arn:aws:iam::111122223333:policy/connect-scim-production-",
            suffix,
        ),
    ]
    .concat()
    .into_iter()
    .collect()
}

fn deployed(guardrails: &str) -> Deployed {
    let environment = environment(guardrails);
    let connect = environment.connect().unwrap();
    Deployed::new(&environment, connect, STACK, &physical_ids()).unwrap()
}

const FULL: &str = "{attachTo: {roles: [Admin]}, boundaryOf: {roles: [Developer]}, \
    deployers: ['arn:aws:iam::111122223333:role/Deployer'], \
    exemptPrincipals: ['arn:aws:iam::111122223333:role/ConnectBreakGlass']}";

/// The value that a template has at `policy`, with what stands for names replaced.
fn of_template(guardrails: &str, policy: &str) -> Value {
    let code = CodeLocations::from_keys("bucket", |function| {
        Ok::<_, Missing>(format!("{function}.zip"))
    })
    .unwrap();
    let template = Template::render(
        &environment(guardrails),
        &Code::Functions(code),
        &Options::default(),
    )
    .unwrap();
    let stack =
        crate::drift::DeployedStack::new(STACK, template.canonical().clone(), physical_ids());
    let policies = stack.unwrap().resources("AWS::IAM::ManagedPolicy");
    let found = policies
        .iter()
        .find(|resource| resource.logical_id == policy);
    found.unwrap().properties["PolicyDocument"].clone()
}

#[test]
fn the_template_and_the_service_control_policy_are_made_of_one_source() {
    for guardrails in ["{}", FULL] {
        let deployed = deployed(guardrails);
        assert_eq!(
            of_template(guardrails, "GuardrailPolicy"),
            deployed.document()
        );
    }
    assert_eq!(
        of_template(FULL, "GuardrailBoundary"),
        deployed(FULL).boundary_document()
    );
}

#[test]
fn users_are_edited_by_the_endpoint_alone_and_the_endpoint_by_who_deploys() {
    let statements = deployed(FULL).statements();
    let exempt = |sid: &str| -> Vec<&str> {
        let statement = statements.iter().find(|statement| statement.sid == sid);
        statement
            .unwrap()
            .conditions
            .iter()
            .flat_map(|condition| &condition.keys)
            .filter(|key| key.key == "aws:PrincipalArn")
            .flat_map(|key| &key.values)
            .filter_map(|arn| arn.rsplit('/').next())
            .map(|name| {
                name.trim_start_matches("connect-scim-production-")
                    .trim_end_matches("-*")
            })
            .collect()
    };
    assert_eq!(
        exempt("ConnectUsersAndPermissions"),
        [
            "ReconcilerRole",
            "UserProvisioningRole",
            "ConnectBreakGlass"
        ]
    );
    for sid in [
        "Endpoint",
        "GuardrailAttachmentsAndTriggers",
        "GuardrailBoundaries",
        "GuardrailCarriers",
    ] {
        assert_eq!(exempt(sid), ["Deployer", "ConnectBreakGlass"], "{sid}");
    }
    assert_eq!(
        exempt("EndpointTokensAndDirectory"),
        [
            "ReconcilerRole",
            "UserProvisioningRole",
            "Token*Role",
            "Deployer",
            "ConnectBreakGlass"
        ]
    );
}

#[test]
fn without_anybody_exempt_a_denial_has_no_condition() {
    let document = deployed("{}").document();
    let of = |sid: &str| {
        let statements = document["Statement"].as_array().unwrap();
        statements
            .iter()
            .find(|statement| statement["Sid"] == sid)
            .unwrap()
            .clone()
    };
    assert_eq!(of("Endpoint").get("Condition"), None);
    assert_eq!(
        of("GuardrailAttachmentsAndTriggers")["Condition"],
        json!({"ArnLikeIfExists": {
            "iam:PolicyARN": [
                "arn:aws:iam::111122223333:policy/connect-scim-production-Guardrail*"
            ],
            "lambda:FunctionArn": [
                "arn:aws:lambda:eu-central-1:111122223333:function:connect-scim-production-*"
            ],
        }})
    );
}

#[test]
fn the_policies_are_small_enough_for_every_use_with_some_exceptions() {
    let full = deployed(FULL);
    assert!(minified(&full.document(), Use::ManagedPolicy).is_ok());
    assert!(minified(&full.boundary_document(), Use::ManagedPolicy).is_ok());
    assert!(minified(&full.document(), Use::ServiceControlPolicy).is_ok());

    let many: Vec<String> = (0..80)
        .map(|index| format!("'arn:aws:iam::111122223333:role/BreakGlass{index}'"))
        .collect();
    let large = deployed(&format!("{{exemptPrincipals: [{}]}}", many.join(", ")));
    let refused = minified(&large.document(), Use::ServiceControlPolicy).unwrap_err();
    assert!(refused.characters > 10_000, "{refused}");
    assert!(
        refused
            .to_string()
            .ends_with("a service control policy takes 10240")
    );
}

#[test]
fn every_edit_that_is_simulated_is_denied_by_the_statements() {
    let statements = deployed("{}").statements();
    let statement = statements
        .iter()
        .find(|one| one.sid == "ConnectUsersAndPermissions");
    let denied = |action: &str| {
        let patterns = &statement.unwrap().actions;
        patterns
            .iter()
            .any(|pattern| matches_pattern(pattern, action))
    };
    for edit in USER_EDITS {
        assert!(denied(edit.action), "{}", edit.action);
    }
}

/// An environment with so many principals that deploy or are exempt, and clients.
fn fits_with(principals: usize, clients: usize, boundary: bool) -> Result<(), Unfit> {
    let list = |kind: &str, count: usize| -> String {
        let arn = |index| format!("'arn:aws:iam::111122223333:role/{kind}{index}'");
        (0..count).map(arn).collect::<Vec<_>>().join(", ")
    };
    let bounded = match boundary {
        true => "boundaryOf: {roles: [Developer]}, ",
        false => "",
    };
    let guardrails = format!(
        "{{{bounded}attachTo: {{roles: [Admin]}}, deployers: [{}], exemptPrincipals: [{}]}}",
        list("ScimDeployer", principals / 2),
        list("BreakGlass", principals - principals / 2),
    );
    let named = (0..clients).map(|index| format!("client{index}: {{}}"));
    let clients = named.collect::<Vec<_>>().join(", ");
    let environment = environment(&format!("{guardrails}\nclients: {{{clients}}}"));
    fits(&environment, environment.connect().unwrap())
}

#[test]
fn an_environment_is_allowed_as_long_as_every_policy_of_it_fits() {
    let largest = |clients, boundary| {
        let fits = |count: &usize| fits_with(*count, clients, boundary).is_ok();
        (0..20).take_while(fits).last()
    };
    assert_eq!(
        [(1, false), (10, false), (1, true), (10, true)]
            .map(|(clients, boundary)| largest(clients, boundary)),
        [Some(7), Some(4), Some(3), Some(1)]
    );
    assert!(matches!(
        fits_with(20, 1, false).unwrap_err(),
        Unfit::TooLarge(TooLarge { used_as: Use::ManagedPolicy, characters }) if characters > 6_144
    ));
}

#[test]
fn a_policy_of_exactly_the_most_characters_is_taken() {
    for used_as in [Use::ManagedPolicy, Use::ServiceControlPolicy] {
        let limit = used_as.limit();
        let of = |characters: usize| Value::from("x".repeat(characters - 2));
        assert_eq!(minified(&of(limit), used_as).unwrap().len(), limit);
        let refused = minified(&of(limit + 1), used_as).unwrap_err();
        assert_eq!(refused.characters, limit + 1);
    }
}

#[test]
fn the_functions_of_a_stack_with_a_long_name_are_exempt_by_their_whole_arns() {
    for (length, whole) in [(29, false), (30, true)] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("test.yaml");
        let stack_name = "a".repeat(length);
        let text = format!(
            "account: \"111122223333\"\nregion: eu-central-1\nstackName: {stack_name}\n\
             connect: {{instanceId: 11111111-2222-4333-8444-555555555555}}\n"
        );
        std::fs::write(&file, text).unwrap();
        let environment = EnvironmentFile::load(file.to_str().unwrap()).unwrap();
        let environment = environment.one(None).unwrap();
        let connect = environment.connect().unwrap();
        let deployed = Deployed::new(&environment, connect, STACK, &physical_ids()).unwrap();
        let document = deployed.document().to_string();
        assert_eq!(
            document.contains("connect-scim-production-UserProvisioningRole-1ABCDEFGHIJKL"),
            whole
        );
        assert_eq!(document.contains("-UserProvisioningRole-*"), !whole);
    }
}

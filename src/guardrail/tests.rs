use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::environment::{Environment, EnvironmentFile};
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
        named(&["DirectoryTable"], stack, suffix),
        named(&["RestApi"], "", ""),
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
            .filter(|condition| condition.key == "aws:PrincipalArn")
            .flat_map(|condition| &condition.values)
            .filter_map(|arn| arn.rsplit('/').next())
            .map(|name| {
                name.trim_start_matches("connect-scim-production-")
                    .trim_end_matches("-1ABCDEFGHIJKL")
            })
            .collect()
    };
    for sid in ["ConnectUsersAndPermissions", "ConnectOwnershipTags"] {
        assert_eq!(
            exempt(sid),
            [
                "ReconcilerRole",
                "UserProvisioningRole",
                "ConnectBreakGlass"
            ],
            "{sid}"
        );
    }
    for sid in ["Endpoint", "GuardrailAttachments", "GuardrailBoundaries"] {
        assert_eq!(exempt(sid), ["Deployer", "ConnectBreakGlass"], "{sid}");
    }
    assert_eq!(
        exempt("EndpointTokensAndDirectory"),
        [
            "ReconcilerRole",
            "UserProvisioningRole",
            "TokenAuthorizerRole",
            "TokenGeneratorRole",
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
        of("GuardrailAttachments")["Condition"],
        json!({"ArnLike": {"iam:PolicyARN": [
            "arn:aws:iam::111122223333:policy/connect-scim-production-Guardrail*"
        ]}})
    );
}

#[test]
fn the_policies_are_small_enough_for_every_use_with_some_exceptions() {
    let full = deployed(FULL);
    let used = minified(&full.document(), Use::ManagedPolicy).unwrap();
    assert!(used.len() < 6_000, "{}", used.len());
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
    let denied = |action: &str| {
        statements
            .iter()
            .flat_map(|statement| statement.actions)
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => action.starts_with(beginning),
                None => action == *pattern,
            })
    };
    for edit in USER_EDITS {
        assert!(denied(edit.action), "{}", edit.action);
    }
}

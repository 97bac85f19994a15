//! The guardrail, judged by the policy engine of the local cloud: an administrator is
//! denied users' edits, the endpoint's role is not.

use aws_sdk_iam::types::PolicyEvaluationDecisionType as Decision;

use crate::aws::Aws;
use crate::project::Project;

const INSTANCE: &str =
    "arn:aws:connect:us-east-1:000000000000:instance/11111111-2222-4333-8444-555555555555";

/// Actions that edit users or what they may do, with the kind of resource they edit.
const EDITS: [(&str, &str); 15] = [
    ("connect:CreateUser", "agent"),
    ("connect:DeleteUser", "agent"),
    ("connect:UpdateUserIdentityInfo", "agent"),
    ("connect:UpdateUserPhoneConfig", "agent"),
    ("connect:UpdateUserSecurityProfiles", "agent"),
    ("connect:UpdateUserRoutingProfile", "agent"),
    ("connect:UpdateUserHierarchy", "agent"),
    ("connect:UpdateUserProficiencies", "agent"),
    ("connect:AssociateUserProficiencies", "agent"),
    ("connect:TagResource", "agent"),
    ("connect:UntagResource", "agent"),
    ("connect:CreateSecurityProfile", "security-profile"),
    ("connect:UpdateSecurityProfile", "security-profile"),
    ("connect:DeleteSecurityProfile", "security-profile"),
    ("connect:AdminGetEmergencyAccessToken", ""),
];

/// What the endpoint itself has to do.
const ENDPOINT: [(&str, &str); 5] = [
    ("connect:CreateUser", "agent"),
    ("connect:DeleteUser", "agent"),
    ("connect:UpdateUserIdentityInfo", "agent"),
    ("connect:UpdateUserSecurityProfiles", "agent"),
    ("connect:TagResource", "agent"),
];

#[test]
fn administrators_are_denied_and_the_endpoint_is_not() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let administrator = administrator(&aws);
    for (action, kind) in EDITS {
        assert_eq!(
            decision(&aws, &administrator, action, kind),
            Decision::Allowed,
            "{action} before"
        );
    }

    project.edit_environment(
        "\nguardrails:\n",
        "\nguardrails:\n  attachTo: {roles: [Administrator]}\n",
    );
    project.deploy();

    for (action, kind) in EDITS {
        assert_eq!(
            decision(&aws, &administrator, action, kind),
            Decision::ExplicitDeny,
            "{action}"
        );
    }
    // What administrators are for stays allowed, signing in above all.
    for (action, kind) in [
        ("connect:DescribeUser", "agent"),
        ("connect:GetFederationToken", ""),
        ("connect:UpdateRoutingProfileName", "routing-profile"),
    ] {
        assert_eq!(
            decision(&aws, &administrator, action, kind),
            Decision::Allowed,
            "{action}"
        );
    }
    let endpoint = "arn:aws:iam::000000000000:role/".to_owned() + &role_of_the_endpoint(&aws);
    for (action, kind) in ENDPOINT {
        assert_eq!(
            decision(&aws, &endpoint, action, kind),
            Decision::Allowed,
            "{action} by the endpoint"
        );
    }
}

/// A role that may do everything.
fn administrator(aws: &Aws) -> String {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"sts:AssumeRole"}]}"#;
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let role = aws
        .wait(
            aws.iam()
                .create_role()
                .role_name("Administrator")
                .assume_role_policy_document(trust)
                .send(),
        )
        .unwrap();
    aws.wait(
        aws.iam()
            .put_role_policy()
            .role_name("Administrator")
            .policy_name("everything")
            .policy_document(everything)
            .send(),
    )
    .unwrap();
    role.role().unwrap().arn().to_owned()
}

fn role_of_the_endpoint(aws: &Aws) -> String {
    let resources = aws
        .wait(
            aws.cloudformation()
                .describe_stack_resource()
                .stack_name("connect-scim-local")
                .logical_resource_id("UserProvisioningRole")
                .send(),
        )
        .unwrap();
    resources
        .stack_resource_detail()
        .and_then(|detail| detail.physical_resource_id())
        .unwrap()
        .to_owned()
}

fn decision(aws: &Aws, principal: &str, action: &str, kind: &str) -> Decision {
    let resource = if kind.is_empty() {
        INSTANCE.to_owned()
    } else {
        format!("{INSTANCE}/{kind}/5eed0001-0000-4000-8000-000000000001")
    };
    let answer = aws
        .wait(
            aws.iam()
                .simulate_principal_policy()
                .policy_source_arn(principal)
                .action_names(action)
                .resource_arns(resource)
                .send(),
        )
        .unwrap();
    answer.evaluation_results()[0].eval_decision().clone()
}

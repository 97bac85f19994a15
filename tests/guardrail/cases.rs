//! What the guardrail denies to whom, as a table. Two policy engines that know nothing of
//! each other are held against it: that of the local cloud, and PMapper's.

use connect_scim::guardrail::{Exceptions, Protected, document, statements};
use serde_json::Value;

pub const IAM: &str = "arn:aws:iam::000000000000:";
const CONNECT: &str = "arn:aws:connect:us-east-1:000000000000:instance/";
const INSTANCE: &str = "11111111-2222-4333-8444-555555555555";

/// Everybody in the table may do everything as far as other policies go.
pub const PRINCIPALS: [&str; 5] = [
    "Administrator",
    "Deployer",
    "BreakGlass",
    "scim-UserProvisioningRole-1A",
    "scim-TokenAuthorizerRole-1A",
];

/// Who may do something: a letter for each of [`PRINCIPALS`], in their order.
type May = &'static str;

/// Actions, the resource that they are tried on, and who may.
const TABLE: &[(&[&str], &str, May)] = &[
    (
        &[
            "connect:CreateUser",
            "connect:DeleteUser",
            "connect:UpdateUserHierarchy",
            "connect:UpdateUserIdentityInfo",
            "connect:UpdateUserPhoneConfig",
            "connect:UpdateUserConfig",
            "connect:UpdateUserProficiencies",
            "connect:UpdateUserRoutingProfile",
            "connect:UpdateUserSecurityProfiles",
            "connect:AssociateUserProficiencies",
            "connect:DisassociateUserProficiencies",
            "connect:TagResource",
            "connect:UntagResource",
        ],
        "{instance}/agent/u1",
        "--yy-",
    ),
    (
        &[
            "connect:CreateSecurityProfile",
            "connect:UpdateSecurityProfile",
            "connect:DeleteSecurityProfile",
            "connect:TagResource",
        ],
        "{instance}/security-profile/s1",
        "--yy-",
    ),
    (
        &[
            "connect:AdminGetEmergencyAccessToken",
            "connect:UpdateUserHierarchyStructure",
        ],
        "{instance}",
        "--yy-",
    ),
    // Another instance, and what supervisors and everybody do.
    (
        &["connect:CreateUser", "connect:TagResource"],
        "arn:aws:connect:us-east-1:000000000000:instance/99999999-2222-4333-8444-555555555555/agent/u1",
        "yyyyy",
    ),
    (
        &[
            "connect:PutUserStatus",
            "connect:DismissUserContact",
            "connect:DescribeUser",
        ],
        "{instance}/agent/u1",
        "yyyyy",
    ),
    (&["connect:GetFederationToken"], "{instance}", "yyyyy"),
    (
        &["connect:TagResource", "connect:UpdateQueueName"],
        "{instance}/queue/q1",
        "yyyyy",
    ),
    // The endpoint.
    (
        &[
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:InvokeFunction",
            "lambda:AddPermission",
        ],
        "arn:aws:lambda:us-east-1:000000000000:function:scim-user-provisioning",
        "-yy--",
    ),
    (
        &["lambda:UpdateFunctionCode"],
        "arn:aws:lambda:us-east-1:000000000000:function:payroll",
        "yyyyy",
    ),
    (
        &[
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePolicy",
            "iam:PassRole",
            "iam:DeleteRole",
        ],
        "{iam}role/scim-UserProvisioningRole-1A",
        "-yy--",
    ),
    (
        &["iam:UpdateAssumeRolePolicy"],
        "{iam}role/payroll",
        "yyyyy",
    ),
    (
        &[
            "iam:CreatePolicyVersion",
            "iam:SetDefaultPolicyVersion",
            "iam:DeletePolicy",
        ],
        "{iam}policy/scim-GuardrailPolicy-1A",
        "-yy--",
    ),
    (
        &[
            "cloudformation:UpdateStack",
            "cloudformation:ExecuteChangeSet",
        ],
        "arn:aws:cloudformation:us-east-1:000000000000:stack/scim/3f1c",
        "-yy--",
    ),
    (
        &["apigateway:PATCH", "apigateway:DELETE"],
        "arn:aws:apigateway:us-east-1::/restapis/abcdef1234/authorizers/a1",
        "-yy--",
    ),
    (
        &["apigateway:PATCH"],
        "arn:aws:apigateway:us-east-1::/restapis/zyxwvu9876/stages/prod",
        "yyyyy",
    ),
    (
        &[
            "ssm:GetParameter",
            "ssm:PutParameter",
            "ssm:DeleteParameter",
        ],
        "arn:aws:ssm:us-east-1:000000000000:parameter/connect-scim/scim/token/idp",
        "-yyyy",
    ),
    (
        &["dynamodb:PutItem", "dynamodb:DeleteTable"],
        "arn:aws:dynamodb:us-east-1:000000000000:table/scim-DirectoryTable-1A",
        "-yyyy",
    ),
    (
        &["dynamodb:GetItem"],
        "arn:aws:dynamodb:us-east-1:000000000000:table/scim-DirectoryTable-1A",
        "yyyyy",
    ),
];

/// One line of the table, spelled out.
pub struct Case {
    pub action: &'static str,
    pub resource: String,
    pub principal: &'static str,
    pub allowed: bool,
}

/// Every action with every principal.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (actions, resource, may) in TABLE {
        let resource = resource
            .replace("{instance}", &format!("{CONNECT}{INSTANCE}"))
            .replace("{iam}", IAM);
        for action in *actions {
            for (principal, letter) in PRINCIPALS.iter().zip(may.chars()) {
                cases.push(Case {
                    action,
                    resource: resource.clone(),
                    principal,
                    allowed: letter == 'y',
                });
            }
        }
    }
    cases
}

/// The guardrail of a stack named `scim`.
pub fn guardrail() -> Value {
    let role = |name: &str| format!("{IAM}role/{name}");
    let protected = Protected {
        connect_instance: format!("{CONNECT}{INSTANCE}"),
        stack: "arn:aws:cloudformation:us-east-1:000000000000:stack/scim/*".to_owned(),
        functions: "arn:aws:lambda:us-east-1:000000000000:function:scim-*".to_owned(),
        roles: vec![role(PRINCIPALS[3]), role(PRINCIPALS[4])],
        table: "arn:aws:dynamodb:us-east-1:000000000000:table/scim-DirectoryTable-1A".to_owned(),
        tokens: "arn:aws:ssm:us-east-1:000000000000:parameter/connect-scim/scim/token/*".to_owned(),
        rest_api: "arn:aws:apigateway:us-east-1::/restapis/abcdef1234".to_owned(),
        guardrail_policies: format!("{IAM}policy/scim-Guardrail*"),
        principals: IAM.to_owned(),
    };
    let exceptions = Exceptions {
        provisioning: vec![role(PRINCIPALS[3])],
        tokens: vec![role(PRINCIPALS[4])],
        deployers: vec![role("Deploy*")],
        exempt: vec![role("BreakGlass")],
    };
    document(&statements(&protected, &exceptions))
}

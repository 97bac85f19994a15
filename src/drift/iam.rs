//! Detector: roles and managed policies that somebody changed.
//!
//! CloudFormation's own drift detection does not see an inline policy that was added to a
//! role, nor a policy attached to it from outside; here a role is compared whole.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use serde_json::{Value, json};

use super::deployed::{DeployedStack, Resource, is_open};
use super::finding::{Detector, Finding, Severity};
use super::properties::{same, shown};
use crate::cloud::{Cloud, ServiceError, decoded_policy, failed_to};

const IAM: Detector = Detector::Iam;

/// What IAM tells of one role.
#[derive(Debug, Clone, Default, PartialEq)]
struct LiveRole {
    trust: Value,
    boundary: Option<String>,
    /// Inline policies by name.
    inline: BTreeMap<String, Value>,
    /// ARNs of managed policies.
    attached: BTreeSet<String>,
}

/// What IAM tells of one managed policy.
#[derive(Debug, Clone, Default, PartialEq)]
struct LivePolicy {
    /// The document of the default version.
    document: Value,
    version: String,
    /// `role Administrator`, `group …`, `user …`.
    attached_to: BTreeSet<String>,
}

/// Looks at every role and every managed policy of the stack.
pub async fn detect(cloud: &Cloud, stack: &DeployedStack) -> Vec<Finding> {
    let client = crate::cloud::client!(aws_sdk_iam, cloud);
    let roles = stack.resources("AWS::IAM::Role");
    let policies = stack.resources("AWS::IAM::ManagedPolicy");
    let of_roles = roles.iter().map(async |role| {
        outcome(role, read_role(&client, &role.physical_id).await, |live| {
            role_findings(role, &policies, live)
        })
    });
    let of_policies = policies.iter().map(async |policy| {
        outcome(
            policy,
            read_policy(&client, &policy.physical_id).await,
            |live| policy_findings(policy, live),
        )
    });
    let (of_roles, of_policies) = futures_util::future::join(
        futures_util::future::join_all(of_roles),
        futures_util::future::join_all(of_policies),
    )
    .await;
    [of_roles.concat(), of_policies.concat()].concat()
}

fn outcome<L>(
    resource: &Resource,
    live: Result<Option<L>, ServiceError>,
    findings: impl Fn(&L) -> Vec<Finding>,
) -> Vec<Finding> {
    match live {
        Ok(Some(live)) => findings(&live),
        Ok(None) => vec![
            Finding::drift(
                IAM,
                Severity::High,
                "deleted",
                &resource.logical_id,
                format!("{} was deleted", resource.physical_id),
            )
            .cure("make it again under the same name, or `connect-scim destroy` and `deploy`, after the table was saved"),
        ],
        Err(error) => vec![Finding::not_checked(IAM, "unreadable", &resource.logical_id, error)],
    }
}

fn role_findings(role: &Resource, policies: &[Resource], live: &LiveRole) -> Vec<Finding> {
    let (id, name) = (&role.logical_id, &role.physical_id);
    let mut findings = Vec::new();
    let trust = &role.properties["AssumeRolePolicyDocument"];
    findings.extend(document(
        Difference {
            check: "trust",
            id,
            part: None,
        },
        trust,
        &live.trust,
        format!("the trust policy of {name} was changed: somebody else may be able to become it"),
        format!("set it back with `aws iam update-assume-role-policy --role-name {name}`"),
    ));
    let boundary = &role.properties["PermissionsBoundary"];
    if !same(boundary, &json!(live.boundary)) {
        findings.push(
            Finding::drift(IAM, Severity::High, "boundary", id, format!("the permissions boundary of {name} was changed"))
                .expected(shown(boundary))
                .actual(live.boundary.as_deref().unwrap_or("(none)"))
                .cure(format!("`aws iam put-role-permissions-boundary --role-name {name}`, or `delete-role-permissions-boundary`")),
        );
    }
    findings.extend(inline_findings(role, live));
    findings.extend(attachment_findings(role, policies, live));
    findings
}

fn inline_findings(role: &Resource, live: &LiveRole) -> Vec<Finding> {
    let (id, name) = (&role.logical_id, &role.physical_id);
    let expected: BTreeMap<String, &Value> = role.properties["Policies"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|policy| (shown(&policy["PolicyName"]), &policy["PolicyDocument"]))
        .collect();
    let mut findings = Vec::new();
    for (policy, expected) in &expected {
        let cure = format!(
            "set it back with `aws iam put-role-policy --role-name {name} --policy-name {policy}`"
        );
        match live.inline.get(policy) {
            None => findings.push(
                Finding::drift(
                    IAM,
                    Severity::Medium,
                    "inline-policy",
                    id,
                    format!("the inline policy {policy} of {name} was removed"),
                )
                .part(policy)
                .expected(expected.to_string())
                .actual("(none)")
                .cure(cure),
            ),
            Some(live) => findings.extend(document(
                Difference {
                    check: "inline-policy",
                    id,
                    part: Some(policy),
                },
                expected,
                live,
                format!("the inline policy {policy} of {name} was changed"),
                cure,
            )),
        }
    }
    for (policy, document) in &live.inline {
        if !expected.contains_key(policy) {
            findings.push(
                Finding::drift(
                    IAM,
                    Severity::High,
                    "inline-policy",
                    id,
                    format!("{name} was given another inline policy, {policy}"),
                )
                .part(policy)
                .expected("(none)")
                .actual(document.to_string())
                .cure(format!(
                    "`aws iam delete-role-policy --role-name {name} --policy-name {policy}`"
                )),
            );
        }
    }
    findings
}

fn attachment_findings(role: &Resource, policies: &[Resource], live: &LiveRole) -> Vec<Finding> {
    let (id, name) = (&role.logical_id, &role.physical_id);
    let named = role.properties["ManagedPolicyArns"].as_array();
    let of_stack = policies
        .iter()
        .filter(|policy| names(&policy.properties["Roles"]).contains(name));
    let expected: BTreeSet<String> = named
        .into_iter()
        .flatten()
        .map(shown)
        .chain(of_stack.map(|policy| policy.physical_id.clone()))
        .collect();
    let added = live.attached.difference(&expected).map(|arn| {
        Finding::drift(
            IAM,
            Severity::High,
            "attached-policy",
            id,
            format!("{name} was given another managed policy"),
        )
        .part(arn)
        .expected("(none)")
        .actual(arn)
        .cure(format!(
            "`aws iam detach-role-policy --role-name {name} --policy-arn {arn}`"
        ))
    });
    let removed = expected.difference(&live.attached).map(|arn| {
        Finding::drift(
            IAM,
            Severity::Medium,
            "attached-policy",
            id,
            format!("a managed policy of {name} was detached"),
        )
        .part(arn)
        .expected(arn)
        .actual("(none)")
        .cure(format!(
            "`aws iam attach-role-policy --role-name {name} --policy-arn {arn}`"
        ))
    });
    added.chain(removed).collect()
}

fn policy_findings(policy: &Resource, live: &LivePolicy) -> Vec<Finding> {
    let (id, arn) = (&policy.logical_id, &policy.physical_id);
    let mut findings = Vec::new();
    findings.extend(document(
        Difference { check: "policy-document", id, part: None },
        &policy.properties["PolicyDocument"],
        &live.document,
        format!("the default version of {arn}, {}, is not what was deployed", live.version),
        format!("look at `aws iam list-policy-versions --policy-arn {arn}`, and make the deployed version the default with `set-default-policy-version`"),
    ));
    // Attached to others as well it denies them too, which hurts nobody's guard.
    for (kind, property) in [("role", "Roles"), ("group", "Groups"), ("user", "Users")] {
        for name in names(&policy.properties[property]) {
            let holder = format!("{kind} {name}");
            if !live.attached_to.contains(&holder) {
                findings.push(
                    Finding::drift(
                        IAM,
                        Severity::High,
                        "guard-detached",
                        id,
                        format!("the {holder} is no longer bound by it"),
                    )
                    .part(&holder.replace(' ', "/"))
                    .expected("attached")
                    .actual("(none)")
                    .cure(format!(
                        "`aws iam attach-{kind}-policy --{kind}-name {name} --policy-arn {arn}`"
                    )),
                );
            }
        }
    }
    findings
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(shown).collect()
}

/// Which document of which resource.
struct Difference<'a> {
    check: &'a str,
    id: &'a str,
    part: Option<&'a str>,
}

fn document(
    place: Difference<'_>,
    expected: &Value,
    actual: &Value,
    what: String,
    cure: String,
) -> Option<Finding> {
    let Difference { check, id, part } = place;
    let finding = if is_open(expected) {
        Finding::not_checked(
            IAM,
            check,
            id,
            "what it should be could not be worked out from the template",
        )
    } else if plain(expected) == plain(actual) {
        return None;
    } else {
        Finding::drift(IAM, Severity::High, check, id, what)
            .expected(expected.to_string())
            .actual(actual.to_string())
            .cure(cure)
    };
    Some(match part {
        Some(part) => finding.part(part),
        None => finding,
    })
}

/// A policy document in the one of its many forms in which two can be compared: one element
/// is a list of one, and lists have no order.
///
/// AWS IAM User Guide, "Grammar of the IAM JSON policy language".
fn plain(document: &Value) -> Value {
    match document {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(plain).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| {
                let member = match (key.as_str(), member) {
                    ("Version" | "Id" | "Sid" | "Effect", member) => member.clone(),
                    (_, Value::Array(_)) => plain(member),
                    (key, Value::Object(_)) if key != "Statement" => plain(member),
                    (_, single) => Value::Array(vec![plain(single)]),
                };
                (key.clone(), member)
            })
            .collect(),
        Value::Bool(value) => Value::from(value.to_string()),
        Value::Number(value) => Value::from(value.to_string()),
        scalar => scalar.clone(),
    }
}

/// Reads a role; `None` where it is gone.
async fn read_role(client: &Client, name: &str) -> Result<Option<LiveRole>, ServiceError> {
    let action = || format!("read the role {name}");
    let role = client.get_role().role_name(name).send().await;
    let role = match role.map_err(failed_to(action())) {
        Err(error) if is_gone(&error) => return Ok(None),
        role => role?.role,
    };
    let Some(role) = role else { return Ok(None) };
    let mut live = LiveRole {
        trust: decoded_policy(role.assume_role_policy_document().unwrap_or_default()),
        boundary: role
            .permissions_boundary()
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(str::to_owned),
        ..LiveRole::default()
    };
    let names = client
        .list_role_policies()
        .role_name(name)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(failed_to(action()))?;
    for policy in names {
        let answer = client
            .get_role_policy()
            .role_name(name)
            .policy_name(&policy)
            .send()
            .await
            .map_err(failed_to(action()))?;
        live.inline
            .insert(policy, decoded_policy(answer.policy_document()));
    }
    let attached = client
        .list_attached_role_policies()
        .role_name(name)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(failed_to(action()))?;
    live.attached = attached
        .into_iter()
        .filter_map(|policy| policy.policy_arn)
        .collect();
    Ok(Some(live))
}

/// Reads a managed policy; `None` where it is gone.
async fn read_policy(client: &Client, arn: &str) -> Result<Option<LivePolicy>, ServiceError> {
    let action = || format!("read the policy {arn}");
    let policy = client.get_policy().policy_arn(arn).send().await;
    let policy = match policy.map_err(failed_to(action())) {
        Err(error) if is_gone(&error) => return Ok(None),
        policy => policy?.policy,
    };
    let version = policy
        .and_then(|policy| policy.default_version_id)
        .unwrap_or_default();
    let answer = client
        .get_policy_version()
        .policy_arn(arn)
        .version_id(&version)
        .send()
        .await
        .map_err(failed_to(action()))?;
    let document = answer
        .policy_version()
        .and_then(|version| version.document());
    let mut attached_to = BTreeSet::new();
    let mut pages = client
        .list_entities_for_policy()
        .policy_arn(arn)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed_to(action()))?;
        let roles = page
            .policy_roles()
            .iter()
            .map(|role| ("role", role.role_name()));
        let groups = page
            .policy_groups()
            .iter()
            .map(|group| ("group", group.group_name()));
        let users = page
            .policy_users()
            .iter()
            .map(|user| ("user", user.user_name()));
        attached_to.extend(
            roles
                .chain(groups)
                .chain(users)
                .filter_map(|(kind, name)| Some(format!("{kind} {}", name?))),
        );
    }
    Ok(Some(LivePolicy {
        document: decoded_policy(document.unwrap_or_default()),
        version,
        attached_to,
    }))
}

fn is_gone(error: &ServiceError) -> bool {
    error.has_code("NoSuchEntity") || error.has_code("NoSuchEntityException")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> Resource {
        Resource {
            logical_id: "Role".to_owned(),
            physical_id: "role-1".to_owned(),
            properties: json!({
                "AssumeRolePolicyDocument": trust(json!("lambda.amazonaws.com")),
                "Policies": [{"PolicyName": "own", "PolicyDocument": grant(json!("s3:GetObject"))}],
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/Base"],
            }),
        }
    }

    fn guardrail() -> Resource {
        Resource {
            logical_id: "Guardrail".to_owned(),
            physical_id: "arn:guardrail".to_owned(),
            properties: json!({
                "PolicyDocument": grant(json!(["a:B", "a:C"])),
                "Roles": ["Administrator"],
                "Users": ["root-like"],
            }),
        }
    }

    fn trust(service: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})
    }

    fn grant(action: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
    }

    fn live_role() -> LiveRole {
        LiveRole {
            trust: trust(json!(["lambda.amazonaws.com"])),
            boundary: None,
            inline: [("own".to_owned(), grant(json!(["s3:GetObject"])))].into(),
            attached: ["arn:aws:iam::aws:policy/Base".to_owned()].into(),
        }
    }

    fn live_policy() -> LivePolicy {
        LivePolicy {
            document: grant(json!(["a:C", "a:B"])),
            version: "v1".to_owned(),
            attached_to: ["role Administrator", "user root-like", "role Another"]
                .map(str::to_owned)
                .into(),
        }
    }

    fn ids(findings: Vec<Finding>) -> Vec<String> {
        findings.into_iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn a_role_as_it_was_deployed_has_no_finding_however_it_is_written() {
        assert_eq!(role_findings(&role(), &[guardrail()], &live_role()), []);
        assert_eq!(policy_findings(&guardrail(), &live_policy()), []);
    }

    #[test]
    fn every_tampering_with_a_role_is_found_and_named() {
        type Tampering = fn(&mut LiveRole);
        let cases: [(Tampering, &str); 7] = [
            (
                |live| live.trust = trust(json!(["lambda.amazonaws.com", "ec2.amazonaws.com"])),
                "iam.trust:Role",
            ),
            (
                |live| live.boundary = Some("arn:boundary".into()),
                "iam.boundary:Role",
            ),
            (
                |live| drop(live.inline.insert("extra".into(), grant(json!("*")))),
                "iam.inline-policy:Role:extra",
            ),
            (
                |live| drop(live.inline.insert("own".into(), grant(json!("s3:*")))),
                "iam.inline-policy:Role:own",
            ),
            (|live| live.inline.clear(), "iam.inline-policy:Role:own"),
            (
                |live| live.attached.extend(["arn:extra".into()]),
                "iam.attached-policy:Role:arn:extra",
            ),
            (
                |live| live.attached.clear(),
                "iam.attached-policy:Role:arn:aws:iam::aws:policy/Base",
            ),
        ];
        for (tamper, id) in cases {
            let mut live = live_role();
            tamper(&mut live);
            assert_eq!(ids(role_findings(&role(), &[guardrail()], &live)), [id]);
        }
    }

    #[test]
    fn a_guardrail_that_was_rolled_or_detached_is_found() {
        let mut live = live_policy();
        live.document = grant(json!("a:B"));
        live.attached_to.remove("role Administrator");
        assert_eq!(
            ids(policy_findings(&guardrail(), &live)),
            [
                "iam.policy-document:Guardrail",
                "iam.guard-detached:Guardrail:role/Administrator"
            ]
        );
    }

    #[test]
    fn a_document_is_read_from_its_url_encoding() {
        assert_eq!(
            decoded_policy("%7B%22a%22%3A%20%22%C3%A4%22%7D"),
            json!({"a": "ä"})
        );
        assert_eq!(decoded_policy("{\"a\": \"+\"}"), json!({"a": "+"}));
        assert_eq!(decoded_policy("no %JSON"), json!("no %JSON"));
    }
}

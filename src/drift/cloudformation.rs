//! Detector: what CloudFormation's own drift detection reports of properties that no other
//! detector compares, and types that nobody checks.
//!
//! CloudFormation's list of types that it can check grows without notice, so none is kept
//! here: what it checked stands in its answer, and what it did not is told, unless another
//! detector covers it.

mod read;

use std::collections::BTreeMap;

use serde_json::Value;

use super::coverage;
use super::deployed::DeployedStack;
use super::finding::{Certainty, Detector, Finding, Severity};
use super::properties::same;
use crate::cloud::{Cloud, ServiceError};
use read::{Detection, Difference, ResourceDrift};

const CLOUDFORMATION: Detector = Detector::CloudFormation;

/// Differences that CloudFormation reports although nobody changed anything: type, property,
/// and where that is known from. Those of properties that a detector of ours compares (a REST
/// API's policy, the account's logging role) need no entry.
const FALSE_ALARMS: [(&str, &str, &str); 2] = [
    (
        "AWS::ApiGateway::RestApi",
        "Tags",
        "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1296",
    ),
    // `Intelligent-Tiering` leaves the choice to Systems Manager, and the parameter has what
    // it chose.
    (
        "AWS::SSM::Parameter",
        "Tier",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
    ),
];

/// Properties whose values are told to nobody.
const UNTOLD: [&str; 4] = [
    "AuthorizerCredentials",
    "Environment",
    "SecretString",
    "Value",
];

/// What was checked of the resources of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The type, such as `AWS::SQS::Queue`.
    pub resource_type: String,
    /// How many resources of it the stack has.
    pub resources: usize,
    /// Who checked them; nobody: no one.
    pub checked_by: Vec<Detector>,
}

/// Has CloudFormation look at the stack.
pub(super) async fn detect(cloud: &Cloud, stack: &DeployedStack) -> (Vec<Finding>, Vec<Coverage>) {
    judge(stack, read::detect(cloud, stack.id()).await)
}

fn judge(
    stack: &DeployedStack,
    detection: Result<Detection, ServiceError>,
) -> (Vec<Finding>, Vec<Coverage>) {
    let (detection, mut findings) = match detection {
        Ok(detection) => (detection, Vec::new()),
        Err(error) => {
            let finding = Finding::not_checked(CLOUDFORMATION, "unreadable", stack.name(), error);
            (Detection::default(), vec![finding])
        }
    };
    let types = stack.types();
    let coverage = coverage(&types, &detection);
    for (id, resource_type) in &types {
        let drift = detection.resources.get(*id);
        let covered = coverage::of(resource_type);
        match drift.map(|drift| drift.status.as_str()) {
            Some("IN_SYNC") => {}
            Some("MODIFIED") => {
                let drift = drift.map(|drift| &drift.differences);
                findings.extend(differences(id, resource_type, drift.into_iter().flatten()));
            }
            // The detector that covers it tells, and says how to bring it back.
            Some(_) | None if covered.is_some() => {}
            Some("DELETED") => findings.push(
                reported(
                    "deleted",
                    Severity::High,
                    id,
                    format!("the {resource_type} was deleted"),
                )
                .cure("make it again as it was deployed"),
            ),
            _ => findings.push(unchecked(id, resource_type, drift, &detection)),
        }
    }
    (findings, coverage)
}

/// A resource that nobody checked.
fn unchecked(
    id: &str,
    resource_type: &str,
    drift: Option<&ResourceDrift>,
    detection: &Detection,
) -> Finding {
    let reason = drift
        .and_then(|drift| drift.reason.clone())
        .or_else(|| detection.failure.clone())
        .unwrap_or_else(|| "it does not support the type".to_owned());
    Finding::not_checked(
        CLOUDFORMATION,
        "uncovered",
        id,
        format!(
            "no detector covers {resource_type}, and CloudFormation did not check it: {reason}"
        ),
    )
}

fn differences<'a>(
    id: &str,
    resource_type: &str,
    differences: impl Iterator<Item = &'a Difference>,
) -> Vec<Finding> {
    let covered = coverage::of(resource_type);
    let mut by_property: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for difference in differences {
        let property = difference.property();
        let is_ours = covered.is_some_and(|covered| covered.compares(property));
        let is_false = FALSE_ALARMS
            .iter()
            .any(|(of_type, name, _)| *of_type == resource_type && *name == property);
        if !is_ours && !is_false && difference.is_real() {
            by_property.entry(property).or_default().push(difference);
        }
    }
    by_property
        .into_iter()
        .map(|(property, differences)| {
            let shown = |value: fn(&Difference) -> &str| {
                if UNTOLD.contains(&property) {
                    return "(not shown)".to_owned();
                }
                let values = differences.iter().map(|difference| {
                    let path = &difference.path;
                    format!("{path} {}", value(difference))
                });
                values.collect::<Vec<_>>().join("; ")
            };
            reported(property, Severity::Medium, id, format!("{property} was changed"))
                .expected(shown(|difference| &difference.expected))
                .actual(shown(|difference| &difference.actual))
                .cure("set it back in the service's console or by its command; a deployment of the same template would not")
        })
        .collect()
}

fn reported(check: &str, severity: Severity, id: &str, what: String) -> Finding {
    Finding {
        certainty: Certainty::Reported,
        ..Finding::drift(CLOUDFORMATION, severity, check, id, what)
    }
}

impl Difference {
    /// The property of the resource that holds what differs: `Tags` of `/Tags/0/Value`.
    fn property(&self) -> &str {
        let path = self.path.trim_start_matches('/');
        path.split('/').next().unwrap_or(path)
    }

    /// Whether both values mean something else: CloudFormation reports an empty mapping where
    /// the service has none
    /// (<https://github.com/serverless/serverless/issues/5652>), and numbers as texts.
    fn is_real(&self) -> bool {
        let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        !same(&value(&self.expected), &value(&self.actual))
    }
}

fn coverage(types: &BTreeMap<&str, &str>, detection: &Detection) -> Vec<Coverage> {
    let mut by_type: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, resource_type) in types {
        by_type.entry(resource_type).or_default().push(id);
    }
    let is_checked = |id: &&str| {
        detection
            .resources
            .get(*id)
            .is_some_and(|drift| matches!(&*drift.status, "IN_SYNC" | "MODIFIED" | "DELETED"))
    };
    by_type
        .into_iter()
        .map(|(resource_type, ids)| {
            let ours = coverage::of(resource_type).map(|covered| covered.detector);
            let cloudformation = ids.iter().any(is_checked).then_some(CLOUDFORMATION);
            Coverage {
                resource_type: resource_type.to_owned(),
                resources: ids.len(),
                checked_by: ours.into_iter().chain(cloudformation).collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::drift::resource::tests::ids;

    fn stack() -> DeployedStack {
        let template = json!({"Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {}},
            "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {}},
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {}},
            "Vault": {"Type": "AWS::Backup::BackupVault", "Properties": {}},
        }});
        let id = "arn:aws:cloudformation:eu-central-1:444455556666:stack/scim/9f1c";
        DeployedStack::new(id, template, BTreeMap::new()).unwrap()
    }

    fn drift(status: &str, differences: &[(&str, &str, &str)]) -> ResourceDrift {
        ResourceDrift {
            status: status.to_owned(),
            reason: None,
            differences: differences
                .iter()
                .map(|(path, expected, actual)| Difference {
                    path: (*path).to_owned(),
                    expected: (*expected).to_owned(),
                    actual: (*actual).to_owned(),
                })
                .collect(),
        }
    }

    fn detection(resources: &[(&str, ResourceDrift)]) -> Detection {
        let resources = resources.iter().cloned();
        Detection {
            resources: resources
                .map(|(id, drift)| (id.to_owned(), drift))
                .collect(),
            failure: None,
        }
    }

    fn found(resources: &[(&str, ResourceDrift)]) -> Vec<Finding> {
        judge(&stack(), Ok(detection(resources))).0
    }

    #[test]
    fn what_another_detector_compares_is_not_told_twice_and_the_rest_is() {
        let vault = ("Vault", drift("IN_SYNC", &[]));
        let function = drift(
            "MODIFIED",
            &[
                ("/Environment/Variables/A", "canary", "other"),
                ("/MemorySize", "128", "256"),
                ("/Tags/0/Value", "a", "b"),
                ("/Description", "a", "b"),
            ],
        );
        let findings = found(&[vault, ("Function", function)]);
        assert_eq!(
            ids(&findings),
            [
                "cloudformation.Description:Function",
                "cloudformation.Tags:Function"
            ]
        );
        assert_eq!(findings[1].expected.as_deref(), Some("/Tags/0/Value a"));
        assert_eq!(findings[1].certainty, Certainty::Reported);
    }

    #[test]
    fn false_alarms_are_none() {
        let api = drift(
            "MODIFIED",
            &[
                ("/Tags", "[]", "[{\"Key\": \"a\"}]"),
                ("/BinaryMediaTypes", "{}", "null"),
                ("/MinimumCompressionSize", "1", "\"1\""),
            ],
        );
        assert_eq!(
            ids(&found(&[("Vault", drift("IN_SYNC", &[])), ("Api", api)])),
            [""; 0]
        );
    }

    #[test]
    fn values_that_may_be_secret_are_not_told() {
        let vault = drift("MODIFIED", &[("/SecretString", "canary", "other")]);
        let findings = found(&[("Vault", vault)]);
        assert_eq!(ids(&findings), ["cloudformation.SecretString:Vault"]);
        assert!(!format!("{findings:?}").contains("canary"));
    }

    #[test]
    fn what_nobody_checks_is_told_and_what_another_detector_checks_is_not() {
        for (vault, expected) in [
            (vec![], "cloudformation.uncovered:Vault"),
            (
                vec![("Vault", drift("UNKNOWN", &[]))],
                "cloudformation.uncovered:Vault",
            ),
            (
                vec![("Vault", drift("DELETED", &[]))],
                "cloudformation.deleted:Vault",
            ),
        ] {
            let mut all = vault;
            all.push(("Stage", drift("DELETED", &[])));
            assert_eq!(ids(&found(&all)), [expected]);
        }
    }

    #[test]
    fn the_coverage_says_who_checked_what() {
        let detection = detection(&[("Function", drift("IN_SYNC", &[]))]);
        let (_, coverage) = judge(&stack(), Ok(detection));
        let told: Vec<_> = coverage
            .iter()
            .map(|one| (one.resource_type.as_str(), one.checked_by.clone()))
            .collect();
        assert_eq!(
            told,
            [
                ("AWS::ApiGateway::RestApi", vec![Detector::Api]),
                ("AWS::ApiGateway::Stage", vec![Detector::Api]),
                ("AWS::Backup::BackupVault", vec![]),
                (
                    "AWS::Lambda::Function",
                    vec![Detector::Function, Detector::CloudFormation]
                ),
            ]
        );
    }
}

//! Detector: repositories whose images somebody can replace, that others may use, or that no
//! longer have the deployed image.

use aws_json_client::{Client, Environment, Error};
use serde_json::{Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone};
use crate::cloud::service::ECR;

const REPOSITORY: Detector = Detector::Repository;

const CHECK: Check = Check {
    detector: REPOSITORY,
    noun: "repository",
    if_deleted: Severity::Medium,
    severity: |property| match property {
        "RepositoryPolicyText" => Severity::High,
        _ => Severity::Medium,
    },
    remake: "make it again under the same name with `aws ecr create-repository`, as it was deployed; `connect-scim deploy` pushes the image",
    set_back: |name| {
        format!(
            "set it back with `put-image-tag-mutability`, `put-image-scanning-configuration`, `put-lifecycle-policy` or `delete-repository-policy` of `aws ecr`, all of `--repository-name {name}`"
        )
    },
};

/// The code for a repository that is not there.
const GONE: &str = "RepositoryNotFoundException";

/// Looks at every repository of the stack, and for the images of its tasks.
pub(super) async fn detect(environment: &Environment, stack: &DeployedStack) -> Vec<Finding> {
    let client = Client::new(ECR, environment);
    let repositories = stack.resources("AWS::ECR::Repository");
    let images = images(&stack.resources("AWS::ECS::TaskDefinition"));
    let checks = repositories.into_iter().map(async |repository| {
        let repository = parsed(repository);
        let live = read(&client, &repository.physical_id).await;
        let is_there = matches!(live, Ok(Some(_)));
        let mut findings = CHECK.outcome(&repository, live);
        for (name, digest) in &images {
            if is_there && *name == repository.physical_id {
                let image = has_image(&client, name, digest).await;
                findings.extend(missing_image(&repository, digest, image));
            }
        }
        findings
    });
    futures_util::future::join_all(checks).await.concat()
}

/// Repository and digest of what the containers run: `registry/repository@sha256:…`.
fn images(definitions: &[Resource]) -> Vec<(String, String)> {
    definitions
        .iter()
        .filter_map(|definition| definition.properties["ContainerDefinitions"].as_array())
        .flatten()
        .filter_map(|container| {
            let (place, digest) = container["Image"].as_str()?.split_once('@')?;
            let (_registry, repository) = place.split_once('/')?;
            Some((repository.to_owned(), digest.to_owned()))
        })
        .collect()
}

/// The lifecycle policy as JSON: the service writes its text in its own way.
fn parsed(mut repository: Resource) -> Resource {
    let policy = &mut repository.properties["LifecyclePolicy"];
    if policy.is_object() {
        policy["LifecyclePolicyText"] = json_of(&policy["LifecyclePolicyText"]);
    }
    repository
}

fn json_of(text: &Value) -> Value {
    text.as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| text.clone())
}

async fn read(client: &Client, name: &str) -> Result<Option<Value>, Error> {
    let named = json!({"repositoryName": name});
    let described = client
        .call("DescribeRepositories", &json!({"repositoryNames": [name]}))
        .await;
    let described: Option<Value> = unless_gone(described, &[GONE])?;
    let Some(described) = described else {
        return Ok(None);
    };
    let (lifecycle, policy) = tokio::join!(
        client.call("GetLifecyclePolicy", &named),
        client.call("GetRepositoryPolicy", &named),
    );
    let lifecycle: Option<Value> = unless_gone(lifecycle, &["LifecyclePolicyNotFoundException"])?;
    let policy: Option<Value> = unless_gone(policy, &["RepositoryPolicyNotFoundException"])?;
    Ok(Some(properties(
        &described["repositories"][0],
        lifecycle.as_ref(),
        policy.as_ref(),
    )))
}

fn properties(repository: &Value, lifecycle: Option<&Value>, policy: Option<&Value>) -> Value {
    json!({
        "ImageTagMutability": repository["imageTagMutability"],
        "ImageScanningConfiguration": {
            "ScanOnPush": repository["imageScanningConfiguration"]["scanOnPush"],
        },
        "LifecyclePolicy": lifecycle.map(|lifecycle| {
            json!({"LifecyclePolicyText": json_of(&lifecycle["lifecyclePolicyText"])})
        }),
        "RepositoryPolicyText": policy.map(|policy| json_of(&policy["policyText"])),
    })
}

async fn has_image(client: &Client, repository: &str, digest: &str) -> Result<bool, Error> {
    let input = json!({"repositoryName": repository, "imageIds": [{"imageDigest": digest}]});
    let answer = client.call("DescribeImages", &input).await;
    let answer: Option<Value> = unless_gone(answer, &["ImageNotFoundException"])?;
    Ok(answer.is_some_and(|answer| answer["imageDetails"][0]["imageDigest"] == digest))
}

fn missing_image(
    repository: &Resource,
    digest: &str,
    is_there: Result<bool, Error>,
) -> Option<Finding> {
    let id = &repository.logical_id;
    match is_there {
        Ok(true) => None,
        Ok(false) => Some(
            Finding::drift(
                REPOSITORY,
                Severity::Medium,
                "image",
                id,
                "the image that the task runs was deleted: no run can start",
            )
            .expected(digest)
            .actual("(none)")
            .cure("`connect-scim deploy` pushes it again"),
        ),
        Err(error) => Some(Finding::not_checked(REPOSITORY, "image", id, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    #[test]
    fn a_repository_is_compared_with_its_policies() {
        let repository = parsed(deployed(json!({
            "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": {"ScanOnPush": true},
            "LifecyclePolicy": {"LifecyclePolicyText": "{ \"rules\": [{\"rulePriority\": 1}] }"},
        })));
        let lifecycle = |rules: &str| json!({"lifecyclePolicyText": rules});
        let own = lifecycle("{\"rules\":[{\"rulePriority\":1}]}");
        let others = json!({"policyText": "{\"Statement\": []}"});
        for (mutability, scanned, lifecycle, policy, expected) in [
            ("IMMUTABLE", true, Some(&own), None, &[][..]),
            (
                "MUTABLE",
                true,
                Some(&own),
                None,
                &["repository.ImageTagMutability:R"],
            ),
            (
                "IMMUTABLE",
                false,
                Some(&own),
                None,
                &["repository.ImageScanningConfiguration:R"],
            ),
            (
                "IMMUTABLE",
                true,
                None,
                None,
                &["repository.LifecyclePolicy:R"],
            ),
            (
                "IMMUTABLE",
                true,
                Some(&lifecycle("{\"rules\":[]}")),
                None,
                &["repository.LifecyclePolicy:R"],
            ),
            (
                "IMMUTABLE",
                true,
                Some(&own),
                Some(&others),
                &["repository.RepositoryPolicyText:R"],
            ),
        ] {
            let live = json!({
                "imageTagMutability": mutability,
                "imageScanningConfiguration": {"scanOnPush": scanned},
            });
            let live = properties(&live, lifecycle, policy);
            let outcome = CHECK.outcome(&repository, Ok::<_, Error>(Some(live)));
            assert_eq!(ids(&outcome), expected);
        }
    }

    #[test]
    fn images_are_those_that_tasks_take_by_digest() {
        let definition = deployed(json!({"ContainerDefinitions": [
            {"Image": "1.dkr.ecr.eu-central-1.amazonaws.com/team/images@sha256:1"},
            {"Image": "docker.io/library/debian:stable"},
        ]}));
        assert_eq!(
            images(&[definition]),
            [("team/images".to_owned(), "sha256:1".to_owned())]
        );
        let repository = deployed(json!({}));
        assert_eq!(missing_image(&repository, "sha256:1", Ok(true)), None);
        let gone = missing_image(&repository, "sha256:1", Ok(false)).unwrap();
        assert_eq!(gone.id, "repository.image:R");
    }
}

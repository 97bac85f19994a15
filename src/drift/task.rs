//! Detector: a task definition or a cluster that the schedule can start nothing from.
//!
//! A revision of a task definition never changes, but it can be taken out of service, after
//! which no task is started from it any more. That the schedule starts the deployed revision
//! and no other is compared with the schedule.

use aws_json_client::{Client, Environment, Error};
use serde_json::{Map, Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone};
use crate::cloud::service::ECS;

const DEFINITION: Check = Check {
    detector: Detector::Task,
    noun: "registration of the task definition",
    if_deleted: Severity::Medium,
    severity: |property| match property {
        "Cpu" | "Memory" => Severity::Medium,
        _ => Severity::High,
    },
    remake: "no revision comes back: change something of the task in the environment file, such as `task.memoryMb`, and `connect-scim deploy` registers a new one and has the schedule start it",
    set_back: |_| {
        "a revision never changes, so another one was put in its place: change something of the task in the environment file, and `connect-scim deploy` registers a new one".to_owned()
    },
};

const CLUSTER: Check = Check {
    detector: Detector::Task,
    noun: "cluster",
    if_deleted: Severity::Medium,
    severity: |_| Severity::Medium,
    remake: "make it again under the same name with `aws ecs create-cluster`; it costs nothing and holds nothing",
    set_back: |name| format!("`aws ecs create-cluster --cluster-name {name}`"),
};

/// What is compared of a task definition, by the names of the template.
pub(super) const PROPERTIES: [&str; 9] = [
    "ContainerDefinitions",
    "Cpu",
    "ExecutionRoleArn",
    "Memory",
    "NetworkMode",
    "RequiresCompatibilities",
    "RuntimePlatform",
    "TaskRoleArn",
    "Volumes",
];

/// What ECS answers about a task definition that is not there
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html>).
const GONE: [&str; 1] = ["ClientException"];

/// What a thing in use is told to be.
const ACTIVE: &str = "ACTIVE";

/// Looks at every task definition and cluster of the stack.
pub(super) async fn detect(environment: &Environment, stack: &DeployedStack) -> Vec<Finding> {
    let client = Client::new(ECS, environment);
    let definitions = stack.resources("AWS::ECS::TaskDefinition");
    let definitions = definitions.iter().map(async |definition| {
        DEFINITION.outcome(definition, read_definition(&client, definition).await)
    });
    let clusters = stack.resources("AWS::ECS::Cluster");
    let clusters = clusters
        .iter()
        .map(async |cluster| CLUSTER.outcome(cluster, read_cluster(&client, cluster).await));
    let (definitions, clusters) = tokio::join!(
        futures_util::future::join_all(definitions),
        futures_util::future::join_all(clusters),
    );
    [definitions.concat(), clusters.concat()].concat()
}

async fn read_definition(client: &Client, definition: &Resource) -> Result<Option<Value>, Error> {
    let input = json!({"taskDefinition": definition.physical_id});
    let answer = client.call("DescribeTaskDefinition", &input).await;
    let answer: Option<Value> = unless_gone(answer, &GONE)?;
    Ok(answer.and_then(|answer| properties(&answer["taskDefinition"])))
}

/// A revision in use, as the template writes it; what is not told is not compared.
fn properties(definition: &Value) -> Option<Value> {
    if definition["status"] != ACTIVE {
        return None;
    }
    let Value::Object(mut properties) = capitalized(definition) else {
        return None;
    };
    properties.retain(|name, value| PROPERTIES.contains(&name.as_str()) && !value.is_null());
    Some(Value::Object(properties))
}

/// The same with the names of the template: ECS begins them in lower case. The options of a
/// log driver have names of their own.
fn capitalized(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(capitalized).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| {
                let mut letters = name.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                let name: String = first.into_iter().chain(letters).collect();
                let member = match name.as_str() {
                    "Options" => member.clone(),
                    _ => capitalized(member),
                };
                (name, member)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        scalar => scalar.clone(),
    }
}

async fn read_cluster(client: &Client, cluster: &Resource) -> Result<Option<Value>, Error> {
    let input = json!({"clusters": [cluster.physical_id]});
    let answer: Value = client.call("DescribeClusters", &input).await?;
    let cluster = &answer["clusters"][0];
    Ok((cluster["status"] == ACTIVE).then(|| json!({"ClusterName": cluster["clusterName"]})))
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    fn live() -> Value {
        json!({
            "taskDefinitionArn": "arn:t:3",
            "status": ACTIVE,
            "cpu": "256",
            "taskRoleArn": "arn:role",
            "volumes": [],
            "containerDefinitions": [{
                "name": "directory-sync",
                "image": "registry/images@sha256:1",
                "user": "65532:65532",
                "readonlyRootFilesystem": true,
                "cpu": 0,
                "portMappings": [],
                "secrets": [{"name": "TOKEN", "valueFrom": "arn:secret"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/g"}},
            }],
        })
    }

    #[test]
    fn a_revision_is_compared_while_it_is_in_use() {
        let definition = deployed(json!({
            "Cpu": "256",
            "TaskRoleArn": "arn:role",
            "RuntimePlatform": {"CpuArchitecture": "ARM64"},
            "ContainerDefinitions": [{
                "Name": "directory-sync",
                "Image": "registry/images@sha256:1",
                "User": "65532:65532",
                "ReadonlyRootFilesystem": true,
                "Secrets": [{"Name": "TOKEN", "ValueFrom": "arn:secret"}],
                "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "/g"}},
            }],
        }));
        type Tampering = fn(&mut Value);
        let cases: [(Tampering, &[&str]); 8] = [
            (|_| {}, &[]),
            (
                |live| live["status"] = json!("INACTIVE"),
                &["task.deleted:R"],
            ),
            (|live| live["cpu"] = json!("512"), &["task.Cpu:R"]),
            (
                |live| live["taskRoleArn"] = json!("arn:other"),
                &["task.TaskRoleArn:R"],
            ),
            (
                |live| live["volumes"] = json!([{"name": "host"}]),
                &["task.Volumes:R"],
            ),
            (
                |live| live["containerDefinitions"][0]["image"] = json!("other@sha256:2"),
                &["task.ContainerDefinitions:R"],
            ),
            (
                |live| live["containerDefinitions"][0]["readonlyRootFilesystem"] = json!(false),
                &["task.ContainerDefinitions:R"],
            ),
            (
                |live| live["containerDefinitions"][0]["secrets"] = json!([]),
                &["task.ContainerDefinitions:R"],
            ),
        ];
        for (tamper, expected) in cases {
            let mut live = live();
            tamper(&mut live);
            let outcome = DEFINITION.outcome(&definition, Ok::<_, Error>(properties(&live)));
            assert_eq!(ids(&outcome), expected);
        }
    }
}

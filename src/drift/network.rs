//! Detector: security groups that let in or out what they were not deployed to.
//!
//! CloudFormation's own detection says nothing of rules for incoming traffic where a template
//! has none, which is where one more matters most. EC2 itself speaks XML only; the Cloud
//! Control API tells the same in JSON, and in the form of the template.

use aws_json_client::{Client, Environment, Error};
use serde_json::{Value, json};

use super::deployed::{DeployedStack, Resource};
use super::finding::{Detector, Finding, Severity};
use super::resource::{Check, unless_gone};
use crate::cloud::Cloud;
use crate::cloud::service::CLOUD_CONTROL;

const TYPE: &str = "AWS::EC2::SecurityGroup";

const CHECK: Check = Check {
    detector: Detector::Network,
    noun: "security group",
    if_deleted: Severity::Medium,
    severity: |_| Severity::High,
    remake: "make it again as it was deployed",
    set_back: |id| {
        format!(
            "`revoke-security-group-ingress`, `revoke-security-group-egress` and `authorize-security-group-egress` of `aws ec2`, all of `--group-id {id}`"
        )
    },
};

/// The code for a resource that is not there.
const GONE: [&str; 1] = ["ResourceNotFoundException"];

/// Looks at every security group of the stack. The Cloud Control API of the local cloud knows
/// only what was made through it, so nothing is compared there.
pub(super) async fn detect(
    cloud: &Cloud,
    environment: &Environment,
    stack: &DeployedStack,
) -> Vec<Finding> {
    if cloud.is_local() {
        return Vec::new();
    }
    let client = Client::new(CLOUD_CONTROL, environment);
    let groups = stack.resources(TYPE);
    let checks = groups
        .iter()
        .map(async |group| CHECK.outcome(group, read(&client, group).await));
    futures_util::future::join_all(checks).await.concat()
}

/// `GetResource`
/// (<https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>).
async fn read(client: &Client, group: &Resource) -> Result<Option<Value>, Error> {
    let input = json!({"TypeName": TYPE, "Identifier": group.physical_id});
    let answer = client.call("GetResource", &input).await;
    let answer: Option<Value> = unless_gone(answer, &GONE)?;
    Ok(answer.map(|answer| properties(&answer)))
}

fn properties(answer: &Value) -> Value {
    let group: Value = answer["ResourceDescription"]["Properties"]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    json!({
        "SecurityGroupEgress": group["SecurityGroupEgress"],
        "SecurityGroupIngress": group["SecurityGroupIngress"],
    })
}

#[cfg(test)]
mod tests {
    use super::super::resource::tests::{deployed, ids};
    use super::*;

    #[test]
    fn rules_are_found_that_were_added_or_removed() {
        let rule = |port: u16| json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"});
        let group = deployed(json!({"SecurityGroupEgress": [rule(443), rule(636)]}));
        for (egress, ingress, expected) in [
            (vec![rule(636), rule(443)], vec![], &[][..]),
            (vec![rule(443)], vec![], &["network.SecurityGroupEgress:R"]),
            (
                vec![rule(443), rule(636), rule(22)],
                vec![],
                &["network.SecurityGroupEgress:R"],
            ),
            (
                vec![rule(443), rule(636)],
                vec![rule(22)],
                &["network.SecurityGroupIngress:R"],
            ),
        ] {
            let live = json!({"SecurityGroupEgress": egress, "SecurityGroupIngress": ingress});
            let answer = json!({"ResourceDescription": {"Properties": live.to_string()}});
            let outcome = CHECK.outcome(&group, Ok::<_, Error>(Some(properties(&answer))));
            assert_eq!(ids(&outcome), expected);
        }
    }
}

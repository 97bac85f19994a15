//! API keys, and which usage plan meters which of them.
//!
//! The authorizer names the key of the client whose token matched. A key that was disabled, or
//! taken from its plan, shuts that client out; one that was put into another plan is metered
//! by that one's throttle.

use aws_sdk_apigateway::Client;
use serde_json::{Value, json};

use super::API;
use crate::cloud::{Cloud, ServiceError, failed_to};
use crate::drift::deployed::{DeployedStack, Resource};
use crate::drift::finding::{Finding, Severity};
use crate::drift::resource::Check;

const KEY: Check = Check {
    detector: API,
    noun: "API key",
    if_deleted: Severity::Medium,
    severity: |_| Severity::Medium,
    remake: "make it again with its name and its value, `<UUID at the end of the stack's ARN>-<client>`, with `aws apigateway create-api-key`, and `create-usage-plan-key`",
    set_back: |id| {
        format!(
            "`aws apigateway update-api-key --api-key {id} --patch-operations op=replace,path=/enabled,value=true`"
        )
    },
};

const ACCOUNT: Check = Check {
    detector: API,
    noun: "setting",
    if_deleted: Severity::Low,
    severity: |_| Severity::Low,
    remake: "",
    set_back: |_| {
        "no API of the account and region may be able to write logs: `aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=…`".to_owned()
    },
};

/// Looks at the keys of all clients, and at the account's logging role if the stack made it.
pub(super) async fn detect(cloud: &Cloud, client: &Client, stack: &DeployedStack) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in stack.resources("AWS::ApiGateway::ApiKey") {
        findings.extend(KEY.outcome(&key, read_key(client, &key.physical_id).await));
    }
    let members = stack.resources("AWS::ApiGateway::UsagePlanKey");
    for plan in stack.resources("AWS::ApiGateway::UsagePlan") {
        match read_members(client, &plan.physical_id).await {
            Ok(live) => findings.extend(of_plan(&plan, &members, &live)),
            Err(error) => findings.push(
                Finding::not_checked(API, "unreadable", &plan.logical_id, error).part("keys"),
            ),
        }
    }
    // The setting stays when the stack goes: several stacks may have made it, and in the
    // local cloud each of them believes so.
    for account in stack.resources("AWS::ApiGateway::Account") {
        if !cloud.is_local() {
            findings.extend(ACCOUNT.outcome(&account, read_account(client).await.map(Some)));
        }
    }
    findings
}

async fn read_key(client: &Client, id: &str) -> Result<Option<Value>, ServiceError> {
    let key = client.get_api_key().api_key(id).send().await;
    match key.map_err(failed_to(format!("read the API key {id}"))) {
        Err(error) if error.has_code("NotFoundException") => Ok(None),
        key => Ok(Some(json!({"Enabled": key?.enabled()}))),
    }
}

/// The ids of the keys in a usage plan; of one that is gone, none, which another check tells.
async fn read_members(client: &Client, plan: &str) -> Result<Option<Vec<String>>, ServiceError> {
    let keys = client
        .get_usage_plan_keys()
        .usage_plan_id(plan)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await;
    match keys.map_err(failed_to(format!("list the keys of the usage plan {plan}"))) {
        Err(error) if error.has_code("NotFoundException") => Ok(None),
        keys => Ok(Some(
            keys?
                .into_iter()
                .filter_map(|key| Some(key.id()?.to_owned()))
                .collect(),
        )),
    }
}

fn of_plan(plan: &Resource, members: &[Resource], live: &Option<Vec<String>>) -> Vec<Finding> {
    let Some(live) = live else {
        return Vec::new();
    };
    let id = &plan.physical_id;
    let ours: Vec<(&Resource, &str)> = members
        .iter()
        .filter(|member| member.properties["UsagePlanId"] == id.as_str())
        .filter_map(|member| Some((member, member.properties["KeyId"].as_str()?)))
        .collect();
    let gone = ours
        .iter()
        .filter(|(_, key)| !live.iter().any(|id| id == key));
    let mut findings: Vec<Finding> = gone
        .map(|(member, key)| {
            Finding::drift(
                API,
                Severity::Medium,
                "usage-plan-key",
                &member.logical_id,
                format!("the API key {key} was taken from its usage plan {id}: its client is not metered, or refused"),
            )
            .expected(*key)
            .actual("(none)")
            .cure(format!(
                "`aws apigateway create-usage-plan-key --usage-plan-id {id} --key-id {key} --key-type API_KEY`"
            ))
        })
        .collect();
    let added = live
        .iter()
        .filter(|id| !ours.iter().any(|(_, key)| key == id));
    findings.extend(added.map(|key| {
        Finding::drift(
            API,
            Severity::Low,
            "usage-plan-key",
            &plan.logical_id,
            format!("the usage plan {id} has another API key, {key}"),
        )
        .part(key)
        .expected("(none)")
        .actual(key)
        .cure(format!(
            "`aws apigateway delete-usage-plan-key --usage-plan-id {id} --key-id {key}`"
        ))
    }));
    findings
}

async fn read_account(client: &Client) -> Result<Value, ServiceError> {
    let account = client
        .get_account()
        .send()
        .await
        .map_err(failed_to("read the settings of API Gateway"))?;
    Ok(json!({"CloudWatchRoleArn": account.cloudwatch_role_arn()}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::resource::tests::ids;

    #[test]
    fn a_usage_plan_has_the_deployed_keys_and_no_others() {
        let resource = |logical_id: &str, physical_id: &str, properties: Value| Resource {
            logical_id: logical_id.to_owned(),
            physical_id: physical_id.to_owned(),
            properties,
        };
        let plan = resource("Plan", "plan-1", json!({}));
        let member = json!({"UsagePlanId": "plan-1", "KeyId": "key-1"});
        let members = [resource("PlanKey", "key-1:plan-1", member)];
        for (live, expected) in [
            (Some(vec!["key-1"]), &[][..]),
            (Some(vec![]), &["api.usage-plan-key:PlanKey"]),
            (
                Some(vec!["key-1", "key-2"]),
                &["api.usage-plan-key:Plan:key-2"],
            ),
            (None, &[]),
        ] {
            let live = live.map(|keys| keys.into_iter().map(str::to_owned).collect());
            assert_eq!(ids(&of_plan(&plan, &members, &live)), expected);
        }
    }
}

//! IAM asked what it would say: `SimulatePrincipalPolicy`, which knows a principal's
//! policies, its boundary and the service control policies of its account.

use aws_json_client::{Client as JsonClient, Method, Request};
use aws_sdk_iam::Client;
use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EntityType, EvaluationResult, PolicyEvaluationDecisionType,
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use super::actions::{ResourceKind, USER_EDITS};
use super::principal::{Account, Holder};
use super::verification::Decision;
use crate::cloud::{Cloud, ServiceError, decoded_policy, failed_to};

/// How many simulations are under way at once. IAM publishes no limit; it throttles a few
/// dozen a second, and the client waits then.
const CONCURRENCY: usize = 8;

/// The most results of one call.
const MAX_RESULTS: i32 = 1000;

/// An id that no resource has, for where the instance has none of a kind.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Real ids of the instance to simulate edits on: a policy may name some users only.
#[derive(Debug, Clone)]
pub struct Samples {
    instance: String,
    ids: Vec<(ResourceKind, String)>,
}

impl Samples {
    /// One of each kind that the instance has and lets us list.
    pub async fn read(connect: &JsonClient, instance_arn: &str) -> Self {
        let instance_id = instance_arn.rsplit('/').next().unwrap_or_default();
        let first = async |operation, path, list: &str, kind| {
            let request = Request::rest(operation, Method::Get, &[path, instance_id]);
            let answer = connect.send(request.query("maxResults", "1")).await.ok()?;
            let answer: Value = answer.json().ok()?;
            Some((kind, answer[list][0]["Id"].as_str()?.to_owned()))
        };
        let (users, groups, security, authentication) = tokio::join!(
            first(
                "ListUsers",
                "users-summary",
                "UserSummaryList",
                ResourceKind::Agent
            ),
            first(
                "ListUserHierarchyGroups",
                "user-hierarchy-groups-summary",
                "UserHierarchyGroupSummaryList",
                ResourceKind::AgentGroup,
            ),
            first(
                "ListSecurityProfiles",
                "security-profiles-summary",
                "SecurityProfileSummaryList",
                ResourceKind::SecurityProfile,
            ),
            first(
                "ListAuthenticationProfiles",
                "authentication-profiles-summary",
                "AuthenticationProfileSummaryList",
                ResourceKind::AuthenticationProfile,
            ),
        );
        Self {
            instance: instance_arn.to_owned(),
            ids: [users, groups, security, authentication]
                .into_iter()
                .flatten()
                .collect(),
        }
    }

    /// The ARN to simulate edits of a kind on.
    #[must_use]
    pub fn arn(&self, kind: ResourceKind) -> String {
        if kind == ResourceKind::Instance {
            return self.instance.clone();
        }
        let id = self.ids.iter().find(|(known, _)| *known == kind);
        let id = id.map_or(NOBODY, |(_, id)| id.as_str());
        format!("{}/{}/{id}", self.instance, kind.segment())
    }
}

/// The simulator of one account.
#[derive(Debug, Clone)]
pub struct Simulation {
    client: Client,
    samples: Samples,
    /// The policy's name: a denial by it depends on nothing that is not known.
    guardrail: String,
}

/// What was decided of some actions.
type Decisions = Vec<(String, Decision)>;

impl Simulation {
    /// The simulator of the account that `cloud` leads to. `guardrail` is the ARN of the
    /// deny policy.
    #[must_use]
    pub fn new(cloud: &Cloud, samples: Samples, guardrail: &str) -> Self {
        Self {
            client: Client::new(cloud.config()),
            samples,
            guardrail: guardrail.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }

    /// All edits of users for each of the principals, in their order; a failure for one
    /// whom IAM does not simulate, such as a role that is not there.
    pub async fn edits(&self, principals: &[String]) -> Vec<Result<Vec<Decision>, ServiceError>> {
        let calls = principals
            .iter()
            .enumerate()
            .flat_map(|(index, principal)| {
                ResourceKind::ALL.map(|kind| async move {
                    let actions: Vec<String> = USER_EDITS
                        .iter()
                        .filter(|edit| edit.resource == kind)
                        .map(|edit| edit.action.to_owned())
                        .collect();
                    let arn = self.samples.arn(kind);
                    (index, self.decide(principal, actions, &arn).await)
                })
            });
        let answers: Vec<_> = stream::iter(calls)
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut found: Vec<Result<Decisions, ServiceError>> =
            principals.iter().map(|_| Ok(Vec::new())).collect();
        for (index, answer) in answers {
            match (&mut found[index], answer) {
                (Ok(decisions), Ok(more)) => decisions.extend(more),
                (place @ Ok(_), Err(error)) => *place = Err(error),
                (Err(_), _) => {}
            }
        }
        found
            .into_iter()
            .map(|decisions| Ok(in_order(&decisions?)))
            .collect()
    }

    /// What is decided of actions on one resource for one principal.
    ///
    /// # Errors
    /// When IAM refuses or cannot be reached.
    pub async fn decide(
        &self,
        principal: &str,
        actions: Vec<String>,
        resource: &str,
    ) -> Result<Decisions, ServiceError> {
        let mut decisions = Vec::new();
        let mut marker = None;
        loop {
            let answer = self
                .client
                .simulate_principal_policy()
                .policy_source_arn(principal)
                .set_action_names(Some(actions.clone()))
                .resource_arns(resource)
                .set_context_entries(Some(self.context(principal)))
                .max_items(MAX_RESULTS)
                .set_marker(marker)
                .send()
                .await
                .map_err(failed_to(format!("simulate the policies of {principal}")))?;
            decisions.extend(
                answer
                    .evaluation_results()
                    .iter()
                    .map(|result| (result.eval_action_name().to_owned(), self.decision(result))),
            );
            marker = answer.marker.filter(|_| answer.is_truncated);
            if marker.is_none() {
                return Ok(decisions);
            }
        }
    }

    /// What a request of the principal would bring along. With a second factor and over
    /// TLS, because that allows the most.
    fn context(&self, principal: &str) -> Vec<ContextEntry> {
        let instance = self.samples.instance.rsplit('/').next().unwrap_or_default();
        let region = self.samples.instance.split(':').nth(3).unwrap_or_default();
        [
            ("aws:PrincipalArn", principal, ContextKeyTypeEnum::String),
            ("aws:RequestedRegion", region, ContextKeyTypeEnum::String),
            ("connect:InstanceId", instance, ContextKeyTypeEnum::String),
            (
                "aws:MultiFactorAuthPresent",
                "true",
                ContextKeyTypeEnum::Boolean,
            ),
            ("aws:SecureTransport", "true", ContextKeyTypeEnum::Boolean),
        ]
        .map(|(name, value, kind)| {
            ContextEntry::builder()
                .context_key_name(name)
                .context_key_values(value)
                .context_key_type(kind)
                .build()
        })
        .to_vec()
    }

    /// A denial that rests on what the simulation was not told may be none, so that it is
    /// not taken for one, unless the guardrail or the organization says it.
    fn decision(&self, result: &EvaluationResult) -> Decision {
        let by_guardrail = result
            .matched_statements()
            .iter()
            .filter_map(|statement| statement.source_policy_id())
            .any(|policy| policy == self.guardrail);
        let by_organization = result
            .organizations_decision_detail()
            .is_some_and(|detail| !detail.allowed_by_organizations());
        let is_known =
            result.missing_context_values().is_empty() || by_guardrail || by_organization;
        match result.eval_decision() {
            PolicyEvaluationDecisionType::Allowed => Decision::Allowed,
            PolicyEvaluationDecisionType::ExplicitDeny if is_known => Decision::DeniedExplicitly,
            PolicyEvaluationDecisionType::ImplicitDeny if is_known => Decision::DeniedImplicitly,
            _ => Decision::NotChecked,
        }
    }
}

/// One decision for each edit; one that was not answered was not checked.
fn in_order(decisions: &Decisions) -> Vec<Decision> {
    USER_EDITS
        .iter()
        .map(|edit| {
            decisions
                .iter()
                .find(|(action, _)| action == edit.action)
                .map_or(Decision::NotChecked, |(_, decision)| *decision)
        })
        .collect()
}

/// Everybody in the account with all policies: `GetAccountAuthorizationDetails`, all pages.
///
/// # Errors
/// When IAM refuses or cannot be reached.
pub async fn read_account(cloud: &Cloud) -> Result<Account, ServiceError> {
    let mut account = Account::default();
    let mut pages = Client::new(cloud.config())
        .get_account_authorization_details()
        .set_filter(Some(vec![
            EntityType::User,
            EntityType::Role,
            EntityType::Group,
            EntityType::LocalManagedPolicy,
            EntityType::AwsManagedPolicy,
        ]))
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed_to("list the roles, users and groups of the account"))?;
        let attached = |policies: &[aws_sdk_iam::types::AttachedPolicy]| {
            let arn = |policy: &aws_sdk_iam::types::AttachedPolicy| policy.policy_arn.clone();
            policies.iter().filter_map(arn).collect()
        };
        let inline = |policies: &[aws_sdk_iam::types::PolicyDetail]| {
            let document = |policy: &aws_sdk_iam::types::PolicyDetail| {
                Some(decoded_policy(policy.policy_document()?))
            };
            policies.iter().filter_map(document).collect()
        };
        let roles = page.role_detail_list().iter().map(|role| Holder {
            arn: role.arn().unwrap_or_default().to_owned(),
            name: role.role_name().unwrap_or_default().to_owned(),
            inline: inline(role.role_policy_list()),
            attached: attached(role.attached_managed_policies()),
            groups: Vec::new(),
        });
        let users = page.user_detail_list().iter().map(|user| Holder {
            arn: user.arn().unwrap_or_default().to_owned(),
            name: user.user_name().unwrap_or_default().to_owned(),
            inline: inline(user.user_policy_list()),
            attached: attached(user.attached_managed_policies()),
            groups: user.group_list().to_vec(),
        });
        let groups = page.group_detail_list().iter().map(|group| Holder {
            arn: group.arn().unwrap_or_default().to_owned(),
            name: group.group_name().unwrap_or_default().to_owned(),
            inline: inline(group.group_policy_list()),
            attached: attached(group.attached_managed_policies()),
            groups: Vec::new(),
        });
        account.holders.extend(roles.chain(users).chain(groups));
        for policy in page.policies() {
            let version = policy
                .policy_version_list()
                .iter()
                .find(|version| version.is_default_version());
            let document = version.and_then(|version| version.document());
            if let (Some(arn), Some(document)) = (policy.arn(), document) {
                account
                    .managed
                    .insert(arn.to_owned(), decoded_policy(document));
            }
        }
    }
    Ok(account)
}

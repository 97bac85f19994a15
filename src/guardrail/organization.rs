//! The guardrail as a service control policy of AWS Organizations.

use aws_json_client::{Client, Environment, Error, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cloud::service::ORGANIZATIONS;

const TYPE: &str = "SERVICE_CONTROL_POLICY";

/// The organization that an account belongs to.
#[derive(Debug, Clone)]
pub struct Organization {
    client: Client,
}

/// The policy as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceControlPolicy {
    /// Its name, of which an organization has one.
    pub name: String,
    /// Its document.
    pub document: String,
}

/// Something that has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The policy is not there.
    Create,
    /// The policy with this id has another document.
    Update(String),
    /// The policy is not attached to this root, organizational unit or account.
    Attach(String),
}

impl Step {
    /// In words.
    #[must_use]
    pub fn describe(&self, policy: &ServiceControlPolicy) -> String {
        let name = &policy.name;
        match self {
            Self::Create => format!(
                "create the service control policy {name} ({} characters)",
                policy.document.chars().count()
            ),
            Self::Update(id) => format!(
                "update the service control policy {name} ({id}, {} characters)",
                policy.document.chars().count()
            ),
            Self::Attach(target) => format!("attach {name} to {target}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    id: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyPage {
    #[serde(default)]
    policies: Vec<Summary>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    policy: Contents,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    policy_summary: Summary,
    #[serde(default)]
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedOrganization {
    organization: Description,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    #[serde(default)]
    master_account_id: String,
}

impl Organization {
    /// The region in which Organizations is, in a partition.
    ///
    /// AWS General Reference, "AWS Organizations endpoints and quotas".
    #[must_use]
    pub fn region(partition: &str) -> &'static str {
        match partition {
            "aws-cn" => "cn-northwest-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => "us-east-1",
        }
    }

    /// The organization that `environment` leads to, in the region of Organizations.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        Self {
            client: Client::new(ORGANIZATIONS, environment),
        }
    }

    /// The account that no service control policy binds: `DescribeOrganization`.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn management_account(&self) -> Result<String, Error> {
        let answer: DescribedOrganization =
            self.client.call("DescribeOrganization", &json!({})).await?;
        Ok(answer.organization.master_account_id)
    }

    /// What has to be done so that `policy` is attached to the targets.
    ///
    /// # Errors
    /// When a target is not there, or the service refuses or cannot be reached.
    pub async fn steps(
        &self,
        policy: &ServiceControlPolicy,
        targets: &[String],
    ) -> Result<Vec<Step>, Error> {
        let found = self
            .find("ListPolicies", json!({"Filter": TYPE}), &policy.name)
            .await?;
        let mut steps = Vec::new();
        match &found {
            None => steps.push(Step::Create),
            Some(id) if !self.has_document(id, &policy.document).await? => {
                steps.push(Step::Update(id.clone()));
            }
            Some(_) => {}
        }
        for target in targets {
            let question = json!({"Filter": TYPE, "TargetId": target});
            // Asked for a policy that is not there yet, too: whether the target is.
            let attached = self
                .find("ListPoliciesForTarget", question, &policy.name)
                .await?;
            if attached.is_none() {
                steps.push(Step::Attach(target.clone()));
            }
        }
        Ok(steps)
    }

    /// Does one step.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn take(&self, step: &Step, policy: &ServiceControlPolicy) -> Result<(), Error> {
        match step {
            Step::Create => {
                let input = CreatePolicy {
                    name: &policy.name,
                    description: "Denies editing Amazon Connect users and permissions around SCIM",
                    r#type: TYPE,
                    content: &policy.document,
                };
                let _created: Described = self.client.call("CreatePolicy", &input).await?;
            }
            Step::Update(id) => {
                let input = json!({"PolicyId": id, "Content": policy.document});
                let _updated: Described = self.client.call("UpdatePolicy", &input).await?;
            }
            Step::Attach(target) => {
                let filter = json!({"Filter": TYPE});
                let id = self.find("ListPolicies", filter, &policy.name).await?;
                let input = json!({"PolicyId": id, "TargetId": target});
                // The answer has no body.
                match self
                    .client
                    .send(Request::json("AttachPolicy", &input)?)
                    .await
                {
                    Err(error) if error.code() == Some("DuplicatePolicyAttachmentException") => {}
                    answer => drop(answer?),
                }
            }
        }
        Ok(())
    }

    /// The id of the policy of a name, in a list of several pages.
    async fn find(
        &self,
        operation: &'static str,
        mut question: Value,
        name: &str,
    ) -> Result<Option<String>, Error> {
        loop {
            let page: PolicyPage = self.client.call(operation, &question).await?;
            if let Some(found) = page.policies.into_iter().find(|policy| policy.name == name) {
                return Ok(Some(found.id));
            }
            match page.next_token {
                Some(token) => question["NextToken"] = token.into(),
                None => return Ok(None),
            }
        }
    }

    async fn has_document(&self, id: &str, document: &str) -> Result<bool, Error> {
        let input = json!({"PolicyId": id});
        let answer: Described = self.client.call("DescribePolicy", &input).await?;
        let content: Option<Value> = serde_json::from_str(&answer.policy.content).ok();
        Ok(answer.policy.policy_summary.id == id && content == serde_json::from_str(document).ok())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CreatePolicy<'a> {
    name: &'a str,
    description: &'static str,
    r#type: &'static str,
    content: &'a str,
}

//! The last result of `drift`, kept in an SSM parameter for whoever asks for the state of the
//! stack without looking for drift themselves.

use aws_sdk_ssm::types::ParameterType;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Kind, Report};
use crate::cloud::{Cloud, ServiceError, failed_to};

/// The version of the form in which a result is kept.
const VERSION: u32 = 1;

/// How a run of `drift` ended. No finding is part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// 1.
    pub version: u32,
    /// The stack's ARN: one of the same name that was made later has no result yet.
    pub stack_id: String,
    /// When it was: RFC 3339, UTC.
    pub time: Timestamp,
    /// The commit that was compared, where the pipeline names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How it ended, as in the reference of exit codes.
    pub exit_code: u8,
    /// How many findings there were of each kind.
    pub counts: Counts,
}

/// How many findings there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// The cloud is not as it was deployed.
    pub drift: usize,
    /// Nobody knows.
    pub not_checked: usize,
    /// Somebody has accepted it until a day.
    #[serde(default)]
    pub accepted: usize,
    /// This checkout differs from what is deployed.
    pub undeployed_change: usize,
}

/// The kept results of one account and region.
#[derive(Debug, Clone)]
pub struct Records {
    client: aws_sdk_ssm::Client,
}

impl Counts {
    /// Those of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        Self {
            drift: report.count(Kind::Drift),
            not_checked: report.count(Kind::NotChecked),
            accepted: report.count(Kind::Accepted),
            undeployed_change: report.count(Kind::UndeployedChange),
        }
    }
}

impl Record {
    /// The result of a run that ended just now.
    #[must_use]
    pub fn new(stack_id: &str, report: &Report, exit_code: u8, commit: Option<String>) -> Self {
        Self {
            version: VERSION,
            stack_id: stack_id.to_owned(),
            time: Timestamp::now(),
            commit,
            exit_code,
            counts: Counts::of(report),
        }
    }
}

impl Records {
    /// Those behind `cloud`.
    #[must_use]
    pub fn new(cloud: &Cloud) -> Self {
        Self {
            client: crate::cloud::client!(aws_sdk_ssm, cloud),
        }
    }

    /// Keeps a result instead of the one before it.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn write(&self, parameter: &str, record: &Record) -> Result<(), ServiceError> {
        self.client
            .put_parameter()
            .name(parameter)
            .description("The last result of `connect-scim drift`")
            .r#type(ParameterType::String)
            .overwrite(true)
            .value(serde_json::json!(record).to_string())
            .send()
            .await
            .map_err(failed_to(format!("write the parameter {parameter}")))?;
        Ok(())
    }

    /// The result that was kept of a stack, by its ARN; `None` where there is none, or one
    /// in a form that this version does not know.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn read(
        &self,
        parameter: &str,
        stack_id: &str,
    ) -> Result<Option<Record>, ServiceError> {
        let answer = self.client.get_parameter().name(parameter).send().await;
        let answer = match answer.map_err(failed_to(format!("read the parameter {parameter}"))) {
            Err(error) if error.has_code("ParameterNotFound") => return Ok(None),
            answer => answer?,
        };
        let text = answer.parameter().and_then(|parameter| parameter.value());
        let record = text.and_then(|text| serde_json::from_str::<Record>(text).ok());
        Ok(record.filter(|record| record.version == VERSION && record.stack_id == stack_id))
    }

    /// Forgets the result.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn delete(&self, parameter: &str) -> Result<(), ServiceError> {
        let answer = self.client.delete_parameter().name(parameter).send().await;
        match answer.map_err(failed_to(format!("delete the parameter {parameter}"))) {
            Err(error) if !error.has_code("ParameterNotFound") => Err(error),
            _ => Ok(()),
        }
    }
}

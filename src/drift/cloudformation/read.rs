//! Has CloudFormation detect drift, and reads all that it found.
//!
//! A detection takes seconds to many minutes, by the number of resources, and ends by itself;
//! so it is waited for as long as it takes. Whoever has no more time interrupts.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{
    PropertyDifference, StackDriftDetectionStatus, StackResourceDrift,
};

use crate::cloud::{Cloud, ServiceError, failed_to};

/// The first pause between two looks; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The largest page of what was found.
const PAGE: i32 = 100;

/// What CloudFormation found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Detection {
    /// By logical id; resources that were not checked are missing.
    pub(super) resources: BTreeMap<String, ResourceDrift>,
    /// Why some resources could not be checked.
    pub(super) failure: Option<String>,
}

/// What CloudFormation found of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResourceDrift {
    /// `IN_SYNC`, `MODIFIED`, `DELETED`, `NOT_CHECKED`, `UNKNOWN`, `UNSUPPORTED`.
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) differences: Vec<Difference>,
}

/// A property that differs.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// Where it stands in the resource's properties: `/RedrivePolicy/maxReceiveCount`.
    pub(super) path: String,
    pub(super) expected: String,
    pub(super) actual: String,
}

/// Its values may be those of environment variables.
impl std::fmt::Debug for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Difference({})", self.path)
    }
}

/// Detects the drift of a stack, by its ARN.
pub(super) async fn detect(cloud: &Cloud, stack: &str) -> Result<Detection, ServiceError> {
    let client = crate::cloud::client!(aws_sdk_cloudformation, cloud);
    let detection = start(&client, stack).await?;
    let failure = end(&client, stack, &detection).await?;
    Ok(Detection {
        resources: results(&client, stack).await?,
        failure,
    })
}

/// Starts a detection. While somebody else's runs CloudFormation starts no other, and theirs
/// may have looked before the change that is looked for.
async fn start(client: &Client, stack: &str) -> Result<String, ServiceError> {
    let mut pauses = pauses();
    loop {
        let answer = client.detect_stack_drift().stack_name(stack).send().await;
        match answer.map_err(failed_to(format!("detect the drift of the stack {stack}"))) {
            Ok(answer) => {
                return Ok(answer
                    .stack_drift_detection_id()
                    .unwrap_or_default()
                    .to_owned());
            }
            Err(error) if is_busy(&error) => tokio::time::sleep(pauses()).await,
            Err(error) => return Err(error),
        }
    }
}

/// CloudFormation has no code of its own for it.
fn is_busy(error: &ServiceError) -> bool {
    error.has_code("ValidationError") && error.message.contains("already in progress")
}

/// Waits for the end. The answer is why some resources could not be checked.
async fn end(
    client: &Client,
    stack: &str,
    detection: &str,
) -> Result<Option<String>, ServiceError> {
    let mut pauses = pauses();
    loop {
        let answer = client
            .describe_stack_drift_detection_status()
            .stack_drift_detection_id(detection)
            .send()
            .await
            .map_err(failed_to(format!(
                "follow the drift detection of the stack {stack}"
            )));
        match answer {
            Ok(answer) => match answer.detection_status() {
                Some(StackDriftDetectionStatus::DetectionComplete) => return Ok(None),
                Some(StackDriftDetectionStatus::DetectionFailed) => {
                    let reason = answer.detection_status_reason().unwrap_or_default();
                    return Ok(Some(reason.to_owned()));
                }
                _ => {}
            },
            // The detection goes on whether anybody looks or not.
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pauses()).await;
    }
}

/// All pages of what was found.
async fn results(
    client: &Client,
    stack: &str,
) -> Result<BTreeMap<String, ResourceDrift>, ServiceError> {
    let mut resources = BTreeMap::new();
    let mut next_token = None;
    loop {
        let page = client
            .describe_stack_resource_drifts()
            .stack_name(stack)
            .max_results(PAGE)
            .set_next_token(next_token)
            .send()
            .await
            .map_err(failed_to(format!(
                "read the drift of the resources of the stack {stack}"
            )))?;
        for drift in page.stack_resource_drifts() {
            let id = drift.logical_resource_id().unwrap_or_default().to_owned();
            resources.insert(id, resource(drift));
        }
        next_token = page.next_token().map(str::to_owned);
        if next_token.is_none() {
            return Ok(resources);
        }
    }
}

fn resource(drift: &StackResourceDrift) -> ResourceDrift {
    let difference = |difference: &PropertyDifference| Difference {
        path: difference.property_path().unwrap_or_default().to_owned(),
        expected: difference.expected_value().unwrap_or_default().to_owned(),
        actual: difference.actual_value().unwrap_or_default().to_owned(),
    };
    let status = drift.stack_resource_drift_status();
    ResourceDrift {
        status: status.map_or("", |status| status.as_str()).to_owned(),
        reason: drift.drift_status_reason().map(str::to_owned),
        differences: drift
            .property_differences()
            .iter()
            .map(difference)
            .collect(),
    }
}

fn pauses() -> impl FnMut() -> Duration {
    let mut next = FIRST_PAUSE;
    move || {
        let pause = next;
        next = (next * 2).min(LONGEST_PAUSE);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_ten_seconds() {
        let mut pauses = pauses();
        let pauses: Vec<_> = std::iter::repeat_with(|| pauses().as_millis())
            .take(8)
            .collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    }
}

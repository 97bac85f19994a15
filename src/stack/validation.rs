//! What CloudFormation finds wrong before it touches anything.
//!
//! Early validation says in a reason only that it found something; what and where is in
//! the events of the operation, which DescribeStackEvents does not list.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html>
//! A region, a partition or a role may not have DescribeEvents: the reason alone is told then.

use aws_sdk_cloudformation::types::{EventFilter, OperationEvent};

use super::{ChangeSet, Stacks};
use crate::cloud::{ServiceError, failed_to};

/// One thing that validation found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationProblem {
    /// The resource's name in the template.
    pub logical_id: Option<String>,
    /// Where in the template, such as `/Resources/DirectoryTable/Properties/BillingMode`.
    pub path: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl std::fmt::Display for ValidationProblem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.path, &self.logical_id) {
            (Some(place), _) | (None, Some(place)) => write!(formatter, "{place}: {}", self.reason),
            (None, None) => formatter.write_str(&self.reason),
        }
    }
}

impl Stacks {
    /// What validation found in a change set; nothing where the service does not say.
    pub(super) async fn problems_of_change_set(
        &self,
        change_set: &ChangeSet,
    ) -> Vec<ValidationProblem> {
        let call = self
            .client
            .describe_events()
            .change_set_name(&change_set.id);
        self.problems(call).await.unwrap_or_default()
    }

    /// What validation found in the stack's newest operation; nothing where the service
    /// does not say.
    pub async fn problems_of_newest_operation(&self, stack: &str) -> Vec<ValidationProblem> {
        let call = self.client.describe_events().stack_name(stack);
        self.problems(call).await.unwrap_or_default()
    }

    /// The failed events of one operation: pages come newest first, so the first event
    /// tells which operation is meant.
    async fn problems(
        &self,
        call: aws_sdk_cloudformation::operation::describe_events::builders::DescribeEventsFluentBuilder,
    ) -> Result<Vec<ValidationProblem>, ServiceError> {
        let mut problems = Vec::new();
        let mut operation: Option<String> = None;
        let mut next_token = None;
        loop {
            let page = call
                .clone()
                .filters(EventFilter::builder().failed_events(true).build())
                .set_next_token(next_token)
                .send()
                .await
                .map_err(failed_to("read what CloudFormation's validation found"))?;
            for event in page.operation_events() {
                let of = event.operation_id().unwrap_or_default();
                if operation.get_or_insert_with(|| of.to_owned()) == of {
                    problems.extend(problem(event));
                }
            }
            next_token = page.next_token().map(str::to_owned);
            if next_token.is_none() {
                return Ok(problems);
            }
        }
    }
}

/// What an event says about the template; nothing for the other failures of an operation.
fn problem(event: &OperationEvent) -> Option<ValidationProblem> {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(ValidationProblem {
        logical_id: text(event.logical_resource_id()),
        path: text(event.validation_path()),
        reason: text(event.validation_status_reason())
            .or_else(|| text(event.hook_status_reason()))?,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::types::OperationEvent;

    use super::problem;

    #[test]
    fn a_problem_is_told_with_its_path() {
        let found = OperationEvent::builder()
            .logical_resource_id("DirectoryTable")
            .validation_path("/Resources/DirectoryTable/Properties/BillingMode")
            .validation_status_reason("PAY is not one of PROVISIONED, PAY_PER_REQUEST")
            .build();
        assert_eq!(
            problem(&found).map(|problem| problem.to_string()),
            Some(
                "/Resources/DirectoryTable/Properties/BillingMode: PAY is not one of PROVISIONED, PAY_PER_REQUEST"
                    .to_owned()
            )
        );
        let without_path = OperationEvent::builder()
            .logical_resource_id("AccessLogGroup")
            .validation_status_reason("the name is taken")
            .build();
        assert_eq!(
            problem(&without_path).map(|problem| problem.to_string()),
            Some("AccessLogGroup: the name is taken".to_owned())
        );
        assert_eq!(problem(&OperationEvent::builder().build()), None);
    }
}

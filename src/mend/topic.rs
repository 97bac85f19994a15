//! Topics: what a call for each attribute sets. One that was deleted is left to a person,
//! because those who had subscribed have to do so again.

use std::fmt;

use super::known;
use crate::cloud::{Cloud, ServiceError, failed_to};
use crate::drift::{DeployedStack, Finding, shown};

/// A topic, or its policy, that is set back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicChange {
    arn: String,
    /// As SNS calls it.
    attribute: &'static str,
    /// An empty text takes one away.
    value: String,
}

impl fmt::Display for TopicChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "set {} of the topic {} back",
            self.attribute, self.arn
        )
    }
}

impl TopicChange {
    /// Makes the call.
    ///
    /// # Errors
    /// When SNS refuses or cannot be reached. Repeating is safe.
    pub async fn make(&self, cloud: &Cloud) -> Result<(), ServiceError> {
        crate::cloud::client!(aws_sdk_sns, cloud)
            .set_topic_attributes()
            .topic_arn(&self.arn)
            .attribute_name(self.attribute)
            .attribute_value(&self.value)
            .send()
            .await
            .map_err(failed_to(self.to_string()))?;
        Ok(())
    }
}

/// What mends a finding of a topic.
pub(super) fn change(finding: &Finding, stack: &DeployedStack) -> Option<TopicChange> {
    let (resource_type, resource) = stack.resource(&finding.resource)?;
    let check = finding.check();
    let (arn, attribute) = match (resource_type.as_str(), check) {
        ("AWS::SNS::TopicPolicy", "PolicyDocument") => {
            (resource.properties["Topics"][0].as_str()?, "Policy")
        }
        ("AWS::SNS::Topic", "DisplayName") => (resource.physical_id.as_str(), "DisplayName"),
        ("AWS::SNS::Topic", "KmsMasterKeyId") => (resource.physical_id.as_str(), "KmsMasterKeyId"),
        _ => return None,
    };
    let value = known(&resource.properties[check])?;
    Some(TopicChange {
        arn: arn.to_owned(),
        attribute,
        value: if value.is_null() {
            String::new()
        } else {
            shown(&value)
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::drift::{Detector, Severity};

    #[test]
    fn an_attribute_becomes_what_was_deployed_and_a_deleted_topic_is_left_alone() {
        let policy = json!({"Statement": []});
        let of_policy = json!({"Topics": ["arn:t"], "PolicyDocument": policy});
        let cases = [
            (
                "AWS::SNS::TopicPolicy",
                of_policy,
                "PolicyDocument",
                Some(("Policy", r#"{"Statement":[]}"#)),
            ),
            (
                "AWS::SNS::Topic",
                json!({"DisplayName": "Edits"}),
                "DisplayName",
                Some(("DisplayName", "Edits")),
            ),
            (
                "AWS::SNS::Topic",
                json!({}),
                "KmsMasterKeyId",
                Some(("KmsMasterKeyId", "")),
            ),
            ("AWS::SNS::Topic", json!({}), "deleted", None),
        ];
        for (resource_type, properties, check, expected) in cases {
            let stack = DeployedStack::new(
                "arn:aws:cloudformation:eu-central-1:444455556666:stack/scim/9f1c",
                json!({"Resources": {"R": {"Type": resource_type, "Properties": properties}}}),
                [("R".to_owned(), "arn:t".to_owned())].into(),
            )
            .unwrap();
            let finding = Finding::drift(Detector::Topic, Severity::High, check, "R", "w");
            let expected = expected.map(|(attribute, value)| TopicChange {
                arn: "arn:t".to_owned(),
                attribute,
                value: value.to_owned(),
            });
            assert_eq!(change(&finding, &stack), expected, "{check}");
        }
    }
}

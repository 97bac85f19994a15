//! The answer to CloudFormation: a JSON object of at most 4,096 bytes.
//!
//! Source: AWS CloudFormation User Guide, "Custom resource response objects". There is
//! no `Data`: the token must not be in it, and the name is the physical id.

use serde::Serialize;

use crate::event::Envelope;

/// CloudFormation refuses a longer body.
pub const LONGEST_BODY: usize = 4096;

/// How the request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Success,
    /// Not done, and why, for the stack's events.
    Failed {
        /// One sentence; cut short if the answer would be too long.
        reason: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
}

/// Renders the answer, at most [`LONGEST_BODY`] bytes of JSON.
///
/// # Errors
///
/// None in practice: a struct of strings serializes.
pub fn body(
    envelope: &Envelope,
    physical_resource_id: &str,
    outcome: &Outcome,
) -> Result<String, serde_json::Error> {
    let (status, reason) = match outcome {
        Outcome::Success => ("SUCCESS", None),
        Outcome::Failed { reason } => ("FAILED", Some(reason.as_str())),
    };
    let render = |reason: Option<String>| {
        serde_json::to_string(&Body {
            status,
            reason,
            physical_resource_id,
            stack_id: &envelope.stack_id,
            request_id: &envelope.request_id,
            logical_resource_id: &envelope.logical_resource_id,
        })
    };
    let whole = render(reason.map(str::to_owned))?;
    match (reason, whole.len().checked_sub(LONGEST_BODY)) {
        (Some(reason), Some(excess)) if excess > 0 => render(Some(shortened(reason, excess))),
        _ => Ok(whole),
    }
}

/// `reason` without its last `excess` bytes or a few more, so that no character is cut in
/// two. Every byte taken away makes the JSON shorter by at least one.
fn shortened(reason: &str, excess: usize) -> String {
    const ELLIPSIS: &str = "…";
    let end = reason.len().saturating_sub(excess + ELLIPSIS.len());
    format!("{}{ELLIPSIS}", &reason[..reason.floor_char_boundary(end)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            response_url: Some("https://example.test/?X-Amz-Signature=abc".into()),
            stack_id: "arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/1".into(),
            request_id: "6b0c5f0e".into(),
            logical_resource_id: "TokenIdp".into(),
            physical_resource_id: None,
        }
    }

    fn rendered(outcome: &Outcome) -> Value {
        serde_json::from_str(&body(&envelope(), "/token/idp", outcome).unwrap()).unwrap()
    }

    #[test]
    fn a_success_has_the_five_fields_and_no_data() {
        assert_eq!(
            rendered(&Outcome::Success),
            json!({
                "Status": "SUCCESS",
                "PhysicalResourceId": "/token/idp",
                "StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/scim/1",
                "RequestId": "6b0c5f0e",
                "LogicalResourceId": "TokenIdp"
            })
        );
    }

    #[test]
    fn a_failure_says_why() {
        let failed = rendered(&Outcome::Failed {
            reason: "SSM refused".into(),
        });
        assert_eq!(failed["Status"], "FAILED");
        assert_eq!(failed["Reason"], "SSM refused");
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        for character in ["a", "ü", "€", "🦀", "\"", "\u{1}"] {
            let outcome = Outcome::Failed {
                reason: character.repeat(5000),
            };
            let body = body(&envelope(), "/token/idp", &outcome).unwrap();
            assert!(body.len() <= LONGEST_BODY, "{character:?}: {}", body.len());
            let reason = serde_json::from_str::<Value>(&body).unwrap()["Reason"]
                .as_str()
                .unwrap()
                .to_owned();
            assert!(reason.ends_with('…'), "{character:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_event_makes_the_answer_longer_than_cloudformation_takes(
            identifier in ".{0,700}",
            physical in ".{0,1200}",
            reason in ".{0,6000}",
        ) {
            let envelope = Envelope::read(&json!({
                "StackId": identifier,
                "RequestId": identifier,
                "LogicalResourceId": identifier,
                "PhysicalResourceId": physical,
            }));
            let physical = envelope.physical_resource_id.clone().unwrap_or_default();
            let outcome = Outcome::Failed { reason };
            let body = body(&envelope, &physical, &outcome).unwrap();
            prop_assert!(body.len() <= LONGEST_BODY);
        }
    }
}

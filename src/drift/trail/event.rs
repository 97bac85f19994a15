//! An event of CloudTrail: who called what, and of which resources it speaks.

use jiff::Timestamp;
use serde_json::Value;

use super::cause::Cause;

/// Whoever brings a stack to its template.
const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";

/// The calls that hand out the value of an SSM parameter by its name.
pub(super) const READS: [&str; 3] = ["GetParameter", "GetParameters", "GetParameterHistory"];

/// A recorded call.
///
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// When the call was made.
    pub(super) at: Timestamp,
    /// Who made it.
    pub(super) by: String,
    name: String,
    source: String,
    /// The ARN of the role whose session it was.
    role: Option<String>,
    /// The service that made the call for somebody.
    invoked_by: Option<String>,
    /// Whether it was to change something, and was not refused.
    is_change: bool,
    /// Whether it was not refused.
    is_success: bool,
    /// Every text in what was asked and answered: ids, names and ARNs among them.
    texts: Vec<String>,
}

impl Event {
    /// Reads an event as `LookupEvents` hands it out; `None` for what is none.
    pub(super) fn read(listed: &Value) -> Option<Self> {
        let record: Value = serde_json::from_str(listed["CloudTrailEvent"].as_str()?).ok()?;
        let identity = &record["userIdentity"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mut texts = Vec::new();
        for part in [
            &listed["Resources"],
            &record["resources"],
            &record["requestParameters"],
            &record["responseElements"],
        ] {
            collect(part, &mut texts);
        }
        Some(Self {
            at: record["eventTime"].as_str()?.parse().ok()?,
            by: text(&identity["arn"])
                .or_else(|| text(&identity["invokedBy"]))
                .or_else(|| text(&identity["type"]))?,
            name: text(&record["eventName"])?,
            source: text(&record["eventSource"])?,
            role: text(&identity["sessionContext"]["sessionIssuer"]["arn"]),
            invoked_by: text(&identity["invokedBy"]),
            is_change: listed["ReadOnly"] != "true" && record["errorCode"].is_null(),
            is_success: record["errorCode"].is_null(),
            texts,
        })
    }

    /// The name of the call without the version that Lambda puts behind it.
    pub(super) fn plain_name(&self) -> &str {
        without_version(&self.name)
    }

    /// Whether it is a call that has this effect, on this resource.
    pub(super) fn can_have_made(&self, cause: &Cause) -> bool {
        let calls = cause.calls.iter().map(|call| without_version(call));
        self.is_change
            && self.source == cause.source
            && calls.into_iter().any(|call| call == self.plain_name())
            && cause.names.iter().all(|name| self.mentions(name))
    }

    /// Whether it read the SSM parameter of this name.
    pub(super) fn has_read(&self, parameter: &str) -> bool {
        self.is_success && READS.contains(&self.name.as_str()) && self.mentions(parameter)
    }

    /// Whether CloudFormation made it, or one of the roles that the stack has.
    pub(super) fn is_own(&self, own_roles: &[String]) -> bool {
        let of_role = |role: &str| own_roles.iter().any(|own| is_called(role, own));
        self.invoked_by.as_deref() == Some(CLOUDFORMATION)
            || self.role.as_deref().is_some_and(of_role)
    }

    fn mentions(&self, name: &str) -> bool {
        self.texts.iter().any(|text| is_called(text, name))
    }
}

/// Whether a text is a name, or an ARN or a URL that ends with it.
fn is_called(text: &str, name: &str) -> bool {
    text.strip_suffix(name)
        .is_some_and(|before| before.is_empty() || before.ends_with([':', '/']))
}

/// `UpdateFunctionCode20150331v2` → `UpdateFunctionCode`: Lambda's calls carry the version of
/// their API.
/// <https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html>
fn without_version(name: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let dated = match name.rsplit_once('v') {
        Some((dated, version)) if is_number(version) => dated,
        _ => name,
    };
    let plain = dated.trim_end_matches(|character: char| character.is_ascii_digit());
    if dated.len() - plain.len() == "20150331".len() {
        plain
    } else {
        name
    }
}

/// Every text within a value. ARNs that were part of a URL's path are recorded with its
/// escapes.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(
            text.replace("%3A", ":")
                .replace("%3a", ":")
                .replace("%2F", "/")
                .replace("%2f", "/"),
        ),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_itself_an_arn_and_a_url() {
        for (text, found) in [
            ("scim-reconciler", true),
            (
                "arn:aws:lambda:eu-central-1:1:function:scim-reconciler",
                true,
            ),
            (
                "https://sqs.eu-central-1.amazonaws.com/1/scim-reconciler",
                true,
            ),
            ("other-scim-reconciler", false),
            ("scim-reconciler-2", false),
        ] {
            assert_eq!(is_called(text, "scim-reconciler"), found, "{text}");
        }
    }

    #[test]
    fn the_version_of_an_api_is_no_part_of_the_name() {
        for (name, plain) in [
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("PutFunctionConcurrency20171031", "PutFunctionConcurrency"),
            ("CreateUser", "CreateUser"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("GetMetricDatav2", "GetMetricDatav2"),
        ] {
            assert_eq!(without_version(name), plain);
        }
    }
}

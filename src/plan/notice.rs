//! What to know before all else: data that is lost, protection that goes, addresses and
//! tokens that change for the identity provider.

use serde_json::Value;

use super::{Action, Plan, Replacement, ResourceChange, TERMINATION_PROTECTION, setting};

/// How much a notice matters. The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Data is lost for good.
    Loss,
    /// Something breaks or stands unprotected unless somebody acts.
    Warning,
    /// Somebody should know.
    Note,
}

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// How much it matters.
    pub severity: Severity,
    /// The resource, setting or group that it is about; the stack's name for the stack itself.
    pub subject: String,
    /// What happens.
    pub text: String,
}

/// What is lost with resources of a type, and no deployment can bring back.
const HOLDERS: [(&str, &str); 6] = [
    ("AWS::DynamoDB::Table", "all items in it are lost"),
    ("AWS::Logs::LogGroup", "all log lines in it are lost"),
    ("AWS::SQS::Queue", "the messages that wait in it are lost"),
    ("AWS::SSM::Parameter", "its value is lost"),
    ("AWS::SecretsManager::Secret", "its value is lost"),
    (
        "Custom::ScimToken",
        "the client's bearer token is lost, and its identity provider locked out",
    ),
];

/// The notices of a plan that changes `before` into `after`.
pub(super) fn notices(plan: &Plan, before: &Value, after: &Value) -> Vec<Notice> {
    let mut notices = Vec::new();
    for change in &plan.resources {
        let old = &before["Resources"][&change.logical_id];
        let new = &after["Resources"][&change.logical_id];
        held_data(change, old, new, &mut notices);
        access(change, old, new, &mut notices);
        if change.action == Action::Modify {
            endpoint_address(change, &mut notices);
            shortened_retention(change, &mut notices);
            protection(change, &mut notices);
            token(change, &mut notices);
        }
    }
    for change in &plan.stack {
        if change.name == TERMINATION_PROTECTION && change.after == Some(Value::Bool(false)) {
            notices.push(Notice {
                severity: Severity::Warning,
                subject: plan.subject.stack_name.clone(),
                text: "the stack can be deleted from now on".to_owned(),
            });
        }
    }
    notices.extend(setting::notices(&plan.subject.environment, before, after));
    notices.sort();
    notices
}

/// Who gets into an account of the organization from now on, and who no longer.
fn access(change: &ResourceChange, old: &Value, new: &Value, notices: &mut Vec<Notice>) {
    if change.resource_type != "AWS::SSO::Assignment" {
        return;
    }
    let mut tell = |resource: &Value, severity, verb, preposition| {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let metadata = &resource["Metadata"];
        notices.push(Notice {
            severity,
            subject: text(&metadata["Group"]),
            text: format!(
                "{verb} {} {preposition} the account {}",
                text(&metadata["PermissionSet"]),
                text(&resource["Properties"]["TargetId"])
            ),
        });
    };
    match change.action {
        Action::Add => tell(new, Severity::Note, "gains", "in"),
        Action::Remove => tell(old, Severity::Warning, "loses", "in"),
        // Another group has the name now.
        Action::Modify if change.replacement != Replacement::None => {
            tell(
                new,
                Severity::Warning,
                "is another group now, and gains",
                "in",
            );
        }
        Action::Modify => {}
    }
}

fn held_data(change: &ResourceChange, old: &Value, new: &Value, notices: &mut Vec<Notice>) {
    let held = HOLDERS
        .iter()
        .find(|(resource_type, _)| old["Type"] == *resource_type)
        .map(|(_, held)| *held);
    let Some(held) = held else { return };
    // The policy of the new template decides about what it replaces, that of the old one
    // about what the new one does not have.
    let (event, policy) = match (change.action, change.replacement) {
        (Action::Remove, _) => ("is removed", &old["DeletionPolicy"]),
        (Action::Modify, Replacement::Certain) => {
            ("is replaced by an empty one", &new["UpdateReplacePolicy"])
        }
        (Action::Modify, Replacement::Possible) => (
            "may be replaced by an empty one",
            &new["UpdateReplacePolicy"],
        ),
        _ => return,
    };
    let policy = policy.as_str().unwrap_or("Delete");
    let (severity, text) = if policy == "Delete" {
        (Severity::Loss, format!("{event}: {held}"))
    } else {
        (
            Severity::Warning,
            format!("{event}; the old one stays in the account, outside the stack ({policy})"),
        )
    };
    notices.push(Notice {
        severity,
        subject: change.logical_id.clone(),
        text,
    });
}

/// The URL that is entered at the identity provider has the API's id and the stage's name
/// in it.
fn endpoint_address(change: &ResourceChange, notices: &mut Vec<Notice>) {
    let addressed = ["AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage"]
        .contains(&change.resource_type.as_str());
    let renamed = change
        .properties
        .iter()
        .any(|property| property.pointer == "/Properties/StageName");
    let replaced = change.replacement != Replacement::None;
    if addressed && replaced && (renamed || change.resource_type == "AWS::ApiGateway::RestApi") {
        notices.push(Notice {
            severity: Severity::Warning,
            subject: change.logical_id.clone(),
            text: "the endpoint's URL changes: enter the new one at every identity provider"
                .to_owned(),
        });
    }
}

/// What is older than a shorter retention goes.
fn shortened_retention(change: &ResourceChange, notices: &mut Vec<Notice>) {
    for property in &change.properties {
        let (what, unit) = match (change.resource_type.as_str(), property.pointer.as_str()) {
            ("AWS::Logs::LogGroup", "/Properties/RetentionInDays") => ("log lines", "days"),
            ("AWS::SQS::Queue", "/Properties/MessageRetentionPeriod") => ("messages", "seconds"),
            _ => continue,
        };
        // Log lines without a retention stay for ever; messages for four days.
        let before = property.before.as_ref().map_or(f64::INFINITY, number);
        let after = property.after.as_ref().map_or(f64::INFINITY, number);
        if after < before {
            notices.push(Notice {
                severity: Severity::Loss,
                subject: change.logical_id.clone(),
                text: format!("{what} older than {after} {unit} are deleted"),
            });
        }
    }
}

/// Not a number: comparable with nothing, so nothing is claimed about it.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn protection(change: &ResourceChange, notices: &mut Vec<Notice>) {
    for property in &change.properties {
        let off =
            property.before == Some(Value::Bool(true)) && property.after != Some(Value::Bool(true));
        let text = match property.name.as_str() {
            "DeletionProtectionEnabled" if off => {
                "can be deleted by anybody with the permission from now on"
            }
            "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled" if off => {
                "its backups are deleted: it cannot be restored to an earlier time any more"
            }
            "DeletionPolicy" | "UpdateReplacePolicy"
                if HOLDERS
                    .iter()
                    .any(|(resource_type, _)| change.resource_type == *resource_type)
                    && keeps(property.before.as_ref())
                    && !keeps(property.after.as_ref()) =>
            {
                "is deleted with the stack from now on, and what it holds with it"
            }
            _ => continue,
        };
        let notice = Notice {
            severity: Severity::Warning,
            subject: change.logical_id.clone(),
            text: text.to_owned(),
        };
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }
}

fn keeps(policy: Option<&Value>) -> bool {
    policy
        .and_then(Value::as_str)
        .is_some_and(|policy| policy != "Delete")
}

fn token(change: &ResourceChange, notices: &mut Vec<Notice>) {
    let rotated = change.resource_type == "Custom::ScimToken"
        && change.properties.iter().any(|property| {
            property.pointer == "/Properties/Generation"
                && property.before.as_ref().map(number) < property.after.as_ref().map(number)
        });
    if rotated {
        notices.push(Notice {
            severity: Severity::Note,
            subject: change.logical_id.clone(),
            text: "the client gets a new token: enter it at the identity provider while the old one still works (token.overlapMinutes)".to_owned(),
        });
    }
}

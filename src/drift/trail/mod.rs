//! Since when something is as it should not be, and who changed it, where CloudTrail can tell.
//!
//! A detector sees a state, not how it came about. CloudTrail keeps the calls of the last 90
//! days, and can be asked for those of one name or of one resource, twice a second in each
//! account and region. So it is asked only about what was found, and a call is named only if
//! it is the newest successful one that can have made the finding: of the resource itself, and
//! by its kind. Where the newest cannot be known, because too many calls have that name,
//! nobody is named. CloudFormation's calls and those of the endpoint's own roles are passed
//! over: they make what the template and the directory say.

mod cause;
mod event;
mod lookup;

use jiff::Timestamp;

use super::Report;
use super::deployed::DeployedStack;
use super::finding::Kind;
use super::properties::shown;
use crate::cloud::Cloud;
use cause::{Cause, cause};
use event::READS;
use lookup::{Answer, Attribute, Question, Stopped, Trail};

/// The call that made a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// When it was made.
    pub since: Timestamp,
    /// The ARN of the caller; of a service that called for somebody, its name.
    pub by: String,
    /// The call, as CloudTrail names it: `UpdateFunctionConfiguration`.
    pub event: String,
}

/// Says of each drift in the report who made it, as far as CloudTrail can tell. What keeps it
/// from telling becomes a note of the report: it changes nothing about what was found.
pub async fn attribute(cloud: &Cloud, stack: &DeployedStack, report: &mut Report) {
    let own_roles = own_roles(stack);
    let mut trail = Trail::new(cloud);
    let drifted = report.findings.iter_mut();
    for finding in drifted.filter(|finding| finding.kind == Kind::Drift) {
        let Some(cause) = cause(finding, stack) else {
            continue;
        };
        match trail.ask(&cause.questions).await {
            Ok(answers) => finding.attribution = attribution(&answers, &cause, &own_roles),
            Err(stopped) => {
                report.notes.push(note(&stopped));
                break;
            }
        }
    }
    let denied = Vec::from_iter(trail.denied_in());
    if !denied.is_empty() {
        report.notes.push(format!(
            "who changed it is not told of everything: that takes the permission cloudtrail:LookupEvents in {}",
            denied.join(" and ")
        ));
    }
}

/// Notes in the report who else than the stack's own roles last read each token.
pub async fn tell_token_readers(cloud: &Cloud, stack: &DeployedStack, report: &mut Report) {
    let own_roles = own_roles(stack);
    let questions = READS.map(|call| Question {
        region: stack.place().1.to_owned(),
        attribute: Attribute::EventName(call.to_owned()),
    });
    let mut trail = Trail::new(cloud);
    let told = match trail.ask(&questions).await {
        Ok(answers) => stack
            .resources("Custom::ScimToken")
            .iter()
            .map(|token| shown(&token.properties["ParameterName"]))
            .map(|parameter| last_reader(&answers, &parameter, &own_roles))
            .collect(),
        Err(stopped) => vec![note(&stopped)],
    };
    let denied = trail.denied_in().next().is_some();
    report.notes.extend(match denied {
        true => vec![
            "who reads tokens is not told: that takes the permission cloudtrail:LookupEvents"
                .to_owned(),
        ],
        false => told,
    });
}

fn last_reader(answers: &[&Answer], parameter: &str, own_roles: &[String]) -> String {
    let horizon = answers.iter().filter_map(|answer| answer.horizon).max();
    let last = answers
        .iter()
        .flat_map(|answer| &answer.events)
        .filter(|event| event.has_read(parameter) && !event.is_own(own_roles))
        .max_by_key(|event| event.at);
    match (last, horizon) {
        (Some(event), _) => format!(
            "besides the endpoint, {} was the last to read {parameter}, at {} ({})",
            event.by,
            event.at,
            event.plain_name()
        ),
        (None, Some(horizon)) => format!(
            "nobody but the endpoint has read {parameter} since {horizon}; CloudTrail has more calls from before than are looked at"
        ),
        (None, None) => {
            format!("nobody but the endpoint has read {parameter} within the last 90 days")
        }
    }
}

fn own_roles(stack: &DeployedStack) -> Vec<String> {
    let roles = stack.resources("AWS::IAM::Role").into_iter();
    roles.map(|role| role.physical_id).collect()
}

fn attribution(answers: &[&Answer], cause: &Cause, own_roles: &[String]) -> Option<Attribution> {
    // Events before it were not read, and may have a newer one among them of another question.
    let horizon = answers.iter().filter_map(|answer| answer.horizon).max();
    answers
        .iter()
        .flat_map(|answer| &answer.events)
        .filter(|event| event.can_have_made(cause) && !event.is_own(own_roles))
        .max_by_key(|event| event.at)
        .filter(|event| horizon.is_none_or(|horizon| event.at >= horizon))
        .map(|event| Attribution {
            since: event.at,
            by: event.by.clone(),
            event: event.plain_name().to_owned(),
        })
}

fn note(stopped: &Stopped) -> String {
    match stopped {
        Stopped::NoCloud(error) => format!("who changed it is not told: {error}"),
        Stopped::Failed(error) => {
            format!("who changed it is told of some findings at most: {error}")
        }
        Stopped::TooMany(asked) => format!(
            "who changed it is told of the first findings only: CloudTrail takes two questions a second, and was asked {asked}"
        ),
    }
}

#[cfg(test)]
mod tests;

//! Deleted resources that CloudFormation makes again.
//!
//! Nobody else can: the stack would not know what somebody else made. CloudFormation does
//! it with a drift-aware change set, which takes back whatever else it finds, accepted
//! drift and its own false alarms included. One such alarm is known to be dangerous here:
//! it takes the id of an `AWS::ApiGateway::Resource` for the API's, and would replace every
//! method by one in the wrong place
//! (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2505>).
//! So a change set is only worth executing if all that it does is to make again what was
//! deleted, and to adapt what refers to that.

use std::collections::BTreeSet;

use super::{Change, Mending, Step};
use crate::drift::{DeployedStack, Finding, Kind, Part};
use crate::stack::{ResourceAction, ResourceChange};

/// Types that are not made again: an empty table would take every user for deleted, and
/// another API has another address. A person restores the one and announces the other.
const NOT_MADE_AGAIN: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::ApiGateway::RestApi"];

/// Types of which another one does the same: replacing one that refers to something made
/// again loses nothing.
const REPLACEABLE: [&str; 2] = ["AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission"];

impl Mending {
    /// The names of deleted resources that are left to a person and that CloudFormation
    /// could make again.
    #[must_use]
    pub fn deleted(&self, findings: &[Finding], stack: &DeployedStack) -> BTreeSet<String> {
        let is_manual = |finding: &&Finding| {
            let mut manual = self.manual.iter();
            manual.any(|manual| manual.finding == finding.id)
        };
        let types = stack.types();
        findings
            .iter()
            .filter(is_manual)
            .filter(|finding| {
                let resource_type = types.get(finding.resource.as_str());
                match (finding.check(), resource_type) {
                    (_, None) => false,
                    ("deleted", Some(resource_type)) => !NOT_MADE_AGAIN.contains(resource_type),
                    ("authorizer", Some(resource_type)) => {
                        *resource_type == "AWS::ApiGateway::Authorizer"
                    }
                    _ => false,
                }
            })
            .map(|finding| finding.resource.clone())
            .collect()
    }

    /// Takes a change set into the plan that makes `deleted` resources again, as the last
    /// step: what comes before it knows resources by the ids that they have.
    ///
    /// # Errors
    /// With what else the change set would do, which nobody wants; the plan stays as it was.
    pub fn make_again(
        &mut self,
        deleted: &BTreeSet<String>,
        changes: Vec<ResourceChange>,
        findings: &[Finding],
        parts: &[Part],
    ) -> Result<(), Vec<ResourceChange>> {
        let accepted: BTreeSet<&str> = findings
            .iter()
            .filter(|finding| finding.kind == Kind::Accepted)
            .map(|finding| finding.resource.as_str())
            .collect();
        let concerned = concerned(deleted, parts);
        let is_wanted = |change: &ResourceChange| {
            let id = change.logical_id.as_str();
            match change.action {
                ResourceAction::Note => true,
                ResourceAction::Remove => false,
                _ if deleted.contains(id) => true,
                _ if accepted.contains(id) || !concerned.contains(id) => false,
                ResourceAction::Make | ResourceAction::Change => true,
                ResourceAction::Replace => REPLACEABLE.contains(&change.resource_type.as_str()),
            }
        };
        let (wanted, unwanted): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_wanted);
        if !unwanted.is_empty() {
            return Err(unwanted);
        }
        let (made, adapted): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .filter(|change| change.action != ResourceAction::Note)
            .partition(|change| deleted.contains(&change.logical_id));
        let is_mended = |id: &str| {
            let mut made = made.iter();
            let finding = findings.iter().find(|finding| finding.id == id);
            finding.is_some_and(|finding| made.any(|change| change.logical_id == finding.resource))
        };
        let mended = self
            .manual
            .extract_if(.., |manual| is_mended(&manual.finding));
        let mended: Vec<_> = mended.map(|manual| manual.finding).collect();
        if !mended.is_empty() {
            self.steps.push(Step {
                change: Change::MakeAgain { made, adapted },
                findings: mended,
            });
        }
        Ok(())
    }

    /// Says of what is left to a person what was tried.
    pub fn explain(&mut self, resources: &BTreeSet<String>, findings: &[Finding], why: &str) {
        for manual in &mut self.manual {
            let finding = findings.iter().find(|finding| finding.id == manual.finding);
            if finding.is_some_and(|finding| resources.contains(&finding.resource)) {
                manual.advice = format!("{}; {why}", manual.advice);
            }
        }
    }
}

/// The resources, and whatever refers to one of them over however many others.
fn concerned<'a>(resources: &'a BTreeSet<String>, parts: &'a [Part]) -> BTreeSet<&'a str> {
    let mut concerned: BTreeSet<&str> = resources.iter().map(String::as_str).collect();
    loop {
        let before = concerned.len();
        for part in parts {
            let mut refers_to = part.refers_to.iter();
            if refers_to.any(|id| concerned.contains(id.as_str())) {
                concerned.insert(&part.logical_id);
            }
        }
        if concerned.len() == before {
            return concerned;
        }
    }
}

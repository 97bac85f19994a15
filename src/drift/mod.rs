//! Whether the cloud still is what was deployed.
//!
//! One file for each detector. A detector reads what a service tells, and hands it to a pure
//! comparison with the deployed template; nothing is ever written, and no secret is read. A
//! detector that cannot read something says so in a finding of its own: what was not checked
//! must not look like what is in order.

mod acceptance;
mod alarm;
mod api;
mod boundary;
mod cloudformation;
mod connect;
mod coverage;
mod deployed;
mod editor;
mod finding;
mod function;
mod iam;
mod logs;
mod network;
mod parameter;
mod part;
mod properties;
mod queue;
pub mod record;
mod repository;
mod resource;
mod schedule;
mod scheduler;
mod secret;
mod table;
mod task;
mod template;
mod token;
mod topic;
mod trail;

use crate::cloud::Cloud;
use crate::plan::Plan;

pub(crate) use api::resources as api_resources;
pub use boundary::BoundaryPolicy;
pub use cloudformation::Coverage;
pub(crate) use connect::NOT_APPLIED;
pub use connect::Policy as ConnectPolicy;
pub(crate) use deployed::is_open;
pub use deployed::{DeployedStack, Resource};
pub use editor::{findings as editors, not_checked as editors_not_checked};
pub use finding::{Certainty, Detector, Finding, Kind, Severity};
pub use part::Part;
pub(crate) use properties::shown;
pub use token::Policy as TokenPolicy;
pub use trail::{Attribution, attribute, tell_token_readers};

/// What was found of one stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The environment, as it is named on a command line.
    pub environment: String,
    /// The stack's name.
    pub stack_name: String,
    /// The 12-digit account id.
    pub account: String,
    /// The region.
    pub region: String,
    /// What the deployed template is made of.
    pub parts: Vec<Part>,
    /// What was found: drift before what was not checked before what is not deployed yet,
    /// and the worst first.
    pub findings: Vec<Finding>,
    /// Who checked the resources of each type.
    pub coverage: Vec<Coverage>,
    /// Ids under `drift.accepted` that no finding has.
    pub unused_acceptances: Vec<String>,
    /// What a reader should know of the report itself.
    pub notes: Vec<String>,
}

impl Report {
    /// How many findings there are of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .count()
    }

    /// The report with more findings.
    #[must_use]
    pub fn with(mut self, findings: Vec<Finding>) -> Self {
        self.findings.extend(findings);
        self.sort();
        self
    }

    fn sort(&mut self) {
        self.findings.sort_by(|one, other| {
            (one.kind, one.severity, &one.id).cmp(&(other.kind, other.severity, &other.id))
        });
    }
}

/// What the environment asks of what is deployed.
#[derive(Debug, Clone)]
pub struct Policies {
    /// Of the tokens.
    pub tokens: TokenPolicy,
    /// Of the Connect instance; of a stack that has one.
    pub connect: Option<ConnectPolicy>,
    /// Of the guardrail as a permissions boundary.
    pub boundary: BoundaryPolicy,
}

#[cfg(test)]
impl Report {
    /// What was found of some stack, for a test of what becomes of the findings.
    pub(crate) fn of(findings: Vec<Finding>) -> Self {
        Self {
            environment: "prod".to_owned(),
            stack_name: "scim".to_owned(),
            account: "444455556666".to_owned(),
            region: "eu-central-1".to_owned(),
            parts: Vec::new(),
            findings,
            coverage: Vec::new(),
            unused_acceptances: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Runs all detectors, side by side. `environment` leads to the services of the same cloud
/// that have no SDK here; `plan` is what a deployment of this commit would change.
pub async fn detect(
    cloud: &Cloud,
    environment: &aws_json_client::Environment,
    stack: &DeployedStack,
    plan: &Plan,
    policies: &Policies,
) -> Report {
    let (
        (rest, coverage),
        users,
        functions,
        apis,
        roles,
        boundaries,
        tokens,
        queues,
        tables,
        alarms,
        logs,
        schedules,
        topics,
        tasks,
    ) = tokio::join!(
        cloudformation::detect(cloud, stack),
        async {
            match &policies.connect {
                Some(policy) => connect::detect(environment, stack, policy).await,
                None => Vec::new(),
            }
        },
        function::detect(cloud, stack),
        api::detect(cloud, stack),
        iam::detect(cloud, stack),
        boundary::detect(cloud, stack, &policies.boundary),
        token::detect(cloud, stack, &policies.tokens),
        queue::detect(environment, stack),
        table::detect(cloud, environment, stack),
        alarm::detect(environment, stack),
        logs::detect(cloud, stack),
        schedule::detect(environment, stack),
        topic::detect(cloud, stack),
        of_tasks(cloud, environment, stack),
    );
    let (tasks, notes) = tasks;
    let missing = stack.missing().into_iter().map(|resource| {
        Finding::not_checked(
            Detector::Template,
            "missing",
            &resource,
            "the template has it, and the stack has not",
        )
    });
    let mut report = Report {
        environment: plan.subject.environment.clone(),
        stack_name: plan.subject.stack_name.clone(),
        account: plan.subject.account.clone(),
        region: plan.subject.region.clone(),
        parts: stack.parts(),
        findings: [
            rest,
            users,
            functions,
            apis,
            roles,
            boundaries,
            tokens,
            queues,
            tables,
            alarms,
            logs,
            schedules,
            topics,
            tasks,
            template::findings(plan),
            missing.collect(),
        ]
        .concat(),
        coverage,
        unused_acceptances: Vec::new(),
        notes,
    };
    report.sort();
    report
}

/// Looks at what a task that is run by the clock is made of; with notes about secrets.
async fn of_tasks(
    cloud: &Cloud,
    environment: &aws_json_client::Environment,
    stack: &DeployedStack,
) -> (Vec<Finding>, Vec<String>) {
    let (tasks, schedules, repositories, networks, (secrets, notes), parameters) = tokio::join!(
        task::detect(environment, stack),
        scheduler::detect(environment, stack),
        repository::detect(environment, stack),
        network::detect(cloud, environment, stack),
        secret::detect(environment, stack),
        parameter::detect(environment, stack),
    );
    let findings = [
        tasks,
        schedules,
        repositories,
        networks,
        secrets,
        parameters,
    ];
    (findings.concat(), notes)
}

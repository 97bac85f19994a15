//! `guardrails verify`: who may edit users, by the policy engine itself.

use std::collections::BTreeSet;

use aws_json_client::{Client, Service};

use super::super::target::{self, Target};
use super::super::{Error, Outcome};
use super::deployed;
use crate::cli::{GuardrailsFormat, GuardrailsVerifyArgs};
use crate::doctor;
use crate::guardrail::{
    Account, Decision, Deployed, Deployment, NotChecked, Part, Row, Samples, Simulation, Verdict,
    Verification, name, read_account,
};
use crate::plan::matches_pattern;
use crate::printer::Printer;
use crate::report::guardrail as report;

/// Runs `guardrails verify`.
pub(super) async fn run(
    args: &GuardrailsVerifyArgs,
    target: &Target,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let environment = target::name(&args.environment);
    let verification = verification(target, environment, &args.principals).await?;
    printer.data(&match args.format {
        GuardrailsFormat::Text => report::text(&verification, printer.data_width()),
        GuardrailsFormat::Markdown => report::markdown(&verification),
        GuardrailsFormat::Html => report::html(&verification),
        GuardrailsFormat::Json => format!(
            "{:#}\n",
            serde_json::json!(report::json_v1::VerificationReport::from(&verification))
        ),
    });
    Ok(match verification.verdict() {
        Verdict::Holds => Outcome::SUCCESS,
        Verdict::Broken => Outcome::CHANGES,
        Verdict::NotFullyChecked => Outcome::NOT_FULLY_CHECKED,
    })
}

/// Simulates the named principals, or everybody who might edit users; `environment` is what
/// a command line calls it.
pub(in crate::commands) async fn verification(
    target: &Target,
    environment: String,
    principals: &[String],
) -> Result<Verification, Error> {
    let deployed = deployed(target).await?;
    let connect = Client::new(Service::CONNECT, &target.service_environment()?);
    let (samples, subjects) = tokio::join!(
        Samples::read(&connect, &deployed.connect_instance),
        Subjects::find(target, &deployed, principals),
    );
    let simulation = Simulation::new(&target.cloud, samples, &deployed.policy);
    let mut verification = Verification {
        environment,
        stack_name: target.stack_name(),
        account: target.cloud.account().to_owned(),
        region: target.environment.region.to_string(),
        searched: subjects.searched,
        rows: Vec::new(),
        deployments: Vec::new(),
        not_checked: subjects.not_checked,
    };
    let decisions = simulation.edits(&subjects.principals).await;
    for (principal, decisions) in subjects.principals.into_iter().zip(decisions) {
        match decisions {
            Ok(decisions) => verification.rows.push(Row {
                part: part(&deployed, &principal),
                principal,
                decisions,
            }),
            Err(error) => verification.not_checked.push(NotChecked {
                subject: name(&principal).to_owned(),
                reason: error.to_string(),
            }),
        }
    }
    if principals.is_empty() {
        deployments(&simulation, target, &deployed, &mut verification).await;
    }
    verification.sort();
    Ok(verification)
}

/// What a principal is to the endpoint. Exempt weighs most: whoever is may do anything.
fn part(deployed: &Deployed, principal: &str) -> Part {
    let named = |patterns: &[String]| {
        patterns
            .iter()
            .any(|pattern| matches_pattern(pattern, principal))
    };
    if deployed
        .provisioning_roles
        .iter()
        .any(|role| role == principal)
    {
        Part::Endpoint
    } else if named(deployed.exempt()) {
        Part::Exempt
    } else if named(deployed.deployers()) {
        Part::Deployer
    } else {
        Part::Other
    }
}

/// Who is simulated.
struct Subjects {
    /// ARNs.
    principals: Vec<String>,
    searched: Option<usize>,
    not_checked: Vec<NotChecked>,
}

impl Subjects {
    /// Those named on the command line, or: the endpoint, everybody whom the environment
    /// names, and everybody in the account whose policies might let them edit users.
    async fn find(target: &Target, deployed: &Deployed, named: &[String]) -> Self {
        if !named.is_empty() {
            return Self {
                principals: named.to_vec(),
                searched: None,
                not_checked: Vec::new(),
            };
        }
        let mut principals: BTreeSet<String> =
            deployed.provisioning_roles.iter().cloned().collect();
        let without_pattern = |arn: &&String| !arn.contains(['*', '?']);
        principals.extend(deployed.deployers().iter().filter(without_pattern).cloned());
        match read_account(&target.cloud).await {
            Ok(account) => {
                principals.extend(named_by(target, deployed, &account));
                let everybody = account.principals();
                let suspects = everybody.iter().filter(|one| one.may_edit_users());
                principals.extend(suspects.map(|suspect| suspect.arn.clone()));
                Self {
                    principals: principals.into_iter().collect(),
                    searched: Some(everybody.len()),
                    not_checked: Vec::new(),
                }
            }
            Err(error) => Self {
                principals: principals.into_iter().collect(),
                searched: None,
                not_checked: vec![NotChecked {
                    subject: "the account's roles, users and groups".to_owned(),
                    reason: error.to_string(),
                }],
            },
        }
    }
}

/// The ARNs of those to whom the environment attaches the guardrail; names have no path.
fn named_by(target: &Target, deployed: &Deployed, account: &Account) -> Vec<String> {
    let guardrails = &target.environment.guardrails;
    let (attach_to, boundary_of) = (&guardrails.attach_to, &guardrails.boundary_of);
    let of_kind = |kind: &str, names: Vec<&str>| -> Vec<String> {
        let prefix = format!("{}{kind}/", deployed.iam);
        let holders = account.holders.iter();
        let named = holders.filter(|holder| {
            holder.arn.starts_with(&prefix) && names.contains(&holder.name.as_str())
        });
        named.map(|holder| holder.arn.clone()).collect()
    };
    let roles = attach_to.roles.iter().chain(&boundary_of.roles);
    let users = attach_to.users.iter().chain(&boundary_of.users);
    let of_groups = attach_to
        .groups
        .iter()
        .flat_map(|group| account.members(group.get()))
        .map(str::to_owned);
    of_kind("role", roles.map(|name| name.get()).collect())
        .into_iter()
        .chain(of_kind("user", users.map(|name| name.get()).collect()))
        .chain(of_groups)
        .collect()
}

/// Whether those who deploy still can. With a role for CloudFormation, that role needs the
/// permissions on the resources, and who deploys those on the stack and the packages.
async fn deployments(
    simulation: &Simulation,
    target: &Target,
    deployed: &Deployed,
    verification: &mut Verification,
) {
    let service_role = target.environment.stack.service_role_arn.as_ref();
    let service_role = service_role.map(ToString::to_string);
    for deployer in deployed.deployers() {
        if deployer.contains(['*', '?']) {
            continue;
        }
        let is_needed = |action: &str| {
            let is_of_caller = action.starts_with("cloudformation:") || action.starts_with("s3:");
            match &service_role {
                None => true,
                Some(role) => is_of_caller != (role == deployer),
            }
        };
        match deployment(simulation, target, deployer, is_needed).await {
            Ok(found) => verification.deployments.push(found),
            Err(reason) => verification.not_checked.push(NotChecked {
                subject: format!("whether {} can deploy", name(deployer)),
                reason,
            }),
        }
    }
}

async fn deployment(
    simulation: &Simulation,
    target: &Target,
    deployer: &str,
    is_needed: impl Fn(&str) -> bool,
) -> Result<Deployment, String> {
    let mut found = Deployment {
        principal: deployer.to_owned(),
        actions: 0,
        denied: Vec::new(),
    };
    for permission in doctor::actions(&target.environment) {
        let actions = permission.actions.iter().copied();
        let actions: Vec<String> = actions
            .filter(|action| is_needed(action))
            .map(str::to_owned)
            .collect();
        if actions.is_empty() {
            continue;
        }
        let resource = permission.resource_arn(
            target.environment.region.partition(),
            target.environment.region.get(),
            target.cloud.account(),
            target.environment.stack_name.get(),
        );
        let decisions = simulation.decide(deployer, actions, &resource).await;
        for (action, decision) in decisions.map_err(|error| error.to_string())? {
            found.actions += 1;
            match decision {
                Decision::Allowed => {}
                Decision::NotChecked => {
                    return Err(format!(
                        "{action} depends on what a simulation does not know"
                    ));
                }
                Decision::DeniedExplicitly | Decision::DeniedImplicitly => {
                    found.denied.push(action);
                }
            }
        }
    }
    Ok(found)
}

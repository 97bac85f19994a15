//! `drift`: whether the cloud still is what was deployed. Looks, and changes nothing.

use super::deploy::Survey;
use super::error::StackError;
use super::interrupt::{InCloud, run_interruptibly};
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::{DriftArgs, DriftFormat};
use crate::drift::{self, DeployedStack, Kind, Report, TokenPolicy};
use crate::environment::Environment;
use crate::printer::Printer;
use crate::report::drift as report;
use crate::stack::{StackDescription, StackStatus};

/// Runs `drift`.
pub(super) fn run(
    args: &DriftArgs,
    environment: Environment,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let artifacts = target::artifacts(&environment, args.artifacts.as_deref(), printer)?;
    run_interruptibly(&InCloud::default(), async {
        let target = Target::open(&args.environment, environment).await?;
        let survey = Survey::take(&target, &artifacts).await?;
        let name = target::name(&args.environment);
        let plan = survey.plan(&target, &name)?;
        let stack = settled(&target, survey.stack.as_ref(), &name)?;
        let deployed = deployed(&target, stack).await?;
        let tokens = TokenPolicy {
            environment: name,
            max_age_days: target.environment.alarms.token_max_age_days.get(),
        };
        let services = target.service_environment()?;
        let report = drift::detect(&target.cloud, &services, &deployed, &plan, &tokens).await;
        print(&report, args.format, printer);
        Ok(outcome(&report))
    })
}

/// The stack, in a state in which it can be compared with anything.
fn settled<'a>(
    target: &Target,
    stack: Option<&'a StackDescription>,
    environment: &str,
) -> Result<&'a StackDescription, Error> {
    let stack =
        stack
            .filter(|stack| stack.has_resources())
            .ok_or_else(|| StackError::NotDeployed {
                stack: target.stack_name(),
            })?;
    match &stack.status {
        StackStatus::Deployed(_) => Ok(stack),
        StackStatus::InProgress(status) => Err(StackError::Busy {
            stack: target.stack_name(),
            status: status.clone(),
            token: None,
            environment: environment.to_owned(),
        }.into()),
        status => Err(StackError::NeedsHuman {
            stack: target.stack_name(),
            status: status.to_string(),
            advice: format!(
                "`connect-scim recover --env {environment}` or `deploy` brings it back; there is nothing to compare with before"
            ),
        }.into()),
    }
}

async fn deployed(target: &Target, stack: &StackDescription) -> Result<DeployedStack, Error> {
    let (template, physical_ids) = tokio::try_join!(
        target.stacks.template(&stack.id),
        target.stacks.physical_ids(&stack.id),
    )?;
    let template = crate::template::canonical(&template.unwrap_or_default())?;
    DeployedStack::new(&stack.id, template, physical_ids).ok_or_else(|| {
        StackError::NotDeployed {
            stack: target.stack_name(),
        }
        .into()
    })
}

fn print(report: &Report, format: DriftFormat, printer: &Printer) {
    printer.data(&match format {
        DriftFormat::Text => report::text(report),
        DriftFormat::Json => format!(
            "{:#}\n",
            serde_json::json!(report::json_v1::Report::from(report))
        ),
        DriftFormat::Markdown => report::markdown(report),
    });
}

/// Drift weighs more than what nobody knows; what is not deployed yet is no drift, and
/// `plan` has its exit code.
fn outcome(report: &Report) -> Outcome {
    if report.count(Kind::Drift) > 0 {
        Outcome::CHANGES
    } else if report.count(Kind::NotChecked) > 0 {
        Outcome::NOT_FULLY_CHECKED
    } else {
        Outcome::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{Detector, Finding, Severity};

    #[test]
    fn drift_weighs_more_than_what_was_not_checked_and_undeployed_changes_weigh_nothing() {
        let drift = Finding::drift(Detector::Iam, Severity::Low, "a", "b", "c");
        let unknown = Finding::not_checked(Detector::Iam, "a", "b", "c");
        let undeployed = Finding {
            kind: Kind::UndeployedChange,
            ..drift.clone()
        };
        let cases = [
            (vec![], Outcome::SUCCESS),
            (vec![undeployed.clone()], Outcome::SUCCESS),
            (
                vec![undeployed, unknown.clone()],
                Outcome::NOT_FULLY_CHECKED,
            ),
            (vec![unknown, drift], Outcome::CHANGES),
        ];
        for (findings, expected) in cases {
            let report = Report {
                environment: "prod".to_owned(),
                stack_name: "scim".to_owned(),
                account: "444455556666".to_owned(),
                region: "eu-central-1".to_owned(),
                findings,
            };
            assert_eq!(outcome(&report), expected);
        }
    }
}

//! `drift`: whether the cloud still is what was deployed. Looks, and changes nothing, unless
//! it is told to mend; `--record` keeps the result, in a parameter that belongs to nothing else.

mod mend;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::deploy::Survey;
use super::error::StackError;
use super::guardrails::verify::verification;
use super::interrupt::{InCloud, run_interruptibly};
use super::operation::Follower;
use super::software::Software;
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::{DriftArgs, DriftFormat, EnvironmentArg, EventFormat};
use crate::drift::record::{Record, Records};
use crate::drift::{
    self, BoundaryPolicy, ConnectPolicy, DeployedStack, Finding, Kind, Policies, Report,
    TokenPolicy,
};
use crate::environment::{self, Environment, StackKind};
use crate::guardrail;
use crate::printer::Printer;
use crate::report::drift::{self as report, EnvironmentText};
use crate::stack::{StackDescription, StackStatus};

/// When to look again at what seems not to be mended.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// Runs `drift`.
pub(super) fn run(
    args: &DriftArgs,
    environment: Environment,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let software = Software::of(&environment, args.artifacts.as_deref(), printer)?;
    let in_cloud = InCloud::default();
    run_interruptibly(&in_cloud, async {
        let target = Target::open(&args.environment, environment).await?;
        let survey = Survey::take(&target, &software).await?;
        let name = target::name(&args.environment);
        let plan = survey.plan(&target, &name)?;
        let stack = settled(&target, survey.stack.as_ref(), &name)?;
        let mut deployed_stack = deployed(&target, stack).await?;
        let policies = policies(&target.environment, &name);
        let services = target.service_environment()?;
        let detect = async |deployed: &DeployedStack| {
            let (report, editors) = tokio::join!(
                drift::detect(&target.cloud, &services, deployed, &plan, &policies),
                editors(&target, &name),
            );
            let report = report.with(editors);
            let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
            report.accepting(&target.environment.drift.accepted, today)
        };
        let mut report = detect(&deployed_stack).await;
        let follower = Follower {
            target: &target,
            environment: name.clone(),
            format: EventFormat::Text,
            printer,
            in_cloud: &in_cloud,
        };
        if args.mend && mend::mend(args, &follower, &deployed_stack, &report).await? {
            // What was made again has another id.
            deployed_stack = deployed(&target, stack).await?;
            report = detect(&deployed_stack).await;
            if report.count(Kind::Drift) > 0 {
                // IAM tells what it was told some seconds later.
                tokio::time::sleep(SECOND_LOOK).await;
                report = detect(&deployed_stack).await;
            }
        }
        if !args.no_trail {
            drift::attribute(&target.cloud, &deployed_stack, &mut report).await;
        }
        if args.token_readers {
            drift::tell_token_readers(&target.cloud, &deployed_stack, &mut report).await;
        }
        let file = environment_text(&args.environment)?;
        printer.annotate(report::annotations(&report, &file));
        print(&report, &file, args, printer)?;
        let outcome = outcome(&report);
        if args.record {
            let record = Record::new(&stack.id, &report, outcome.0.code(), commit());
            let parameter = target.environment.drift_parameter();
            Records::new(&target.cloud)
                .write(&parameter, &record)
                .await?;
        }
        Ok(outcome)
    })
}

/// Who can edit users and should not, if the environment asks for it.
async fn editors(target: &Target, name: &str) -> Vec<Finding> {
    if !target.environment.drift.simulate_principals {
        return Vec::new();
    }
    match verification(target, name.to_owned(), &[]).await {
        Ok(verification) => drift::editors(&verification),
        Err(error) => vec![drift::editors_not_checked(&error)],
    }
}

fn policies(environment: &Environment, name: &str) -> Policies {
    let alarms = &environment.alarms;
    let bound = guardrail::wanted(environment).into_iter();
    let editing_profiles = environment.guardrails.editing_profiles.iter();
    Policies {
        tokens: TokenPolicy {
            environment: name.to_owned(),
            max_age_days: alarms.token_max_age_days.get(),
        },
        connect: (environment.kind() == StackKind::Endpoint).then(|| ConnectPolicy {
            environment: name.to_owned(),
            editing_profiles: editing_profiles.map(ToString::to_string).collect(),
            pending_max_minutes: alarms.pending_max_minutes.get(),
        }),
        boundary: BoundaryPolicy {
            environment: name.to_owned(),
            principals: bound.filter(|one| one.kind.is_boundary()).collect(),
        },
    }
}

/// The commit that a pipeline of GitHub or GitLab works on.
fn commit() -> Option<String> {
    ["GITHUB_SHA", "CI_COMMIT_SHA"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|commit| !commit.is_empty())
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

/// The file that findings point into.
fn environment_text(argument: &EnvironmentArg) -> Result<EnvironmentText, Error> {
    let path = environment::find(&argument.environment)?;
    let file = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Io {
        action: format!("read {file}"),
        source,
    })?;
    Ok(EnvironmentText { file, text })
}

fn print(
    report: &Report,
    file: &EnvironmentText,
    args: &DriftArgs,
    printer: &Printer,
) -> Result<(), Error> {
    printer.data(&rendered(report, file, args.format));
    for saved in &args.save {
        let text = rendered(report, file, saved.format);
        // A file has no colours.
        let text = anstream::adapter::strip_str(&text).to_string();
        std::fs::write(&saved.path, text).map_err(|source| Error::Io {
            action: format!("write {}", saved.path.display()),
            source,
        })?;
    }
    for id in &report.unused_acceptances {
        printer.warning(&format!(
            "`drift.accepted` has {id}, and no finding is meant by it: what was accepted is in order again, or the id was never right; take it out"
        ));
    }
    Ok(())
}

fn rendered(report: &Report, file: &EnvironmentText, format: DriftFormat) -> String {
    match format {
        DriftFormat::Text => report::text(report),
        DriftFormat::Json => format!(
            "{:#}\n",
            serde_json::json!(report::json_v1::Report::from(report))
        ),
        DriftFormat::Markdown => report::markdown(report),
        DriftFormat::Html => report::html(report),
        DriftFormat::Junit => report::junit(report),
        DriftFormat::Sarif => report::sarif(report, file),
    }
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
    use crate::drift::{Detector, Severity};

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
            let report = Report::of(findings);
            assert_eq!(outcome(&report), expected);
        }
    }
}

//! `plan`: what `deploy` would change. Looks, and changes nothing.

use super::deploy::Survey;
use super::interrupt::{InCloud, run_interruptibly};
use super::software::Software;
use super::target::{self, Target};
use super::{Error, Outcome, saved_plan};
use crate::cli::{PlanArgs, PlanFormat};
use crate::environment::Environment;
use crate::plan::Plan;
use crate::printer::Printer;
use crate::report::plan as report;
use crate::stack::StackStatus;

/// Runs `plan`.
pub(super) fn run(
    args: &PlanArgs,
    environment: Environment,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let software = Software::of(&environment, args.artifacts.as_deref(), printer)?;
    run_interruptibly(&InCloud::default(), async {
        let target = Target::open(&args.environment, environment).await?;
        let survey = Survey::take(&target, &software).await?;
        if let Some(stack) = survey
            .stack
            .as_ref()
            .filter(|stack| is_unsettled(&stack.status))
        {
            printer.warning(&format!(
                "{} is in the state {}: what follows may not hold for long",
                target.stack_name(),
                stack.status
            ));
        }
        survey.tell_missing_groups(printer);
        let mut plan = survey.plan(&target, &target::name(&args.environment))?;
        if args.change_set && !plan.is_empty() {
            plan = survey.rehearse(&target, plan, printer).await?;
        }
        plan = survey.with_affected_users(&target, plan).await?;
        if let Some(path) = &args.out {
            saved_plan::write(path, survey.basis(&plan, &software)?, &plan)?;
        }
        print(&plan, args.format, printer);
        Ok(if plan.is_empty() {
            Outcome::SUCCESS
        } else {
            Outcome::CHANGES
        })
    })
}

/// Whether the stack may become another one without anybody deploying it.
fn is_unsettled(status: &StackStatus) -> bool {
    matches!(
        status,
        StackStatus::InProgress(_) | StackStatus::Failed(_) | StackStatus::Other(_)
    )
}

fn print(plan: &Plan, format: PlanFormat, printer: &Printer) {
    printer.data(&match format {
        PlanFormat::Text => report::text(plan, printer.data_width()),
        PlanFormat::Markdown => report::markdown(plan),
        PlanFormat::Html => report::html(plan),
        PlanFormat::Json => format!(
            "{:#}\n",
            serde_json::json!(report::json_v1::Plan::from(plan))
        ),
    });
}

//! `guardrails apply`: attaches the deployed policy to whomever the environment names.
//!
//! `deploy` attaches too, but only what changed in the template: what somebody detached
//! since, and permissions boundaries, are left to this.

use super::super::error::GuardrailError;
use super::super::target::{self, Target};
use super::super::{Error, Outcome};
use super::{approve, counted, deployed};
use crate::cli::GuardrailsApplyArgs;
use crate::guardrail::{Attachments, Kind};
use crate::printer::Printer;

/// Runs `guardrails apply`.
pub(super) async fn run(
    args: &GuardrailsApplyArgs,
    target: &Target,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let deployed = deployed(target).await?;
    if !target.environment.guardrails.boundary_of.is_empty() && deployed.boundary.is_none() {
        return Err(GuardrailError::NoBoundary {
            stack: target.stack_name(),
        }
        .into());
    }
    let attachments = Attachments::read(&target.cloud, &target.environment, &deployed).await?;
    if attachments.wanted.is_empty() {
        printer.message(&format!(
            "environment {} names nobody under `guardrails.attachTo` or `guardrails.boundaryOf`",
            target::name(&args.environment)
        ));
        return Ok(Outcome::SUCCESS);
    }
    if attachments.missing.is_empty() {
        let attached = counted(attachments.wanted.len(), "attachment");
        printer.message(&format!("The guardrail is in place: {attached}"));
        return Ok(Outcome::SUCCESS);
    }
    for attachment in &attachments.missing {
        // It may be narrower, and a principal has only one.
        let other = attachment.boundary(&target.cloud).await?;
        if let Some(boundary) = other {
            return Err(GuardrailError::OtherBoundary {
                principal: match attachment.kind {
                    Kind::UserBoundary => format!("the user {}", attachment.name),
                    _ => format!("the role {}", attachment.name),
                },
                boundary,
            }
            .into());
        }
    }
    let changes = attachments.missing.len();
    let steps: Vec<String> = attachments
        .missing
        .iter()
        .map(|attachment| attachment.describe())
        .collect();
    if args.dry_run {
        steps.iter().for_each(|step| printer.data_line(step));
        return Ok(Outcome::CHANGES);
    }
    approve(printer, args.yes, &steps, &counted(changes, "attachment")).await?;
    let mut failed = 0;
    for attachment in &attachments.missing {
        match attachment.make(&target.cloud, &deployed).await {
            Ok(()) => printer.data_line(&format!("done: {}", attachment.describe())),
            Err(error) => {
                failed += 1;
                printer.warning(&error.to_string());
            }
        }
    }
    if failed > 0 {
        return Err(GuardrailError::PartlyFailed { failed, changes }.into());
    }
    Ok(Outcome::SUCCESS)
}

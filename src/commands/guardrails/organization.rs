//! `guardrails apply --scp`: the guardrail as a service control policy.

use super::super::error::GuardrailError;
use super::super::target::Target;
use super::super::{Error, Outcome};
use super::{approve, counted, deployed};
use crate::cli::GuardrailsApplyArgs;
use crate::cloud::Cloud;
use crate::guardrail::{FORMER_LIMIT, Organization, ServiceControlPolicy, Use, minified};
use crate::printer::Printer;

/// Runs `guardrails apply --scp`.
pub(super) async fn run(
    args: &GuardrailsApplyArgs,
    target: &Target,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let deployed = deployed(target).await?;
    if deployed.deployers().is_empty() {
        return Err(GuardrailError::NobodyDeploys.into());
    }
    let document =
        minified(&deployed.document(), Use::ServiceControlPolicy).map_err(GuardrailError::from)?;
    let policy = ServiceControlPolicy {
        name: policy_name(target),
        document,
    };
    let organization = organization(target, args.organization_profile.as_deref()).await?;
    warn(&organization, target, &policy, printer).await?;
    let steps = organization.steps(&policy, &args.attach_to).await?;
    if steps.is_empty() {
        let name = &policy.name;
        printer.message(&format!("The service control policy {name} is in place"));
        return Ok(Outcome::SUCCESS);
    }
    let described: Vec<String> = steps.iter().map(|step| step.describe(&policy)).collect();
    if args.dry_run {
        described.iter().for_each(|step| printer.data_line(step));
        return Ok(Outcome::CHANGES);
    }
    approve(
        printer,
        args.yes,
        &described,
        &counted(steps.len(), "thing"),
    )
    .await?;
    for step in &steps {
        organization.take(step, &policy).await?;
        printer.data_line(&format!("done: {}", step.describe(&policy)));
    }
    Ok(Outcome::SUCCESS)
}

/// An organization has many accounts and regions, and policies of one name once.
fn policy_name(target: &Target) -> String {
    format!(
        "connect-scim-{}-{}-{}",
        target.cloud.account(),
        target.environment.region,
        target.environment.stack_name
    )
}

/// The organization, by the credentials of who may change its policies.
async fn organization(target: &Target, profile: Option<&str>) -> Result<Organization, Error> {
    let region = Organization::region(target.environment.region.partition());
    let environment = match profile {
        None => target.cloud.service_environment_in(region)?,
        Some(profile) => {
            let cloud = Cloud::discover(region, Some(profile)).await?;
            cloud.service_environment_in(region)?
        }
    };
    Ok(Organization::new(&environment))
}

/// Says what the policy will not do, and where it may be refused.
async fn warn(
    organization: &Organization,
    target: &Target,
    policy: &ServiceControlPolicy,
    printer: &Printer,
) -> Result<(), Error> {
    let characters = policy.document.chars().count();
    if characters > FORMER_LIMIT {
        printer.warning(&format!(
            "the policy has {characters} characters; where AWS Organizations still has the limit of {FORMER_LIMIT}, it is refused"
        ));
    }
    let management_account = organization.management_account().await?;
    if management_account == target.cloud.account() {
        printer.warning(&format!(
            "{management_account} is the organization's management account, which no service control policy binds"
        ));
    }
    Ok(())
}

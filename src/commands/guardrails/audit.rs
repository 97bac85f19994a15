//! `guardrails audit`: which security profiles let their holders edit users in Connect's
//! admin website.

use aws_json_client::{Client, Service};
use connect_directory::connect::Connect;

use super::super::error::{GuardrailError, UsersError};
use super::super::target::{self, Target};
use super::super::{Error, Outcome};
use super::{approve, counted};
use crate::cli::{GuardrailsAuditArgs, GuardrailsFormat};
use crate::connect_instance::Instances;
use crate::guardrail::{Audit, AuditedProfile, set_permissions};
use crate::printer::Printer;
use crate::report::guardrail as report;

/// Runs `guardrails audit`.
pub(super) async fn run(
    args: &GuardrailsAuditArgs,
    target: &Target,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let mut audit = audit(target, args).await?;
    if args.fix && audit.open().next().is_some() {
        fix(target, &audit, args, printer).await?;
        audit = self::audit(target, args).await?;
    }
    printer.data(&match args.format {
        GuardrailsFormat::Text => report::audit_text(&audit),
        GuardrailsFormat::Markdown => report::audit_markdown(&audit),
        GuardrailsFormat::Html => report::audit_html(&audit),
        GuardrailsFormat::Json => format!(
            "{:#}\n",
            serde_json::json!(report::json_v1::AuditReport::from(&audit))
        ),
    });
    Ok(match audit.open().next() {
        None => Outcome::SUCCESS,
        Some(_) => Outcome::CHANGES,
    })
}

/// The profiles of the instance, and how many users have each.
async fn audit(target: &Target, args: &GuardrailsAuditArgs) -> Result<Audit, Error> {
    let services = target.service_environment()?;
    let environment = &target.environment;
    let instance_id = environment.connect()?.instance_id.get();
    let instance_arn = format!(
        "arn:{}:connect:{}:{}:instance/{instance_id}",
        environment.region.partition(),
        environment.region,
        target.cloud.account(),
    );
    let connect = Connect::new(Client::new(Service::CONNECT, &services), &instance_arn)
        .map_err(UsersError::from)?;
    let instances = Instances::new(&services);
    let (profiles, users) = tokio::try_join!(
        instances.security_profiles(instance_id),
        connect.search_users()
    )?;
    let accepted = environment.guardrails.editing_profiles.iter();
    let accepted: Vec<&str> = accepted.map(|name| name.get()).collect();
    let holders: Vec<Vec<String>> = users
        .into_iter()
        .map(|user| user.security_profile_ids)
        .collect();
    let name = target::name(&args.environment);
    Ok(Audit::new(
        &name,
        instance_id,
        &profiles,
        &accepted,
        &holders,
    ))
}

/// Takes the permissions that edit users from every profile that the environment does not
/// name. One that Connect refuses keeps them, and the others are seen to.
async fn fix(
    target: &Target,
    audit: &Audit,
    args: &GuardrailsAuditArgs,
    printer: &Printer,
) -> Result<(), Error> {
    let open: Vec<&AuditedProfile> = audit.open().collect();
    let steps: Vec<String> = open
        .iter()
        .map(|profile| {
            format!(
                "take {} from {}, which {} {}",
                profile.editing.join(", "),
                profile.name,
                counted(profile.users, "user"),
                if profile.users == 1 { "has" } else { "have" },
            )
        })
        .collect();
    approve(
        printer,
        args.yes,
        &steps,
        &counted(open.len(), "security profile"),
    )
    .await?;
    let connect = Client::new(Service::CONNECT, &target.service_environment()?);
    let mut failed = 0;
    for profile in &open {
        let done = set_permissions(&connect, &audit.instance_id, &profile.id, &profile.kept).await;
        match done {
            Ok(()) => printer.message(&format!("{} edits users no longer", profile.name)),
            Err(error) => {
                failed += 1;
                printer.warning(&format!(
                    "{} keeps its permissions: {error}; AWS manages some profiles, and only takes them from users",
                    profile.name
                ));
            }
        }
    }
    if failed > 0 {
        let changes = open.len();
        return Err(GuardrailError::PartlyFailed { failed, changes }.into());
    }
    Ok(())
}

//! `guardrails render`: the policy as the services take it.

use super::super::error::GuardrailError;
use super::super::target::Target;
use super::super::{Error, Outcome};
use super::deployed;
use crate::cli::{GuardrailsRenderArgs, PolicyFormat};
use crate::guardrail::{Use, minified};
use crate::printer::Printer;

/// Runs `guardrails render`.
pub(super) async fn run(
    args: &GuardrailsRenderArgs,
    target: &Target,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let deployed = deployed(target).await?;
    let (document, used_as) = match (args.scp, args.boundary) {
        (true, _) => (deployed.document(), Use::ServiceControlPolicy),
        (false, true) => (deployed.boundary_document(), Use::ManagedPolicy),
        (false, false) => (deployed.document(), Use::ManagedPolicy),
    };
    if args.scp && deployed.deployers().is_empty() {
        return Err(GuardrailError::NobodyDeploys.into());
    }
    let text = minified(&document, used_as).map_err(GuardrailError::from)?;
    printer.data_line(&match args.format {
        PolicyFormat::Json => format!("{document:#}"),
        PolicyFormat::Minified => text,
    });
    Ok(Outcome::SUCCESS)
}

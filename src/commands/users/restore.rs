//! `users restore`: writes a copy of a directory into the table of the stack.

use super::{Deployed, copy_file};
use crate::cli::UsersRestoreArgs;
use crate::commands::error::UsersError;
use crate::commands::{Error, Outcome, target};
use crate::printer::Printer;

/// Runs `users restore`.
pub(super) async fn run(args: &UsersRestoreArgs, printer: &Printer) -> Result<Outcome, Error> {
    let copy = copy_file::read(&args.file)?;
    let deployed = Deployed::open(&args.environment).await?;
    let progress = copy_file::Progress::new(printer, "items written");
    progress.expect(copy.items.len());
    let restored = deployed
        .directory
        .store()
        .restore(&copy.items, args.merge, |items| progress.set(items))
        .await;
    progress.finish();
    restored.map_err(UsersError::from)?;
    printer.message(&format!(
        "restored and verified: {}, as of {}",
        copy_file::counts(&copy.items),
        copy.head.taken_at.strftime("%Y-%m-%d %H:%M UTC")
    ));
    if copy.head.instance_id != deployed.instance_id {
        printer.warning(&format!(
            "the copy is of the Amazon Connect instance {}, and the stack uses {}: it has none of these users until they are reconciled",
            copy.head.instance_id, deployed.instance_id
        ));
    }
    printer.message(&format!(
        "next: bring Amazon Connect to the restored state, before the identity provider sends anything:\n  connect-scim users reconcile --all --env {}",
        target::name(&args.environment)
    ));
    Ok(Outcome::SUCCESS)
}

//! `users export`: copies the directory into a file.

use connect_directory::store::Store;

use super::{Deployed, client, copy_file};
use crate::cli::UsersExportArgs;
use crate::commands::error::UsersError;
use crate::commands::target::Target;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;

/// Runs `users export`.
pub(super) async fn run(args: &UsersExportArgs, printer: &Printer) -> Result<Outcome, Error> {
    if args.out.exists() {
        return Err(UsersError::FileExists(args.out.clone()).into());
    }
    let (store, instance_id) = match &args.table {
        None => {
            let deployed = Deployed::open(&args.environment).await?;
            (deployed.directory.store().clone(), deployed.instance_id)
        }
        // There may be no stack, or one with another table.
        Some(table) => {
            let target = Target::find_endpoint(&args.environment).await?;
            let dynamodb = client(
                aws_json_client::Service::DYNAMODB,
                &target.service_environment()?,
            );
            let connect = target.environment.connect()?;
            (Store::new(dynamodb, table), connect.instance_id.to_string())
        }
    };
    let progress = copy_file::Progress::new(printer, "items read");
    let copy = store.copy(|items| progress.set(items)).await;
    progress.finish();
    let items = copy.map_err(UsersError::from)?;
    copy_file::write(&args.out, &instance_id, &items)?;
    printer.message(&format!(
        "{}: {}\nIt contains personal data; only you can read it.",
        args.out.display(),
        copy_file::counts(&items)
    ));
    Ok(Outcome::SUCCESS)
}

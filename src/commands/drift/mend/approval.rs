//! The yes to a plan of mending.

use crate::cli::DriftArgs;
use crate::commands::error::ReviewError;
use crate::commands::users::{self, Removal};
use crate::commands::{Error, question, target};
use crate::drift::Report;
use crate::printer::Printer;

/// Has somebody say yes, in words or beforehand. Where users are removed their number has to
/// be said: a `yes` is typed too easily, and a number that was right yesterday is refused.
///
/// # Errors
/// When nobody can be asked and not enough was said beforehand, or the answer is another.
pub(super) async fn approve(
    args: &DriftArgs,
    report: &Report,
    removal: Option<&Removal>,
    printer: &Printer,
) -> Result<(), Error> {
    let place = format!("{}, account {}", report.stack_name, report.account);
    let is_asked = !args.yes && printer.can_ask();
    let Some(removal) = removal else {
        if !args.yes && !is_asked {
            return Err(ReviewError::ApprovalNeeded {
                stack: report.stack_name.clone(),
                yes: false,
                missing: Vec::new(),
            }
            .into());
        }
        let question = format!("mend this in {place}?\ntype yes to go on:");
        return question::confirm(printer, args.yes, question, "yes").await;
    };
    let (number, confirmed) = (removal.len(), args.confirm_removals);
    if !is_asked {
        if args.yes && confirmed == Some(number) {
            return Ok(());
        }
        return Err(ReviewError::RemovalsNotConfirmed {
            users: users::counted(number),
            number,
            confirmed,
            environment: target::name(&args.environment),
        }
        .into());
    }
    for name in removal.names() {
        printer.notice(&format!("  {name}"));
    }
    let question = format!(
        "mend this in {place}, and remove {} from Amazon Connect for good?\ntype {number} to go on:",
        users::counted(number)
    );
    question::confirm(printer, false, question, &number.to_string()).await
}

//! Questions to the person at the terminal, while signals are still heard.

use super::Error;
use super::error::QuestionError;
use crate::printer::Printer;

/// Has the person type `expected`, unless `yes` answers for them.
///
/// # Errors
/// [`QuestionError::ConfirmationNeeded`] where nobody can be asked, [`QuestionError::NotConfirmed`] where
/// something else was typed.
pub(super) async fn confirm(
    printer: &Printer,
    yes: bool,
    question: String,
    expected: &str,
) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !printer.can_ask() {
        return Err(QuestionError::ConfirmationNeeded { flag: "--yes" }.into());
    }
    let printer = printer.clone();
    let failed = |source| Error::Io {
        action: "read the answer".to_owned(),
        source,
    };
    // Reading blocks until Enter, and Ctrl-C has to be heard meanwhile.
    let answer = tokio::task::spawn_blocking(move || printer.ask(&question))
        .await
        .map_err(|source| failed(std::io::Error::other(source)))?
        .map_err(failed)?;
    if answer == expected {
        Ok(())
    } else {
        Err(QuestionError::NotConfirmed.into())
    }
}

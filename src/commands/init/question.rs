//! The questions of `init`. Where nobody can be asked, the flag that answers is named.

use std::io::ErrorKind;

use dialoguer::{Input, Select};

use crate::cli::CloudArg;
use crate::commands::Error;
use crate::commands::error::{LeavingError, QuestionError};
use crate::connect_instance::Instance;
use crate::exit_code::Exit;
use crate::printer::Printer;

pub(super) struct Questions<'a> {
    pub(super) printer: &'a Printer,
}

impl Questions<'_> {
    /// Asks for a text; `flag` gives it without a person.
    pub(super) fn text(
        &self,
        question: &str,
        default: &str,
        flag: &'static str,
    ) -> Result<String, Error> {
        self.insist(flag)?;
        Input::new()
            .with_prompt(question)
            .default(default.to_owned())
            .interact_text()
            .map_err(no_answer)
    }

    pub(super) fn cloud(&self) -> Result<CloudArg, Error> {
        self.insist("--cloud")?;
        let chosen = Select::new()
            .with_prompt("where does it run")
            .items(["the local cloud on this machine", "an AWS account"])
            .default(0)
            .interact()
            .map_err(no_answer)?;
        Ok(match chosen {
            0 => CloudArg::Local,
            _ => CloudArg::Aws,
        })
    }

    /// The position of the chosen instance.
    pub(super) fn instance(&self, instances: &[Instance]) -> Result<usize, Error> {
        self.insist("--instance-id")?;
        let names: Vec<String> = instances
            .iter()
            .map(|instance| {
                let alias = instance.alias.as_deref().unwrap_or("(without a name)");
                let (id, kind) = (&instance.id, &instance.identity_management);
                format!("{alias}  {id}  {kind}")
            })
            .collect();
        Select::new()
            .with_prompt("which Connect instance")
            .items(&names)
            .default(0)
            .interact()
            .map_err(no_answer)
    }

    fn insist(&self, flag: &'static str) -> Result<(), Error> {
        if self.printer.can_ask() {
            Ok(())
        } else {
            Err(QuestionError::AnswerNeeded { flag }.into())
        }
    }
}

fn no_answer(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(source) = error;
    // The terminal hands Ctrl-C over as a key while it is read key by key.
    if source.kind() == ErrorKind::Interrupted {
        return LeavingError::Interrupted {
            exit: Exit::Interrupted,
            ongoing: None,
        }
        .into();
    }
    Error::Io {
        action: "read the answer".to_owned(),
        source,
    }
}

//! One verb, one file; each reads like a recipe.

mod authorizer_cache;
mod build;
mod completions;
mod conclusion;
mod deploy;
mod destroy;
mod doctor;
mod drift;
mod each_target;
pub mod error;
mod guardrails;
mod init;
mod interrupt;
mod local;
mod logs;
mod man;
mod operation;
mod outputs;
mod plan;
mod question;
mod recover;
mod render;
mod saved_plan;
mod smoke;
mod software;
mod status;
mod sync;
mod target;
mod token;
mod users;
mod validate;
mod watch;

use std::process::ExitCode;

use crate::cli::{Command, CommandLine};
use crate::exit_code::Exit;
use crate::printer::Printer;

use self::each_target::{Meant, Writes};

pub use error::Error;

/// How a command ended when nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome(Exit);

impl Outcome {
    /// Done, or nothing to do.
    pub const SUCCESS: Self = Self(Exit::Success);
    /// Done, and changes are pending.
    pub const CHANGES: Self = Self(Exit::Changes);
    /// Done, but not everything could be checked.
    pub const NOT_FULLY_CHECKED: Self = Self(Exit::NotFullyChecked);

    /// What the shell sees.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        self.0.into()
    }
}

/// Runs the command that was asked for.
///
/// # Errors
/// Whatever the outside world did wrong; [`Error::exit_code`] says how the shell hears of it.
pub fn run(command_line: CommandLine, printer: &Printer) -> Result<Outcome, Error> {
    match command_line.command {
        Command::Init(args) => init::run(&args, printer),
        Command::Validate(args) => validate::run(&args, printer),
        Command::Render(args) => render::run(&args, printer),
        Command::Build(args) => build::run(&args, printer),
        Command::Plan(args) => match each_target::meant(&args.environment)? {
            Meant::Several(file) => {
                each_target::run(&file, Writes::plan(args.format), &[], printer)
            }
            Meant::One(environment) => plan::run(&args, *environment, printer),
        },
        Command::Deploy(args) => match each_target::meant(&args.environment)? {
            Meant::Several(file) => {
                each_target::run(&file, Writes::progress(args.format), &[], printer)
            }
            Meant::One(environment) => deploy::run(&args, *environment, printer),
        },
        Command::Watch(args) => watch::run(&args, printer),
        Command::Recover(args) => recover::run(&args, printer),
        Command::Doctor(args) => doctor::run(&args, printer),
        Command::Drift(args) => match each_target::meant(&args.environment)? {
            Meant::Several(file) => {
                each_target::run(&file, Writes::drift(args.format), &args.save, printer)
            }
            Meant::One(environment) => drift::run(&args, *environment, printer),
        },
        Command::Guardrails(command) => match each_target::meant(command.environment())? {
            Meant::Several(file) => {
                each_target::run(&file, Writes::guardrails(&command), &[], printer)
            }
            Meant::One(environment) => guardrails::run(&command, *environment, printer),
        },
        Command::Status(args) => status::run(&args, printer),
        Command::Outputs(args) => outputs::run(&args, printer),
        Command::Logs(args) => logs::run(&args, printer),
        Command::Smoke(args) => smoke::run(&args, printer),
        Command::Token(command) => token::run(&command, printer),
        Command::Users(command) => users::run(&command, printer),
        Command::Sync(command) => sync::run(&command, printer),
        Command::Destroy(args) => destroy::run(&args, printer),
        Command::Local(command) => local::run(command, printer),
        Command::Completions(args) => completions::run(&args, printer),
        Command::Man(args) => man::run(&args, printer),
    }
}

//! Verbs that change the stack or follow its changes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{EnvironmentArg, Timeout};

/// Arguments of `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Packages made by `build --out DIR`, for a pipeline that builds once; without them the functions are built here.
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// Do not ask. Where nobody can be asked, as in a pipeline, nothing is deployed without it.
    #[arg(long)]
    pub yes: bool,
    /// Approve what --yes alone does not: `iam` for permissions that are broadened, `replace` for resources that are replaced and data that is lost.
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub approve: Vec<ApproveArg>,
    /// Carry out exactly the plan that `plan --out FILE` saved, without asking; refused if the stack, the code or the environment file has changed since.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
    /// Wait for another operation on the stack to end instead of leaving with exit code 8.
    #[arg(long)]
    pub wait: bool,
    /// Start the operation, print how to follow it, and leave.
    #[arg(long)]
    pub detach: bool,
    /// Minutes (or a time such as `90s`) that the command may take in the cloud; when they have passed, an operation there goes on, and the way to follow it is printed.
    #[arg(long, value_name = "MINUTES", default_value = "60")]
    pub timeout: Timeout,
}

/// What has to be approved by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ApproveArg {
    /// Permissions that are broadened.
    Iam,
    /// Resources that are replaced, and data that is lost.
    Replace,
}

/// How progress is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EventFormat {
    /// A progress bar on a terminal, plain lines otherwise.
    #[default]
    Text,
    /// One JSON object a line on standard output.
    Json,
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
    /// Minutes (or a time such as `90s`) that the command may take in the cloud; when they have passed, an operation there goes on, and the way to follow it is printed.
    #[arg(long, value_name = "MINUTES", default_value = "60")]
    pub timeout: Timeout,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
    /// Minutes (or a time such as `90s`) after which the command stops following; the operation goes on.
    #[arg(long, value_name = "MINUTES", default_value = "60")]
    pub timeout: Timeout,
}

/// Arguments of `recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Leave this resource as it is: of those that could not be undone, by the name in the template; may be repeated.
    #[arg(long, value_name = "LOGICAL_ID")]
    pub skip: Vec<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
    /// Minutes (or a time such as `90s`) that the command may take in the cloud; when they have passed, an operation there goes on, and the way to follow it is printed.
    #[arg(long, value_name = "MINUTES", default_value = "60")]
    pub timeout: Timeout,
}

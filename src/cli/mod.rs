//! The command line, as types: no logic. One file for each group of verbs.

mod drift;
mod guardrails;
mod local;
mod operate;
mod plan;
mod project;
mod stack;
mod sync;
mod timeout;
mod token;
mod users;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use drift::{DriftArgs, DriftFormat, ReportFile};
pub use guardrails::{
    GuardrailsApplyArgs, GuardrailsAuditArgs, GuardrailsCommand, GuardrailsFormat,
    GuardrailsRenderArgs, GuardrailsVerifyArgs, PolicyFormat,
};
pub use local::{ConnectSimulatorArgs, LocalCommand};
pub use operate::{
    DoctorArgs, LogSource, LogsArgs, LogsFormat, OutputsArgs, OutputsFormat, SmokeArgs, StatusArgs,
    StatusFormat,
};
pub use plan::{PlanArgs, PlanFormat};
pub use project::{
    ArchitectureArg, BuildArgs, CLibraryArg, CloudArg, CompletionsArgs, IdentityManagementArg,
    InitArgs, ManArgs, RenderArgs, TemplateFormat, ValidateArgs,
};
pub use stack::{ApproveArg, DeployArgs, DestroyArgs, EventFormat, RecoverArgs, WatchArgs};
pub use sync::{
    SyncArgs, SyncCommand, SyncFormat, SyncRunArgs, SyncSecret, SyncSecretCommand,
    SyncSecretSetArgs,
};
pub use timeout::Timeout;
pub use token::{
    ClientArg, TokenCommand, TokenRevokeArgs, TokenRotateArgs, TokenSetArgs, TokenShowArgs,
};
pub use users::{
    ProfilesBy, UsersCommand, UsersExportArgs, UsersFormat, UsersImportArgs, UsersListArgs,
    UsersPurgeArgs, UsersReconcileArgs, UsersRestoreArgs, UsersShowArgs,
};

/// SCIM 2.0 for Amazon Connect: deploy the endpoint, guard it, prove that nothing drifted.
#[derive(Debug, Parser)]
#[command(name = "connect-scim", version, max_term_width = 100)]
pub struct CommandLine {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: GlobalOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct GlobalOptions {
    /// When to use colour.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "CONNECT_SCIM_COLOR"
    )]
    pub color: Color,
    /// Print data, warnings and errors only.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write an environment file, by asking or by flags.
    Init(InitArgs),
    /// Check environment files, offline.
    Validate(ValidateArgs),
    /// Print the CloudFormation template of an environment, offline.
    Render(RenderArgs),
    /// Build the Lambda functions, or the directory sync's image, to be deployed many times.
    Build(BuildArgs),
    /// Show what a deployment would change, down to the single property; changes nothing.
    Plan(PlanArgs),
    /// Bring the cloud to what the environment file says.
    Deploy(DeployArgs),
    /// Follow the operation that is going on, or tell how the last one ended.
    Watch(WatchArgs),
    /// Bring a stack that was left half way back to where it can be deployed.
    Recover(RecoverArgs),
    /// Check what a deployment needs, and say how to mend what is missing.
    Doctor(DoctorArgs),
    /// Show where the cloud is no longer what was deployed: code, API, permissions, tokens; changes nothing unless told to mend.
    Drift(DriftArgs),
    /// The policies that keep everybody else from editing users around SCIM.
    #[command(subcommand)]
    Guardrails(GuardrailsCommand),
    /// Show the state of the stack, its endpoint and its functions.
    Status(StatusArgs),
    /// Print the stack's outputs: URLs to enter at the identity provider, names, ids.
    Outputs(OutputsArgs),
    /// Print the functions' log lines, merged by time.
    Logs(LogsArgs),
    /// Try the endpoint with a real token, as an identity provider will.
    Smoke(SmokeArgs),
    /// The bearer tokens of the clients.
    #[command(subcommand)]
    Token(TokenCommand),
    /// The users of the directory, and what Amazon Connect has of them.
    #[command(subcommand)]
    Users(UsersCommand),
    /// The directory sync: run it from here, hand over its secrets.
    #[command(subcommand)]
    Sync(SyncCommand),
    /// Delete the stack and everything in it.
    Destroy(DestroyArgs),
    /// The local cloud on this machine.
    #[command(subcommand)]
    Local(LocalCommand),
    /// Print a script that completes the command line in a shell.
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all commands.
    Man(ManArgs),
}

/// Which environment.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentArg {
    /// The name of a file in environments/ (without .yaml), or the path of one.
    #[arg(long = "env", value_name = "NAME|PATH", env = "CONNECT_SCIM_ENV")]
    pub environment: String,
    /// Which of the file's `targets`, where it has several.
    #[arg(long, value_name = "NAME", env = "CONNECT_SCIM_TARGET")]
    pub target: Option<String>,
}

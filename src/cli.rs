//! The command line, as types: no logic.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Check environment files, offline.
    Validate(ValidateArgs),
    /// Print the CloudFormation template of an environment, offline.
    Render(RenderArgs),
    /// Build the Lambda functions into packages that can be deployed many times.
    Build(BuildArgs),
    /// Bring the cloud to what the environment file says.
    Deploy(DeployArgs),
    /// Show the state of the stack, its endpoint and its functions.
    Status(StatusArgs),
    /// Print the stack's outputs: URLs to enter at the identity provider, names, ids.
    Outputs(OutputsArgs),
    /// The bearer tokens of the clients.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Delete the stack and everything in it.
    Destroy(DestroyArgs),
    /// The local cloud on this machine.
    #[command(subcommand)]
    Local(LocalCommand),
}

/// Which environment.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentArg {
    /// The name of a file in environments/ (without .yaml), or the path of one.
    #[arg(long = "env", value_name = "NAME|PATH", env = "CONNECT_SCIM_ENV")]
    pub environment: String,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The name of a file in environments/ (without .yaml), or the path of one.
    #[arg(long = "env", value_name = "NAME|PATH", env = "CONNECT_SCIM_ENV", required_unless_present_any = ["all", "schema"])]
    pub environment: Option<String>,
    /// Check every file in environments/.
    #[arg(long, conflicts_with = "environment")]
    pub all: bool,
    /// Print the JSON Schema of environment files instead.
    #[arg(long, conflicts_with_all = ["environment", "all"])]
    pub schema: bool,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Packages made by `build --out DIR`; without them the ones built here.
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: TemplateFormat,
}

/// How a template is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum TemplateFormat {
    /// As the deployer sends it, with comments.
    #[default]
    Yaml,
    /// Canonical JSON: sorted keys, long-form functions.
    Json,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The processor to build for.
    #[arg(long, value_enum, default_value = "x86_64")]
    pub architecture: ArchitectureArg,
    /// Where to put the packages.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// A Lambda instruction set.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ArchitectureArg {
    /// 64-bit Intel and AMD.
    #[value(name = "x86_64")]
    X86_64,
    /// AWS Graviton.
    #[value(name = "arm64")]
    Arm64,
}

/// Arguments of `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Packages made by `build --out DIR`, for a pipeline that builds once; without them the functions are built here.
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
    /// Wait for another operation on the stack to end instead of leaving with exit code 8.
    #[arg(long)]
    pub wait: bool,
    /// Minutes after which the deployer stops waiting; the operation in the cloud goes on.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    pub timeout: u64,
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

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
}

/// How a status is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum StatusFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Arguments of `outputs`.
#[derive(Debug, Args)]
pub struct OutputsArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputsFormat,
}

/// How outputs are printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum OutputsFormat {
    /// Aligned lines.
    #[default]
    Text,
    /// One JSON object with the keys of the template's Outputs.
    Json,
    /// `NAME=value` lines for a shell.
    Env,
}

/// The verbs of `token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Show what is known of a client's token, or the token itself.
    Show(TokenShowArgs),
}

/// Arguments of `token show`.
#[derive(Debug, Args)]
pub struct TokenShowArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Whose token; needed where the environment has several clients.
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// Print the token alone on standard output.
    #[arg(long)]
    pub reveal: bool,
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
    /// Minutes after which the deployer stops waiting; the operation in the cloud goes on.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    pub timeout: u64,
}

/// The verbs of `local`.
#[derive(Debug, Subcommand)]
pub enum LocalCommand {
    /// Start the local cloud, unless it runs already.
    Up,
    /// Stop the local cloud and forget everything in it.
    Down,
    /// Tell whether the local cloud runs, and where.
    Status {
        /// How to print it.
        #[arg(long, value_enum, default_value_t)]
        format: StatusFormat,
    },
    /// Run the Connect simulator in the foreground; `up` starts it this way.
    #[command(hide = true)]
    ConnectSimulator(ConnectSimulatorArgs),
}

/// Arguments of `local connect-simulator`.
#[derive(Debug, Args)]
pub struct ConnectSimulatorArgs {
    /// The loopback port to listen on.
    #[arg(long)]
    pub port: u16,
    /// The file that holds the simulator's state.
    #[arg(long)]
    pub state: Option<PathBuf>,
}

//! Verbs that work on files: `init`, `validate`, `render`, `build`, and what describes the
//! program itself.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::EnvironmentArg;

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
    /// Build the container image of the directory sync instead of the functions.
    #[arg(long)]
    pub image: bool,
    /// The C library in the image's program.
    #[arg(long, value_enum, default_value = "musl", requires = "image")]
    pub c_library: CLibraryArg,
    /// Where to put the packages; the image gets a directory of its own in it.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// The C library of a program that runs where there is none.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CLibraryArg {
    /// The same image on every machine; needs Rust's musl target.
    Musl,
    /// That of this machine, for a Rust without the musl target.
    Glibc,
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

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell that is to complete the command line.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Where to put one page for each command; without it the main page is printed.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The environment's name: the file will be environments/NAME.yaml.
    pub name: Option<String>,
    /// Which cloud the stack lives in.
    #[arg(long, value_enum)]
    pub cloud: Option<CloudArg>,
    /// A profile of the AWS configuration files to take credentials from.
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// The AWS region of the Connect instance.
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The AWS account; without it that of the credentials.
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// The Connect instance; without it one of the account's is chosen.
    #[arg(long, value_name = "ID")]
    pub instance_id: Option<String>,
    /// How people sign in to the instance; without it as the instance says.
    #[arg(long, value_enum)]
    pub identity_management: Option<IdentityManagementArg>,
    /// The stack; without it connect-scim-NAME.
    #[arg(long, value_name = "NAME")]
    pub stack_name: Option<String>,
    /// The security profile of users for whom the identity provider names none.
    #[arg(long, value_name = "NAME", default_value = "Agent")]
    pub security_profile: String,
    /// The routing profile of users for whom the identity provider names none.
    #[arg(long, value_name = "NAME", default_value = "Basic Routing Profile")]
    pub routing_profile: String,
    /// An identity provider that will call the endpoint; may be repeated.
    #[arg(long = "client", value_name = "NAME", default_value = "idp")]
    pub clients: Vec<String>,
}

/// Which cloud a stack lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CloudArg {
    /// Amazon Web Services.
    Aws,
    /// The local cloud on this machine.
    Local,
}

/// How people sign in to a Connect instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IdentityManagementArg {
    /// Through their identity provider.
    #[value(name = "saml")]
    Saml,
    /// With a password that Connect keeps.
    #[value(name = "connectManaged")]
    ConnectManaged,
}

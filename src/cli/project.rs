//! Verbs that work on files alone: `validate`, `render` and `build`.

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

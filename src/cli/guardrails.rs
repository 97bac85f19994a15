//! The verbs that keep users' edits to SCIM.

use clap::{Args, Subcommand, ValueEnum};

use super::EnvironmentArg;

/// The verbs of `guardrails`.
#[derive(Debug, Subcommand)]
pub enum GuardrailsCommand {
    /// Print the deny policy of a deployed stack, with the names that its resources have.
    Render(GuardrailsRenderArgs),
    /// Attach the deny policy where the environment says, or make a service control policy of it.
    Apply(GuardrailsApplyArgs),
    /// Simulate every edit of users for everybody who might do it; changes nothing.
    Verify(GuardrailsVerifyArgs),
    /// Show which security profiles let their holders edit users in Connect's admin website.
    Audit(GuardrailsAuditArgs),
}

impl GuardrailsCommand {
    /// Which environment it is about.
    #[must_use]
    pub fn environment(&self) -> &EnvironmentArg {
        match self {
            Self::Render(args) => &args.environment,
            Self::Apply(args) => &args.environment,
            Self::Verify(args) => &args.environment,
            Self::Audit(args) => &args.environment,
        }
    }
}

/// Arguments of `guardrails render`.
#[derive(Debug, Args)]
pub struct GuardrailsRenderArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// As a service control policy, which binds everybody in an account.
    #[arg(long, conflicts_with = "boundary")]
    pub scp: bool,
    /// As a permissions boundary.
    #[arg(long)]
    pub boundary: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: PolicyFormat,
}

/// How a policy is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum PolicyFormat {
    /// JSON over several lines.
    #[default]
    Json,
    /// JSON without white space, as the services count it.
    Minified,
}

/// Arguments of `guardrails apply`.
#[derive(Debug, Args)]
pub struct GuardrailsApplyArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// As a service control policy of AWS Organizations.
    #[arg(long, requires = "attach_to")]
    pub scp: bool,
    /// The root, organizational unit or account that the service control policy is attached to; may be repeated.
    #[arg(long, value_name = "ID", requires = "scp")]
    pub attach_to: Vec<String>,
    /// The AWS profile of the management account or the delegated administrator; by default the environment's credentials.
    #[arg(long, value_name = "NAME", requires = "scp")]
    pub organization_profile: Option<String>,
    /// Only show what would be done.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Do it without asking.
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `guardrails verify`.
#[derive(Debug, Args)]
pub struct GuardrailsVerifyArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Only this role or user, by ARN; may be repeated. By default the account is searched for whoever might edit users.
    #[arg(long = "principal", value_name = "ARN")]
    pub principals: Vec<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: GuardrailsFormat,
}

/// Arguments of `guardrails audit`.
#[derive(Debug, Args)]
pub struct GuardrailsAuditArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Take these permissions from all profiles that `guardrails.editingProfiles` does not name.
    #[arg(long)]
    pub fix: bool,
    /// Take them without asking.
    #[arg(long, requires = "fix")]
    pub yes: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: GuardrailsFormat,
}

/// How the guardrails' state is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum GuardrailsFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object, whose `version` is 1.
    Json,
    /// For a pull request, a ticket or a job summary.
    Markdown,
    /// One page that needs nothing else, for a browser.
    Html,
}

//! `plan`, and what it shares with `deploy`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::EnvironmentArg;

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
The plan is computed here: the template that was deployed last is compared with the one that \
`render` prints. That is quick and leaves nothing behind, for a stack that does not exist yet as \
well. With --change-set CloudFormation is asked for its view of an existing stack too, by a \
change set that is deleted again; where it gives a value or says whether a resource is replaced, \
that wins.

Exit code 0: nothing to do. Exit code 4: changes are pending.")]
pub struct PlanArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Packages made by `build --out DIR`, for a pipeline that builds once; without them the functions are built here.
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
    /// Save the plan, for `deploy --plan FILE` to carry out exactly this.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ask CloudFormation for its view of the changes as well.
    #[arg(long)]
    pub change_set: bool,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object; its schema is docs/plan.schema.json.
    Json,
    /// For a comment on a pull request: details folded, within what GitHub takes.
    Markdown,
    /// One page that needs nothing else, for a browser.
    Html,
}

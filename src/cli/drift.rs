//! The verb that compares the cloud with what was deployed.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::EnvironmentArg;

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Packages made by `build --out DIR`, for a pipeline that builds once; without them the functions are built here.
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// Do not ask CloudTrail since when what was found is so, and who did it: half a second for each question.
    #[arg(long)]
    pub no_trail: bool,
    /// Say who else than the endpoint last read each token, as far as CloudTrail has it.
    #[arg(long, conflicts_with = "no_trail")]
    pub token_readers: bool,
    /// Keep the result (when, how many findings, exit code) in an SSM parameter, for `status`; without it nothing is written.
    #[arg(long)]
    pub record: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: DriftFormat,
    /// Also write it to a file, in the format that its name's ending says: .txt, .json, .md, .html, .xml (JUnit) or .sarif; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub save: Vec<ReportFile>,
    /// Take the drift back, after showing how and asking; what is left is printed.
    #[arg(long)]
    pub mend: bool,
    /// Mend users of Amazon Connect as well: they become what the directory has.
    #[arg(long, requires = "mend")]
    pub users: bool,
    /// Remove users of Amazon Connect whom the directory does not know, for good, after listing them and asking for their number; not those who may edit users, nor those of another directory.
    #[arg(long, requires = "users")]
    pub remove_unmanaged_users: bool,
    /// How many users may be removed, where nobody is asked: exactly so many, or nothing is done.
    #[arg(long, value_name = "NUMBER", requires = "remove_unmanaged_users")]
    pub confirm_removals: Option<usize>,
    /// Do not ask. Where nobody can be asked, as in a pipeline, nothing is mended without it.
    #[arg(long, requires = "mend")]
    pub yes: bool,
}

/// A file for a report.
#[derive(Debug, Clone)]
pub struct ReportFile {
    /// Where it is written.
    pub path: PathBuf,
    /// The format that the name's ending says.
    pub format: DriftFormat,
}

impl FromStr for ReportFile {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let path = PathBuf::from(name);
        let format = match path.extension().and_then(|ending| ending.to_str()) {
            Some("txt") => DriftFormat::Text,
            Some("json") => DriftFormat::Json,
            Some("md") => DriftFormat::Markdown,
            Some("html") => DriftFormat::Html,
            Some("xml") => DriftFormat::Junit,
            Some("sarif") => DriftFormat::Sarif,
            _ => return Err("its name ends in none of .txt, .json, .md, .html, .xml, .sarif"),
        };
        Ok(Self { path, format })
    }
}

/// How drift is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum DriftFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object, whose `version` is 1.
    Json,
    /// For a pull request, a ticket or a job summary.
    Markdown,
    /// One page that needs nothing else, for a browser.
    Html,
    /// JUnit XML, for a pipeline that shows tests.
    Junit,
    /// SARIF 2.1.0, for what collects the results of analyses.
    Sarif,
}

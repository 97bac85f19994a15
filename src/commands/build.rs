//! `build`: the Lambda functions as packages that can be deployed many times.

use serde_json::json;

use super::{Error, Outcome};
use crate::artifact::{Artifacts, Built, Progress, find_workspace};
use crate::cli::{ArchitectureArg, BuildArgs};
use crate::environment::Architecture;
use crate::printer::Printer;

/// Runs `build`.
pub(super) fn run(args: &BuildArgs, printer: &Printer) -> Result<Outcome, Error> {
    let start = std::env::current_dir().map_err(|source| Error::Io {
        action: "find the current directory".to_owned(),
        source,
    })?;
    let workspace = find_workspace(&start)?;
    let progress = Progress {
        message: &|text| printer.message(text),
        quiet: printer.is_quiet(),
    };
    let built = Artifacts::build_if_needed(
        &workspace,
        args.architecture.into(),
        args.out.as_deref(),
        &progress,
    )?;
    if !built.changed {
        printer.message("Nothing changed since the packages were built");
    }
    printer.data(&if args.json {
        as_json(&built)
    } else {
        as_text(&built)
    });
    Ok(Outcome::SUCCESS)
}

fn as_text(built: &Built) -> String {
    built
        .artifacts
        .packages()
        .iter()
        .map(|package| {
            let megabytes = package.size as f64 / 1e6;
            format!("{megabytes:6.2} MB  {}\n", package.path.display())
        })
        .collect()
}

fn as_json(built: &Built) -> String {
    let functions: serde_json::Map<_, _> = built
        .artifacts
        .packages()
        .iter()
        .map(|package| {
            let value = json!({
                "file": package.path,
                "size": package.size,
                "sha256": package.sha256,
                "codeSha256": package.sha256.to_base64(),
            });
            (package.function.clone(), value)
        })
        .collect();
    let result = json!({
        "directory": built.artifacts.directory(),
        "architecture": built.artifacts.architecture(),
        "changed": built.changed,
        "functions": functions,
    });
    format!("{result:#}\n")
}

impl From<ArchitectureArg> for Architecture {
    fn from(argument: ArchitectureArg) -> Self {
        match argument {
            ArchitectureArg::X86_64 => Self::X86_64,
            ArchitectureArg::Arm64 => Self::Arm64,
        }
    }
}

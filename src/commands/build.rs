//! `build`: the Lambda functions as packages, or the directory sync as a container image,
//! that can be deployed many times.

use serde_json::json;

use super::{Error, Outcome};
use crate::artifact::{
    Artifacts, Built, BuiltImage, CLibrary, ContainerImage, Progress, find_workspace,
};
use crate::cli::{ArchitectureArg, BuildArgs, CLibraryArg};
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
    let architecture = args.architecture.into();
    let directory = args.out.as_deref();
    let (changed, text) = if args.image {
        let built = ContainerImage::build_if_needed(
            &workspace,
            architecture,
            args.c_library.into(),
            directory,
            &progress,
        )?;
        let text = if args.json {
            image_as_json
        } else {
            image_as_text
        };
        (built.changed, text(&built))
    } else {
        let built = Artifacts::build_if_needed(&workspace, architecture, directory, &progress)?;
        let text = if args.json { as_json } else { as_text };
        (built.changed, text(&built))
    };
    if !changed {
        printer.message("Nothing changed since the last build");
    }
    printer.data(&text);
    Ok(Outcome::SUCCESS)
}

fn image_as_text(built: &BuiltImage) -> String {
    let image = &built.image;
    let megabytes = image.size() as f64 / 1e6;
    format!(
        "{megabytes:6.2} MB  {}\n{}\n",
        image.directory().display(),
        image.digest()
    )
}

fn image_as_json(built: &BuiltImage) -> String {
    let image = &built.image;
    let result = json!({
        "directory": image.directory(),
        "architecture": image.architecture(),
        "changed": built.changed,
        "size": image.size(),
        "digest": image.digest(),
        "tag": image.tag(),
    });
    format!("{result:#}\n")
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

impl From<CLibraryArg> for CLibrary {
    fn from(argument: CLibraryArg) -> Self {
        match argument {
            CLibraryArg::Musl => Self::Musl,
            CLibraryArg::Glibc => Self::Glibc,
        }
    }
}

impl From<ArchitectureArg> for Architecture {
    fn from(argument: ArchitectureArg) -> Self {
        match argument {
            ArchitectureArg::X86_64 => Self::X86_64,
            ArchitectureArg::Arm64 => Self::Arm64,
        }
    }
}

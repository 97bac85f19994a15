//! What can go wrong between the functions' sources and their packages.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use container_image::LayoutError;

use super::bootstrap::Unsuitable;
use super::sha256::Sha256;

/// There are no packages to deploy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be used.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is nothing here to build.
    #[error("{} is not in a checkout of connect-scim, so there is nothing to build", start.display())]
    NoWorkspace {
        /// Where the search began.
        start: PathBuf,
    },
    /// A `Cargo.toml` cannot be read.
    #[error("{} is not a valid Cargo manifest", path.display())]
    CargoManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// cargo-lambda could not be installed.
    #[error(transparent)]
    Tool(#[from] tool_cache::Error),
    /// A program that the build needs did not start.
    #[error("failed to run {program}")]
    NoProgram {
        /// Its name or path.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The Rust standard library for the target is not installed.
    #[error("the Rust toolchain of this checkout cannot build for {target}")]
    MissingTarget {
        /// The target triple.
        target: &'static str,
    },
    /// The compiler or the linker failed; they have said why.
    #[error("the build failed: cargo lambda ended with {status}")]
    Build {
        /// How it ended.
        status: ExitStatus,
    },
    /// Lambda could not run what was built.
    #[error("the function {function} would not run on Lambda")]
    Unsuitable {
        /// The function.
        function: String,
        /// Why.
        source: Unsuitable,
    },
    /// The program could not run alone in an image.
    #[error("the program {program} would not run in a container image of its own")]
    UnsuitableForImage {
        /// The program.
        program: &'static str,
        /// Why.
        source: container_image::Unsuitable,
    },
    /// An image could not be written or read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A program could not be packed.
    #[error("failed to pack the function {function}")]
    Pack {
        /// The function.
        function: String,
        /// What the zip library said.
        source: zip::result::ZipError,
    },
    /// A directory holds no packages.
    #[error("{} holds no packages: it has no artifacts.json", directory.display())]
    NoManifest {
        /// The directory.
        directory: PathBuf,
    },
    /// A manifest is damaged.
    #[error("{} cannot be understood", path.display())]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A manifest is of another version of this program.
    #[error("{} has version {version} of the format, which this connect-scim does not know", path.display())]
    ManifestVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A manifest names a file outside of its directory.
    #[error("{} names {file:?}, which is not a file beside it", path.display())]
    NotAFileName {
        /// The manifest.
        path: PathBuf,
        /// What it names.
        file: String,
    },
    /// The image is for another processor than the task shall run on.
    #[error("the image in {} is not built for {expected}, as the environment says", directory.display())]
    ImageArchitecture {
        /// The directory.
        directory: PathBuf,
        /// What it should be built for.
        expected: &'static str,
    },
    /// The packages are for another processor than the functions shall run on.
    #[error("the packages in {} are built for {actual}, but the environment says {expected}", directory.display())]
    Architecture {
        /// The directory.
        directory: PathBuf,
        /// What they are built for.
        actual: &'static str,
        /// What they should be built for.
        expected: &'static str,
    },
    /// A package is not the one that was built.
    #[error("{} was changed after it was built: its SHA-256 is {actual}, not {expected}", path.display())]
    Tampered {
        /// The package.
        path: PathBuf,
        /// The digest of the manifest.
        expected: Sha256,
        /// The digest of the file.
        actual: Sha256,
    },
    /// A function that the template deploys was not built.
    #[error("{} holds no package of the function {function}", directory.display())]
    NoPackage {
        /// The directory.
        directory: PathBuf,
        /// The function.
        function: String,
    },
}

impl Error {
    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. }
            | Self::CargoManifest { .. }
            | Self::Pack { .. }
            | Self::UnsuitableForImage { .. }
            | Self::Layout(LayoutError::Io { .. }) => None,
            Self::Layout(_) => {
                Some("make the image anew with this version: connect-scim build --image --out DIR".to_owned())
            }
            Self::ImageArchitecture { expected, .. } => Some(format!(
                "connect-scim build --image --architecture {expected} --out DIR"
            )),
            Self::NoWorkspace { .. } => Some(
                "run inside a checkout, or name packages that were built elsewhere: --artifacts DIR"
                    .to_owned(),
            ),
            Self::Tool(error) => error.hint(),
            Self::NoProgram { .. } => {
                Some("install Rust by rustup: https://rustup.rs".to_owned())
            }
            Self::MissingTarget { target } if target.ends_with("musl") => Some(format!(
                "rustup target add {target}; a toolchain without rustup can link its own C library: connect-scim build --image --c-library glibc"
            )),
            Self::MissingTarget { target } => {
                Some(format!("rustup target add {target}"))
            }
            Self::Build { .. } => Some("the first error above is the cause".to_owned()),
            Self::Unsuitable { source, .. } => source.hint(),
            Self::NoManifest { .. }
            | Self::BadManifest { .. }
            | Self::ManifestVersion { .. }
            | Self::NotAFileName { .. }
            | Self::Tampered { .. }
            | Self::NoPackage { .. } => Some(
                "make the packages anew with this version: connect-scim build --out DIR".to_owned(),
            ),
            Self::Architecture { expected, .. } => Some(format!(
                "connect-scim build --architecture {expected} --out DIR, or change functions.architecture in the environment file"
            )),
        }
    }

    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

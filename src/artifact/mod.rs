//! From the sources of the Lambda functions to packages in S3, and from those of the
//! directory sync to an image in ECR.
//!
//! A deployment must be able to say "nothing changed" without building, and a pipeline
//! must be able to build once and deploy many times. Both rest on digests: one of
//! everything that a build depends on decides whether to build, and one of each package
//! names it, here and in S3. The packages are the same byte for byte wherever and
//! whenever they are built from the same sources.
//!
//! ```text
//! lambda-artifacts/*     → build → bootstrap check → package → manifest → bucket
//! crates/directory-sync  → build → image → layout → repository
//! ```

mod bootstrap;
mod bucket;
mod build;
mod error;
mod image;
mod inputs;
mod manifest;
mod package;
mod repository;
mod sha256;

use std::fs;
use std::path::{Path, PathBuf};

pub use bootstrap::Unsuitable;
pub use bucket::{Bucket, PassingObject, UploadError, bucket_name};
pub use build::Progress;
pub use error::Error;
pub use image::{BuiltImage, CLibrary, ContainerImage};
pub use inputs::find_workspace;
pub use repository::{PushError, Pushed, push};
pub use sha256::{NotADigest, Sha256};

use build::Target;

use crate::environment::Architecture;

/// The builder, cargo-lambda, with all it needs, pinned by hash.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The packages of all functions for one architecture, in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    directory: PathBuf,
    architecture: Architecture,
    inputs: Sha256,
    packages: Vec<Package>,
}

/// The package of one function: a zip that holds its `bootstrap`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The function's name: `user-provisioning`, …
    pub function: String,
    /// Where the zip is.
    pub path: PathBuf,
    /// The size of the zip in bytes.
    pub size: u64,
    /// The digest of the zip. In base64 it is Lambda's `CodeSha256`.
    pub sha256: Sha256,
}

/// What [`Artifacts::build_if_needed`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The packages.
    pub artifacts: Artifacts,
    /// Whether they had to be built.
    pub changed: bool,
}

impl Artifacts {
    /// Takes packages that were built earlier, perhaps elsewhere, after checking that
    /// they are complete, unchanged and for `architecture`.
    ///
    /// # Errors
    /// When they are not.
    pub fn load(directory: &Path, architecture: Architecture) -> Result<Self, Error> {
        let artifacts = manifest::read(directory)?;
        if artifacts.architecture != architecture {
            return Err(Error::Architecture {
                directory: directory.to_owned(),
                actual: artifacts.architecture.name(),
                expected: architecture.name(),
            });
        }
        for package in &artifacts.packages {
            package.read()?;
        }
        Ok(artifacts)
    }

    /// Builds the functions of the checkout at `workspace` into `directory` (default:
    /// [`default_directory`]), unless the packages there are already what a build would
    /// make; finding that out takes milliseconds.
    ///
    /// # Errors
    /// When a tool is missing, the build fails, or Lambda could not run the result.
    pub fn build_if_needed(
        workspace: &Path,
        architecture: Architecture,
        directory: Option<&Path>,
        progress: &Progress<'_>,
    ) -> Result<Built, Error> {
        let default = default_directory(workspace, architecture);
        let directory = directory.unwrap_or(&default);
        let functions = inputs::functions(workspace)?;
        let digest = function_inputs(workspace, &functions, architecture)?;
        if let Some(artifacts) = Self::up_to_date(directory, architecture, digest) {
            return Ok(Built {
                artifacts,
                changed: false,
            });
        }

        let programs = build::build(
            workspace,
            &functions,
            &Target::lambda(architecture),
            progress,
        )?;
        let artifacts = Self::pack(directory, architecture, digest, &programs)?;
        Ok(Built {
            artifacts,
            changed: true,
        })
    }

    /// The packages of the checkout at `workspace`, if they were built from its sources as
    /// they are now. Nothing is built.
    #[must_use]
    pub fn built(workspace: &Path, architecture: Architecture) -> Option<Self> {
        let functions = inputs::functions(workspace).ok()?;
        let digest = function_inputs(workspace, &functions, architecture).ok()?;
        let directory = default_directory(workspace, architecture);
        Self::up_to_date(&directory, architecture, digest)
    }

    /// The packages of `directory`, if they are intact and made from these inputs.
    fn up_to_date(directory: &Path, architecture: Architecture, inputs: Sha256) -> Option<Self> {
        let artifacts = manifest::read(directory).ok()?;
        if artifacts.inputs != inputs {
            return None;
        }
        Self::load(directory, architecture).ok()
    }

    /// Makes the packages of `programs` and their manifest, and removes the packages
    /// that they replace.
    fn pack(
        directory: &Path,
        architecture: Architecture,
        inputs: Sha256,
        programs: &[build::Program],
    ) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(Error::io("create", directory))?;
        let replaced = manifest::read(directory).map(|artifacts| artifacts.packages);
        let packages = programs
            .iter()
            .map(|program| Package::pack(directory, architecture, program))
            .collect::<Result<Vec<_>, _>>()?;
        let artifacts = Self {
            directory: directory.to_owned(),
            architecture,
            inputs,
            packages,
        };
        manifest::write(&artifacts)?;
        for old in replaced.unwrap_or_default() {
            if !artifacts
                .packages
                .iter()
                .any(|package| package.path == old.path)
            {
                let _left_behind = fs::remove_file(old.path);
            }
        }
        Ok(artifacts)
    }

    /// Where the packages and their manifest are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The processor that they are built for.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// All packages, sorted by the functions' names.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The package of one function.
    ///
    /// # Errors
    /// [`Error::NoPackage`] when it was not built.
    pub fn package(&self, function: &str) -> Result<&Package, Error> {
        self.packages
            .iter()
            .find(|package| package.function == function)
            .ok_or_else(|| Error::NoPackage {
                directory: self.directory.clone(),
                function: function.to_owned(),
            })
    }
}

fn function_inputs(
    workspace: &Path,
    functions: &[String],
    architecture: Architecture,
) -> Result<Sha256, Error> {
    let directories = inputs::function_directories(functions);
    inputs::digest(workspace, directories, architecture.name())
}

/// Where the packages are built when nobody says otherwise.
#[must_use]
pub fn default_directory(workspace: &Path, architecture: Architecture) -> PathBuf {
    workspace
        .join(".connect-scim/artifacts")
        .join(architecture.name())
}

impl Package {
    fn pack(
        directory: &Path,
        architecture: Architecture,
        program: &build::Program,
    ) -> Result<Self, Error> {
        let function = program.package.clone();
        bootstrap::check(&program.bytes, architecture).map_err(|source| Error::Unsuitable {
            function: function.clone(),
            source,
        })?;
        let zip = package::pack(&program.bytes).map_err(|source| Error::Pack {
            function: function.clone(),
            source,
        })?;
        let sha256 = Sha256::of(&zip);
        let path = directory.join(format!("{function}-{:.16}.zip", sha256.to_string()));
        manifest::write_atomically(&path, &zip)?;
        Ok(Self {
            function,
            path,
            size: zip.len() as u64,
            sha256,
        })
    }

    /// The bytes of the zip.
    ///
    /// # Errors
    /// When it cannot be read or is not the one that was built.
    pub fn read(&self) -> Result<Vec<u8>, Error> {
        let zip = fs::read(&self.path).map_err(Error::io("read", &self.path))?;
        let actual = Sha256::of(&zip);
        if actual != self.sha256 {
            return Err(Error::Tampered {
                path: self.path.clone(),
                expected: self.sha256,
                actual,
            });
        }
        Ok(zip)
    }

    /// The key of this package in the artifact bucket: the same content always has the
    /// same key, other content another one.
    #[must_use]
    pub fn key(&self) -> String {
        format!("functions/{}/{}.zip", self.function, self.sha256)
    }

    /// The zip's name in its directory.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }
}

impl Architecture {
    /// As AWS writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

#[cfg(test)]
mod tests;

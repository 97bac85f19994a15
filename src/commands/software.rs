//! The software that a stack runs: the functions of an endpoint, the image of a directory sync.

use std::collections::BTreeMap;
use std::path::Path;

use super::Error;
use super::target::{self, Target};
use crate::artifact::{self, Artifacts, ContainerImage, Sha256};
use crate::environment::{Environment, StackKind};
use crate::printer::Printer;
use crate::stack::StackDescription;
use crate::template::{Code, CodeLocations};

/// What the program in the image is called.
const PROGRAM: &str = "directory-sync";

/// The output that says where the image goes.
const REPOSITORY: &str = "RepositoryName";

/// What a stack runs, built.
#[derive(Debug)]
pub(super) enum Software {
    /// The packages of an endpoint's functions.
    Functions(Artifacts),
    /// The image of a directory sync.
    Image(ContainerImage),
}

impl Software {
    /// What was built into `directory`, or builds it here.
    pub(super) fn of(
        environment: &Environment,
        directory: Option<&Path>,
        printer: &Printer,
    ) -> Result<Self, Error> {
        Ok(match environment.kind() {
            StackKind::Endpoint => {
                Self::Functions(target::artifacts(environment, directory, printer)?)
            }
            StackKind::DirectorySync => {
                Self::Image(target::image(environment, directory, printer)?)
            }
        })
    }

    /// The digest of each piece, by its name.
    pub(super) fn digests(&self) -> BTreeMap<String, Sha256> {
        match self {
            Self::Functions(artifacts) => artifacts
                .packages()
                .iter()
                .map(|package| (package.function.clone(), package.sha256))
                .collect(),
            Self::Image(image) => {
                let digest = Sha256::of(image.digest().as_bytes());
                BTreeMap::from([(PROGRAM.to_owned(), digest)])
            }
        }
    }

    /// Where it is, or will be once it is uploaded.
    pub(super) fn code(&self, target: &Target) -> Result<Code, Error> {
        Ok(match self {
            Self::Functions(artifacts) => {
                let bucket = artifact::bucket_name(&target.environment, target.cloud.account());
                let key = |function: &str| Ok::<_, Error>(artifacts.package(function)?.key());
                Code::Functions(CodeLocations::from_keys(&bucket, key)?)
            }
            Self::Image(image) => Code::Image(image.digest().to_owned()),
        })
    }

    /// Uploads what is missing before the stack is changed. `deployed` is the stack as it
    /// stands: without one there is no repository yet, and its image comes with
    /// [`complete`](Self::complete).
    pub(super) async fn upload(
        &self,
        target: &Target,
        deployed: Option<&StackDescription>,
        printer: &Printer,
    ) -> Result<(), Error> {
        match self {
            Self::Functions(artifacts) => {
                for package in target.bucket().await?.upload(artifacts).await? {
                    printer.message(&format!(
                        "uploaded {} ({} KiB)",
                        package.function,
                        package.size / 1024
                    ));
                }
            }
            Self::Image(_) => {
                if let Some(stack) = deployed {
                    self.complete(target, stack, printer).await?;
                }
            }
        }
        Ok(())
    }

    /// Brings what can be uploaded only once the stack stands. Returns whether that was
    /// necessary.
    pub(super) async fn complete(
        &self,
        target: &Target,
        stack: &StackDescription,
        printer: &Printer,
    ) -> Result<bool, Error> {
        let (Self::Image(image), Some(repository)) = (self, stack.outputs.get(REPOSITORY)) else {
            return Ok(false);
        };
        let pushed = artifact::push(&target.cloud, repository, image).await?;
        if pushed.changed {
            printer.message(&format!("pushed {PROGRAM} ({} KiB)", image.size() / 1024));
        }
        Ok(pushed.changed)
    }
}

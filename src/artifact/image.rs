//! The container image of the directory sync.
//!
//! Its digest says everything about it, and a plan must know the digest before anything is
//! pushed, and without a build if nothing changed. So the image is kept as a whole, as an
//! OCI image layout beside the functions' packages, with the digest of what it was built
//! from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use container_image::Image;

use super::build::{self, Progress, Target};
use super::{Error, Sha256, default_directory, inputs};
use crate::environment::Architecture;

/// The package, its program, and the image's directory beside the functions' packages.
const PROGRAM: &str = "directory-sync";

/// What an image is made of: the program, and how the image is put together.
const PACKAGES: [&str; 2] = ["crates/directory-sync", "crates/container-image"];

/// What the program does in a container that is told nothing else.
const ARGUMENTS: [&str; 1] = ["run"];

/// The annotation of the layout that keeps the digest of the build's inputs.
const INPUTS: &str = "connect-scim.inputs";

/// The annotation by which other tools find an image in a layout, with a tag.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// The C library in the program. The image has no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CLibrary {
    /// zig's musl: the same sources make the same image on every machine.
    Musl,
    /// That of the machine that builds, for a toolchain without the musl target.
    Glibc,
}

/// The container image of the directory sync for one architecture, in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerImage {
    directory: PathBuf,
    architecture: Architecture,
    image: Image,
}

/// What [`ContainerImage::build_if_needed`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// The image.
    pub image: ContainerImage,
    /// Whether it had to be built.
    pub changed: bool,
}

impl ContainerImage {
    /// Takes an image that was built earlier into `directory`, perhaps elsewhere, after
    /// checking that it is whole, unchanged and for `architecture`.
    ///
    /// # Errors
    /// When it is not.
    pub fn load(directory: &Path, architecture: Architecture) -> Result<Self, Error> {
        Ok(read(directory, architecture)?.0)
    }

    /// Builds the image from the checkout at `workspace` into `directory` (default: that of
    /// the functions' packages), unless the image there is already what a build would
    /// make; finding that out takes milliseconds.
    ///
    /// # Errors
    /// When a tool is missing, the build fails, or the program could not run alone.
    pub fn build_if_needed(
        workspace: &Path,
        architecture: Architecture,
        c_library: CLibrary,
        directory: Option<&Path>,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, Error> {
        let default = default_directory(workspace, architecture);
        let directory = directory.unwrap_or(&default);
        let target = Target::image(architecture, c_library);
        let inputs = inputs_of(workspace, &target)?;
        if let Some(image) = Self::up_to_date(directory, architecture, inputs) {
            return Ok(BuiltImage {
                image,
                changed: false,
            });
        }

        let programs = build::build(workspace, &[PROGRAM.to_owned()], &target, progress)?;
        let program: Vec<u8> = programs.into_iter().flat_map(|built| built.bytes).collect();
        (progress.message)("Packing the image");
        let image = Self::pack(directory, architecture, inputs, &program)?;
        Ok(BuiltImage {
            image,
            changed: true,
        })
    }

    /// The image of the checkout at `workspace`, if it was built with musl from its sources
    /// as they are now. Nothing is built.
    #[must_use]
    pub fn built(workspace: &Path, architecture: Architecture) -> Option<Self> {
        let target = Target::image(architecture, CLibrary::Musl);
        let inputs = inputs_of(workspace, &target).ok()?;
        let directory = default_directory(workspace, architecture);
        Self::up_to_date(&directory, architecture, inputs)
    }

    /// The image in `directory`, if it is intact and made from these inputs.
    fn up_to_date(directory: &Path, architecture: Architecture, inputs: Sha256) -> Option<Self> {
        let (image, annotations) = read(directory, architecture).ok()?;
        (annotations.get(INPUTS) == Some(&inputs.to_string())).then_some(image)
    }

    fn pack(
        directory: &Path,
        architecture: Architecture,
        inputs: Sha256,
        program: &[u8],
    ) -> Result<Self, Error> {
        let image = Image::of_program(PROGRAM, program, processor(architecture), &ARGUMENTS)
            .map_err(|source| Error::UnsuitableForImage {
                program: PROGRAM,
                source,
            })?;
        let annotations = BTreeMap::from([
            (INPUTS.to_owned(), inputs.to_string()),
            (REFERENCE.to_owned(), image.tag().to_owned()),
        ]);
        let directory = directory.join(PROGRAM);
        image.write_layout(&directory, annotations)?;
        Ok(Self {
            directory,
            architecture,
            image,
        })
    }

    /// Where it is: an OCI image layout.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The processor that it is built for.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// What names it and no other, in a task definition too: `sha256:` and 64 digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.image.digest()
    }

    /// The tag that it gets in a repository: the first digits of the digest.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.image.tag()
    }

    /// Bytes that are stored and sent.
    #[must_use]
    pub fn size(&self) -> usize {
        self.image.size()
    }

    /// What a registry gets.
    pub(super) fn contents(&self) -> &Image {
        &self.image
    }
}

/// The image beside the packages in `directory`, with the layout's annotations.
fn read(
    directory: &Path,
    architecture: Architecture,
) -> Result<(ContainerImage, BTreeMap<String, String>), Error> {
    let directory = directory.join(PROGRAM);
    let (image, annotations) = Image::read_layout(&directory)?;
    if image.architecture() != Some(processor(architecture)) {
        return Err(Error::ImageArchitecture {
            directory,
            expected: architecture.name(),
        });
    }
    let image = ContainerImage {
        directory,
        architecture,
        image,
    };
    Ok((image, annotations))
}

fn inputs_of(workspace: &Path, target: &Target) -> Result<Sha256, Error> {
    let directories = PACKAGES.iter().map(PathBuf::from).collect();
    inputs::digest(workspace, directories, target.triple())
}

fn processor(architecture: Architecture) -> container_image::Architecture {
    match architecture {
        Architecture::X86_64 => container_image::Architecture::X86_64,
        Architecture::Arm64 => container_image::Architecture::Arm64,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The smallest ELF file of a static program.
    fn static_program(machine: u8) -> Vec<u8> {
        let mut elf = crate::artifact::bootstrap::tests::executable(machine);
        elf[64] = 1; // p_type: PT_LOAD instead of PT_INTERP
        elf
    }

    const X86_64: u8 = crate::artifact::bootstrap::tests::X86_64;

    #[test]
    fn an_image_is_found_again_while_nothing_changed() {
        let directory = tempfile::tempdir().unwrap();
        let inputs = Sha256::of(b"sources");
        let packed = ContainerImage::pack(
            directory.path(),
            Architecture::X86_64,
            inputs,
            &static_program(X86_64),
        )
        .unwrap();
        let loaded = ContainerImage::load(directory.path(), Architecture::X86_64).unwrap();
        assert_eq!(loaded, packed);
        let up_to_date = |inputs| {
            ContainerImage::up_to_date(directory.path(), Architecture::X86_64, inputs).is_some()
        };
        assert!(up_to_date(inputs));
        assert!(!up_to_date(Sha256::of(b"changed")));
    }

    #[test]
    fn an_image_that_cannot_be_deployed_is_refused_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let message = |architecture| {
            ContainerImage::load(directory.path(), architecture)
                .unwrap_err()
                .to_string()
        };
        let text = message(Architecture::X86_64);
        assert!(
            text.ends_with("holds no image: it has no index.json"),
            "{text}"
        );

        let inputs = Sha256::of(b"sources");
        let program = static_program(X86_64);
        let image =
            ContainerImage::pack(directory.path(), Architecture::X86_64, inputs, &program).unwrap();
        let text = message(Architecture::Arm64);
        assert!(
            text.ends_with("is not built for arm64, as the environment says"),
            "{text}"
        );

        for blob in fs::read_dir(image.directory().join("blobs/sha256")).unwrap() {
            fs::write(blob.unwrap().path(), "something else").unwrap();
        }
        let text = message(Architecture::X86_64);
        assert!(text.contains("was changed after it was built"), "{text}");
    }

    #[test]
    fn a_program_that_needs_libraries_is_not_packed() {
        let directory = tempfile::tempdir().unwrap();
        let program = crate::artifact::bootstrap::tests::executable(X86_64);
        let error = ContainerImage::pack(
            directory.path(),
            Architecture::X86_64,
            Sha256::of(b"sources"),
            &program,
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the program directory-sync would not run in a container image of its own"
        );
        assert!(fs::read_dir(directory.path()).unwrap().next().is_none());
    }
}

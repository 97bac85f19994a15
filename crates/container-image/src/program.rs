//! Whether a program runs where there is nothing else.

use object::Endianness;
use object::elf::{EM_AARCH64, EM_X86_64, ET_DYN, ET_EXEC, FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

/// The processor that an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit x86: `amd64` in images.
    X86_64,
    /// AArch64, such as Graviton: `arm64` in images.
    Arm64,
}

impl Architecture {
    /// Its name in an image's configuration: that of Go.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// Why a program cannot run in an image of its own.
#[derive(Debug, thiserror::Error)]
pub enum Unsuitable {
    /// The file is not an ELF file of 64 bits, or damaged.
    #[error("it is not a readable 64-bit ELF executable")]
    NotElf(#[source] object::read::Error),
    /// The file is an object or a core dump.
    #[error("it is an ELF file, but not an executable")]
    NotExecutable,
    /// The program is for another processor.
    #[error("it is built for another processor than {}", .0.name())]
    Machine(Architecture),
    /// The program asks for a dynamic linker and for libraries that the image does not have.
    #[error("it is linked dynamically, and the image has no libraries")]
    Dynamic,
}

/// Makes sure that `program` runs on `architecture` without any library.
pub(crate) fn check(program: &[u8], architecture: Architecture) -> Result<(), Unsuitable> {
    let header = FileHeader64::<Endianness>::parse(program).map_err(Unsuitable::NotElf)?;
    let endian = header.endian().map_err(Unsuitable::NotElf)?;
    let machine = match architecture {
        Architecture::X86_64 => EM_X86_64,
        Architecture::Arm64 => EM_AARCH64,
    };
    if header.e_machine(endian) != machine {
        return Err(Unsuitable::Machine(architecture));
    }
    if !matches!(header.e_type(endian), ET_EXEC | ET_DYN) {
        return Err(Unsuitable::NotExecutable);
    }
    let segments = header
        .program_headers(endian, program)
        .map_err(Unsuitable::NotElf)?;
    let is_interpreted = segments
        .iter()
        .any(|segment| segment.p_type(endian) == PT_INTERP);
    if is_interpreted {
        return Err(Unsuitable::Dynamic);
    }
    Ok(())
}

//! What Lambda would only tell at the first invocation: whether it can run a program.
//!
//! `provided.al2023` is Amazon Linux 2023: x86-64 or AArch64, glibc 2.34
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>). A program for
//! another processor dies with `exec format error`, one that needs a newer glibc with
//! `version 'GLIBC_2.38' not found`. Both stand in the ELF file, so both are refused here.

use object::elf::{
    EM_386, EM_AARCH64, EM_ARM, EM_X86_64, ET_DYN, ET_EXEC, FileHeader64, PT_INTERP, SHT_DYNSYM,
    VersionIndex,
};
use object::read::elf::{FileHeader as _, ProgramHeader as _, Sym as _};
use object::{Endianness, read};

use crate::environment::Architecture;

/// The C library of `provided.al2023`, as major and minor version.
const GLIBC: (u32, u32) = (2, 34);

/// Why Lambda cannot run a program.
#[derive(Debug, thiserror::Error)]
pub enum Unsuitable {
    /// The file is not an ELF file of 64 bits, or damaged.
    #[error("it is not a readable 64-bit ELF file")]
    NotElf(#[source] read::Error),
    /// The file is an object, a library or a core dump.
    #[error("it is an ELF file, but not an executable")]
    NotExecutable,
    /// The program is for another processor.
    #[error("it is built for {actual}, not for {expected}")]
    Machine {
        /// What it is built for.
        actual: String,
        /// What it should be built for.
        expected: &'static str,
    },
    /// The program needs a newer C library.
    #[error("it needs {symbol}, but the runtime provided.al2023 has glibc {}.{}", GLIBC.0, GLIBC.1)]
    Glibc {
        /// `symbol@GLIBC_x.y`, or the version alone where no symbol bears it.
        symbol: String,
    },
}

impl Unsuitable {
    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Glibc { .. } => Some(
                "find the C library that brings the symbol with `cargo tree`, and replace it or build it from source"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Makes sure that `provided.al2023` can run `program` on `architecture`.
pub(super) fn check(program: &[u8], architecture: Architecture) -> Result<(), Unsuitable> {
    let header = FileHeader64::<Endianness>::parse(program).map_err(Unsuitable::NotElf)?;
    let endian = header.endian().map_err(Unsuitable::NotElf)?;

    let (machine, expected) = match architecture {
        Architecture::X86_64 => (EM_X86_64, "x86_64"),
        Architecture::Arm64 => (EM_AARCH64, "arm64"),
    };
    let actual = header.e_machine(endian);
    if actual != machine || !matches!(endian, Endianness::Little) {
        let actual = match actual {
            EM_X86_64 => "x86_64".to_owned(),
            EM_AARCH64 => "arm64".to_owned(),
            EM_386 => "32-bit x86".to_owned(),
            EM_ARM => "32-bit ARM".to_owned(),
            other => format!("ELF machine {}", other.0),
        };
        return Err(Unsuitable::Machine { actual, expected });
    }

    let segments = header
        .program_headers(endian, program)
        .map_err(Unsuitable::NotElf)?;
    // A position-independent executable differs from a shared library by its interpreter.
    let interpreted = segments
        .iter()
        .any(|segment| segment.p_type(endian) == PT_INTERP);
    match header.e_type(endian) {
        ET_EXEC => {}
        ET_DYN if interpreted => {}
        _ => return Err(Unsuitable::NotExecutable),
    }

    match too_new(program, header, endian).map_err(Unsuitable::NotElf)? {
        Some(symbol) => Err(Unsuitable::Glibc { symbol }),
        None => Ok(()),
    }
}

/// A symbol whose version glibc 2.34 does not have; without one, such a version.
fn too_new(
    program: &[u8],
    header: &FileHeader64<Endianness>,
    endian: Endianness,
) -> read::Result<Option<String>> {
    let sections = header.sections(endian, program)?;
    let Some((mut needed, link)) = sections.gnu_verneed(endian, program)? else {
        return Ok(None);
    };
    let names = sections.strings(endian, program, link)?;
    while let Some((_, mut versions)) = needed.next()? {
        while let Some(version) = versions.next()? {
            let name = String::from_utf8_lossy(version.name(endian, names)?).into_owned();
            if !is_available(&name) {
                let index = version.vna_other(endian).index();
                let symbol = symbol_of_version(program, header, endian, index)?;
                return Ok(Some(match symbol {
                    Some(symbol) => format!("{symbol}@{name}"),
                    None => name,
                }));
            }
        }
    }
    Ok(None)
}

/// Whether the runtime's C library has a version. Libraries other than glibc name their
/// versions otherwise (`GCC_3.0`) and are none of our business here; versions of glibc
/// without a number (`GLIBC_ABI_DT_RELR`, `GLIBC_PRIVATE`) are either newer or not for us.
fn is_available(version: &str) -> bool {
    let Some(number) = version.strip_prefix("GLIBC_") else {
        return true;
    };
    let mut parts = number.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) <= GLIBC,
        _ => false,
    }
}

fn symbol_of_version(
    program: &[u8],
    header: &FileHeader64<Endianness>,
    endian: Endianness,
    version: VersionIndex,
) -> read::Result<Option<String>> {
    let sections = header.sections(endian, program)?;
    let Some((versions, _)) = sections.gnu_versym(endian, program)? else {
        return Ok(None);
    };
    let symbols = sections.symbols(endian, program, SHT_DYNSYM)?;
    for (symbol, symbol_version) in symbols.iter().zip(versions) {
        if symbol_version.0.get(endian).index() == version {
            let name = symbol.name(endian, symbols.strings())?;
            return Ok(Some(String::from_utf8_lossy(name).into_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const X86_64: u8 = 62;
    pub(in super::super) const AARCH64: u8 = 183;

    /// An ELF header, one program header (the interpreter) and nothing else.
    pub(in super::super) fn executable(machine: u8) -> Vec<u8> {
        let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
        elf.resize(64 + 56, 0);
        elf[16] = 3; // e_type: ET_DYN
        elf[18] = machine;
        elf[20] = 1; // e_version
        elf[32] = 64; // e_phoff
        elf[52] = 64; // e_ehsize
        elf[54] = 56; // e_phentsize
        elf[56] = 1; // e_phnum
        elf[64] = 3; // p_type: PT_INTERP
        elf
    }

    /// [`executable`] with the sections by which it asks for `open64` in a version of glibc.
    fn needing(version: &str) -> Vec<u8> {
        let names = format!("\0open64\0libc.so.6\0{version}\0");
        let offset = |name: &str| names.find(name).unwrap() as u32;
        let mut elf = executable(X86_64);
        let mut section = |content: &[u8]| {
            while !elf.len().is_multiple_of(8) {
                elf.push(0);
            }
            elf.extend_from_slice(content);
            ((elf.len() - content.len()) as u64, content.len() as u64)
        };
        let strings = section(names.as_bytes());
        let mut symbol = [0; 48]; // the null symbol, and an undefined function
        symbol[24..28].copy_from_slice(&offset("open64").to_le_bytes());
        symbol[28] = 0x12;
        let symbols = section(&symbol);
        let symbol_versions = section(&[0, 0, 2, 0]);
        let mut needed = Vec::new();
        for number in [1_u16, 1] {
            needed.extend_from_slice(&number.to_le_bytes()); // vn_version, vn_cnt
        }
        for number in [offset("libc"), 16, 0, 0] {
            needed.extend_from_slice(&number.to_le_bytes()); // vn_file, vn_aux, vn_next, vna_hash
        }
        for number in [0_u16, 2] {
            needed.extend_from_slice(&number.to_le_bytes()); // vna_flags, vna_other
        }
        for number in [offset(version), 0] {
            needed.extend_from_slice(&number.to_le_bytes()); // vna_name, vna_next
        }
        let needs = section(&needed);

        let (table, _) = section(&[]);
        let mut add =
            |kind: u32, (position, size): (u64, u64), link: u32, info: u32, entry: u64| {
                let mut header = [0; 64];
                header[4..8].copy_from_slice(&kind.to_le_bytes());
                header[24..32].copy_from_slice(&position.to_le_bytes());
                header[32..40].copy_from_slice(&size.to_le_bytes());
                header[40..44].copy_from_slice(&link.to_le_bytes());
                header[44..48].copy_from_slice(&info.to_le_bytes());
                header[56..64].copy_from_slice(&entry.to_le_bytes());
                section(&header);
            };
        add(0, (0, 0), 0, 0, 0);
        add(3, strings, 0, 0, 0); // SHT_STRTAB
        add(11, symbols, 1, 1, 24); // SHT_DYNSYM
        add(0x6fff_ffff, symbol_versions, 2, 0, 2); // SHT_GNU_VERSYM
        add(0x6fff_fffe, needs, 1, 1, 0); // SHT_GNU_VERNEED
        elf[40..48].copy_from_slice(&table.to_le_bytes()); // e_shoff
        elf[58] = 64; // e_shentsize
        elf[60] = 5; // e_shnum
        elf[62] = 1; // e_shstrndx
        elf
    }

    fn verdict(program: &[u8], architecture: Architecture) -> String {
        match check(program, architecture) {
            Ok(()) => "runs".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_program_runs_on_its_own_processor_only() {
        for (machine, architecture, expected) in [
            (X86_64, Architecture::X86_64, "runs"),
            (AARCH64, Architecture::Arm64, "runs"),
            (
                X86_64,
                Architecture::Arm64,
                "it is built for x86_64, not for arm64",
            ),
            (
                AARCH64,
                Architecture::X86_64,
                "it is built for arm64, not for x86_64",
            ),
            (
                40,
                Architecture::Arm64,
                "it is built for 32-bit ARM, not for arm64",
            ),
            (
                243,
                Architecture::X86_64,
                "it is built for ELF machine 243, not for x86_64",
            ),
        ] {
            assert_eq!(verdict(&executable(machine), architecture), expected);
        }
    }

    #[test]
    fn what_is_not_an_executable_is_refused() {
        let mut library = executable(X86_64);
        library[64] = 1; // PT_LOAD instead of PT_INTERP
        let mut object = executable(X86_64);
        object[16] = 1; // ET_REL
        let mut fixed_address = executable(X86_64);
        fixed_address[16] = 2; // ET_EXEC
        let not_executable = "it is an ELF file, but not an executable";
        assert_eq!(verdict(&library, Architecture::X86_64), not_executable);
        assert_eq!(verdict(&object, Architecture::X86_64), not_executable);
        assert_eq!(verdict(&fixed_address, Architecture::X86_64), "runs");
        for broken in [&b"#!/bin/sh"[..], b"", &executable(X86_64)[..70]] {
            assert_eq!(
                verdict(broken, Architecture::X86_64),
                "it is not a readable 64-bit ELF file"
            );
        }
    }

    #[test]
    fn a_symbol_that_the_runtimes_glibc_lacks_is_named() {
        for (version, expected) in [
            ("GLIBC_2.2.5", "runs"),
            ("GLIBC_2.34", "runs"),
            ("GCC_9.9", "runs"),
            (
                "GLIBC_2.35",
                "it needs open64@GLIBC_2.35, but the runtime provided.al2023 has glibc 2.34",
            ),
            (
                "GLIBC_2.100",
                "it needs open64@GLIBC_2.100, but the runtime provided.al2023 has glibc 2.34",
            ),
            (
                "GLIBC_ABI_DT_RELR",
                "it needs open64@GLIBC_ABI_DT_RELR, but the runtime provided.al2023 has glibc 2.34",
            ),
        ] {
            assert_eq!(verdict(&needing(version), Architecture::X86_64), expected);
        }
    }
}

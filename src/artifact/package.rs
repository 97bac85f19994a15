//! A function's package: the zip that Lambda runs.
//!
//! Lambda compares packages by their bytes (`CodeSha256`), so the same program must
//! always make the same zip: one entry, a fixed time, mode and compression, no extra
//! fields. Zips that carry the time of the build make every deployment a change.

use std::io::{Cursor, Write as _};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// The name that Lambda's `provided.*` runtimes start.
const BOOTSTRAP: &str = "bootstrap";

/// Packs a program as the `bootstrap` of a Lambda function.
pub(super) fn pack(program: &[u8]) -> Result<Vec<u8>, ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        // 1980-01-01, the earliest that the format knows.
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(BOOTSTRAP, options)?;
    zip.write_all(program)?;
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use zip::ZipArchive;

    use super::*;

    fn program() -> Vec<u8> {
        (0..100_000_u32)
            .flat_map(|number| (number % 251).to_le_bytes())
            .collect()
    }

    #[test]
    fn the_same_program_makes_the_same_zip_byte_for_byte() {
        let first = pack(&program()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2100));
        assert_eq!(pack(&program()).unwrap(), first);
    }

    #[test]
    fn a_package_holds_one_executable_bootstrap_and_nothing_about_the_build() {
        let zip = pack(&program()).unwrap();
        let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut entry = archive.by_index(0).unwrap();
        assert_eq!(entry.name().unwrap(), "bootstrap");
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o7777), Some(0o755));
        assert_eq!(entry.last_modified(), Some(DateTime::default()));
        assert_eq!(entry.extra_data(), None);
        assert!(entry.compressed_size() < entry.size());
        let mut unpacked = Vec::new();
        entry.read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, program());
    }
}

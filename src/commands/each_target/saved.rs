//! Reports in files, `--save FILE`: each target's run writes one of its own, and they are
//! joined once all runs have ended.

use std::path::PathBuf;

use tempfile::TempDir;

use super::document;
use crate::cli::ReportFile;
use crate::commands::Error;

/// The option whose value is the file.
pub(super) const OPTION: &str = "--save";

/// The files that a command line names, in its order.
pub(super) struct Saved<'a> {
    files: &'a [ReportFile],
    /// Where the runs write.
    folder: TempDir,
}

impl<'a> Saved<'a> {
    /// # Errors
    /// When there is no place for the runs' own files.
    pub(super) fn new(files: &'a [ReportFile]) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(|source| Error::Io {
            action: "make a temporary directory".to_owned(),
            source,
        })?;
        Ok(Self { files, folder })
    }

    /// Where the run of a target writes the report of this number.
    pub(super) fn place(&self, number: usize, target: &str) -> Option<PathBuf> {
        let ending = self.files.get(number)?.path.extension()?.to_str()?;
        let name = format!("{number}-{target}.{ending}");
        Some(self.folder.path().join(name))
    }

    /// Writes the files, each with the reports of all targets. A run that failed has none.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn join(&self, targets: &[&str]) -> Result<(), Error> {
        for (number, file) in self.files.iter().enumerate() {
            let of_target = |target| {
                let place = self.place(number, target)?;
                std::fs::read_to_string(place).ok()
            };
            let texts: Vec<String> = targets
                .iter()
                .map(|target| of_target(target).unwrap_or_default())
                .collect();
            let joined = document(file.format).join(targets.iter().copied().zip(&texts));
            std::fs::write(&file.path, joined).map_err(|source| Error::Io {
                action: format!("write {}", file.path.display()),
                source,
            })?;
        }
        Ok(())
    }
}

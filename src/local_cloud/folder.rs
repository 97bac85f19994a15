//! The one folder that holds everything of a checkout's local cloud.
//!
//! ```text
//! .connect-scim/local/
//!   lock                     held while somebody starts or stops the cloud
//!   cloud.json               ports, and what was started when (record.rs)
//!   ministack.log            also the sign of life of the process (process.rs)
//!   ministack.pid
//!   ministack.previous.log   of the run before, to look into a crash
//!   ministack/               temporary files and function packages
//!   connect-simulator.log, .pid, .previous.log
//!   connect-simulator.json   the simulated instance
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::Error;

/// Where a checkout keeps its local cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder for somebody who works in `directory`: it lies in the nearest directory,
    /// from there upwards, that has an `environments` directory, else in `directory` itself.
    #[must_use]
    pub fn find(directory: &Path) -> Self {
        let checkout = directory
            .ancestors()
            .find(|ancestor| ancestor.join("environments").is_dir())
            .unwrap_or(directory);
        Self(checkout.join(".connect-scim").join("local"))
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes the folder, and keeps it out of version control wherever the checkout's own
    /// `.gitignore` does not know of it.
    pub(super) fn create(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.0)
            .map_err(Error::io(|| format!("create {}", self.0.display())))?;
        let ignore = self.0.with_file_name(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n")
                .map_err(Error::io(|| format!("write {}", ignore.display())))?;
        }
        Ok(())
    }

    /// Waits until nobody else starts or stops this cloud. The lock ends with the value,
    /// and with the process, however that ends.
    pub(super) fn lock(&self, progress: &dyn Fn(&str)) -> Result<Lock, Error> {
        self.create()?;
        let path = self.file("lock");
        let action = || format!("lock {}", path.display());
        let file = File::create(&path).map_err(Error::io(action))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress("Waiting: another command starts or stops the local cloud");
                file.lock().map_err(Error::io(action))?;
            }
            Err(TryLockError::Error(source)) => return Err(Error::io(action)(source)),
        }
        Ok(Lock { _file: file })
    }

    /// Removes one of the folder's files or directories, if it is there.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.file(name);
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(|| format!("remove {}", path.display()))(error))
            }
            _ => Ok(()),
        }
    }
}

/// The right to start and stop the cloud of a folder.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_lies_beside_the_environments_else_in_the_directory_itself() {
        let checkout = tempfile::tempdir().unwrap();
        let below = checkout.path().join("crates/scim");
        fs::create_dir_all(&below).unwrap();

        assert_eq!(
            Folder::find(&below).path(),
            below.join(".connect-scim/local")
        );

        fs::create_dir(checkout.path().join("environments")).unwrap();
        assert_eq!(
            Folder::find(&below).path(),
            checkout.path().join(".connect-scim/local")
        );
    }
}

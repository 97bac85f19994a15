//! The store of the record, which replaces a record only if no other run has written meanwhile.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::configuration::CacheConfiguration;
use super::credentials::Environment;
use super::record::Record;
use super::s3::{Operation, S3};

/// A place for one record.
pub(super) enum Store {
    File(PathBuf),
    S3(S3),
}

/// The version that a run saw last: the content of a file, or the entity tag of an object.
pub(super) struct Seen(pub(super) Vec<u8>);

/// The record could not be read or written. The run continues without it.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("failed to use {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("no region: set AWS_REGION, or `cache.s3.region`")]
    NoRegion,
    #[error(
        "no AWS credentials: a task needs a task role, a desk AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY"
    )]
    NoCredentials,
    #[error("the address for the task role's credentials gave none (status {status})")]
    Credentials { status: u16 },
    #[error("the request could not be signed")]
    Signing,
    #[error("{operation} was refused with status {status}{}", hint(*status))]
    Refused { operation: Operation, status: u16 },
    #[error("no answer")]
    NoAnswer(#[source] reqwest::Error),
    #[error("somebody else has written meanwhile")]
    Conflict,
}

fn hint(status: u16) -> &'static str {
    match status {
        403 => {
            ": the role needs s3:GetObject and s3:PutObject of this object (an object that is not \
             there is answered in the same way)"
        }
        301 | 307 => ": the bucket is in another region; name it in `cache.s3.region`",
        404 => ": there is no such bucket",
        _ => "",
    }
}

impl Store {
    pub(super) fn new(configuration: &CacheConfiguration) -> Result<Self, StoreError> {
        match (&configuration.file, &configuration.s3) {
            (_, Some(object)) => Ok(Self::S3(S3::new(object, Environment::of_process())?)),
            (file, None) => Ok(Self::File(file.clone().unwrap_or_default())),
        }
    }

    /// The record and its version; `None` if there is none.
    pub(super) async fn read(&self) -> Result<Option<(Vec<u8>, Seen)>, StoreError> {
        match self {
            Self::File(path) => match fs::read(path) {
                Ok(bytes) => Ok(Some((bytes.clone(), Seen(bytes)))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(failed(path, error)),
            },
            Self::S3(object) => object.get().await,
        }
    }

    /// Replaces the record, with `expected` only if it has not changed since.
    pub(super) async fn replace(
        &self,
        expected: Option<&Seen>,
        record: &Record,
    ) -> Result<Seen, StoreError> {
        let bytes = record.json().into_bytes();
        match self {
            Self::File(path) => {
                if let Some(expected) = expected {
                    let there = fs::read(path).map_err(|error| failed(path, error))?;
                    if there != expected.0 {
                        return Err(StoreError::Conflict);
                    }
                }
                write(path, &bytes).map_err(|error| failed(path, error))?;
                Ok(Seen(bytes))
            }
            Self::S3(object) => object.put(expected, bytes).await,
        }
    }
}

/// Writes atomically, because a run may be killed at any time.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, bytes)?;
    fs::rename(&new, path)
}

fn failed(path: &Path, source: io::Error) -> StoreError {
    StoreError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_record_is_replaced_only_if_it_is_the_one_that_was_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record");
        let store = Store::File(path.clone());
        assert!(store.read().await.unwrap().is_none());
        let record = Record::void();
        let first = store.replace(None, &record).await.unwrap();
        let (bytes, seen) = store.read().await.unwrap().unwrap();
        assert_eq!(bytes, record.json().into_bytes());
        assert_eq!((&first.0, &seen.0), (&bytes, &bytes));

        let second = store.replace(Some(&first), &Record::void()).await.unwrap();
        assert_ne!(second.0, first.0);
        let overtaken = store.replace(Some(&first), &record).await;
        assert!(matches!(overtaken, Err(StoreError::Conflict)));
        assert_eq!(fs::read(&path).unwrap(), second.0);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

        fs::remove_file(&path).unwrap();
        let removed = store.replace(Some(&second), &record).await;
        assert!(matches!(removed, Err(StoreError::File { .. })));
        let nowhere = Store::File(directory.path().join("absent/record"));
        assert!(nowhere.replace(None, &record).await.is_err());
        let unreadable = Store::File(directory.path().to_owned());
        assert!(unreadable.read().await.is_err());
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        for (status, expected) in [
            (403, "s3:PutObject"),
            (301, "cache.s3.region"),
            (307, "cache.s3.region"),
            (404, "no such bucket"),
        ] {
            assert!(hint(status).contains(expected), "{status}");
        }
        assert_eq!(hint(500), "");
    }
}

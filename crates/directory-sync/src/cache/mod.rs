//! The record of the last successful run, which lets the next run skip reading the server.
//!
//! Reading the directory takes seconds. Reading the server takes a request for each hundred users
//! and for each group, at 40 requests a second. So a run in which every write succeeded leaves a
//! record: a digest of the users and groups that the server should have, and the time of the
//! comparison. While the digest stays the same, the server is not read, until `fullEveryHours`
//! have passed. Both sides are compared then, because the server may have been changed by other
//! means.
//!
//! No result depends on the record. It is ignored in case of doubt: if it cannot be read, if
//! another version or another configuration wrote it, or if its time is in the future or too old.
//! Before a run compares both sides, it replaces the old record with a void one, and its final
//! record replaces only that one. A run that was killed, that failed in part, or that another run
//! overtook leaves no valid record.
//!
//! The record has digests and times, and no personal data.

mod configuration;
mod credentials;
mod digest;
mod record;
mod s3;
mod store;

use jiff::Timestamp;

pub use configuration::{CacheConfiguration, InvalidCache, ReadDirectory, S3Object};
pub(crate) use digest::Digest;
pub(crate) use record::{Agreement, DirectoryMark, Record};

use self::store::{Seen, Store, StoreError};
use crate::configuration::Configuration;

/// The record of the last run, and the store for the record of this one.
pub(crate) struct Cache {
    store: Store,
    key: Digest,
    found: Option<(Agreement, Seen)>,
    /// The void record of this run; `None` before it is written.
    void: Option<Seen>,
}

impl Cache {
    /// Opens the cache of the configuration; `None` without one.
    pub(crate) async fn open(configuration: &Configuration, now: Timestamp) -> Option<Self> {
        let settings = configuration.cache.as_ref()?;
        let store = match Store::new(settings) {
            Ok(store) => store,
            Err(error) => {
                warn(&error, "there is no cache for this run");
                return None;
            }
        };
        let key = Digest::of_configuration(configuration);
        let found = match store.read().await {
            Ok(Some((bytes, seen))) => Record::parse(&bytes)
                .and_then(|record| record.agreement(&key, now, settings.full_every()))
                .map(|agreement| (agreement, seen)),
            Ok(None) => None,
            Err(error) => {
                warn(&error, "the cache cannot be read: everything is compared");
                None
            }
        };
        Some(Self {
            store,
            key,
            found,
            void: None,
        })
    }

    /// The agreement of the last run; `None` if it is not valid any more.
    pub(crate) fn agreement(&self) -> Option<&Agreement> {
        self.found.as_ref().map(|(agreement, _)| agreement)
    }

    /// Ignores the agreement of the last run.
    pub(crate) fn disregard(&mut self) {
        self.found = None;
    }

    /// Invalidates the old record. Must be called before both sides are compared.
    pub(crate) async fn begin(&mut self) {
        self.disregard();
        // Two attempts: an old record that is not replaced stays valid until it is too old, if the
        // digest becomes the same again.
        for _ in 0..2 {
            match self.store.replace(None, &Record::void()).await {
                Ok(seen) => {
                    self.void = Some(seen);
                    return;
                }
                Err(error) => warn(&error, "the cache cannot be written"),
            }
        }
    }

    /// Writes the record of this run. Must be called only after every write succeeded.
    pub(crate) async fn agree(self, agreement: Agreement) {
        // Without a void record, a concurrent run could not be detected.
        if let Some(void) = &self.void {
            self.replace(void, agreement).await;
        }
    }

    /// Records the new state of the directory if the digest is still the same.
    pub(crate) async fn still_agree(self, directory: Option<DirectoryMark>) {
        if let Some((agreement, seen)) = &self.found
            && agreement.directory != directory
        {
            let agreement = Agreement {
                directory,
                ..agreement.clone()
            };
            self.replace(seen, agreement).await;
        }
    }

    async fn replace(&self, expected: &Seen, agreement: Agreement) {
        let record = Record::new(self.key, agreement);
        match self.store.replace(Some(expected), &record).await {
            Ok(_) => {}
            Err(StoreError::Conflict) => {
                tracing::info!("another run has used the cache meanwhile: it is thrown away");
                if let Err(error) = self.store.replace(None, &Record::void()).await {
                    warn(&error, "the cache cannot be written");
                }
            }
            Err(error) => warn(&error, "the cache cannot be written"),
        }
    }
}

fn warn(error: &StoreError, message: &'static str) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(%error, cause, "{message}");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::mapping::Desired;
    use crate::source::Mark;

    fn configuration(file: &Path, owner: &str) -> Configuration {
        Configuration::parse(&format!(
            "owner: {owner}
source:
  servers: [ldaps://dc1.example.test]
  bindName: reader
  searchBases: ['DC=x']
  users: {{memberOf: [aws-users]}}
target: {{endpoint: 'https://scim.example.test/'}}
cache: {{file: '{}'}}",
            file.display()
        ))
        .unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn agreement(usn: u64) -> Agreement {
        Agreement {
            compared_at: now(),
            desired: Digest::of_desired(&Desired::default()),
            directory: Some(DirectoryMark {
                mark: Mark {
                    invocation_id: "37750eb4-fab1-4350-9cd9-ade7070b02d5".to_owned(),
                    usn,
                },
                valid_until: None,
            }),
        }
    }

    /// A directory with the place for a record.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        async fn open(&self) -> Cache {
            let configuration = configuration(&self.0.path().join("cache.json"), "corp");
            Cache::open(&configuration, now()).await.unwrap()
        }

        async fn found(&self) -> Option<Agreement> {
            self.open().await.agreement().cloned()
        }
    }

    #[tokio::test]
    async fn a_record_counts_after_a_whole_run_only() {
        let place = Place::new();
        assert_eq!(place.found().await, None);
        let mut run = place.open().await;
        run.begin().await;
        assert_eq!(place.found().await, None, "a run that was killed");
        run.agree(agreement(1)).await;
        assert_eq!(place.found().await, Some(agreement(1)));

        let mut run = place.open().await;
        run.begin().await;
        assert_eq!(run.agreement(), None);
        assert_eq!(place.found().await, None, "the old record is void");
    }

    #[tokio::test]
    async fn a_run_that_did_not_begin_leaves_no_record() {
        let place = Place::new();
        place.open().await.agree(agreement(1)).await;
        assert_eq!(place.found().await, None);
    }

    #[tokio::test]
    async fn a_run_that_another_one_overtook_leaves_nothing_to_trust() {
        let place = Place::new();
        let (mut one, mut two) = (place.open().await, place.open().await);
        one.begin().await;
        two.begin().await;
        one.agree(agreement(1)).await;
        assert_eq!(place.found().await, None);
        two.agree(agreement(2)).await;
        assert_eq!(place.found().await, None, "the first one has voided it");
    }

    #[tokio::test]
    async fn a_record_that_is_disregarded_stays_for_the_next_run() {
        let place = Place::new();
        let mut run = place.open().await;
        run.begin().await;
        run.agree(agreement(1)).await;
        let mut run = place.open().await;
        run.disregard();
        assert_eq!(run.agreement(), None);
        assert_eq!(place.found().await, Some(agreement(1)));
    }

    #[tokio::test]
    async fn the_state_of_the_directory_is_noted_while_it_wants_the_same() {
        let place = Place::new();
        let mut run = place.open().await;
        run.begin().await;
        run.agree(agreement(1)).await;
        let path = place.0.path().join("cache.json");
        let written = std::fs::read(&path).unwrap();
        place.open().await.still_agree(agreement(1).directory).await;
        assert_eq!(std::fs::read(&path).unwrap(), written, "nothing is new");
        place.open().await.still_agree(agreement(2).directory).await;
        assert_eq!(place.found().await, Some(agreement(2)));
    }

    #[tokio::test]
    async fn a_record_of_another_configuration_or_of_no_use_counts_for_nothing() {
        let place = Place::new();
        let mut run = place.open().await;
        run.begin().await;
        run.agree(agreement(1)).await;
        let path = place.0.path().join("cache.json");
        let other = Cache::open(&configuration(&path, "other"), now()).await;
        assert_eq!(other.unwrap().agreement(), None);
        std::fs::write(&path, "nonsense").unwrap();
        assert_eq!(place.found().await, None);
        // A place that cannot be used makes every run compare both sides.
        let nowhere = place.0.path().join("absent/cache.json");
        let mut run = Cache::open(&configuration(&nowhere, "corp"), now())
            .await
            .unwrap();
        run.begin().await;
        run.agree(agreement(1)).await;
        assert!(!nowhere.exists());
    }
}

//! What a run may skip, because the last one found both sides equal and nothing has changed.
//!
//! Reading the directory takes seconds; reading the server takes a call for each hundred users
//! and for each group, at 40 calls a second. So a run that was successful in everything leaves
//! a record: a digest of what the directory wanted the server to have, and when both sides
//! were compared. While the directory wants the same, the server need not be read, until
//! `fullEveryHours` have passed: then both sides are compared again, as somebody may have
//! changed the server by other means.
//!
//! Nothing depends on the record. It counts for nothing when in doubt: when it cannot be read,
//! when another version or another configuration made it, when its time is in the future or
//! too old. Before a run compares both sides it puts a void record of its own in the place of
//! the old one, and its record at the end replaces only that one: a run that was killed, that
//! failed in anything, or that another one overtook, leaves nothing to trust behind.
//!
//! The record holds digests and times, and nothing of any person.

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

/// The record of the last run, and the place for that of this one.
pub(crate) struct Cache {
    store: Store,
    key: Digest,
    found: Option<(Agreement, Seen)>,
    /// The void record that this run has put there.
    void: Option<Seen>,
}

impl Cache {
    /// Opens the cache that the configuration names, if it names one.
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

    /// What the last run found equal, where that still counts.
    pub(crate) fn agreement(&self) -> Option<&Agreement> {
        self.found.as_ref().map(|(agreement, _)| agreement)
    }

    /// What the last run found equal does not count.
    pub(crate) fn disregard(&mut self) {
        self.found = None;
    }

    /// To be called before both sides are compared: from here on the old record is void.
    pub(crate) async fn begin(&mut self) {
        self.disregard();
        // Twice: a record that stays counts until it is too old, if the directory comes to want
        // again what it wanted then.
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

    /// To be called after everything was done: both sides are equal.
    pub(crate) async fn agree(self, agreement: Agreement) {
        // Without a void record nobody could tell whether another run has been here meanwhile.
        if let Some(void) = &self.void {
            self.replace(void, agreement).await;
        }
    }

    /// Notes what the directory is like now, where it still wants the same.
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

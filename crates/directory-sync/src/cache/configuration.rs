//! The `cache:` section: where a run records that the server matches the directory.

use std::num::NonZeroU16;
use std::path::PathBuf;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a successful run notes what both sides have in common, so that the next one need not
/// read the server if the directory is the same. Never needed, and thrown away when in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CacheConfiguration {
    /// A file, for a program that runs on the same machine each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// An object in Amazon S3, for a program that has no place of its own to write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Object>,
    /// After how many hours both sides are compared whatever the cache says: so long may a
    /// change that somebody else makes on the server go unnoticed. Default: 24.
    #[serde(default = "full_every_hours")]
    pub full_every_hours: NonZeroU16,
    /// Whether the directory is read if nothing has been written to it.
    #[serde(default)]
    pub read_directory: ReadDirectory,
}

/// An object in Amazon S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Object {
    /// The bucket.
    pub bucket: String,
    /// The key, such as `directory-sync/corp.json`.
    pub key: String,
    /// The bucket's region. Default: that of the environment (`AWS_REGION`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Whether the directory is read if nothing has been written to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReadDirectory {
    /// In each run.
    #[default]
    Always,
    /// Not if the domain controller says that nothing at all has been written to its database
    /// since the last run read it. Only Active Directory can say so. Leave it at `always` where
    /// memberships or accounts have a time to live: they end without a write.
    IfChanged,
}

/// A section that names no place, or two.
#[derive(Debug, thiserror::Error)]
#[error("cache: name a place, and only one: `file`, or `s3` with `bucket` and `key`")]
pub struct InvalidCache;

const fn full_every_hours() -> NonZeroU16 {
    const { NonZeroU16::new(24).unwrap() }
}

impl CacheConfiguration {
    /// Looks at the relations between keys.
    ///
    /// # Errors
    /// When there is not exactly one place.
    pub fn check(&self) -> Result<(), InvalidCache> {
        match (&self.file, &self.s3) {
            (Some(_), None) => Ok(()),
            (None, Some(object)) if !object.bucket.is_empty() && !object.key.is_empty() => Ok(()),
            _ => Err(InvalidCache),
        }
    }

    pub(super) fn full_every(&self) -> SignedDuration {
        SignedDuration::from_hours(self.full_every_hours.get().into())
    }
}

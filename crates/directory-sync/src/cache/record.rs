//! The content of the record, and its validity. No input and no output.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::digest::Digest;
use crate::source::Mark;

/// The version of the format. A record of another version is ignored.
const VERSION: u32 = 1;

/// The content of the cache.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Record {
    version: u32,
    /// The run that wrote it: no two records are equal.
    run: Uuid,
    /// `None` if the run has not ended, or has failed.
    agreed: Option<Agreed>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Agreed {
    /// The digest of the configuration and the program.
    key: Digest,
    /// RFC 3339.
    compared_at: String,
    desired: Digest,
    directory: Option<RecordedMark>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordedMark {
    invocation_id: String,
    usn: u64,
    /// RFC 3339.
    valid_until: Option<String>,
}

/// The fact that the server matched the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// The time at which the comparison began.
    pub(crate) compared_at: Timestamp,
    /// The digest of the users and groups of both sides.
    pub(crate) desired: Digest,
    /// The state of the directory; `None` if the directory does not provide one.
    pub(crate) directory: Option<DirectoryMark>,
}

/// A state of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectoryMark {
    /// The last write to the directory when the read began.
    pub(crate) mark: Mark,
    /// The time at which the next account expires, which changes the result without a write;
    /// `None` if no account expires.
    pub(crate) valid_until: Option<Timestamp>,
}

impl DirectoryMark {
    /// Whether a read at `now` has the same result, if nothing has been written since.
    pub(crate) fn holds_at(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| now < until)
    }
}

impl Record {
    /// The record of a run that has begun.
    pub(super) fn void() -> Self {
        Self {
            version: VERSION,
            run: Uuid::new_v4(),
            agreed: None,
        }
    }

    pub(super) fn new(key: Digest, agreement: Agreement) -> Self {
        let directory = agreement.directory.map(|directory| RecordedMark {
            invocation_id: directory.mark.invocation_id,
            usn: directory.mark.usn,
            valid_until: directory.valid_until.map(|until| until.to_string()),
        });
        Self {
            agreed: Some(Agreed {
                key,
                compared_at: agreement.compared_at.to_string(),
                desired: agreement.desired,
                directory,
            }),
            ..Self::void()
        }
    }

    /// `None` if it is not a record of this version.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(bytes).ok()?;
        (record.version == VERSION).then_some(record)
    }

    pub(super) fn json(&self) -> String {
        // Serializing plain data with string keys cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The agreement; `None` if the record is void, too old or of another configuration.
    pub(super) fn agreement(
        self,
        key: &Digest,
        now: Timestamp,
        full_every: SignedDuration,
    ) -> Option<Agreement> {
        let agreed = self.agreed.filter(|agreed| agreed.key == *key)?;
        let compared_at: Timestamp = agreed.compared_at.parse().ok()?;
        let age = now.duration_since(compared_at);
        if age.is_negative() || age >= full_every {
            return None;
        }
        let directory = match agreed.directory {
            None => None,
            Some(recorded) => Some(DirectoryMark {
                mark: Mark {
                    invocation_id: recorded.invocation_id,
                    usn: recorded.usn,
                },
                valid_until: match recorded.valid_until {
                    None => None,
                    Some(until) => Some(until.parse().ok()?),
                },
            }),
        };
        Some(Agreement {
            compared_at,
            desired: agreed.desired,
            directory,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Desired;
    use crate::snapshot::EntryId;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn digest(number: usize) -> Digest {
        Digest::of_desired(&Desired {
            unusable: [EntryId(number.to_string())].into(),
            ..Desired::default()
        })
    }

    fn agreement() -> Agreement {
        Agreement {
            compared_at: time("2026-11-22T12:00:00Z"),
            desired: digest(1),
            directory: Some(DirectoryMark {
                mark: Mark {
                    invocation_id: "37750eb4-fab1-4350-9cd9-ade7070b02d5".to_owned(),
                    usn: 4711,
                },
                valid_until: Some(time("2026-11-23T00:00:00Z")),
            }),
        }
    }

    fn after(written: &str, now: &str) -> Option<Agreement> {
        Record::parse(written.as_bytes())?.agreement(&digest(0), time(now), DAY)
    }

    #[test]
    fn a_record_is_valid_until_it_is_too_old() {
        let written = Record::new(digest(0), agreement()).json();
        for (now, counts) in [
            ("2026-11-22T12:00:00Z", true),
            ("2026-11-23T11:59:59Z", true),
            ("2026-11-23T12:00:00Z", false),
            ("2026-11-22T11:59:59Z", false),
        ] {
            let expected = counts.then(agreement);
            assert_eq!(after(&written, now), expected, "{now}");
        }
    }

    #[test]
    fn a_doubtful_record_is_ignored() {
        let now = "2026-11-22T12:30:00Z";
        let good = Record::new(digest(0), agreement()).json();
        assert!(after(&good, now).is_some());
        let of_another_configuration = Record::new(digest(2), agreement()).json();
        for doubtful in [
            of_another_configuration,
            Record::void().json(),
            good.replace("\"version\":1", "\"version\":2"),
            good.replace("\"usn\":4711", "\"usn\":-1"),
            good.replace("2026-11-23T00:00:00Z", "soon"),
            good[..good.len() - 1].to_owned(),
            String::new(),
        ] {
            assert_ne!(doubtful, good);
            assert_eq!(after(&doubtful, now), None, "{doubtful}");
        }
    }

    #[test]
    fn a_state_of_the_directory_holds_until_an_account_expires() {
        let mark = agreement().directory.unwrap();
        assert!(mark.holds_at(time("2026-11-22T23:59:59Z")));
        assert!(!mark.holds_at(time("2026-11-23T00:00:00Z")));
    }

    #[test]
    fn no_two_records_are_equal() {
        assert_ne!(Record::void(), Record::void());
    }
}

//! What the identity provider reads when a change was refused or failed.

use aws_json_client::ErrorKind;
use connect_directory::{
    directory::{ChangeError, DirectoryError, GroupError},
    reconcile::{Failure, Refusal},
    store::{MAXIMUM_KEY_LENGTH, StoreError},
};
use scim::{ScimError, ScimType};

/// Seconds after which a request that met another one may be repeated.
const BUSY_RETRY_SECONDS: u32 = 2;

/// Seconds after which a request that met an outage may be repeated.
const OUTAGE_RETRY_SECONDS: u32 = 10;

pub(crate) fn change_error(error: ChangeError<ScimError>) -> ScimError {
    match error {
        ChangeError::Caller(error) => error,
        ChangeError::Directory(error) => directory_error(error),
    }
}

pub(crate) fn group_error(error: GroupError) -> ScimError {
    match error {
        GroupError::Unmapped(_) | GroupError::Member(_) => {
            ScimError::invalid_value(error.to_string())
        }
        GroupError::NameTaken | GroupError::Store(StoreError::NameTaken) => {
            ScimError::uniqueness(GroupError::NameTaken.to_string())
        }
        GroupError::Rename | GroupError::RenameToMapped => {
            ScimError::of(ScimType::Mutability, error.to_string())
        }
        GroupError::NotFound | GroupError::Store(StoreError::NotFound) => {
            ScimError::not_found(GroupError::NotFound.to_string())
        }
        GroupError::Refused(refusal) => refused(&refusal),
        GroupError::OutOfTime => out_of_time(),
        GroupError::Changed => ScimError::unavailable(error.to_string(), BUSY_RETRY_SECONDS),
        GroupError::Unlisted(failure) => connect_failure(failure),
        GroupError::Store(error) => store_error(error),
    }
}

/// The request stopped in time. Completed parts stay.
pub(crate) fn out_of_time() -> ScimError {
    ScimError::unavailable(
        "the time of the request is used up: completed parts stay, repeat the request to continue",
        BUSY_RETRY_SECONDS,
    )
}

/// Refuses a value that becomes a key of the table and is too long for that.
pub(crate) fn check_key_length(attribute: &str, value: &str) -> Result<(), ScimError> {
    if value.len() > MAXIMUM_KEY_LENGTH {
        return Err(ScimError::invalid_value(format!(
            "{attribute} is longer than {MAXIMUM_KEY_LENGTH} bytes"
        )));
    }
    Ok(())
}

pub(crate) fn directory_error(error: DirectoryError) -> ScimError {
    match error {
        DirectoryError::Mapping(error) => ScimError::invalid_value(error.to_string()),
        DirectoryError::Profile(detail) => ScimError::invalid_value(detail),
        DirectoryError::Rename => ScimError::of(ScimType::Mutability, error.to_string()),
        DirectoryError::Unchecked(_) => ScimError::unavailable(
            "Amazon Connect does not say at the moment which profiles there are, so it cannot be checked whether those of the user exist; repeat the request",
            OUTAGE_RETRY_SECONDS,
        ),
        DirectoryError::Refused(refusal) => refused(&refusal),
        DirectoryError::Store(error) => store_error(error),
    }
}

/// Connect did not give what a request cannot do without.
pub(crate) fn connect_failure(failure: Failure) -> ScimError {
    match failure {
        Failure::Refused(refusal) => refused(&refusal),
        Failure::Transient(_) => ScimError::unavailable(
            "Amazon Connect does not answer at the moment; repeat the request",
            OUTAGE_RETRY_SECONDS,
        ),
    }
}

fn refused(refusal: &Refusal) -> ScimError {
    let detail = refusal.to_string();
    match refusal {
        Refusal::UserNameTaken(_) => ScimError::uniqueness(detail),
        Refusal::Invalid(_) => ScimError::invalid_value(detail),
        Refusal::QuotaExceeded(_) => ScimError::new(400, detail),
        Refusal::Misconfigured(_) => ScimError::new(500, detail),
    }
}

pub(crate) fn store_error(error: StoreError) -> ScimError {
    match error {
        StoreError::UserNameTaken => {
            ScimError::uniqueness("userName is taken by another user of this endpoint")
        }
        StoreError::NameTaken => ScimError::uniqueness("displayName is taken by another group"),
        StoreError::NotFound => not_found(),
        StoreError::Busy | StoreError::ClaimLost => ScimError::unavailable(
            "another request is changing the same user; repeat this one",
            BUSY_RETRY_SECONDS,
        ),
        StoreError::DynamoDb(error) => {
            tracing::error!(%error, "the directory table cannot be used");
            match error.kind() {
                ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Unreachable => {
                    ScimError::unavailable(
                        "the directory is out of reach; nothing was changed for good, repeat the request",
                        OUTAGE_RETRY_SECONDS,
                    )
                }
                ErrorKind::Refused | ErrorKind::Unsendable | ErrorKind::InvalidResponse => {
                    ScimError::new(
                        500,
                        "the directory refused the request; see the function's log",
                    )
                }
            }
        }
        StoreError::Malformed => {
            tracing::error!("an item of the directory table is malformed");
            ScimError::new(
                500,
                "an item of the directory is malformed; see the function's log",
            )
        }
    }
}

pub(crate) fn not_found() -> ScimError {
    ScimError::not_found("there is no user of this id")
}

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::store::StoredUser;

fn identity(first: &str, last: &str) -> IdentityInfo {
    IdentityInfo {
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        ..IdentityInfo::default()
    }
}

fn user(username: &str) -> ConnectUser {
    ConnectUser {
        username: username.to_owned(),
        identity: identity("Ada", "Lovelace"),
        security_profile_ids: ["agent".to_owned()].into(),
        routing_profile_id: "basic".to_owned(),
        hierarchy_group_id: None,
        phone: None,
        proficiencies: Vec::new(),
        tags: Default::default(),
    }
}

fn record(user_name: &str, active: bool, removed: bool) -> Record {
    let document: Value = json!({"userName": user_name, "active": active});
    Record {
        user: StoredUser {
            id: "u1".to_owned(),
            document: document.as_object().unwrap().clone(),
            last_modified: crate::store::iso(Timestamp::UNIX_EPOCH),
            ..StoredUser::default()
        },
        removed,
        ..Record::default()
    }
}

/// The kind of a failure, and what its message begins with.
fn described(failure: Failure) -> (&'static str, String) {
    match failure {
        Failure::Transient(code) => ("transient", code),
        Failure::Refused(refusal) => (refusal.code(), refusal.to_string()),
    }
}

#[test]
fn each_error_of_connect_is_permanent_or_passes() {
    use ErrorKind::{InvalidResponse, Refused, Throttled, Unavailable, Unreachable, Unsendable};
    let message = Some("quoted");
    for (kind, operation, code, status, expected) in [
        (
            Throttled,
            "CreateUser",
            "TooManyRequestsException",
            429,
            ("transient", "TooManyRequestsException"),
        ),
        (
            Unavailable,
            "CreateUser",
            "InternalServiceException",
            500,
            ("transient", "InternalServiceException"),
        ),
        (
            Unreachable,
            "CreateUser",
            "NoErrorCode",
            0,
            ("transient", "NoAnswer"),
        ),
        (
            InvalidResponse,
            "CreateUser",
            "NoErrorCode",
            200,
            ("transient", "NoAnswer"),
        ),
        (
            Unsendable,
            "CreateUser",
            "NoErrorCode",
            0,
            ("Misconfigured", "the endpoint cannot sign"),
        ),
        (
            Refused,
            "CreateUser",
            LIMIT_EXCEEDED,
            429,
            (
                "QuotaExceeded",
                "a quota of the Amazon Connect instance is used up (Users per instance): quoted.",
            ),
        ),
        (
            Refused,
            "TagResource",
            LIMIT_EXCEEDED,
            429,
            (
                "QuotaExceeded",
                "a quota of the Amazon Connect instance is used up (TagResource): quoted.",
            ),
        ),
        (
            Refused,
            "CreateUser",
            DUPLICATE,
            409,
            ("UserNameTaken", "Amazon Connect: quoted"),
        ),
        (
            Refused,
            "AssociateUserProficiencies",
            NOT_FOUND,
            404,
            ("Invalid", "proficiencies: each must be"),
        ),
        (
            Refused,
            "UpdateUserRoutingProfile",
            NOT_FOUND,
            404,
            (
                "Invalid",
                "Amazon Connect no longer has something that the user needs: quoted",
            ),
        ),
        (
            Refused,
            "DeleteUser",
            "AccessDeniedException",
            403,
            (
                "Misconfigured",
                "the endpoint is not permitted to call connect:DeleteUser: AccessDeniedException",
            ),
        ),
        (
            Refused,
            "DeleteUser",
            "UnrecognizedClientException",
            401,
            (
                "Misconfigured",
                "the endpoint is not permitted to call connect:DeleteUser",
            ),
        ),
        (
            Refused,
            "CreateUser",
            "InvalidParameterException",
            400,
            ("Invalid", "Amazon Connect refused the user: quoted"),
        ),
    ] {
        let (kind_of, text) = described(sort(kind, operation, code, Some(status), message));
        assert_eq!(kind_of, expected.0, "{operation} {code}");
        assert!(text.starts_with(expected.1), "{operation} {code}: {text}");
    }
    let (_, text) = described(sort(
        Refused,
        "CreateUser",
        "InvalidParameterException",
        Some(400),
        None,
    ));
    assert!(text.ends_with("InvalidParameterException"), "{text}");
}

#[test]
fn a_username_in_connect_belongs_to_someone() {
    for (record, expected) in [
        (None, Holder::Unknown),
        (Some(record("ada", true, false)), Holder::Other),
        (Some(record(" ADA", true, false)), Holder::Other),
        (Some(record("ada", false, false)), Holder::Other),
        (Some(record("other", true, false)), Holder::Renamed),
        (
            Some(record("other", false, false)),
            Holder::Leaver("u1".to_owned()),
        ),
        (
            Some(record("ada", true, true)),
            Holder::Leaver("u1".to_owned()),
        ),
    ] {
        assert_eq!(Holder::of("u1", record.as_ref(), "ada"), expected);
    }
}

#[test]
fn an_existing_user_is_adopted_only_as_the_environment_says() {
    const ADOPTED: &str = "adopted";
    let outcome = |holder: &Holder, adopt, is_same| match adoption(holder.clone(), adopt, is_same) {
        Ok(()) => ADOPTED.to_owned(),
        Err(Stop::HeldByLeaver(id)) => format!("held by {id}"),
        Err(stop) => described(stop.into()).1,
    };
    let all = [
        (Adopt::Never, false),
        (Adopt::Never, true),
        (Adopt::Matching, false),
        (Adopt::Matching, true),
        (Adopt::Always, false),
        (Adopt::Always, true),
    ];
    for (holder, expected) in [
        (Holder::Leaver("u1".to_owned()), ["held by u1"; 6]),
        (Holder::Renamed, ["UserNameIsBeingReleased"; 6]),
        (Holder::Other, ["another SCIM user has this userName"; 6]),
        (
            Holder::Unknown,
            [
                "Amazon Connect has a user of this userName that another SCIM directory",
                "Amazon Connect has a user of this userName that another SCIM directory",
                "Amazon Connect has a user of this userName that another SCIM directory",
                "Amazon Connect has a user of this userName that another SCIM directory",
                ADOPTED,
                ADOPTED,
            ],
        ),
        (
            Holder::Unmanaged,
            [
                "Amazon Connect has a user of this userName, which SCIM does not manage",
                "Amazon Connect has a user of this userName, which SCIM does not manage",
                "Amazon Connect has a user of this userName with another first or last name",
                ADOPTED,
                ADOPTED,
                ADOPTED,
            ],
        ),
    ] {
        for ((adopt, is_same), expected) in all.into_iter().zip(expected) {
            let outcome = outcome(&holder, adopt, is_same);
            assert!(
                outcome.starts_with(expected),
                "{holder:?} {adopt:?} {is_same}: {outcome}"
            );
        }
    }
}

#[test]
fn the_same_person_has_both_names_in_any_case() {
    let ada = identity("Ada", "Lovelace");
    for (other, expected) in [
        (identity("ada", " LOVELACE"), true),
        (identity("Ada", "King"), false),
        (identity("Augusta", "Lovelace"), false),
        (
            IdentityInfo {
                last_name: None,
                ..ada.clone()
            },
            false,
        ),
    ] {
        assert_eq!(is_same_person(&other, &ada), expected);
    }
}

#[test]
fn what_is_wanted_depends_on_the_user_that_connect_has() {
    let applied = AppliedUser {
        user_id: "c1".to_owned(),
        user: user("ada"),
    };
    let present = Presence::Present(user("new"));
    let suspended = Presence::Suspended(user("ada"));
    let username = |desired: Option<&ConnectUser>| desired.map(|user| user.username.clone());
    for (presence, with_user, without) in [
        (&present, Some("new"), Some("new")),
        (&suspended, Some("ada"), None),
        (&Presence::Absent, None, None),
    ] {
        assert_eq!(
            username(presence.desired(Some(&applied))).as_deref(),
            with_user
        );
        assert_eq!(username(presence.desired(None)).as_deref(), without);
    }
    assert_eq!(present.username(), Some("new"));
    assert_eq!(suspended.username(), Some("ada"));
    assert_eq!(Presence::Absent.username(), None);
}

#[test]
fn a_stop_is_a_failure_for_the_caller() {
    let refusal = || Refusal::Invalid("no such profile".to_owned());
    for (stop, expected) in [
        (
            Stop::Failed(Failure::Transient("Busy".to_owned())),
            Failure::Transient("Busy".to_owned()),
        ),
        (Stop::UnknownId(refusal()), Failure::Refused(refusal())),
        (
            Stop::HeldByLeaver("u1".to_owned()),
            Failure::Transient("UserNameIsBeingReleased".to_owned()),
        ),
    ] {
        assert_eq!(Failure::from(stop), expected);
    }
}

#[test]
fn generated_passwords_satisfy_connect_and_differ() {
    let password = generate_password().expose_secret().to_owned();
    assert!((8..=64).contains(&password.len()));
    assert!(password.contains(|character: char| character.is_ascii_uppercase()));
    assert!(password.contains(|character: char| character.is_ascii_lowercase()));
    assert!(password.contains(|character: char| character.is_ascii_digit()));
    assert_ne!(password, generate_password().expose_secret());
}

#[test]
fn errors_of_the_table_have_a_code() {
    assert_eq!(store_code(&StoreError::Malformed), "DirectoryTable");
    assert_eq!(store_code(&StoreError::Busy), "DirectoryTable");
}

#[test]
fn the_debug_output_of_a_refusal_has_its_kind_and_no_details() {
    for (refusal, code) in [
        (Refusal::UserNameTaken("ada".to_owned()), "UserNameTaken"),
        (Refusal::Invalid("ada".to_owned()), "Invalid"),
        (Refusal::QuotaExceeded("ada".to_owned()), "QuotaExceeded"),
        (Refusal::Misconfigured("ada".to_owned()), "Misconfigured"),
    ] {
        assert_eq!(format!("{refusal:?}"), code);
    }
}

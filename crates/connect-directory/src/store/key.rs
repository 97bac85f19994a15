//! The keys of the table's items.
//!
//! | Item | pk | sk | Content |
//! |---|---|---|---|
//! | user | `USER#<id>` | `USER` | everything about the user |
//! | user name | `USERNAME#<folded userName>` | `USERNAME` | a copy of the resource; makes the name unique |
//! | external id | `EXTERNALID#<client>#<externalId>` | `<user id>` | a copy of the resource |
//! | e-mail address | `EMAIL#<folded address>` | `<user id>` | nothing: a pointer |
//! | group | `GROUPS` | `<group id>#GROUP` | state, names, external ids |
//! | gate | `GROUPS` | `<group id>#GATE#<lane>` | generation and version of the members in one lane |
//! | group name | `GROUPNAME#<folded name>` | `GROUPNAME` | the id; makes the name unique |
//! | member | `GROUP#<group id>#<lane>` | `<user id>` | the display name of the user |
//! | listing | `LISTING` | `00` to `63` | a part of all users' [ids](super::listing) |
//!
//! The copies of a user make the two look-ups that identity providers send before every
//! change a single strongly consistent read. They are written in one transaction with the
//! user. The members of a group are spread over several partitions, because DynamoDB
//! writes at most 1,000 units per second to one.

use scim::comparison::Comparison;
use serde_json::{Value, json};
use uuid::Uuid;

/// The most bytes of a value that becomes a key: DynamoDB takes 2048 for a partition key,
/// 1024 for a sort key, and there is something around it.
pub const MAXIMUM_KEY_LENGTH: usize = 900;

/// The most groups of a user, so that the user and all memberships fit into one transaction.
pub const MAXIMUM_GROUPS: usize = 30;

/// The most e-mail addresses of a user, for the same reason.
pub const MAXIMUM_EMAILS: usize = 20;

/// In how many partitions the members of a group are kept. It cannot be changed: a
/// member is looked for in its lane only.
pub(crate) const LANES: u8 = 8;

/// The partition of all groups.
pub(super) const GROUPS: &str = "GROUPS";

/// Ends the sort key of a group, after its id.
pub(super) const GROUP: &str = "#GROUP";

/// Between the id of a group and a lane, in the sort key of a gate.
pub(super) const GATE: &str = "#GATE#";

/// One form for all spellings of a userName, or of the name of a group, that SCIM holds to
/// be equal: two names have the same form exactly if a filter with one finds the other.
pub fn fold(name: &str) -> String {
    Comparison::Name.key(name).into_owned()
}

/// The same for an e-mail address.
pub(super) fn fold_email(address: &str) -> String {
    Comparison::CaseInsensitive.key(address).into_owned()
}

/// Whether a text may be the id of a resource: it is part of a key.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAXIMUM_KEY_LENGTH && !id.contains('#')
}

pub(super) fn key(partition: impl Into<Value>, sort: impl Into<Value>) -> Value {
    json!({"pk": {"S": partition.into()}, "sk": {"S": sort.into()}})
}

pub(super) fn user_key(id: &str) -> Value {
    key(format!("USER#{id}"), "USER")
}

pub(super) fn user_name_key(user_name: &str) -> Value {
    key(format!("USERNAME#{}", fold(user_name)), "USERNAME")
}

pub(super) fn external_id_partition(client: &str, external_id: &str) -> String {
    format!("EXTERNALID#{client}#{external_id}")
}

pub(super) fn external_id_key(client: &str, external_id: &str, id: &str) -> Value {
    key(external_id_partition(client, external_id), id)
}

/// The partition of the users with an e-mail address that is folded already.
pub(super) fn email_partition(folded: &str) -> String {
    format!("EMAIL#{folded}")
}

pub(super) fn group_key(id: &str) -> Value {
    key(GROUPS, format!("{id}{GROUP}"))
}

pub(super) fn gate_key(id: &str, lane: u8) -> Value {
    key(GROUPS, format!("{id}{GATE}{lane}"))
}

pub(super) fn group_name_key(name: &str) -> Value {
    key(format!("GROUPNAME#{}", fold(name)), "GROUPNAME")
}

pub(super) fn member_partition(group_id: &str, lane: u8) -> String {
    format!("GROUP#{group_id}#{lane}")
}

pub(super) fn member_key(group_id: &str, user_id: &str) -> Value {
    key(member_partition(group_id, lane_of(user_id)), user_id)
}

/// The lane of a user in every group: the end of the id, which is random.
pub(crate) fn lane_of(user_id: &str) -> u8 {
    Uuid::try_parse(user_id).map_or(0, |id| id.as_bytes()[15] % LANES)
}

#[cfg(test)]
mod tests {
    use scim::filter::Filter;
    use serde_json::Map;

    use super::*;

    #[test]
    fn names_share_a_key_exactly_if_a_filter_finds_one_by_the_other() {
        let names = [
            "rose@example.net",
            " Rose@Example.NET\u{3000}",
            "\u{FF52}ose@example.net",
            "jos\u{e9}",
            "jose\u{301}",
            "JOSE\u{301} ",
            "jose",
            "ro se@example.net",
            "\u{df}",
            "ss",
        ];
        let user_type = connect_attributes::schema::user();
        for stored in names {
            let user = Map::from_iter([
                ("userName".to_owned(), json!(stored)),
                ("emails".to_owned(), json!([{"value": stored}])),
            ]);
            for wanted in names {
                let matches = |attribute: &str| {
                    let filter: Filter = format!("{attribute} eq {}", json!(wanted))
                        .parse()
                        .expect("a filter");
                    filter.matches(&user, user_type)
                };
                let same_name = user_name_key(stored) == user_name_key(wanted);
                assert_eq!(matches("userName"), same_name, "{stored:?} and {wanted:?}");
                let same_email = fold_email(stored) == fold_email(wanted);
                assert_eq!(
                    matches("emails.value"),
                    same_email,
                    "{stored:?} and {wanted:?}"
                );
            }
        }
    }

    #[test]
    fn keys_of_different_items_differ() {
        let id = "0190a1b2-0000-7000-8000-00000000000b";
        let keys = [
            user_key(id),
            user_name_key("Ada"),
            external_id_key("okta", "Ada", id),
            key(email_partition("ada"), id),
            group_key(id),
            gate_key(id, 3),
            gate_key(id, 4),
            group_name_key("Ada"),
            member_key("g", id),
            member_key("h", id),
        ];
        let expected = [
            ("USER#0190a1b2-0000-7000-8000-00000000000b", "USER"),
            ("USERNAME#ada", "USERNAME"),
            ("EXTERNALID#okta#Ada", id),
            ("EMAIL#ada", id),
            ("GROUPS", "0190a1b2-0000-7000-8000-00000000000b#GROUP"),
            ("GROUPS", "0190a1b2-0000-7000-8000-00000000000b#GATE#3"),
            ("GROUPS", "0190a1b2-0000-7000-8000-00000000000b#GATE#4"),
            ("GROUPNAME#ada", "GROUPNAME"),
            ("GROUP#g#3", id),
            ("GROUP#h#3", id),
        ]
        .map(|(partition, sort)| key(partition, sort));
        assert_eq!(keys, expected);
    }

    #[test]
    fn an_id_is_not_empty_not_too_long_and_not_a_part_of_another_key() {
        let longest = "i".repeat(MAXIMUM_KEY_LENGTH);
        for (id, valid) in [
            ("a", true),
            (longest.as_str(), true),
            (&format!("{longest}i"), false),
            ("", false),
            ("group#GATE#1", false),
        ] {
            assert_eq!(is_id(id), valid, "{} bytes", id.len());
        }
    }

    #[test]
    fn users_spread_over_all_lanes_and_stay_in_theirs() {
        let mut lanes: Vec<u8> = (0..=255)
            .map(|end| lane_of(&format!("0190a1b2-0000-7000-8000-0000000000{end:02x}")))
            .collect();
        assert_eq!(lanes[..9], [0, 1, 2, 3, 4, 5, 6, 7, 0]);
        lanes.sort_unstable();
        lanes.dedup();
        assert_eq!(lanes.len(), usize::from(LANES));
        assert_eq!(lane_of("not an id"), 0);
    }
}

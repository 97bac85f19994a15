//! What the directory keeps of a user, and how it stands in DynamoDB.
//!
//! | Item | pk | sk | holds |
//! |---|---|---|---|
//! | user | `USER#<id>` | `USER` | everything |
//! | by name | `USERNAME#<folded userName>` | `USERNAME` | a copy of the resource; keeps the name unique |
//! | by external id | `EXTERNALID#<client>#<externalId>` | `<id>` | a copy of the resource |
//! | membership | `GROUPS` | `<group id>#MEMBER#<id>` | |
//! | group | `GROUPS` | `<group id>#LINK` | what an identity provider made of it |
//! | listing | `LISTING` | `00` to `63` | a part of all users' [ids](super::listing) |
//!
//! The copies make the two look-ups that identity providers send before every change a
//! single strongly consistent read. They are written in one transaction with the user.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use jiff::Timestamp;
use scim::comparison::Comparison;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error, Visitor},
};
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;

use super::StoreError;
use crate::user::AppliedUser;

/// A SCIM User as it is stored and shown.
#[derive(Clone, PartialEq)]
pub struct StoredUser<D = Map<String, Value>> {
    /// The SCIM id; never changes.
    pub id: String,
    /// Counts the changes of the resource, from 1.
    pub version: u64,
    /// When the resource was created: ISO 8601, UTC, milliseconds.
    pub created: String,
    /// When the resource was last changed: ISO 8601, UTC, milliseconds.
    pub last_modified: String,
    /// The resource in canonical form, without `id` and `meta`.
    pub document: D,
    /// The groups that the user is a member of: id and name.
    pub groups: BTreeMap<String, String>,
}

impl StoredUser {
    /// `userName` as the identity provider wrote it.
    pub fn user_name(&self) -> &str {
        self.document
            .get("userName")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether the person may work; who is not said to be inactive may.
    pub fn is_active(&self) -> bool {
        self.document.get("active").and_then(Value::as_bool) != Some(false)
    }

    /// The identity provider's id of the user.
    pub fn external_id(&self) -> Option<&str> {
        self.document.get("externalId").and_then(Value::as_str)
    }
}

/// A [`StoredUser`] whose resource is left as it is stored: the text of a JSON object.
pub type WrittenUser = StoredUser<String>;

/// What the directory knows of the user in Connect.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectState {
    /// What was last written to Connect; absent: no user there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<AppliedUser>,
    /// `applied` may be outdated, because the answer to a change is unknown.
    #[serde(default)]
    pub uncertain: bool,
    /// Why Connect does not yet have what is wanted: an error code, no message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When Connect was last written to: ISO 8601; the time at which the change began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<String>,
    /// When Connect last refused what is wanted, so that somebody has to act: ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<String>,
}

/// A user with everything that the directory keeps of it.
#[derive(Clone, PartialEq)]
pub struct Record {
    /// What the identity provider wants.
    pub user: StoredUser,
    /// The client whose external id the user has.
    pub client: String,
    /// What Connect has.
    pub connect: ConnectState,
    /// Since when Connect lacks what is wanted: ISO 8601; absent: it has it.
    pub pending_since: Option<String>,
    /// The identity provider deleted the user; the record stays until Connect's is gone.
    pub removed: bool,
}

/// The right to change one user, until it expires.
#[derive(Debug, Clone)]
pub struct Claim {
    pub(super) token: String,
    pub(super) until: Timestamp,
}

/// ISO 8601, UTC, milliseconds: sorts by time as text.
pub fn iso(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// One form for all spellings of a userName that SCIM holds to be equal: two names have the
/// same form exactly if a filter `userName eq` with one finds the other.
pub fn fold(user_name: &str) -> String {
    Comparison::Name.key(user_name).into_owned()
}

pub(super) fn user_key(id: &str) -> Value {
    json!({"pk": {"S": format!("USER#{id}")}, "sk": {"S": "USER"}})
}

pub(super) fn user_name_key(user_name: &str) -> Value {
    user_name_key_of(&fold(user_name))
}

fn user_name_key_of(folded: &str) -> Value {
    json!({"pk": {"S": format!("USERNAME#{folded}")}, "sk": {"S": "USERNAME"}})
}

/// The keys under which the copy by name may be. Until width was folded, a name with
/// fullwidth or halfwidth letters had another one; the next change of the user moves it.
pub(super) fn user_name_keys(user_name: &str) -> Vec<Value> {
    let with_width: String = user_name.trim().nfc().collect();
    let former: String = with_width.to_lowercase().nfc().collect();
    let mut keys = vec![user_name_key(user_name)];
    if former != fold(user_name) {
        keys.push(user_name_key_of(&former));
    }
    keys
}

pub(super) fn external_id_partition(client: &str, external_id: &str) -> String {
    format!("EXTERNALID#{client}#{external_id}")
}

pub(super) fn external_id_key(client: &str, external_id: &str, id: &str) -> Value {
    json!({"pk": {"S": external_id_partition(client, external_id)}, "sk": {"S": id}})
}

fn with_user(mut item: Value, user: &StoredUser) -> Value {
    item["id"] = json!({"S": user.id});
    item["version"] = json!({"N": user.version.to_string()});
    item["created"] = json!({"S": user.created});
    item["lastModified"] = json!({"S": user.last_modified});
    item["document"] = json!({"S": Value::Object(user.document.clone()).to_string()});
    if !user.groups.is_empty() {
        item["groups"] = json!({"S": json!(user.groups).to_string()});
    }
    item
}

/// The partition of everything about groups.
pub(super) const GROUPS: &str = "GROUPS";

/// Between a group's id and the id of a member, in the sort key.
pub(super) const MEMBER: &str = "#MEMBER#";

/// Behind the id of a linked group, in the sort key.
pub(super) const LINK: &str = "#LINK";

pub(super) fn member_key(group_id: &str, user_id: &str) -> Value {
    json!({"pk": {"S": GROUPS}, "sk": {"S": format!("{group_id}{MEMBER}{user_id}")}})
}

pub(super) fn link_key(group_id: &str) -> Value {
    json!({"pk": {"S": GROUPS}, "sk": {"S": format!("{group_id}{LINK}")}})
}

pub(super) fn user_name_item(user: &StoredUser) -> Value {
    with_user(user_name_key(user.user_name()), user)
}

pub(super) fn external_id_item(client: &str, external_id: &str, user: &StoredUser) -> Value {
    with_user(external_id_key(client, external_id, &user.id), user)
}

pub(super) fn user_item(record: &Record, claim: Option<&Claim>) -> Result<Value, StoreError> {
    let user = &record.user;
    let mut item = with_user(user_key(&user.id), user);
    item["client"] = json!({"S": record.client});
    let connect = serde_json::to_string(&record.connect).map_err(|_| StoreError::Malformed)?;
    item["connect"] = json!({"S": connect});
    if record.removed {
        item["removed"] = json!({"BOOL": true});
    }
    if let Some(since) = &record.pending_since {
        item["pending"] = json!({"S": PENDING});
        item["pendingSince"] = json!({"S": since});
    }
    if let Some(claim) = claim {
        item["claim"] = json!({"S": claim.token});
        item["claimUntil"] = json!({"N": claim.until.as_millisecond().to_string()});
    }
    Ok(item)
}

/// The partition of the index of users that Connect lacks.
pub(super) const PENDING: &str = "PENDING";

pub(super) fn string<'a>(item: &'a Value, name: &str) -> Result<&'a str, StoreError> {
    item.get(name)
        .and_then(|attribute| attribute.get("S"))
        .and_then(Value::as_str)
        .ok_or(StoreError::Malformed)
}

/// The resource in an item of a user, read without a tree of the item in between: a page
/// has a hundred of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserItem<D = Json<Map<String, Value>>> {
    id: Text,
    version: Number,
    created: Text,
    last_modified: Text,
    document: D,
    groups: Option<Json<BTreeMap<String, String>>>,
    removed: Option<Flag>,
}

/// What a [`UserItem`] holds, to be asked for alone: the rest is larger. Aliases, because
/// DynamoDB reserves words.
pub(super) const USER_ATTRIBUTES: [(&str, &str); 7] = [
    ("#id", "id"),
    ("#version", "version"),
    ("#created", "created"),
    ("#lastModified", "lastModified"),
    ("#document", "document"),
    ("#groups", "groups"),
    ("#removed", "removed"),
];

#[derive(Deserialize)]
pub(super) struct Text {
    #[serde(rename = "S")]
    value: String,
}

#[derive(Deserialize)]
struct Number {
    #[serde(rename = "N", deserialize_with = "json_text")]
    value: u64,
}

#[derive(Deserialize)]
struct Flag {
    #[serde(rename = "BOOL")]
    value: bool,
}

/// A text that is JSON.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(super) struct Json<T> {
    #[serde(rename = "S", deserialize_with = "json_text")]
    value: T,
}

/// Reads a text as the JSON that it is, where it stands. The error says nothing of it.
fn json_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    struct JsonText<T>(PhantomData<T>);

    impl<T: DeserializeOwned> Visitor<'_> for JsonText<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a text of JSON")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            serde_json::from_str(text).map_err(|_| E::custom("not the JSON expected"))
        }
    }

    deserializer.deserialize_str(JsonText(PhantomData))
}

impl<D> UserItem<D> {
    pub(super) fn is_removed(&self) -> bool {
        self.removed.as_ref().is_some_and(|removed| removed.value)
    }
}

/// A resource as an item holds it.
pub(super) trait StoredDocument: DeserializeOwned {
    type Document;

    fn document(self) -> Self::Document;
}

impl StoredDocument for Json<Map<String, Value>> {
    type Document = Map<String, Value>;

    fn document(self) -> Self::Document {
        self.value
    }
}

impl StoredDocument for Text {
    type Document = String;

    fn document(self) -> String {
        self.value
    }
}

impl<D: StoredDocument> From<UserItem<D>> for StoredUser<D::Document> {
    fn from(item: UserItem<D>) -> Self {
        Self {
            id: item.id.value,
            version: item.version.value,
            created: item.created.value,
            last_modified: item.last_modified.value,
            document: item.document.document(),
            groups: item.groups.map(|groups| groups.value).unwrap_or_default(),
        }
    }
}

pub(super) fn parse_user(item: &Value) -> Result<StoredUser, StoreError> {
    <UserItem>::deserialize(item)
        .map(StoredUser::from)
        .map_err(|_| StoreError::Malformed)
}

pub(super) fn is_removed(item: &Value) -> bool {
    item.pointer("/removed/BOOL") == Some(&Value::Bool(true))
}

pub(super) fn parse_record(item: &Value) -> Result<Record, StoreError> {
    let connect: ConnectState =
        serde_json::from_str(string(item, "connect")?).map_err(|_| StoreError::Malformed)?;
    Ok(Record {
        user: parse_user(item)?,
        client: string(item, "client")?.to_owned(),
        connect,
        pending_since: string(item, "pendingSince").ok().map(str::to_owned),
        removed: is_removed(item),
    })
}

#[cfg(test)]
mod tests {
    use scim::filter::Filter;

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
            let user = Map::from_iter([("userName".to_owned(), json!(stored))]);
            for wanted in names {
                let filter: Filter = format!("userName eq {}", json!(wanted))
                    .parse()
                    .expect("a filter");
                assert_eq!(
                    filter.matches(&user, user_type),
                    user_name_key(stored) == user_name_key(wanted),
                    "{stored:?} and {wanted:?}"
                );
            }
        }
    }

    #[test]
    fn a_name_with_width_has_its_former_key_too() {
        assert_eq!(user_name_keys("Rose"), [user_name_key("rose")]);
        assert_eq!(
            user_name_keys("\u{FF32}ose "),
            [user_name_key("rose"), user_name_key_of("\u{FF52}ose")]
        );
    }
}

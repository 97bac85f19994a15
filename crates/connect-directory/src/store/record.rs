//! The stored state of a user, and its form in DynamoDB.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error, IgnoredAny, Visitor},
};
use serde_json::{Map, Value, json};

use super::{
    StoreError,
    key::{email_partition, external_id_key, fold_email, key, user_key, user_name_key},
};
use crate::user::AppliedUser;

/// A SCIM User as it is stored and shown.
#[derive(Clone, PartialEq, Default)]
pub struct StoredUser<D = Map<String, Value>> {
    /// The SCIM id; never changes.
    pub id: String,
    /// Counts the changes of the resource, from 1.
    pub version: u64,
    /// When the resource was created: ISO 8601, UTC, milliseconds.
    pub created: String,
    /// When the resource was last changed: ISO 8601, UTC, milliseconds.
    pub last_modified: String,
    /// The resource in canonical form, without `id`, `externalId`, `groups` and `meta`.
    pub document: D,
    /// The id that each client has for the user (RFC 7643, section 3.1).
    pub external_ids: BTreeMap<String, String>,
    /// The groups that the user is a member of, by id. Of a security profile's group: the
    /// name of the profile. `None`: a group with a name of its own, which its item has.
    pub groups: BTreeMap<String, Option<String>>,
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

    /// The external id of the first client in the order of the names, if any has one.
    pub fn first_external_id(&self) -> Option<&str> {
        self.external_ids.values().next().map(String::as_str)
    }

    /// The e-mail addresses by which the user can be looked up, folded.
    pub fn email_keys(&self) -> BTreeSet<String> {
        let emails = self.document.get("emails").and_then(Value::as_array);
        emails
            .into_iter()
            .flatten()
            .filter_map(|email| email.get("value").and_then(Value::as_str))
            .map(fold_email)
            .filter(|folded| !folded.is_empty())
            .collect()
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
    /// `applied` may be outdated, because the response to a change is unknown.
    #[serde(default)]
    pub uncertain: bool,
    /// Earlier usernames under which a user may have been created whose creation was never
    /// confirmed; only while [`ConnectState::uncertain`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former_usernames: BTreeSet<String>,
    /// Why Connect does not yet have what is wanted: an error code, no message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The settings under which `applied` became what was wanted
    /// (`directory::Settings::fingerprint`); absent: none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// When Connect was last written to: ISO 8601; the time at which the change began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<String>,
    /// When Connect last refused what is wanted, so that somebody has to act: ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<String>,
}

/// A user with everything that the directory keeps of it.
#[derive(Clone, PartialEq, Default)]
pub struct Record {
    /// What the identity provider wants.
    pub user: StoredUser,
    /// What Connect has.
    pub connect: ConnectState,
    /// Since when Connect lacks what is wanted: ISO 8601; absent: it has it.
    pub pending_since: Option<String>,
    /// The identity provider deleted the user; the record stays until Connect's is gone.
    pub removed: bool,
    /// The token of the claim on the user when it was read, be it valid or expired.
    pub claim: Option<String>,
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

fn with_user(mut item: Value, user: &StoredUser) -> Value {
    item["id"] = json!({"S": user.id});
    item["version"] = json!({"N": user.version.to_string()});
    item["created"] = json!({"S": user.created});
    item["lastModified"] = json!({"S": user.last_modified});
    item["document"] = json!({"S": Value::Object(user.document.clone()).to_string()});
    if !user.external_ids.is_empty() {
        item["externalIds"] = json!({"S": json!(user.external_ids).to_string()});
    }
    if !user.groups.is_empty() {
        item["groups"] = json!({"S": json!(user.groups).to_string()});
    }
    item
}

pub(super) fn user_name_item(user: &StoredUser) -> Value {
    with_user(user_name_key(user.user_name()), user)
}

pub(super) fn external_id_item(client: &str, external_id: &str, user: &StoredUser) -> Value {
    with_user(external_id_key(client, external_id, &user.id), user)
}

/// Points from an e-mail address to a user.
pub(super) fn email_item(folded: &str, id: &str) -> Value {
    key(email_partition(folded), id)
}

pub(super) fn user_item(record: &Record, claim: Option<&Claim>) -> Result<Value, StoreError> {
    let user = &record.user;
    let mut item = with_user(user_key(&user.id), user);
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
        item["claims"] = json!({"SS": [claim.token]});
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

/// The elements of a set of strings; none if there is no such attribute.
pub(super) fn strings<'a>(item: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    let elements = item.get(name).and_then(|set| set.get("SS"));
    let elements = elements.and_then(Value::as_array).into_iter().flatten();
    elements.filter_map(Value::as_str)
}

/// An attribute whose text is JSON.
pub(super) fn json_text<T: DeserializeOwned>(item: &Value, name: &str) -> Result<T, StoreError> {
    serde_json::from_str(string(item, name)?).map_err(|_| StoreError::Malformed)
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
    external_ids: Option<Json<BTreeMap<String, String>>>,
    groups: Option<Json<BTreeMap<String, Option<String>>>>,
    removed: Option<Flag>,
}

/// What a [`UserItem`] holds, to be asked for alone: the rest is larger. Aliases, because
/// DynamoDB reserves words.
pub(super) const USER_ATTRIBUTES: [(&str, &str); 8] = [
    ("#id", "id"),
    ("#version", "version"),
    ("#created", "created"),
    ("#lastModified", "lastModified"),
    ("#document", "document"),
    ("#externalIds", "externalIds"),
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
    #[serde(rename = "N", deserialize_with = "parsed_text")]
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
    #[serde(rename = "S", deserialize_with = "parsed_text")]
    value: T,
}

/// Reads a text as the JSON that it is, where it stands. The error says nothing of it.
fn parsed_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
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

/// `active` always has a value: a document that lacks it is read as that of an active user,
/// which Connect has.
const ACTIVE: &str = "active";

/// A resource as an item holds it.
pub(super) trait StoredDocument: DeserializeOwned {
    type Document;

    fn document(self) -> Self::Document;
}

impl StoredDocument for Json<Map<String, Value>> {
    type Document = Map<String, Value>;

    fn document(self) -> Self::Document {
        let mut document = self.value;
        document.entry(ACTIVE).or_insert(Value::Bool(true));
        document
    }
}

/// The text of a JSON object, completed by [`ACTIVE`].
pub(super) struct ObjectText(String);

impl<'de> Deserialize<'de> for ObjectText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.value;
        let members: BTreeMap<String, IgnoredAny> =
            serde_json::from_str(&text).map_err(|_| Error::custom("not the JSON expected"))?;
        if members.contains_key(ACTIVE) {
            return Ok(Self(text));
        }
        let separator = if members.is_empty() { "" } else { "," };
        let start = format!("{{\"{ACTIVE}\":true{separator}");
        Ok(Self(text.replacen('{', &start, 1)))
    }
}

impl StoredDocument for ObjectText {
    type Document = String;

    fn document(self) -> String {
        self.0
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
            external_ids: item.external_ids.map(|ids| ids.value).unwrap_or_default(),
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
    let connect: ConnectState = json_text(item, "connect")?;
    Ok(Record {
        user: parse_user(item)?,
        connect,
        pending_since: string(item, "pendingSince").ok().map(str::to_owned),
        removed: is_removed(item),
        claim: string(item, "claim").ok().map(str::to_owned),
    })
}

//! Users and groups as JSON (RFC 7643), in the form that Identity Center takes: one value per
//! multi-valued attribute, and the e-mail address primary.

use scim::error::ERROR_URN;
use serde_json::{Map, Value, json};

use super::configuration::Service;
use crate::attribute::{Attribute, Profile};
use crate::plan::{CurrentGroup, CurrentUser, ResourceId, UserChanges};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The place of an attribute in a user.
enum Place {
    Top(&'static str),
    Name(&'static str),
    Enterprise(&'static str),
    Manager,
    Email,
    PhoneNumber,
    Address(&'static str),
}

fn place(attribute: Attribute) -> Place {
    match attribute {
        Attribute::UserName
        | Attribute::DisplayName
        | Attribute::NickName
        | Attribute::ProfileUrl
        | Attribute::Title
        | Attribute::UserType
        | Attribute::PreferredLanguage
        | Attribute::Locale
        | Attribute::Timezone => Place::Top(attribute.key()),
        Attribute::GivenName | Attribute::FamilyName | Attribute::MiddleName => {
            Place::Name(attribute.key())
        }
        Attribute::FormattedName => Place::Name("formatted"),
        Attribute::Email => Place::Email,
        Attribute::PhoneNumber => Place::PhoneNumber,
        Attribute::StreetAddress
        | Attribute::Locality
        | Attribute::Region
        | Attribute::PostalCode
        | Attribute::Country => Place::Address(attribute.key()),
        Attribute::EmployeeNumber
        | Attribute::CostCenter
        | Attribute::Organization
        | Attribute::Division
        | Attribute::Department => Place::Enterprise(attribute.key()),
        Attribute::Manager => Place::Manager,
    }
}

fn email(value: &str) -> Value {
    json!([{"value": value, "type": "work", "primary": true}])
}

/// By the id of the user. Identity Center takes no `displayName` beside it.
fn manager(value: &str) -> Value {
    json!({"value": value})
}

fn phone_number(value: &str) -> Value {
    json!([{"value": value, "type": "work"}])
}

/// The body that makes a user.
pub(super) fn user(external_id: &str, profile: &Profile) -> Value {
    let mut user = Map::new();
    let (mut name, mut enterprise, mut address) = (Map::new(), Map::new(), Map::new());
    for (attribute, value) in &profile.0 {
        let (part, key) = match place(*attribute) {
            Place::Top(key) => (&mut user, key),
            Place::Name(key) => (&mut name, key),
            Place::Enterprise(key) => (&mut enterprise, key),
            Place::Address(key) => (&mut address, key),
            Place::Manager => {
                enterprise.insert(attribute.key().to_owned(), manager(value));
                continue;
            }
            Place::Email => {
                user.insert("emails".to_owned(), email(value));
                continue;
            }
            Place::PhoneNumber => {
                user.insert("phoneNumbers".to_owned(), phone_number(value));
                continue;
            }
        };
        part.insert(key.to_owned(), value.as_str().into());
    }
    let mut schemas = vec![USER];
    user.insert("externalId".to_owned(), external_id.into());
    user.insert("active".to_owned(), true.into());
    user.insert("name".to_owned(), name.into());
    if !address.is_empty() {
        address.insert("type".to_owned(), "work".into());
        user.insert("addresses".to_owned(), json!([address]));
    }
    if !enterprise.is_empty() {
        schemas.push(ENTERPRISE);
        user.insert(ENTERPRISE.to_owned(), enterprise.into());
    }
    user.insert("schemas".to_owned(), schemas.into());
    user.into()
}

/// The body that makes a group.
pub(super) fn group(external_id: &str, display_name: &str, members: &[ResourceId]) -> Value {
    let mut group = json!({
        "schemas": [GROUP],
        "externalId": external_id,
        "displayName": display_name,
    });
    if !members.is_empty() {
        group["members"] = values(members);
    }
    group
}

fn values(members: &[ResourceId]) -> Value {
    members.iter().map(|id| json!({"value": id.0})).collect()
}

/// The body that changes a user: exactly what changes, each attribute once.
pub(super) fn user_patch(changes: &UserChanges) -> Value {
    let mut operations = Vec::new();
    let mut replace = |path: String, value: Value| {
        operations.push(json!({"op": "replace", "path": path, "value": value}));
    };
    if let Some(active) = changes.active {
        replace("active".to_owned(), active.into());
    }
    if let Some(external_id) = &changes.external_id {
        replace("externalId".to_owned(), external_id.as_str().into());
    }
    let mut address = Map::new();
    for (attribute, value) in &changes.set {
        match place(*attribute) {
            Place::Top(key) => replace(key.to_owned(), value.as_str().into()),
            Place::Name(key) => replace(format!("name.{key}"), value.as_str().into()),
            Place::Enterprise(key) => replace(format!("{ENTERPRISE}:{key}"), value.as_str().into()),
            Place::Manager => replace(format!("{ENTERPRISE}:manager"), manager(value)),
            Place::Email => replace("emails".to_owned(), email(value)),
            Place::PhoneNumber => replace("phoneNumbers".to_owned(), phone_number(value)),
            Place::Address(key) => drop(address.insert(key.to_owned(), value.as_str().into())),
        }
    }
    if !address.is_empty() {
        address.insert("type".to_owned(), "work".into());
        replace("addresses".to_owned(), json!([address]));
    }
    let mut removed: Vec<String> = changes
        .removed
        .iter()
        .map(|attribute| match place(*attribute) {
            Place::Top(key) => key.to_owned(),
            Place::Name(key) => format!("name.{key}"),
            Place::Enterprise(key) => format!("{ENTERPRISE}:{key}"),
            Place::Manager => format!("{ENTERPRISE}:manager"),
            Place::Email => "emails".to_owned(),
            Place::PhoneNumber => "phoneNumbers".to_owned(),
            Place::Address(_) => "addresses".to_owned(),
        })
        .collect();
    removed.dedup();
    operations.extend(
        removed
            .into_iter()
            .map(|path| json!({"op": "remove", "path": path})),
    );
    json!({"schemas": [PATCH], "Operations": operations})
}

/// The body that renames or marks a group.
pub(super) fn group_patch(display_name: Option<&str>, external_id: Option<&str>) -> Value {
    let attributes = [("displayName", display_name), ("externalId", external_id)];
    let operations: Vec<Value> = attributes
        .into_iter()
        .filter_map(|(path, value)| Some(json!({"op": "replace", "path": path, "value": value?})))
        .collect();
    json!({"schemas": [PATCH], "Operations": operations})
}

/// The body that changes members. Identity Center removes those listed as the value; RFC 7644
/// (section 3.5.2.2) has them in the path. Never a replacement of all: Identity Center answers
/// such a request with 204 and changes nothing.
pub(super) fn members_patch(
    service: Service,
    added: &[ResourceId],
    removed: &[ResourceId],
) -> Value {
    let mut operations = Vec::new();
    if !removed.is_empty() {
        match service {
            Service::IdentityCenter => operations
                .push(json!({"op": "remove", "path": "members", "value": values(removed)})),
            Service::Scim => operations.extend(removed.iter().map(
                |id| json!({"op": "remove", "path": format!("members[value eq {}]", json!(id.0))}),
            )),
        }
    }
    if !added.is_empty() {
        operations.push(json!({"op": "add", "path": "members", "value": values(added)}));
    }
    json!({"schemas": [PATCH], "Operations": operations})
}

/// A user from an answer; none without an id.
pub(super) fn read_user(mut user: Value) -> Option<CurrentUser> {
    if user["schemas"] == json!([ERROR_URN]) {
        return None;
    }
    let id = ResourceId(user["id"].as_str()?.to_owned());
    let profile = Attribute::ALL
        .into_iter()
        .filter_map(|attribute| Some((attribute, value(&user, attribute)?)))
        .collect();
    Some(CurrentUser {
        id,
        external_id: text(user["externalId"].take()),
        // Absent where the server has no such state; some send it as text.
        active: !matches!(&user["active"], Value::Bool(false))
            && !user["active"]
                .as_str()
                .is_some_and(|active| active.eq_ignore_ascii_case("false")),
        profile: Profile(profile),
    })
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn value(user: &Value, attribute: Attribute) -> Option<String> {
    let value = match place(attribute) {
        Place::Top(key) => &user[key],
        Place::Name(key) => &user["name"][key],
        Place::Enterprise(key) => &user[ENTERPRISE][key],
        Place::Manager => &user[ENTERPRISE]["manager"]["value"],
        Place::Email => &primary(&user["emails"])?["value"],
        Place::PhoneNumber => &primary(&user["phoneNumbers"])?["value"],
        Place::Address(key) => &primary(&user["addresses"])?[key],
    };
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// The primary value, else the first.
fn primary(values: &Value) -> Option<&Value> {
    let values = values.as_array()?;
    values
        .iter()
        .find(|value| value["primary"] == true)
        .or_else(|| values.first())
}

/// A group from an answer, and the ids that it shows as members; none without an id or name.
pub(super) fn read_group(mut group: Value) -> Option<(CurrentGroup, Vec<String>)> {
    let members = group["members"].as_array();
    let members = members
        .into_iter()
        .flatten()
        .filter_map(|member| member["value"].as_str().map(str::to_owned))
        .collect();
    let read = CurrentGroup {
        id: ResourceId(group["id"].as_str()?.to_owned()),
        external_id: text(group["externalId"].take()),
        display_name: text(group["displayName"].take())?,
        members: None,
    };
    Some((read, members))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile(
            Attribute::ALL
                .map(|attribute| (attribute, format!("the {attribute}")))
                .into(),
        )
    }

    #[test]
    fn a_user_is_read_as_it_was_written() {
        let mut document = user("corp:1", &profile());
        document["id"] = "u1".into();
        let read = read_user(document).unwrap();
        assert_eq!(read.profile, profile());
        assert_eq!(read.external_id.as_deref(), Some("corp:1"));
        assert!(read.active);
    }

    #[test]
    fn a_patch_has_one_operation_for_each_attribute() {
        let changes = UserChanges {
            active: Some(false),
            external_id: None,
            set: [
                (Attribute::GivenName, "Ann".to_owned()),
                (Attribute::Email, "ann@example.test".to_owned()),
                (Attribute::Department, "IT".to_owned()),
                (Attribute::Locality, "Bonn".to_owned()),
                (Attribute::Country, "DE".to_owned()),
            ]
            .into(),
            removed: [Attribute::Title, Attribute::CostCenter].into(),
            new_manager: None,
        };
        insta::assert_json_snapshot!(user_patch(&changes)["Operations"], @r#"
        [
          {
            "op": "replace",
            "path": "active",
            "value": false
          },
          {
            "op": "replace",
            "path": "name.givenName",
            "value": "Ann"
          },
          {
            "op": "replace",
            "path": "emails",
            "value": [
              {
                "primary": true,
                "type": "work",
                "value": "ann@example.test"
              }
            ]
          },
          {
            "op": "replace",
            "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            "value": "IT"
          },
          {
            "op": "replace",
            "path": "addresses",
            "value": [
              {
                "country": "DE",
                "locality": "Bonn",
                "type": "work"
              }
            ]
          },
          {
            "op": "remove",
            "path": "title"
          },
          {
            "op": "remove",
            "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter"
          }
        ]
        "#);
    }

    #[test]
    fn members_are_removed_as_each_service_wants_it() {
        let id = [ResourceId("u\"1".to_owned())];
        let body = members_patch(Service::IdentityCenter, &[], &id);
        assert_eq!(
            body["Operations"],
            json!([{"op": "remove", "path": "members", "value": [{"value": "u\"1"}]}])
        );
        let body = members_patch(Service::Scim, &id, &id);
        assert_eq!(
            body["Operations"],
            json!([
                {"op": "remove", "path": r#"members[value eq "u\"1"]"#},
                {"op": "add", "path": "members", "value": [{"value": "u\"1"}]}
            ])
        );
    }

    #[test]
    fn responses_are_read_although_servers_omit_attributes() {
        let user = read_user(json!({"id": "u1", "userName": "ann", "active": "False"})).unwrap();
        assert!(!user.active);
        assert_eq!(user.external_id, None);
        assert!(read_user(json!({"userName": "ann"})).is_none());
        let (group, members) =
            read_group(json!({"id": "g1", "displayName": "all", "members": [{"value": "u1"}, {}]}))
                .unwrap();
        assert_eq!(group.display_name, "all");
        assert_eq!(members, ["u1"]);
        assert!(read_group(json!({"id": "g1"})).is_none());
    }

    #[test]
    fn a_group_is_created_with_its_members_and_changed_by_attribute() {
        let id = ResourceId("u1".to_owned());
        assert_eq!(
            group("corp:7", "aws-admins", &[]),
            json!({"schemas": [GROUP], "externalId": "corp:7", "displayName": "aws-admins"})
        );
        assert_eq!(
            group("corp:7", "aws-admins", &[id])["members"],
            json!([{"value": "u1"}])
        );
        let operation =
            |path: &str, value: &str| json!({"op": "replace", "path": path, "value": value});
        let (name, mark) = (
            operation("displayName", "aws-owners"),
            operation("externalId", "corp:7"),
        );
        for (patch, operations) in [
            (group_patch(Some("aws-owners"), None), vec![name.clone()]),
            (group_patch(None, Some("corp:7")), vec![mark.clone()]),
            (
                group_patch(Some("aws-owners"), Some("corp:7")),
                vec![name, mark],
            ),
        ] {
            assert_eq!(patch, json!({"schemas": [PATCH], "Operations": operations}));
        }
    }
}

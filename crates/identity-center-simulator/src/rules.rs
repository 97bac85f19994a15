//! What a user or a group may look like, from the pages `createuser`, `patchuser`,
//! `creategroup` and `patchgroup` of the developer guide.

use std::collections::BTreeSet;

use scim::Resource;
use scim::patch::{PatchOperation, PatchOperator, PatchRequest};
use serde_json::Value;

use crate::error::Error;
use crate::listing;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const USER_ATTRIBUTES: [&str; 20] = [
    "schemas",
    "id",
    "meta",
    "externalId",
    "userName",
    "active",
    "name",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "emails",
    "addresses",
    "phoneNumbers",
    "roles",
    ENTERPRISE,
];

/// "Modification is only allowed for …".
const MODIFIABLE: [&str; 16] = [
    "userName",
    "active",
    "externalId",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "name",
    "emails",
    "addresses",
    "phoneNumbers",
    ENTERPRISE,
];

const GROUP_ATTRIBUTES: [&str; 6] = [
    "schemas",
    "id",
    "meta",
    "externalId",
    "displayName",
    "members",
];

/// The most membership changes of one request.
const MEMBERSHIP_CHANGES: usize = 100;

pub(crate) fn check_user(user: &Resource) -> Result<(), Error> {
    known(user, &USER_ATTRIBUTES)?;
    let name = user.get("name");
    let required = [
        user.get("userName"),
        user.get("displayName"),
        name.and_then(|name| name.get("givenName")),
        name.and_then(|name| name.get("familyName")),
    ];
    let filled = |value: &Option<&Value>| {
        value
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    valid(required.iter().all(filled))?;
    let user_name = user
        .get("userName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    valid((1..=128).contains(&user_name.chars().count()))?;
    valid(
        !user_name
            .chars()
            .any(|next| next.is_whitespace() || next.is_control()),
    )?;
    valid(!is_reserved(user_name))?;
    for name in ["emails", "addresses", "phoneNumbers", "roles"] {
        let Some(values) = user.get(name) else {
            continue;
        };
        let values = values.as_array().ok_or(Error::Validation)?;
        valid(values.len() <= 1)?;
        for value in values {
            valid(value.get("display").is_none())?;
        }
    }
    if let Some(email) = user.get("emails").and_then(|emails| emails.get(0)) {
        let primary = email.get("primary");
        valid(primary.is_some_and(|flag| *flag == true || *flag == "true"))?;
        valid(email.get("value").and_then(Value::as_str).is_some())?;
    }
    let manager = user
        .get(ENTERPRISE)
        .and_then(|extension| extension.get("manager"));
    valid(manager.is_none_or(|manager| manager.get("displayName").is_none()))?;
    valid(user.values().all(short))
}

pub(crate) fn check_group(group: &Resource) -> Result<(), Error> {
    known(group, &GROUP_ATTRIBUTES)?;
    let name = group.get("displayName").and_then(Value::as_str);
    valid(name.is_some_and(|name| !name.is_empty() && !is_reserved(name)))?;
    valid(group.values().all(short))
}

/// Names that neither a user nor a group may have (CreateUser and CreateGroup of the Identity
/// Store).
fn is_reserved(name: &str) -> bool {
    ["administrator", "awsadministrators"].contains(&name.to_lowercase().as_str())
}

/// Strings have at most 1,024 characters.
fn short(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().count() <= 1024,
        Value::Array(values) => values.iter().all(short),
        Value::Object(values) => values.values().all(short),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn known(resource: &Resource, attributes: &[&str]) -> Result<(), Error> {
    valid(
        resource
            .keys()
            .all(|key| attributes.contains(&key.as_str())),
    )
}

fn valid(holds: bool) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::Validation)
    }
}

/// The attribute that an operation is about; several without a path.
fn attributes(operation: &PatchOperation) -> Result<Vec<String>, Error> {
    let Some(path) = &operation.path else {
        let value = operation.value.as_object().ok_or(Error::Validation)?;
        return Ok(value.keys().cloned().collect());
    };
    let path = &path.path;
    let extension = path.schema.clone().filter(|urn| urn == ENTERPRISE);
    Ok(vec![extension.unwrap_or_else(|| path.attribute.clone())])
}

pub(crate) fn check_user_patch(patch: &PatchRequest) -> Result<(), Error> {
    let mut once = BTreeSet::new();
    for operation in &patch.operations {
        check_shape(operation)?;
        for attribute in attributes(operation)? {
            let known = MODIFIABLE.contains(&attribute.as_str());
            valid(
                known
                    || (operation.path.is_none()
                        && ["id", "schemas"].contains(&attribute.as_str())),
            )?;
            if ["userName", "active"].contains(&attribute.as_str()) {
                valid(operation.operator != PatchOperator::Remove)?;
                valid(once.insert(attribute))?;
            }
        }
    }
    Ok(())
}

fn check_shape(operation: &PatchOperation) -> Result<(), Error> {
    match operation.operator {
        PatchOperator::Remove => valid(operation.path.is_some()),
        PatchOperator::Add | PatchOperator::Replace => valid(!operation.value.is_null()),
    }
}

/// What a PATCH does to a group.
#[derive(Debug, Default)]
pub(crate) struct GroupPatch {
    /// Operations on other attributes than members.
    pub attributes: Vec<PatchOperation>,
    /// Ids of users to add (true) and to remove (false), in order.
    pub members: Vec<(bool, String)>,
}

pub(crate) fn read_group_patch(patch: PatchRequest) -> Result<GroupPatch, Error> {
    let mut read = GroupPatch::default();
    for mut operation in patch.operations {
        check_shape(&operation)?;
        for attribute in attributes(&operation)? {
            let known = ["displayName", "members", "externalId"].contains(&attribute.as_str());
            valid(
                known
                    || (operation.path.is_none()
                        && ["id", "schemas"].contains(&attribute.as_str())),
            )?;
        }
        match &operation.path {
            Some(path) if attributes(&operation)? == ["members"] => {
                let ids = match &path.filter {
                    None => ids(&operation.value)?,
                    Some(filter) => vec![listing::only_value(filter)?],
                };
                match operation.operator {
                    // Seen in the wild: answered with 204, and nothing changes.
                    PatchOperator::Replace => {}
                    PatchOperator::Add => {
                        read.members.extend(ids.into_iter().map(|id| (true, id)));
                    }
                    PatchOperator::Remove => {
                        valid(!ids.is_empty())?;
                        read.members.extend(ids.into_iter().map(|id| (false, id)));
                    }
                }
            }
            Some(_) => read.attributes.push(operation),
            None => {
                let members = operation
                    .value
                    .as_object_mut()
                    .and_then(|value| value.remove("members"));
                if let (Some(members), PatchOperator::Add) = (&members, operation.operator) {
                    read.members
                        .extend(ids(members)?.into_iter().map(|id| (true, id)));
                }
                read.attributes.push(operation);
            }
        }
    }
    valid(read.members.len() <= MEMBERSHIP_CHANGES)?;
    Ok(read)
}

/// The ids of a list of members.
pub(crate) fn ids(members: &Value) -> Result<Vec<String>, Error> {
    let members = match members {
        Value::Null => return Ok(Vec::new()),
        Value::Array(members) => members.clone(),
        other => vec![other.clone()],
    };
    valid(members.len() <= MEMBERSHIP_CHANGES)?;
    members
        .iter()
        .map(|member| {
            let id = member.get("value").and_then(Value::as_str);
            id.map(str::to_owned).ok_or(Error::Validation)
        })
        .collect()
}

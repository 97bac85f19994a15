//! SCIM operations on groups, as changes of the directory.
//!
//! A group's version is a hash of its parts: the generation and the change count
//! of its members, its name and the client's id of it. So it is known without the members.

use std::collections::BTreeSet;

use connect_directory::{
    directory::{Directory, Group, GroupChange, GroupError},
    store::Member,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use scim::{
    Resource, ScimError,
    comparison::Comparison,
    etag,
    filter::{Equality, Filter},
    list::ListQuery,
    patch::PatchRequest,
    projection::Projection,
    protocol::Request,
    resource::replace,
    schema::ResourceType,
};
use serde_json::{Value, json};

use crate::{
    failure::{check_key_length, group_error, store_error},
    users::{self, Changed},
    view::View,
};

impl View<'_> {
    fn version(&self, group: &Group) -> String {
        let stored = &group.stored;
        let external_id = stored.external_ids.get(self.context.client);
        let changes = stored.version.to_string();
        etag::of_parts([
            stored.generation.as_str(),
            changes.as_str(),
            group.display_name.as_str(),
            external_id.map_or("", String::as_str),
        ])
    }

    fn resource(&self, group: &Group, members: &[Member]) -> Resource {
        let stored = &group.stored;
        let mut resource = Resource::from_iter([
            (
                "schemas".to_owned(),
                json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]),
            ),
            ("id".to_owned(), json!(stored.id)),
            ("displayName".to_owned(), json!(group.display_name)),
        ]);
        if let Some(external_id) = stored.external_ids.get(self.context.client) {
            resource.insert("externalId".to_owned(), json!(external_id));
        }
        let member = |member: &Member| {
            let mut shown = json!({
                "value": member.user_id,
                "$ref": format!("{}/Users/{}", self.base, member.user_id),
                "type": "User",
            });
            if !member.display.is_empty() {
                shown["display"] = json!(member.display);
            }
            shown
        };
        if !members.is_empty() {
            let members: Vec<Value> = members.iter().map(member).collect();
            resource.insert("members".to_owned(), Value::Array(members));
        }
        let meta = json!({
            "resourceType": "Group",
            "created": stored.created,
            "lastModified": stored.last_modified,
            "version": self.version(group),
        });
        resource.insert("meta".to_owned(), meta);
        resource
    }
}

/// How often a change is tried while other requests change the same group.
const ATTEMPTS: u32 = 3;

/// Of how many groups the members are read at once.
const GROUPS_AT_ONCE: usize = 4;

/// Which members of a group are read.
#[derive(Clone, Copy)]
enum Members<'a> {
    All,
    /// Only this one, whose membership is known.
    One(&'a str),
    None,
}

async fn read(
    directory: &Directory,
    group: &Group,
    members: Members<'_>,
    view: View<'_>,
) -> Result<Resource, ScimError> {
    let members = match members {
        Members::All => directory
            .store()
            .members_of(&group.stored)
            .await
            .map_err(store_error)?,
        Members::One(user_id) => vec![Member {
            user_id: user_id.to_owned(),
            display: String::new(),
        }],
        Members::None => Vec::new(),
    };
    Ok(view.resource(group, &members))
}

fn shown_members(projection: &Projection, resource_type: &ResourceType) -> Members<'static> {
    if projection.includes("members", resource_type) {
        Members::All
    } else {
        Members::None
    }
}

pub(crate) async fn get(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    view: View<'_>,
) -> Result<Resource, ScimError> {
    let group = directory
        .group(id, view.context)
        .await
        .map_err(group_error)?;
    let members = shown_members(&request.projection, resource_type);
    read(directory, &group, members, view).await
}

/// All groups that may satisfy the query: those that it names, or every one.
pub(crate) async fn candidates(
    directory: &Directory,
    resource_type: &ResourceType,
    query: &ListQuery,
    view: View<'_>,
) -> Result<Vec<Resource>, ScimError> {
    let equalities = match &query.filter {
        Some(filter) => filter.equalities(resource_type),
        None => Vec::new(),
    };
    let member = equality(&equalities, "members.value");
    let groups = match (
        equality(&equalities, "id"),
        equality(&equalities, "displayName"),
        member,
    ) {
        (Some(id), _, member) => {
            let found = optional(directory.group(id, view.context).await)?;
            let joined = match member {
                Some(user_id) => groups_of(directory, user_id).await?.contains(id),
                None => true,
            };
            found.into_iter().filter(|_| joined).collect()
        }
        (None, Some(name), _) => directory
            .groups_by_name(name, view.context)
            .await
            .map_err(group_error)?,
        (None, None, Some(user_id)) => {
            let mut groups = Vec::new();
            for id in groups_of(directory, user_id).await? {
                groups.extend(optional(directory.group(&id, view.context).await)?);
            }
            groups
        }
        (None, None, None) => directory.groups(view.context).await.map_err(group_error)?,
    };
    let shown = shown_members(&query.projection, resource_type);
    let members = match (shown, member) {
        (Members::None, Some(user_id)) if !asks_for_members(query, 1) => Members::One(user_id),
        (Members::None, None) if !asks_for_members(query, 0) => Members::None,
        _ => Members::All,
    };
    stream::iter(&groups)
        .map(|group| read(directory, group, members, view))
        .buffered(GROUPS_AT_ONCE)
        .try_collect()
        .await
}

fn equality<'a>(equalities: &'a [Equality], attribute: &str) -> Option<&'a str> {
    equalities
        .iter()
        .find(|equality| equality.attribute == attribute)
        .map(|equality| equality.value.as_str())
}

/// Whether filter and sorting name members in more places than these.
fn asks_for_members(query: &ListQuery, places: usize) -> bool {
    let filter = query.filter.as_ref().map(Filter::to_string);
    let filter = filter.unwrap_or_default().to_lowercase();
    filter.matches("members").count() > places || query.sort.is_some()
}

async fn groups_of(directory: &Directory, user_id: &str) -> Result<BTreeSet<String>, ScimError> {
    let user = directory.store().get(user_id).await.map_err(store_error)?;
    Ok(user
        .map(|user| user.groups.into_keys().collect())
        .unwrap_or_default())
}

fn optional(found: Result<Group, GroupError>) -> Result<Option<Group>, ScimError> {
    match found {
        Ok(group) => Ok(Some(group)),
        Err(GroupError::NotFound) => Ok(None),
        Err(error) => Err(group_error(error)),
    }
}

pub(crate) async fn create(
    directory: &Directory,
    incoming: &Resource,
    view: View<'_>,
) -> Result<Changed, ScimError> {
    let change = change_to(&BTreeSet::new(), incoming)?;
    let (group, pending) = directory
        .create_group(&change, view.context)
        .await
        .map_err(group_error)?;
    let resource = read(directory, &group, Members::All, view).await?;
    Ok(Changed { resource, pending })
}

pub(crate) async fn put(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    incoming: &Resource,
    view: View<'_>,
) -> Result<Changed, ScimError> {
    let change = |before: &Resource| replace(before, incoming, resource_type);
    update(directory, request, resource_type, id, change, view).await
}

pub(crate) async fn patch(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    patch: &PatchRequest,
    view: View<'_>,
) -> Result<Changed, ScimError> {
    let change = |before: &Resource| {
        let patched = patch.apply(before, resource_type)?;
        users::log_ignored(&patched);
        Ok(patched.resource)
    };
    update(directory, request, resource_type, id, change, view).await
}

async fn update(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    change: impl Fn(&Resource) -> Result<Resource, ScimError>,
    view: View<'_>,
) -> Result<Changed, ScimError> {
    let mut attempts = 1..ATTEMPTS;
    let (group, pending) = loop {
        let group = directory
            .group(id, view.context)
            .await
            .map_err(group_error)?;
        request.preconditions.check_write(&view.version(&group))?;
        let members = directory.store().members(id).await.map_err(store_error)?;
        let wanted = change(&view.resource(&group, &members))?;
        let before = members.into_iter().map(|member| member.user_id).collect();
        let change = change_to(&before, &wanted)?;
        match directory.change_group(&group, &change, view.context).await {
            Err(GroupError::Changed) if attempts.next().is_some() => {}
            changed => break changed.map_err(group_error)?,
        }
    };
    let members = shown_members(&request.projection, resource_type);
    let resource = read(directory, &group, members, view).await?;
    Ok(Changed { resource, pending })
}

/// Removes all members and hides the group. The result is how many users Connect does not
/// have so yet.
pub(crate) async fn delete(
    directory: &Directory,
    request: &Request<'_>,
    id: &str,
    view: View<'_>,
) -> Result<u32, ScimError> {
    /// The refusal of a precondition, or an error of the directory.
    struct Refusal(ScimError);

    impl From<GroupError> for Refusal {
        fn from(error: GroupError) -> Self {
            Self(group_error(error))
        }
    }

    directory
        .delete_group(
            id,
            |group| {
                let version = view.version(group);
                request.preconditions.check_write(&version).map_err(Refusal)
            },
            view.context,
        )
        .await
        .map_err(|Refusal(error)| error)
}

/// The change from a group with these members to the wanted one.
fn change_to(before: &BTreeSet<String>, wanted: &Resource) -> Result<GroupChange, ScimError> {
    let text = |name: &str| wanted.get(name).and_then(Value::as_str);
    let display_name = text("displayName").unwrap_or_default().trim();
    check_key_length("displayName", &Comparison::Name.key(display_name))?;
    let external_id = text("externalId");
    check_key_length("externalId", external_id.unwrap_or_default())?;
    let members = wanted.get("members").and_then(Value::as_array);
    let members = members.into_iter().flatten();
    let after: BTreeSet<String> = members
        .filter_map(|member| member.get("value").and_then(Value::as_str))
        .map(str::to_owned)
        .collect();
    for id in &after {
        check_key_length("members.value", id)?;
    }
    Ok(GroupChange {
        display_name: display_name.to_owned(),
        external_id: external_id.map(str::to_owned),
        added: after.difference(before).cloned().collect(),
        removed: before.difference(&after).cloned().collect(),
    })
}

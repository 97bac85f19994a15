//! SCIM Groups are the security profiles of the instance.
//!
//! A group's id and name are the profile's, so a group of an identity provider finds its
//! profile by `displayName`. Profiles are made in Connect, where their permissions are
//! given: creating a group of an unknown name is refused, creating one of a known name
//! links it. Deleting a group takes its members out and the group out of the identity
//! provider's sight; the profile stays, and can be linked again. Connect cannot rename
//! profiles, so groups cannot be renamed.
//!
//! A group's version is a hash of what it consists of: its members are changed one by one,
//! each in a transaction of its own, so there is no place to count the changes of the
//! group. `If-Match` is checked when a change begins; two changes that begin at once both
//! pass, and both are made.

use std::collections::BTreeSet;

use connect_directory::{
    connect::NamedResource,
    directory::{Context, Directory},
    profiles::ProfileError,
    store::{Link, Member},
};
use scim::{
    Resource, ScimError, ScimType, comparison::Comparison, etag, filter::Filter, list::ListQuery,
    patch::PatchRequest, protocol::Request, resource::replace, schema::ResourceType,
};
use serde_json::{Value, json};

use crate::{
    failure::{connect_failure, directory_error, store_error},
    users,
};

/// A group after a change, and how many of its users Connect does not yet have so.
pub(crate) struct Changed {
    pub resource: Resource,
    pub pending: u32,
}

/// A security profile with its members.
struct Group {
    profile: NamedResource,
    members: Vec<Member>,
    link: Option<Link>,
}

impl Group {
    fn is_deleted(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.deleted)
    }

    fn resource(&self, base: &str) -> Resource {
        let mut resource = Resource::new();
        resource.insert(
            "schemas".to_owned(),
            json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]),
        );
        resource.insert("id".to_owned(), json!(self.profile.id));
        resource.insert("displayName".to_owned(), json!(self.profile.name));
        if let Some(external_id) = self
            .link
            .as_ref()
            .and_then(|link| link.external_id.as_ref())
        {
            resource.insert("externalId".to_owned(), json!(external_id));
        }
        let members: Vec<Value> = self
            .members
            .iter()
            .map(|member| {
                json!({
                    "value": member.user_id,
                    "$ref": format!("{base}/Users/{}", member.user_id),
                    "type": "User",
                })
            })
            .collect();
        if !members.is_empty() {
            resource.insert("members".to_owned(), members.into());
        }
        let meta = json!({"resourceType": "Group", "version": self.version()});
        resource.insert("meta".to_owned(), meta);
        resource
    }

    fn version(&self) -> String {
        let external_id = self
            .link
            .as_ref()
            .and_then(|link| link.external_id.as_deref());
        let own = [self.profile.name.as_str(), external_id.unwrap_or_default()];
        let members = self.members.iter().map(|member| member.user_id.as_str());
        etag::of_parts(own.into_iter().chain(members))
    }
}

async fn profiles(
    directory: &Directory,
    context: Context<'_>,
) -> Result<Vec<NamedResource>, ScimError> {
    let profiles = directory.profiles();
    let listed = profiles.security_profiles(context.deadline).await;
    listed.map_err(connect_failure)
}

async fn find(directory: &Directory, id: &str, context: Context<'_>) -> Result<Group, ScimError> {
    let not_found = || ScimError::not_found("there is no group of this id");
    let profile = profiles(directory, context)
        .await?
        .into_iter()
        .find(|profile| profile.id == id)
        .ok_or_else(not_found)?;
    let group = read(directory, profile).await?;
    if group.is_deleted() {
        return Err(not_found());
    }
    Ok(group)
}

async fn read(directory: &Directory, profile: NamedResource) -> Result<Group, ScimError> {
    let memberships = directory.store().memberships(Some(&profile.id)).await;
    let (members, mut links) = memberships.map_err(store_error)?;
    Ok(Group {
        profile,
        members,
        link: links.pop(),
    })
}

pub(crate) async fn get(
    directory: &Directory,
    id: &str,
    base: &str,
    context: Context<'_>,
) -> Result<Resource, ScimError> {
    Ok(find(directory, id, context).await?.resource(base))
}

/// All groups that may satisfy the query: one that it names, or every one.
pub(crate) async fn candidates(
    directory: &Directory,
    resource_type: &ResourceType,
    query: &ListQuery,
    base: &str,
    context: Context<'_>,
) -> Result<Vec<Resource>, ScimError> {
    let profiles = profiles(directory, context).await?;
    if let Some(profile) = query
        .filter
        .as_ref()
        .and_then(|filter| named(filter, resource_type, &profiles))
    {
        let group = match profile {
            Some(profile) => Some(read(directory, profile).await?),
            None => None,
        };
        return Ok(group
            .filter(|group| !group.is_deleted())
            .map(|group| group.resource(base))
            .into_iter()
            .collect());
    }
    let (members, links) = directory
        .store()
        .memberships(None)
        .await
        .map_err(store_error)?;
    Ok(profiles
        .into_iter()
        .map(|profile| {
            let of_this = |group_id: &str| group_id == profile.id;
            Group {
                members: members
                    .iter()
                    .filter(|member| of_this(&member.group_id))
                    .cloned()
                    .collect(),
                link: links.iter().find(|link| of_this(&link.group_id)).cloned(),
                profile,
            }
        })
        .filter(|group| !group.is_deleted())
        .map(|group| group.resource(base))
        .collect())
}

/// The one profile that can satisfy a filter, if the filter demands a name or an id.
fn named(
    filter: &Filter,
    resource_type: &ResourceType,
    profiles: &[NamedResource],
) -> Option<Option<NamedResource>> {
    let equalities = filter.equalities(resource_type);
    equalities.iter().find_map(|equality| {
        let is_meant = |profile: &&NamedResource| match equality.attribute.as_str() {
            "id" => profile.id == equality.value,
            _ => Comparison::Name.is_equal(&profile.name, &equality.value),
        };
        let decides = matches!(equality.attribute.as_str(), "id" | "displayName");
        // Names that differ in case alone are several profiles.
        let mut found = profiles.iter().filter(is_meant);
        let first = found.next().cloned();
        (decides && found.next().is_none()).then_some(first)
    })
}

pub(crate) async fn create(
    directory: &Directory,
    incoming: &Resource,
    base: &str,
    context: Context<'_>,
) -> Result<Changed, ScimError> {
    let name = display_name(incoming);
    let profile = directory
        .profiles()
        .security_profile(name, context.deadline)
        .await
        .map_err(|error| match error {
            ProfileError::Unlisted(failure) => connect_failure(failure),
            unknown => ScimError::invalid_value(format!(
                "groups are the security profiles of Amazon Connect, which are created there: {unknown}"
            )),
        })?;
    let before = read(directory, profile).await?;
    if before.link.is_some() && !before.is_deleted() {
        return Err(ScimError::uniqueness(
            "there is a group of this displayName already",
        ));
    }
    change(directory, before, incoming, base, context).await
}

pub(crate) async fn put(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    incoming: &Resource,
    base: &str,
    context: Context<'_>,
) -> Result<Changed, ScimError> {
    let before = find(directory, id, context).await?;
    request.preconditions.check_write(&before.version())?;
    let replaced = replace(&before.resource(base), incoming, resource_type)?;
    change(directory, before, &replaced, base, context).await
}

pub(crate) async fn patch(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    patch: &PatchRequest,
    base: &str,
    context: Context<'_>,
) -> Result<Changed, ScimError> {
    let before = find(directory, id, context).await?;
    request.preconditions.check_write(&before.version())?;
    let patched = patch.apply(&before.resource(base), resource_type)?;
    users::log_ignored(&patched);
    change(directory, before, &patched.resource, base, context).await
}

/// Takes all members out and hides the group. The answer is how many users Connect does
/// not yet have so.
pub(crate) async fn delete(
    directory: &Directory,
    request: &Request<'_>,
    id: &str,
    context: Context<'_>,
) -> Result<u32, ScimError> {
    let group = find(directory, id, context).await?;
    request.preconditions.check_write(&group.version())?;
    let members = ids(&group.members);
    let pending = set_members(
        directory,
        &group.profile,
        &members,
        &BTreeSet::new(),
        context,
    )
    .await?;
    let link = Link {
        group_id: id.to_owned(),
        external_id: None,
        deleted: true,
    };
    directory
        .store()
        .link_group(&link)
        .await
        .map_err(store_error)?;
    Ok(pending)
}

fn ids(members: &[Member]) -> BTreeSet<String> {
    members
        .iter()
        .map(|member| member.user_id.clone())
        .collect()
}

fn display_name(resource: &Resource) -> &str {
    let name = resource.get("displayName").and_then(Value::as_str);
    name.unwrap_or_default().trim()
}

/// Brings a group to what is wanted of it. Each member is a change of its own; if one is
/// refused, those before it stay, and repeating the request goes on from there.
async fn change(
    directory: &Directory,
    before: Group,
    wanted: &Resource,
    base: &str,
    context: Context<'_>,
) -> Result<Changed, ScimError> {
    if !Comparison::Name.is_equal(display_name(wanted), &before.profile.name) {
        return Err(ScimError::of(
            ScimType::Mutability,
            "displayName cannot be changed: Amazon Connect cannot rename security profiles",
        ));
    }
    let members: BTreeSet<String> = wanted
        .get("members")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|member| member.get("value").and_then(Value::as_str))
        .map(str::to_owned)
        .collect();
    let pending = set_members(
        directory,
        &before.profile,
        &ids(&before.members),
        &members,
        context,
    )
    .await?;
    let link = Link {
        group_id: before.profile.id.clone(),
        external_id: wanted
            .get("externalId")
            .and_then(Value::as_str)
            .map(str::to_owned),
        deleted: false,
    };
    if before.link.as_ref() != Some(&link) {
        directory
            .store()
            .link_group(&link)
            .await
            .map_err(store_error)?;
    }
    let after = read(directory, before.profile).await?;
    Ok(Changed {
        resource: after.resource(base),
        pending,
    })
}

async fn set_members(
    directory: &Directory,
    group: &NamedResource,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    context: Context<'_>,
) -> Result<u32, ScimError> {
    let added: Vec<String> = after.difference(before).cloned().collect();
    let known = directory.store().users(&added).await.map_err(store_error)?;
    if known.len() < added.len() {
        return Err(ScimError::invalid_value(
            "members: there is no user of one of these ids; only users can be members",
        ));
    }
    let removed = before.difference(after).map(|id| (id, false));
    let added = added.iter().map(|id| (id, true));
    let mut pending = 0;
    for (id, is_member) in removed.chain(added) {
        let written = directory
            .set_membership(id, group, is_member, context)
            .await
            .map_err(directory_error)?;
        pending += u32::from(written.pending);
    }
    Ok(pending)
}

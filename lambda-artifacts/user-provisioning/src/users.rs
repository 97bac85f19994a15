//! SCIM operations on users, as changes of the directory.

use std::collections::BTreeMap;

use connect_directory::{
    directory::{Context, Directory},
    store::{MAXIMUM_KEY_LENGTH, StoredUser, WrittenUser, fold},
};
use scim::{
    Resource, ScimError, ScimType, etag,
    filter::Equality,
    list::{ListQuery, Page, Paging, invalid_cursor},
    patch::{PatchRequest, Patched},
    projection::Projection,
    protocol::{Request, Responder, Response},
    resource::{Incoming, replace},
    schema::ResourceType,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::failure::{change_error, directory_error, not_found, store_error};

/// Attributes that the service writes: part of what is shown, not of what is stored.
const OWN_ATTRIBUTES: [&str; 3] = ["id", "meta", "groups"];

/// A user in canonical form, as the protocol knows it.
pub(crate) fn resource(user: StoredUser) -> Resource {
    let active = user.is_active();
    let mut resource = user.document;
    // Users that lost `active` before the schema kept it get it back with their next change.
    resource.entry("active").or_insert(active.into());
    resource.insert("id".to_owned(), user.id.into());
    if !user.groups.is_empty() {
        resource.insert("groups".to_owned(), groups(&user.groups));
    }
    let meta = meta(&user.created, &user.last_modified, user.version);
    resource.insert("meta".to_owned(), meta);
    resource
}

fn groups(groups: &BTreeMap<String, String>) -> Value {
    groups
        .iter()
        .map(|(id, name)| json!({"value": id, "display": name, "type": "direct"}))
        .collect()
}

fn meta(created: &str, last_modified: &str, version: u64) -> Value {
    json!({
        "resourceType": "User",
        "created": created,
        "lastModified": last_modified,
        "version": etag::weak(&version.to_string()),
    })
}

fn version(user: &StoredUser) -> String {
    etag::weak(&user.version.to_string())
}

/// The most bytes of a user. DynamoDB takes 400 KB for an item.
const MAXIMUM_SIZE: usize = 256 * 1024;

/// What is stored of a resource.
fn document(mut resource: Resource) -> Result<Resource, ScimError> {
    resource.retain(|name, _| !OWN_ATTRIBUTES.contains(&name.as_str()));
    let text = |name: &str| resource.get(name).and_then(Value::as_str);
    let keys = [
        ("userName", text("userName").map(fold)),
        ("externalId", text("externalId").map(str::to_owned)),
    ];
    for (name, key) in keys {
        if key.is_some_and(|key| key.len() > MAXIMUM_KEY_LENGTH) {
            return Err(ScimError::invalid_value(format!(
                "{name} is longer than {MAXIMUM_KEY_LENGTH} bytes"
            )));
        }
    }
    if json!(resource).to_string().len() > MAXIMUM_SIZE {
        return Err(ScimError::new(
            413,
            format!("the user takes more than {MAXIMUM_SIZE} bytes"),
        ));
    }
    Ok(resource)
}

fn password(write_only: &Resource) -> Option<SecretString> {
    write_only
        .get("password")
        .and_then(Value::as_str)
        .map(SecretString::from)
}

/// A user after a change, and how many users Connect does not yet have: this one or none.
pub(crate) struct Changed {
    pub resource: Resource,
    pub pending: u32,
}

pub(crate) async fn create(
    directory: &Directory,
    resource_type: &ResourceType,
    incoming: &Incoming,
    context: Context<'_>,
) -> Result<Changed, ScimError> {
    let document = document(scim::resource::create(&incoming.resource, resource_type))?;
    let password = password(&incoming.write_only);
    let written = directory
        .create(document, password.as_ref(), context)
        .await
        .map_err(directory_error)?;
    Ok(Changed {
        resource: resource(written.user),
        pending: u32::from(written.pending),
    })
}

pub(crate) async fn get(directory: &Directory, id: &str) -> Result<Resource, ScimError> {
    let user = directory.store().get(id).await.map_err(store_error)?;
    user.map(resource).ok_or_else(not_found)
}

pub(crate) async fn put(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    incoming: &Incoming,
    context: Context<'_>,
) -> Result<Changed, ScimError> {
    change(directory, request, id, context, |before| {
        replace(before, &incoming.resource, resource_type)
    })
    .await
}

pub(crate) async fn patch(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    patch: &PatchRequest,
    context: Context<'_>,
) -> Result<Changed, ScimError> {
    change(directory, request, id, context, |before| {
        let patched = patch.apply(before, resource_type)?;
        log_ignored(&patched);
        let is_about_password = patched.write_only.contains_key("password");
        if is_about_password && !patched.changed && directory.has_passwords() {
            // Success would tell the identity provider that the new password is good.
            return Err(ScimError::of(
                ScimType::Mutability,
                "password: Amazon Connect takes a password only when a user is created, and has no operation that changes it; switch password synchronisation off",
            ));
        }
        Ok(patched.resource)
    })
    .await
}

/// Logs the operations that a PATCH asked for and the service does not know.
pub(crate) fn log_ignored(patched: &Patched) {
    for path in &patched.ignored {
        tracing::warn!(path, "a PATCH operation of an unknown schema was ignored");
    }
}

async fn change(
    directory: &Directory,
    request: &Request<'_>,
    id: &str,
    context: Context<'_>,
    change: impl FnOnce(&Resource) -> Result<Resource, ScimError>,
) -> Result<Changed, ScimError> {
    let written = directory
        .update(
            id,
            |user| {
                request.preconditions.check_write(&version(user))?;
                change(&resource(user.clone())).and_then(document)
            },
            context,
        )
        .await
        .map_err(change_error)?;
    Ok(Changed {
        resource: resource(written.user),
        pending: u32::from(written.pending),
    })
}

/// Deletes a user. The answer is how many users are still to go from Connect.
pub(crate) async fn delete(
    directory: &Directory,
    request: &Request<'_>,
    id: &str,
    context: Context<'_>,
) -> Result<u32, ScimError> {
    directory
        .delete(
            id,
            |user| request.preconditions.check_write(&version(user)),
            context,
        )
        .await
        .map(u32::from)
        .map_err(change_error)
}

/// All users that may satisfy the query. A look-up by `userName`, `externalId` or `id`
/// reads one item, anything else all users.
pub(crate) async fn candidates(
    directory: &Directory,
    resource_type: &ResourceType,
    query: &ListQuery,
    client: &str,
) -> Result<Vec<Resource>, ScimError> {
    let found = match &query.filter {
        Some(filter) => by_key(directory, &filter.equalities(resource_type), client).await?,
        None => None,
    };
    let users = match found {
        Some(users) => users,
        None => all(directory).await?,
    };
    Ok(users.into_iter().map(resource).collect())
}

async fn by_key(
    directory: &Directory,
    equalities: &[Equality],
    client: &str,
) -> Result<Option<Vec<StoredUser>>, ScimError> {
    let store = directory.store();
    for Equality { attribute, value } in equalities {
        let found = match attribute.as_str() {
            "userName" => store
                .find_by_user_name(value)
                .await
                .map(|user| user.into_iter().collect()),
            "id" => store
                .get(value)
                .await
                .map(|user| user.into_iter().collect()),
            "externalId" => store.find_by_external_id(client, value).await,
            _ => continue,
        };
        return found.map(Some).map_err(store_error);
    }
    Ok(None)
}

async fn all(directory: &Directory) -> Result<Vec<StoredUser>, ScimError> {
    let store = directory.store();
    let ids = store.ids().await.map_err(store_error)?;
    store.users(&ids).await.map_err(store_error)
}

/// One page of all users, in two calls to the store: who there is, and the page's users.
pub(crate) async fn page(
    directory: &Directory,
    resource_type: &ResourceType,
    query: &ListQuery,
    responder: &Responder<'_>,
) -> Result<Response, ScimError> {
    let store = directory.store();
    let ids = store.listing().await.map_err(store_error)?;
    let skipped = match &query.paging {
        Paging::Index { start_index, .. } => start_index.saturating_sub(1),
        Paging::Cursor { .. } => match query.position()? {
            // The position is the last id that was shown, so that users who come or go
            // between two pages shift nobody.
            Some(last) => {
                let last = Uuid::parse_str(&last).map_err(|_| invalid_cursor())?;
                ids.partition_point(|id| *id <= last)
            }
            None => 0,
        },
    };
    let start = skipped.min(ids.len());
    let end = start.saturating_add(query.paging.count()).min(ids.len());
    let shown: Vec<String> = ids[start..end].iter().map(Uuid::to_string).collect();
    let next_cursor = match (&query.paging, shown.last()) {
        (Paging::Cursor { .. }, Some(last)) if end < ids.len() => Some(query.cursor_at(last)),
        _ => None,
    };
    let mut page = Page {
        total_results: ids.len(),
        resources: Vec::new(),
        next_cursor,
    };
    if query.projection == Projection::Default {
        let users = store.written_users(&shown).await.map_err(store_error)?;
        let location = |user: &WrittenUser| responder.location(resource_type, &user.id);
        let users: Vec<String> = users
            .iter()
            .map(|user| written(user, location(user)))
            .collect();
        return Ok(responder.written_list(query, &page, &users));
    }
    let users = store.users(&shown).await.map_err(store_error)?;
    let resources = users
        .into_iter()
        .map(|user| (resource_type, resource(user)));
    page.resources = resources.collect();
    Ok(responder.list(query, page))
}

/// A user as it is shown where nothing special is asked for, made of the text that is
/// stored: what is stored is returned by default, all of it.
fn written(user: &WrittenUser, location: String) -> String {
    let mut own = Resource::new();
    // A quotation mark within a text is escaped, so this is a key.
    if !user.document.contains("\"active\":") {
        own.insert("active".to_owned(), true.into());
    }
    own.insert("id".to_owned(), user.id.as_str().into());
    if !user.groups.is_empty() {
        own.insert("groups".to_owned(), groups(&user.groups));
    }
    let mut meta = meta(&user.created, &user.last_modified, user.version);
    meta["location"] = location.into();
    own.insert("meta".to_owned(), meta);
    let own = Value::Object(own).to_string();
    match user.document.strip_suffix('}') {
        Some("{") | None => own,
        Some(stored) => format!("{stored},{}", &own[1..]),
    }
}

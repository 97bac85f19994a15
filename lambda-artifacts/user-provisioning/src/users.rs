//! SCIM operations on users, as changes of the directory.

use std::collections::{BTreeMap, BTreeSet};

use connect_directory::{
    directory::{Directory, Written},
    store::{MAXIMUM_EMAILS, StoredUser, WrittenUser, fold},
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
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    failure::{change_error, check_key_length, directory_error, not_found, store_error},
    view::View,
};

/// Attributes that are not part of the stored document.
const OWN_ATTRIBUTES: [&str; 4] = ["id", "externalId", "meta", "groups"];

/// How users are shown in a response.
struct Presentation<'a> {
    view: View<'a>,
    /// The names of groups that are not security profiles, by id.
    group_names: BTreeMap<String, String>,
}

impl<'a> Presentation<'a> {
    /// Reads the names of the users' groups, where they have
    /// names of their own.
    async fn new<'u, D: 'u>(
        directory: &Directory,
        users: impl IntoIterator<Item = &'u StoredUser<D>>,
        view: View<'a>,
    ) -> Result<Self, ScimError> {
        let ids: BTreeSet<&str> = users
            .into_iter()
            .flat_map(|user| &user.groups)
            .filter(|(_, profile)| profile.is_none())
            .map(|(id, _)| id.as_str())
            .collect();
        let group_names = match ids.is_empty() {
            true => BTreeMap::new(),
            false => directory.group_names(ids).await.map_err(store_error)?,
        };
        Ok(Self { view, group_names })
    }

    /// A user in canonical form, as the protocol knows it.
    fn resource(&self, user: StoredUser) -> Resource {
        let own = self.own(&user);
        let mut resource = user.document;
        resource.extend(own);
        resource
    }

    /// The attributes that are not part of the stored document.
    fn own<D>(&self, user: &StoredUser<D>) -> Resource {
        let mut own = Resource::from_iter([("id".to_owned(), json!(user.id))]);
        if let Some(external_id) = user.external_ids.get(self.view.context.client) {
            own.insert("externalId".to_owned(), json!(external_id));
        }
        let groups: Vec<Value> = user
            .groups
            .iter()
            .filter_map(|(id, profile)| {
                let name = profile.as_ref().or_else(|| self.group_names.get(id))?;
                Some(json!({
                    "value": id,
                    "$ref": format!("{}/Groups/{id}", self.view.base),
                    "display": name,
                    "type": "direct",
                }))
            })
            .collect();
        if !groups.is_empty() {
            own.insert("groups".to_owned(), Value::Array(groups));
        }
        let meta = meta(&user.created, &user.last_modified, user.version);
        own.insert("meta".to_owned(), meta);
        own
    }
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

/// How many users are read at once while a list is searched.
const LIST_BATCH: usize = 500;

/// The most bytes of users that a searched list may have in all.
const MAXIMUM_LISTED: usize = 32 * 1024 * 1024;

/// Writes a resource into a stored user.
fn write(user: &mut StoredUser, mut resource: Resource, client: &str) -> Result<(), ScimError> {
    let external_id = resource.get("externalId").and_then(Value::as_str);
    let external_id = external_id.map(str::to_owned);
    check_key_length("externalId", external_id.as_deref().unwrap_or_default())?;
    let user_name = resource.get("userName").and_then(Value::as_str);
    check_key_length("userName", &fold(user_name.unwrap_or_default()))?;
    resource.retain(|name, _| !OWN_ATTRIBUTES.contains(&name.as_str()));
    if json!(resource).to_string().len() > MAXIMUM_SIZE {
        return Err(ScimError::new(
            413,
            format!("the user takes more than {MAXIMUM_SIZE} bytes"),
        ));
    }
    user.document = resource;
    match external_id {
        Some(id) => user.external_ids.insert(client.to_owned(), id),
        None => user.external_ids.remove(client),
    };
    let emails = user.email_keys();
    if emails.len() > MAXIMUM_EMAILS {
        return Err(ScimError::invalid_value(format!(
            "emails: at most {MAXIMUM_EMAILS} different values"
        )));
    }
    for email in emails {
        check_key_length("emails.value", &email)?;
    }
    Ok(())
}

fn password(write_only: &Resource) -> Option<SecretString> {
    write_only
        .get("password")
        .and_then(Value::as_str)
        .map(SecretString::from)
}

/// A resource after a change, and how many users Connect does not have so yet.
pub(crate) struct Changed {
    pub resource: Resource,
    pub pending: u32,
}

async fn changed(
    directory: &Directory,
    written: Written,
    view: View<'_>,
) -> Result<Changed, ScimError> {
    let shown = Presentation::new(directory, [&written.user], view).await?;
    Ok(Changed {
        resource: shown.resource(written.user),
        pending: u32::from(written.pending),
    })
}

pub(crate) async fn create(
    directory: &Directory,
    resource_type: &ResourceType,
    incoming: &Incoming,
    view: View<'_>,
) -> Result<Changed, ScimError> {
    let resource = scim::resource::create(&incoming.resource, resource_type);
    let password = password(&incoming.write_only);
    let mut user = StoredUser::default();
    write(&mut user, resource, view.context.client)?;
    let written = directory
        .create(user, password.as_ref(), view.context)
        .await
        .map_err(directory_error)?;
    changed(directory, written, view).await
}

pub(crate) async fn get(
    directory: &Directory,
    id: &str,
    view: View<'_>,
) -> Result<Resource, ScimError> {
    let user = directory.store().get(id).await.map_err(store_error)?;
    let user = user.ok_or_else(not_found)?;
    let shown = Presentation::new(directory, [&user], view).await?;
    Ok(shown.resource(user))
}

pub(crate) async fn put(
    directory: &Directory,
    request: &Request<'_>,
    resource_type: &ResourceType,
    id: &str,
    incoming: &Incoming,
    view: View<'_>,
) -> Result<Changed, ScimError> {
    let change = |before: &Resource| replace(before, &incoming.resource, resource_type);
    update(directory, request, id, change, view).await
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
        log_ignored(&patched);
        let is_about_password = patched.write_only.contains_key("password");
        if is_about_password && !patched.changed && directory.has_passwords() {
            // After a success, the identity provider would take the new password to be valid.
            return Err(ScimError::of(
                ScimType::Mutability,
                "password: Amazon Connect takes a password only when a user is created, and has no operation that changes it; switch password synchronisation off",
            ));
        }
        Ok(patched.resource)
    };
    update(directory, request, id, change, view).await
}

/// Logs the operations that a PATCH asked for and the service does not know.
pub(crate) fn log_ignored(patched: &Patched) {
    for path in &patched.ignored {
        tracing::warn!(path, "a PATCH operation of an unknown schema was ignored");
    }
}

async fn update(
    directory: &Directory,
    request: &Request<'_>,
    id: &str,
    change: impl Fn(&Resource) -> Result<Resource, ScimError>,
    view: View<'_>,
) -> Result<Changed, ScimError> {
    // A change sees no groups: they are read-only.
    let shown = Presentation {
        view,
        group_names: BTreeMap::new(),
    };
    let written = directory
        .update(
            id,
            |user| {
                request.preconditions.check_write(&version(user))?;
                let resource = change(&shown.resource(user.clone()))?;
                write(user, resource, view.context.client)
            },
            view.context,
        )
        .await
        .map_err(change_error)?;
    changed(directory, written, view).await
}

/// Deletes a user. The result is how many users are still to be deleted in Connect.
pub(crate) async fn delete(
    directory: &Directory,
    request: &Request<'_>,
    id: &str,
    view: View<'_>,
) -> Result<u32, ScimError> {
    directory
        .delete(
            id,
            |user| request.preconditions.check_write(&version(user)),
            view.context,
        )
        .await
        .map(u32::from)
        .map_err(change_error)
}

/// All users that may satisfy the query. A look-up by `userName`, `externalId`, `id` or
/// e-mail address reads the users that it names, anything else all users.
pub(crate) async fn candidates(
    directory: &Directory,
    resource_type: &ResourceType,
    query: &ListQuery,
    view: View<'_>,
) -> Result<Vec<Resource>, ScimError> {
    if let Some(filter) = &query.filter {
        let equalities = filter.equalities(resource_type);
        if let Some(users) = by_key(directory, &equalities, view.context.client).await? {
            let shown = Presentation::new(directory, &users, view).await?;
            return Ok(users.into_iter().map(|user| shown.resource(user)).collect());
        }
    }
    matching(directory, resource_type, query, view).await
}

async fn by_key(
    directory: &Directory,
    equalities: &[Equality],
    client: &str,
) -> Result<Option<Vec<StoredUser>>, ScimError> {
    let store = directory.store();
    // The most selective first.
    for name in ["id", "userName", "externalId", "emails.value"] {
        let mut named = equalities.iter();
        let Some(Equality { value, .. }) = named.find(|equality| equality.attribute == name) else {
            continue;
        };
        let found = match name {
            "id" => store.get(value).await.map(Vec::from_iter),
            "userName" => store.find_by_user_name(value).await.map(Vec::from_iter),
            "externalId" => store.find_by_external_id(client, value).await,
            _ => store.find_by_email(value).await,
        };
        return found.map(Some).map_err(store_error);
    }
    Ok(None)
}

/// The users that satisfy a query, out of all of them, as long as there is time and memory.
async fn matching(
    directory: &Directory,
    resource_type: &ResourceType,
    query: &ListQuery,
    view: View<'_>,
) -> Result<Vec<Resource>, ScimError> {
    let store = directory.store();
    let ids = store.ids().await.map_err(store_error)?;
    let too_many = || match &query.filter {
        Some(_) => ScimError::of(
            ScimType::TooMany,
            "the filter needs all users to be read, which takes too long: filter by userName, externalId, id or emails.value",
        ),
        None => ScimError::of(
            ScimType::TooMany,
            "sorting needs all users to be read, which takes too long: leave sortBy out",
        ),
    };
    let mut found = Vec::new();
    let mut bytes = 0;
    for batch in ids.chunks(LIST_BATCH) {
        if Instant::now() >= view.context.stop || bytes > MAXIMUM_LISTED {
            return Err(too_many());
        }
        let users = store.users(batch).await.map_err(store_error)?;
        let shown = Presentation::new(directory, &users, view).await?;
        for user in users {
            let resource = shown.resource(user);
            let filter = query.filter.as_ref();
            if filter.is_none_or(|filter| filter.matches(&resource, resource_type)) {
                bytes += json!(resource).to_string().len();
                found.push(resource);
            }
        }
    }
    Ok(found)
}

/// One page of all users, in two calls to the store: who there is, and the page's users.
pub(crate) async fn page(
    directory: &Directory,
    resource_type: &ResourceType,
    query: &ListQuery,
    responder: &Responder<'_>,
    view: View<'_>,
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
    let mut page = Page {
        total_results: ids.len(),
        resources: Vec::new(),
        next_cursor: None,
    };
    // The page ends at the last id that was read, or earlier if the users are too large.
    let next_cursor = |cut_at: Option<&str>| match (&query.paging, cut_at, shown.last()) {
        (Paging::Cursor { .. }, Some(last), _) => Some(query.cursor_at(last)),
        (Paging::Cursor { .. }, None, Some(last)) if end < ids.len() => Some(query.cursor_at(last)),
        _ => None,
    };
    let mut budget = query.budget();
    if query.projection == Projection::Default {
        let users = store.written_users(&shown).await.map_err(store_error)?;
        let presentation = Presentation::new(directory, &users, view).await?;
        let location = |user: &WrittenUser| responder.location(resource_type, &user.id);
        let written: Vec<String> = users
            .iter()
            .map(|user| written(user, &presentation, location(user)))
            .take_while(|user| budget.take_written(user))
            .collect();
        let is_cut = written.len() < users.len();
        let last = written.len().checked_sub(1).filter(|_| is_cut);
        page.next_cursor = next_cursor(last.map(|last| users[last].id.as_str()));
        return Ok(responder.written_list(query, &page, &written));
    }
    let users = store.users(&shown).await.map_err(store_error)?;
    let presentation = Presentation::new(directory, &users, view).await?;
    let count = users.len();
    page.resources = users
        .into_iter()
        .map(|user| {
            let resource = presentation.resource(user);
            let projected = query.projection.apply(resource, resource_type);
            (resource_type, projected)
        })
        .take_while(|(_, user)| budget.take(user))
        .collect();
    let last = page
        .resources
        .last()
        .filter(|_| page.resources.len() < count);
    let last = last.and_then(|(_, user)| user.get("id")?.as_str());
    page.next_cursor = next_cursor(last);
    Ok(responder.list(query, page))
}

/// A user as it is shown where nothing special is asked for, made of the text that is
/// stored: what is stored is returned by default, all of it.
fn written(user: &WrittenUser, shown: &Presentation<'_>, location: String) -> String {
    let mut own = shown.own(user);
    if let Some(meta) = own.get_mut("meta") {
        meta["location"] = location.into();
    }
    let own = Value::Object(own).to_string();
    match user.document.strip_suffix('}') {
        Some("{") | None => own,
        Some(stored) => format!("{stored},{}", &own[1..]),
    }
}

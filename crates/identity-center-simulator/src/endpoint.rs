//! What each operation does.

use scim::patch::PatchRequest;
use scim::{Resource, patch};
use serde_json::{Value, json};

use crate::error::Error;
use crate::listing::Query;
use crate::operation::Operation;
use crate::rules;
use crate::state::State;

/// A request behind the tenant's address.
#[derive(Debug)]
pub(crate) struct Request {
    pub operation: Operation,
    pub id: Option<String>,
    pub query: String,
    pub body: Value,
}

/// A status and a document.
pub(crate) type Answer = (u16, Option<Value>);

pub(crate) fn answer(state: &mut State, request: Request) -> Result<Answer, Error> {
    let id = request.id.unwrap_or_default();
    match request.operation {
        Operation::CreateUser => state.create_user(request.body),
        Operation::GetUser => {
            let user = state.users.get(&id).ok_or(Error::NotFound)?;
            Ok((200, Some(Value::Object(user.clone()))))
        }
        Operation::ListUsers => {
            let page = state.list_users(&Query::parse(&request.query)?)?;
            Ok((200, Some(page)))
        }
        Operation::PutUser => state.replace_user(&id, request.body),
        Operation::PatchUser => state.patch_user(&id, request.body),
        Operation::DeleteUser => state.delete_user(&id).map(|()| (204, None)),
        Operation::CreateGroup => state.create_group(request.body),
        Operation::GetGroup => {
            state.groups.get(&id).ok_or(Error::NotFound)?;
            Ok((200, Some(Value::Object(state.group_document(&id)))))
        }
        Operation::ListGroups => {
            let page = state.list_groups(&Query::parse(&request.query)?)?;
            Ok((200, Some(page)))
        }
        Operation::PatchGroup => state.patch_group(&id, request.body),
        Operation::DeleteGroup => state.delete_group(&id).map(|()| (204, None)),
        Operation::ServiceProviderConfig => Ok((200, Some(service_provider_config()))),
    }
}

fn object(body: Value) -> Result<Resource, Error> {
    match body {
        Value::Object(resource) => Ok(resource),
        _ => Err(Error::Validation),
    }
}

impl State {
    fn create_user(&mut self, body: Value) -> Result<Answer, Error> {
        let mut user = object(body)?;
        rules::check_user(&user)?;
        if self.users.len() >= self.options.users_quota {
            return Err(Error::QuotaExceeded);
        }
        read_active(&mut user)?;
        let id = Self::new_id();
        user.remove("id");
        user.remove("meta");
        self.put_user(&id, user)?;
        Ok((201, self.users.get(&id).cloned().map(Value::Object)))
    }

    fn replace_user(&mut self, id: &str, body: Value) -> Result<Answer, Error> {
        let mut user = object(body)?;
        rules::check_user(&user)?;
        let before = self.users.get(id).ok_or(Error::NotFound)?;
        read_active(&mut user)?;
        user.extend(
            before
                .get("meta")
                .map(|meta| ("meta".to_owned(), meta.clone())),
        );
        self.put_user(id, user)?;
        Ok((200, self.users.get(id).cloned().map(Value::Object)))
    }

    fn patch_user(&mut self, id: &str, body: Value) -> Result<Answer, Error> {
        let patch = PatchRequest::from_json(body).map_err(|_| Error::Validation)?;
        rules::check_user_patch(&patch)?;
        let user = self.users.get(id).ok_or(Error::NotFound)?;
        let patch::Patched { resource, .. } = patch
            .apply(user, &self.user_type)
            .map_err(|_| Error::Validation)?;
        rules::check_user(&resource)?;
        self.put_user(id, resource)?;
        Ok((200, self.users.get(id).cloned().map(Value::Object)))
    }

    fn create_group(&mut self, body: Value) -> Result<Answer, Error> {
        let mut group = object(body)?;
        rules::check_group(&group)?;
        if self.groups.len() >= self.options.groups_quota {
            return Err(Error::QuotaExceeded);
        }
        let members = rules::ids(group.get("members").unwrap_or(&Value::Null))?;
        self.exist(&members)?;
        let id = Self::new_id();
        group.remove("id");
        group.remove("meta");
        self.put_group(&id, group)?;
        for member in members {
            self.add_member(&id, &member);
        }
        Ok((201, Some(Value::Object(self.group_document(&id)))))
    }

    fn patch_group(&mut self, id: &str, body: Value) -> Result<Answer, Error> {
        let patch = PatchRequest::from_json(body).map_err(|_| Error::Validation)?;
        let patch = rules::read_group_patch(patch)?;
        let group = self.groups.get(id).ok_or(Error::NotFound)?;
        if !patch.attributes.is_empty() {
            let attributes = PatchRequest {
                operations: patch.attributes,
            };
            let patched = attributes
                .apply(&group.resource, &self.group_type)
                .map_err(|_| Error::Validation)?;
            rules::check_group(&patched.resource)?;
            self.put_group(id, patched.resource)?;
        }
        let added: Vec<String> = patch
            .members
            .iter()
            .filter(|(is_added, _)| *is_added)
            .map(|(_, user)| user.clone())
            .collect();
        self.exist(&added)?;
        for (is_added, user) in patch.members {
            if is_added {
                self.add_member(id, &user);
            } else {
                self.remove_member(id, &user);
            }
        }
        Ok((204, None))
    }

    fn exist(&self, users: &[String]) -> Result<(), Error> {
        let all = users.iter().all(|user| self.users.contains_key(user));
        if all { Ok(()) } else { Err(Error::NotFound) }
    }
}

/// `active` is true where nothing is said, and may be text.
fn read_active(user: &mut Resource) -> Result<(), Error> {
    let active = match user.get("active") {
        None => true,
        Some(Value::Bool(active)) => *active,
        Some(Value::String(text)) => text.parse().map_err(|_| Error::Validation)?,
        Some(_) => return Err(Error::Validation),
    };
    user.insert("active".to_owned(), active.into());
    Ok(())
}

/// As the page `serviceproviderconfig` shows it; the largest page is still given as 50.
fn service_provider_config() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/manage-your-identity-source-idp.html",
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication scheme using the OAuth Bearer Token Standard",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 1, "maxPayloadSize": 1_048_576},
        "filter": {"supported": true, "maxResults": 50},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": false},
    })
}

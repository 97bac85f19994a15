//! The identity store of IAM Identity Center: which group has which id.
//! <https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/welcome.html>

use aws_json_client::{Client, Environment};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;

use crate::cloud::service::IDENTITY_STORE;
use crate::cloud::{ServiceError, failed_call};

/// Questions under way at once; the service takes twenty calls a second of an account.
const AT_ONCE: usize = 4;

/// One identity store.
#[derive(Debug, Clone)]
pub struct IdentityStore {
    client: Client,
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    group_id: String,
}

impl IdentityStore {
    /// The store with this id, behind `environment`.
    #[must_use]
    pub fn new(environment: &Environment, id: &str) -> Self {
        Self {
            client: Client::new(IDENTITY_STORE, environment),
            id: id.to_owned(),
        }
    }

    /// The ids of groups, by their display names; none for a name that no group has.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn group_ids<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<(String, Option<String>)>, ServiceError> {
        stream::iter(names)
            .map(|name| self.group_id(name))
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn group_id(&self, name: &str) -> Result<(String, Option<String>), ServiceError> {
        let attribute = json!({"AttributePath": "displayName", "AttributeValue": name});
        let question = json!({
            "IdentityStoreId": self.id,
            "AlternateIdentifier": {"UniqueAttribute": attribute},
        });
        let answer: Result<Group, ServiceError> = self
            .client
            .call("GetGroupId", &question)
            .await
            .map_err(failed_call(format!(
                "look up the group {name} in the identity store {}",
                self.id
            )));
        match answer {
            Ok(group) => Ok((name.to_owned(), Some(group.group_id))),
            Err(missing) if missing.has_code("ResourceNotFoundException") => {
                Ok((name.to_owned(), None))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use serde_json::Value;
    use test_support::{HttpAnswer, HttpServer};

    use super::*;

    fn ask(answer: fn(&str) -> HttpAnswer) -> Result<Vec<(String, Option<String>)>, ServiceError> {
        let server = HttpServer::start(move |request| {
            let question: Value = serde_json::from_str(&request.body).unwrap();
            assert_eq!(question["IdentityStoreId"], "d-1234567890");
            let attribute = &question["AlternateIdentifier"]["UniqueAttribute"];
            assert_eq!(attribute["AttributePath"], "displayName");
            answer(attribute["AttributeValue"].as_str().unwrap())
        });
        let credentials = Credentials::new("test", "test", None, None, "test");
        let environment =
            Environment::new("eu-central-1", credentials).endpoint_url(None, server.url());
        let store = IdentityStore::new(&environment, "d-1234567890");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(store.group_ids(["aws-admins", "aws-new"].into_iter()))
    }

    #[test]
    fn a_group_that_is_not_there_has_no_id() {
        let groups = ask(|name| match name {
            "aws-admins" => HttpAnswer::ok(r#"{"GroupId": "11111111", "IdentityStoreId": "d"}"#),
            _ => HttpAnswer::Respond(
                400,
                r#"{"__type": "ResourceNotFoundException", "Message": "GROUP not found."}"#.into(),
            ),
        });
        let expected = [
            ("aws-admins".to_owned(), Some("11111111".to_owned())),
            ("aws-new".to_owned(), None),
        ];
        assert_eq!(groups.unwrap(), expected);
    }

    #[test]
    fn a_refusal_is_not_taken_for_a_group_that_is_not_there() {
        let error = ask(|_| {
            HttpAnswer::Respond(
                400,
                r#"{"__type": "AccessDeniedException", "Message": "no"}"#.into(),
            )
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("look up the group aws-"), "{error}");
    }
}

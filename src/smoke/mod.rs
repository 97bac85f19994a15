//! Tries a deployed endpoint as an identity provider uses it.
//!
//! What is read tells that gateway, authorizer, function, table and Connect work together;
//! what is written (on request) is one user of a name that nobody has, who is removed again
//! whatever happens. The steps block: the caller runs them where that does no harm.

mod client;
mod step;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::SecretString;
use serde_json::{Value, json};

pub use client::Failure;
pub use step::Step;

use client::Scim;

const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// One try of one endpoint.
#[derive(Debug)]
pub struct Trial {
    scim: Scim,
    canary: Canary,
}

/// The user that is written and removed.
#[derive(Debug)]
struct Canary {
    user_name: String,
    /// Set by the answer to its creation.
    id: OnceLock<String>,
    /// From before its creation until it is known to be gone.
    may_exist: AtomicBool,
}

/// The canary could not be removed.
#[derive(Debug, thiserror::Error)]
#[error("the canary user {user_name} could not be removed")]
pub struct LeftBehind {
    /// Its name.
    pub user_name: String,
    /// Why.
    pub source: Failure,
}

impl Trial {
    /// A trial of the endpoint whose SCIM path is `base_url`, with a client's token.
    #[must_use]
    pub fn new(base_url: &str, token: SecretString) -> Self {
        Self {
            scim: Scim::new(base_url, token),
            canary: Canary {
                user_name: format!("connect-scim-canary-{}", uuid::Uuid::new_v4().simple()),
                id: OnceLock::new(),
                may_exist: AtomicBool::new(false),
            },
        }
    }

    /// Removes the canary if it may still be there, by its name: the answer to its creation
    /// may have been lost.
    ///
    /// # Errors
    /// When it stays behind.
    pub fn clean_up(&self) -> Result<(), LeftBehind> {
        if !self.canary.may_exist.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.remove_by_name().map_err(|source| LeftBehind {
            user_name: self.canary.user_name.clone(),
            source,
        })?;
        self.canary.may_exist.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn remove_by_name(&self) -> Result<(), Failure> {
        for user in self.find()? {
            let id = user["id"].as_str().unwrap_or_default();
            self.scim
                .send("DELETE", &format!("/Users/{id}"), None)?
                .expect(204)?;
        }
        Ok(())
    }

    /// The users of the canary's name.
    fn find(&self) -> Result<Vec<Value>, Failure> {
        let path = format!(
            "/Users?filter=userName%20eq%20%22{}%22",
            self.canary.user_name
        );
        let found = self.scim.send("GET", &path, None)?.expect(200)?;
        Ok(found["Resources"].as_array().cloned().unwrap_or_default())
    }

    fn create(&self) -> Result<(), Failure> {
        let user = json!({
            "schemas": [USER_SCHEMA],
            "userName": self.canary.user_name,
            "name": {"givenName": "Smoke", "familyName": "Test"},
            "active": true,
        });
        self.canary.may_exist.store(true, Ordering::Relaxed);
        let created = self.scim.send("POST", "/Users", Some(&user))?.expect(201)?;
        let id = created["id"]
            .as_str()
            .ok_or_else(|| Failure::wrong("the created user has no id"))?;
        let _set_once = self.canary.id.set(id.to_owned());
        Ok(())
    }

    fn suspend(&self) -> Result<(), Failure> {
        let patch = json!({
            "schemas": [PATCH_SCHEMA],
            "Operations": [{"op": "replace", "path": "active", "value": false}],
        });
        let path = self.canary_path();
        let answer = self.scim.send("PATCH", &path, Some(&patch))?;
        if answer.status() != 204 {
            answer.expect(200)?;
        }
        self.expect_canary(false)
    }

    fn remove(&self) -> Result<(), Failure> {
        let path = self.canary_path();
        self.scim.send("DELETE", &path, None)?.expect(204)?;
        self.scim.send("GET", &path, None)?.expect(404)?;
        self.canary.may_exist.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Reads the canary, who must be as it was written.
    fn expect_canary(&self, active: bool) -> Result<(), Failure> {
        let path = self.canary_path();
        let user = self.scim.send("GET", &path, None)?.expect(200)?;
        if user["userName"] != self.canary.user_name.as_str() {
            return Err(Failure::wrong("another user was answered"));
        }
        if user["active"] != active {
            return Err(Failure::wrong(format!("`active` is not {active}")));
        }
        Ok(())
    }

    fn canary_path(&self) -> String {
        format!("/Users/{}", self.canary.id.get().map_or("", String::as_str))
    }
}

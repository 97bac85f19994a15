//! Who may call the function.
//!
//! API Gateway calls it after the token authorizer named the client. Whoever else may invoke
//! the function could send an event without a client; such an event is refused, and so is one
//! of another API.

use std::collections::BTreeSet;

use scim::ScimError;

use crate::event::RequestContext;

/// The API and the clients whose requests are answered.
pub struct Callers {
    api_id: String,
    clients: BTreeSet<String>,
}

/// The variables `API_ID` and `CLIENTS` are missing or empty.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set; deploy the stack again")]
pub struct UnknownCallers(&'static str);

impl Callers {
    /// The clients of an API of API Gateway.
    pub fn new<'a>(api_id: &str, clients: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            api_id: api_id.to_owned(),
            clients: clients.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Reads `API_ID`, and `CLIENTS`: names with commas between them.
    ///
    /// # Errors
    /// When one of them is missing or empty.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, UnknownCallers> {
        let require = |name| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.ok_or(UnknownCallers(name))
        };
        Ok(Self::new(
            &require("API_ID")?,
            require("CLIENTS")?.split(','),
        ))
    }

    /// Refuses a request that did not pass the authorizer of the API.
    pub(crate) fn check(&self, context: &RequestContext) -> Result<(), ScimError> {
        if context.api_id != self.api_id {
            return Err(ScimError::new(403, "the request is not one of this API"));
        }
        if !self.clients.contains(&context.authorizer.principal_id) {
            return Err(ScimError::new(401, "the request has no known client"));
        }
        Ok(())
    }
}

//! The parameter in SSM Parameter Store.

use std::time::Duration;

use aws_json_client::{Client, Error};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::plan::{Action, Parameter};
use crate::token::{self, NoRandomness};

/// How often an action is tried.
const ATTEMPTS: u32 = 4;

/// The wait before the second try; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Why an action was not carried out. No text quotes the service, which may quote the value.
#[derive(Debug, Error)]
pub enum ActionError {
    /// SSM refused, failed or did not answer.
    #[error("SSM: {0}")]
    Ssm(#[from] Error),
    /// No token could be made.
    #[error(transparent)]
    Token(#[from] NoRandomness),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutParameter<'a> {
    name: &'a str,
    description: &'a str,
    value: &'a str,
    r#type: &'static str,
    overwrite: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteParameter<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameterHistory<'a> {
    name: &'a str,
    with_decryption: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterHistory {
    #[serde(default)]
    parameters: Vec<ParameterVersion>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterVersion {
    #[serde(default)]
    version: u64,
    description: Option<String>,
}

/// Members that nobody reads.
#[derive(Deserialize)]
struct Ignored {}

/// Carries out `action`. Doing so twice has the effect of doing so once.
///
/// `ssm` must not retry by itself. A lost answer is no lost PutParameter: sent again, a
/// rotation would make two versions and push the client's token out of the overlap. So
/// the action is tried again as a whole, which looks first at what the last try did.
///
/// # Errors
///
/// SSM did not do its part, or no random bytes were to be had.
pub async fn carry_out(ssm: &Client, action: &Action) -> Result<(), ActionError> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match try_once(ssm, action).await {
            Err(ActionError::Ssm(error)) if error.is_retryable() => {
                warn!(error = %error, "trying again");
                sleep(pause).await;
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
    try_once(ssm, action).await
}

async fn try_once(ssm: &Client, action: &Action) -> Result<(), ActionError> {
    match action {
        Action::Ensure(parameter) => ensure(ssm, parameter).await,
        Action::Rotate(parameter) => rotate(ssm, parameter).await,
        Action::Remove { name } => remove(ssm, name).await,
        Action::LeaveAlone => Ok(()),
    }
}

async fn ensure(ssm: &Client, parameter: &Parameter) -> Result<(), ActionError> {
    let name = parameter.name.as_str();
    match put(ssm, parameter, &token::generate()?, false).await {
        Ok(()) => info!(parameter = name, "token created"),
        Err(error) if error.code() == Some("ParameterAlreadyExists") => {
            info!(parameter = name, "token exists already and is kept");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Lambda retries an event whose answer it did not see, and a second rotation would push
/// the token that the client still uses out of the overlap. So the newest version is
/// asked first whether it is of this generation already.
async fn rotate(ssm: &Client, parameter: &Parameter) -> Result<(), ActionError> {
    let name = parameter.name.as_str();
    match newest_description(ssm, name).await {
        Ok(description) if description.as_ref() == Some(&parameter.description) => {
            info!(parameter = name, "token is of this generation already");
            return Ok(());
        }
        Ok(_) => {}
        // Somebody deleted it: the new version is the first one.
        Err(error) if error.code() == Some("ParameterNotFound") => {}
        Err(error) => return Err(error.into()),
    }
    put(ssm, parameter, &token::generate()?, true).await?;
    info!(parameter = name, "token rotated");
    Ok(())
}

async fn remove(ssm: &Client, name: &str) -> Result<(), ActionError> {
    let removed: Result<Ignored, _> = ssm.call("DeleteParameter", &DeleteParameter { name }).await;
    match removed {
        Ok(_) => info!(parameter = name, "token deleted"),
        Err(error) if error.code() == Some("ParameterNotFound") => {
            info!(parameter = name, "token was gone already");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

async fn put(
    ssm: &Client,
    parameter: &Parameter,
    token: &SecretString,
    overwrite: bool,
) -> Result<(), Error> {
    let input = PutParameter {
        name: parameter.name.as_str(),
        description: &parameter.description,
        value: token.expose_secret(),
        r#type: "SecureString",
        overwrite,
    };
    ssm.call::<Ignored>("PutParameter", &input).await.map(drop)
}

/// The description of the highest version. A parameter has at most 100 versions, which
/// come in pages of 50, the oldest first.
async fn newest_description(ssm: &Client, name: &str) -> Result<Option<String>, Error> {
    let mut newest: Option<ParameterVersion> = None;
    let mut next_token = None;
    loop {
        let input = GetParameterHistory {
            name,
            with_decryption: false,
            next_token,
        };
        let page: ParameterHistory = ssm.call("GetParameterHistory", &input).await?;
        newest = page
            .parameters
            .into_iter()
            .chain(newest)
            .max_by_key(|version| version.version);
        next_token = page.next_token.filter(|token| !token.is_empty());
        if next_token.is_none() {
            return Ok(newest.and_then(|version| version.description));
        }
    }
}

//! Reads the clients' tokens from SSM Parameter Store.
//!
//! One GetParameter for each client, although GetParameters takes ten names: IAM refuses a
//! GetParameters whole if it refuses one of the names, and then a client that was just
//! added would shut out all others until its permission has spread.

use std::time::{Duration, SystemTime};

use aws_json_client::{Client as Ssm, Error, ErrorKind};
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

use crate::accepted::{AcceptedToken, TokenDigest};
use crate::clients::{Client, Settings, SignIn};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter<'a> {
    name: &'a str,
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameterOutput {
    parameter: Parameter,
}

/// A parameter with its value. Without `Debug`, because of the value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: String,
    version: u64,
    /// Seconds since 1970, with a fraction.
    last_modified_date: f64,
}

impl Parameter {
    fn token(&self, client: usize, until: Option<SystemTime>) -> AcceptedToken {
        AcceptedToken {
            client,
            // A person may have put it there, with a line end.
            digest: TokenDigest::of(self.value.trim().as_bytes()),
            until,
        }
    }

    /// When this version was written.
    fn modified(&self) -> Option<SystemTime> {
        let modified = Duration::try_from_secs_f64(self.last_modified_date).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(modified)
    }

    /// When the version before this one stops being accepted.
    fn overlap_end(&self, overlap: Duration) -> Option<SystemTime> {
        self.modified()?.checked_add(overlap)
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The tokens that are accepted.
    pub accepted: Vec<AcceptedToken>,
    /// SSM refused to show a parameter: a token that is not accepted may be in it.
    pub incomplete: bool,
    /// When the oldest of the clients' current tokens was written.
    oldest: Option<SystemTime>,
}

/// Reads the current tokens of all clients that have one, and the previous ones within their overlap.
///
/// A client whose parameter does not exist, or is refused, has no token; the others are not
/// affected.
///
/// # Errors
///
/// SSM failed or did not answer. Nothing is known then: half of the tokens would shut out
/// the clients of the other half.
pub async fn read(ssm: &Ssm, settings: &Settings, now: SystemTime) -> Result<Reading, Error> {
    let mut reading = Reading::default();
    for (position, client) in settings.clients.iter().enumerate() {
        let SignIn::Token {
            parameter_name: name,
        } = &client.sign_in
        else {
            continue;
        };
        let Some(current) = reading.get(ssm, client, name).await? else {
            continue;
        };
        reading.accepted.push(current.token(position, None));
        reading.oldest = reading.oldest.into_iter().chain(current.modified()).min();

        let end = current.overlap_end(settings.overlap);
        if let Some(end) = end.filter(|&end| current.version > 1 && now < end) {
            let previous = format!("{name}:{}", current.version - 1);
            if let Some(previous) = reading.get(ssm, client, &previous).await? {
                reading.accepted.push(previous.token(position, Some(end)));
            }
        }
    }
    Ok(reading)
}

impl Reading {
    /// How old the oldest of the clients' current tokens is at the time `now`; `None`
    /// without tokens.
    pub fn oldest_age(&self, now: SystemTime) -> Option<Duration> {
        Some(now.duration_since(self.oldest?).unwrap_or_default())
    }

    async fn get(
        &mut self,
        ssm: &Ssm,
        client: &Client,
        name: &str,
    ) -> Result<Option<Parameter>, Error> {
        let input = GetParameter {
            name,
            with_decryption: true,
        };
        let failure = match ssm.call::<GetParameterOutput>("GetParameter", &input).await {
            Ok(output) => return Ok(Some(output.parameter)),
            Err(failure) => failure,
        };
        match failure.code() {
            Some("ParameterNotFound") => warn!(
                client = client.name,
                parameter = name,
                "the client's parameter does not exist: nobody can sign in as this client"
            ),
            // SSM keeps the last 100 versions only.
            Some("ParameterVersionNotFound") => {}
            _ if failure.kind() == ErrorKind::Refused => {
                self.incomplete = true;
                error!(
                    client = client.name,
                    parameter = name,
                    error = %failure,
                    "the client's token cannot be read"
                );
            }
            _ => return Err(failure),
        }
        Ok(None)
    }
}

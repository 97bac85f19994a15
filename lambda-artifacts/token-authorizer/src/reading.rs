//! Reads the clients' tokens from where they are kept.

use std::time::{Duration, SystemTime};

use aws_json_client::{Client as AwsClient, Error, ErrorKind};
use tracing::{error, warn};

use crate::accepted::{AcceptedToken, TokenDigest};
use crate::clients::{Client, Settings, SignIn};
use crate::{parameters, secrets};

/// The services that keep tokens.
#[derive(Debug, Clone)]
pub struct Stores {
    /// SSM, with what the token generator makes and with parameters of others.
    pub ssm: AwsClient,
    /// Secrets Manager, with secrets of others.
    pub secrets: AwsClient,
}

/// A token as it is kept. Without `Debug`, because of the value.
pub struct KeptToken {
    /// Its text.
    pub value: String,
    /// When it was written: seconds since 1970, with a fraction.
    pub written: f64,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The tokens that are accepted.
    pub accepted: Vec<AcceptedToken>,
    /// A token was not shown: one that is not accepted may be it.
    pub incomplete: bool,
    /// When the oldest of the clients' current tokens was written.
    oldest: Option<SystemTime>,
}

/// Reads the current tokens of all clients that have one, and the previous ones within their overlap.
///
/// A client whose token does not exist, or is refused, has none; the others are not
/// affected.
///
/// # Errors
///
/// A service failed or did not answer. Nothing is known then: half of the tokens would shut
/// out the clients of the other half.
pub async fn read(stores: &Stores, settings: &Settings, now: SystemTime) -> Result<Reading, Error> {
    let mut reading = Reading::default();
    for (position, client) in settings.clients.iter().enumerate() {
        let in_overlap = |written| overlap_end(written, settings.overlap).filter(|&end| now < end);
        match &client.sign_in {
            SignIn::Jwt(_) => {}
            SignIn::Token {
                parameter_name: name,
            } => {
                let current = parameters::current(&stores.ssm, name).await;
                let Some(current) = reading.shown(client, name, current)? else {
                    continue;
                };
                reading.accept_current(position, &current.token);
                let end = in_overlap(current.token.written);
                if let Some(end) = end.filter(|_| current.version > 1) {
                    let name = format!("{name}:{}", current.version - 1);
                    let previous = parameters::previous(&stores.ssm, &name).await;
                    reading.accept_previous(position, end, client, &name, previous)?;
                }
            }
            SignIn::Secret(secret) => {
                let current = secrets::current(&stores.secrets, secret).await;
                let Some(current) = reading.shown(client, &secret.arn, current)? else {
                    continue;
                };
                reading.accept_current(position, &current);
                if let Some(end) = in_overlap(current.written) {
                    let previous = secrets::previous(&stores.secrets, secret).await;
                    reading.accept_previous(position, end, client, &secret.arn, previous)?;
                }
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

    fn accept_current(&mut self, client: usize, token: &KeptToken) {
        self.accept(client, token, None);
        let written = system_time(token.written);
        self.oldest = self.oldest.into_iter().chain(written).min();
    }

    fn accept_previous(
        &mut self,
        position: usize,
        end: SystemTime,
        client: &Client,
        place: &str,
        previous: Result<Option<KeptToken>, Error>,
    ) -> Result<(), Error> {
        if let Some(Some(previous)) = self.shown(client, place, previous.map(Some))? {
            self.accept(position, &previous, Some(end));
        }
        Ok(())
    }

    fn accept(&mut self, client: usize, token: &KeptToken, until: Option<SystemTime>) {
        self.accepted.push(AcceptedToken {
            client,
            // A person may have put it there, with a line end.
            digest: TokenDigest::of(token.value.trim().as_bytes()),
            until,
        });
    }

    /// What a service showed. What it refuses to show is logged and remembered.
    fn shown<T>(
        &mut self,
        client: &Client,
        place: &str,
        outcome: Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        match outcome {
            Ok(Some(shown)) => return Ok(Some(shown)),
            Ok(None) => warn!(
                client = client.name,
                parameter = place,
                "the client's parameter does not exist: nobody can sign in as this client"
            ),
            Err(failure) if failure.kind() == ErrorKind::Refused => {
                self.incomplete = true;
                error!(
                    client = client.name,
                    parameter = place,
                    error = %failure,
                    "the client's token cannot be read"
                );
            }
            Err(failure) => return Err(failure),
        }
        Ok(None)
    }
}

/// When the token before the one that was written then stops being accepted.
fn overlap_end(written: f64, overlap: Duration) -> Option<SystemTime> {
    system_time(written)?.checked_add(overlap)
}

fn system_time(seconds: f64) -> Option<SystemTime> {
    let since_1970 = Duration::try_from_secs_f64(seconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since_1970)
}

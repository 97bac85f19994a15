//! Reads the clients' tokens from SSM Parameter Store.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_json_client::{Client as Ssm, Error};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::accepted::{AcceptedToken, TokenDigest};
use crate::clients::{Client, Settings};

/// What one GetParameters takes.
const NAMES_PER_CALL: usize = 10;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameters<'a> {
    names: &'a [String],
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameters {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

/// A parameter with its value. Without `Debug`, because of the value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: String,
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

    /// When the version before this one stops being accepted.
    fn overlap_end(&self, overlap: Duration) -> Option<SystemTime> {
        let modified = Duration::try_from_secs_f64(self.last_modified_date).ok()?;
        SystemTime::UNIX_EPOCH
            .checked_add(modified)?
            .checked_add(overlap)
    }
}

/// Reads the current tokens of all clients, and the previous ones within their overlap.
///
/// One call for each ten clients; another one only while a rotated token's predecessor is
/// still accepted. A client whose parameter does not exist has no token; the
/// others are not affected.
///
/// # Errors
///
/// SSM refused, failed or did not answer. Nothing is known then: half of the tokens
/// would shut out the clients of the other half.
pub async fn read(
    ssm: &Ssm,
    settings: &Settings,
    now: SystemTime,
) -> Result<Vec<AcceptedToken>, Error> {
    let names = settings
        .clients
        .iter()
        .map(|client| client.parameter_name.clone());
    let current = get(ssm, &names.collect::<Vec<_>>()).await?;

    let mut tokens = Vec::new();
    let mut overlapping = Vec::new();
    for (position, client) in settings.clients.iter().enumerate() {
        let Some(parameter) = current.get(&client.parameter_name) else {
            warn!(
                client = client.name,
                parameter = client.parameter_name,
                "the client's parameter does not exist: nobody can sign in as this client"
            );
            continue;
        };
        tokens.push(parameter.token(position, None));
        if let Some(end) = parameter.overlap_end(settings.overlap)
            && parameter.version > 1
            && now < end
        {
            overlapping.push((position, parameter.version - 1, end));
        }
    }

    let names = overlapping
        .iter()
        .map(|&(position, version, _)| selector(&settings.clients[position], version));
    let previous = get(ssm, &names.collect::<Vec<_>>()).await?;
    for (position, version, end) in overlapping {
        // SSM keeps the last 100 versions; one that is gone is not accepted.
        if let Some(parameter) = previous.get(&settings.clients[position].parameter_name)
            && parameter.version == version
        {
            tokens.push(parameter.token(position, Some(end)));
        }
    }
    Ok(tokens)
}

fn selector(client: &Client, version: u64) -> String {
    format!("{}:{version}", client.parameter_name)
}

async fn get(ssm: &Ssm, names: &[String]) -> Result<HashMap<String, Parameter>, Error> {
    let mut found = HashMap::new();
    for names in names.chunks(NAMES_PER_CALL) {
        let input = GetParameters {
            names,
            with_decryption: true,
        };
        let output: Parameters = ssm.call("GetParameters", &input).await?;
        found.extend(
            output
                .parameters
                .into_iter()
                .map(|parameter| (parameter.name.clone(), parameter)),
        );
    }
    Ok(found)
}

//! Tokens in SSM Parameter Store.
//!
//! One GetParameter for each client, although GetParameters takes ten names: IAM refuses a
//! GetParameters whole if it refuses one of the names, and then a client that was just
//! added would shut out all others until its permission has spread.

use aws_json_client::{Client as Ssm, Error};
use serde::{Deserialize, Serialize};

use crate::reading::KeptToken;

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

/// The current version of a parameter.
pub struct Current {
    /// What it holds.
    pub token: KeptToken,
    /// How often it was written.
    pub version: u64,
}

/// The current version; `None` where there is no such parameter.
///
/// # Errors
///
/// SSM refused, failed or did not answer.
pub async fn current(ssm: &Ssm, name: &str) -> Result<Option<Current>, Error> {
    match get(ssm, name).await {
        Ok(parameter) => Ok(Some(Current {
            version: parameter.version,
            token: kept(parameter),
        })),
        Err(failure) if failure.code() == Some("ParameterNotFound") => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// An earlier version, by its name; `None` where it is gone: SSM keeps the last 100 only.
///
/// # Errors
///
/// SSM refused, failed or did not answer.
pub async fn previous(ssm: &Ssm, name: &str) -> Result<Option<KeptToken>, Error> {
    match get(ssm, name).await {
        Ok(parameter) => Ok(Some(kept(parameter))),
        Err(failure)
            if matches!(
                failure.code(),
                Some("ParameterNotFound" | "ParameterVersionNotFound")
            ) =>
        {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

async fn get(ssm: &Ssm, name: &str) -> Result<Parameter, Error> {
    let input = GetParameter {
        name,
        with_decryption: true,
    };
    let output: GetParameterOutput = ssm.call("GetParameter", &input).await?;
    Ok(output.parameter)
}

fn kept(parameter: Parameter) -> KeptToken {
    KeptToken {
        value: parameter.value,
        written: parameter.last_modified_date,
    }
}

//! Plans in files: `plan --out FILE` writes one, `deploy --plan FILE` reads it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Error;
use super::error::ReviewError;
use crate::plan::Plan;
use crate::plan::saved::{Basis, VERSION};
use crate::report::plan::json_v1;

/// What is in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    version: u32,
    /// What a deployment compares.
    basis: Basis,
    /// For readers.
    plan: json_v1::Plan,
}

/// Only the version: another one may have any shape.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// Writes a plan.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, basis: Basis, plan: &Plan) -> Result<(), Error> {
    let file = File {
        version: VERSION,
        basis,
        plan: json_v1::Plan::from(plan),
    };
    fs::write(path, format!("{:#}\n", serde_json::json!(file))).map_err(|source| Error::Io {
        action: format!("write {}", path.display()),
        source,
    })
}

/// Reads what a plan rests on.
///
/// # Errors
/// When the file cannot be read or is no plan of this version.
pub(super) fn read(path: &Path) -> Result<Basis, Error> {
    let text = fs::read(path).map_err(|source| Error::Io {
        action: format!("read {}", path.display()),
        source,
    })?;
    let malformed = |source| ReviewError::NotAPlan {
        path: path.to_owned(),
        source,
    };
    let VersionOnly { version } = serde_json::from_slice(&text).map_err(malformed)?;
    if version != VERSION {
        return Err(ReviewError::PlanVersion {
            path: path.to_owned(),
            version,
        }
        .into());
    }
    let file: File = serde_json::from_slice(&text).map_err(malformed)?;
    Ok(file.basis)
}

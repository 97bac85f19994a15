//! Plans in files: `plan --out FILE` writes one.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::Error;
use crate::plan::Plan;
use crate::plan::saved::{Basis, VERSION};
use crate::report::plan::json_v1;

/// What is in the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    version: u32,
    /// What a deployment compares.
    basis: Basis,
    /// For readers.
    plan: json_v1::Plan,
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

//! `artifacts.json`: what a directory of packages holds. Written last, so that a
//! directory with a manifest is a complete one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Artifacts, Error, Package, Sha256};
use crate::environment::Architecture;

/// The version of the format that this program writes and reads.
const VERSION: u32 = 1;

/// The manifest's file name.
const FILE: &str = "artifacts.json";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    version: u32,
    architecture: Architecture,
    /// The digest of the build's inputs.
    inputs: Sha256,
    functions: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// The zip, in the manifest's directory.
    file: String,
    /// Its size in bytes.
    size: u64,
    /// Its digest in hexadecimal.
    sha256: Sha256,
    /// The same in base64, as Lambda tells it: for those who compare, not for us.
    #[serde(skip_deserializing)]
    code_sha256: String,
}

/// Only the version: another one may have any shape.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// Reads the manifest of `directory`. The packages it names have not been looked at yet.
pub(super) fn read(directory: &Path) -> Result<Artifacts, Error> {
    let path = directory.join(FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NoManifest {
                directory: directory.to_owned(),
            });
        }
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let invalid = |source| Error::BadManifest {
        path: path.clone(),
        source,
    };
    let VersionOnly { version } = serde_json::from_slice(&text).map_err(invalid)?;
    if version != VERSION {
        return Err(Error::ManifestVersion { path, version });
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(invalid)?;
    let packages = manifest
        .functions
        .into_iter()
        .map(|(function, entry)| {
            // A path would lead out of the directory.
            if Path::new(&entry.file).file_name() != Some(entry.file.as_ref()) {
                return Err(Error::NotAFileName {
                    path: path.clone(),
                    file: entry.file,
                });
            }
            Ok(Package {
                path: directory.join(entry.file),
                function,
                size: entry.size,
                sha256: entry.sha256,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Artifacts {
        directory: directory.to_owned(),
        architecture: manifest.architecture,
        inputs: manifest.inputs,
        packages,
    })
}

/// Writes the manifest of `artifacts` into their directory.
pub(super) fn write(artifacts: &Artifacts) -> Result<(), Error> {
    let path = artifacts.directory.join(FILE);
    let manifest = Manifest {
        version: VERSION,
        architecture: artifacts.architecture,
        inputs: artifacts.inputs,
        functions: artifacts
            .packages
            .iter()
            .map(|package| {
                let entry = Entry {
                    file: package.file_name(),
                    size: package.size,
                    sha256: package.sha256,
                    code_sha256: package.sha256.to_base64(),
                };
                (package.function.clone(), entry)
            })
            .collect(),
    };
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(|source| Error::BadManifest {
        path: path.clone(),
        source,
    })?;
    text.push(b'\n');
    write_atomically(&path, &text)
}

/// Writes a file so that it is there whole or not at all.
pub(super) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(directory)?;
        std::io::Write::write_all(&mut file, content)?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(Error::io("write", path))
}

//! An image in a directory: the OCI image layout
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>), which other
//! tools read as well: `skopeo inspect oci:<directory>`.
//!
//! ```text
//! oci-layout                       the version of the layout
//! index.json                       the digest of the manifest, and what else is known
//! blobs/sha256/<64 digits>         manifest, configuration, layer
//! ```
//!
//! The index is written last, so that a directory with an index holds a whole image.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use oci_client::manifest::{
    ImageIndexEntry, OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciImageIndex,
    OciImageManifest,
};
use serde_json::json;

use crate::Image;
use crate::image::digest;

const VERSION_FILE: &str = "oci-layout";
const INDEX_FILE: &str = "index.json";

/// Why an image could not be written into a directory, or read from it.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file or directory could not be used.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no image in the directory.
    #[error("{} holds no image: it has no {INDEX_FILE}", directory.display())]
    NoImage {
        /// The directory.
        directory: PathBuf,
    },
    /// The index or the manifest is not valid JSON of its kind.
    #[error("{} cannot be understood", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The index or the manifest does not name one image of one layer, as this crate makes them.
    #[error("{} is not of an image of one layer", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A part of the image is not the one that was written.
    #[error("{} was changed after it was built: its digest is {actual}", path.display())]
    Tampered {
        /// The file, whose name is the digest it should have.
        path: PathBuf,
        /// The digest it has.
        actual: String,
    },
}

impl Image {
    /// Writes the image into `directory`, where it takes the place of an earlier one.
    /// `annotations` are kept with it.
    ///
    /// # Errors
    /// [`LayoutError::Io`].
    pub fn write_layout(
        &self,
        directory: &Path,
        annotations: BTreeMap<String, String>,
    ) -> Result<(), LayoutError> {
        let blobs = blobs(directory);
        fs::create_dir_all(&blobs).map_err(failed_to("create", &blobs))?;
        let version = json!({"imageLayoutVersion": "1.0.0"}).to_string();
        write(&directory.join(VERSION_FILE), version.as_bytes())?;
        let parts = [
            (&self.layer, self.layer_digest.as_str()),
            (&self.config, self.config_digest.as_str()),
            (&self.manifest, self.digest()),
        ];
        for (bytes, digest) in parts {
            write(&blobs.join(digits(digest)), bytes)?;
        }
        let index = OciImageIndex {
            schema_version: 2,
            media_type: Some(OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()),
            manifests: vec![ImageIndexEntry {
                media_type: OCI_IMAGE_MEDIA_TYPE.to_owned(),
                digest: self.digest().to_owned(),
                size: i64::try_from(self.manifest.len()).unwrap_or(i64::MAX),
                platform: None,
                artifact_type: None,
                annotations: Some(annotations),
            }],
            artifact_type: None,
            annotations: None,
        };
        // A structure of texts and numbers always has a JSON form.
        write(
            &directory.join(INDEX_FILE),
            json!(index).to_string().as_bytes(),
        )?;
        let is_ours = |name: &str| parts.iter().any(|(_, digest)| digits(digest) == name);
        for entry in fs::read_dir(&blobs)
            .map_err(failed_to("list", &blobs))?
            .flatten()
        {
            if !entry.file_name().to_str().is_some_and(is_ours) {
                let _left_behind = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Reads the image that [`Image::write_layout`] wrote into `directory`, and the
    /// annotations. Every part is checked against its digest.
    ///
    /// # Errors
    /// When there is none, or it was changed.
    pub fn read_layout(directory: &Path) -> Result<(Self, BTreeMap<String, String>), LayoutError> {
        let path = directory.join(INDEX_FILE);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LayoutError::NoImage {
                    directory: directory.to_owned(),
                });
            }
            text => text.map_err(failed_to("read", &path))?,
        };
        let index: OciImageIndex =
            serde_json::from_slice(&text).map_err(|source| LayoutError::Invalid {
                path: path.clone(),
                source,
            })?;
        let Ok([entry]) = <[ImageIndexEntry; 1]>::try_from(index.manifests) else {
            return Err(LayoutError::Foreign { path });
        };

        let (path, manifest) = read_blob(directory, &entry.digest)?;
        let parsed: OciImageManifest =
            serde_json::from_slice(&manifest).map_err(|source| LayoutError::Invalid {
                path: path.clone(),
                source,
            })?;
        let [layer] = &parsed.layers[..] else {
            return Err(LayoutError::Foreign { path });
        };
        let (_, config) = read_blob(directory, &parsed.config.digest)?;
        let (_, layer_bytes) = read_blob(directory, &layer.digest)?;
        let image = Self {
            layer: layer_bytes,
            layer_digest: layer.digest.clone(),
            config,
            config_digest: parsed.config.digest,
            manifest,
            digest: entry.digest,
        };
        Ok((image, entry.annotations.unwrap_or_default()))
    }
}

fn blobs(directory: &Path) -> PathBuf {
    directory.join("blobs/sha256")
}

/// The hexadecimal digits of a digest. Of what is not one, nothing remains that could lead
/// out of a directory.
fn digits(digest: &str) -> String {
    let text = digest.strip_prefix("sha256:").unwrap_or_default();
    text.chars().filter(char::is_ascii_hexdigit).collect()
}

fn read_blob(directory: &Path, expected: &str) -> Result<(PathBuf, Vec<u8>), LayoutError> {
    let path = blobs(directory).join(digits(expected));
    let bytes = fs::read(&path).map_err(failed_to("read", &path))?;
    let actual = digest(&bytes);
    if actual == expected {
        Ok((path, bytes))
    } else {
        Err(LayoutError::Tampered { path, actual })
    }
}

/// Writes a file so that it is there whole or not at all.
fn write(path: &Path, content: &[u8]) -> Result<(), LayoutError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(directory)?;
        file.write_all(content)?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(failed_to("write", path))
}

fn failed_to(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LayoutError {
    let path = path.to_owned();
    move |source| LayoutError::Io {
        action,
        path,
        source,
    }
}

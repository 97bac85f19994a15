//! An image as the OCI image format specification has it
//! (<https://github.com/opencontainers/image-spec>): one layer, a configuration, a manifest.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, GzBuilder};
use oci_client::manifest::{
    IMAGE_CONFIG_MEDIA_TYPE, IMAGE_LAYER_GZIP_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciDescriptor,
    OciImageManifest,
};
use ring::digest::SHA256;
use serde_json::{Value, json};

use crate::program::{self, Architecture, Unsuitable};

/// Nobody in particular, as in other images without a system: not root, and nobody else's.
const USER: &str = "65532:65532";

/// Where OpenSSL and what follows it look for certificate authorities.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// An image of one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The layer, as it is sent: a tar archive, compressed.
    pub(crate) layer: Vec<u8>,
    pub(crate) layer_digest: String,
    /// The configuration: JSON.
    pub(crate) config: Vec<u8>,
    pub(crate) config_digest: String,
    /// The manifest: JSON.
    pub(crate) manifest: Vec<u8>,
    pub(crate) digest: String,
}

impl Image {
    /// Makes the image of a program, which it starts with `arguments`.
    ///
    /// In the image are the program, as `/<name>`, and the certificate authorities that
    /// Mozilla trusts. It runs as user 65532 and writes no file.
    ///
    /// # Errors
    /// If the program needs more than that.
    pub fn of_program(
        name: &str,
        program: &[u8],
        architecture: Architecture,
        arguments: &[&str],
    ) -> Result<Self, Unsuitable> {
        program::check(program, architecture)?;
        let archive = archive(&[
            (AUTHORITIES, authorities().as_bytes(), 0o444),
            (name, program, 0o555),
        ]);
        let layer = compressed(&archive);
        let layer_digest = digest(&layer);
        let config = json!({
            "architecture": architecture.name(),
            "os": "linux",
            "config": {
                "User": USER,
                "Entrypoint": [format!("/{name}")],
                "Cmd": arguments,
                "Env": [format!("SSL_CERT_FILE=/{AUTHORITIES}")],
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [digest(&archive)]},
        });
        let config = config.to_string().into_bytes();
        let config_digest = digest(&config);
        let manifest = OciImageManifest {
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: descriptor(IMAGE_CONFIG_MEDIA_TYPE, &config_digest, config.len()),
            layers: vec![descriptor(
                IMAGE_LAYER_GZIP_MEDIA_TYPE,
                &layer_digest,
                layer.len(),
            )],
            ..OciImageManifest::default()
        };
        // A structure of texts and numbers always has a JSON form.
        let manifest = json!(manifest).to_string().into_bytes();
        Ok(Self {
            digest: digest(&manifest),
            layer,
            layer_digest,
            config,
            config_digest,
            manifest,
        })
    }

    /// What names the image and no other: `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A tag that no other image has: the first digits of the digest.
    #[must_use]
    pub fn tag(&self) -> &str {
        let digits = self.digest.trim_start_matches("sha256:");
        digits.get(..16).unwrap_or(digits)
    }

    /// The processor that the image is for; `None` if it is none of [`Architecture`].
    #[must_use]
    pub fn architecture(&self) -> Option<Architecture> {
        let config: Value = serde_json::from_slice(&self.config).ok()?;
        [Architecture::X86_64, Architecture::Arm64]
            .into_iter()
            .find(|architecture| config["architecture"] == architecture.name())
    }

    /// Bytes that are stored and sent.
    #[must_use]
    pub fn size(&self) -> usize {
        self.layer.len() + self.config.len() + self.manifest.len()
    }
}

fn descriptor(media_type: &str, digest: &str, size: usize) -> OciDescriptor {
    OciDescriptor {
        media_type: media_type.to_owned(),
        digest: digest.to_owned(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

/// From `ring`, which is there for TLS anyway and fast in an unoptimised build too.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in ring::digest::digest(&SHA256, bytes).as_ref() {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A tar archive of files that belong to root, with their directories, all of the same
/// moment.
fn archive(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes, mode) in files {
        for (end, _) in path.match_indices('/') {
            let directory = header(tar::EntryType::Directory, 0o755, 0);
            append(&mut archive, directory, &path[..=end], &[]);
        }
        let file = header(tar::EntryType::Regular, *mode, bytes.len());
        append(&mut archive, file, path, bytes);
    }
    into_memory(archive.into_inner())
}

fn header(kind: tar::EntryType, mode: u32, size: usize) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size as u64);
    header
}

fn append(archive: &mut tar::Builder<Vec<u8>>, mut header: tar::Header, path: &str, bytes: &[u8]) {
    into_memory(archive.append_data(&mut header, path, bytes));
}

/// Without name and time of the file, so that the same bytes give the same bytes.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    into_memory(encoder.write_all(bytes));
    into_memory(encoder.finish())
}

/// What is written into memory is written; paths are short and names are ours.
#[expect(
    clippy::expect_used,
    reason = "nothing outside of this file can make it fail"
)]
fn into_memory<T>(written: io::Result<T>) -> T {
    written.expect("memory takes everything")
}

/// The certificate authorities of Mozilla's programme, as PEM (RFC 7468).
fn authorities() -> String {
    let mut text = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = STANDARD.encode(certificate);
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

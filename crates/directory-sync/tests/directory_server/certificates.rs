//! A certificate authority of the tests' own, and what it signs.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::daemon::run;

/// Files in PEM.
#[derive(Clone)]
pub struct Certificates {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What the keys are: the arguments of `openssl req`.
pub const RSA: &[&str] = &["-newkey", "rsa:2048"];

impl Certificates {
    /// An authority, and the certificate of a server that it signed. `names` as in
    /// `DNS:dc1.corp.example.test,IP:127.0.0.1`.
    pub fn new(directory: &Path, names: &str) -> Self {
        Self::with_keys(directory, names, RSA, RSA)
    }

    /// With arguments of `openssl req` for the keys of the authority and of the server.
    pub fn with_keys(directory: &Path, names: &str, of_authority: &[&str], key: &[&str]) -> Self {
        let file = |name: &str| directory.join(name);
        let (authority, authority_key) = (file("authority.pem"), file("authority.key"));
        request(
            of_authority,
            &authority_key,
            &authority,
            "/CN=Authority of the tests",
            &[
                "basicConstraints=critical,CA:TRUE",
                "keyUsage=critical,keyCertSign",
            ],
            &[],
        );
        let (certificate, private) = (file("server.pem"), file("server.key"));
        request(
            key,
            &private,
            &certificate,
            "/CN=Directory server of the tests",
            &[
                &format!("subjectAltName={names}"),
                "basicConstraints=CA:FALSE",
            ],
            &[
                "-CA".as_ref(),
                authority.as_ref(),
                "-CAkey".as_ref(),
                authority_key.as_ref(),
            ],
        );
        // Samba refuses a key that others may read.
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&private, mode).expect("the key is ours");
        Self {
            authority,
            certificate,
            key: private,
        }
    }
}

fn request(
    kind: &[&str],
    key: &Path,
    out: &Path,
    subject: &str,
    extensions: &[&str],
    more: &[&OsStr],
) {
    let mut arguments: Vec<&OsStr> = vec![
        "req".as_ref(),
        "-x509".as_ref(),
        "-nodes".as_ref(),
        "-days".as_ref(),
        "30".as_ref(),
        "-subj".as_ref(),
        subject.as_ref(),
        "-keyout".as_ref(),
        key.as_ref(),
        "-out".as_ref(),
        out.as_ref(),
    ];
    arguments.extend(kind.iter().map(OsStr::new));
    for extension in extensions {
        arguments.extend([OsStr::new("-addext"), OsStr::new(extension)]);
    }
    arguments.extend(more);
    run("openssl", &arguments);
}

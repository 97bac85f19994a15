//! OpenLDAP's server with a directory of a test's own.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::certificates::Certificates;
use crate::daemon::{Daemon, free_port, run};

/// May read everything, at most 1,000 entries at once and 500 in a page.
pub const READER: &str = "cn=reader,dc=example,dc=test";
/// May read at most 1,000 entries, however many pages it asks for.
pub const LIMITED: &str = "cn=limited,dc=example,dc=test";
/// Has the limits that a slapd has without a configuration: 500 entries in all pages together.
pub const DEFAULT: &str = "cn=default,dc=example,dc=test";
/// Has the limits that the documentation advises.
pub const ADVISED: &str = "cn=advised,dc=example,dc=test";
/// The password of all of them.
pub const PASSWORD: &str = "canary-Passw0rd!";

/// A running slapd. Its certificate is for 127.0.0.1 and for no name.
pub struct Slapd {
    pub port: u16,
    pub tls_port: u16,
    daemon: Daemon,
}

impl Slapd {
    /// With the entries of `ldif` below `dc=example,dc=test`, and lines of its configuration.
    pub fn start(ldif: &str, configuration: &str) -> Self {
        Self::start_with(ldif, configuration, Certificates::new)
    }

    /// With certificates for the names that `certificates` is called with.
    pub fn start_with(
        ldif: &str,
        configuration: &str,
        certificates: impl FnOnce(&Path, &str) -> Certificates,
    ) -> Self {
        let directory = tempfile::tempdir().expect("cannot create a temporary directory");
        let certificates = certificates(directory.path(), "IP:127.0.0.1");
        std::fs::create_dir(directory.path().join("database")).expect("the directory is ours");
        let file = write(
            directory.path(),
            "slapd.conf",
            &text(directory.path(), &certificates, configuration),
        );
        let entries = write(
            directory.path(),
            "entries.ldif",
            &format!("{}{ldif}", root()),
        );
        run(
            "slapadd",
            &[
                "-q".as_ref(),
                "-f".as_ref(),
                file.as_ref(),
                "-l".as_ref(),
                entries.as_ref(),
            ],
        );
        let (port, tls_port) = (free_port(), free_port());
        let urls = format!("ldap://127.0.0.1:{port}/ ldaps://127.0.0.1:{tls_port}/");
        let arguments: [&OsStr; 6] = [
            "-d".as_ref(),
            "0".as_ref(),
            "-f".as_ref(),
            file.as_ref(),
            "-h".as_ref(),
            urls.as_ref(),
        ];
        let daemon = Daemon::start(directory, "slapd", &arguments);
        daemon.wait_for(port);
        daemon.wait_for(tls_port);
        Self {
            port,
            tls_port,
            daemon,
        }
    }

    /// The certificate authority.
    pub fn authority(&self) -> PathBuf {
        self.daemon.directory().join("authority.pem")
    }
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let file = directory.join(name);
    std::fs::write(&file, text).expect("cannot write into the temporary directory");
    file
}

fn text(directory: &Path, certificates: &Certificates, more: &str) -> String {
    let directory = directory.display();
    // An overlay and its settings are of the database.
    let (more, overlay) = more.split_at(more.find("overlay ").unwrap_or(more.len()));
    let mut text = String::new();
    for schema in ["core", "cosine", "nis", "inetorgperson"] {
        let _ = writeln!(text, "include /etc/ldap/schema/{schema}.schema");
    }
    let _ = write!(
        text,
        "modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
TLSCACertificateFile {}
TLSCertificateFile {}
TLSCertificateKeyFile {}
{more}
database mdb
suffix dc=example,dc=test
directory {directory}/database
maxsize 1073741824
index objectClass,uid,cn eq
limits dn.exact={READER} size.soft=1000 size.hard=1000 size.pr=500 size.prtotal=unlimited
limits dn.exact={LIMITED} size.soft=1000 size.hard=1000 size.pr=500 size.prtotal=1000
limits dn.exact={ADVISED} size.soft=unlimited size.prtotal=unlimited
{overlay}
",
        certificates.authority.display(),
        certificates.certificate.display(),
        certificates.key.display(),
    );
    text
}

fn root() -> String {
    let mut ldif = "dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
dc: example
o: Example

"
    .to_owned();
    for account in [READER, LIMITED, DEFAULT, ADVISED] {
        let _ = write!(
            ldif,
            "dn: {account}
objectClass: applicationProcess
objectClass: simpleSecurityObject
userPassword: {PASSWORD}

"
        );
    }
    for unit in ["People", "Groups", "Elsewhere"] {
        let _ = write!(
            ldif,
            "dn: ou={unit},dc=example,dc=test\nobjectClass: organizationalUnit\n\n"
        );
    }
    ldif
}

//! Samba as the domain controller of an Active Directory, shared by all tests of the process.
//!
//! Its ports are fixed (389 and 636), so there is one at a time on a machine: another process
//! of these tests waits for this one to end.

use std::ffi::OsStr;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::certificates::Certificates;
use crate::daemon::{Daemon, find, run};

/// The root of the domain.
pub const DOMAIN: &str = "DC=corp,DC=example,DC=test";
/// An account that may read, and its password.
pub const READER: &str = "reader@corp.example.test";
/// The password of all accounts that have one.
pub const PASSWORD: &str = "canary-Passw0rd!";

const TIME_FOR_PORTS: Duration = Duration::from_secs(600);

/// What every script begins with.
const PRELUDE: &str = r#"
import sys
import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

parameters = LoadParm()
parameters.load(sys.argv[1])
directory = SamDB(session_info=system_session(), lp=parameters)
domain = str(directory.domain_dn())


def unit(name):
    directory.add({"dn": f"{name},{domain}", "objectClass": "organizationalUnit"})


def escaped(value):
    name = ldb.Dn(directory, "CN=x")
    name.set_component(0, "CN", value)
    return str(name)


def user(parent, account, name=None, **attributes):
    """Enabled, and without a password."""
    entry = {
        "dn": f"{escaped(name or account)},{parent},{domain}",
        "objectClass": "user",
        "sAMAccountName": account,
        "userAccountControl": "544",
    }
    entry.update(attributes)
    directory.add(entry)
    return entry["dn"]


def group(parent, name, *members):
    entry = {
        "dn": f"{escaped(name)},{parent},{domain}",
        "objectClass": "group",
        "sAMAccountName": "".join(c for c in name if c.isalnum() or c == "-"),
    }
    if members:
        entry["member"] = list(members)
    directory.add(entry)
    return entry["dn"]


def change(dn, **attributes):
    message = ldb.Message(ldb.Dn(directory, dn))
    for name, value in attributes.items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    directory.modify(message)
"#;

/// What is there before the server starts.
const POPULATE: &str = r#"
directory.transaction_start()
for name in ["reader", "disabled-reader", "expired-reader"]:
    directory.newuser(name, "canary-Passw0rd!")
directory.disable_account("(sAMAccountName=disabled-reader)")
change(f"CN=expired-reader,CN=Users,{domain}", accountExpires="1")

unit("OU=Bulk")
everybody = [user("OU=Bulk", f"bulk{number:03}") for number in range(250)]
group("OU=Bulk", "bulk-everybody", *everybody)
directory.transaction_commit()
"#;

static SHARED: OnceLock<DomainController> = OnceLock::new();

/// A running domain controller of `corp.example.test`.
pub struct DomainController {
    daemon: Daemon,
    _lock: File,
}

impl DomainController {
    /// The one that the tests of this process share; each test has units of its own in it.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn shared() -> &'static Self {
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let file = std::env::temp_dir().join("connect-scim-directory-server.lock");
        let lock = File::create(&file).expect("cannot create a file in the temporary directory");
        lock.lock().expect("the temporary directory has locks");
        wait_for_ports();
        let directory = tempfile::tempdir().expect("cannot create a temporary directory");
        let root = directory.path().to_owned();
        let certificates = Certificates::new(
            &root,
            "DNS:dc1.corp.example.test,DNS:localhost,IP:127.0.0.1",
        );
        provision(&root);
        script(&root, POPULATE);
        let option = |name: &str, value: &Path| format!("--option={name}={}", value.display());
        let arguments = [
            "--interactive".to_owned(),
            "--model=single".to_owned(),
            "--debug-stdout".to_owned(),
            "--debuglevel=1".to_owned(),
            format!("--configfile={}", smb_conf(&root).display()),
            "--option=server services=ldap".to_owned(),
            "--option=dcerpc endpoint servers=".to_owned(),
            option("pid directory", &root.join("dc")),
            option("lock directory", &root.join("dc/state")),
            option("ncalrpc dir", &root.join("dc/ncalrpc")),
            option("tls keyfile", &certificates.key),
            option("tls certfile", &certificates.certificate),
            option("tls cafile", &certificates.authority),
        ];
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let daemon = Daemon::start(directory, "samba", &arguments);
        daemon.wait_for(389);
        daemon.wait_for(636);
        Self {
            daemon,
            _lock: lock,
        }
    }

    /// The certificate authority.
    pub fn authority(&self) -> PathBuf {
        self.daemon.directory().join("authority.pem")
    }

    /// Changes the directory by a Python script; gives what it prints.
    pub fn run(&self, text: &str) -> String {
        script(self.daemon.directory(), text)
    }
}

fn smb_conf(root: &Path) -> PathBuf {
    root.join("dc/etc/smb.conf")
}

fn provision(root: &Path) {
    find("samba");
    let target = format!("--targetdir={}", root.join("dc").display());
    let arguments = [
        "domain",
        "provision",
        &target,
        "--realm=CORP.EXAMPLE.TEST",
        "--domain=CORP",
        "--server-role=dc",
        "--dns-backend=NONE",
        "--adminpass=Passw0rd!Admin1",
        "--host-name=dc1",
        "--host-ip=127.0.0.1",
        "--option=interfaces=lo",
        "--option=bind interfaces only=yes",
        "--option=vfs objects=",
        "--use-rfc2307",
    ]
    .map(OsStr::new);
    run("samba-tool", &arguments);
}

/// Debian's Python has Samba's modules; another one that comes first in the `PATH` has not.
fn script(root: &Path, text: &str) -> String {
    let text = format!("{PRELUDE}\n{text}");
    let configuration = smb_conf(root);
    run(
        "/usr/bin/python3",
        &["-c".as_ref(), text.as_ref(), configuration.as_ref()],
    )
}

/// The server of a process that has just ended may still hold them.
fn wait_for_ports() {
    let started = Instant::now();
    for port in [389, 636] {
        while let Err(error) = TcpListener::bind(("127.0.0.1", port)) {
            assert!(
                error.kind() == std::io::ErrorKind::AddrInUse && started.elapsed() < TIME_FOR_PORTS,
                "Samba needs port {port} of 127.0.0.1: {error}. Run the tests as root, and stop \
                 the server that has the port"
            );
            thread::sleep(Duration::from_millis(100));
        }
    }
}

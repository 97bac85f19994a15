//! A real registry, and the kernel that runs what is in an image.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use container_image::Image;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tempfile::TempDir;

/// Debian's docker-registry on a port of its own.
pub struct RegistryServer {
    process: Child,
    pub address: String,
    _directory: TempDir,
}

impl RegistryServer {
    /// With a user `AWS` where `password_hash` (bcrypt) is given.
    pub fn start(password_hash: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", test_support::free_port());
        let mut configuration = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{address}', secret: none}}\n",
            directory.path().join("images").display()
        );
        if let Some(hash) = password_hash {
            let users = directory.path().join("users");
            fs::write(&users, format!("AWS:{hash}\n")).unwrap();
            configuration.push_str(&format!(
                "auth: {{htpasswd: {{realm: test, path: {}}}}}\n",
                users.display()
            ));
        }
        let file = directory.path().join("config.yml");
        fs::write(&file, configuration).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is needed: apt-get install docker-registry");
        let begin = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60), "no registry");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            process,
            address,
            _directory: directory,
        }
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Lays the image's only layer out in a directory, with Debian's tar.
pub async fn unpack(
    server: &RegistryServer,
    image: &Image,
    directory: &Path,
) -> (PathBuf, serde_json::Value) {
    let client = Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    let reference = Reference::with_digest(
        server.address.clone(),
        "scim/directory-sync".to_owned(),
        image.digest().to_owned(),
    );
    let pulled = client
        .pull(
            &reference,
            &RegistryAuth::Anonymous,
            vec![oci_client::manifest::IMAGE_LAYER_GZIP_MEDIA_TYPE],
        )
        .await
        .unwrap();
    assert_eq!(pulled.digest.as_deref(), Some(image.digest()));
    let [layer] = &pulled.layers[..] else {
        panic!("{} layers", pulled.layers.len());
    };
    let archive = directory.join("layer.tar.gz");
    fs::write(&archive, &layer.data).unwrap();
    let root = directory.join("root");
    fs::create_dir(&root).unwrap();
    let output = Command::new("tar")
        .args(["--extract", "--gzip", "--same-permissions", "--file"])
        .arg(&archive)
        .arg("--directory")
        .arg(&root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    (root, serde_json::from_slice(&pulled.config.data).unwrap())
}

/// Runs what the configuration says, as the user it says, with `root` as the whole file
/// system, which cannot be written to.
pub fn run(root: &Path, configuration: &serde_json::Value) -> Output {
    let texts = |key: &str| -> Vec<String> {
        serde_json::from_value(configuration["config"][key].clone()).unwrap()
    };
    let script = r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99
        root=$1 user=$2; shift 2
        exec env -i "$@""#;
    let user = configuration["config"]["User"].as_str().unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    command
        .args(["unshare", "--mount", "--", "sh", "-c", script, "sh"])
        .arg(root)
        .arg(user)
        .args(texts("Env"))
        .arg("/usr/sbin/chroot")
        .arg(format!("--userspec={user}"))
        .arg(root)
        .args(texts("Entrypoint"))
        .args(texts("Cmd"));
    command.output().unwrap()
}

//! Images against a real registry, and against the kernel that runs what is in them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod container;

use std::fs;
use std::path::Path;
use std::process::Command;

use container::{RegistryServer, run, unpack};
use container_image::{Architecture, Credentials, Image, Registry, Unsuitable};

const HERE: Architecture = if cfg!(target_arch = "x86_64") {
    Architecture::X86_64
} else {
    Architecture::Arm64
};
const ELSEWHERE: Architecture = if cfg!(target_arch = "x86_64") {
    Architecture::Arm64
} else {
    Architecture::X86_64
};

/// Tells who runs it, with what, and whether it can write.
const PROGRAM: &str = r#"
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("arguments: {}", arguments.join(" "));
    let status = std::fs::read_to_string("/proc/self/status");
    println!("proc: {}", status.is_ok());
    let authorities = std::env::var("SSL_CERT_FILE").map(std::fs::read_to_string);
    let certificates = authorities.map(|text| text.map(|text| text.matches("BEGIN CERTIFICATE").count()));
    println!("certificates: {}", matches!(certificates, Ok(Ok(100..))));
    println!("writes: {}", ["/file", "/etc/file", "/tmp/file"].iter().any(|path| std::fs::write(path, "x").is_ok()));
    println!("shell: {}", std::path::Path::new("/bin/sh").exists());
}
"#;

fn compile(directory: &Path, flags: &[&str]) -> Vec<u8> {
    let source = directory.join("main.rs");
    fs::write(&source, PROGRAM).unwrap();
    let program = directory.join("program");
    let output = Command::new("rustc")
        .args(["--edition", "2024", "-C", "strip=symbols"])
        .args(flags)
        .arg("-o")
        .args([&program, &source])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::read(program).unwrap()
}

fn static_program(directory: &Path) -> Vec<u8> {
    compile(directory, &["-C", "target-feature=+crt-static"])
}

#[test]
fn the_same_program_gives_the_same_image_and_another_one_another() {
    let directory = tempfile::tempdir().unwrap();
    let program = static_program(directory.path());
    let image = Image::of_program("program", &program, HERE, &["run"]).unwrap();
    let again = Image::of_program("program", &program, HERE, &["run"]).unwrap();
    assert_eq!(image, again);
    let other = Image::of_program("program", &program, HERE, &["plan"]).unwrap();
    assert_ne!(image.digest(), other.digest());
}

#[test]
fn what_cannot_run_without_a_system_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let of = |program: &[u8], architecture| {
        Image::of_program("program", program, architecture, &[]).unwrap_err()
    };
    let needs_libraries = compile(directory.path(), &[]);
    assert!(matches!(of(&needs_libraries, HERE), Unsuitable::Dynamic));
    let program = static_program(directory.path());
    assert!(matches!(of(&program, ELSEWHERE), Unsuitable::Machine(_)));
    assert!(matches!(of(b"#!/bin/sh\n", HERE), Unsuitable::NotElf(_)));
    let cut = &program[..program.len().min(40)];
    assert!(matches!(of(cut, HERE), Unsuitable::NotElf(_)));
}

#[tokio::test]
async fn a_pushed_image_runs_as_nobody_and_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let program = static_program(directory.path());
    let image = Image::of_program("program", &program, HERE, &["run"]).unwrap();
    let server = RegistryServer::start(None);
    let registry = Registry::new(
        &server.address,
        "scim/directory-sync",
        Credentials::Anonymous,
    );
    assert!(registry.push(&image).await.unwrap(), "it was not there");
    assert!(!registry.push(&image).await.unwrap(), "it was there");

    let (root, configuration) = unpack(&server, &image, directory.path()).await;
    assert_eq!(configuration["config"]["User"], "65532:65532");
    let output = run(&root, &configuration);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        text, "arguments: run\nproc: false\ncertificates: true\nwrites: false\nshell: false\n",
        "{output:?}"
    );
}

#[tokio::test]
async fn a_registry_that_asks_for_a_password_gets_it_and_a_refusal_does_not_show_it() {
    let directory = tempfile::tempdir().unwrap();
    let program = static_program(directory.path());
    let image = Image::of_program("program", &program, HERE, &[]).unwrap();
    // Of "not a secret".
    let server = RegistryServer::start(Some(
        "$2b$05$BROUU3hVDyeIQfEe0rctKe.UmjGoxO546A5VpnXC1CUrN5n8mLho2",
    ));
    let with = |password: &str| {
        let credentials = Credentials::Password {
            user: "AWS".to_owned(),
            password: password.to_owned(),
        };
        Registry::new(&server.address, "scim/directory-sync", credentials)
    };
    assert!(with("not a secret").push(&image).await.unwrap());

    let error = with("canary-5f1e").push(&image).await.unwrap_err();
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(text.contains(&server.address), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let program = static_program(directory.path());
    let image = Image::of_program("program", &program, HERE, &[]).unwrap();
    let registry = Registry::new("127.0.0.1:1", "repository", Credentials::Anonymous);
    let error = registry.push(&image).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to sign in at 127.0.0.1:1");
}

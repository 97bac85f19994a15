//! Building programs of the workspace with cargo-lambda.
//!
//! cargo-lambda links with zig, so that the functions run with the C library of Lambda
//! (glibc 2.34) whatever the machine has that builds them, so that the program of the
//! image has its C library (musl) in it, and both for both processors. A version of it
//! that matches the pins is taken from PATH; otherwise it is installed into the tool cache.
//!
//! The programs must not depend on where they are built: the paths of the checkout, of
//! the target directory and of cargo's registry are remapped, and what the caller's
//! environment would change in the compilation is taken away.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{CLibrary, Error, REQUIREMENTS};
use crate::environment::Architecture;

/// The C library of `provided.al2023`.
const GLIBC: &str = "2.34";

/// How a build tells what it does.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// Is given a sentence when something begins that takes time.
    pub message: &'a dyn Fn(&str),
    /// Whether cargo shall print errors and warnings only.
    pub quiet: bool,
}

/// An executable.
pub(super) struct Program {
    /// The package that it is the program of: for a function, the function's name.
    pub(super) package: String,
    pub(super) bytes: Vec<u8>,
}

/// Where a program is to run, and so how it is compiled and linked.
pub(super) struct Target {
    architecture: Architecture,
    /// As rustc names it.
    triple: &'static str,
    /// The profile in the workspace's `Cargo.toml`.
    profile: &'static str,
    /// What goes into the program besides Rust.
    c_library: Linked,
}

/// How a program gets its C library.
enum Linked {
    /// By the system that runs it, which has at least this version of glibc.
    Dynamically(&'static str),
    /// From zig, which has musl.
    Statically,
    /// From the machine that builds it.
    StaticallyFromHere,
}

impl Target {
    /// Lambda's `provided.al2023`.
    pub(super) fn lambda(architecture: Architecture) -> Self {
        Self {
            architecture,
            triple: gnu(architecture),
            profile: "lambda",
            c_library: Linked::Dynamically(GLIBC),
        }
    }

    /// A container image with nothing but the program.
    pub(super) fn image(architecture: Architecture, c_library: CLibrary) -> Self {
        let (triple, c_library) = match (c_library, architecture) {
            (CLibrary::Musl, Architecture::X86_64) => {
                ("x86_64-unknown-linux-musl", Linked::Statically)
            }
            (CLibrary::Musl, Architecture::Arm64) => {
                ("aarch64-unknown-linux-musl", Linked::Statically)
            }
            (CLibrary::Glibc, _) => (gnu(architecture), Linked::StaticallyFromHere),
        };
        Self {
            architecture,
            triple,
            profile: "image",
            c_library,
        }
    }

    /// As rustc names it.
    pub(super) fn triple(&self) -> &'static str {
        self.triple
    }
}

fn gnu(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    }
}

/// Builds the programs of `packages`. cargo's own progress goes to standard error.
pub(super) fn build(
    workspace: &Path,
    packages: &[String],
    target: &Target,
    progress: &Progress<'_>,
) -> Result<Vec<Program>, Error> {
    check_target(workspace, target.triple)?;
    let tools = tools(progress)?;
    let target_directory = target_directory(workspace, target.profile);
    let architecture = target.architecture;
    let output = target_directory.join("artifacts").join(architecture.name());
    fs::create_dir_all(&output).map_err(Error::io("create", &output))?;
    let _lock = lock(&target_directory, progress)?;

    (progress.message)(&format!(
        "Building {} for {} (the first build takes minutes)",
        packages.join(", "),
        architecture.name()
    ));
    let mut command = Command::new(tools.cargo_lambda());
    command
        .args(["lambda", "build", "--locked", "--skip-target-check"])
        .args(["--profile", target.profile])
        .arg("--lambda-dir")
        .arg(&output);
    let mut flags = remapping(workspace, &target_directory);
    match target.c_library {
        Linked::Dynamically(version) => {
            command.args(["--target", &format!("{}.{version}", target.triple)]);
        }
        Linked::Statically => {
            command.args(["--target", target.triple]);
        }
        Linked::StaticallyFromHere => {
            command.args(["--target", target.triple, "--compiler", "cargo"]);
            flags.push("\x1f-Ctarget-feature=+crt-static");
        }
    }
    for package in packages {
        command.args(["--package", package]);
        // A program left there by an earlier build must not pass for a new one.
        let old = output.join(package);
        if old.exists() {
            fs::remove_dir_all(&old).map_err(Error::io("remove", &old))?;
        }
    }
    if progress.quiet {
        command.arg("--quiet");
    }
    command
        .current_dir(workspace)
        .stdin(Stdio::null())
        // Standard output is for our own data.
        .stdout(Stdio::null());
    for (name, _) in env::vars_os() {
        if changes_the_program(&name) {
            command.env_remove(name);
        }
    }
    command
        .env("CARGO_TARGET_DIR", &target_directory)
        .env("CARGO_ENCODED_RUSTFLAGS", flags);
    tools.configure(&mut command)?;
    let status = command.status().map_err(|source| Error::NoProgram {
        program: "cargo-lambda".to_owned(),
        source,
    })?;
    if !status.success() {
        return Err(Error::Build { status });
    }

    packages
        .iter()
        .map(|package| {
            let path = output.join(package).join("bootstrap");
            let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
            Ok(Program {
                package: package.clone(),
                bytes,
            })
        })
        .collect()
}

/// Asks the compiler rather than rustup, which not every machine has.
fn check_target(workspace: &Path, target: &'static str) -> Result<(), Error> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(workspace)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::NoProgram {
            program: "rustc".to_owned(),
            source,
        })?;
    let directory = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && Path::new(directory.trim()).is_dir() {
        Ok(())
    } else {
        Err(Error::MissingTarget { target })
    }
}

/// A directory of its own: the flags differ from those of other builds of the workspace,
/// and neither shall wait for the other's lock. It is inside cargo's target directory, so
/// that what caches the one in CI caches both.
fn target_directory(workspace: &Path, profile: &str) -> PathBuf {
    let base = env::var_os("CARGO_TARGET_DIR")
        .filter(|value| !value.is_empty())
        .map_or_else(|| workspace.join("target"), |path| workspace.join(path));
    base.join(profile)
}

/// Two builds would overwrite each other's programs. The lock is released when the file
/// is closed, also when this process is killed.
fn lock(target_directory: &Path, progress: &Progress<'_>) -> Result<File, Error> {
    let path = target_directory.join("artifacts/lock");
    let file = File::create(&path).map_err(Error::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            (progress.message)("Waiting for the build of another process");
            file.lock().map_err(Error::io("lock", &path))?;
        }
        Err(TryLockError::Error(source)) => return Err(Error::io("lock", &path)(source)),
    }
    Ok(file)
}

/// Replaces, in what the compiler writes into the programs, every path of this machine.
/// The last match counts, so the directories that may lie in others come last.
fn remapping(workspace: &Path, target_directory: &Path) -> OsString {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo")));
    let mut flags = OsString::new();
    for (from, to) in [
        (cargo_home.as_deref(), "/cargo"),
        (Some(workspace), "/connect-scim"),
        (Some(target_directory), "/target"),
    ] {
        let Some(from) = from else { continue };
        if !flags.is_empty() {
            flags.push("\x1f");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

/// Whether an environment variable of the caller would make another program, or make
/// cargo believe that it must build everything again: `cargo run` leaves variables of
/// the deployer's own package behind, which build scripts of dependencies watch.
fn changes_the_program(name: &OsStr) -> bool {
    const NAMES: [&str; 4] = [
        "RUSTFLAGS",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
    ];
    const PREFIXES: [&str; 7] = [
        "CARGO_BUILD_",
        "CARGO_LAMBDA_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
        "CARGO_ZIGBUILD_",
    ];
    let Some(name) = name.to_str() else {
        return false;
    };
    name != "CARGO_BUILD_JOBS"
        && (NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// Where cargo-lambda and zig are.
enum Tools {
    /// On PATH.
    Installed,
    /// In the `bin` directory of an environment in the tool cache.
    Cached(PathBuf),
}

fn tools(progress: &Progress<'_>) -> Result<Tools, Error> {
    if is_installed() {
        return Ok(Tools::Installed);
    }
    let bin = tool_cache::python_environment("cargo-lambda", REQUIREMENTS, progress.message)?;
    Ok(Tools::Cached(bin))
}

impl Tools {
    fn cargo_lambda(&self) -> PathBuf {
        match self {
            Self::Installed => PathBuf::from("cargo-lambda"),
            Self::Cached(bin) => bin.join("cargo-lambda"),
        }
    }

    /// Leads cargo-lambda to its zig, and both away from caches in the home directory.
    fn configure(&self, command: &mut Command) -> Result<(), Error> {
        if let Self::Cached(bin) = self {
            command.env("CARGO_ZIGBUILD_PYTHON_PATH", bin.join("python"));
        }
        let cache = tool_cache::cache_directory()?.join("zig");
        command
            .env("CARGO_ZIGBUILD_CACHE_DIR", cache.join("cargo-zigbuild"))
            .env("ZIG_GLOBAL_CACHE_DIR", cache.join("global"))
            .env("ZIG_LOCAL_CACHE_DIR", cache.join("local"));
        Ok(())
    }
}

/// Whether PATH has the pinned versions of cargo-lambda and zig. Another version would
/// make other bytes from the same sources.
fn is_installed() -> bool {
    let zig =
        || answer("python3", &["-m", "ziglang", "version"]).or_else(|| answer("zig", &["version"]));
    has_pinned_version(
        "cargo-lambda",
        answer("cargo-lambda", &["lambda", "--version"]),
    ) && has_pinned_version("ziglang", zig())
}

/// Whether a version, as a program prints it, is the one in the requirements.
fn has_pinned_version(package: &str, answer: Option<String>) -> bool {
    let pinned = REQUIREMENTS.lines().find_map(|line| {
        let version = line.strip_prefix(package)?.strip_prefix("==")?;
        version.split_whitespace().next()
    });
    answer.is_some_and(|answer| answer.split_whitespace().any(|word| Some(word) == pinned))
}

/// What a program prints, if it is there and works.
fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_on_path_is_used() {
        let print = |text: &str| Some(text.to_owned());
        assert!(has_pinned_version(
            "cargo-lambda",
            print("cargo-lambda 1.9.2 (67129fc 2026-08-21Z)")
        ));
        assert!(has_pinned_version("ziglang", print("0.17.1\n")));
        assert!(!has_pinned_version(
            "cargo-lambda",
            print("cargo-lambda 1.9.20")
        ));
        assert!(!has_pinned_version("ziglang", print("")));
        assert!(!has_pinned_version("ziglang", None));
    }

    #[test]
    fn the_callers_compiler_flags_are_taken_away_and_the_rest_of_the_environment_is_not() {
        for name in ["RUSTFLAGS", "CARGO_PROFILE_LAMBDA_LTO", "CARGO_PKG_NAME"] {
            assert!(changes_the_program(name.as_ref()), "{name}");
        }
        for name in [
            "PATH",
            "CARGO_HOME",
            "CARGO_BUILD_JOBS",
            "CARGO_TERM_COLOR",
            "CARGO_HTTP_PROXY",
        ] {
            assert!(!changes_the_program(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn the_most_specific_path_is_remapped_last() {
        let flags = remapping(
            Path::new("/home/me/scim"),
            Path::new("/home/me/scim/target"),
        );
        let flags = flags.to_str().unwrap();
        assert!(
            flags.ends_with(
                "--remap-path-prefix=/home/me/scim=/connect-scim\x1f\
                 --remap-path-prefix=/home/me/scim/target=/target"
            ),
            "{flags:?}"
        );
    }
}

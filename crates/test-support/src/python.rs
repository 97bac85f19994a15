//! A Python interpreter with pinned packages, for the tests that hold this project to
//! software written by others: AWS's own client and cfn-lint.
//!
//! Test binaries run at the same time and share one environment per requirements file.
//! An environment cannot be built aside and moved into place, because its scripts name
//! their interpreter by absolute path; so it is built in place under a file lock, and a
//! marker written last tells a finished one from one whose builder was killed.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// An interpreter to use instead of a new environment. It must have the packages.
const INTERPRETER_VARIABLE: &str = "CONNECT_SCIM_TEST_PYTHON";

/// Written when an environment is complete.
const COMPLETE: &str = "complete";

/// The path of a Python interpreter in which the packages of `requirements` (a file in
/// pip's format, every package pinned by hash) can be imported.
///
/// Takes the interpreter named by `CONNECT_SCIM_TEST_PYTHON`; else makes a virtual
/// environment, once per content of the file, in `connect-scim/python` below the first
/// of `CONNECT_SCIM_CACHE`, `XDG_CACHE_HOME` and `~/.cache`.
///
/// # Panics
///
/// When there is no such interpreter and none can be made: a test that needs Python
/// fails without it.
#[must_use]
pub fn python(requirements: &Path) -> PathBuf {
    if let Some(interpreter) = variable(INTERPRETER_VARIABLE) {
        return interpreter;
    }
    environment(&cache_directory(), requirements)
}

fn environment(cache: &Path, requirements: &Path) -> PathBuf {
    let content = fs::read(requirements).unwrap_or_else(|error| {
        panic!(
            "cannot read the requirements {}: {error}",
            requirements.display()
        )
    });
    let environments = cache.join("python");
    fs::create_dir_all(&environments).unwrap_or_else(|error| {
        panic!(
            "cannot create {}: {error}; name a writable directory in CONNECT_SCIM_CACHE",
            environments.display()
        )
    });
    let key = digest(&content);
    let directory = environments.join(&key);
    let interpreter = directory.join("bin").join("python");

    let lock_path = environments.join(format!("{key}.lock"));
    let lock = File::create(&lock_path)
        .unwrap_or_else(|error| panic!("cannot create {}: {error}", lock_path.display()));
    // Released when the file is closed, also when this process is killed.
    lock.lock()
        .unwrap_or_else(|error| panic!("cannot lock {}: {error}", lock_path.display()));

    // A marker alone is not enough: the interpreter is a link to the system's, which an
    // upgrade may have removed.
    if !(directory.join(COMPLETE).exists() && interpreter.exists()) {
        if directory.exists() {
            fs::remove_dir_all(&directory)
                .unwrap_or_else(|error| panic!("cannot remove {}: {error}", directory.display()));
        }
        build(&directory, &interpreter, requirements);
    }
    interpreter
}

fn build(directory: &Path, interpreter: &Path, requirements: &Path) {
    run(
        OsStr::new("python3"),
        &["-m".as_ref(), "venv".as_ref(), directory.as_ref()],
        "install Python 3.10 or newer with its venv module (Debian: apt-get install python3-venv)",
    );
    run(
        interpreter.as_os_str(),
        &[
            "-m".as_ref(),
            "pip".as_ref(),
            "install".as_ref(),
            "--quiet".as_ref(),
            "--disable-pip-version-check".as_ref(),
            "--only-binary=:all:".as_ref(),
            "--require-hashes".as_ref(),
            "--requirement".as_ref(),
            requirements.as_ref(),
        ],
        "check the connection to the Python package index, or name an interpreter that has the \
         packages in CONNECT_SCIM_TEST_PYTHON",
    );
    let marker = directory.join(COMPLETE);
    fs::write(&marker, "")
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", marker.display()));
}

fn run(program: &OsStr, arguments: &[&OsStr], advice: &str) {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "cannot run {}: {error}; {advice}",
                program.to_string_lossy()
            )
        });
    assert!(
        output.status.success(),
        "{} {} ended with {}; {advice}\n{}{}",
        program.to_string_lossy(),
        arguments
            .iter()
            .map(|argument| argument.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

fn cache_directory() -> PathBuf {
    variable("CONNECT_SCIM_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(|| panic!("set CONNECT_SCIM_CACHE or HOME: no place for a cache is known"))
        .join("connect-scim")
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// 16 hexadecimal digits: enough to tell the versions of a file apart in a path.
fn digest(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrent_callers_share_one_environment_and_a_half_built_one_is_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let requirements = cache.path().join("requirements.txt");
        fs::write(&requirements, "# nothing but the interpreter\n").unwrap();
        let half_built = cache
            .path()
            .join("python")
            .join(digest(&fs::read(&requirements).unwrap()));
        fs::create_dir_all(half_built.join("bin")).unwrap();
        fs::write(half_built.join("bin/python"), "killed while building").unwrap();

        let interpreters: Vec<PathBuf> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| environment(cache.path(), &requirements)))
                .collect();
            callers
                .into_iter()
                .map(|caller| caller.join().unwrap())
                .collect()
        });

        assert_eq!(interpreters[0], interpreters[1]);
        assert_eq!(interpreters[1], interpreters[2]);
        let output = Command::new(&interpreters[0])
            .args(["-c", "print(6 * 7)"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "42\n");
    }

    #[test]
    #[should_panic(expected = "cannot read the requirements")]
    fn a_missing_requirements_file_fails_the_test() {
        let cache = tempfile::tempdir().unwrap();
        let _ = environment(cache.path(), &cache.path().join("absent.txt"));
    }
}

//! Tools written in Python or served by the Python package index, pinned by hash, in
//! virtual environments inside a cache of the project's own: never global.
//!
//! Several processes may want the same environment at once, and each may be killed at
//! any moment, its `pip` living on for a while. A finished environment cannot be moved
//! into place, because its scripts name their interpreter by absolute path. So each
//! attempt builds into a directory of its own, under a file lock that spares the others
//! the same work, and becomes the environment when a small file that names it is renamed
//! into place. Whatever an orphan still writes, it writes into an abandoned directory.
//!
//! ```text
//! <cache>/python/<name>-<digest of the requirements>/
//!     lock           held while an attempt is built
//!     current        the finished attempt and the interpreter it was made with
//!     <attempt>/     a virtual environment
//! ```

mod error;
mod python;

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

pub use error::Error;
pub use python::OLDEST_PYTHON;

/// Where everything that is installed goes: `$CONNECT_SCIM_CACHE`, else
/// `$XDG_CACHE_HOME/connect-scim`, else `~/.cache/connect-scim`.
///
/// # Errors
/// [`Error::NoCacheDirectory`] when neither of them nor `HOME` is set.
pub fn cache_directory() -> Result<PathBuf, Error> {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("CONNECT_SCIM_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("connect-scim")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/connect-scim")))
        .ok_or(Error::NoCacheDirectory)
}

/// The `bin` directory of a virtual environment that holds exactly the packages of
/// `requirements`: the text of a requirements file in which every package is pinned by hash.
/// Dependencies are not resolved, so the file must list all of them.
///
/// Makes the environment when there is none, which takes seconds and needs the Python
/// package index; otherwise answers at once. `name` tells people whose environment it is.
/// `progress` is given a sentence when there is something to wait for.
///
/// # Errors
/// When there is no usable Python, the packages cannot be installed, or the cache cannot
/// be written; [`Error::hint`] says what to do.
pub fn python_environment(
    name: &str,
    requirements: &str,
    progress: &dyn Fn(&str),
) -> Result<PathBuf, Error> {
    environment_in(&cache_directory()?, name, requirements, progress)
}

fn environment_in(
    cache: &Path,
    name: &str,
    requirements: &str,
    progress: &dyn Fn(&str),
) -> Result<PathBuf, Error> {
    let directory = cache
        .join("python")
        .join(format!("{name}-{}", digest(requirements)));
    if let Some(bin) = finished(&directory) {
        return Ok(bin);
    }

    fs::create_dir_all(&directory).map_err(Error::io("create", &directory))?;
    let _lock = lock(&directory, name, progress)?;
    if let Some(bin) = finished(&directory) {
        return Ok(bin);
    }

    progress(&format!("Installing {name} into {}", directory.display()));
    remove_attempts(&directory);
    let attempt = attempt_name();
    let environment = directory.join(&attempt);
    python::build(&environment, name, requirements)?;
    publish(&directory, &attempt)
}

/// The `bin` directory of the finished environment, if there is one and the interpreter
/// it was made with is still there: an upgrade of the system's Python leaves an
/// environment behind that starts, but finds none of its packages.
fn finished(directory: &Path) -> Option<PathBuf> {
    let current = fs::read_to_string(directory.join("current")).ok()?;
    let (attempt, interpreter) = current.trim_end().split_once('\n')?;
    let bin = directory.join(attempt).join("bin");
    let linked = fs::canonicalize(bin.join("python")).ok()?;
    (linked == Path::new(interpreter)).then_some(bin)
}

fn publish(directory: &Path, attempt: &str) -> Result<PathBuf, Error> {
    let bin = directory.join(attempt).join("bin");
    let python = bin.join("python");
    let interpreter = fs::canonicalize(&python).map_err(Error::io("find", &python))?;
    let current = directory.join("current");
    let unfinished = directory.join(format!("{attempt}.current"));
    fs::write(
        &unfinished,
        format!("{attempt}\n{}\n", interpreter.display()),
    )
    .map_err(Error::io("write", &unfinished))?;
    fs::rename(&unfinished, &current).map_err(Error::io("write", &current))?;
    Ok(bin)
}

/// The lock is released when the file is closed, also when this process is killed.
fn lock(directory: &Path, name: &str, progress: &dyn Fn(&str)) -> Result<File, Error> {
    let path = directory.join("lock");
    let file = File::create(&path).map_err(Error::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(&format!("Waiting for another process to install {name}"));
            file.lock().map_err(Error::io("lock", &path))?;
        }
        Err(TryLockError::Error(source)) => return Err(Error::io("lock", &path)(source)),
    }
    Ok(file)
}

/// Clears away what killed processes left. What cannot be removed is in nobody's way.
fn remove_attempts(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _left_behind = fs::remove_dir_all(entry.path());
        }
    }
}

/// A name that no other attempt has, had or will have.
fn attempt_name() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}-{}", now.as_nanos(), process::id())
}

/// 16 hexadecimal digits: enough to tell the versions of a file apart in a path.
fn digest(content: &str) -> String {
    Sha256::digest(content)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const NO_PACKAGES: &str = "# nothing but the interpreter\n";

    #[test]
    fn concurrent_callers_share_one_environment_and_a_half_built_one_is_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let directory = cache
            .path()
            .join(format!("python/empty-{}", digest(NO_PACKAGES)));
        let half_built = directory.join("1-1/bin");
        fs::create_dir_all(&half_built).unwrap();
        fs::write(half_built.join("python"), "killed while building").unwrap();
        let installations = AtomicUsize::new(0);
        let count = |message: &str| {
            if message.starts_with("Installing") {
                installations.fetch_add(1, Ordering::Relaxed);
            }
        };

        let bins: Vec<PathBuf> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        environment_in(cache.path(), "empty", NO_PACKAGES, &count).unwrap()
                    })
                })
                .collect();
            callers
                .into_iter()
                .map(|caller| caller.join().unwrap())
                .collect()
        });

        assert_eq!(installations.into_inner(), 1);
        assert!(bins.iter().all(|bin| *bin == bins[0]), "{bins:?}");
        assert!(!half_built.exists());
        let output = Command::new(bins[0].join("python"))
            .args(["-c", "print(6 * 7)"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "42\n");
    }

    #[test]
    fn an_environment_whose_interpreter_was_upgraded_is_not_taken_for_finished() {
        let cache = tempfile::tempdir().unwrap();
        let directory = cache.path();
        let bin = directory.join("1-1/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(directory.join("python3.11"), "").unwrap();
        fs::write(directory.join("python3.12"), "").unwrap();
        std::os::unix::fs::symlink(directory.join("python3.11"), bin.join("python")).unwrap();
        publish(directory, "1-1").unwrap();
        assert_eq!(finished(directory), Some(bin.clone()));

        fs::remove_file(bin.join("python")).unwrap();
        std::os::unix::fs::symlink(directory.join("python3.12"), bin.join("python")).unwrap();
        assert_eq!(finished(directory), None);
    }

    #[test]
    fn a_package_that_is_not_the_pinned_one_is_refused_and_leaves_no_environment() {
        let cache = tempfile::tempdir().unwrap();
        let package = cache.path().join("absent-1.0-py3-none-any.whl");
        let requirements = format!(
            "absent @ file://{} --hash=sha256:{}\n",
            package.display(),
            "0".repeat(64)
        );
        let error = environment_in(cache.path(), "absent", &requirements, &|_| ()).unwrap_err();
        assert!(matches!(error, Error::Install { .. }), "{error:?}");
        let directory = cache
            .path()
            .join(format!("python/absent-{}", digest(&requirements)));
        assert_eq!(finished(&directory), None);
    }

    /// Writes wheels and prints the digest of each. `outer` requires `inner[more]`, which
    /// requires `extra`; a newer `inner` than the one that the tests pin exists as well.
    const WHEELS: &str = r#"
import hashlib, pathlib, sys, zipfile
for name, version, metadata in [
    ("outer", "1.0", "Requires-Dist: inner[more]>=1.0\n"),
    ("inner", "1.0", "Provides-Extra: more\nRequires-Dist: extra; extra == 'more'\n"),
    ("inner", "2.0", "Provides-Extra: more\nRequires-Dist: extra; extra == 'more'\n"),
    ("extra", "1.0", ""),
]:
    path = pathlib.Path(sys.argv[1], f"{name}-{version}-py3-none-any.whl")
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = '{version}'")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    print(f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")
"#;

    /// An index of the wheels in `directory`, and requirements that pin the `packages`.
    fn pinned(directory: &Path, packages: &[&str]) -> String {
        let output = Command::new("python3")
            .args(["-c", WHEELS])
            .arg(directory)
            .output()
            .unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let pins: Vec<&str> = lines
            .lines()
            .filter(|line| packages.iter().any(|package| line.starts_with(package)))
            .collect();
        assert_eq!(pins.len(), packages.len(), "{lines}");
        format!(
            "--no-index\n--find-links {}\n{}\n",
            directory.display(),
            pins.join("\n")
        )
    }

    #[test]
    fn a_newer_version_in_the_index_does_not_change_what_is_installed() {
        let cache = tempfile::tempdir().unwrap();
        let requirements = pinned(cache.path(), &["outer==1.0", "inner==1.0", "extra==1.0"]);
        let bin = environment_in(cache.path(), "outer", &requirements, &|_| ()).unwrap();
        let output = Command::new(bin.join("python"))
            .args(["-c", "import inner, outer, extra; print(inner.version)"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1.0\n");
    }

    #[test]
    fn requirements_that_lack_a_package_are_an_error_that_names_it() {
        let cache = tempfile::tempdir().unwrap();
        let requirements = pinned(cache.path(), &["outer==1.0"]);
        let error = environment_in(cache.path(), "outer", &requirements, &|_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the packages of outer are installed, but do not fit together:\n\
             outer 1.0 requires inner, which is not installed."
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains("Python 3.11 to 3.14"), "{hint}");
    }

    #[test]
    fn a_package_without_a_wheel_for_this_python_leads_to_a_supported_one() {
        let cache = tempfile::tempdir().unwrap();
        let requirements = pinned(cache.path(), &["extra==1.0"]).replace("1.0", "3.0");
        let error = environment_in(cache.path(), "extra", &requirements, &|_| ()).unwrap_err();
        assert!(matches!(error, Error::Install { .. }), "{error:?}");
        let hint = error.hint().unwrap();
        assert!(hint.contains("Python 3.11 to 3.14"), "{hint}");
    }

    #[test]
    fn the_lock_files_are_checked_with_the_oldest_and_the_newest_python() {
        let script = include_str!("../../../.ci/lock-files");
        for (name, (major, minor)) in [("oldest", OLDEST_PYTHON), ("newest", python::NEWEST_PYTHON)]
        {
            let line = format!("{name}={major}.{minor}");
            assert!(script.lines().any(|other| other == line), "{line}");
        }
    }
}

//! Creates one virtual environment: checks that give clear errors, then `venv` and `pip`.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::Error;

/// The oldest Python that every pinned package runs on.
pub const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// The newest Python for which every pinned package has a wheel.
pub(crate) const NEWEST_PYTHON: (u32, u32) = (3, 14);

/// Prints the version, and whether virtual environments can be made: Debian ships `venv`
/// with Python, but what it needs to run in another package.
const PROBE: &str = "import sys, importlib.util as u; \
     print(*sys.version_info[:2], all(map(u.find_spec, ('venv', 'ensurepip'))))";

/// Builds a virtual environment with the packages of `requirements` at `environment`.
pub(crate) fn build(environment: &Path, name: &str, requirements: &str) -> Result<(), Error> {
    check()?;
    let output = run(
        OsStr::new("python3"),
        &["-m".as_ref(), "venv".as_ref(), environment.as_ref()],
    )?;
    if !output.status.success() {
        return Err(Error::VirtualEnvironment {
            directory: environment.to_owned(),
            log: log(&output),
        });
    }
    let file = environment.join("requirements.txt");
    fs::write(&file, requirements).map_err(Error::io("write", &file))?;
    let interpreter = environment.join("bin/python");
    let pip = |arguments: &[&OsStr]| {
        let common = ["-m", "pip", "--disable-pip-version-check", "--no-input"];
        let common = common.map(OsStr::new);
        run(interpreter.as_os_str(), &[&common, arguments].concat())
    };
    let output = pip(&[
        "install".as_ref(),
        "--quiet".as_ref(),
        // The user's configuration may enable it; in a virtual environment it is an error.
        "--no-user".as_ref(),
        "--only-binary=:all:".as_ref(),
        // The requirements are complete. With dependencies, an older pip chooses the newest
        // version of a package that another one names with an extra, although it is pinned.
        "--no-deps".as_ref(),
        "--require-hashes".as_ref(),
        "--requirement".as_ref(),
        file.as_ref(),
    ])?;
    if !output.status.success() {
        return Err(Error::Install {
            name: name.to_owned(),
            log: log(&output),
        });
    }
    let output = pip(&["check".as_ref()])?;
    if !output.status.success() {
        return Err(Error::Inconsistent {
            name: name.to_owned(),
            log: log(&output),
        });
    }
    Ok(())
}

fn check() -> Result<(), Error> {
    let output = run(OsStr::new("python3"), &["-c".as_ref(), PROBE.as_ref()])?;
    if !output.status.success() {
        return Err(Error::BrokenPython { log: log(&output) });
    }
    read_probe(&String::from_utf8_lossy(&output.stdout))
}

fn read_probe(answer: &str) -> Result<(), Error> {
    let mut words = answer.split_whitespace();
    let mut number = || words.next()?.parse::<u32>().ok();
    let (Some(major), Some(minor)) = (number(), number()) else {
        return Err(Error::BrokenPython {
            log: answer.to_owned(),
        });
    };
    if (major, minor) < OLDEST_PYTHON {
        return Err(Error::OldPython {
            version: format!("{major}.{minor}"),
        });
    }
    if words.next() != Some("True") {
        return Err(Error::NoVenvModule);
    }
    Ok(())
}

fn run(program: &OsStr, arguments: &[&OsStr]) -> Result<Output, Error> {
    Command::new(program)
        .args(arguments)
        // They would lead the environment's interpreter to packages outside of it.
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::NoPython {
            program: program.to_owned(),
            source,
        })
}

/// The end of what a program printed: where Python's tools say what went wrong.
fn log(output: &Output) -> String {
    const LINES: usize = 12;
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unusable_python_has_its_own_error() {
        assert!(read_probe("3 11 True\n").is_ok());
        assert!(read_probe("4 0 True\n").is_ok());
        assert!(
            matches!(read_probe("3 10 True\n"), Err(Error::OldPython { version }) if version == "3.10")
        );
        assert!(matches!(
            read_probe("3 11 False\n"),
            Err(Error::NoVenvModule)
        ));
        assert!(matches!(read_probe(""), Err(Error::BrokenPython { .. })));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(OsStr::new("/absent/python3"), &[]).unwrap_err();
        assert_eq!(error.to_string(), "failed to run /absent/python3");
    }
}

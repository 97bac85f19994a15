//! A Python interpreter with pinned packages, for the tests that hold this project to
//! software written by others: AWS's own client and cfn-lint.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// An interpreter to use instead of a new environment. It must have the packages.
const INTERPRETER_VARIABLE: &str = "CONNECT_SCIM_TEST_PYTHON";

/// The path of a Python interpreter in which the packages of `requirements` (a file in
/// pip's format, every package pinned by hash) can be imported.
///
/// Takes the interpreter named by `CONNECT_SCIM_TEST_PYTHON`; else makes a virtual
/// environment in the project's tool cache, once per content of the file. Test binaries
/// run at the same time and share it.
///
/// # Panics
///
/// When there is no such interpreter and none can be made: a test that needs Python
/// fails without it.
#[must_use]
pub fn python(requirements: &Path) -> PathBuf {
    if let Some(interpreter) = env::var_os(INTERPRETER_VARIABLE).filter(|value| !value.is_empty()) {
        return interpreter.into();
    }
    let content = fs::read_to_string(requirements).unwrap_or_else(|error| {
        panic!(
            "cannot read the requirements {}: {error}",
            requirements.display()
        )
    });
    let bin = tool_cache::python_environment("tests", &content, &|_| ()).unwrap_or_else(|error| {
        panic!(
            "{error}; {}, or name an interpreter that has the packages in {INTERPRETER_VARIABLE}",
            error.hint().unwrap_or_default()
        )
    });
    bin.join("python")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "cannot read the requirements")]
    fn a_missing_requirements_file_fails_the_test() {
        let directory = tempfile::tempdir().unwrap();
        let _ = python(&directory.path().join("absent.txt"));
    }
}

//! The programs that a build needs. A deployment of packages that were built elsewhere
//! (`deploy --artifacts`) needs none of them, so what is missing is a warning.

use tool_cache::OLDEST_PYTHON;

use super::Check;

const CHECK: &str = "tools";

/// A program and what it answers to `--version`, if it is there.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// The first line of its answer.
    pub version: Option<String>,
}

/// Judges what was found.
#[must_use]
pub fn tools(found: &[Tool]) -> Check {
    let missing: Vec<&str> = found
        .iter()
        .filter(|tool| tool.version.is_none())
        .map(|tool| tool.name)
        .collect();
    if !missing.is_empty() {
        return Check::warn(
            CHECK,
            format!(
                "{} not found: the functions cannot be built here",
                missing.join(", ")
            ),
            "install Rust (https://rustup.rs) and Python with venv, or deploy packages built elsewhere with --artifacts",
        );
    }
    let versions: Vec<&str> = found
        .iter()
        .filter_map(|tool| tool.version.as_deref())
        .collect();
    let python = versions.iter().find_map(|version| python_version(version));
    if python.is_some_and(|version| version < OLDEST_PYTHON) {
        let (major, minor) = OLDEST_PYTHON;
        return Check::warn(
            CHECK,
            format!("{} is too old to build the functions", versions.join(", ")),
            format!(
                "install Python {major}.{minor} or newer, or deploy packages built elsewhere with --artifacts"
            ),
        );
    }
    Check::ok(CHECK, versions.join(", "))
}

/// `Python 3.11.2` → `(3, 11)`.
fn python_version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.strip_prefix("Python ")?.split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn what_is_missing_or_too_old_is_named() {
        let tool = |name, version: Option<&str>| Tool {
            name,
            version: version.map(str::to_owned),
        };
        for (found, outcome, detail) in [
            (
                [
                    tool("cargo", Some("cargo 1.95.0")),
                    tool("python3", Some("Python 3.11.2")),
                ],
                Outcome::Ok,
                "cargo 1.95.0, Python 3.11.2",
            ),
            (
                [tool("cargo", None), tool("python3", Some("Python 3.11.2"))],
                Outcome::Warn,
                "cargo not found: the functions cannot be built here",
            ),
            (
                [
                    tool("cargo", Some("cargo 1.95.0")),
                    tool("python3", Some("Python 3.9.1")),
                ],
                Outcome::Warn,
                "cargo 1.95.0, Python 3.9.1 is too old to build the functions",
            ),
        ] {
            let check = tools(&found);
            assert_eq!((check.outcome, check.detail.as_str()), (outcome, detail));
        }
    }
}

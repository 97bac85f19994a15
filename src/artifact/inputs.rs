//! What a build depends on, as one digest: equal digests mean that building again
//! would make the same programs.
//!
//! Asking cargo costs half a second, and a deployment that changes nothing should not.
//! So the path dependencies are read from the manifests themselves, and every file of
//! the packages found counts, tests and benches aside. Too much is harmless: cargo then
//! finds that there is nothing to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::sha256::{Hasher, Sha256};
use super::{Error, REQUIREMENTS};

/// Where the functions are, one package each, in a directory of the function's name.
pub(super) const FUNCTIONS: &str = "lambda-artifacts";

/// Raise it when the way of building or packing changes without any other input.
const RECIPE: &[u8] = b"1";

/// Files of the workspace that every build depends on. Not all of them must exist.
const WORKSPACE_FILES: [&str; 4] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    ".cargo/config.toml",
];

/// Directories of a package that do not go into its program.
const NOT_BUILT: [&str; 4] = ["tests", "benches", "examples", "target"];

/// The root of the checkout that `start` lies in.
pub fn find_workspace(start: &Path) -> Result<PathBuf, Error> {
    start
        .ancestors()
        .find(|directory| {
            directory.join(FUNCTIONS).is_dir() && directory.join("Cargo.lock").is_file()
        })
        .map(Path::to_owned)
        .ok_or_else(|| Error::NoWorkspace {
            start: start.to_owned(),
        })
}

/// The names of the workspace's functions, sorted.
pub(super) fn functions(workspace: &Path) -> Result<Vec<String>, Error> {
    let mut functions: Vec<String> = entries(&workspace.join(FUNCTIONS))?
        .into_iter()
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    functions.sort();
    Ok(functions)
}

/// The directories, relative to the workspace, of the functions' packages.
pub(super) fn function_directories(functions: &[String]) -> Vec<PathBuf> {
    functions
        .iter()
        .map(|function| Path::new(FUNCTIONS).join(function))
        .collect()
}

/// The digest of everything that goes into what is built from the packages in
/// `directories`, relative to the workspace, for `target`.
pub(super) fn digest(
    workspace: &Path,
    directories: Vec<PathBuf>,
    target: &str,
) -> Result<Sha256, Error> {
    let mut files: BTreeSet<PathBuf> = WORKSPACE_FILES.iter().map(PathBuf::from).collect();
    for package in packages(workspace, directories)? {
        collect_files(workspace, &package, &mut files)?;
    }

    let mut hasher = Hasher::new();
    hasher.update_delimited(RECIPE);
    hasher.update_delimited(REQUIREMENTS.as_bytes());
    hasher.update_delimited(target.as_bytes());
    for file in files {
        let path = workspace.join(&file);
        match fs::read(&path) {
            Ok(content) => {
                hasher.update_delimited(file.as_os_str().as_encoded_bytes());
                hasher.update_delimited(&content);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("read", &path)(error)),
        }
    }
    Ok(hasher.finish())
}

/// The parts of a `Cargo.toml` that name other packages.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct CargoManifest {
    workspace: Dependencies,
    #[serde(flatten)]
    dependencies: Dependencies,
    target: BTreeMap<String, Dependencies>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Dependencies {
    dependencies: BTreeMap<String, Dependency>,
    build_dependencies: BTreeMap<String, Dependency>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Dependency {
    Detailed {
        path: Option<PathBuf>,
        #[serde(default)]
        workspace: bool,
    },
    #[expect(dead_code, reason = "a version alone names no directory")]
    Version(String),
}

/// The directories, relative to the workspace, of some packages and of all packages of the
/// workspace that they depend on.
fn packages(workspace: &Path, mut open: Vec<PathBuf>) -> Result<BTreeSet<PathBuf>, Error> {
    let root = read_manifest(&workspace.join("Cargo.toml"))?;
    let mut found = BTreeSet::new();
    while let Some(package) = open.pop() {
        if !found.insert(package.clone()) {
            continue;
        }
        let manifest = read_manifest(&workspace.join(&package).join("Cargo.toml"))?;
        for (name, dependency) in std::iter::once(&manifest.dependencies)
            .chain(manifest.target.values())
            .flat_map(|group| group.dependencies.iter().chain(&group.build_dependencies))
        {
            let Dependency::Detailed {
                path,
                workspace: inherited,
            } = dependency
            else {
                continue;
            };
            if let Some(path) = path {
                open.push(normalize(&package.join(path)));
            } else if *inherited
                && let Some(Dependency::Detailed {
                    path: Some(path), ..
                }) = root.workspace.dependencies.get(name)
            {
                open.push(normalize(path));
            }
        }
    }
    Ok(found)
}

fn read_manifest(path: &Path) -> Result<CargoManifest, Error> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    toml::from_str(&text).map_err(|source| Error::CargoManifest {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// Resolves `.` and `..` in a path relative to the workspace.
fn normalize(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

fn collect_files(
    workspace: &Path,
    directory: &Path,
    files: &mut BTreeSet<PathBuf>,
) -> Result<(), Error> {
    for path in entries(&workspace.join(directory))? {
        let Some(name) = path.file_name() else {
            continue;
        };
        // Editors and operating systems leave hidden files about.
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let relative = directory.join(name);
        if !path.is_dir() {
            files.insert(relative);
        } else if !NOT_BUILT.iter().any(|not_built| name == *not_built) {
            collect_files(workspace, &relative, files)?;
        }
    }
    Ok(())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    fs::read_dir(directory)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        })
        .map_err(Error::io("list", directory))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A workspace of two functions, of which one depends on a crate that depends on another.
    pub(in super::super) fn fake_workspace() -> tempfile::TempDir {
        let workspace = tempfile::tempdir().unwrap();
        for (path, content) in [
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"*/*\"]\n[workspace.dependencies]\nserde = \"1\"\nmiddle = { path = \"crates/middle\" }\n",
            ),
            ("Cargo.lock", "version = 4\n"),
            (
                "lambda-artifacts/alpha/Cargo.toml",
                "[package]\nname = \"alpha\"\n[dependencies]\nserde.workspace = true\nmiddle.workspace = true\n[dev-dependencies]\nfar = { path = \"../../crates/far\" }\n",
            ),
            ("lambda-artifacts/alpha/src/main.rs", "fn main() {}"),
            ("lambda-artifacts/alpha/tests/one.rs", ""),
            (
                "lambda-artifacts/beta/Cargo.toml",
                "[package]\nname = \"beta\"\n",
            ),
            ("lambda-artifacts/beta/src/main.rs", "fn main() {}"),
            ("lambda-artifacts/README.md", "no function"),
            (
                "crates/middle/Cargo.toml",
                "[package]\nname = \"middle\"\n[target.'cfg(unix)'.dependencies]\nbase = { path = \"../base\" }\n",
            ),
            ("crates/middle/src/lib.rs", ""),
            ("crates/base/Cargo.toml", "[package]\nname = \"base\"\n"),
            ("crates/base/src/data/words.txt", "one"),
            ("crates/far/Cargo.toml", "[package]\nname = \"far\"\n"),
            ("crates/far/src/lib.rs", ""),
        ] {
            write(workspace.path(), path, content);
        }
        workspace
    }

    pub(in super::super) fn write(workspace: &Path, path: &str, content: &str) {
        let path = workspace.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn digest_of(workspace: &Path) -> Sha256 {
        digest_for(workspace, "x86_64")
    }

    fn digest_for(workspace: &Path, target: &str) -> Sha256 {
        let functions = functions(workspace).unwrap();
        digest(workspace, function_directories(&functions), target).unwrap()
    }

    #[test]
    fn a_function_is_a_package_in_lambda_artifacts() {
        let workspace = fake_workspace();
        assert_eq!(functions(workspace.path()).unwrap(), ["alpha", "beta"]);
    }

    #[test]
    fn the_workspace_is_found_from_any_directory_in_it() {
        let workspace = fake_workspace();
        let deep = workspace.path().join("crates/base/src");
        assert_eq!(find_workspace(&deep).unwrap(), workspace.path());
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(matches!(
            find_workspace(elsewhere.path()),
            Err(Error::NoWorkspace { .. })
        ));
    }

    #[test]
    fn the_digest_does_not_depend_on_where_the_workspace_lies() {
        assert_eq!(
            digest_of(fake_workspace().path()),
            digest_of(fake_workspace().path())
        );
    }

    #[test]
    fn each_input_changes_the_digest_and_nothing_else_does() {
        let unchanged = digest_of(fake_workspace().path());
        for (path, counts) in [
            ("Cargo.toml", true),
            ("Cargo.lock", true),
            ("rust-toolchain.toml", true),
            ("lambda-artifacts/alpha/src/main.rs", true),
            ("lambda-artifacts/alpha/src/new.rs", true),
            ("lambda-artifacts/beta/build.rs", true),
            ("crates/middle/Cargo.toml", true),
            ("crates/base/src/data/words.txt", true),
            ("lambda-artifacts/alpha/tests/one.rs", false),
            ("lambda-artifacts/alpha/src/.main.rs.swp", false),
            ("lambda-artifacts/README.md", false),
            ("crates/far/src/lib.rs", false),
            ("README.md", false),
        ] {
            let workspace = fake_workspace();
            let mut content = fs::read_to_string(workspace.path().join(path)).unwrap_or_default();
            content.push_str("\n# changed\n");
            write(workspace.path(), path, &content);
            assert_eq!(digest_of(workspace.path()) != unchanged, counts, "{path}");
        }
        let workspace = fake_workspace();
        assert_ne!(digest_for(workspace.path(), "arm64"), unchanged);
    }

    #[test]
    fn this_workspace_is_understood() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
        let functions = functions(workspace).unwrap();
        let packages = packages(workspace, function_directories(&functions)).unwrap();
        assert!(packages.contains(Path::new("lambda-artifacts/user-provisioning")));
        assert!(packages.contains(Path::new("crates/lambda-support")));
        assert!(!packages.contains(Path::new("crates/connect-simulator")));
    }
}

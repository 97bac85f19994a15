//! From a name or a path to an [`Environment`].

use std::path::{Path, PathBuf};

use super::check::check;
use super::problem::{Problem, Problems};
use super::suggestion::nearest;
use super::{Environment, Error, TargetEnvironment};

/// The directory that holds environment files.
const DIRECTORY: &str = "environments";

/// A file of the `environments` directory: one stack, or several targets.
#[derive(Debug, Clone)]
pub struct EnvironmentFile {
    /// What the file is called in messages.
    pub file: String,
    /// At least one, in the order of their waves, then of their names.
    pub targets: Vec<TargetEnvironment>,
}

impl EnvironmentFile {
    /// Whether the file has the key `targets`.
    #[must_use]
    pub fn has_targets(&self) -> bool {
        self.targets.iter().any(|target| target.name.is_some())
    }

    /// The one stack that is meant: the only one, or the target of that name.
    ///
    /// # Errors
    /// When the file has several targets and none was named, or not the one that was.
    pub fn one(self, target: Option<&str>) -> Result<Environment, Error> {
        Ok(self.named(target)?.environment)
    }

    /// Leaves only the target of that name, if one is given.
    ///
    /// # Errors
    /// When there is no such target.
    pub fn only(mut self, target: Option<&str>) -> Result<Self, Error> {
        if target.is_some() {
            let file = self.file.clone();
            let target = self.named(target)?;
            self = Self {
                file,
                targets: vec![target],
            };
        }
        Ok(self)
    }

    fn named(self, target: Option<&str>) -> Result<TargetEnvironment, Error> {
        let Self { file, mut targets } = self;
        let names: Vec<String> = targets
            .iter()
            .filter_map(|target| Some(target.name.as_ref()?.to_string()))
            .collect();
        let position = match target {
            None if targets.len() == 1 => Some(0),
            None => return Err(Error::SeveralTargets { file, names }),
            Some(wanted) => names.iter().position(|name| name == wanted),
        };
        match (position, target) {
            (Some(position), _) => Ok(targets.swap_remove(position)),
            (None, target) => Err(Error::UnknownTarget {
                file,
                name: target.unwrap_or_default().to_owned(),
                names,
            }),
        }
    }

    /// Loads the environment called `name_or_path`: a path where it has a separator or
    /// ends in `.yaml` or `.yml`, else the name of a file in the nearest `environments`
    /// directory, from the current directory upwards.
    ///
    /// # Errors
    /// When there is no such file, or it says something that it may not; then all its
    /// problems are told.
    pub fn load(name_or_path: &str) -> Result<Self, Error> {
        Self::load_from(&current_directory()?, name_or_path)
    }

    /// As [`load`](Self::load), from another directory than the current.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn load_from(start: &Path, name_or_path: &str) -> Result<Self, Error> {
        Self::load_file(&path(start, name_or_path)?)
    }

    /// Loads one file.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn load_file(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse_bytes(&path.display().to_string(), &bytes)
    }

    /// Reads a file's text; `file` is what errors call it.
    ///
    /// # Errors
    /// All problems of the text.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        // Editors on Windows put a byte order mark first; it says nothing about the content.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        check(text)
            .map(|targets| Self {
                file: file.to_owned(),
                targets,
            })
            .map_err(|problems| Error::Invalid(Box::new(Problems::new(file, text, problems))))
    }

    fn parse_bytes(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Self::parse(file, text),
            Err(error) => error,
        };
        // Nothing of such a file is quoted: what it holds cannot be searched for secrets.
        let line = bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        let problem = Problem::new(format!("line {line} is not UTF-8 text"))
            .help("save the file in the encoding UTF-8");
        Err(Error::Invalid(Box::new(Problems::new(
            file,
            "",
            vec![problem],
        ))))
    }
}

impl Environment {
    /// Loads the one stack that a file describes; see [`EnvironmentFile::load`].
    ///
    /// # Errors
    /// As for [`EnvironmentFile::load`], and when the file has several targets.
    pub fn load(name_or_path: &str) -> Result<Self, Error> {
        EnvironmentFile::load(name_or_path)?.one(None)
    }

    /// Reads the one stack that a file's text describes; `file` is what errors call it.
    ///
    /// # Errors
    /// All problems of the text, and when it has several targets.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        EnvironmentFile::parse(file, text)?.one(None)
    }
}

/// The file that an environment's name or path means, from the current directory.
///
/// # Errors
/// When there is no such file in the nearest `environments` directory.
pub fn find(name_or_path: &str) -> Result<PathBuf, Error> {
    path(&current_directory()?, name_or_path)
}

fn path(start: &Path, name_or_path: &str) -> Result<PathBuf, Error> {
    let is_path = name_or_path.contains(['/', '\\'])
        || [".yaml", ".yml"]
            .iter()
            .any(|suffix| name_or_path.ends_with(suffix));
    if is_path {
        return Ok(PathBuf::from(name_or_path));
    }
    let directory = find_directory(start)?;
    let path = directory.join(format!("{name_or_path}.yaml"));
    if path.is_file() {
        return Ok(path);
    }
    let names = names(&directory)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Err(Error::Unknown {
        name: name_or_path.to_owned(),
        advice: match (
            nearest(name_or_path, names.iter().copied()),
            names.as_slice(),
        ) {
            (Some(meant), _) => {
                format!("did you mean `{meant}`? there are: {}", names.join(", "))
            }
            (None, []) => "there are no .yaml files in it".to_owned(),
            (None, names) => format!("there are: {}", names.join(", ")),
        },
        directory,
    })
}

/// Every environment file in the nearest `environments` directory, sorted by name.
///
/// # Errors
/// When there is no such directory, or it cannot be read.
pub fn files() -> Result<Vec<PathBuf>, Error> {
    let directory = find_directory(&current_directory()?)?;
    Ok(names(&directory)?
        .into_iter()
        .map(|name| directory.join(format!("{name}.yaml")))
        .collect())
}

fn current_directory() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(|source| Error::Unreadable {
        path: PathBuf::from("."),
        source,
    })
}

/// The nearest `environments` directory, as it is best shown to somebody in `start`.
fn find_directory(start: &Path) -> Result<PathBuf, Error> {
    let found = start
        .ancestors()
        .map(|directory| directory.join(DIRECTORY))
        .find(|directory| directory.is_dir());
    let found = found.ok_or_else(|| Error::NoDirectory {
        start: start.to_owned(),
    })?;
    let is_current = std::env::current_dir().is_ok_and(|current| current == start);
    match found.strip_prefix(start) {
        Ok(relative) if is_current => Ok(relative.to_owned()),
        _ => Ok(found),
    }
}

fn names(directory: &Path) -> Result<Vec<String>, Error> {
    let unreadable = |source| Error::Unreadable {
        path: directory.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml");
        if let Some(name) = path.file_stem().filter(|_| is_yaml) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

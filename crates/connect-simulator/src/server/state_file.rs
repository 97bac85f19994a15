//! The state in a file. It is replaced as a whole, so that a simulator killed while it
//! writes leaves the previous state and not half of one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::ServeError;
use crate::state::State;

/// The state in the file; none if there is no file.
pub(super) fn read(path: &Path, instance_id: &str) -> Result<Option<State>, ServeError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(ServeError::StateFile {
                path: path.to_owned(),
                source,
            });
        }
    };
    let mut state: State = serde_json::from_slice(&text).map_err(|source| ServeError::State {
        path: path.to_owned(),
        source,
    })?;
    if state.instance_id != instance_id {
        return Err(ServeError::AnotherInstance {
            path: path.to_owned(),
            found: state.instance_id,
            expected: instance_id.to_owned(),
        });
    }
    state.rebuild_index();
    Ok(Some(state))
}

/// Replaces the file; only its owner can read it, because users are personal data.
pub(super) fn write(path: &Path, state: &State) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&directory)?;
    let mut file = NamedTempFile::new_in(directory)?;
    serde_json::to_writer(io::BufWriter::new(&mut file), state)?;
    file.write_all(b"\n")?;
    file.persist(path)?;
    Ok(())
}

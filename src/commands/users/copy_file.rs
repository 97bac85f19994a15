//! Copies of a directory in files: `users export` writes one, `users restore` reads it.
//!
//! JSON lines: a head, one line for each item of the table, and an end with the counts, by
//! which a file that was cut off is recognized.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use connect_directory::store::{Item, ItemKind};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::commands::Error;
use crate::commands::error::UsersError;
use crate::printer::Printer;

/// The format of the file and of the items in it. It changes when an item of the table gets
/// another form.
const VERSION: u32 = 1;

/// The kind and version of the file.
const FORMAT: &str = "connect-scim directory";

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    format: String,
    version: u32,
    /// The id of the Connect instance that the users are in.
    pub(super) instance_id: String,
    /// When the table was read.
    pub(super) taken_at: Timestamp,
}

/// The last line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    items: usize,
}

/// A copy that was read.
pub(super) struct Copy {
    pub(super) head: Head,
    pub(super) items: Vec<Item>,
}

/// Writes a copy to a file that does not exist and that only its owner can read then.
///
/// # Errors
/// If the file exists or cannot be written; nothing is left of it.
pub(super) fn write(path: &Path, instance_id: &str, items: &[Item]) -> Result<(), Error> {
    let failed = |source| Error::Io {
        action: format!("write {}", path.display()),
        source,
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // A temporary file has the mode 0600.
    let file = NamedTempFile::new_in(folder).map_err(failed)?;
    let mut text = BufWriter::new(file);
    let head = Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        instance_id: instance_id.to_owned(),
        taken_at: Timestamp::now(),
    };
    let end = End { items: items.len() };
    let mut write = || -> std::io::Result<()> {
        writeln!(text, "{}", serde_json::json!(head))?;
        for item in items {
            writeln!(text, "{}", item.line())?;
        }
        writeln!(text, "{}", serde_json::json!(end))
    };
    write().map_err(failed)?;
    let file = text
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path)
        .map_err(|error| failed(error.error))?;
    Ok(())
}

/// Reads a copy.
///
/// # Errors
/// If the file cannot be read, or is not a complete copy of this version.
pub(super) fn read(path: &Path) -> Result<Copy, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Io {
        action: format!("read {}", path.display()),
        source,
    })?;
    let not_a_copy = |reason: String| UsersError::NotACopy {
        path: path.to_owned(),
        reason,
    };
    parse(&text).map_err(|reason| not_a_copy(reason).into())
}

fn parse(text: &str) -> Result<Copy, String> {
    let mut lines = text.lines().enumerate();
    let head: Head = lines
        .next()
        .and_then(|(_, line)| serde_json::from_str(line).ok())
        .filter(|head: &Head| head.format == FORMAT)
        .ok_or("the first line is not the head of a copy")?;
    if head.version != VERSION {
        return Err(format!(
            "it has the format version {}, and this connect-scim reads version {VERSION}: use the connect-scim that wrote it",
            head.version
        ));
    }
    let mut lines: Vec<(usize, &str)> = lines.collect();
    let end: End = lines
        .pop()
        .and_then(|(_, line)| serde_json::from_str(line).ok())
        .ok_or("it is cut off: the last line does not count the items")?;
    let mut items = Vec::with_capacity(lines.len());
    let mut keys = BTreeSet::new();
    for (index, line) in lines {
        let item = Item::parse(line)
            .map_err(|_| format!("line {} is not an item of the directory table", index + 1))?;
        if !keys.insert(item.key().clone()) {
            return Err(format!("line {} repeats an item", index + 1));
        }
        items.push(item);
    }
    if items.len() != end.items {
        return Err(format!(
            "it has {} items, and counted {} when it was written",
            items.len(),
            end.items
        ));
    }
    Ok(Copy { head, items })
}

/// `40 users, 14 memberships, 6 groups, 12 external ids (131 items)`.
pub(super) fn counts(items: &[Item]) -> String {
    let mut counts: BTreeMap<ItemKind, usize> = BTreeMap::new();
    for item in items {
        *counts.entry(item.kind()).or_default() += 1;
    }
    let counted: Vec<String> = [
        (ItemKind::User, "user"),
        (ItemKind::Member, "membership"),
        (ItemKind::Group, "group"),
        (ItemKind::ExternalId, "external id"),
    ]
    .map(|(kind, word)| {
        let count = counts.get(&kind).copied().unwrap_or_default();
        format!("{count} {word}{}", if count == 1 { "" } else { "s" })
    })
    .into();
    format!("{} ({} items)", counted.join(", "), items.len())
}

/// Shows on a terminal how many items are done.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(super) fn new(printer: &Printer, what: &'static str) -> Self {
        Self(printer.is_interactive().then(|| {
            let bar = ProgressBar::no_length();
            let style = ProgressStyle::with_template("{spinner} {human_pos} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.with_message(what)
        }))
    }

    /// Sets the number of items that there are.
    pub(super) fn expect(&self, items: usize) {
        if let Some(bar) = &self.0 {
            bar.set_length(items as u64);
            let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
    }

    /// Sets the number of items that are done.
    pub(super) fn set(&self, items: usize) {
        if let Some(bar) = &self.0 {
            bar.set_position(items as u64);
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn items() -> Vec<Item> {
        ["1", "2"]
            .map(|id| {
                let line = format!(r#"{{"pk":{{"S":"USER#{id}"}},"sk":{{"S":"USER"}}}}"#);
                Item::parse(&line).unwrap()
            })
            .into()
    }

    #[test]
    fn a_copy_is_read_as_it_was_written_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.jsonl");
        write(&path, "1111", &items()).unwrap();
        let copy = read(&path).unwrap();
        assert_eq!(copy.items, items());
        assert_eq!(copy.head.instance_id, "1111");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            counts(&copy.items),
            "2 users, 0 memberships, 0 groups, 0 external ids (2 items)"
        );

        write(&path, "2222", &[]).unwrap_err();
        assert_eq!(read(&path).unwrap().head.instance_id, "1111");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_a_complete_copy_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.jsonl");
        write(&path, "1111", &items()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let refusal = |lines: &[&str]| parse(&lines.join("\n")).err().unwrap();
        for (lines, reason) in [
            (&[][..], "the first line is not the head of a copy"),
            (&lines[1..], "the first line is not the head of a copy"),
            (&lines[..3], "it is cut off"),
            (
                &[lines[0], lines[1], lines[3]],
                "it has 1 items, and counted 2",
            ),
            (
                &[lines[0], lines[1], lines[1], lines[3]],
                "line 3 repeats an item",
            ),
            (
                &[lines[0], lines[1], "{}", lines[3]],
                "line 3 is not an item of the directory table",
            ),
            (
                &[
                    &lines[0].replace("\"version\":1", "\"version\":2"),
                    lines[3],
                ],
                "it has the format version 2, and this connect-scim reads version 1",
            ),
        ] {
            let found = refusal(lines);
            assert!(found.starts_with(reason), "{found}");
        }
    }
}

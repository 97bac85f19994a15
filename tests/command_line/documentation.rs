//! The guides in `docs/` and the README: what they point to exists, and what they quote
//! is what the program says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use connect_directory::store::{MAXIMUM_EMAILS, MAXIMUM_GROUPS, MAXIMUM_KEY_LENGTH};
use scim::schema::ServiceDefinition;

use crate::root;

/// Where messages come from: the functions, their libraries and the API's own answers.
const SOURCES: [&str; 3] = ["crates", "lambda-artifacts", "templates"];

/// The first heading of tables whose first column quotes messages.
const MESSAGE_COLUMNS: [&str; 3] = ["Message", "Okta says", "Entra ID says"];

#[test]
fn every_relative_link_points_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    for guide in guides().unwrap() {
        let text = fs::read_to_string(&guide).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => guide.clone(),
                _ => guide.with_file_name("").join(file),
            };
            let found = target.exists()
                && (heading.is_empty()
                    || anchors(&fs::read_to_string(&target).unwrap())
                        .contains(&heading.to_owned()));
            if !found {
                broken.push(format!("{}: {link}", guide.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn every_message_that_a_guide_quotes_is_one_that_the_program_says() {
    let mut sources = String::new();
    for folder in SOURCES {
        read_sources(&root().join(folder), &mut sources).unwrap();
    }
    // The guides quote messages in backticks, so that they have none inside.
    let sources = sources.replace("\\\"", "\"").replace('`', "");
    let mut unknown = Vec::new();
    let mut quoted = 0;
    for guide in guides().unwrap() {
        for message in messages(&fs::read_to_string(&guide).unwrap()) {
            quoted += 1;
            let is_said = message
                .split('…')
                .all(|part| sources.contains(part.trim_start()));
            if !is_said {
                unknown.push(format!("{}: {message}", guide.display()));
            }
        }
    }
    assert!(quoted > 0, "no table of messages was found");
    assert!(unknown.is_empty(), "nobody says:\n{}", unknown.join("\n"));
}

#[test]
fn the_limits_of_the_guide_are_those_of_the_program() {
    let guide = fs::read_to_string(root().join("docs/attributes.md")).unwrap();
    let definition = ServiceDefinition::new(Vec::new());
    let bulk = definition.bulk.unwrap();
    let mebibytes = |bytes: usize| bytes / (1024 * 1024);
    for limit in [
        format!(
            "{} resources without `count`, {} at most",
            definition.pagination.default_page_size, definition.pagination.max_page_size
        ),
        format!(
            "| Body of a request | {} MiB, nested {} deep",
            mebibytes(definition.max_body_size),
            definition.max_body_depth
        ),
        format!(
            "| Bulk | {} operations and {} MiB",
            bulk.max_operations,
            mebibytes(bulk.max_payload_size)
        ),
        format!("| Groups of a user | {MAXIMUM_GROUPS} |"),
        format!("| E-mail addresses of a user | {MAXIMUM_EMAILS} "),
        format!("| `externalId` | {MAXIMUM_KEY_LENGTH} bytes |"),
    ] {
        assert!(guide.contains(&limit), "docs/attributes.md lacks: {limit}");
    }
}

#[test]
fn the_exit_codes_of_the_guide_are_those_of_the_program() {
    let code = fs::read_to_string(root().join("src/exit_code.rs")).unwrap();
    let guide = fs::read_to_string(root().join("docs/exit-codes.md")).unwrap();
    let numbers = |number: &str| number.trim().parse::<u8>().ok();
    let defined: Vec<u8> = code
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "))
        .filter_map(|(_, number)| numbers(number))
        .collect();
    let documented: Vec<u8> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" |"))
        .filter_map(|(number, _)| numbers(number))
        .collect();
    assert_eq!(documented, defined);
}

/// The README and all of `docs/`.
fn guides() -> io::Result<Vec<PathBuf>> {
    let mut guides = vec![root().join("README.md")];
    for entry in fs::read_dir(root().join("docs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            guides.push(path);
        }
    }
    Ok(guides)
}

fn read_sources(folder: &Path, text: &mut String) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            read_sources(&path, text)?;
        } else if matches!(extension, Some("rs" | "hbs")) {
            text.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The targets of Markdown's inline links, outside code.
fn links(text: &str) -> Vec<&str> {
    prose(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
        .collect()
}

/// The anchors that GitHub gives to headings: lower case, spaces as `-`, no punctuation.
fn anchors(text: &str) -> Vec<String> {
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|character| character.is_alphanumeric() || " -_".contains(*character))
                .map(|character| if character == ' ' { '-' } else { character })
                .collect()
        })
        .collect()
}

/// The quotations in the first column of tables of messages.
fn messages(text: &str) -> Vec<&str> {
    let mut messages = Vec::new();
    let mut in_table = false;
    for line in prose(text) {
        let first = line
            .strip_prefix("| ")
            .and_then(|row| row.split(" |").next());
        match first {
            None => in_table &= line.starts_with('|'),
            Some(heading) if MESSAGE_COLUMNS.contains(&heading) => in_table = true,
            // A single word is a field or a value.
            Some(cell) if in_table => messages.extend(
                cell.split('`')
                    .skip(1)
                    .step_by(2)
                    .filter(|code| code.contains(' ')),
            ),
            Some(_) => {}
        }
    }
    messages
}

/// The lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

//! Text → [`Environment`], with every problem that can be told at once.
//!
//! serde ends at the first value that it cannot take. To tell all of them, what was
//! refused is taken out of the tree and the rest is read again, until nothing new is
//! found; the relations between keys are looked at once every single value is good.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_path_to_error::Segment;

use super::explain::{explain, missing_key};
use super::problem::Problem;
use super::yaml::{self, Part, Step};
use super::{ClientName, Environment, TagKey, rules, schema, secret};

/// Reads and checks the text of an environment file.
pub(super) fn check(text: &str) -> Result<Environment, Vec<Problem>> {
    if let Some(problem) = secret::find(text) {
        return Err(vec![problem]);
    }
    let tree = yaml::read(text).map_err(|problem| vec![problem])?;
    let place = |path: &[Step], part| yaml::locate(text, path, part).unwrap_or(0..0);
    let environment = match read_values(&tree) {
        Ok(environment) => environment,
        Err(refusals) => {
            return Err(refusals
                .into_iter()
                .map(|refusal| {
                    let value = value_at(&tree, &refusal.path).and_then(Value::as_str);
                    let part = if refusal.message.starts_with("unknown field") {
                        Part::Key
                    } else {
                        part_at_fault(&tree, &refusal.path)
                    };
                    let (message, help) = explain(&refusal.path, &refusal.message, value);
                    Problem {
                        message,
                        help,
                        span: Some(place(&refusal.path, part)),
                    }
                })
                .collect());
        }
    };
    let mut problems: Vec<_> = rules::violations(&environment)
        .into_iter()
        .map(|violation| {
            let part = part_at_fault(&tree, &violation.path);
            Problem::new(violation.message)
                .help(violation.help)
                .at(place(&violation.path, part))
        })
        .collect();
    problems.extend(unquoted_account(text));
    if problems.is_empty() {
        Ok(environment)
    } else {
        Err(problems)
    }
}

/// What serde refused, and where.
struct Refusal {
    path: Vec<Step>,
    message: String,
}

/// Reads every value; all that are refused are returned.
fn read_values(tree: &Value) -> Result<Environment, Vec<Refusal>> {
    let mut rest = tree.clone();
    let mut refusals = Vec::new();
    let mut removed = Removed::default();
    loop {
        let error = match serde_path_to_error::deserialize(&rest) {
            Ok(environment) if refusals.is_empty() => return Ok(environment),
            Ok(_) => return Err(refusals),
            Err(error) => error,
        };
        let path: Vec<Step> = error.path().iter().filter_map(step).collect();
        let message = error.into_inner().to_string();
        let Some(missing) = missing_key(&message).map(str::to_owned) else {
            refusals.push(Refusal {
                path: removed.original(&path),
                message,
            });
            removed.remove(&mut rest, &path);
            continue;
        };
        // serde notices a missing key last: everything else at this level is read.
        for key in required_keys(&path, missing) {
            let mut path = path.clone();
            path.push(Step::Key(key));
            if value_at(&rest, &path).is_none() && !removed.paths.contains(&path) {
                let message = message.clone();
                refusals.push(Refusal { path, message });
            }
        }
        if path.is_empty() {
            return Err(refusals);
        }
        removed.remove(&mut rest, &path);
    }
}

/// The required keys of the mapping at `path`: serde names only the first that is missing.
fn required_keys(path: &[Step], missing: String) -> Vec<String> {
    let mut schema = &schema::json_schema();
    for step in path {
        let Step::Key(key) = step else {
            return vec![missing];
        };
        let Some(inner) = schema["properties"].get(key) else {
            return vec![missing];
        };
        schema = inner;
    }
    match schema["required"].as_array() {
        Some(keys) => keys
            .iter()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect(),
        None => vec![missing],
    }
}

/// What was taken out of the tree, by its path in the tree as it was.
#[derive(Default)]
struct Removed {
    paths: BTreeSet<Vec<Step>>,
    items: BTreeMap<Vec<Step>, usize>,
}

impl Removed {
    fn remove(&mut self, tree: &mut Value, path: &[Step]) {
        self.paths.insert(self.original(path));
        let Some((last, parents)) = path.split_last() else {
            *tree = Value::Null;
            return;
        };
        let parent = parents.iter().try_fold(tree, |value, step| match step {
            Step::Key(key) => value.get_mut(key),
            Step::Item(index) => value.get_mut(index),
        });
        match (parent, last) {
            (Some(Value::Object(map)), Step::Key(key)) => {
                map.remove(key);
            }
            (Some(Value::Array(list)), Step::Item(index)) if *index < list.len() => {
                list.remove(*index);
                *self.items.entry(parents.to_vec()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// Items are read in order, so those that were taken out of a list came before.
    fn original(&self, path: &[Step]) -> Vec<Step> {
        match path.split_last() {
            Some((Step::Item(index), parents)) => {
                let mut path = parents.to_vec();
                let before = self.items.get(parents).copied().unwrap_or_default();
                path.push(Step::Item(index + before));
                path
            }
            _ => path.to_vec(),
        }
    }
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

fn value_at<'a>(tree: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Item(index) => value.get(index),
    })
}

/// The value where it is a single one; the key where the value is a whole block, is
/// absent, or where the key itself is what was refused.
fn part_at_fault(tree: &Value, path: &[Step]) -> Part {
    let key_is_refused = match path {
        [Step::Key(parent), Step::Key(key)] => match parent.as_str() {
            "clients" => key.parse::<ClientName>().is_err(),
            "tags" => key.parse::<TagKey>().is_err(),
            _ => false,
        },
        _ => false,
    };
    match value_at(tree, path) {
        Some(Value::Object(_) | Value::Array(_) | Value::Null) | None => Part::Key,
        Some(_) if key_is_refused => Part::Key,
        Some(_) => Part::Value,
    }
}

/// An account that starts with 0 and has no quotes is text to this parser, by the rules
/// of YAML 1.2, and an octal or a shorter decimal number to others, editors among them.
fn unquoted_account(text: &str) -> Option<Problem> {
    let span = yaml::locate(text, &[Step::Key("account".into())], Part::Value)?;
    let written = text.get(span.clone())?;
    let is_number = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| {
        Problem::new("`account` is a number to some readers of YAML, which drop its first 0")
            .help(format!("write it in quotes: account: \"{written}\""))
            .at(span)
    })
}

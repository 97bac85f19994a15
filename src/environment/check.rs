//! Text → [`Environment`], with every problem that can be told at once.
//!
//! serde ends at the first value that it cannot take. To tell all of them, what was
//! refused is taken out of the tree and the rest is read again, until nothing new is
//! found; the relations between keys are looked at once every single value is good.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;
use serde_path_to_error::Segment;

use super::explain::{explain, missing_key};
use super::problem::Problem;
use super::targets::{self, PlacedProblem, TargetEnvironment};
use super::yaml::{self, Part, Step, value_at};
use super::{
    ClientName, Environment, PermissionSetName, ScimGroupName, TagKey, TargetName, rules, schema,
    secret,
};

/// Reads and checks the text of an environment file: one environment, or one for each of
/// its targets.
pub(super) fn check(text: &str) -> Result<Vec<TargetEnvironment>, Vec<Problem>> {
    if let Some(problem) = secret::find(text) {
        return Err(vec![problem]);
    }
    let mut tree = yaml::read(text).map_err(|problem| vec![problem])?;
    let mut problems: Vec<Problem> = Vec::new();
    let mut tell = |found: Vec<Problem>| {
        // What stands outside `targets` is read once for each of them.
        for problem in found {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    };
    let whole = tree.clone();
    let place = |(path, problem): PlacedProblem| match span(text, &whole, &path) {
        Some(span) => problem.at(span),
        None => problem,
    };
    let mut found = Vec::new();
    match targets::split(&mut tree) {
        None => match check_tree(text, &tree, &tree, &<[Step]>::to_vec) {
            Ok(environment) => found.push(TargetEnvironment {
                name: None,
                wave: 1,
                environment,
            }),
            Err(refused) => tell(refused),
        },
        Some(Err(refused)) => tell(refused.into_iter().map(place).collect()),
        Some(Ok(overlays)) => {
            for overlay in overlays {
                let merged = overlay.over(&tree);
                let origin = |path: &[Step]| overlay.place(&tree, path);
                match check_tree(text, &whole, &merged, &origin) {
                    Ok(environment) => found.push(TargetEnvironment {
                        name: Some(overlay.name),
                        wave: overlay.wave,
                        environment,
                    }),
                    Err(refused) => tell(refused),
                }
            }
            tell(targets::twins(&found).into_iter().map(place).collect());
        }
    }
    tell(unquoted_accounts(text, &whole));
    if problems.is_empty() {
        found.sort_by(|one, other| (one.wave, &one.name).cmp(&(other.wave, &other.name)));
        Ok(found)
    } else {
        Err(problems)
    }
}

/// Reads and checks one environment; `origin` tells where in the file, which is `whole`,
/// the value at a path of `tree` stands.
fn check_tree(
    text: &str,
    whole: &Value,
    tree: &Value,
    origin: &dyn Fn(&[Step]) -> Vec<Step>,
) -> Result<Environment, Vec<Problem>> {
    let written = |key: &str| tree.get(key).is_some();
    let violation = |violation: rules::Violation| {
        let span = span(text, whole, &origin(&violation.path));
        Problem::new(violation.message)
            .help(violation.help)
            .at(span.unwrap_or(0..0))
    };
    let subject = rules::subject(&written).map(violation);
    let environment = read_values(tree).map_err(|refusals| {
        let problem = |refusal: Refusal| {
            let value = value_at(tree, &refusal.path).and_then(Value::as_str);
            let place = origin(&refusal.path);
            let span = if refusal.message.starts_with("unknown field") {
                yaml::locate(text, &place, Part::Key)
            } else {
                span(text, whole, &place)
            };
            let (message, help) = explain(&refusal.path, &refusal.message, value);
            Problem {
                message,
                help,
                span: Some(span.unwrap_or(0..0)),
            }
        };
        let refused = refusals.into_iter().map(problem);
        refused.chain(subject.clone()).collect::<Vec<_>>()
    })?;
    let violations = rules::violations(&environment, &written);
    let problems: Vec<_> = violations
        .into_iter()
        .map(violation)
        .chain(subject)
        .collect();
    if problems.is_empty() {
        Ok(environment)
    } else {
        Err(problems)
    }
}

/// The bytes of what is at fault at `path` of the file.
fn span(text: &str, whole: &Value, path: &[Step]) -> Option<Range<usize>> {
    yaml::locate(text, path, part_at_fault(whole, path))
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
    let mut schema = &schema::environment();
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

/// The value where it is a single one; the key where the value is a whole block, is
/// absent, or where the key itself is what was refused.
fn part_at_fault(tree: &Value, path: &[Step]) -> Part {
    let key_is_refused = match path {
        [
            ..,
            Step::Key(grandparent),
            Step::Key(parent),
            Step::Key(key),
        ] if grandparent == "provisioning" && parent == "groups" => {
            key.parse::<ScimGroupName>().is_err()
        }
        [.., Step::Key(parent), Step::Key(key)] => match parent.as_str() {
            "clients" => key.parse::<ClientName>().is_err(),
            "permissionSets" => key.parse::<PermissionSetName>().is_err(),
            "tags" => key.parse::<TagKey>().is_err(),
            targets::KEY => key.parse::<TargetName>().is_err(),
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

/// The accounts of the file and of its targets, as they are written.
fn unquoted_accounts(text: &str, whole: &Value) -> Vec<Problem> {
    let account = || Step::Key("account".to_owned());
    let of_targets = whole.get(targets::KEY).and_then(Value::as_object);
    let of_targets = of_targets.into_iter().flat_map(|targets| targets.keys());
    let of_targets = of_targets.map(|name| {
        vec![
            Step::Key(targets::KEY.to_owned()),
            Step::Key(name.clone()),
            account(),
        ]
    });
    std::iter::once(vec![account()])
        .chain(of_targets)
        // What is a number to this parser has been refused.
        .filter(|path| value_at(whole, path).is_some_and(Value::is_string))
        .filter_map(|path| unquoted_account(text, &path))
        .collect()
}

/// An account that starts with 0 and has no quotes is text to this parser, by the rules
/// of YAML 1.2, and an octal or a shorter decimal number to others, editors among them.
fn unquoted_account(text: &str, path: &[Step]) -> Option<Problem> {
    let span = yaml::locate(text, path, Part::Value)?;
    let written = text.get(span.clone())?;
    let is_number = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| {
        Problem::new("`account` is a number to some readers of YAML, which drop its first 0")
            .help(format!("write it in quotes: account: \"{written}\""))
            .at(span)
    })
}

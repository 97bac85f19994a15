//! The deployed endpoint and the requests of `tests/interoperability`: one file for each
//! behaviour that identity providers depend on, most of which other endpoints got wrong.
//!
//! A file lists requests and the expected responses. `{{name}}` in a request is the value
//! that an earlier response had at the path in `capture`; `{{run}}` is the name of the file.
//! A path such as `/emails/[type=work]/value` or `/Resources/*/id` selects values of the
//! response; an expectation is the value itself, or an object of [`holds`]'s operators.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::endpoint::{Answer, Endpoint, percent_encoded};
use crate::project::Project;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    behaviour: String,
    /// Documentation, or reports about other endpoints.
    sources: Vec<String>,
    steps: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Method and path.
    request: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    send: Option<Value>,
    /// Of several expectations, one must be met.
    expect: OneOrMany<Expectation>,
    #[serde(default)]
    capture: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    status: OneOrMany<u16>,
    #[serde(default)]
    body: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[test]
fn identity_providers_get_the_responses_that_they_depend_on() {
    let project = Project::new();
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let scim = Endpoint::of(&project);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interoperability");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut failures = Vec::new();
    for file in &files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let case: Case = serde_json::from_slice(&fs::read(file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let found = run(&scim, name, &case.steps);
        if !found.is_empty() {
            failures.push(format!(
                "{name}: {} ({})\n{}",
                case.behaviour,
                case.sources.join(", "),
                found.join("\n")
            ));
        }
    }
    assert!(files.len() > 30, "only {} files", files.len());
    assert!(
        failures.is_empty(),
        "{} of {} cases failed\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
}

/// Sends the requests of one file; a line for each response that is not the expected one.
fn run(scim: &Endpoint, name: &str, steps: &[Value]) -> Vec<String> {
    let mut values = BTreeMap::from([
        ("run".to_owned(), name.to_owned()),
        ("upper:run".to_owned(), name.to_uppercase()),
    ]);
    let mut failures = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let step = filled(step, &values);
        let answer = send(scim, &step);
        let problems: Vec<String> = step
            .expect
            .as_slice()
            .iter()
            .map(|expectation| problems(expectation, &answer))
            .collect();
        if problems.iter().all(|problem| !problem.is_empty()) {
            failures.push(format!(
                "  {}. {}: {}; response: {} {}",
                index + 1,
                step.request,
                problems.join(", or "),
                answer.status,
                answer.body
            ));
        }
        for (value, path) in &step.capture {
            match select(&answer.body, path) {
                Some(Value::String(text)) => values.insert(value.clone(), text),
                Some(other) => values.insert(value.clone(), other.to_string()),
                None => values.insert(value.clone(), format!("missing-{value}")),
            };
        }
    }
    failures
}

/// The step with every `{{name}}` replaced.
fn filled(step: &Value, values: &BTreeMap<String, String>) -> Step {
    let mut text = step.to_string();
    for (name, value) in values {
        let quoted = json!(value).to_string();
        text = text.replace(&format!("{{{{{name}}}}}"), &quoted[1..quoted.len() - 1]);
    }
    assert!(!text.contains("{{"), "a value is not captured: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn send(scim: &Endpoint, step: &Step) -> Answer {
    let (method, path) = step.request.split_once(' ').unwrap();
    let query: Vec<String> = step
        .query
        .iter()
        .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
        .collect();
    let path = match query.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", query.join("&")),
    };
    let headers = step.headers.iter();
    let headers: Vec<_> = headers.map(|(a, b)| (a.as_str(), b.as_str())).collect();
    scim.send(method, &path, &headers, step.send.as_ref())
}

/// What is wrong with a response; empty if nothing is. An error must be a SCIM error.
fn problems(expectation: &Expectation, answer: &Answer) -> String {
    let mut problems = Vec::new();
    let statuses = expectation.status.as_slice();
    if !statuses.contains(&answer.status) {
        problems.push(format!("expected status {statuses:?}"));
    }
    if answer.status >= 400 && !answer.is_scim_error() {
        problems.push("expected a SCIM error".to_owned());
    }
    for (path, expected) in &expectation.body {
        let found = select(&answer.body, path);
        let held = match expected {
            Value::Object(operators) => operators
                .iter()
                .all(|(operator, operand)| holds(operator, operand, found.as_ref())),
            value => found.as_ref() == Some(value),
        };
        if !held {
            let found = found.unwrap_or_default();
            problems.push(format!("expected {path} to be {expected}, found {found}"));
        }
    }
    problems.join("; ")
}

fn holds(operator: &str, operand: &Value, found: Option<&Value>) -> bool {
    let elements = found.and_then(Value::as_array);
    match operator {
        // RFC 7643 section 2.5: null and an empty list are no value.
        "absent" => found.is_none_or(|value| value.is_null() || *value == json!([])),
        "contains" => elements.is_some_and(|elements| elements.contains(operand)),
        "notContains" => elements.is_none_or(|elements| !elements.contains(operand)),
        "length" => json!(elements.map(Vec::len)) == *operand,
        "notEquals" => found != Some(operand),
        "equals" => found == Some(operand),
        "oneOf" => found.is_some_and(|value| operand.as_array().unwrap().contains(value)),
        "startsWith" => found
            .and_then(Value::as_str)
            .is_some_and(|text| text.starts_with(operand.as_str().unwrap())),
        _ => panic!("there is no operator {operator}"),
    }
}

/// The value at a path, `None` where there is none.
fn select(document: &Value, path: &str) -> Option<Value> {
    let Some((name, rest)) = path.strip_prefix('/').map(split_name) else {
        return Some(document.clone());
    };
    match document {
        Value::Array(elements) if name == "*" => elements
            .iter()
            .map(|element| select(element, rest))
            .collect(),
        Value::Array(elements) => {
            let condition = name
                .strip_prefix('[')
                .and_then(|name| name.strip_suffix(']'));
            let element = match condition.and_then(|condition| condition.split_once('=')) {
                Some((attribute, value)) => {
                    elements.iter().find(|element| element[attribute] == value)
                }
                None => elements.get(name.parse::<usize>().ok()?),
            };
            select(element?, rest)
        }
        _ => select(document.get(name)?, rest),
    }
}

/// The first name of a path, and the path after it.
fn split_name(path: &str) -> (&str, &str) {
    path.split_at(path.find('/').unwrap_or(path.len()))
}

//! `targets`: one file, several stacks.
//!
//! A target is the file's own lines with some of them said differently: its account,
//! region and Connect instance, and whatever else differs. So a target is read by laying
//! its lines over the others and reading the result as if it were a file; every check
//! holds for it, and each problem is told at the line it comes from.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::yaml::{Step, value_at};
use super::{Cloud, Environment, TargetName};

/// The key of the file that names the targets.
pub(super) const KEY: &str = "targets";
/// The key of a target that says when its turn is.
pub(super) const WAVE: &str = "wave";
/// The last wave there can be.
pub(super) const LAST_WAVE: u64 = 20;

/// One stack that an environment file describes.
#[derive(Debug, Clone)]
pub struct TargetEnvironment {
    /// Its name under `targets`; `None` where the file describes one stack.
    pub name: Option<TargetName>,
    /// Targets of a later wave wait for those of earlier ones (from 1).
    pub wave: u64,
    /// What its stack shall be.
    pub environment: Environment,
}

/// A target as it stands in the file.
pub(super) struct Overlay {
    pub(super) name: TargetName,
    pub(super) wave: u64,
    lines: Value,
}

impl Overlay {
    /// The file as this target sees it.
    pub(super) fn over(&self, base: &Value) -> Value {
        let mut tree = base.clone();
        lay(&self.lines, &mut tree);
        tree
    }

    /// Where in the file the value stands that the target has at `path`. What stands
    /// nowhere is the target's to say.
    pub(super) fn place(&self, base: &Value, path: &[Step]) -> Vec<Step> {
        let is_own = |length: usize| value_at(&self.lines, &path[..length]).is_some();
        if !path.is_empty() && is_own(path.len()) {
            return self.path(path);
        }
        if value_at(base, path).is_some() && !path.is_empty() {
            return path.to_vec();
        }
        // Missing: at the deepest block that the target has, for that is where it belongs.
        let known = (0..path.len()).rev().find(|length| is_own(*length));
        self.path(&path[..known.unwrap_or(0)])
    }

    fn path(&self, path: &[Step]) -> Vec<Step> {
        let mut whole = vec![Step::Key(KEY.to_owned()), Step::Key(self.name.to_string())];
        whole.extend_from_slice(path);
        whole
    }
}

/// Mappings are merged; anything else takes the place of what was there.
fn lay(over: &Value, under: &mut Value) {
    match (over, under) {
        (Value::Object(over), Value::Object(under)) => {
            for (key, value) in over {
                match under.get_mut(key) {
                    Some(existing) => lay(value, existing),
                    None => {
                        under.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (over, under) => *under = over.clone(),
    }
}

/// A problem and the path in the file of what it is about.
pub(super) type PlacedProblem = (Vec<Step>, Problem);

/// Takes `targets` out of the tree. `None` where the file has no such key.
pub(super) fn split(tree: &mut Value) -> Option<Result<Vec<Overlay>, Vec<PlacedProblem>>> {
    let targets = tree.as_object_mut()?.remove(KEY)?;
    Some(overlays(targets))
}

fn overlays(targets: Value) -> Result<Vec<Overlay>, Vec<PlacedProblem>> {
    let here = || vec![Step::Key(KEY.to_owned())];
    let targets = match targets {
        Value::Object(targets) if !targets.is_empty() => targets,
        Value::Object(_) | Value::Null => {
            let problem = Problem::new("`targets` names none")
                .help("name a target with its `account`, `region` and `connect.instanceId`, or remove the key");
            return Err(vec![(here(), problem)]);
        }
        _ => {
            let problem = Problem::new("`targets` must be keys and values").help(
                "write one key for each target, such as `frankfurt:`, and below it what differs",
            );
            return Err(vec![(here(), problem)]);
        }
    };
    let mut overlays = Vec::new();
    let mut problems = Vec::new();
    for (key, value) in targets {
        let mut place = here();
        place.push(Step::Key(key.clone()));
        match overlay(&key, value) {
            Ok(overlay) => overlays.push(overlay),
            Err((inner, problem)) => {
                place.extend(inner.map(|key| Step::Key(key.to_owned())));
                problems.push((place, problem));
            }
        }
    }
    if problems.is_empty() {
        Ok(overlays)
    } else {
        Err(problems)
    }
}

/// One entry of `targets`; a problem comes with the key inside that it is about.
fn overlay(key: &str, value: Value) -> Result<Overlay, (Option<&'static str>, Problem)> {
    let name = key.parse::<TargetName>().map_err(|refusal| {
        (
            None,
            Problem::new(format!("the name of a target, `{key}`, {refusal}")),
        )
    })?;
    let mut lines = match value {
        Value::Object(lines) => lines,
        Value::Null => Map::new(),
        _ => {
            let problem = Problem::new(format!("`targets.{key}` must be keys and values"))
                .help("write what differs for this target, such as `region: eu-central-1`");
            return Err((None, problem));
        }
    };
    let wave = match lines.remove(WAVE) {
        None => 1,
        Some(wave) => wave
            .as_u64()
            .filter(|wave| (1..=LAST_WAVE).contains(wave))
            .ok_or_else(|| {
                let problem = Problem::new(format!(
                    "`targets.{key}.wave` must be a whole number from 1 to {LAST_WAVE}, not {wave}"
                ))
                .help("targets of a later wave wait until all of the earlier ones have succeeded");
                (Some(WAVE), problem)
            })?,
    };
    if lines.contains_key(KEY) {
        let problem = Problem::new("a target cannot have targets of its own")
            .help("write them beside each other");
        return Err((Some(KEY), problem));
    }
    Ok(Overlay {
        name,
        wave,
        lines: Value::Object(lines),
    })
}

/// The schema of `targets`, made of the schema of an environment: nothing is required of
/// a target, and nothing that it does not say has a default but what stands above.
pub(super) fn in_schema(environment: &Value) -> Value {
    let mut properties = environment["properties"].clone();
    strip(&mut properties);
    properties[WAVE] = json!({
        "description": "When its turn is: targets of a later wave wait until all of the earlier ones have succeeded.",
        "type": "integer",
        "minimum": 1,
        "maximum": LAST_WAVE,
        "default": 1,
    });
    let name = schemars::SchemaGenerator::default().root_schema_for::<TargetName>();
    json!({
        "description": "Several stacks from one file, each with a name: below it what differs from the keys outside `targets`, such as `account`, `region` and `connect.instanceId`. Mappings are merged, lists replaced. Without `targets` the file describes one stack.",
        "type": "object",
        "propertyNames": {
            "pattern": name.get("pattern"),
            "minLength": name.get("minLength"),
            "maxLength": name.get("maxLength"),
            "examples": name.get("examples"),
        },
        "minProperties": 1,
        "additionalProperties": {
            "type": ["object", "null"],
            "properties": properties,
            "additionalProperties": false,
        },
    })
}

fn strip(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            // A property may be called so, too; then it is a schema, not a list.
            if map.get("required").is_some_and(Value::is_array) {
                map.remove("required");
            }
            if map.contains_key("type") || map.contains_key("anyOf") || map.contains_key("oneOf") {
                map.remove("default");
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Targets that are one and the same stack.
pub(super) fn twins(targets: &[TargetEnvironment]) -> Vec<PlacedProblem> {
    let mut seen = BTreeMap::new();
    let mut problems = Vec::new();
    for target in targets {
        let environment = &target.environment;
        let Some(name) = &target.name else { continue };
        let stack = (
            environment.cloud == Cloud::Local,
            environment.account.as_ref().map(ToString::to_string),
            environment.region.to_string(),
            environment.stack_name.to_string(),
        );
        if let Some(other) = seen.insert(stack, name) {
            problems.push((
                vec![Step::Key(KEY.to_owned()), Step::Key(name.to_string())],
                Problem::new(format!(
                    "the targets `{other}` and `{name}` are the same stack"
                ))
                .help("give one of them another account, region or stackName"),
            ));
        }
    }
    problems
}

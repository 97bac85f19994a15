//! YAML text → a tree of plain values, and back from a path in the tree to its place in the text.
//!
//! The parser reads more than an environment file should hold: it lets a key of a map
//! stand twice and the last one win, and it knows tags and merge keys. All that is
//! refused here. It also tells the place of nothing but a failure; so a place is found
//! by reading once more and failing there on purpose ([`locate`]). That costs a
//! second pass over a small file, only where something is wrong, and needs no second
//! understanding of YAML.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::Problem;

/// One step from the root of the file to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// An item of a list, from 0.
    Item(usize),
}

/// Which part of an entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Its key.
    Key,
    /// Its value.
    Value,
}

/// Reads the one document in `text`.
pub(super) fn read(text: &str) -> Result<Value, Problem> {
    let refusal = RefCell::new(None);
    let tree = Tree { refusal: &refusal };
    let error = match tree.deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(Value::Null) => return Err(empty()),
        Ok(value @ Value::Object(_)) => return Ok(value),
        Ok(_) => {
            return Err(Problem::new("the file must hold keys and values")
                .help("start with, for example, `region: eu-central-1`"));
        }
        Err(error) => error,
    };
    let span = error
        .location()
        .map(|location| token(text, location.index(), Part::Value));
    let problem = refusal
        .into_inner()
        .unwrap_or_else(|| syntax(text, &error.to_string()));
    Err(match span {
        Some(span) => problem.at(span),
        None => problem,
    })
}

/// The value at `path`.
pub(super) fn value_at<'a>(tree: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Item(index) => value.get(index),
    })
}

fn empty() -> Problem {
    Problem::new("the file is empty")
        .help("an environment needs at least `region`, `stackName` and `connect.instanceId`")
}

/// What the parser says of malformed YAML, with advice where the cause is known.
fn syntax(text: &str, message: &str) -> Problem {
    if message.contains("more than one document") {
        let problem = Problem::new("the file holds several YAML documents")
            .help("one file is one environment: put each into a file of its own");
        return match text.rfind("\n---") {
            Some(newline) => problem.at(newline + 1..newline + 4),
            None => problem,
        };
    }
    if message.contains("EOF while parsing") {
        return empty();
    }
    let problem = Problem::new(format!("this is not YAML: {message}"));
    if message.contains("cannot start any token") && text.contains('\t') {
        return problem.help("YAML is indented with spaces; a tab cannot stand there");
    }
    problem
}

/// The bytes of `text` where the value at `path` stands, or its key. Where it does not
/// stand in the file, the nearest thing around it that does.
pub(super) fn locate(text: &str, path: &[Step], part: Part) -> Option<Range<usize>> {
    let mut path = path;
    let mut part = part;
    loop {
        let seed = Locate { path, part };
        let reading = seed.deserialize(serde_yaml::Deserializer::from_str(text));
        if let Some(location) = reading.err().and_then(|error| error.location()) {
            return Some(token(text, location.index(), part));
        }
        (_, path) = path.split_last()?;
        part = Part::Key;
    }
}

/// The bytes of the key or the scalar that the parser saw at the byte `start`.
fn token(text: &str, start: usize, part: Part) -> Range<usize> {
    let start = text.floor_char_boundary(start);
    let (before, rest) = text.split_at(start);
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(1, |end| end + 2),
        _ => {
            let line = before.lines().next_back().unwrap_or_default();
            let is_inside_brackets = !before.ends_with('\n') && line.contains(['{', '[']);
            let line = rest.lines().next().unwrap_or_default();
            let end = match part {
                Part::Key => line.find(':'),
                Part::Value if is_inside_brackets => line.find([',', ']', '}']),
                Part::Value => line.find(" #"),
            };
            line[..end.unwrap_or(line.len())].trim_end().len()
        }
    };
    start..start + length
}

/// Builds the tree; what it refuses itself is left in `refusal`, because an error of
/// the parser carries text only.
#[derive(Clone, Copy)]
struct Tree<'a> {
    refusal: &'a RefCell<Option<Problem>>,
}

impl Tree<'_> {
    fn refuse<E: serde::de::Error>(self, problem: Problem) -> E {
        let error = E::custom(&problem.message);
        *self.refusal.borrow_mut() = Some(problem);
        error
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text, a number, true, false, a list, or keys and values")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Value, E> {
        Ok(boolean.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        match serde_json::Number::from_f64(number) {
            Some(number) => Ok(number.into()),
            None => Err(self.refuse(Problem::new("a number must be finite"))),
        }
    }

    fn visit_u128<E: serde::de::Error>(self, _: u128) -> Result<Value, E> {
        Err(self.refuse(too_long()))
    }

    fn visit_i128<E: serde::de::Error>(self, _: i128) -> Result<Value, E> {
        Err(self.refuse(too_long()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(NewKey {
            tree: self,
            map: &map,
        })? {
            let value = entries.next_value_seed(self)?;
            map.insert(key, value);
        }
        Ok(map.into())
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(self.refuse(
            Problem::new("YAML tags (`!…`) have no meaning here").help(
                "write the value without the tag; text that starts with `!` goes into quotes",
            ),
        ))
    }
}

fn too_long() -> Problem {
    Problem::new("the number has too many digits")
        .help("where it is meant as text, put it in quotes")
}

/// A key that does not stand in `map` yet.
struct NewKey<'a> {
    tree: Tree<'a>,
    map: &'a Map<String, Value>,
}

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = String;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let key = match self.tree.deserialize(deserializer)? {
            Value::String(key) => key,
            other => {
                return Err(self.tree.refuse(
                    Problem::new(format!("a key must be text, not {other}"))
                        .help("put the key in quotes"),
                ));
            }
        };
        if key == "<<" {
            return Err(self.tree.refuse(
                Problem::new("merge keys (`<<`) are not supported")
                    .help("write the keys out, so that the file says what is deployed"),
            ));
        }
        if self.map.contains_key(&key) {
            return Err(self.tree.refuse(
                Problem::new(format!("the key `{key}` stands here a second time"))
                    .help("remove one of the two"),
            ));
        }
        Ok(key)
    }
}

/// Fails where `path` leads, so that the parser tells the place.
struct Locate<'a> {
    path: &'a [Step],
    part: Part,
}

impl<'de> DeserializeSeed<'de> for Locate<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Whatever it cannot descend into is where the search ends: the methods that are left
/// to their defaults fail.
impl<'de> Visitor<'de> for Locate<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("to end here")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Item(index), rest)) = self.path.split_first() else {
            return Err(A::Error::custom("here"));
        };
        for _ in 0..*index {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        items.next_element_seed(Locate {
            path: rest,
            part: self.part,
        })?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key(key), rest)) = self.path.split_first() else {
            return Err(A::Error::custom("here"));
        };
        let wanted = Wanted {
            key,
            fails: rest.is_empty() && self.part == Part::Key,
        };
        // What is not read to its end is an error of its own.
        while let Some(is_wanted) = entries.next_key_seed(wanted)? {
            if is_wanted {
                entries.next_value_seed(Locate {
                    path: rest,
                    part: self.part,
                })?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Compares a key, and fails at it where it is the end of the path.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    key: &'a str,
    fails: bool,
}

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Wanted<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        match (key == self.key, self.fails) {
            (true, true) => Err(E::custom("here")),
            (is_wanted, _) => Ok(is_wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(path: &str) -> Vec<Step> {
        path.split('.')
            .map(|step| match step.parse() {
                Ok(index) => Step::Item(index),
                Err(_) => Step::Key(step.to_owned()),
            })
            .collect()
    }

    #[test]
    fn keys_and_values_are_found_where_they_stand() {
        let text = "# größer\na: 1 # one\nb:\n  c: 'zwölf # x'\n  d: [x, y]\n\"e f\": {g: 2}\nh:\n- i\n- j: k\n";
        for (path, part, expected) in [
            ("a", Part::Key, "a"),
            ("a", Part::Value, "1"),
            ("b.c", Part::Key, "c"),
            ("b.c", Part::Value, "'zwölf # x'"),
            ("b.d.1", Part::Value, "y"),
            ("e f", Part::Key, "\"e f\""),
            ("e f.g", Part::Key, "g"),
            ("h.0", Part::Value, "i"),
            ("h.1.j", Part::Value, "k"),
            ("b.missing", Part::Key, "b"),
            ("b.missing.deeper", Part::Value, "b"),
            ("missing", Part::Key, "a"),
        ] {
            let span = locate(text, &steps(path), part).unwrap();
            assert_eq!(&text[span], expected, "{path}");
        }
    }
}

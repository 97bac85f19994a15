//! What differs between two values of a template, down to the single property.
//!
//! Elements of a list are told apart by what names them (`PolicyName`, `Key`, …), because
//! by position one element added at the front would change all the others. Lists without
//! such names are compared as a whole.

use serde_json::{Map, Value};

use super::expression::is_function;

/// The members by which elements of lists are known, in order of preference.
///
/// Of `Tags`, `Policies`, `Statement`, `AttributeDefinitions`, `GlobalSecondaryIndexes`,
/// `Targets`, `MethodSettings`.
const NAMES: [&str; 7] = [
    "PolicyName",
    "Sid",
    "Key",
    "IndexName",
    "AttributeName",
    "Id",
    "ResourcePath",
];

/// One property that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where: a JSON pointer. In a list, the position in the new one, or in the old one
    /// for what is gone.
    pub pointer: String,
    /// Where, for people: `MethodSettings[/*].ThrottlingRateLimit`.
    pub name: String,
    /// The value that was there.
    pub before: Option<Value>,
    /// The value that will be there.
    pub after: Option<Value>,
}

/// A place in a value.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pointer: String,
    name: String,
}

impl Place {
    /// The place from which the others are counted, as a JSON pointer.
    pub(super) fn root(pointer: &str) -> Self {
        Self {
            pointer: pointer.to_owned(),
            name: String::new(),
        }
    }

    fn member(&self, key: &str) -> Self {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        Self {
            pointer: format!("{}/{escaped}", self.pointer),
            name: if self.name.is_empty() {
                key.to_owned()
            } else {
                format!("{}.{key}", self.name)
            },
        }
    }

    fn element(&self, index: usize, name: &str) -> Self {
        Self {
            pointer: format!("{}/{index}", self.pointer),
            name: format!("{}[{name}]", self.name),
        }
    }
}

/// Everything that differs between two values, in order.
pub(super) fn differences(
    before: Option<&Value>,
    after: Option<&Value>,
    place: &Place,
) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(before, after, place, &mut found);
    found
}

fn compare(
    before: Option<&Value>,
    after: Option<&Value>,
    place: &Place,
    found: &mut Vec<Difference>,
) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new)))
            if !is_function(&Value::Object(old.clone()))
                && !is_function(&Value::Object(new.clone())) =>
        {
            members(old, new, place, found);
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            let before_elements = found.len();
            if let Some((old_names, new_names)) = names(old, new) {
                elements((old, &old_names), (new, &new_names), place, found);
            }
            // Without names, or in another order only.
            if found.len() == before_elements {
                found.push(whole(before, after, place));
            }
        }
        _ => found.push(whole(before, after, place)),
    }
}

fn whole(before: Option<&Value>, after: Option<&Value>, place: &Place) -> Difference {
    Difference {
        pointer: place.pointer.clone(),
        name: place.name.clone(),
        before: before.cloned(),
        after: after.cloned(),
    }
}

fn members(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    place: &Place,
    found: &mut Vec<Difference>,
) {
    for (key, before) in old {
        compare(Some(before), new.get(key), &place.member(key), found);
    }
    for (key, after) in new {
        if !old.contains_key(key) {
            compare(None, Some(after), &place.member(key), found);
        }
    }
}

fn elements(
    (old, old_names): (&[Value], &[&str]),
    (new, new_names): (&[Value], &[&str]),
    place: &Place,
    found: &mut Vec<Difference>,
) {
    for (index, (before, name)) in old.iter().zip(old_names).enumerate() {
        match new_names.iter().position(|candidate| candidate == name) {
            Some(position) => compare(
                Some(before),
                new.get(position),
                &place.element(position, name),
                found,
            ),
            None => compare(Some(before), None, &place.element(index, name), found),
        }
    }
    for (index, (after, name)) in new.iter().zip(new_names).enumerate() {
        if !old_names.contains(name) {
            compare(None, Some(after), &place.element(index, name), found);
        }
    }
}

/// What names the elements of both lists, if something does.
fn names<'a>(old: &'a [Value], new: &'a [Value]) -> Option<(Vec<&'a str>, Vec<&'a str>)> {
    NAMES.iter().find_map(|key| {
        let names = |list: &'a [Value]| {
            let names: Vec<&str> = list
                .iter()
                .map(|element| element.get(key)?.as_str())
                .collect::<Option<_>>()?;
            let unique = names
                .iter()
                .enumerate()
                .all(|(index, name)| !names[..index].contains(name));
            unique.then_some(names)
        };
        Some((names(old)?, names(new)?))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        let show = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        differences(Some(before), Some(after), &Place::root(""))
            .iter()
            .map(|difference| {
                format!(
                    "{} {}: {} → {}",
                    difference.pointer,
                    difference.name,
                    show(&difference.before),
                    show(&difference.after)
                )
            })
            .collect()
    }

    #[test]
    fn one_changed_value_is_one_difference_wherever_it_lies() {
        for (before, after, expected) in [
            (json!({"A": 1}), json!({"A": 2}), vec!["/A A: 1 → 2"]),
            (
                json!({"A": {"B": 1}}),
                json!({"A": {"B": "1"}}),
                vec!["/A/B A.B: 1 → \"1\""],
            ),
            (json!({}), json!({"A": [1]}), vec!["/A A: - → [1]"]),
            (json!({"A": {}}), json!({}), vec!["/A A: {} → -"]),
            (
                json!({"a/b": {"~": 1}}),
                json!({"a/b": {"~": 2}}),
                vec!["/a~1b/~0 a/b.~: 1 → 2"],
            ),
            (
                json!({"A": [1, 2]}),
                json!({"A": [2, 1]}),
                vec!["/A A: [1,2] → [2,1]"],
            ),
        ] {
            assert_eq!(lines(&before, &after), expected);
        }
    }

    #[test]
    fn a_function_is_compared_as_a_whole() {
        assert_eq!(
            lines(&json!({"A": {"Ref": "X"}}), &json!({"A": {"Ref": "Y"}})),
            ["/A A: {\"Ref\":\"X\"} → {\"Ref\":\"Y\"}"]
        );
    }

    #[test]
    fn elements_that_have_names_are_compared_by_name() {
        let before = json!({"T": [{"Key": "a", "Value": 1}, {"Key": "b", "Value": 2}]});
        let after = json!({"T": [{"Key": "c", "Value": 3}, {"Key": "b", "Value": 4}]});
        assert_eq!(
            lines(&before, &after),
            [
                "/T/0 T[a]: {\"Key\":\"a\",\"Value\":1} → -",
                "/T/1/Value T[b].Value: 2 → 4",
                "/T/0 T[c]: - → {\"Key\":\"c\",\"Value\":3}",
            ]
        );
    }

    #[test]
    fn another_order_alone_is_a_difference_of_the_list() {
        let before = json!({"K": [{"AttributeName": "a"}, {"AttributeName": "b"}]});
        let after = json!({"K": [{"AttributeName": "b"}, {"AttributeName": "a"}]});
        assert_eq!(lines(&before, &after).len(), 1);
        let twice = json!({"K": [{"AttributeName": "a"}, {"AttributeName": "a"}]});
        assert_eq!(
            lines(&before, &twice).len(),
            1,
            "a name that comes twice names nothing"
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..4_i64).prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("A|B|Key|Ref", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_differ_exactly_where_differences_are_found(before in value(), after in value()) {
            let found = differences(Some(&before), Some(&after), &Place::root(""));
            prop_assert_eq!(found.is_empty(), before == after);
            for difference in &found {
                prop_assert_ne!(&difference.before, &difference.after);
                if difference.after.is_some() {
                    prop_assert_eq!(after.pointer(&difference.pointer), difference.after.as_ref());
                } else {
                    prop_assert_eq!(before.pointer(&difference.pointer), difference.before.as_ref());
                }
            }
        }
    }
}

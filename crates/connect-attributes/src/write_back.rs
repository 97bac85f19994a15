//! The way back: values of a Connect user into the attributes that feed its fields.
//!
//! A user who was in Connect before SCIM gets a resource, from which its fields are then
//! read like those of any other user. So a value has to stand where the paths of its field
//! find it, and must give way as soon as an identity provider sends one of its own:
//!
//! - One value goes where the last path reads, because every path before it wins over it.
//!   If it is an element of a list, it satisfies the other paths of the same list too, as
//!   far as they agree: what an identity provider writes to `emails[type eq "work"]` then
//!   replaces it instead of standing beside it.
//! - Names that add up go where the first path reads that can take them all.
//!
//! A path that is no place to write, such as one with `ne` or `or` in its brackets, is
//! passed over; where none is left, nothing is written. Whoever needs to know reads the
//! resource again.

use scim::{
    Resource,
    patch::{PatchOperation, PatchOperator, PatchRequest},
    path::{AttributePath, PatchPath},
    schema::Attribute,
};
use serde_json::{Map, Value};

use crate::{Source, Sources, schema::user};

impl Sources {
    /// Writes a value into a User, in canonical form with a `userName`, so that
    /// [`Sources::first`] finds it there.
    pub fn write(&self, resource: &mut Resource, value: &str) {
        let values = [value.to_owned()];
        let written = self.iter().rev().find_map(|source| {
            let mut element = source.described()?;
            for other in self.iter().filter(|other| other.is_of_the_list(source)) {
                let Some(described) = other.described() else {
                    continue;
                };
                let agrees = |(name, value)| element.get(name).is_none_or(|own| own == value);
                if described.iter().all(agrees) {
                    element.extend(described);
                }
            }
            source.add(resource, &values, &element)
        });
        if let Some(written) = written {
            *resource = written;
        }
    }

    /// Writes names into a User, in canonical form with a `userName`, so that
    /// [`Sources::names`] finds them there.
    pub fn write_names(&self, resource: &mut Resource, names: &[String]) {
        let has_comma = names.iter().any(|name| name.contains(','));
        let written = self.iter().find_map(|source| {
            let element = source.described()?;
            if source.is_multi_valued {
                return source.add(resource, names, &element);
            }
            let joined = (!has_comma).then(|| names.join(", "))?;
            source.add(resource, &[joined], &element)
        });
        if let Some(written) = written {
            *resource = written;
        }
    }
}

impl Source {
    fn attribute(&self) -> Option<&'static Attribute> {
        user().resolve(&self.path().path)?.attribute
    }

    /// Whether both name the same part of elements of the same list.
    fn is_of_the_list(&self, other: &Self) -> bool {
        let same = |left: Option<&Attribute>, right: Option<&Attribute>| match (left, right) {
            (Some(left), Some(right)) => std::ptr::eq(left, right),
            _ => false,
        };
        self.is_multi_valued && self.leaf == other.leaf && same(self.attribute(), other.attribute())
    }

    /// What an element is like that the path names, besides the value: what its filter
    /// demands. None if the filter demands anything else than equalities.
    fn described(&self) -> Option<Map<String, Value>> {
        let Some(filter) = &self.path().filter else {
            return Some(Map::new());
        };
        let terms = filter.described(self.attribute()?)?;
        let other = |(sub_attribute, value): (&Attribute, Value)| {
            let name = &sub_attribute.name;
            (Some(name.as_str()) != self.leaf).then(|| (name.clone(), value))
        };
        terms.into_iter().map(other).collect()
    }

    /// The resource with these values, each in an element like the one described; none if
    /// the attribute does not take them.
    fn add(
        &self,
        resource: &Resource,
        values: &[String],
        described: &Map<String, Value>,
    ) -> Option<Resource> {
        let (leaf, value) = if self.is_multi_valued {
            let element = |value: &String| match self.leaf {
                None => Value::from(value.as_str()),
                Some(leaf) => {
                    let mut element = described.clone();
                    element.insert(leaf.to_owned(), value.as_str().into());
                    Value::Object(element)
                }
            };
            (None, values.iter().map(element).collect())
        } else {
            (self.leaf, Value::from(values.first()?.as_str()))
        };
        let addition = PatchOperation {
            operator: PatchOperator::Add,
            path: Some(PatchPath {
                path: AttributePath {
                    sub_attribute: leaf.map(str::to_owned),
                    ..self.path().path.clone()
                },
                filter: None,
            }),
            value,
        };
        let request = PatchRequest {
            operations: vec![addition],
        };
        let added = request.apply(resource, user()).ok()?;
        Some(added.resource)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sources(written: Value) -> Sources {
        serde_json::from_value(written).unwrap()
    }

    fn empty() -> Resource {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "ada",
        });
        user.as_object().unwrap().clone()
    }

    /// What is in the resource besides the user name.
    fn added(resource: &Resource) -> Value {
        let mut added = resource.clone();
        added.retain(|name, _| name != "userName" && name != "schemas");
        Value::Object(added)
    }

    #[test]
    fn one_value_stands_where_any_path_wins_over_it() {
        for (paths, expected) in [
            (json!("nickName"), json!({"nickName": "x"})),
            (json!(["nickName", "userType"]), json!({"userType": "x"})),
            (json!("name.givenName"), json!({"name": {"givenName": "x"}})),
            (
                json!(["title", "roles"]),
                json!({"roles": [{"value": "x"}]}),
            ),
            (
                json!("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division"),
                json!({"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"division": "x"}}),
            ),
            (
                json!([
                    "emails[primary eq true]",
                    "emails[type eq \"work\"]",
                    "emails"
                ]),
                json!({"emails": [{"primary": true, "type": "work", "value": "x"}]}),
            ),
            (
                json!(["emails[type eq \"home\"]", "emails[type eq \"work\"]"]),
                json!({"emails": [{"type": "work", "value": "x"}]}),
            ),
            (
                json!(["emails[type eq \"home\"]", "emails[type ne \"work\"]"]),
                json!({"emails": [{"type": "home", "value": "x"}]}),
            ),
            (json!("emails[value eq \"y\"]"), json!({})),
            (json!("active"), json!({})),
            (json!([]), json!({})),
        ] {
            let sources = sources(paths.clone());
            let mut resource = empty();
            sources.write(&mut resource, "x");
            assert_eq!(added(&resource), expected, "{paths}");
            if expected != json!({}) {
                assert_eq!(sources.first(&resource).as_deref(), Some("x"), "{paths}");
            }
        }
    }

    #[test]
    fn names_stand_where_the_first_path_takes_them() {
        let plain = ["Agent".to_owned(), "Admin".to_owned()];
        let with_comma = ["Agent".to_owned(), "Quality, Analyst".to_owned()];
        for (paths, names, expected) in [
            (
                json!(["entitlements", "userType"]),
                &with_comma,
                json!({"entitlements": [{"value": "Agent"}, {"value": "Quality, Analyst"}]}),
            ),
            (
                json!("userType"),
                &plain,
                json!({"userType": "Agent, Admin"}),
            ),
            (json!("userType"), &with_comma, json!({})),
            (
                json!(["userType", "roles[type eq \"connect\"]"]),
                &with_comma,
                json!({"roles": [
                    {"type": "connect", "value": "Agent"},
                    {"type": "connect", "value": "Quality, Analyst"},
                ]}),
            ),
            (
                json!(["roles[primary eq true]", "entitlements"]),
                &plain,
                json!({"entitlements": [{"value": "Agent"}, {"value": "Admin"}]}),
            ),
        ] {
            let sources = sources(paths.clone());
            let mut resource = empty();
            sources.write_names(&mut resource, names);
            assert_eq!(added(&resource), expected, "{paths}");
            if expected != json!({}) {
                assert_eq!(sources.names(&resource), *names, "{paths}");
            }
        }
    }

    #[test]
    fn the_extension_that_is_written_to_is_named_in_schemas() {
        let urn = crate::schema::AMAZON_CONNECT;
        let mut resource = empty();
        sources(json!(format!("{urn}:securityProfiles")))
            .write_names(&mut resource, &["Agent".to_owned()]);
        assert_eq!(resource[urn], json!({"securityProfiles": ["Agent"]}));
        assert_eq!(resource["schemas"][1], urn);
    }

    #[test]
    fn two_fields_share_a_list() {
        let mut resource = empty();
        sources(json!("emails[type eq \"work\"]")).write(&mut resource, "x");
        sources(json!("emails[type eq \"home\"]")).write(&mut resource, "y");
        assert_eq!(
            resource["emails"],
            json!([{"type": "work", "value": "x"}, {"type": "home", "value": "y"}])
        );
    }
}

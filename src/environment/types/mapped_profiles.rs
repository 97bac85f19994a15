//! The security profiles that a SCIM group grants.

use std::borrow::Cow;
use std::fmt;

use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::SecurityProfileName;

/// Most security profiles of a Connect user.
/// <https://docs.aws.amazon.com/connect/latest/APIReference/API_CreateUser.html>
pub(in crate::environment) const MOST_PROFILES: usize = 10;

/// Security profiles in the order of the file, which the rules hold to 1 to 10 different ones.
/// Written as one name or as a list, and serialized as a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MappedProfiles(Vec<SecurityProfileName>);

impl MappedProfiles {
    /// The names, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SecurityProfileName> {
        self.0.iter()
    }
}

struct NamesVisitor;

impl<'de> de::Visitor<'de> for NamesVisitor {
    type Value = MappedProfiles;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str("text, the name of a security profile such as \"Agent\", or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<MappedProfiles, E> {
        let name = SecurityProfileName::try_from(text.to_owned()).map_err(E::custom)?;
        Ok(MappedProfiles(vec![name]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<MappedProfiles, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = items.next_element()? {
            names.push(name);
        }
        Ok(MappedProfiles(names))
    }
}

impl<'de> Deserialize<'de> for MappedProfiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

impl schemars::JsonSchema for MappedProfiles {
    fn schema_name() -> Cow<'static, str> {
        "MappedProfiles".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // The forms of one name apply to text only, those of a list to lists only.
        let mut schema = SecurityProfileName::json_schema(generator);
        let name = schema.clone();
        schema.insert("type".into(), serde_json::json!(["string", "array"]));
        schema.insert("items".into(), name.into());
        schema.insert("minItems".into(), 1.into());
        schema.insert("maxItems".into(), MOST_PROFILES.into());
        schema.insert("uniqueItems".into(), true.into());
        schema
    }
}

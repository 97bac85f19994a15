//! The JSON Schema of environment files, for editors and for the reference page.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Value, json};

use super::{
    Client, ClientName, Environment, GroupAssignment, GroupName, MappedProfiles, PermissionSet,
    PermissionSetName, ScimGroupName, TagKey, TagValue, rules, targets,
};

/// The JSON Schema of environment files, draft 7 (what editors' YAML support understands
/// best), in one piece without references.
///
/// What an environment must have may stand with its targets instead of above them.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = environment();
    let target = targets::in_schema(&schema);
    let required = schema["required"].take();
    if let Some(root) = schema.as_object_mut() {
        root.remove("required");
        root.insert(
            "anyOf".to_owned(),
            json!([
                {
                    "required": required,
                    "oneOf": [
                        { "required": ["connect"] },
                        { "required": ["directorySync", "task"] },
                    ],
                },
                { "required": ["targets"] },
            ]),
        );
    }
    schema["properties"][targets::KEY] = target;
    schema
}

/// The schema of one environment, without `targets`.
pub(super) fn environment() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    settings
        .into_generator()
        .into_root_schema_for::<Environment>()
        .to_value()
}

/// The schema of `clients`.
pub(super) fn clients(generator: &mut SchemaGenerator) -> Schema {
    map::<ClientName, Client>(generator, 1, rules::MOST_CLIENTS)
}

/// The schema of `provisioning.groups`.
pub(super) fn provisioned_groups(generator: &mut SchemaGenerator) -> Schema {
    map::<ScimGroupName, MappedProfiles>(generator, 0, rules::MOST_PROVISIONED_GROUPS)
}

/// The schema of `tags`.
pub(super) fn tags(generator: &mut SchemaGenerator) -> Schema {
    map::<TagKey, TagValue>(generator, 0, rules::MOST_TAGS)
}

/// The schema of `assignments.permissionSets`.
pub(super) fn permission_sets(generator: &mut SchemaGenerator) -> Schema {
    map::<PermissionSetName, PermissionSet>(generator, 1, rules::MOST_PERMISSION_SETS)
}

/// The schema of `assignments.groups`.
pub(super) fn group_assignments(generator: &mut SchemaGenerator) -> Schema {
    map::<GroupName, Vec<GroupAssignment>>(generator, 0, rules::MOST_GROUPS)
}

fn map<K: JsonSchema, V: JsonSchema>(
    generator: &mut SchemaGenerator,
    least: usize,
    most: usize,
) -> Schema {
    json_schema!({
        "type": "object",
        "propertyNames": K::json_schema(generator),
        "additionalProperties": generator.subschema_for::<V>(),
        "minProperties": least,
        "maxProperties": most,
    })
}

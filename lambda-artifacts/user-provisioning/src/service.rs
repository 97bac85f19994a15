//! The SCIM service as it announces itself.

use connect_attributes::{Attributes, schema::user};
use connect_directory::profiles::Names;
use scim::{
    comparison::Comparison,
    path::PatchPath,
    schema::{
        Attribute, AttributeType, Mutability, ResourceType, ServiceDefinition, Uniqueness, core,
    },
};

/// Users with the enterprise extension and the one for Amazon Connect, and groups.
///
/// `has_own_names`: groups can have other names than security profiles, so that they can be
/// renamed; Connect cannot rename security profiles.
pub(crate) fn definition(has_own_names: bool) -> ServiceDefinition {
    let mut group = core::group();
    group.schema = group.schema.keep(&[
        "displayName",
        "externalId",
        "members.value",
        "members.$ref",
        "members.display",
        "members.type",
    ]);
    if let Some(name) = group.schema.attribute_mut("displayName") {
        if !has_own_names {
            name.mutability = Mutability::Immutable;
        }
        name.uniqueness = Uniqueness::Server;
        // A name with surrounding spaces links the profile, and so it must find the group.
        name.comparison = Comparison::Name;
    }
    if let Some(members) = group.schema.attribute_mut("members") {
        for member in &mut members.sub_attributes {
            match member.name.as_str() {
                // Groups in groups are refused.
                "type" => member.canonical_values = vec!["User".to_owned()],
                "$ref" => member.reference_types = vec!["User".to_owned()],
                // From the user, whatever the request says.
                "display" => member.mutability = Mutability::ReadOnly,
                _ => {}
            }
        }
    }
    let mut service = ServiceDefinition::new(vec![user().clone(), group]);
    service.documentation_uri = Some(DOCUMENTATION.to_owned());
    service
}

/// What administrators of a client read about the users that they provision.
const DOCUMENTATION: &str =
    "https://docs.aws.amazon.com/connect/latest/adminguide/user-management.html";

/// The service with the names of the instance as canonical values, so that whoever reads
/// `/Schemas` knows what can be given. An attribute without any is announced as it is.
pub(crate) fn with_names(
    mut service: ServiceDefinition,
    names: &Names,
    attributes: &Attributes,
) -> ServiceDefinition {
    let fed = [
        (&attributes.security_profiles, &names.security_profiles),
        (&attributes.routing_profile, &names.routing_profiles),
        (&attributes.hierarchy_group, &names.hierarchy_groups),
    ];
    for resource_type in &mut service.resource_types {
        if is_group(resource_type) {
            announce(
                resource_type.schema.attribute_mut("displayName"),
                &names.security_profiles,
            );
            continue;
        }
        for (sources, values) in fed {
            for source in sources.iter() {
                announce(named(resource_type, source.path()), values);
            }
        }
    }
    service
}

/// What a path names, if it is all values of an attribute.
fn named<'a>(resource_type: &'a mut ResourceType, path: &PatchPath) -> Option<&'a mut Attribute> {
    let PatchPath { path, filter: None } = path else {
        return None;
    };
    let urn = path.schema.as_deref();
    let extension = resource_type
        .extensions
        .iter_mut()
        .find(|extension| urn.is_some_and(|urn| extension.schema.id.eq_ignore_ascii_case(urn)));
    let schema = match extension {
        Some(extension) => &mut extension.schema,
        None => &mut resource_type.schema,
    };
    let attribute = schema.attribute_mut(&path.attribute)?;
    if attribute.kind != AttributeType::Complex {
        return Some(attribute);
    }
    let sub_attribute = path.sub_attribute.as_deref().unwrap_or("value");
    attribute
        .sub_attributes
        .iter_mut()
        .find(|candidate| candidate.name.eq_ignore_ascii_case(sub_attribute))
}

fn announce(attribute: Option<&mut Attribute>, values: &[String]) {
    if let Some(attribute) = attribute {
        attribute.canonical_values = values.to_vec();
    }
}

/// Whether the type is that of groups; the others are users.
pub(crate) fn is_group(resource_type: &ResourceType) -> bool {
    resource_type.name == "Group"
}

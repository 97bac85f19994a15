//! The SCIM service as it announces itself.

use connect_directory::{mapping::AMAZON_CONNECT, profiles::Names};
use scim::schema::{Attribute, Mutability, ResourceType, Schema, ServiceDefinition, core};

/// Users with the enterprise extension and the one for Amazon Connect, and groups.
pub(crate) fn definition() -> ServiceDefinition {
    let user = core::user().extended_by(amazon_connect_schema());
    // RFC 7643 section 8.7.1 has no `display` of members: it would have to follow every
    // change of a user's name.
    let mut group = core::group();
    group.schema = group.schema.keep(&[
        "displayName",
        "externalId",
        "members.value",
        "members.$ref",
        "members.type",
    ]);
    if let Some(name) = group.schema.attribute_mut("displayName") {
        // Connect cannot rename security profiles.
        name.mutability = Mutability::Immutable;
    }
    ServiceDefinition::new(vec![user, group])
}

fn amazon_connect_schema() -> Schema {
    Schema {
        id: AMAZON_CONNECT.to_owned(),
        name: "AmazonConnectUser".to_owned(),
        description: "What only Amazon Connect has of a user".to_owned(),
        unsupported: Vec::new(),
        attributes: vec![
            Attribute::string("routingProfile")
                .describe("The name of the routing profile; wins over roles.")
                .case_exact(),
            Attribute::string("securityProfiles")
                .describe("The names of security profiles, besides those in entitlements.")
                .case_exact()
                .multi_valued(),
            Attribute::string("hierarchyGroup")
                .describe("The name of the agent hierarchy group.")
                .case_exact(),
            Attribute::string("deskPhoneNumber").describe(
                "The number to which calls come, in E.164; without it they come in the browser.",
            ),
            Attribute::boolean("autoAccept").describe("Whether calls are accepted for the agent."),
            Attribute::integer("afterContactWorkSeconds")
                .describe("Seconds of work after a contact; 0: without limit."),
            Attribute::boolean("persistentConnection")
                .describe("Whether the connection is kept between calls."),
        ],
    }
}

/// The service with the names of the instance as canonical values, so that whoever reads
/// `/Schemas` knows what can be given. An attribute without any is announced as it is.
pub(crate) fn with_names(mut service: ServiceDefinition, names: &Names) -> ServiceDefinition {
    let values = [
        ("entitlements", &names.security_profiles),
        ("roles", &names.routing_profiles),
    ];
    let settings = [
        ("securityProfiles", &names.security_profiles),
        ("routingProfile", &names.routing_profiles),
        ("hierarchyGroup", &names.hierarchy_groups),
    ];
    for resource_type in &mut service.resource_types {
        if is_group(resource_type) {
            announce(
                resource_type.schema.attribute_mut("displayName"),
                &names.security_profiles,
            );
            continue;
        }
        for (name, values) in values {
            let attribute = resource_type.schema.attribute_mut(name);
            let value = attribute.and_then(|attribute| {
                let mut sub_attributes = attribute.sub_attributes.iter_mut();
                sub_attributes.find(|sub_attribute| sub_attribute.name == "value")
            });
            announce(value, values);
        }
        for extension in &mut resource_type.extensions {
            for (name, values) in settings {
                if extension.schema.id == AMAZON_CONNECT {
                    announce(extension.schema.attribute_mut(name), values);
                }
            }
        }
    }
    service
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

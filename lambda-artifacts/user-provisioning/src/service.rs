//! The SCIM service as it announces itself.

use connect_directory::mapping::AMAZON_CONNECT;
use scim::schema::{Attribute, ResourceType, Schema, ServiceDefinition, core};

/// Users with the enterprise extension and the one for Amazon Connect, and groups.
pub(crate) fn definition() -> ServiceDefinition {
    let user = core::user().extended_by(amazon_connect_schema());
    ServiceDefinition::new(vec![user, core::group()])
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

/// Whether the type is that of groups; the others are users.
pub(crate) fn is_group(resource_type: &ResourceType) -> bool {
    resource_type.name == "Group"
}

//! What a SCIM User of this endpoint is.

use std::sync::LazyLock;

use scim::schema::{Attribute, AttributeType, ResourceType, Schema, core};

/// The extension for what only Amazon Connect has.
pub const AMAZON_CONNECT: &str = "urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User";

static USER: LazyLock<ResourceType> = LazyLock::new(|| {
    let mut user = core::user();
    for extension in &mut user.extensions {
        extension.schema = extension.schema.clone().keep(&ENTERPRISE_ATTRIBUTES);
    }
    user.extended_by(amazon_connect_schema())
});

/// The attributes of the enterprise extension that responses can have. Filling
/// `manager.displayName` would take a read of the manager.
const ENTERPRISE_ATTRIBUTES: [&str; 7] = [
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "manager.value",
    "manager.$ref",
];

/// Users with the enterprise extension and the one for Amazon Connect.
#[must_use]
pub fn user() -> &'static ResourceType {
    &USER
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
            Attribute::complex(
                "proficiencies",
                vec![
                    Attribute::string("attributeName")
                        .describe("The name of a predefined attribute of the instance.")
                        .case_exact()
                        .required(),
                    Attribute::string("attributeValue")
                        .describe("One of the values of the predefined attribute.")
                        .case_exact()
                        .required(),
                    Attribute::new("level", AttributeType::Decimal)
                        .describe("1, 2, 3, 4 or 5.")
                        .required(),
                ],
            )
            .describe("What the agent is good at, up to 10.")
            .multi_valued(),
            Attribute::complex(
                "tags",
                vec![
                    Attribute::string("key")
                        .describe("The key; aws: and scim: are kept for others.")
                        .case_exact()
                        .required(),
                    Attribute::string("value")
                        .describe("The value.")
                        .case_exact(),
                ],
            )
            .describe("Tags of the user in Amazon Connect, besides those of this endpoint.")
            .multi_valued(),
        ],
    }
}

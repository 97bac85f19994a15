//! The schemas of the discovery documents themselves (RFC 7643 sections 5, 6, 7 and 8.7.2).

use super::{Attribute, AttributeType, Mutability, Returned, Schema, Uniqueness};

/// The schema of `/ServiceProviderConfig`.
pub(super) const SERVICE_PROVIDER_CONFIG_URN: &str =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The schema of `/ResourceTypes`.
pub(super) const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The schema of `/Schemas`.
pub(super) const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// The three schemas, in the order of RFC 7643 section 8.7.2.
pub(super) fn discovery_schemas() -> [Schema; 3] {
    [service_provider_config(), resource_type(), schema()]
}

fn schema_of(id: &str, name: &str, description: &str, attributes: Vec<Attribute>) -> Schema {
    Schema {
        id: id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        unsupported: Vec::new(),
        attributes: attributes.into_iter().map(read_only).collect(),
    }
}

fn read_only(mut attribute: Attribute) -> Attribute {
    attribute.mutability = Mutability::ReadOnly;
    attribute.sub_attributes = attribute
        .sub_attributes
        .into_iter()
        .map(read_only)
        .collect();
    attribute
}

fn supported(description: &str) -> Attribute {
    Attribute::boolean("supported")
        .describe(description)
        .required()
}

fn feature(name: &str, description: &str) -> Attribute {
    let supported = supported("Whether the service supports it.");
    Attribute::complex(name, vec![supported])
        .describe(description)
        .required()
}

fn number(name: &str, description: &str) -> Attribute {
    Attribute::integer(name).describe(description).required()
}

fn service_provider_config() -> Schema {
    let mut bulk = feature("bulk", "Bulk requests.");
    bulk.sub_attributes.extend([
        number("maxOperations", "The most operations of a request."),
        number("maxPayloadSize", "The most bytes of a request."),
    ]);
    let mut filter = feature("filter", "Filters.");
    filter
        .sub_attributes
        .push(number("maxResults", "The most resources of a response."));
    schema_of(
        SERVICE_PROVIDER_CONFIG_URN,
        "Service Provider Configuration",
        "The configuration of the service",
        vec![
            Attribute::reference("documentationUri", &["external"])
                .describe("The address of the documentation."),
            feature("patch", "PATCH."),
            bulk,
            filter,
            feature("changePassword", "Changes of passwords."),
            feature("sort", "Sorted lists."),
            feature("etag", "Versions of resources."),
            pagination(),
            Attribute::complex(
                "authenticationSchemes",
                vec![
                    Attribute::string("type")
                        .describe("The scheme.")
                        .canonical(&[
                            "oauth",
                            "oauth2",
                            "oauthbearertoken",
                            "httpbasic",
                            "httpdigest",
                        ])
                        .required(),
                    Attribute::string("name")
                        .describe("The name of the scheme.")
                        .required(),
                    Attribute::string("description")
                        .describe("The authentication scheme.")
                        .required(),
                    Attribute::reference("specUri", &["external"])
                        .describe("The address of the specification."),
                    Attribute::reference("documentationUri", &["external"])
                        .describe("The address of the documentation."),
                    Attribute::boolean("primary").describe("Whether the scheme is preferred."),
                ],
            )
            .describe("How clients authenticate.")
            .multi_valued()
            .required(),
        ],
    )
}

/// RFC 9865 section 4.
fn pagination() -> Attribute {
    Attribute::complex(
        "pagination",
        vec![
            Attribute::boolean("cursor")
                .describe("Whether lists are paged by cursor.")
                .required(),
            Attribute::boolean("index")
                .describe("Whether lists are paged by index.")
                .required(),
            Attribute::string("defaultPaginationMethod")
                .describe("The method where a request names none.")
                .canonical(&["cursor", "index"]),
            Attribute::integer("defaultPageSize")
                .describe("The resources of a page where a request names no number."),
            Attribute::integer("maxPageSize").describe("The most resources of a page."),
            Attribute::integer("cursorTimeout")
                .describe("The seconds for which a cursor stays valid."),
        ],
    )
    .describe("Paging of lists.")
}

fn resource_type() -> Schema {
    schema_of(
        RESOURCE_TYPE_URN,
        "ResourceType",
        "A resource type and its schemas",
        vec![
            Attribute::string("id").describe("The identifier of the resource type."),
            Attribute::string("name")
                .describe("The name of the resource type.")
                .required(),
            Attribute::string("description").describe("The purpose of the resources."),
            Attribute::reference("endpoint", &["uri"])
                .describe("The address below the base, such as /Users.")
                .required(),
            Attribute::reference("schema", &["uri"])
                .describe("The URN of the core schema.")
                .required(),
            Attribute::complex(
                "schemaExtensions",
                vec![
                    Attribute::reference("schema", &["uri"])
                        .describe("The URN of the extension.")
                        .required(),
                    Attribute::boolean("required")
                        .describe("Whether every resource has the extension.")
                        .required(),
                ],
            )
            .describe("The extensions.")
            .multi_valued(),
        ],
    )
}

fn schema() -> Schema {
    let mut attributes = attribute_attributes();
    let sub_attributes = Attribute::complex("subAttributes", attribute_attributes())
        .describe("The attributes inside a complex one.")
        .multi_valued();
    attributes.push(sub_attributes);
    schema_of(
        SCHEMA_URN,
        "Schema",
        "A schema and its attributes",
        vec![
            Attribute::reference("id", &["uri"])
                .describe("The URN of the schema.")
                .required()
                .returned(Returned::Always)
                .unique(Uniqueness::Server),
            Attribute::string("name").describe("The name of the schema."),
            Attribute::string("description").describe("The purpose of the schema."),
            Attribute::complex("attributes", attributes)
                .describe("The attributes.")
                .multi_valued()
                .required(),
        ],
    )
}

fn attribute_attributes() -> Vec<Attribute> {
    vec![
        Attribute::string("name")
            .describe("The name.")
            .case_exact()
            .required(),
        Attribute::string("type")
            .describe("The data type.")
            .canonical(&[
                "string",
                "complex",
                "boolean",
                "decimal",
                "integer",
                "dateTime",
                "reference",
                "binary",
            ])
            .required(),
        Attribute::boolean("multiValued")
            .describe("Whether the value is a list.")
            .required(),
        Attribute::string("description").describe("The meaning of the attribute."),
        Attribute::boolean("required").describe("Whether a resource must have it."),
        Attribute::new("canonicalValues", AttributeType::String)
            .describe("Values that are suggested.")
            .case_exact()
            .multi_valued(),
        Attribute::boolean("caseExact").describe("Whether comparisons of text heed case."),
        Attribute::string("mutability")
            .describe("When a client may write it.")
            .canonical(&["readOnly", "readWrite", "immutable", "writeOnly"]),
        Attribute::string("returned")
            .describe("When it is part of a response.")
            .canonical(&["always", "never", "default", "request"]),
        Attribute::string("uniqueness")
            .describe("Where its value must be unique.")
            .canonical(&["none", "server", "global"]),
        Attribute::string("referenceTypes")
            .describe("What a reference may point to.")
            .case_exact()
            .multi_valued(),
    ]
}

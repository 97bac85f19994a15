//! The schemas of RFC 7643 sections 3, 4 and 8.7 as data.
//!
//! Three definitions depart from the RFC's tables, because clients and conformance
//! suites need them: `externalId` is listed in the User and Group schemas (suites
//! refuse attributes that `/Schemas` does not list), `Group.displayName` and `meta` are
//! always returned.

use crate::comparison::Comparison;

use super::{Attribute, Mutability, ResourceType, Returned, Schema, Uniqueness};

/// The core User schema.
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core Group schema.
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise extension of User.
pub const ENTERPRISE_USER_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// `schemas`, `id`, `externalId` and `meta` (RFC 7643 section 3.1).
pub(crate) fn common_attributes() -> Vec<Attribute> {
    vec![
        Attribute::reference("schemas", &["uri"])
            .describe("The URNs of the schemas that the resource uses.")
            .multi_valued()
            .required()
            .returned(Returned::Always),
        Attribute::string("id")
            .describe("The service's identifier of the resource; it never changes.")
            .case_exact()
            .read_only()
            .returned(Returned::Always)
            .unique(Uniqueness::Server),
        external_id(),
        Attribute::complex(
            "meta",
            vec![
                Attribute::string("resourceType")
                    .describe("The resource's type.")
                    .case_exact()
                    .read_only(),
                Attribute::date_time("created")
                    .describe("When the resource was created.")
                    .read_only(),
                Attribute::date_time("lastModified")
                    .describe("When the resource last changed.")
                    .read_only(),
                Attribute::reference("location", &["uri"])
                    .describe("The resource's address.")
                    .read_only(),
                Attribute::string("version")
                    .describe("The resource's entity tag.")
                    .case_exact()
                    .read_only(),
            ],
        )
        .describe("What the service knows about the resource.")
        .read_only()
        .returned(Returned::Always),
    ]
}

fn external_id() -> Attribute {
    Attribute::string("externalId")
        .describe("The client's identifier of the resource.")
        .case_exact()
}

/// The User schema (RFC 7643 section 4.1).
#[must_use]
pub fn user_schema() -> Schema {
    Schema {
        id: USER_URN.to_owned(),
        name: "User".to_owned(),
        description: "User Account".to_owned(),
        unsupported: Vec::new(),
        attributes: vec![
            Attribute::string("userName")
                .describe("The name by which the user signs in; unique without case.")
                .required()
                .compared(Comparison::Name)
                .unique(Uniqueness::Server),
            external_id(),
            Attribute::complex(
                "name",
                vec![
                    Attribute::string("formatted").describe("The full name, ready for display."),
                    Attribute::string("familyName").describe("The family name."),
                    Attribute::string("givenName").describe("The given name."),
                    Attribute::string("middleName").describe("The middle names."),
                    Attribute::string("honorificPrefix").describe("Titles before the name."),
                    Attribute::string("honorificSuffix").describe("Suffixes behind the name."),
                ],
            )
            .describe("The parts of the user's real name."),
            Attribute::string("displayName").describe("The name to display."),
            Attribute::string("nickName").describe("The casual name."),
            Attribute::reference("profileUrl", &["external"])
                .describe("The address of the user's profile."),
            Attribute::string("title").describe("The title, such as Vice President."),
            Attribute::string("userType").describe("The relation to the organisation."),
            Attribute::string("preferredLanguage")
                .describe("The preferred language, as in Accept-Language."),
            Attribute::string("locale").describe("The locale for currency, dates and numbers."),
            Attribute::string("timezone").describe("The time zone, as in the IANA database."),
            Attribute::boolean("active")
                .describe("Whether the user may use the service.")
                .default(true),
            Attribute::string("password")
                .describe("The password; never returned.")
                .case_exact()
                .mutability(Mutability::WriteOnly)
                .returned(Returned::Never),
            plural(
                "emails",
                "E-mail addresses.",
                Attribute::string("value"),
                &["work", "home", "other"],
            ),
            plural(
                "phoneNumbers",
                "Phone numbers.",
                Attribute::string("value"),
                &["work", "home", "mobile", "fax", "pager", "other"],
            ),
            plural(
                "ims",
                "Instant messaging addresses.",
                Attribute::string("value"),
                &[],
            ),
            plural(
                "photos",
                "Addresses of photos.",
                Attribute::reference("value", &["external"]),
                &["photo", "thumbnail"],
            ),
            addresses(),
            groups(),
            plural(
                "entitlements",
                "What the user is entitled to.",
                Attribute::string("value"),
                &[],
            ),
            plural(
                "roles",
                "The user's roles.",
                Attribute::string("value"),
                &[],
            ),
            plural(
                "x509Certificates",
                "Certificates in DER form.",
                Attribute::new("value", super::AttributeType::Binary),
                &[],
            ),
        ],
    }
}

/// A multi-valued attribute with the sub-attributes of RFC 7643 section 2.4.
fn plural(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    Attribute::complex(
        name,
        vec![
            value.describe("The value."),
            Attribute::string("display").describe("The value for display."),
            Attribute::string("type")
                .describe("What the value is for.")
                .canonical(types),
            Attribute::boolean("primary")
                .describe("Whether this is the preferred value; true at most once."),
        ],
    )
    .describe(description)
    .multi_valued()
}

fn addresses() -> Attribute {
    Attribute::complex(
        "addresses",
        vec![
            Attribute::string("formatted").describe("The whole address, ready for a label."),
            Attribute::string("streetAddress").describe("Street, house number, post box."),
            Attribute::string("locality").describe("City."),
            Attribute::string("region").describe("State or region."),
            Attribute::string("postalCode").describe("Postal code."),
            Attribute::string("country").describe("Country, as two letters of ISO 3166-1."),
            Attribute::string("type")
                .describe("What the address is for.")
                .canonical(&["work", "home", "other"]),
            Attribute::boolean("primary")
                .describe("Whether this is the preferred address; true at most once."),
        ],
    )
    .describe("Postal addresses.")
    .multi_valued()
}

fn groups() -> Attribute {
    Attribute::complex(
        "groups",
        vec![
            Attribute::string("value")
                .describe("The group's id.")
                .case_exact()
                .read_only(),
            Attribute::reference("$ref", &["User", "Group"])
                .describe("The group's address.")
                .read_only(),
            Attribute::string("display")
                .describe("The group's name.")
                .read_only(),
            Attribute::string("type")
                .describe("Whether the membership is direct.")
                .canonical(&["direct", "indirect"])
                .read_only(),
        ],
    )
    .describe("The groups that the user belongs to; changed through the groups.")
    .multi_valued()
    .read_only()
}

/// The Group schema (RFC 7643 section 4.2).
#[must_use]
pub fn group_schema() -> Schema {
    Schema {
        id: GROUP_URN.to_owned(),
        name: "Group".to_owned(),
        description: "Group".to_owned(),
        unsupported: Vec::new(),
        attributes: vec![
            Attribute::string("displayName")
                .describe("The group's name.")
                .required()
                .returned(Returned::Always),
            external_id(),
            Attribute::complex(
                "members",
                vec![
                    Attribute::string("value")
                        .describe("The member's id.")
                        .case_exact()
                        .mutability(Mutability::Immutable),
                    Attribute::reference("$ref", &["User", "Group"])
                        .describe("The member's address.")
                        .mutability(Mutability::Immutable),
                    Attribute::string("type")
                        .describe("The member's resource type.")
                        .canonical(&["User", "Group"])
                        .mutability(Mutability::Immutable),
                    Attribute::string("display").describe("The member's name."),
                ],
            )
            .describe("The members.")
            .multi_valued(),
        ],
    }
}

/// The enterprise extension of User (RFC 7643 section 4.3).
#[must_use]
pub fn enterprise_user_schema() -> Schema {
    Schema {
        id: ENTERPRISE_USER_URN.to_owned(),
        name: "EnterpriseUser".to_owned(),
        description: "Enterprise User".to_owned(),
        unsupported: Vec::new(),
        attributes: vec![
            Attribute::string("employeeNumber")
                .describe("The number that the organisation gave the person."),
            Attribute::string("costCenter").describe("The cost centre."),
            Attribute::string("organization").describe("The organisation."),
            Attribute::string("division").describe("The division."),
            Attribute::string("department").describe("The department."),
            Attribute::complex(
                "manager",
                vec![
                    Attribute::string("value")
                        .describe("The manager's id.")
                        .case_exact(),
                    Attribute::reference("$ref", &["User"]).describe("The manager's address."),
                    Attribute::string("displayName")
                        .describe("The manager's name.")
                        .read_only(),
                ],
            )
            .describe("The person's manager."),
        ],
    }
}

/// `/Users` with the enterprise extension.
#[must_use]
pub fn user() -> ResourceType {
    ResourceType::new("User", "/Users", user_schema()).extended_by(enterprise_user_schema())
}

/// `/Groups`.
#[must_use]
pub fn group() -> ResourceType {
    ResourceType::new("Group", "/Groups", group_schema())
}

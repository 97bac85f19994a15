//! The `mapping:` section: which attributes of the directory fill which of the user.
//!
//! Each attribute has a list of sources; the first that gives a value is taken. What the
//! section does not name keeps its default, so that a file names only what differs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::attribute::Attribute;
use crate::source::Flavor;

/// What differs from the defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MappingConfiguration {
    /// Sources by attribute of the user: names of directory attributes, or templates such as
    /// `{givenName} {sn}`, tried in order. An empty list: the sync leaves the attribute alone.
    #[serde(default)]
    pub user: BTreeMap<Attribute, Vec<Source>>,
    /// Where a group's name comes from.
    #[serde(default)]
    pub group: GroupMapping,
}

/// What fills a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupMapping {
    /// Sources of the group's name, tried in order. Default: `cn`.
    #[serde(default)]
    pub display_name: Option<Vec<Source>>,
}

/// The sources that a kind of directory starts with.
pub(super) fn defaults(flavor: Flavor) -> BTreeMap<Attribute, Vec<Source>> {
    let common: &[(Attribute, &[&str])] = &[
        (Attribute::GivenName, &["givenName"]),
        (Attribute::FamilyName, &["sn"]),
        (
            Attribute::DisplayName,
            &["displayName", "cn", "{givenName} {sn}"],
        ),
        (Attribute::Title, &["title"]),
        (Attribute::PreferredLanguage, &["preferredLanguage"]),
        (Attribute::EmployeeNumber, &["employeeNumber"]),
    ];
    let particular: &[(Attribute, &[&str])] = match flavor {
        Flavor::ActiveDirectory => &[
            (Attribute::UserName, &["userPrincipalName"]),
            (Attribute::Email, &["mail", "userPrincipalName"]),
            (Attribute::Organization, &["company"]),
            (Attribute::Division, &["division"]),
            (Attribute::Department, &["department"]),
        ],
        Flavor::OpenLdap => &[
            (Attribute::UserName, &["uid"]),
            (Attribute::Email, &["mail"]),
            (Attribute::Organization, &["o"]),
            (Attribute::Department, &["departmentNumber", "ou"]),
        ],
    };
    common
        .iter()
        .chain(particular)
        .map(|(attribute, sources)| {
            (
                *attribute,
                sources.iter().map(|text| source(text)).collect(),
            )
        })
        .collect()
}

/// Where a group's name comes from unless the file says otherwise.
pub(super) fn default_group_name() -> Vec<Source> {
    vec![source("cn")]
}

#[expect(
    clippy::expect_used,
    reason = "constants of this file; a test reads every one of them"
)]
fn source(text: &str) -> Source {
    text.parse().expect("a source of the defaults")
}

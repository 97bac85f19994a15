//! Which SCIM attribute feeds which field of a Connect user.
//!
//! `userName` is not among them: it is what identity providers look users up by, and it
//! alone is kept unique.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::source::Sources;

/// The SCIM paths of every field that can be fed by another attribute than usual: one
/// path, or a list of which the first that names a value counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Attributes {
    /// The first name. Where nothing is named, it comes from `name.formatted`, `displayName` or `userName`.
    pub first_name: Sources,
    /// The last name. Where nothing is named, it comes from `name.formatted`, `displayName` or `userName`.
    pub last_name: Sources,
    /// The e-mail address.
    pub email: Sources,
    /// The secondary e-mail address. Default: with SAML, whose users have no other address, as `email`; otherwise none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_email: Option<Sources>,
    /// The mobile number.
    pub mobile: Sources,
    /// Security profiles, by name: those of all paths together, besides the user's groups. A single value may hold several, separated by commas.
    pub security_profiles: Sources,
    /// Security profiles, by name and separated by commas, of a user for whom neither groups nor `securityProfiles` name one. A value without the name of any profile counts as none.
    pub fallback_security_profiles: Sources,
    /// The routing profile, by name.
    pub routing_profile: Sources,
    /// The agent hierarchy group, by name.
    pub hierarchy_group: Sources,
    /// The number of the desk phone.
    pub desk_phone_number: Sources,
    /// Whether calls are accepted for the agent.
    pub auto_accept: Sources,
    /// Seconds of work after a contact.
    pub after_contact_work_seconds: Sources,
    /// Whether the connection is kept between calls.
    pub persistent_connection: Sources,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            first_name: paths(["name.givenName"]),
            last_name: paths(["name.familyName"]),
            email: paths([
                "emails[primary eq true]",
                "emails[type eq \"work\"]",
                "emails",
            ]),
            secondary_email: None,
            mobile: paths(["phoneNumbers[type eq \"mobile\"]"]),
            security_profiles: paths(["entitlements", &of_connect("securityProfiles")]),
            fallback_security_profiles: paths([
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            ]),
            routing_profile: paths([&of_connect("routingProfile"), "roles"]),
            hierarchy_group: paths([of_connect("hierarchyGroup")]),
            desk_phone_number: paths([of_connect("deskPhoneNumber")]),
            auto_accept: paths([of_connect("autoAccept")]),
            after_contact_work_seconds: paths([of_connect("afterContactWorkSeconds")]),
            persistent_connection: paths([of_connect("persistentConnection")]),
        }
    }
}

impl Attributes {
    /// What differs from the defaults, as the JSON that a function is given; none if
    /// nothing does.
    #[must_use]
    pub fn differences(&self) -> Option<String> {
        let usual = Self::default().to_object();
        let mut differences = self.to_object();
        differences.retain(|field, sources| usual.get(field) != Some(sources));
        (!differences.is_empty()).then(|| Value::Object(differences).to_string())
    }

    fn to_object(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        }
    }
}

fn of_connect(attribute: &str) -> String {
    format!("{}:{attribute}", crate::schema::AMAZON_CONNECT)
}

/// Constants, which a test reads.
fn paths<T: AsRef<str>>(paths: impl IntoIterator<Item = T>) -> Sources {
    paths
        .into_iter()
        .filter_map(|path| path.as_ref().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_default_is_a_path() {
        let attributes = Attributes::default();
        let count = |sources: &Sources| sources.iter().count();
        assert_eq!(
            [
                count(&attributes.first_name),
                count(&attributes.last_name),
                count(&attributes.email),
                count(&attributes.mobile),
                count(&attributes.security_profiles),
                count(&attributes.fallback_security_profiles),
                count(&attributes.routing_profile),
                count(&attributes.hierarchy_group),
                count(&attributes.desk_phone_number),
                count(&attributes.auto_accept),
                count(&attributes.after_contact_work_seconds),
                count(&attributes.persistent_connection),
            ],
            [1, 1, 3, 1, 2, 1, 2, 1, 1, 1, 1, 1]
        );
    }

    #[test]
    fn only_what_differs_is_handed_over() {
        let read = |written: Value| -> Attributes { serde_json::from_value(written).unwrap() };
        assert_eq!(read(json!({})).differences(), None);
        assert_eq!(
            read(json!({"firstName": "name.givenName"})).differences(),
            None
        );
        let changed = read(json!({"routingProfile": ["userType", "roles"], "mobile": []}));
        let handed_over = changed.differences().unwrap();
        assert_eq!(
            handed_over,
            r#"{"mobile":[],"routingProfile":["userType","roles"]}"#
        );
        let arrived: Attributes = serde_json::from_str(&handed_over).unwrap();
        assert_eq!(arrived, changed);
    }
}

//! How a Connect user becomes a SCIM User: the way back from [`crate::mapping`].
//!
//! A user that is taken over must not change by that. So every field that SCIM decides
//! from then on is written into the attributes that feed it, as the environment has
//! them, and the facets in which SCIM has no say until an identity provider sends them
//! (hierarchy group, phone settings, proficiencies, tags) are left out.
//!
//! Not every mapping has a way back: nothing may feed a field, or one attribute two of
//! them. Such a resource does not map to the same user, which `changes` tells.

use std::collections::BTreeMap;

use connect_attributes::{Attributes, Sources};
use scim::Resource;
use serde_json::json;

use crate::{
    connect::{IdentityInfo, User},
    facet::{Facet, facets},
    mapping::IdentityManagement,
    profiles::Defaults,
    user::ConnectUser,
};

/// A profile of the user that the instance does not list.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the user has the {kind} {id}, which the Amazon Connect instance does not list; give it another one first"
)]
pub struct UnlistedProfile {
    kind: &'static str,
    id: String,
}

/// The profiles of a Connect user by name, as far as the resource names them.
pub struct NamedProfiles {
    /// Security profiles: id and name.
    pub security_profiles: Vec<(String, String)>,
    /// The routing profile; absent: the default.
    pub routing_profile: Option<String>,
}

impl NamedProfiles {
    /// All profiles of a user. `names` are those of the profiles, by id.
    ///
    /// # Errors
    /// When a profile of the user has no name.
    pub fn of(user: &User, names: &BTreeMap<String, String>) -> Result<Self, UnlistedProfile> {
        let name = |kind: &'static str, id: &String| {
            names.get(id).cloned().ok_or_else(|| UnlistedProfile {
                kind,
                id: id.clone(),
            })
        };
        let security_profiles = user
            .security_profile_ids
            .iter()
            .map(|id| Ok((id.clone(), name("security profile", id)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            security_profiles,
            routing_profile: Some(name("routing profile", &user.routing_profile_id)?),
        })
    }

    /// Leaves out what a user gets without naming it, so that it follows a changed default.
    pub fn leave_out_defaults(&mut self, defaults: &Defaults) {
        if self.is_only(&defaults.security_profile) {
            self.security_profiles.clear();
        }
        self.routing_profile
            .take_if(|name| *name == defaults.routing_profile);
    }

    /// Whether this security profile is the only one.
    pub fn is_only(&self, security_profile: &str) -> bool {
        matches!(&self.security_profiles[..], [(_, only)] if only == security_profile)
    }
}

/// The resource, in canonical form, that [`crate::mapping::map`] maps to this user with these
/// profiles, as far as there is one.
pub fn resource(
    user: &User,
    active: bool,
    profiles: &NamedProfiles,
    identity_management: IdentityManagement,
    attributes: &Attributes,
) -> Resource {
    let mut resource = Resource::from_iter([
        (
            "schemas".to_owned(),
            json!(["urn:ietf:params:scim:schemas:core:2.0:User"]),
        ),
        ("userName".to_owned(), json!(user.username)),
        ("active".to_owned(), json!(active)),
    ]);
    write_identity(
        &mut resource,
        &user.identity_info,
        identity_management,
        attributes,
    );
    let security_profiles = profiles.security_profiles.iter();
    let security_profiles: Vec<String> = security_profiles.map(|(_, name)| name.clone()).collect();
    if !security_profiles.is_empty() {
        attributes
            .security_profiles
            .write_names(&mut resource, &security_profiles);
    }
    if let Some(routing_profile) = &profiles.routing_profile {
        attributes
            .routing_profile
            .write(&mut resource, routing_profile);
    }
    resource
}

fn write_identity(
    resource: &mut Resource,
    identity: &IdentityInfo,
    identity_management: IdentityManagement,
    attributes: &Attributes,
) {
    let is_fed = |sources: &Sources| sources.iter().next().is_some();
    if !is_fed(&attributes.first_name) && !is_fed(&attributes.last_name) {
        // The mapping reads both from the whole name then.
        let names = [&identity.first_name, &identity.last_name];
        let whole: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        if !whole.is_empty() {
            resource.insert("displayName".to_owned(), json!(whole.join(" ")));
        }
    }
    let secondary_email = attributes.secondary_email.as_ref();
    let (email, secondary_email) = match identity_management {
        IdentityManagement::Saml => (None, Some(secondary_email.unwrap_or(&attributes.email))),
        IdentityManagement::ConnectManaged => (Some(&attributes.email), secondary_email),
    };
    for (sources, value) in [
        (Some(&attributes.first_name), &identity.first_name),
        (Some(&attributes.last_name), &identity.last_name),
        (email, &identity.email),
        (secondary_email, &identity.secondary_email),
        (Some(&attributes.mobile), &identity.mobile),
    ] {
        if let (Some(sources), Some(value)) = (sources, value) {
            sources.write(resource, value);
        }
    }
}

/// What taking a user over would change of it besides the tags, in words.
pub(crate) fn changes(
    desired: &ConnectUser,
    actual: &ConnectUser,
    names: &BTreeMap<String, String>,
) -> Vec<String> {
    let as_tagged = ConnectUser {
        tags: desired.tags.clone(),
        ..actual.clone()
    };
    facets(Some(desired), Some(&as_tagged), None, names)
        .into_iter()
        .filter(Facet::differs)
        .map(|facet| facet.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::mapping::{Grants, SecurityProfiles, map};

    fn user(identity_info: IdentityInfo) -> User {
        User {
            id: "a0".to_owned(),
            username: "ada@example.com".to_owned(),
            identity_info,
            phone_config: None,
            security_profile_ids: vec!["s1".to_owned(), "s2".to_owned()],
            routing_profile_id: "r1".to_owned(),
            hierarchy_group_id: Some("h1".to_owned()),
            tags: BTreeMap::new(),
        }
    }

    fn ada(email: Option<&str>, secondary_email: Option<&str>) -> IdentityInfo {
        IdentityInfo {
            first_name: Some("Ada".to_owned()),
            last_name: Some("King Lovelace".to_owned()),
            email: email.map(str::to_owned),
            secondary_email: secondary_email.map(str::to_owned),
            mobile: Some("+4930123456".to_owned()),
        }
    }

    fn names() -> BTreeMap<String, String> {
        [("s1", "Agent"), ("s2", "Quality Analyst"), ("r1", "Sales")]
            .map(|(id, name)| (id.to_owned(), name.to_owned()))
            .into()
    }

    fn attributes(written: Value) -> Attributes {
        serde_json::from_value(written).unwrap()
    }

    fn saml(user: &User, attributes: &Attributes) -> Resource {
        let profiles = NamedProfiles::of(user, &names()).unwrap();
        resource(user, true, &profiles, IdentityManagement::Saml, attributes)
    }

    #[test]
    fn the_resource_maps_back_to_the_same_connect_user() {
        let defaults = Attributes::default();
        let others = attributes(json!({
            "firstName": "nickName",
            "lastName": ["title", "name.formatted"],
            "email": "emails[type eq \"home\"].value",
            "secondaryEmail": "emails[type eq \"other\"]",
            "mobile": ["phoneNumbers[type eq \"work\"]", "phoneNumbers"],
            "securityProfiles": "roles",
            "routingProfile": ["userType", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division"],
        }));
        let whole_name = attributes(json!({"firstName": [], "lastName": []}));
        let managed = IdentityManagement::ConnectManaged;
        let saml = IdentityManagement::Saml;
        for (identity_management, identity, attributes) in [
            (saml, ada(None, Some("ada@example.org")), &defaults),
            (saml, ada(None, None), &defaults),
            (saml, ada(None, Some("ada@example.org")), &others),
            (saml, ada(None, Some("ada@example.org")), &whole_name),
            (managed, ada(Some("ada@example.org"), None), &defaults),
            (
                managed,
                ada(Some("ada@example.org"), Some("ada@example.net")),
                &others,
            ),
        ] {
            let mut user = user(identity.clone());
            if identity_management == managed {
                user.username = "ada".to_owned();
            }
            let profiles = NamedProfiles::of(&user, &names()).unwrap();
            let resource = resource(&user, true, &profiles, identity_management, attributes);
            let wanted = map(
                &resource,
                Grants::default(),
                identity_management,
                attributes,
            )
            .unwrap();
            assert_eq!(wanted.username, user.username);
            assert!(wanted.identity == identity, "{resource:?}");
            assert_eq!(
                wanted.security_profiles,
                SecurityProfiles::Named(vec!["Agent".to_owned(), "Quality Analyst".to_owned()])
            );
            assert_eq!(wanted.routing_profile.as_deref(), Some("Sales"));
            assert_eq!(wanted.hierarchy_group, None);
            assert!(wanted.phone.is_none());
        }
    }

    #[test]
    fn the_usual_mapping_makes_the_usual_resource() {
        let resource = saml(
            &user(ada(None, Some("ada@example.org"))),
            &Attributes::default(),
        );
        assert_eq!(
            Value::Object(resource),
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "ada@example.com",
                "active": true,
                "name": {"givenName": "Ada", "familyName": "King Lovelace"},
                "emails": [{"value": "ada@example.org", "type": "work", "primary": true}],
                "phoneNumbers": [{"value": "+4930123456", "type": "mobile"}],
                "entitlements": [{"value": "Agent"}, {"value": "Quality Analyst"}],
                "roles": [{"value": "Sales"}],
            })
        );
    }

    #[test]
    fn what_nothing_feeds_is_told_as_a_change() {
        let user = user(ada(None, None));
        let attributes = attributes(json!({"mobile": [], "securityProfiles": []}));
        let resource = saml(&user, &attributes);
        let wanted = map(
            &resource,
            Grants::default(),
            IdentityManagement::Saml,
            &attributes,
        )
        .unwrap();
        assert_eq!(wanted.security_profiles, SecurityProfiles::Default);
        let actual = crate::user::AppliedUser::seen(user).user;
        let desired = ConnectUser {
            identity: wanted.identity,
            hierarchy_group_id: None,
            security_profile_ids: ["s1".to_owned()].into(),
            tags: BTreeMap::from([("scim:id".to_owned(), "7".to_owned())]),
            ..actual.clone()
        };
        assert_eq!(
            changes(&desired, &actual, &names()),
            ["mobile", "security profiles"]
        );
    }

    #[test]
    fn a_profile_without_a_name_is_refused_by_id() {
        let mut user = user(IdentityInfo::default());
        user.security_profile_ids.push("gone".to_owned());
        let refused = NamedProfiles::of(&user, &names());
        assert_eq!(
            refused.err().unwrap().to_string(),
            "the user has the security profile gone, which the Amazon Connect instance does not list; give it another one first"
        );
    }

    #[test]
    fn what_the_defaults_give_is_not_named() {
        let defaults = |security_profile: &str, routing_profile: &str| Defaults {
            security_profile: security_profile.to_owned(),
            routing_profile: routing_profile.to_owned(),
            suspended_security_profile: None,
        };
        let agent = User {
            security_profile_ids: vec!["s1".to_owned()],
            ..user(IdentityInfo::default())
        };
        let both = user(IdentityInfo::default());
        for (user, defaults, security_profiles, routing_profile) in [
            (&agent, defaults("Agent", "Sales"), 0, None),
            (&agent, defaults("Admin", "Basic"), 1, Some("Sales")),
            // With the default and another one, each of them is named.
            (&both, defaults("Agent", "Sales"), 2, None),
        ] {
            let mut profiles = NamedProfiles::of(user, &names()).unwrap();
            profiles.leave_out_defaults(&defaults);
            assert_eq!(profiles.security_profiles.len(), security_profiles);
            assert_eq!(profiles.routing_profile.as_deref(), routing_profile);
            let attributes = Attributes::default();
            let resource = resource(user, true, &profiles, IdentityManagement::Saml, &attributes);
            assert_eq!(resource.contains_key("roles"), routing_profile.is_some());
            assert_eq!(resource.contains_key("entitlements"), security_profiles > 0);
        }
    }
}

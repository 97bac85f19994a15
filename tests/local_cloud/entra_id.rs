//! Microsoft Entra ID's requests in the order in which it sends them, through API
//! Gateway, in both of its PATCH dialects.
//!
//! Source: <https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups>
//! and <https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility>.

use serde_json::{Value, json};

use crate::deploy::connect_users;
use crate::endpoint::{Answer, Endpoint};
use crate::project::Project;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const USER_NAME: &str = "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1";
const EXTERNAL_ID: &str = "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef";

/// The flag that an administrator appends to the tenant URL for the newer dialect.
const FLAG: &str = "?aadOptscim062020";

/// A user as Entra ID creates one: what has no value in the directory may come as null.
fn user(user_name: &str, external_id: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": external_id,
        "userName": user_name,
        "active": true,
        "addresses": null,
        "displayName": null,
        "emails": [{"primary": true, "type": "work", "value": "test.user@example.com"}],
        "meta": {"resourceType": "User"},
        "name": {
            "formatted": "givenName familyName",
            "familyName": "familyName",
            "givenName": "givenName"
        },
        "phoneNumbers": null,
        "roles": [],
        "title": null,
        ENTERPRISE: {"department": null, "employeeNumber": null}
    })
}

struct EntraId {
    project: Project,
    scim: Endpoint,
}

impl EntraId {
    fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations
        });
        self.scim.patch(path, &body).expect(200)
    }

    /// The Connect user of a SCIM id.
    fn in_connect(&self, id: &str) -> Option<Value> {
        let users = connect_users(&self.project);
        users.into_iter().find(|user| user["Tags"]["scim:id"] == id)
    }

    fn security_profiles(&self, id: &str) -> Value {
        self.in_connect(id).unwrap()["SecurityProfileIds"].clone()
    }

    /// As Entra ID looks a group up: without its members, by name.
    fn group_id(&self, name: &str) -> String {
        let filter = format!("displayName eq \"{name}\"");
        let found = self
            .scim
            .find("/Groups?excludedAttributes=members", &filter);
        assert_eq!(found.resources().len(), 1, "{:#}", found.body);
        assert_eq!(found.resources()[0]["members"], Value::Null);
        found.resources()[0]["id"].as_str().unwrap().to_owned()
    }

    /// Entra ID's test whether a reference is there already.
    fn is_referenced(&self, path: &str, id: &str, attribute: &str, value: &str) -> bool {
        let filter = format!("id eq \"{id}\" and {attribute} eq \"{value}\"");
        !self.scim.find(path, &filter).resources().is_empty()
    }
}

#[test]
fn entra_id_is_served_from_the_connection_test_to_the_hard_delete() {
    let project = Project::new();
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let scim = Endpoint::of(&project);
    let entra = EntraId { project, scim };

    test_connection(&entra.scim);
    let id = create(&entra);
    update_in_the_first_dialect(&entra, &id);
    update_in_the_newer_dialect(&entra, &id);
    provision_a_group(&entra, &id);
    delete(&entra, &id);
}

/// "Test Connection": nobody has this name, and that must be a list, not 404.
fn test_connection(scim: &Endpoint) {
    let nobody = scim.find(
        "/Users",
        r#"userName eq "8b8a0b5c-5b0c-4d9e-9a39-6a3a7c2d9d11""#,
    );
    assert!(nobody.content_type.starts_with("application/scim+json"));
    assert!(nobody.resources().is_empty());
    let nothing = scim.find(
        "/Groups?excludedAttributes=members",
        r#"displayName eq "7c0f1d3e-2b1a-4c55-8f0e-0d9f2a4b6c88""#,
    );
    assert!(nothing.resources().is_empty());
}

fn create(entra: &EntraId) -> String {
    let scim = &entra.scim;
    let by_external_id = format!("externalId eq \"{EXTERNAL_ID}\"");
    assert!(scim.find("/Users", &by_external_id).resources().is_empty());

    let created = scim
        .post("/Users", &user(USER_NAME, EXTERNAL_ID))
        .expect(201);
    let id = created.id();
    assert_eq!(created.body["userName"], USER_NAME);
    assert_eq!(created.body["title"], Value::Null);
    assert_eq!(created.body["meta"]["resourceType"], "User");

    for filter in [by_external_id, format!("userName eq \"{USER_NAME}\"")] {
        let found = scim.find("/Users", &filter);
        assert_eq!(found.resources().len(), 1, "{filter}");
        assert_eq!(found.resources()[0]["id"], id.as_str());
    }
    scim.post("/Users", &user(USER_NAME, EXTERNAL_ID))
        .expect_scim_error(409);

    let connect = entra.in_connect(&id).unwrap();
    assert_eq!(connect["Username"], USER_NAME);
    assert_eq!(connect["Tags"]["scim:external-id"], EXTERNAL_ID);
    assert_eq!(
        entra.security_profiles(&id),
        json!([entra.group_id("Agent")])
    );
    id
}

/// Without the flag: capital operations, one per attribute, booleans as strings.
fn update_in_the_first_dialect(entra: &EntraId, id: &str) {
    let path = format!("/Users/{id}");
    let updated = entra.patch(
        &path,
        json!([
            {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "updated@example.com"},
            {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
            {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+493012345"},
            {"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Sales"},
            {"op": "Add", "path": format!("{ENTERPRISE}:employeeNumber"), "value": "4711"},
            {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "QualityAnalyst,CallCenterManager"}
        ]),
    );
    assert_eq!(updated.body["emails"][0]["value"], "updated@example.com");
    assert_eq!(updated.body["phoneNumbers"][0]["type"], "mobile");
    assert_eq!(updated.body["roles"][0]["value"], "Sales");
    assert_eq!(updated.body[ENTERPRISE]["employeeNumber"], "4711");

    let connect = entra.in_connect(id).unwrap();
    assert_eq!(
        connect["IdentityInfo"],
        json!({
            "FirstName": "givenName",
            "LastName": "updatedFamilyName",
            "SecondaryEmail": "updated@example.com",
            "Mobile": "+493012345"
        })
    );
    let mut profiles = vec![
        entra.group_id("CallCenterManager"),
        entra.group_id("QualityAnalyst"),
    ];
    profiles.sort_unstable();
    assert_eq!(connect["SecurityProfileIds"], json!(profiles));

    let disabled = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    assert_eq!(entra.patch(&path, disabled).body["active"], false);
    assert_eq!(entra.in_connect(id), None);
    let found = entra
        .scim
        .find("/Users", &format!("userName eq \"{USER_NAME}\""));
    assert_eq!(found.resources()[0]["active"], false);
    let enabled = json!([{"op": "Replace", "path": "active", "value": "True"}]);
    assert_eq!(entra.patch(&path, enabled).body["active"], true);
    assert_eq!(entra.security_profiles(id), json!(profiles));
}

/// With the flag: one operation without a path, dotted and qualified names as its keys.
fn update_in_the_newer_dialect(entra: &EntraId, id: &str) {
    let path = format!("/Users/{id}{FLAG}");
    let employee_number = format!("{ENTERPRISE}:employeeNumber");
    let updated = entra.patch(
        &path,
        json!([{
            "op": "replace",
            "value": {
                "displayName": "Bjfe",
                "name.givenName": "Kkom",
                "name.familyName": "Unua",
                "emails[type eq \"work\"].value": "new@example.com",
                (employee_number): "0815",
                "active": true
            }
        }]),
    );
    assert_eq!(updated.body["name"]["givenName"], "Kkom");
    assert_eq!(updated.body[ENTERPRISE]["employeeNumber"], "0815");
    let identity = &entra.in_connect(id).unwrap()["IdentityInfo"];
    assert_eq!(identity["FirstName"], "Kkom");
    assert_eq!(identity["LastName"], "Unua");
    assert_eq!(identity["SecondaryEmail"], "new@example.com");

    entra.patch(
        &path,
        json!([{"op": "remove", "path": format!("{ENTERPRISE}:department")}]),
    );
    assert_eq!(
        entra.security_profiles(id),
        json!([entra.group_id("Agent")])
    );
    entra.patch(
        &path,
        json!([{"op": "replace", "path": "active", "value": false}]),
    );
    assert_eq!(entra.in_connect(id), None);
    entra.patch(
        &path,
        json!([{"op": "replace", "path": "active", "value": true}]),
    );
    assert!(entra.in_connect(id).is_some());
}

fn provision_a_group(entra: &EntraId, id: &str) {
    let scim = &entra.scim;
    let other = "5d2a1f0e-3c4b-4a59-9e8d-7f6a5b4c3d2e";
    let other = scim
        .post("/Users", &user("second.user", other))
        .expect(201)
        .id();

    let manager =
        json!([{"op": "Add", "path": "manager", "value": [{"$ref": null, "value": other}]}]);
    entra.patch(&format!("/Users/{id}"), manager);
    assert!(entra.is_referenced("/Users", id, "manager", &other));
    assert!(!entra.is_referenced("/Users", &other, "manager", id));

    let analyst = entra.group_id("QualityAnalyst");
    let group = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
        ],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "QualityAnalyst",
        "meta": {"resourceType": "Group"}
    });
    assert_eq!(scim.post("/Groups", &group).expect(201).id(), analyst);
    scim.post("/Groups", &group).expect_scim_error(409);

    let path = format!("/Groups/{analyst}");
    let members = "/Groups?excludedAttributes=members";
    assert!(!entra.is_referenced(members, &analyst, "members", id));
    entra.patch(
        &path,
        json!([{
            "op": "Add",
            "path": "members",
            "value": [{"$ref": null, "value": id}, {"$ref": null, "value": other}]
        }]),
    );
    for member in [id, &other] {
        assert!(entra.is_referenced(members, &analyst, "members", member));
        assert_eq!(entra.security_profiles(member), json!([analyst]));
    }

    // Who is enabled again is not added to the groups again: membership has to last.
    for (active, is_in_connect) in [("False", false), ("True", true)] {
        let operations = json!([{"op": "Replace", "path": "active", "value": active}]);
        entra.patch(&format!("/Users/{id}"), operations);
        assert_eq!(entra.in_connect(id).is_some(), is_in_connect);
        assert!(entra.is_referenced(members, &analyst, "members", id));
    }
    assert_eq!(entra.security_profiles(id), json!([analyst]));

    // Only the listed member goes.
    entra.patch(
        &path,
        json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": id}]}]),
    );
    assert!(!entra.is_referenced(members, &analyst, "members", id));
    assert!(entra.is_referenced(members, &analyst, "members", &other));
    assert_ne!(entra.security_profiles(id), json!([analyst]));
    let removal = format!("members[value eq \"{other}\"]");
    entra.patch(
        &format!("{path}{FLAG}"),
        json!([{"op": "remove", "path": removal}]),
    );
    let group = scim.get(&path).expect(200);
    assert_eq!(group.body["members"], Value::Null);
    assert_eq!(
        group.body["externalId"],
        "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"
    );
}

/// Thirty days after a user was deleted in the directory.
fn delete(entra: &EntraId, id: &str) {
    let path = format!("/Users/{id}");
    entra.scim.delete(&path).expect(204);
    assert_eq!(entra.in_connect(id), None);
    entra.scim.get(&path).expect_scim_error(404);
    entra.scim.delete(&path).expect_scim_error(404);
    let found = entra
        .scim
        .find("/Users", &format!("externalId eq \"{EXTERNAL_ID}\""));
    assert!(found.resources().is_empty());
}

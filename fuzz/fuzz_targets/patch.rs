//! Any document is a PATCH request or a SCIM error, and any request can be applied to a
//! user or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim::{patch::PatchRequest, schema::core};
use serde_json::json;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = serde_json::from_slice(bytes) else {
        return;
    };
    let Ok(patch) = PatchRequest::from_json(document) else {
        return;
    };
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1",
        "userName": "ada",
        "name": {"givenName": "Ada"},
        "active": true,
        "emails": [
            {"value": "ada@example.com", "type": "work", "primary": true},
            {"value": "ada@example.org", "type": "home"},
        ],
        "entitlements": [{"value": "Agent"}],
    });
    let user = user.as_object().expect("an object");
    let user_type = core::user();
    if let Ok(patched) = patch.apply(user, &user_type) {
        assert_eq!(
            patched.resource.get("id"),
            user.get("id"),
            "ids never change"
        );
        assert!(patched.changed || patched.resource == *user);
    }
});

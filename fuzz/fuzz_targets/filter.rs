//! Any text is a filter or a SCIM error; a filter prints as itself, and can be asked of
//! any user.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim::{filter::Filter, schema::core};
use serde_json::json;

fuzz_target!(|text: &str| {
    let Ok(filter) = text.parse::<Filter>() else {
        return;
    };
    let again: Filter = filter.to_string().parse().expect("it prints as a filter");
    assert_eq!(again, filter);
    let user = json!({
        "userName": "ada",
        "active": true,
        "emails": [{"value": "ada@example.com", "type": "work", "primary": true}],
        "meta": {"created": "2026-11-21T20:14:00.000Z"},
    });
    let user = user.as_object().expect("an object");
    let _ = filter.matches(user, &core::user());
});

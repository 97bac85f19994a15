//! Immutable attributes may be repeated in another spelling, and not be changed (RFC 7643
//! sections 2.2 and 7, RFC 7644 section 3.5.1).

use scim::bulk::{BulkRequest, BulkRun};
use scim::comparison::Comparison;
use scim::error::ScimType;
use scim::protocol::Operation;
use scim::resource::{Incoming, replace};
use scim::schema::{Attribute, AttributeType, Mutability, ResourceType, Schema, ServiceDefinition};
use serde_json::{Value, json};

use crate::service::{patch, resource};

const BADGE: &str = "urn:example:2.0:Badge";
const SITE: &str = "urn:example:2.0:Site";

fn immutable(attribute: Attribute) -> Attribute {
    attribute.mutability(Mutability::Immutable)
}

fn schema(id: &str, attributes: Vec<Attribute>) -> Schema {
    Schema {
        id: id.to_owned(),
        name: "Badge".to_owned(),
        description: "A badge".to_owned(),
        attributes,
        unsupported: Vec::new(),
    }
}

fn badge() -> ResourceType {
    let attributes = vec![
        immutable(Attribute::string("displayName")).compared(Comparison::Name),
        immutable(Attribute::string("colour")),
        immutable(Attribute::string("serial").case_exact()),
        immutable(Attribute::date_time("issued")),
        immutable(Attribute::new("weight", AttributeType::Decimal)),
        immutable(Attribute::boolean("metal")),
        immutable(Attribute::string("doors").multi_valued()),
        Attribute::complex(
            "holder",
            vec![
                immutable(Attribute::string("name")),
                Attribute::string("note"),
            ],
        ),
        Attribute::complex(
            "members",
            vec![
                immutable(Attribute::string("value").case_exact()),
                immutable(Attribute::string("type")),
                Attribute::string("note"),
            ],
        )
        .multi_valued(),
        Attribute::string("note"),
    ];
    ResourceType::new("Badge", "/Badges", schema(BADGE, attributes)).extended_by(schema(
        SITE,
        vec![
            immutable(Attribute::string("town")),
            Attribute::string("street"),
        ],
    ))
}

fn stored() -> Value {
    json!({
        "schemas": [BADGE, SITE],
        "id": "1",
        "displayName": "CallCenterManager",
        "colour": "Red",
        "serial": "aB",
        "issued": "2020-01-01T00:00:00Z",
        "weight": 5,
        "metal": true,
        "doors": ["North", "South"],
        "holder": {"name": "Rose", "note": "x"},
        "members": [{"value": "a", "type": "User", "note": "m"}],
        SITE: {"town": "Oslo", "street": "Main"},
    })
}

/// An attribute by its PATCH path, its place in a document, a repetition, and a change.
fn cases() -> Vec<(&'static str, Value, Value)> {
    vec![
        (
            "displayName",
            json!("callcentermanager"),
            json!("callcenter manager"),
        ),
        ("displayName", json!(" CALLCENTERMANAGER\t"), json!("Agent")),
        ("colour", json!("RED"), json!("red ")),
        ("serial", json!("aB"), json!("ab")),
        (
            "issued",
            json!("2020-01-01T01:00:00+01:00"),
            json!("2020-01-01T01:00:00Z"),
        ),
        ("weight", json!(5.0), json!(5.5)),
        ("metal", json!("True"), json!("False")),
        ("doors", json!(["SOUTH", "north"]), json!(["North"])),
        (
            "doors",
            json!(["North", "South"]),
            json!(["North", "South", "West"]),
        ),
        ("urn:example:2.0:Site:town", json!("OSLO"), json!("Bergen")),
        ("holder.name", json!("rose"), json!("Iris")),
    ]
}

/// A document of one attribute.
fn document(path: &str, value: &Value) -> Value {
    match path.split_once('.') {
        _ if path.starts_with(SITE) => json!({SITE: {"town": value}}),
        Some((attribute, part)) => json!({attribute: {part: value}}),
        None => json!({path: value}),
    }
}

fn is_mutability<T: std::fmt::Debug>(result: Result<T, scim::ScimError>, case: &str) {
    let error = result.expect_err(case);
    assert_eq!(error.scim_type, Some(ScimType::Mutability), "{case}");
    assert_eq!(error.status, 400, "{case}");
}

#[test]
fn a_patch_may_repeat_an_immutable_value_and_not_change_it() {
    for (path, repeated, changed) in cases() {
        for operator in ["add", "replace", "Replace"] {
            let by_path = |value: &Value| json!([{"op": operator, "path": path, "value": value}]);
            let whole = |value: &Value| json!([{"op": operator, "value": document(path, value)}]);
            for operations in [by_path(&repeated), whole(&repeated)] {
                let patched = patch(&stored(), operations, &badge()).expect(path);
                assert_eq!(Value::Object(patched.resource), stored(), "{path}");
                assert!(!patched.changed, "{path}");
            }
            if operator == "add" && path == "doors" && changed == json!(["North"]) {
                continue;
            }
            is_mutability(patch(&stored(), by_path(&changed), &badge()), path);
            is_mutability(patch(&stored(), whole(&changed), &badge()), path);
        }
        let removal = json!([{"op": "remove", "path": path}]);
        is_mutability(patch(&stored(), removal, &badge()), path);
        let null = json!([{"op": "replace", "path": path, "value": null}]);
        is_mutability(patch(&stored(), null, &badge()), path);
    }
}

#[test]
fn the_rest_of_a_patch_that_repeats_an_immutable_value_is_applied() {
    let operations = json!([
        {"op": "replace", "value": {"id": "1", "displayName": "callcentermanager"}},
        {"op": "add", "path": "members", "value": [{"value": "b"}]},
    ]);
    let patched = patch(&stored(), operations, &badge()).expect("accepted");
    assert_eq!(patched.resource["displayName"], "CallCenterManager");
    assert_eq!(patched.resource["members"][1]["value"], "b");
}

#[test]
fn a_replacement_may_repeat_an_immutable_value_and_not_change_it() {
    let service = ServiceDefinition::new(vec![badge()]);
    let put = |mut document: Value| {
        document["schemas"] = json!([BADGE]);
        let incoming = Incoming::from_json(document, &badge(), &service)?;
        replace(&resource(stored()), &incoming.resource, &badge()).map(Value::Object)
    };
    for (path, repeated, changed) in cases() {
        let mut sent = stored();
        sent["note"] = "new".into();
        let mut expected = sent.clone();
        for (name, value) in document(path, &repeated).as_object().expect("an object") {
            match (path.contains('.') && !path.starts_with("urn:"), value) {
                (true, value) => sent[name]["name"] = value["name"].clone(),
                (false, value) => sent[name] = value.clone(),
            }
        }
        if path.starts_with("urn:") {
            expected[SITE] = json!({"town": "Oslo"});
        }
        assert_eq!(put(sent).expect(path), expected, "{path}");
        is_mutability(put(document(path, &changed)), path);
    }
    // What is immutable and not sent stays; the rest goes.
    let expected = json!({
        "schemas": [BADGE, SITE],
        "id": "1",
        "displayName": "CallCenterManager",
        "colour": "Red",
        "serial": "aB",
        "issued": "2020-01-01T00:00:00Z",
        "weight": 5,
        "metal": true,
        "doors": ["North", "South"],
        SITE: {"town": "Oslo"},
    });
    assert_eq!(put(json!({})), Ok(expected));
    let kept = put(json!({"holder": {"note": "y"}})).expect("accepted");
    assert_eq!(kept["holder"], json!({"name": "Rose", "note": "y"}));
}

#[test]
fn a_bulk_request_may_repeat_an_immutable_value() {
    let service = ServiceDefinition::new(vec![badge()]);
    for (method, data, is_applied) in [
        (
            "PATCH",
            json!({"Operations": [{"op": "replace", "value": {"displayName": "callcentermanager"}}]}),
            true,
        ),
        (
            "PATCH",
            json!({"Operations": [{"op": "replace", "path": "displayName", "value": "Agent"}]}),
            false,
        ),
        (
            "PUT",
            json!({"schemas": [BADGE], "displayName": "callcentermanager "}),
            true,
        ),
        (
            "PUT",
            json!({"schemas": [BADGE], "displayName": "Agent"}),
            false,
        ),
    ] {
        let body = json!({
            "schemas": [scim::bulk::BULK_REQUEST_URN],
            "Operations": [{"method": method, "path": "/Badges/1", "data": data}],
        });
        let limits = service.bulk.expect("bulk");
        let bulk = BulkRequest::from_json(body, limits).expect("a bulk request");
        let mut run = BulkRun::new(&service, bulk, "https://example.com");
        let step = run.next_step().expect("an operation");
        let after = match &step.request.operation {
            Operation::Patch {
                resource_type,
                patch,
                ..
            } => patch
                .apply(&resource(stored()), resource_type)
                .map(|patched| patched.resource),
            Operation::Replace {
                resource_type,
                incoming,
                ..
            } => replace(&resource(stored()), &incoming.resource, resource_type),
            other => panic!("{other:?}"),
        };
        match after {
            Ok(after) if is_applied => assert_eq!(after["displayName"], "CallCenterManager"),
            after => is_mutability(after, method),
        }
    }
}

#[test]
fn sub_attributes_of_a_list_may_be_repeated_and_not_be_changed() {
    for operation in [
        json!({"op": "replace", "path": "members[value eq \"a\"].type", "value": "USER"}),
        json!({"op": "replace", "path": "members.type", "value": "user"}),
        json!({"op": "add", "path": "members[value eq \"a\"]", "value": {"value": "a", "type": "user"}}),
        json!({"op": "add", "path": "members", "value": [{"value": "a", "type": "user"}]}),
    ] {
        let patched = patch(&stored(), json!([operation]), &badge()).expect("accepted");
        assert_eq!(Value::Object(patched.resource), stored(), "{operation}");
    }
    for operation in [
        json!({"op": "replace", "path": "members[value eq \"a\"].type", "value": "Group"}),
        json!({"op": "replace", "path": "members.value", "value": "A"}),
        json!({"op": "add", "path": "members[value eq \"a\"]", "value": {"value": "b"}}),
        json!({"op": "remove", "path": "members[value eq \"a\"].type"}),
        json!({"op": "remove", "path": "members[value eq \"a\"].value"}),
    ] {
        let refused = patch(&stored(), json!([operation]), &badge());
        is_mutability(refused, &operation.to_string());
    }
    let operations =
        json!([{"op": "add", "path": "members", "value": [{"value": "a", "note": "n"}]}]);
    let patched = patch(&stored(), operations, &badge()).expect("accepted");
    let expected = json!([{"value": "a", "type": "User", "note": "n"}]);
    assert_eq!(patched.resource["members"], expected);
}

//! Whole resources (RFC 7643 section 2, RFC 7644 sections 3.3 and 3.5.1).

use scim::ScimType;
use scim::resource::{Incoming, replace};
use scim::schema::{
    Attribute, AttributeType, Mutability, ResourceType, Schema, ServiceDefinition, core,
};
use serde_json::{Value, json};

use crate::service::{resource, service};

const URN: &str = "urn:example:2.0:Thing";

fn things() -> ServiceDefinition {
    let schema = Schema {
        id: URN.to_owned(),
        name: "Thing".to_owned(),
        description: "A thing".to_owned(),
        attributes: vec![
            Attribute::integer("count"),
            Attribute::new("ratio", AttributeType::Decimal),
            Attribute::date_time("since"),
            Attribute::boolean("on"),
            Attribute::string("label").mutability(Mutability::Immutable),
            Attribute::string("tags").multi_valued(),
            Attribute::string("secret").mutability(Mutability::WriteOnly),
            Attribute::string("state").read_only(),
            Attribute::complex(
                "part",
                vec![
                    Attribute::string("name").required(),
                    Attribute::integer("size"),
                ],
            ),
        ],
        unsupported: Vec::new(),
    };
    ServiceDefinition::new(vec![ResourceType::new("Thing", "/Things", schema)])
}

fn thing(mut document: Value) -> Result<Value, scim::ScimError> {
    let service = things();
    document["schemas"] = json!([URN]);
    let incoming = Incoming::from_json(document, &service.resource_types[0], &service)?;
    let mut resource = Value::Object(incoming.resource);
    resource
        .as_object_mut()
        .expect("an object")
        .remove("schemas");
    Ok(resource)
}

#[test]
fn values_become_what_the_schema_says() {
    for (sent, expected) in [
        (
            json!({"count": "5", "ratio": "2.5", "on": "TRUE"}),
            json!({"count": 5, "ratio": 2.5, "on": true}),
        ),
        (
            json!({"count": 5.0, "label": "7", "tags": "x"}),
            json!({"count": 5, "label": "7", "tags": ["x"]}),
        ),
        (
            json!({"COUNT": 1, "Part": {"NAME": "a", "SIZE": "3"}}),
            json!({"count": 1, "part": {"name": "a", "size": 3}}),
        ),
        (
            json!({"tags": ["a", null, ""], "part": {}, "on": null, "since": ""}),
            json!({"tags": ["a"]}),
        ),
        (json!({"tags": [], "state": "x", "unknown": [1]}), json!({})),
        (
            json!({"label": ["a"], "since": "2020-01-01T00:00:00+02:00"}),
            json!({"label": "a", "since": "2020-01-01T00:00:00+02:00"}),
        ),
        (
            json!({"part.name": "a", format!("{URN}:count"): 3}),
            json!({"part": {"name": "a"}, "count": 3}),
        ),
        (json!({URN: {"count": 3}}), json!({"count": 3})),
    ] {
        assert_eq!(thing(sent.clone()), Ok(expected), "{sent}");
    }
}

#[test]
fn values_that_do_not_fit_are_named() {
    for (sent, detail) in [
        (json!({"count": "many"}), "count must be a whole number"),
        (json!({"count": 1.5}), "count must be a whole number"),
        (json!({"ratio": true}), "ratio must be a number"),
        (json!({"on": "perhaps"}), "on must be true or false"),
        (
            json!({"since": "yesterday"}),
            "since must be a dateTime such as 2008-01-23T04:56:22Z",
        ),
        (json!({"label": {"a": 1}}), "label must be text"),
        (json!({"label": true}), "label must be text"),
        (json!({"tags": ["a", 7]}), "tags[1] must be text"),
        (
            json!({"label": ["a", "b"]}),
            "label takes one value, not several",
        ),
        (json!({"tags": ["a", {"b": 1}]}), "tags[1] must be text"),
        (json!({"part": "x"}), "part must be an object"),
        (json!({"part": {"size": 1}}), "part.name is required"),
        (
            json!({"part": {"name": "a", "size": "x"}}),
            "part.size must be a whole number",
        ),
    ] {
        let error = thing(sent.clone()).expect_err("refused");
        assert_eq!(
            (error.scim_type, error.detail.as_str()),
            (Some(ScimType::InvalidValue), detail),
            "{sent}"
        );
    }
}

#[test]
fn required_attributes_are_required() {
    let service = service();
    let body = json!({"schemas": [core::USER_URN], "userName": ""});
    let error =
        Incoming::from_json(body, &service.resource_types[0], &service).expect_err("refused");
    insta::assert_snapshot!(error, @"400 invalidValue: userName is required");
}

#[test]
fn a_group_sent_to_the_users_is_refused() {
    let service = service();
    let body = json!({"schemas": [core::GROUP_URN], "userName": "a"});
    let error =
        Incoming::from_json(body, &service.resource_types[0], &service).expect_err("refused");
    insta::assert_snapshot!(error, @"400 invalidValue: schemas names a Group, but the address is that of a User");
}

#[test]
fn a_second_primary_value_is_refused() {
    let service = service();
    let body = json!({"schemas": [core::USER_URN], "userName": "a", "emails": [
        {"value": "a", "primary": true}, {"value": "b", "primary": "True"},
    ]});
    let error =
        Incoming::from_json(body, &service.resource_types[0], &service).expect_err("refused");
    insta::assert_snapshot!(error, @"400 invalidValue: emails has more than one primary value");
}

#[test]
fn a_put_keeps_what_the_client_may_not_write() {
    let service = things();
    let thing = &service.resource_types[0];
    let existing =
        resource(json!({"schemas": [URN], "id": "1", "state": "ok", "label": "x", "count": 1}));
    let replaced = |sent: Value| replace(&existing, &resource(sent), thing);
    assert_eq!(
        replaced(json!({"schemas": [URN], "on": true})).map(Value::Object),
        Ok(json!({"schemas": [URN], "id": "1", "state": "ok", "label": "x", "on": true}))
    );
    assert!(replaced(json!({"label": "x"})).is_ok());
    let error = replaced(json!({"label": "y"})).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::Mutability));
}

#[test]
fn discovery_describes_what_is_served() {
    use scim::schema::Discovery;

    let mut service = service();
    let user = &mut service.resource_types[0];
    user.schema = user.schema.clone().keep(&["userName", "emails"]);
    let document = service.discover(
        &Discovery::Schema(core::USER_URN.to_lowercase()),
        "https://example.com",
    );
    let document = document.expect("known");
    let names: Vec<&str> = document["attributes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|attribute| attribute["name"].as_str())
        .collect();
    assert_eq!(names, ["userName", "emails"]);
    insta::assert_json_snapshot!(document["attributes"][0], @r#"
    {
      "caseExact": false,
      "description": "The name by which the user signs in; unique without case.",
      "multiValued": false,
      "mutability": "readWrite",
      "name": "userName",
      "required": true,
      "returned": "default",
      "type": "string",
      "uniqueness": "server"
    }
    "#);
    let list = service
        .discover(&Discovery::Schemas, "https://example.com")
        .expect("known");
    let ids: Vec<&str> = list["Resources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|schema| schema["id"].as_str())
        .collect();
    let core = |name: &str| format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
    assert_eq!(
        ids,
        [
            core::USER_URN,
            core::GROUP_URN,
            core::ENTERPRISE_USER_URN,
            &core("ServiceProviderConfig"),
            &core("ResourceType"),
            &core("Schema"),
        ]
    );
    assert_eq!(list["totalResults"], 6);
    let types = service
        .discover(&Discovery::ResourceTypes, "https://example.com")
        .expect("known");
    assert_eq!(
        types["Resources"][0]["schemaExtensions"][0]["schema"],
        core::ENTERPRISE_USER_URN
    );
    assert_eq!(
        service
            .discover(&Discovery::Schema("urn:x".to_owned()), "")
            .expect_err("unknown")
            .status,
        404
    );
    assert_eq!(
        service
            .discover(&Discovery::ResourceType("X".to_owned()), "")
            .expect_err("unknown")
            .status,
        404
    );
}

#[test]
fn the_service_provider_config_announces_the_limits() {
    use scim::schema::Discovery;

    let config = service().discover(
        &Discovery::ServiceProviderConfig,
        "https://example.com/scim/v2",
    );
    insta::assert_json_snapshot!(config.expect("always there"), @r#"
    {
      "authenticationSchemes": [
        {
          "description": "A bearer token in the Authorization header",
          "name": "OAuth Bearer Token",
          "primary": true,
          "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
          "type": "oauthbearertoken"
        }
      ],
      "bulk": {
        "maxOperations": 100,
        "maxPayloadSize": 1048576,
        "supported": true
      },
      "changePassword": {
        "supported": false
      },
      "etag": {
        "supported": true
      },
      "filter": {
        "maxResults": 200,
        "supported": true
      },
      "meta": {
        "location": "https://example.com/scim/v2/ServiceProviderConfig",
        "resourceType": "ServiceProviderConfig"
      },
      "pagination": {
        "cursor": true,
        "defaultPageSize": 100,
        "defaultPaginationMethod": "index",
        "index": true,
        "maxPageSize": 200
      },
      "patch": {
        "supported": true
      },
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
      ],
      "sort": {
        "supported": true
      }
    }
    "#);
}

#[test]
fn a_body_names_the_schema_of_its_address() {
    let service = service();
    let posted = |schemas: Value| {
        let body = json!({"schemas": schemas, "userName": "a"});
        let incoming = Incoming::from_json(body, &service.resource_types[0], &service);
        incoming.map_err(|error| error.scim_type)
    };
    for schemas in [
        json!([core::USER_URN]),
        json!(core::USER_URN),
        json!([core::USER_URN.to_uppercase()]),
        json!(["urn:scim:schemas:core:1.0"]),
        json!([core::USER_URN, core::GROUP_URN]),
        json!([core::ENTERPRISE_USER_URN]),
        json!([1, core::USER_URN]),
    ] {
        assert!(posted(schemas.clone()).is_ok(), "{schemas}");
    }
    for (schemas, expected) in [
        (json!([core::GROUP_URN]), ScimType::InvalidValue),
        (json!(core::GROUP_URN), ScimType::InvalidValue),
        (
            json!([core::GROUP_URN, core::ENTERPRISE_USER_URN]),
            ScimType::InvalidValue,
        ),
        (json!([]), ScimType::InvalidSyntax),
        (json!([1]), ScimType::InvalidSyntax),
        (json!(null), ScimType::InvalidSyntax),
        (json!({}), ScimType::InvalidSyntax),
    ] {
        assert_eq!(posted(schemas.clone()), Err(Some(expected)), "{schemas}");
    }
}

#[test]
fn required_attributes_of_an_extension_are_required_where_it_is_used() {
    let mut extended = core::user().extended_by(Schema {
        id: "urn:example:2.0:Badge".to_owned(),
        name: "Badge".to_owned(),
        description: "A badge".to_owned(),
        attributes: vec![
            Attribute::string("serial").required(),
            Attribute::string("colour"),
            Attribute::string("state").read_only().required(),
        ],
        unsupported: Vec::new(),
    });
    let posted = |user_type: &ResourceType, badge: Value| {
        let service = ServiceDefinition::new(vec![user_type.clone()]);
        let body =
            json!({"schemas": [core::USER_URN], "userName": "a", "urn:example:2.0:Badge": badge});
        Incoming::from_json(body, user_type, &service).map_err(|error| error.detail)
    };
    assert!(posted(&extended, json!(null)).is_ok());
    assert!(posted(&extended, json!({"serial": "1"})).is_ok());
    let missing = "urn:example:2.0:Badge:serial is required".to_owned();
    assert_eq!(posted(&extended, json!({"colour": "red"})), Err(missing));
    for extension in &mut extended.extensions {
        extension.required = extension.schema.id == "urn:example:2.0:Badge";
    }
    let missing = "urn:example:2.0:Badge is required".to_owned();
    assert_eq!(posted(&extended, json!(null)), Err(missing));
    assert!(posted(&extended, json!({"serial": "1"})).is_ok());
}

#[test]
fn what_a_service_leaves_out_is_ignored_and_what_nobody_has_is_not() {
    let mut user_type = core::user();
    user_type.schema = user_type
        .schema
        .keep(&["userName", "name.givenName", "emails"]);
    let urn = core::ENTERPRISE_USER_URN;
    user_type.extensions[0].schema = user_type.extensions[0].schema.clone().keep(&["department"]);
    for (path, is_left_out) in [
        ("title", true),
        ("TITLE", true),
        ("name.familyName", true),
        ("name.FAMILYNAME", true),
        ("name", false),
        ("name.givenName", false),
        ("name.unknown", false),
        ("userName", false),
        ("unknown", false),
        ("title.unknown", true),
        ("urn:ietf:params:scim:schemas:core:2.0:User:title", true),
        ("URN:ietf:params:scim:schemas:core:2.0:user:title", true),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", false),
        (&format!("{urn}:costCenter"), true),
        (&format!("{urn}:department"), false),
        (&format!("{urn}:title"), false),
        ("urn:example:2.0:Other:title", false),
    ] {
        let path = path.parse().expect("a path");
        assert_eq!(user_type.leaves_out(&path), is_left_out, "{path}");
    }
    let user = json!({"schemas": [core::USER_URN], "userName": "a"});
    let operations = json!([{"op": "replace", "path": "title", "value": "x"}]);
    let patched = crate::service::patch(&user, operations, &user_type).expect("ignored");
    assert!(!patched.changed);
}

#[test]
fn qualified_and_dotted_keys_write_what_a_client_may_write() {
    let service = service();
    let posted = |mut body: Value| {
        body["schemas"] = json!([core::USER_URN]);
        body["userName"] = "a".into();
        let incoming = Incoming::from_json(body, &service.resource_types[0], &service);
        let resource = incoming.expect("a user").resource;
        let added = resource.into_iter();
        Value::Object(added.filter(|(name, _)| name != "userName").collect())
    };
    let urn = core::ENTERPRISE_USER_URN;
    let core_only = json!({"schemas": [core::USER_URN]});
    for ignored in [
        json!({format!("{urn}:manager.displayName"): "x"}),
        json!({urn: {"manager": {"displayName": "x"}}}),
        json!({format!("{}:schemas", core::USER_URN): ["urn:x"]}),
        json!({"meta.version": "x"}),
        json!({"groups": [{"value": "g"}]}),
        json!({"id": "x"}),
        json!({"emails.value": "x"}),
    ] {
        assert_eq!(posted(ignored.clone()), core_only, "{ignored}");
    }
    let expected = json!({
        "schemas": [core::USER_URN, urn],
        "name": {"givenName": "Rose"},
        urn: {"manager": {"value": "9"}},
    });
    let sent = json!({"name.givenName": "Rose", format!("{urn}:manager.value"): "9"});
    assert_eq!(posted(sent), expected);
}

#[test]
fn debug_output_names_the_type_and_shows_no_value() {
    let service = service();
    let body = json!({"schemas": [core::USER_URN], "userName": "bjensen", "password": "s3cret"});
    let incoming = Incoming::from_json(body, &service.resource_types[0], &service).expect("a user");
    let operations = json!([{"op": "replace", "path": "title", "value": "bjensen"}]);
    let body = json!({"Operations": operations});
    let patch = scim::patch::PatchRequest::from_json(body).expect("a patch");
    let patched = patch
        .apply(&incoming.resource, &service.resource_types[0])
        .expect("patched");
    for (text, name) in [
        (format!("{incoming:?}"), "Incoming"),
        (format!("{patch:?}"), "PatchOperation"),
        (format!("{patched:?}"), "Patched"),
    ] {
        assert!(
            text.contains(name) && !text.contains("bjensen") && !text.contains("s3cret"),
            "{text}"
        );
    }
}

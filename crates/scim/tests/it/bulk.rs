//! Bulk requests (RFC 7644 section 3.7).

use scim::bulk::{BULK_REQUEST_URN, BulkRun};
use scim::protocol::{Body, HttpRequest, Operation, Request, Responder, Response};
use scim::schema::{ServiceDefinition, core};
use scim::{Resource, ScimError};
use serde_json::{Value, json};

use crate::service::{http, parsed, service};

/// An application that creates everything, and knows no resource but those.
struct Application<'s> {
    service: &'s ServiceDefinition,
    created: Vec<Resource>,
    log: Vec<String>,
}

impl Application<'_> {
    fn execute(&mut self, request: &Request<'_>) -> Response {
        let responder = Responder::new(
            self.service,
            &HttpRequest::default(),
            "https://example.com/v2",
        );
        self.log.push(request.operation.name().to_owned());
        match &request.operation {
            Operation::Create {
                resource_type,
                incoming,
            } => {
                let mut resource = incoming.resource.clone();
                resource.insert("id".to_owned(), format!("id{}", self.created.len()).into());
                self.created.push(resource.clone());
                responder.created(request, resource_type, &resource)
            }
            Operation::Delete { id, .. }
            | Operation::Patch { id, .. }
            | Operation::Replace { id, .. } => {
                match self
                    .created
                    .iter()
                    .any(|resource| resource["id"] == id.as_str())
                {
                    true => responder.deleted(),
                    false => responder.error(&ScimError::not_found("no such resource")),
                }
            }
            _ => panic!("not a bulk operation"),
        }
    }
}

fn run(operations: Value, fail_on_errors: Option<u32>) -> (Value, Vec<Resource>, Vec<String>) {
    let service = service();
    let mut body = json!({"schemas": [BULK_REQUEST_URN], "Operations": operations});
    if let Some(count) = fail_on_errors {
        body["failOnErrors"] = count.into();
    }
    let request = parsed(&service, "POST", "/Bulk", &body).expect("accepted");
    let Operation::Bulk(request) = request.operation else {
        panic!("a bulk request")
    };
    let mut application = Application {
        service: &service,
        created: Vec::new(),
        log: Vec::new(),
    };
    let mut run = BulkRun::new(&service, request, "https://example.com/v2/");
    while let Some(step) = run.next_step() {
        run.record(step.index, &application.execute(&step.request));
    }
    (run.finish(), application.created, application.log)
}

fn statuses(response: &Value) -> Vec<&str> {
    response["Operations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|result| result["status"].as_str())
        .collect()
}

fn user(bulk_id: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": {
        "schemas": [core::USER_URN], "userName": bulk_id,
    }})
}

fn group(bulk_id: &str, member: &str) -> Value {
    json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": {
        "schemas": [core::GROUP_URN], "displayName": bulk_id, "members": [{"type": "User", "value": member}],
    }})
}

#[test]
fn a_reference_becomes_the_id_whatever_the_order() {
    let (response, created, _) = run(json!([group("g", "bulkId:u"), user("u")]), None);
    assert_eq!(statuses(&response), ["201", "201"]);
    assert_eq!(created[0]["userName"], "u");
    assert_eq!(
        created[1]["members"],
        json!([{"type": "User", "value": "id0"}])
    );
    insta::assert_json_snapshot!(response["Operations"][0], @r#"
    {
      "bulkId": "g",
      "location": "https://example.com/v2/Groups/id1",
      "method": "POST",
      "status": "201"
    }
    "#);
}

#[test]
fn a_path_may_name_what_the_request_creates() {
    let operations = json!([
        {"method": "patch", "path": "/Users/bulkId:u", "data": {"Operations": [{"op": "remove", "path": "title"}]}},
        user("u"),
        {"method": "DELETE", "path": "/scim/v2/Users/bulkId:u"},
    ]);
    let (response, _, log) = run(operations, None);
    assert_eq!(statuses(&response), ["204", "201", "204"]);
    assert_eq!(log, ["create", "patch", "delete"]);
    assert_eq!(
        response["Operations"][0]["location"],
        "https://example.com/v2/Users/id0"
    );
}

#[test]
fn operations_that_wait_for_each_other_conflict() {
    let (response, created, _) = run(
        json!([group("a", "bulkId:b"), group("b", "bulkId:a"), user("u")]),
        None,
    );
    assert_eq!(statuses(&response), ["409", "409", "201"]);
    assert_eq!(created.len(), 1);
    let (response, ..) = run(json!([group("a", "bulkId:a")]), None);
    assert_eq!(statuses(&response), ["409"]);
}

#[test]
fn a_reference_to_what_failed_or_never_was() {
    let mut broken = user("u");
    broken["data"]["userName"] = Value::Null;
    let (response, ..) = run(
        json!([broken, group("g", "bulkId:u"), group("h", "bulkId:nobody")]),
        None,
    );
    assert_eq!(statuses(&response), ["400", "409", "400"]);
    assert_eq!(
        response["Operations"][0]["response"]["scimType"],
        "invalidValue"
    );
    assert_eq!(response["Operations"][0].get("location"), None);
}

#[test]
fn failing_operations_do_not_stop_the_others() {
    let operations = json!([
        {"method": "GET", "path": "/Users/1"},
        {"method": "POST", "path": "/Bulk", "data": {}},
        {"method": "POST", "path": "/Users/.search", "data": {}},
        {"method": "DELETE", "path": "/Users"},
        {"method": "DELETE", "path": "/Users/unknown"},
        {"path": "/Users"},
        {},
        user("u"),
    ]);
    let (response, ..) = run(operations, None);
    assert_eq!(
        statuses(&response),
        ["400", "400", "400", "405", "404", "400", "400", "201"]
    );
}

#[test]
fn fail_on_errors_stops_and_leaves_the_rest_out() {
    let delete = json!({"method": "DELETE", "path": "/Users/unknown"});
    let (response, created, _) = run(json!([delete, user("a"), delete, user("b")]), Some(2));
    assert_eq!(statuses(&response), ["404", "201", "404"]);
    assert_eq!(created.len(), 1);
}

#[test]
fn limits_are_enforced() {
    let mut service = service();
    service.bulk = Some(scim::schema::BulkLimits {
        max_operations: 1,
        max_payload_size: 500,
    });
    let body =
        |operations: Vec<Value>| json!({"schemas": [BULK_REQUEST_URN], "Operations": operations});
    assert!(parsed(&service, "POST", "/Bulk", &body(vec![user("a")])).is_ok());
    let error =
        parsed(&service, "POST", "/Bulk", &body(vec![user("a"), user("b")])).expect_err("refused");
    assert_eq!(error.status, 413);
    let error = parsed(
        &service,
        "POST",
        "/Bulk",
        &body(vec![user(&"x".repeat(500))]),
    )
    .expect_err("refused");
    assert_eq!(error.status, 413);
    let error = parsed(&service, "POST", "/Bulk", &json!({"Operations": []})).expect_err("refused");
    assert_eq!(error.status, 400);
    service.bulk = None;
    assert_eq!(
        parsed(&service, "POST", "/Bulk", &body(vec![]))
            .expect_err("refused")
            .status,
        501
    );
}

#[test]
fn versions_become_conditions() {
    let service = service();
    let mut delete = json!({"method": "DELETE", "path": "/Users/1"});
    delete["version"] = json!("W/\"3\"");
    let body = json!({"schemas": [BULK_REQUEST_URN], "Operations": [delete]});
    let sent = http("POST", "/Bulk", &body);
    let request = scim::protocol::parse(&service, &sent).expect("accepted");
    let Operation::Bulk(request) = request.operation else {
        panic!("a bulk request")
    };
    let step = BulkRun::new(&service, request, "")
        .next_step()
        .expect("a step");
    assert_eq!(
        step.request
            .preconditions
            .check_write("W/\"4\"")
            .map_err(|error| error.status),
        Err(412)
    );
}

#[test]
fn a_creation_that_failed_has_no_id_even_if_its_body_has_one() {
    let service = service();
    let operations = json!([
        user("u"),
        {"method": "DELETE", "path": "/Users/bulkId:u"},
    ]);
    let body = json!({"schemas": [BULK_REQUEST_URN], "Operations": operations});
    let request = parsed(&service, "POST", "/Bulk", &body).expect("accepted");
    let Operation::Bulk(request) = request.operation else {
        panic!("a bulk request")
    };
    let mut run = BulkRun::new(&service, request, "https://example.com/v2/");
    let step = run.next_step().expect("the creation");
    let failed = Response {
        status: 409,
        headers: Vec::new(),
        body: Some(Body::Json(json!({"id": "9", "status": "409"}))),
    };
    run.record(step.index, &failed);
    assert!(run.next_step().is_none());
    let response = run.finish();
    assert_eq!(statuses(&response), ["409", "409"]);
    let results = response["Operations"].as_array().expect("results");
    assert_eq!(results[0].get("location"), None);
    assert_eq!(results[0]["response"]["id"], "9");
    let detail = results[1]["response"]["detail"].as_str().expect("a detail");
    assert_eq!(detail, "the operation refers to one that failed");
}

#[test]
fn an_operation_waits_for_one_that_has_not_been_recorded() {
    let service = service();
    let operations = json!([user("u"), {"method": "DELETE", "path": "/Users/bulkId:u"}]);
    let body = json!({"schemas": [BULK_REQUEST_URN], "Operations": operations});
    let request = parsed(&service, "POST", "/Bulk", &body).expect("accepted");
    let Operation::Bulk(request) = request.operation else {
        panic!("a bulk request")
    };
    let mut run = BulkRun::new(&service, request, "https://example.com/v2/");
    let step = run.next_step().expect("the creation");
    assert!(run.next_step().is_none(), "the deletion waits");
    let created = Response {
        status: 201,
        headers: vec![
            ("Location", "https://example.com/v2/Users/a%20b".to_owned()),
            ("ETag", "W/\"1\"".to_owned()),
        ],
        body: Some(Body::Json(json!({"id": "a b"}))),
    };
    run.record(step.index, &created);
    run.record(99, &created);
    let step = run.next_step().expect("the deletion");
    let Operation::Delete { id, .. } = &step.request.operation else {
        panic!("a deletion")
    };
    assert_eq!(id, "a b");
    let deleted = Response {
        status: 204,
        headers: Vec::new(),
        body: None,
    };
    run.record(step.index, &deleted);
    assert!(run.next_step().is_none());
    let response = run.finish();
    let results = response["Operations"].as_array().expect("results");
    assert_eq!(results[0]["location"], "https://example.com/v2/Users/a%20b");
    assert_eq!(results[0]["version"], "W/\"1\"");
    assert_eq!(results[0].get("response"), None);
    assert_eq!(results[1]["location"], "https://example.com/v2/Users/a%20b");
    assert_eq!(results[1].get("version"), None);
}

#[test]
fn an_operation_that_is_not_one_of_a_resource_is_refused() {
    for (method, path, status) in [
        ("GET", "/Users/1", "400"),
        ("", "/Users", "400"),
        ("POST", "", "400"),
        ("POST", "/Bulk", "400"),
        ("POST", "/.search", "400"),
        ("POST", "/Users/.search", "400"),
        ("POST", "/Users/.SEARCH", "400"),
        ("DELETE", "/Schemas", "400"),
        ("DELETE", "/Users", "405"),
        ("DELETE", "/Users/1/2", "404"),
        ("PUT", "/Users", "405"),
    ] {
        let operation = json!({"method": method, "path": path, "data": {}});
        let (response, _, log) = run(json!([operation]), None);
        assert_eq!(statuses(&response), [status], "{method} {path}");
        assert_eq!(log, [""; 0]);
    }
    for operations in [json!(null), json!({}), json!("x")] {
        let service = service();
        let body = json!({"schemas": [BULK_REQUEST_URN], "Operations": operations});
        assert!(parsed(&service, "POST", "/Bulk", &body).is_err());
    }
    let service = service();
    let body = json!({"schemas": [BULK_REQUEST_URN], "Operations": ["x"]});
    assert!(parsed(&service, "POST", "/Bulk", &body).is_err());
}

#[test]
fn the_number_of_errors_is_a_whole_number_from_one() {
    let failing = || json!({"method": "DELETE", "path": "/Users/unknown"});
    for (sent, ran) in [
        (json!(null), 3),
        (json!(0), 1),
        (json!(1), 1),
        (json!("2"), 2),
        (json!(3), 3),
        (json!(9), 3),
    ] {
        let service = service();
        let body = json!({
            "schemas": [BULK_REQUEST_URN],
            "failOnErrors": sent,
            "Operations": [failing(), failing(), failing()],
        });
        let request = parsed(&service, "POST", "/Bulk", &body).expect("accepted");
        let Operation::Bulk(request) = request.operation else {
            panic!("a bulk request")
        };
        let mut run = BulkRun::new(&service, request, "");
        let mut count = 0;
        while let Some(step) = run.next_step() {
            count += 1;
            let missing = Response {
                status: 400,
                headers: Vec::new(),
                body: None,
            };
            run.record(step.index, &missing);
        }
        assert_eq!(count, ran, "{sent}");
    }
    let service = service();
    for sent in [json!("many"), json!(-1), json!(1.5), json!([])] {
        let body = json!({"schemas": [BULK_REQUEST_URN], "failOnErrors": sent, "Operations": []});
        assert!(parsed(&service, "POST", "/Bulk", &body).is_err(), "{sent}");
    }
}

//! Responses fit into what a gateway carries (RFC 7644 section 3.4.2.4).

use scim::ScimType;
use scim::list::{ListQuery, Page, Paging};
use scim::protocol::{Operation, Request, Responder, Response};
use scim::schema::{ResourceType, ServiceDefinition, core};
use serde_json::{Value, json};

use crate::service::{http, parsed, resource, service};

const LIMIT: usize = 20_000;

fn small() -> ServiceDefinition {
    let mut service = service();
    service.max_response_size = LIMIT;
    service
}

/// The bytes of a response as a text in JSON.
fn size(response: &Response) -> usize {
    let text = response.clone().into_text().unwrap_or_default();
    json!(text).to_string().len() - 2
}

fn responder(service: &ServiceDefinition) -> Responder<'_> {
    Responder::new(
        service,
        &http("GET", "/Users", &Value::Null),
        "https://example.com/v2",
    )
}

fn query(service: &ServiceDefinition, target: &str) -> ListQuery {
    let request = parsed(service, "GET", target, &Value::Null).expect("accepted");
    match request.operation {
        Operation::List { query, .. } => query,
        other => panic!("{other:?}"),
    }
}

fn user(number: usize, title: &str) -> scim::Resource {
    resource(
        json!({"schemas": [core::USER_URN], "id": number.to_string(), "userName": format!("u{number}"), "title": title}),
    )
}

/// The ids of all pages, which begin with the one at `target`.
fn ids_of_all_pages(
    service: &ServiceDefinition,
    users: &[(&ResourceType, scim::Resource)],
    by_cursor: bool,
) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let target = if by_cursor {
            format!("/Users?count=50&cursor={cursor}")
        } else {
            format!("/Users?count=50&startIndex={}", ids.len() + 1)
        };
        let query = query(service, &target);
        let page = Page::select(&query, users.iter().cloned()).expect("a page");
        let response = responder(service).list(&query, page);
        assert_eq!(response.status, 200);
        assert!(size(&response) <= LIMIT, "{}", size(&response));
        let body = response.json().expect("a body");
        let shown = body["Resources"].as_array().expect("resources");
        assert!(!shown.is_empty());
        assert_eq!(body["itemsPerPage"], shown.len());
        assert_eq!(body["totalResults"], users.len());
        ids.extend(
            shown
                .iter()
                .map(|user| user["id"].as_str().expect("an id").to_owned()),
        );
        if ids.len() >= users.len() {
            assert_eq!(body.get("nextCursor"), None);
            return ids;
        }
        if by_cursor {
            body["nextCursor"]
                .as_str()
                .expect("a cursor")
                .clone_into(&mut cursor);
        }
    }
}

#[test]
fn pages_that_would_be_too_large_end_early_and_lose_nobody() {
    let service = small();
    let users: Vec<_> = (0..30)
        .map(|number| {
            (
                &service.resource_types[0],
                user(number, &"\"\\x".repeat(700)),
            )
        })
        .collect();
    let all: Vec<String> = (0..30).map(|number: usize| number.to_string()).collect();
    assert_eq!(ids_of_all_pages(&service, &users, true), all);
    assert_eq!(ids_of_all_pages(&service, &users, false), all);
}

#[test]
fn attributes_that_are_not_shown_take_no_room() {
    let service = small();
    let users: Vec<_> = (0..10)
        .map(|number| {
            (
                &service.resource_types[0],
                user(number, &"x".repeat(10_000)),
            )
        })
        .collect();
    let query = query(&service, "/Users?excludedAttributes=title");
    let page = Page::select(&query, users).expect("a page");
    assert_eq!(page.resources.len(), 10);
}

#[test]
fn a_resource_that_is_too_large_is_an_error_of_its_own() {
    let service = small();
    let user_type = &service.resource_types[0];
    let query = query(&service, "/Users");
    let users = [
        (user_type, user(0, &"x".repeat(LIMIT))),
        (user_type, user(1, "")),
    ];
    let page = Page::select(&query, users).expect("a page");
    let response = responder(&service).list(&query, page);
    let body = response.json().expect("a body");
    assert_eq!(
        (response.status, &body["scimType"]),
        (400, &json!("tooMany"))
    );
    let detail = body["detail"].as_str().expect("a detail");
    assert!(detail.contains("excludedAttributes=members"), "{detail}");
}

/// The response with a user whose title makes it as large as the limit and `more`.
fn with_a_user(method: &str, more: usize) -> Response {
    let service = small();
    let (target, body) = match method {
        "POST" => (
            "/Users",
            json!({"schemas": [core::USER_URN], "userName": "a"}),
        ),
        "PUT" => (
            "/Users/1",
            json!({"schemas": [core::USER_URN], "userName": "a"}),
        ),
        "PATCH" => (
            "/Users/1",
            json!({"Operations": [{"op": "remove", "path": "title"}]}),
        ),
        _ => ("/Users/1", Value::Null),
    };
    let request: Request<'_> = parsed(&service, method, target, &body).expect("accepted");
    let responder = responder(&service);
    let respond = |user: &scim::Resource| match method {
        "POST" => responder.created(&request, &service.resource_types[0], user),
        "GET" => responder.found(&request, &service.resource_types[0], user),
        _ => responder.updated(&request, &service.resource_types[0], user),
    };
    let rest = size(&respond(&user(1, "x"))) - 1;
    respond(&user(1, &"x".repeat(LIMIT - rest + more)))
}

#[test]
fn a_single_resource_is_returned_up_to_the_limit() {
    for method in ["GET", "POST", "PUT", "PATCH"] {
        let response = with_a_user(method, 0);
        assert_eq!(size(&response), LIMIT, "{method}");
        assert_eq!(response.status, if method == "POST" { 201 } else { 200 });
    }
    let read = with_a_user("GET", 1);
    assert_eq!(read.status, 400);
    assert_eq!(
        read.json().expect("a body")["scimType"],
        ScimType::TooMany.as_str()
    );
    let patched = with_a_user("PATCH", 1);
    assert_eq!((patched.status, patched.body.is_none()), (204, true));
    assert_eq!(
        patched.header("Location"),
        Some("https://example.com/v2/Users/1")
    );
    for (method, status) in [("POST", 201), ("PUT", 200)] {
        let written = with_a_user(method, 1);
        let body = written.json().expect("a body");
        assert_eq!(written.status, status);
        assert_eq!(body["id"], "1");
        assert_eq!(body.get("title"), None);
    }
}

#[test]
fn a_written_list_is_returned_up_to_the_limit() {
    let service = small();
    let query = query(&service, "/Users");
    let list = |length: usize| {
        let page = Page {
            total_results: 1,
            ..Page::empty()
        };
        let user = format!("{{\"id\":\"{}\"}}", "x".repeat(length));
        responder(&service).written_list(&query, &page, &[user])
    };
    let rest = size(&list(1)) - 1;
    assert_eq!(list(LIMIT - rest).status, 200);
    assert_eq!(size(&list(LIMIT - rest)), LIMIT);
    assert_eq!(list(LIMIT - rest + 1).status, 400);
}

#[test]
fn a_budget_is_taken_up_to_its_end() {
    let query = query(&small(), "/Users");
    assert!(matches!(query.paging, Paging::Index { .. }));
    let room = LIMIT - 2048;
    let text = |length: usize| "x".repeat(length);
    let mut budget = query.budget();
    assert!(budget.take_written(&text(10)));
    assert!(budget.take_written(&text(room - 10)));
    assert!(!budget.take_written("x"));
    let mut budget = query.budget();
    assert!(budget.take_written("\"\\"));
    assert!(!budget.take_written(&text(room - 3)));
    let mut budget = query.budget();
    assert!(budget.take_written(&text(2 * LIMIT)));
    assert!(!budget.take_written("x"));
    let mut budget = query.budget();
    assert!(budget.take(&json!({"a": "b"})));
    // Thirteen bytes with their escapes, and the room for an address.
    assert!(budget.take_written(&text(room - 1024 - 13)));
    assert!(!budget.take_written("x"));
}

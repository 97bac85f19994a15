//! Each limit at its value and one above.

use scim::ScimType;
use scim::bulk::{BULK_REQUEST_URN, BulkRequest};
use scim::filter::Filter;
use scim::list::{ListQuery, Paging};
use scim::protocol::{HttpRequest, Operation, parse};
use scim::schema::{BulkLimits, core};
use serde_json::{Value, json};

use crate::service::{http, service};

/// The longest filter, in bytes, and the deepest one.
const FILTER_LENGTH: usize = 16 * 1024;
const FILTER_DEPTH: usize = 64;

fn is_filter(text: &str) -> bool {
    match text.parse::<Filter>() {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.scim_type, Some(ScimType::InvalidFilter));
            false
        }
    }
}

#[test]
fn filters_are_read_up_to_their_length() {
    let of_length = |length: usize| {
        let filter = format!("title eq \"{}\"", "x".repeat(length - 11));
        assert_eq!(filter.len(), length);
        filter
    };
    assert!(is_filter(&of_length(FILTER_LENGTH)));
    assert!(!is_filter(&of_length(FILTER_LENGTH + 1)));
}

#[test]
fn filters_nest_up_to_their_depth() {
    for (open, close) in [("(", ")"), ("not (", ")"), ("not ", ""), ("not", "")] {
        // `not` and its parenthesis are two levels.
        let levels = if open == "not (" { 2 } else { 1 };
        let nested = |depth: usize| {
            let spaced = if open == "not" { "not " } else { open };
            format!("{}title pr{}", spaced.repeat(depth), close.repeat(depth))
        };
        assert!(is_filter(&nested(FILTER_DEPTH / levels)), "{open}");
        assert!(!is_filter(&nested(FILTER_DEPTH / levels + 1)), "{open}");
    }
    let bracketed =
        |depth: usize| format!("emails[{}type pr{}]", "(".repeat(depth), ")".repeat(depth));
    assert!(is_filter(&bracketed(FILTER_DEPTH - 1)));
    assert!(!is_filter(&bracketed(FILTER_DEPTH)));
}

#[test]
fn expressions_side_by_side_do_not_nest() {
    for term in [
        "(title pr)",
        "not (title pr)",
        "emails[type pr]",
        "emails[(type pr)]",
    ] {
        let terms = vec![term; 2 * FILTER_DEPTH];
        assert!(is_filter(&terms.join(" and ")), "{term}");
        assert!(is_filter(&terms.join(" or ")), "{term}");
    }
    let terms = vec!["(type pr)"; 2 * FILTER_DEPTH].join(" or ");
    assert!(is_filter(&format!("emails[{terms}]")));
}

fn status(request: &HttpRequest, service: &scim::schema::ServiceDefinition) -> Option<u16> {
    parse(service, request).err().map(|error| error.status)
}

#[test]
fn bodies_are_read_up_to_their_size() {
    let mut service = service();
    let mut request = http(
        "POST",
        "/Users",
        &json!({"schemas": [core::USER_URN], "userName": "a"}),
    );
    service.max_body_size = request.body.len();
    assert_eq!(status(&request, &service), None);
    request.body.push(b' ');
    assert_eq!(status(&request, &service), Some(413));
    let bulk = json!({"schemas": [BULK_REQUEST_URN], "Operations": []});
    let mut request = http("POST", "/Bulk", &bulk);
    let mut limits = service.bulk.expect("bulk");
    limits.max_payload_size = request.body.len();
    service.bulk = Some(limits);
    service.max_body_size = 1;
    assert_eq!(status(&request, &service), None);
    request.body.push(b' ');
    assert_eq!(status(&request, &service), Some(413));
    service.bulk = None;
    service.max_body_size = request.body.len();
    assert_eq!(status(&request, &service), Some(501));
}

#[test]
fn bodies_nest_up_to_their_depth() {
    let mut service = service();
    service.max_body_depth = 3;
    for (value, is_read) in [
        (json!([[1]]), true),
        (json!([{"a": 1}]), true),
        (json!([[[1]]]), false),
        (json!({"a": {"b": {}}}), false),
        (json!({"a": {"b": []}}), false),
    ] {
        let body = json!({"schemas": [core::USER_URN], "userName": "a", "unknown": value});
        let refused = parse(&service, &http("POST", "/Users", &body)).err();
        assert_eq!(refused.is_none(), is_read, "{body}");
        assert!(refused.is_none_or(|error| error.detail.contains("deeper than 3 levels")));
    }
}

#[test]
fn bulk_requests_are_read_up_to_their_operations() {
    let limits = BulkLimits {
        max_operations: 2,
        max_payload_size: 1000,
    };
    let request = |count: usize| {
        let operation = json!({"method": "DELETE", "path": "/Users/1"});
        let body = json!({"schemas": [BULK_REQUEST_URN], "Operations": vec![operation; count]});
        BulkRequest::from_json(body, limits)
    };
    assert_eq!(request(2).expect("accepted").operations.len(), 2);
    assert_eq!(request(3).expect_err("refused").status, 413);
}

#[test]
fn pages_have_up_to_the_largest_number_of_results() {
    let service = service();
    let user_type = &service.resource_types[0];
    let count = |count: Option<&str>, cursor: Option<&str>| {
        let parameters: Vec<(String, String)> = [("count", count), ("cursor", cursor)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let query = ListQuery::from_query(&parameters, &service, &[user_type]);
        query
            .map(|query| query.paging.count())
            .map_err(|error| error.scim_type)
    };
    for cursor in [None, Some("")] {
        assert_eq!(count(None, cursor), Ok(100));
        for (text, expected) in [
            ("0", 0),
            ("1", 1),
            ("199", 199),
            ("200", 200),
            ("201", 200),
            ("-1", 0),
            (" 5 ", 5),
            ("", 100),
        ] {
            assert_eq!(count(Some(text), cursor), Ok(expected), "{text}");
        }
    }
    assert_eq!(count(Some("x"), None), Err(Some(ScimType::InvalidValue)));
    assert_eq!(
        count(Some("x"), Some("")),
        Err(Some(ScimType::InvalidCount))
    );
    assert_eq!(count(Some("1.5"), None), Err(Some(ScimType::InvalidValue)));
}

#[test]
fn pages_begin_at_one() {
    let service = service();
    for (text, expected) in [("-1", 1), ("0", 1), ("1", 1), ("2", 2), ("", 1), (" 3 ", 3)] {
        let request = http("GET", &format!("/Users?startIndex={text}"), &Value::Null);
        let request = parse(&service, &request).expect("accepted");
        let Operation::List { query, .. } = request.operation else {
            panic!("not a list")
        };
        let Paging::Index { start_index, .. } = query.paging else {
            panic!("not by index")
        };
        assert_eq!(start_index, expected, "{text}");
    }
}

#[test]
fn patches_are_read_up_to_their_operations() {
    let mut service = service();
    assert_eq!(service.max_patch_operations, 5_000);
    service.max_patch_operations = 2;
    let request = |count: usize| {
        let operations = vec![json!({"op": "remove", "path": "title"}); count];
        http("PATCH", "/Users/1", &json!({"Operations": operations}))
    };
    assert_eq!(status(&request(2), &service), None);
    assert_eq!(status(&request(3), &service), Some(413));
}

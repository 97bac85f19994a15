//! Lists (RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865).

use scim::ScimType;
use scim::list::{ListQuery, Page, Paging};
use scim::path::AttributePath;
use scim::projection::Projection;
use scim::protocol::{Operation, Responder};
use scim::schema::{ResourceType, ServiceDefinition};
use serde_json::{Value, json};

use crate::service::{http, parsed, resource, service};

fn query(service: &ServiceDefinition, text: &str) -> ListQuery {
    let request =
        parsed(service, "GET", &format!("/Users?{text}"), &Value::Null).expect("accepted");
    let Operation::List { query, .. } = request.operation else {
        panic!("a list")
    };
    query
}

fn users(resource_type: &ResourceType, count: u32) -> Vec<(&ResourceType, scim::Resource)> {
    (0..count)
        .map(|number| {
            let name = format!("user{number:03}");
            let active = number % 2 == 0;
            (
                resource_type,
                resource(json!({"id": number.to_string(), "userName": name, "active": active})),
            )
        })
        .collect()
}

fn answer(service: &ServiceDefinition, text: &str) -> Value {
    let query = query(service, text);
    let page = Page::select(&query, users(&service.resource_types[0], 25)).expect("accepted");
    let responder = Responder::new(
        service,
        &http("GET", "/Users", &Value::Null),
        "https://example.com/v2/",
    );
    responder.list(&query, page).json().expect("a body").clone()
}

fn names(response: &Value) -> Vec<&str> {
    response["Resources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|user| user["userName"].as_str())
        .collect()
}

#[test]
fn a_page_is_a_list_response() {
    insta::assert_json_snapshot!(answer(&service(), "startIndex=25&count=10&attributes=userName"), @r#"
    {
      "Resources": [
        {
          "id": "24",
          "meta": {
            "location": "https://example.com/v2/Users/24",
            "resourceType": "User"
          },
          "userName": "user024"
        }
      ],
      "itemsPerPage": 1,
      "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:ListResponse"
      ],
      "startIndex": 25,
      "totalResults": 25
    }
    "#);
}

#[test]
fn start_index_and_count_are_brought_into_range() {
    let service = service();
    for (text, start_index, count) in [
        ("", 1, 100),
        ("startIndex=0&count=-5", 1, 0),
        ("startIndex=-7", 1, 100),
        ("count=0", 1, 0),
        ("count=100000", 1, 200),
        ("startIndex=1000&count=5", 1000, 5),
        ("STARTINDEX=3&Count=4", 3, 4),
        ("startIndex=&count=", 1, 100),
    ] {
        assert_eq!(
            query(&service, text).paging,
            Paging::Index { start_index, count },
            "{text}"
        );
    }
    for text in ["startIndex=x", "count=x", "count=1.5"] {
        let error =
            parsed(&service, "GET", &format!("/Users?{text}"), &Value::Null).expect_err(text);
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{text}");
    }
}

#[test]
fn a_page_past_the_end_is_empty_and_echoes_its_start() {
    let response = answer(&service(), "startIndex=1000");
    assert_eq!(
        (&response["startIndex"], &response["totalResults"]),
        (&json!(1000), &json!(25))
    );
    assert_eq!(response["Resources"], json!([]));
}

#[test]
fn a_count_of_zero_asks_for_the_total() {
    let response = answer(&service(), "count=0&filter=active%20eq%20true");
    assert_eq!(
        (&response["totalResults"], &response["itemsPerPage"]),
        (&json!(13), &json!(0))
    );
}

#[test]
fn cursors_lead_through_all_pages_once() {
    let service = service();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let response = answer(
            &service,
            &format!("filter=active+eq+true&count=5&cursor={cursor}"),
        );
        assert_eq!(response.get("startIndex"), None);
        seen.extend(names(&response).into_iter().map(str::to_owned));
        match response.get("nextCursor").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen.len(), 13);
    assert!(seen.is_sorted());
}

#[test]
fn a_cursor_of_another_query_is_refused() {
    let service = service();
    let cursor = query(&service, "filter=active+eq+true&cursor=").cursor_at("10");
    let same = query(&service, &format!("filter=active+eq+true&cursor={cursor}"));
    assert_eq!(same.position(), Ok(Some("10".to_owned())));
    for text in [
        format!("cursor={cursor}"),
        "cursor=x".to_owned(),
        format!("filter=active+eq+true&cursor={cursor}x"),
    ] {
        let error = query(&service, &text).position().expect_err("refused");
        assert_eq!(
            (error.status, error.scim_type),
            (400, Some(ScimType::InvalidCursor))
        );
    }
    let error =
        parsed(&service, "GET", "/Users?cursor=&count=x", &Value::Null).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::InvalidCount));
}

#[test]
fn results_are_sorted_by_type_and_case_rule() {
    let service = service();
    let user_type = &service.resource_types[0];
    let candidates = || {
        [
            json!({"userName": "b", "emails": [{"value": "z"}, {"value": "A", "primary": true}]}),
            json!({"userName": "C", "active": true, "emails": [{"value": "b"}]}),
            json!({"userName": "a", "meta": {"created": "2020-01-01T01:00:00+02:00"}}),
            json!({"userName": "D", "active": false, "meta": {"created": "2019-12-31T23:30:00Z"}}),
        ]
        .map(|user| (user_type, resource(user)))
    };
    for (text, expected) in [
        ("sortBy=userName", "abCD"),
        ("sortBy=username&sortOrder=Descending", "DCba"),
        ("sortBy=emails", "bCaD"),
        ("sortBy=emails.value&sortOrder=descending", "aDCb"),
        ("sortBy=active", "DCba"),
        ("sortBy=meta.created", "aDbC"),
        ("sortBy=unknown", "bCaD"),
        ("sortBy=", "bCaD"),
    ] {
        let page = Page::select(&query(&service, text), candidates()).expect("accepted");
        let order: String = page
            .resources
            .iter()
            .filter_map(|(_, user)| user["userName"].as_str())
            .collect();
        assert_eq!(order, expected, "{text}");
    }
    let error = parsed(&service, "GET", "/Users?sortBy=a%20b", &Value::Null).expect_err("refused");
    assert_eq!(error.scim_type, Some(ScimType::InvalidPath));
}

#[test]
fn a_search_at_the_root_looks_at_all_types() {
    let service = service();
    let body = json!({
        "schemas": [scim::list::SEARCH_REQUEST_URN],
        "filter": "meta.resourceType eq \"Group\" or userName eq \"a\"",
        "attributes": ["displayName", "userName"],
        "startIndex": 1,
        "count": "10",
        "sortBy": "id",
    });
    let request = parsed(&service, "POST", "/.search", &body).expect("accepted");
    let Operation::List {
        resource_types,
        query,
    } = request.operation
    else {
        panic!("a list")
    };
    let candidates = vec![
        (
            resource_types[0],
            resource(json!({"id": "2", "userName": "a", "title": "x"})),
        ),
        (
            resource_types[0],
            resource(json!({"id": "3", "userName": "b"})),
        ),
        (
            resource_types[1],
            resource(json!({"id": "1", "displayName": "g", "meta": {"resourceType": "Group"}})),
        ),
    ];
    let page = Page::select(&query, candidates).expect("accepted");
    let ids: Vec<&str> = page
        .resources
        .iter()
        .filter_map(|(_, resource)| resource["id"].as_str())
        .collect();
    assert_eq!(ids, ["1", "2"]);
}

/// The error about a query of users.
fn refused(target: &str) -> scim::ScimError {
    let service = service();
    let refused = parsed(&service, "GET", target, &Value::Null);
    refused.expect_err(target)
}

#[test]
fn an_empty_filter_is_no_filter_and_asks_not_for_everybody() {
    for target in [
        "/Users?filter=",
        "/Users?filter=%20",
        "/Groups?filter=+%09",
        "/?filter=",
    ] {
        assert_eq!(
            refused(target).scim_type,
            Some(ScimType::InvalidFilter),
            "{target}"
        );
    }
    let service = service();
    for filter in [
        json!(""),
        json!(" "),
        json!(["a"]),
        json!({}),
        json!(true),
        json!(5),
    ] {
        for path in ["/Users/.search", "/.search"] {
            let body = json!({"filter": filter});
            let error = parsed(&service, "POST", path, &body).expect_err("refused");
            assert_eq!(error.scim_type, Some(ScimType::InvalidFilter), "{filter}");
        }
    }
    for body in [json!({"filter": null}), json!({})] {
        assert!(parsed(&service, "POST", "/Users/.search", &body).is_ok());
    }
}

#[test]
fn lists_of_names_may_come_in_several_parts() {
    let service = service();
    for method in ["GET", "PUT", "PATCH"] {
        let body = match method {
            "PUT" => json!({"schemas": [scim::schema::core::USER_URN], "userName": "a"}),
            "PATCH" => json!({"Operations": [{"op": "remove", "path": "title"}]}),
            _ => Value::Null,
        };
        let target = "/Users/1?excludedAttributes=name&excludedAttributes=title,emails&EXCLUDEDATTRIBUTES=active";
        let apart = parsed(&service, method, target, &body).expect("accepted");
        let target = "/Users/1?excludedAttributes=name,title,emails,active";
        let together = parsed(&service, method, target, &body).expect("accepted");
        assert_eq!(apart.projection, together.projection, "{method}");
    }
    assert_eq!(
        query(&service, "attributes=userName&attributes=name,title"),
        query(&service, "attributes=userName,name,title"),
    );
    let search = |body: Value| -> Result<ListQuery, scim::ScimError> {
        let request = parsed(&service, "POST", "/Users/.search", &body)?;
        match request.operation {
            Operation::List { query, .. } => Ok(query),
            other => panic!("{other:?}"),
        }
    };
    let wanted = query(
        &service,
        "attributes=userName,emails[type eq \"a,b\"],title",
    );
    let names = ["userName", "emails", "title"].map(AttributePath::attribute);
    assert_eq!(wanted.projection, Projection::Only(names.to_vec()));
    for attributes in [
        json!("userName,emails[type eq \"a,b\"],title"),
        json!(["userName", "emails[type eq \"a,b\"]", "title"]),
        json!([" userName , emails[type eq \"a,b\"]", "title", null, ""]),
    ] {
        let found = search(json!({"attributes": attributes})).expect("accepted");
        assert_eq!(found, wanted, "{attributes}");
    }
    for attributes in [json!(5), json!({}), json!(["a", 5]), json!(true)] {
        for name in ["attributes", "excludedAttributes"] {
            let error = search(json!({name: attributes})).expect_err("refused");
            assert_eq!(
                error.scim_type,
                Some(ScimType::InvalidValue),
                "{attributes}"
            );
        }
    }
}

#[test]
fn a_parameter_with_one_value_is_not_given_two() {
    for (parameters, scim_type) in [
        (
            "filter=title%20pr&filter=active%20pr",
            ScimType::InvalidFilter,
        ),
        ("filter=title%20pr&Filter=", ScimType::InvalidFilter),
        ("count=1&count=2", ScimType::InvalidValue),
        ("startIndex=1&startindex=2", ScimType::InvalidValue),
        ("sortBy=title&sortBy=userName", ScimType::InvalidValue),
        (
            "sortBy=title&sortOrder=ascending&sortOrder=descending",
            ScimType::InvalidValue,
        ),
        ("cursor=a&cursor=b", ScimType::InvalidCursor),
    ] {
        let error = refused(&format!("/Users?{parameters}"));
        assert_eq!(error.scim_type, Some(scim_type), "{parameters}");
        assert_eq!(error.status, 400);
    }
    let service = service();
    assert_eq!(
        query(&service, "count=5&COUNT=5"),
        query(&service, "count=5")
    );
    let body = json!({"count": 5, "Count": "5"});
    assert!(parsed(&service, "POST", "/Users/.search", &body).is_ok());
    for (name, value) in [
        ("count", json!(true)),
        ("count", json!([1])),
        ("startIndex", json!({})),
        ("sortBy", json!(["title"])),
        ("sortOrder", json!(false)),
    ] {
        let error = parsed(&service, "POST", "/Users/.search", &json!({name: value}));
        let error = error.expect_err("refused").scim_type;
        assert_eq!(error, Some(ScimType::InvalidValue), "{name}");
    }
}

#[test]
fn the_order_is_ascending_or_descending() {
    let service = service();
    let is_descending = |text: &str| query(&service, text).sort.expect("sorted").descending;
    for (order, expected) in [
        ("", false),
        ("ascending", false),
        ("Ascending", false),
        ("descending", true),
        ("DESCENDING", true),
    ] {
        assert_eq!(
            is_descending(&format!("sortBy=title&sortOrder={order}")),
            expected
        );
    }
    for order in ["desc", "up", "1"] {
        let error = refused(&format!("/Users?sortBy=title&sortOrder={order}"));
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{order}");
    }
}

#[test]
fn only_a_page_by_cursor_with_a_next_page_names_it() {
    let service = service();
    let next = |text: &str| answer(&service, text).get("nextCursor").cloned();
    assert!(next("count=24&cursor=").is_some());
    assert_eq!(next("count=25&cursor="), None);
    assert_eq!(next("count=26&cursor="), None);
    assert_eq!(next("count=0&cursor="), None);
    assert_eq!(next("count=5&cursor=&filter=title%20pr"), None);
    assert_eq!(next("count=5"), None);
    assert_eq!(next("count=5&startIndex=2"), None);
    let last = query(&service, "cursor=").cursor_at("20");
    assert!(next(&format!("count=4&cursor={last}")).is_some());
    assert_eq!(next(&format!("count=5&cursor={last}")), None);
    let end = query(&service, "cursor=").cursor_at("25");
    let response = answer(&service, &format!("count=5&cursor={end}"));
    assert_eq!(response.get("nextCursor"), None);
    assert_eq!(
        (
            response["totalResults"].as_u64(),
            response["itemsPerPage"].as_u64()
        ),
        (Some(25), Some(0))
    );
    assert_eq!(response.get("startIndex"), None);
    let past = query(&service, "cursor=").cursor_at("99999999999999999999999");
    let query = query(&service, &format!("cursor={past}"));
    let refused = Page::select(&query, users(&service.resource_types[0], 1));
    assert_eq!(
        refused.err().and_then(|error| error.scim_type),
        Some(ScimType::InvalidCursor)
    );
}

#[test]
fn an_empty_page_has_nothing_on_it() {
    let page = Page::empty();
    assert_eq!(
        (page.total_results, page.resources.len(), page.next_cursor),
        (0, 0, None)
    );
}

#[test]
fn a_service_without_cursors_or_sorting_ignores_them() {
    let mut service = service();
    service.pagination.cursor = false;
    service.sort = false;
    let query = query(&service, "cursor=anything&sortBy=title");
    assert!(matches!(
        query.paging,
        Paging::Index {
            start_index: 1,
            count: 100
        }
    ));
    assert_eq!(query.sort, None);
}

#[test]
fn the_default_page_is_not_larger_than_the_largest() {
    let mut service = service();
    service.pagination.max_page_size = 10;
    assert_eq!(query(&service, "").paging.count(), 10);
}

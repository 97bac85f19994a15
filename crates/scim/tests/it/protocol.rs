//! Addresses, methods, conditions and answers (RFC 7644 sections 3.2, 3.8, 3.12, 3.14).

use scim::ScimError;
use scim::etag;
use scim::protocol::{HttpRequest, Operation, Responder, parse};
use scim::schema::{Discovery, core};
use serde_json::{Value, json};

use crate::service::{http, parsed, resource, service, user_type};

fn name(method: &str, url: &str) -> String {
    let service = service();
    let request = parsed(&service, method, url, &Value::Null)
        .unwrap_or_else(|error| panic!("{url}: {error}"));
    format!("{:?}", request.operation)
}

#[test]
fn addresses_stand_under_three_prefixes_with_or_without_a_slash() {
    for prefix in ["", "/scim", "/scim/v2", "/SCIM/V2", "//scim//v2"] {
        assert_eq!(name("GET", &format!("{prefix}/Users")), "list(\"User\")");
        assert_eq!(name("GET", &format!("{prefix}/Users/")), "list(\"User\")");
        assert_eq!(
            name("GET", &format!("{prefix}/Groups/7/")),
            "get(\"Group\")"
        );
        assert_eq!(
            name("HEAD", &format!("{prefix}/Groups/7")),
            "get(\"Group\")"
        );
        assert_eq!(
            name("DELETE", &format!("{prefix}/users/7")),
            "delete(\"User\")"
        );
        assert_eq!(
            name("GET", &format!("{prefix}/ServiceProviderConfig")),
            "discovery(\"-\")"
        );
        assert_eq!(name("OPTIONS", &format!("{prefix}/Bulk")), "options(\"-\")");
    }
    assert_eq!(name("GET", "/"), "list(\"-\")");
    assert_eq!(name("GET", "/scim/v2"), "list(\"-\")");
}

#[test]
fn segments_are_decoded_once() {
    let service = service();
    for (path, expected) in [
        ("/Users/a%2Fb", "a/b"),
        ("/Users/a%252Fb", "a%2Fb"),
        ("/Users/%C3%A9+", "é+"),
        ("/Users/50%", "50%"),
    ] {
        let request = parsed(&service, "GET", path, &Value::Null).expect("accepted");
        let Operation::Get { id, .. } = request.operation else {
            panic!("a read")
        };
        assert_eq!(id, expected);
    }
    assert_eq!(
        parsed(&service, "GET", "/Users/%FF", &Value::Null)
            .expect_err("refused")
            .status,
        400
    );
    let request = parsed(
        &service,
        "GET",
        "/Schemas/urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Acore%3A2.0%3AUser",
        &Value::Null,
    );
    let Operation::Discovery(Discovery::Schema(urn)) = request.expect("accepted").operation else {
        panic!("a schema")
    };
    assert_eq!(urn, core::USER_URN);
}

#[test]
fn wrong_addresses_and_methods() {
    let service = service();
    for (method, url, status, allow) in [
        ("GET", "/Nothing", 404, None),
        ("GET", "/Users/1/2", 404, None),
        ("GET", "/Me", 501, None),
        ("PATCH", "/scim/v2/Me/", 501, None),
        ("PUT", "/Users", 405, Some("GET, HEAD, POST, OPTIONS")),
        (
            "POST",
            "/Users/1",
            405,
            Some("GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ),
        ("GET", "/Users/.search", 405, Some("POST, OPTIONS")),
        ("GET", "/.search", 405, Some("POST, OPTIONS")),
        ("GET", "/Bulk", 405, Some("POST, OPTIONS")),
        ("POST", "/Schemas", 405, Some("GET, HEAD, OPTIONS")),
        ("DELETE", "/", 405, Some("GET, HEAD, OPTIONS")),
        ("BREW", "/Users", 405, Some("GET, HEAD, POST, OPTIONS")),
        ("GET", "/Schemas?filter=id%20pr", 403, None),
        ("GET", "/Users?filter=nonsense", 400, None),
        ("GET", "/Users?filter=active%20gt%20true", 400, None),
    ] {
        let error = parsed(&service, method, url, &Value::Null).expect_err(url);
        assert_eq!(
            (error.status, error.allow),
            (status, allow),
            "{method} {url}"
        );
    }
}

#[test]
fn bodies_are_bounded() {
    let mut service = service();
    service.max_body_size = 1000;
    let refused = |body: &[u8]| {
        let request = HttpRequest {
            body: body.to_vec(),
            ..http("POST", "/Users", &Value::Null)
        };
        parse(&service, &request).expect_err("refused")
    };
    assert_eq!(refused(&[b' '; 1001]).status, 413);
    insta::assert_snapshot!(refused(b""), @"400 invalidSyntax: the body is empty; it must be a JSON object");
    insta::assert_snapshot!(refused(b"{\"userName\": \"bjensen\""), @"400 invalidSyntax: the body is not valid JSON (line 1, column 22)");
    insta::assert_snapshot!(refused(b"[]"), @"400 invalidSyntax: the body must be a JSON object");
    let nested = |depth| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    insta::assert_snapshot!(refused(nested(24).as_bytes()), @"400 invalidSyntax: the body nests deeper than 24 levels");
    insta::assert_snapshot!(refused(nested(400).as_bytes()), @"400 invalidSyntax: the body is not valid JSON (line 1, column 132)");
    assert_eq!(
        refused(nested(23).as_bytes()).detail.split(';').next(),
        Some("schemas is missing")
    );
}

fn responder(
    service: &scim::schema::ServiceDefinition,
    request: &HttpRequest,
) -> Responder<'static> {
    let service: &'static scim::schema::ServiceDefinition = Box::leak(Box::new(service.clone()));
    Responder::new(service, request, "https://example.com/scim/v2/")
}

#[test]
fn an_answer_with_a_resource_says_where_and_which_version_it_is() {
    let service = service();
    let sent = http("GET", "/Users/a%20b?attributes=userName", &Value::Null);
    let request = parse(&service, &sent).expect("accepted");
    let user = resource(
        json!({"id": "a b", "userName": "x", "title": "y", "meta": {"version": "W/\"7\""}}),
    );
    let response = responder(&service, &sent).found(&request, &user_type(), &user);
    assert_eq!(response.status, 200);
    assert_eq!(
        response.headers,
        [
            ("Content-Type", "application/scim+json".to_owned()),
            (
                "Location",
                "https://example.com/scim/v2/Users/a%20b".to_owned()
            ),
            (
                "Content-Location",
                "https://example.com/scim/v2/Users/a%20b".to_owned()
            ),
            ("ETag", "W/\"7\"".to_owned()),
        ]
    );
    assert_eq!(
        response.json().cloned(),
        Some(json!({
            "id": "a b",
            "userName": "x",
            "meta": {
                "version": "W/\"7\"",
                "resourceType": "User",
                "location": "https://example.com/scim/v2/Users/a%20b",
            },
        }))
    );
}

#[test]
fn head_has_the_headers_and_no_body() {
    let service = service();
    let sent = http("HEAD", "/Users/1", &Value::Null);
    let request = parse(&service, &sent).expect("accepted");
    let user = resource(json!({"id": "1", "userName": "x"}));
    let response = responder(&service, &sent).found(&request, &user_type(), &user);
    assert_eq!((response.status, response.body.is_some()), (200, false));
    assert_eq!(
        response.header("Content-Type"),
        Some("application/scim+json")
    );
}

#[test]
fn conditions_of_reads() {
    let service = service();
    let user = resource(json!({"id": "1", "userName": "x", "meta": {"version": "W/\"7\""}}));
    for (header, value, status) in [
        ("If-None-Match", "W/\"7\"", 304),
        ("If-None-Match", "\"7\"", 304),
        ("If-None-Match", "W/\"6\", W/\"7\"", 304),
        ("if-none-match", "*", 304),
        ("If-None-Match", "W/\"6\"", 200),
        ("If-Match", "W/\"7\"", 200),
        ("If-Match", "W/\"6\"", 412),
    ] {
        let mut sent = http("GET", "/Users/1", &Value::Null);
        sent.headers.push((header.to_owned(), value.to_owned()));
        let request = parse(&service, &sent).expect("accepted");
        let response = responder(&service, &sent).found(&request, &user_type(), &user);
        assert_eq!(response.status, status, "{header}: {value}");
        assert_eq!(response.body.is_none(), status == 304);
    }
}

#[test]
fn conditions_of_writes() {
    let check = |if_match: Option<&str>, if_none_match: Option<&str>| {
        let conditions = etag::Preconditions::new(if_match, if_none_match);
        conditions
            .check_write(&etag::weak("7"))
            .map_err(|error| error.status)
    };
    assert_eq!(check(None, None), Ok(()));
    assert_eq!(check(Some("W/\"7\""), None), Ok(()));
    assert_eq!(check(Some("*"), None), Ok(()));
    assert_eq!(check(Some("W/\"6\""), None), Err(412));
    assert_eq!(check(None, Some("*")), Err(412));
    assert_eq!(check(None, Some("W/\"6\"")), Ok(()));
    assert_eq!(etag::weak("a\"b c"), "W/\"abc\"");
}

#[test]
fn errors_carry_the_headers_of_their_status() {
    let service = service();
    let sent = http("GET", "/Users", &Value::Null);
    let responder = responder(&service, &sent);
    let header =
        |error: ScimError, name: &str| responder.error(&error).header(name).map(str::to_owned);
    assert_eq!(
        header(ScimError::new(401, "no token"), "WWW-Authenticate").as_deref(),
        Some("Bearer")
    );
    assert_eq!(
        header(ScimError::unavailable("busy", 3), "Retry-After").as_deref(),
        Some("3")
    );
    assert_eq!(
        header(ScimError::method_not_allowed("GET"), "Allow").as_deref(),
        Some("GET")
    );
    let response = responder.error(&ScimError::not_found("no such user"));
    assert_eq!(
        response.json().cloned(),
        Some(
            json!({"schemas": [scim::error::ERROR_URN], "status": "404", "detail": "no such user"})
        )
    );
}

#[test]
fn answers_without_content_have_no_content_type() {
    let service = service();
    let sent = http("DELETE", "/Users/1", &Value::Null);
    let response = responder(&service, &sent).deleted();
    assert_eq!(
        (
            response.status,
            response.headers.len(),
            response.into_text()
        ),
        (204, 0, None)
    );
    let response = responder(&service, &sent).options("GET");
    assert_eq!(
        (response.status, response.header("Allow")),
        (204, Some("GET"))
    );
}

#[test]
fn nothing_that_a_client_sent_shows_in_debug_output() {
    let sent = HttpRequest {
        headers: vec![("Authorization".to_owned(), "Bearer canary".to_owned())],
        ..http(
            "POST",
            "/Users?filter=canary",
            &json!({"userName": "canary"}),
        )
    };
    assert!(!format!("{sent:?}").contains("canary"));
}

#[test]
fn compressed_bodies_are_refused_by_their_type() {
    let service = service();
    let body = json!({"schemas": [core::USER_URN], "userName": "a"});
    let with_coding = |coding: &str, body: &Value| {
        let mut request = http("POST", "/Users", body);
        request
            .headers
            .push(("content-encoding".to_owned(), coding.to_owned()));
        parse(&service, &request).map(|request| request.operation)
    };
    for coding in ["gzip", "GZIP", "deflate", "br", "identity, gzip"] {
        assert_eq!(
            with_coding(coding, &body).expect_err("refused").status,
            415,
            "{coding}"
        );
    }
    for coding in ["identity", " Identity ", ""] {
        assert!(with_coding(coding, &body).is_ok(), "{coding}");
    }
    let mut read = http("GET", "/Users", &Value::Null);
    read.headers
        .push(("Content-Encoding".to_owned(), "gzip".to_owned()));
    assert!(parse(&service, &read).is_ok());
}

#[test]
fn a_request_has_conditions_if_either_header_is_there() {
    let service = service();
    let with = |headers: &[(&str, &str)]| {
        let mut request = http("GET", "/Users/1", &Value::Null);
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        request.headers.extend(headers);
        parse(&service, &request).expect("accepted").preconditions
    };
    assert!(with(&[]).is_empty());
    for headers in [
        &[("If-Match", "W/\"1\"")][..],
        &[("if-none-match", "*")],
        &[("If-Match", "*"), ("If-None-Match", "*")],
    ] {
        assert!(!with(headers).is_empty(), "{headers:?}");
    }
}

#[test]
fn tags_are_compared_weakly_and_one_of_a_list_is_enough() {
    let matches = |header: &str, version: &str| {
        etag::Preconditions::new(Some(header), None)
            .check_write(version)
            .is_ok()
    };
    for header in [
        "W/\"1\"",
        "\"1\"",
        "1",
        " W/\"1\" ",
        "\"0\", W/\"1\"",
        "*",
        " * ",
    ] {
        assert!(matches(header, "W/\"1\""), "{header}");
    }
    for header in ["W/\"2\"", "\"11\"", "", "\"0\", \"2\"", "w/\"1\""] {
        assert!(!matches(header, "W/\"1\""), "{header}");
    }
    assert_eq!(etag::weak("a\"b c\u{e9}\n1"), "W/\"abc1\"");
}

#[test]
fn each_error_has_its_status_and_says_when_to_come_back() {
    let service = service();
    let responder = responder(&service, &http("GET", "/Users", &Value::Null));
    for (error, status, retry_after, allow) in [
        (ScimError::too_many_requests("x", 7), 429, Some("7"), None),
        (ScimError::unavailable("x", 9), 503, Some("9"), None),
        (ScimError::method_not_allowed("GET"), 405, None, Some("GET")),
        (ScimError::not_found("x"), 404, None, None),
        (ScimError::precondition_failed(), 412, None, None),
        (ScimError::uniqueness("x"), 409, None, None),
        (
            ScimError::of(scim::ScimType::Sensitive, "x"),
            403,
            None,
            None,
        ),
        (ScimError::invalid_value("x"), 400, None, None),
    ] {
        let response = responder.error(&error);
        assert_eq!(response.status, status);
        assert_eq!(response.header("Retry-After"), retry_after, "{status}");
        assert_eq!(response.header("Allow"), allow, "{status}");
        let body = response.json().expect("a body");
        assert_eq!(body["status"], status.to_string());
        assert_eq!(body["detail"], error.detail);
    }
}

#[test]
fn discovery_documents_have_addresses_in_any_case() {
    let service = service();
    let found = |url: &str| match parsed(&service, "GET", url, &Value::Null)?.operation {
        Operation::Discovery(document) => Ok(document),
        other => panic!("{other:?}"),
    };
    let urn = core::USER_URN;
    for (url, document) in [
        ("/ServiceProviderConfig", Discovery::ServiceProviderConfig),
        ("/serviceproviderconfig", Discovery::ServiceProviderConfig),
        ("/ResourceTypes", Discovery::ResourceTypes),
        (
            "/resourceTypes/User",
            Discovery::ResourceType("User".to_owned()),
        ),
        ("/Schemas", Discovery::Schemas),
        (
            &format!("/schemas/{urn}"),
            Discovery::Schema(urn.to_owned()),
        ),
    ] {
        assert_eq!(found(url), Ok::<_, ScimError>(document), "{url}");
        let method = parsed(&service, "DELETE", url, &Value::Null).expect_err(url);
        assert_eq!(
            (method.status, method.allow),
            (405, Some("GET, HEAD, OPTIONS"))
        );
        let filtered = parsed(&service, "GET", &format!("{url}?Filter=a"), &Value::Null);
        assert_eq!(filtered.expect_err(url).status, 403);
    }
    for url in [
        "/ServiceProviderConfig/1",
        "/ResourceTypes/User/1",
        "/Schemas/a/b",
        "/Users/1/2",
        "/Other",
    ] {
        assert_eq!(found(url).expect_err(url).status, 404, "{url}");
    }
    for url in ["/Me", "/me/1"] {
        assert_eq!(found(url).expect_err(url).status, 501, "{url}");
    }
}

//! The documented rules, each by a request that keeps it and one that breaks it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use identity_center_simulator::{Options, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

struct Endpoint {
    simulator: Simulator,
    http: reqwest::Client,
}

impl Endpoint {
    async fn start(options: Options) -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        Self {
            simulator: Simulator::start(options).await.unwrap(),
            http: reqwest::Client::new(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.simulator.endpoint());
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(self.simulator.token());
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, body).await
    }

    async fn patch(&self, path: &str, operations: Value) -> u16 {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.send(Method::PATCH, path, body).await.0
    }

    async fn user(&self, name: &str) -> String {
        let (status, user) = self.post("Users", user(name)).await;
        assert_eq!(status, 201, "{user}");
        user["id"].as_str().unwrap().to_owned()
    }
}

fn user(name: &str) -> Value {
    json!({"userName": name, "displayName": name, "externalId": format!("x-{name}"),
        "name": {"givenName": "G", "familyName": "F"},
        "emails": [{"value": format!("{name}@example.test"), "primary": true}]})
}

#[tokio::test]
async fn users_have_the_required_attributes_and_one_value_of_each() {
    let endpoint = Endpoint::start(Options::default()).await;
    for (change, status) in [
        (json!({}), 201),
        (json!({"userName": null}), 400),
        (json!({"displayName": ""}), 400),
        (json!({"name": {"givenName": "G"}}), 400),
        (json!({"emails": [{"value": "a@b.c"}]}), 400),
        (
            json!({"emails": [{"value": "a@b.c", "primary": true}, {"value": "d@b.c", "primary": false}]}),
            400,
        ),
        (
            json!({"phoneNumbers": [{"value": "1"}, {"value": "2"}]}),
            400,
        ),
        (json!({"password": "secret"}), 400),
        (json!({"entitlements": []}), 400),
        (json!({"groups": []}), 400),
        (json!({"userName": "with space"}), 400),
        (json!({"userName": "Administrator"}), 400),
        (json!({"userName": "awsadministrators"}), 400),
        (json!({"title": "t".repeat(1025)}), 400),
    ] {
        let mut body = user("ann");
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let (answered, document) = endpoint.post("Users", body).await;
        assert_eq!(answered, status, "{change}: {document}");
    }
}

#[tokio::test]
async fn errors_have_the_body_that_the_service_sends() {
    let endpoint = Endpoint::start(Options::default()).await;
    endpoint.user("ann").await;
    let (status, error) = endpoint.post("Users", user("ANN")).await;
    assert_eq!(status, 409);
    let urn = json!(["urn:ietf:params:scim:api:messages:2.0:Error"]);
    assert_eq!(error["schema"], urn);
    assert_eq!(error["schemas"], urn);
    assert_eq!(error["status"], "409");
    assert_eq!(
        error["detail"],
        "Refused to create a new, duplicate resource."
    );
    assert!(error["exceptionRequestId"].is_string());
}

#[tokio::test]
async fn a_wrong_tenant_or_token_is_unauthorized() {
    let endpoint = Endpoint::start(Options::default()).await;
    let url = endpoint.simulator.endpoint();
    for (url, token) in [
        (url.replace("/Qe1m", "/other"), endpoint.simulator.token()),
        (url.to_owned(), "wrong"),
    ] {
        let request = endpoint.http.get(format!("{url}Users")).bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    assert!(endpoint.simulator.calls().is_empty());
}

#[tokio::test]
async fn a_user_is_patched_within_the_rules() {
    let endpoint = Endpoint::start(Options::default()).await;
    let path = format!("Users/{}", endpoint.user("ann").await);
    for (operations, status) in [
        (
            json!([{"op": "replace", "path": "title", "value": "Head"}]),
            200,
        ),
        (
            json!([{"op": "replace", "path": "active", "value": "false"}]),
            200,
        ),
        (json!([{"op": "remove", "path": "title"}]), 200),
        (json!([{"op": "remove"}]), 400),
        (json!([{"op": "remove", "path": "active"}]), 400),
        (json!([{"op": "remove", "path": "userName"}]), 400),
        (
            json!([{"op": "replace", "path": "active", "value": true},
                {"op": "replace", "path": "active", "value": false}]),
            400,
        ),
        (
            json!([{"op": "add", "path": "emails", "value": [{"value": "two@example.test"}]}]),
            400,
        ),
        (
            json!([{"op": "replace", "path": "password", "value": "x"}]),
            400,
        ),
        (json!([{"op": "remove", "path": "displayName"}]), 400),
    ] {
        assert_eq!(
            endpoint.patch(&path, operations.clone()).await,
            status,
            "{operations}"
        );
    }
    assert_eq!(endpoint.simulator.user("ann").unwrap()["active"], false);
}

#[tokio::test]
async fn members_change_by_a_hundred_at_most_and_are_never_shown_or_replaced() {
    let endpoint = Endpoint::start(Options::default()).await;
    let (mut ids, mut members) = (Vec::new(), Vec::new());
    for index in 0..101 {
        let id = endpoint.user(&format!("u{index}")).await;
        members.push(json!({"value": id}));
        ids.push(id);
    }
    let create = |members: &[Value]| json!({"displayName": "all", "members": members});
    assert_eq!(endpoint.post("Groups", create(&members)).await.0, 400);
    let (status, group) = endpoint.post("Groups", create(&members[..100])).await;
    assert_eq!((status, &group["members"]), (201, &json!([])));
    let path = format!("Groups/{}", group["id"].as_str().unwrap());
    let size = || endpoint.simulator.members("all").unwrap().len();
    assert_eq!(size(), 100);
    for (operations, status, expected) in [
        (
            json!([{"op": "add", "path": "members", "value": &members[100..]}]),
            204,
            101,
        ),
        (
            json!([{"op": "remove", "path": "members", "value": &members[..1]},
                {"op": "add", "path": "members", "value": &members[1..]}]),
            400,
            101,
        ),
        (
            json!([{"op": "remove", "path": "members", "value": &members[..1]}]),
            204,
            100,
        ),
        (
            json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[1])}]),
            204,
            99,
        ),
        (
            json!([{"op": "replace", "path": "members", "value": []}]),
            204,
            99,
        ),
        (
            json!([{"op": "replace", "path": "members", "value": &members[..1]}]),
            204,
            99,
        ),
        (json!([{"op": "remove", "path": "members"}]), 400, 99),
        (
            json!([{"op": "add", "path": "members", "value": [{"value": "nobody"}]}]),
            404,
            99,
        ),
        (
            json!([{"op": "replace", "path": "description", "value": "x"}]),
            400,
            99,
        ),
        (
            json!([{"op": "replace", "value": {"id": "x", "displayName": "all"}}]),
            204,
            99,
        ),
    ] {
        assert_eq!(
            endpoint.patch(&path, operations.clone()).await,
            status,
            "{operations}"
        );
        assert_eq!(size(), expected, "{operations}");
    }
    let (status, _) = endpoint
        .send(Method::PUT, &path, json!({"displayName": "all"}))
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn filters_are_equalities_of_the_documented_attributes() {
    let endpoint = Endpoint::start(Options::default()).await;
    let ann = endpoint.user("ann").await;
    endpoint.user("bob").await;
    let (_, group) = endpoint
        .post(
            "Groups",
            json!({"displayName": "all", "members": [{"value": ann}]}),
        )
        .await;
    let group = group["id"].as_str().unwrap();
    for (path, status, count) in [
        ("Users?filter=userName+eq+%22ann%22".to_owned(), 200, 1),
        ("Users?filter=externalId+eq+%22x-bob%22".to_owned(), 200, 1),
        (
            format!("Users?filter=groups.value+eq+%22{group}%22"),
            200,
            1,
        ),
        ("Users?filter=groups.value+eq+%22none%22".to_owned(), 404, 0),
        ("Users?filter=userName+sw+%22a%22".to_owned(), 400, 0),
        ("Users?filter=title+eq+%22a%22".to_owned(), 400, 0),
        (
            "Users?filter=userName+eq+%22a%22+or+userName+eq+%22b%22".to_owned(),
            400,
            0,
        ),
        (
            format!("Users?filter=id+eq+%22{ann}%22+and+manager+eq+%22m%22"),
            200,
            0,
        ),
        ("Groups?filter=displayName+eq+%22all%22".to_owned(), 200, 1),
        (
            format!("Groups?filter=members.value+eq+%22{ann}%22"),
            200,
            1,
        ),
        (
            "Groups?filter=members.value+eq+%22none%22".to_owned(),
            404,
            0,
        ),
        (
            format!("Groups?filter=id+eq+%22{group}%22+and+members+eq+%22{ann}%22"),
            200,
            1,
        ),
    ] {
        let (answered, list) = endpoint.get(&path).await;
        let resources = list["Resources"].as_array().map_or(0, Vec::len);
        assert_eq!((answered, resources), (status, count), "{path}");
    }
}

#[tokio::test]
async fn a_reserved_name_is_refused_to_groups_on_creation_and_on_rename() {
    let endpoint = Endpoint::start(Options::default()).await;
    let (status, group) = endpoint.post("Groups", json!({"displayName": "all"})).await;
    assert_eq!(status, 201);
    let path = format!("Groups/{}", group["id"].as_str().unwrap());
    for name in ["Administrator", "AWSAdministrators", "awsadministrators"] {
        let (status, _) = endpoint.post("Groups", json!({"displayName": name})).await;
        assert_eq!(status, 400, "{name}");
        let patch = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "displayName", "value": name}],
        });
        let (status, _) = endpoint.send(Method::PATCH, &path, patch).await;
        assert_eq!(status, 400, "{name}");
    }
}

#[tokio::test]
async fn parameters_that_lists_do_not_support_are_refused() {
    let endpoint = Endpoint::start(Options::default()).await;
    for kind in ["Users", "Groups"] {
        for parameter in [
            "startIndex=1",
            "attributes=id",
            "excludedAttributes=id",
            "sortBy=id",
        ] {
            let (status, _) = endpoint.get(&format!("{kind}?{parameter}")).await;
            assert_eq!(status, 400, "{kind} {parameter}");
        }
    }
}

#[tokio::test]
async fn pages_follow_cursors_and_end_without_one() {
    let endpoint = Endpoint::start(Options {
        short_pages: Some(1),
        ..Options::default()
    })
    .await;
    for index in 0..130 {
        endpoint.user(&format!("u{index}")).await;
    }
    let (_, first) = endpoint.get("Users").await;
    assert_eq!(first["Resources"].as_array().unwrap().len(), 100);
    assert_eq!(first["totalResults"], 130);
    assert!(
        first.get("nextCursor").is_none(),
        "one page only without a cursor"
    );

    let (mut cursor, mut read, mut pages) = (String::new(), 0, 0);
    loop {
        let (_, page) = endpoint
            .get(&format!("Users?cursor={cursor}&count=20"))
            .await;
        assert!(page.get("totalResults").is_none());
        read += page["Resources"].as_array().unwrap().len();
        pages += 1;
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-+=/:_".contains(&byte);
        assert!(next.bytes().all(allowed), "{next}");
        cursor = next.to_owned();
    }
    assert_eq!(read, 130);
    assert!(pages > 7, "some pages are short: {pages}");

    let changed = format!("Users?cursor={cursor}&filter=userName+eq+%22u1%22");
    assert_eq!(endpoint.get(&changed).await.0, 400);
    for count in ["0", "101", "x"] {
        assert_eq!(endpoint.get(&format!("Users?count={count}")).await.0, 400);
    }
}

#[tokio::test]
async fn quotas_and_throttles_are_kept() {
    let endpoint = Endpoint::start(Options {
        users_quota: 2,
        throttle: true,
        ..Options::default()
    })
    .await;
    endpoint.user("ann").await;
    endpoint.user("bob").await;
    assert_eq!(endpoint.post("Users", user("cid")).await.0, 402);
    let mut throttled = 0;
    for _ in 0..2000 {
        if endpoint.get("ServiceProviderConfig").await.0 == 429 {
            throttled += 1;
            break;
        }
    }
    assert_eq!(throttled, endpoint.simulator.throttled());
}

#[tokio::test]
async fn a_deleted_user_is_no_member_and_gives_the_name_back() {
    let endpoint = Endpoint::start(Options::default()).await;
    let ann = endpoint.user("ann").await;
    endpoint
        .post(
            "Groups",
            json!({"displayName": "all", "members": [{"value": ann}]}),
        )
        .await;
    let path = format!("Users/{ann}");
    assert_eq!(
        endpoint.send(Method::DELETE, &path, Value::Null).await.0,
        204
    );
    assert_eq!(
        endpoint.send(Method::DELETE, &path, Value::Null).await.0,
        404
    );
    assert!(endpoint.simulator.members("all").unwrap().is_empty());
    endpoint.user("ann").await;
}

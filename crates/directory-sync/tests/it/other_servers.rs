//! Servers with limits of their own, played by a few lines.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use directory_sync::target::Error;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::company::{client, configuration};

/// How a server gives its users.
#[derive(Clone)]
struct Character {
    limits: Value,
    users: usize,
    /// The largest page.
    page: usize,
    /// Users that it says it has, over those that it gives.
    hidden: usize,
    calls: Arc<AtomicUsize>,
}

impl Character {
    fn new(limits: Value, users: usize, page: usize) -> Self {
        Self {
            limits,
            users,
            page,
            hidden: 0,
            calls: Arc::default(),
        }
    }

    /// Reads all users with our client.
    async fn read(&self) -> Result<usize, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/scim/v2", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/scim/v2/ServiceProviderConfig", get(limits))
            .route("/scim/v2/Users", get(users))
            .route("/scim/v2/Groups", get(groups))
            .with_state(self.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let read = client(&configuration(&endpoint, "scim", ""), "token")
            .read()
            .await;
        server.abort();
        read.map(|snapshot| snapshot.current.users().len())
    }
}

async fn limits(State(character): State<Character>) -> Json<Value> {
    Json(character.limits)
}

async fn groups() -> Json<Value> {
    Json(json!({"totalResults": 0}))
}

async fn users(
    State(character): State<Character>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    // The first call is told to come again.
    if character.calls.fetch_add(1, Ordering::Relaxed) == 0 {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response();
    }
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let cursor = query
        .get("cursor")
        .map(|cursor| cursor.parse().unwrap_or(0));
    let from = cursor
        .or(number("startIndex").map(|index| index - 1))
        .unwrap_or(0);
    let count = number("count").unwrap_or(character.page);
    if count > character.page {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let to = (from + count).min(character.users);
    let resources: Vec<Value> = (from..to)
        .map(|index| json!({"id": index.to_string(), "userName": format!("u{index}")}))
        .collect();
    let mut page = json!({"Resources": resources});
    if cursor.is_none() {
        page["totalResults"] = (character.users + character.hidden).into();
    } else if to < character.users {
        page["nextCursor"] = to.to_string().into();
    }
    Json(page).into_response()
}

#[tokio::test]
async fn a_server_without_patch_is_refused() {
    let character = Character::new(json!({"patch": {"supported": false}}), 0, 10);
    assert!(matches!(character.read().await, Err(Error::NoPatch)));
}

#[tokio::test]
async fn pages_are_as_large_as_the_server_says() {
    for limits in [
        json!({"patch": {"supported": true}, "filter": {"supported": true, "maxResults": 7}}),
        json!({"filter": {"maxResults": 200}, "pagination": {"cursor": true, "maxPageSize": 7}}),
    ] {
        let character = Character::new(limits, 30, 7);
        assert_eq!(character.read().await.unwrap(), 30);
        let pages = 5;
        assert_eq!(character.calls.load(Ordering::Relaxed), pages + 1);
    }
}

#[tokio::test]
async fn users_that_a_server_counts_but_does_not_give_end_the_run() {
    let mut character = Character::new(json!({}), 30, 100);
    character.hidden = 2;
    let error = character.read().await.err().unwrap();
    assert!(matches!(
        error,
        Error::Incomplete {
            read: 30,
            total: 32,
            ..
        }
    ));
}

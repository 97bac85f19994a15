//! The simulator's own routes, below `/_simulator`.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::engine::Engine;
use crate::administration::{Action, AssignedKind};
use crate::fault::FaultRule;
use crate::operation::Operation;
use crate::options::Settings;

type Shared = State<Arc<Engine>>;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/health", get(health))
        .route("/operations", get(async || Json(Operation::ALL)))
        .route("/state", get(state))
        .route("/calls", get(calls).delete(clear_calls))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/settings", get(settings).patch(change_settings))
        .route("/reset", post(reset))
        .route("/{kind}", post(create))
        .route("/{kind}/{id}", patch(rename).delete(delete))
        .route("/{kind}/{id}/replace", post(replace))
}

async fn health(State(engine): Shared) -> Json<Value> {
    Json(json!({ "status": "ok", "instanceArn": engine.identity().instance_arn() }))
}

async fn state(State(engine): Shared) -> Json<Value> {
    Json(engine.state())
}

async fn calls(State(engine): Shared) -> Json<Value> {
    Json(json!({ "counts": engine.counts(), "recent": engine.calls() }))
}

async fn clear_calls(State(engine): Shared) -> StatusCode {
    engine.clear_calls();
    StatusCode::NO_CONTENT
}

async fn faults(State(engine): Shared) -> Json<Vec<FaultRule>> {
    Json(engine.faults())
}

async fn add_fault(State(engine): Shared, Json(rule): Json<FaultRule>) -> Response {
    if let Some(problem) = rule.problem() {
        return refuse(problem);
    }
    engine.add_fault(rule);
    StatusCode::NO_CONTENT.into_response()
}

async fn clear_faults(State(engine): Shared) -> StatusCode {
    engine.clear_faults();
    StatusCode::NO_CONTENT
}

async fn settings(State(engine): Shared) -> Json<Settings> {
    Json(engine.settings())
}

/// Changes the settings that are sent and keeps the others (RFC 7396 on one level).
async fn change_settings(
    State(engine): Shared,
    Json(changes): Json<Map<String, Value>>,
) -> Response {
    let mut settings = json!(engine.settings());
    if let Some(members) = settings.as_object_mut() {
        members.extend(changes);
    }
    match serde_json::from_value::<Settings>(settings) {
        Ok(settings) => {
            engine.set_settings(settings.clone());
            Json(settings).into_response()
        }
        Err(error) => refuse(&error.to_string()),
    }
}

async fn reset(State(engine): Shared) -> Response {
    match engine.reset() {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Json(error.body())).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

/// The query of a deletion.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deletion {
    /// The id that the users are assigned to before.
    instead: Option<String>,
}

async fn create(
    State(engine): Shared,
    Path(kind): Path<AssignedKind>,
    Json(Name { name }): Json<Name>,
) -> Response {
    administer(&engine, kind, Action::Create { name })
}

async fn rename(
    State(engine): Shared,
    Path((kind, id)): Path<(AssignedKind, String)>,
    Json(Name { name }): Json<Name>,
) -> Response {
    administer(&engine, kind, Action::Rename { id, name })
}

async fn replace(
    State(engine): Shared,
    Path((kind, id)): Path<(AssignedKind, String)>,
) -> Response {
    administer(&engine, kind, Action::Replace { id })
}

async fn delete(
    State(engine): Shared,
    Path((kind, id)): Path<(AssignedKind, String)>,
    Query(Deletion { instead }): Query<Deletion>,
) -> Response {
    administer(&engine, kind, Action::Delete { id, instead })
}

/// Answers with the id, or with the error that the service has for it.
fn administer(engine: &Engine, kind: AssignedKind, action: Action) -> Response {
    match engine.administer(kind, action) {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(error) => {
            let status = StatusCode::from_u16(error.code.status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let problem = format!("{}: {}", error.code.name(), error.message());
            (status, Json(json!({ "problem": problem }))).into_response()
        }
    }
}

fn refuse(problem: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "problem": problem }))).into_response()
}

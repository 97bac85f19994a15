//! Routing profiles: which contacts reach a user. Read only here.

use serde_json::{Value, json};

use super::page_of;
use crate::call::{Call, Context, Reply};
use crate::error::ServiceError;
use crate::page::PageRequest;
use crate::state::{RoutingProfile, State};

const LARGEST_PAGE: usize = 1000;

pub(super) fn list(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let page = PageRequest::from_query(call, context, LARGEST_PAGE)?;
    let summaries = state.routing_profiles.iter().map(|(id, profile)| {
        let summary = json!({
            "Id": profile.routing_profile_id,
            "Arn": profile.routing_profile_arn,
            "Name": profile.name,
            "LastModifiedTime": profile.last_modified_time,
            "LastModifiedRegion": profile.last_modified_region,
        });
        (id.clone(), summary)
    });
    Ok(Some(page_of(
        "RoutingProfileSummaryList",
        page.of(summaries),
    )))
}

pub(super) fn describe(state: &State, call: &Call) -> Reply {
    let id = call.label("RoutingProfileId");
    let profile = state
        .routing_profiles
        .get(id)
        .ok_or_else(|| ServiceError::not_found("routing profile", id))?;
    Ok(Some(json!({ "RoutingProfile": shape(state, profile) })))
}

/// `RoutingProfile` in the API model, with the numbers that the service counts.
pub(super) fn shape(state: &State, profile: &RoutingProfile) -> Value {
    let users = state
        .users()
        .values()
        .filter(|record| record.user.routing_profile_id == profile.routing_profile_id)
        .count();
    let mut shape = json!(profile);
    shape["NumberOfAssociatedQueues"] = json!(profile.associated_queue_ids.len());
    shape["NumberOfAssociatedUsers"] = json!(users);
    shape
}

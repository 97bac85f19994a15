//! The hierarchy that users stand in. Read only here.

use serde_json::{Map, Value, json};

use super::page_of;
use crate::call::{Call, Context, Reply};
use crate::error::ServiceError;
use crate::page::PageRequest;
use crate::state::{HierarchyGroup, State};

const LARGEST_PAGE: usize = 1000;
const LEVEL_MEMBERS: [&str; 5] = [
    "LevelOne",
    "LevelTwo",
    "LevelThree",
    "LevelFour",
    "LevelFive",
];

pub(super) fn list_groups(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let page = PageRequest::from_query(call, context, LARGEST_PAGE)?;
    let summaries = state
        .hierarchy_groups
        .iter()
        .map(|(id, group)| (id.clone(), summary(group)));
    Ok(Some(page_of(
        "UserHierarchyGroupSummaryList",
        page.of(summaries),
    )))
}

pub(super) fn describe_group(state: &State, call: &Call) -> Reply {
    let id = call.label("HierarchyGroupId");
    let group = state
        .hierarchy_groups
        .get(id)
        .ok_or_else(|| ServiceError::not_found("hierarchy group", id))?;
    Ok(Some(json!({ "HierarchyGroup": {
        "Id": group.id,
        "Arn": group.arn,
        "Name": group.name,
        "LevelId": group.level_id,
        "HierarchyPath": by_level(state.group_path(id).into_iter().map(summary)),
        "Tags": group.tags,
        "LastModifiedTime": group.last_modified_time,
        "LastModifiedRegion": group.last_modified_region,
    }})))
}

pub(super) fn describe_structure(state: &State) -> Reply {
    let levels = state.hierarchy_levels.iter().map(|level| json!(level));
    Ok(Some(json!({ "HierarchyStructure": by_level(levels) })))
}

fn by_level(values: impl Iterator<Item = Value>) -> Map<String, Value> {
    LEVEL_MEMBERS
        .map(str::to_owned)
        .into_iter()
        .zip(values)
        .collect()
}

fn summary(group: &HierarchyGroup) -> Value {
    json!({
        "Id": group.id,
        "Arn": group.arn,
        "Name": group.name,
        "LastModifiedTime": group.last_modified_time,
        "LastModifiedRegion": group.last_modified_region,
    })
}

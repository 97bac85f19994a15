//! The condition on the hierarchy group that criteria and filters share.

use serde::Deserialize;

use crate::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HierarchyGroupCondition {
    value: String,
    hierarchy_group_match_type: HierarchyGroupMatch,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum HierarchyGroupMatch {
    Exact,
    WithChildGroups,
}

impl HierarchyGroupCondition {
    pub(super) fn holds(&self, state: &State, group_id: Option<&str>) -> bool {
        group_id.is_some_and(|group_id| match self.hierarchy_group_match_type {
            HierarchyGroupMatch::Exact => group_id == self.value,
            HierarchyGroupMatch::WithChildGroups => state.is_within_group(group_id, &self.value),
        })
    }
}

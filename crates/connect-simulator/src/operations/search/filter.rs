//! What a search is narrowed to: tags and hierarchy groups.

use serde::Deserialize;

use super::Searchable;
use super::hierarchy::HierarchyGroupCondition;
use crate::constraints::require;
use crate::error::{ErrorCode, ServiceError};
use crate::state::{State, Tags};

const MOST_TAG_CONDITIONS: usize = 25;
const MOST_HIERARCHY_CONDITIONS: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    tag_filter: Option<TagFilter>,
    user_attribute_filter: Option<AttributeFilter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagFilter {
    or_conditions: Option<Vec<Vec<TagCondition>>>,
    and_conditions: Option<Vec<TagCondition>>,
    tag_condition: Option<TagCondition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagCondition {
    tag_key: Option<String>,
    tag_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeFilter {
    or_conditions: Option<Vec<AttributeConditions>>,
    and_condition: Option<AttributeConditions>,
    tag_condition: Option<TagCondition>,
    hierarchy_group_condition: Option<HierarchyGroupCondition>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeConditions {
    tag_conditions: Option<Vec<TagCondition>>,
    hierarchy_group_condition: Option<HierarchyGroupCondition>,
}

impl Filter {
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let Some(attributes) = &self.user_attribute_filter else {
            return Ok(());
        };
        if self.tag_filter.is_some() {
            return Err(ServiceError::new(
                ErrorCode::AccessDenied,
                "TagFilter and UserAttributeFilter cannot be combined",
            ));
        }
        attributes.check()
    }

    pub(super) fn matches<T: Searchable>(&self, state: &State, item: &T) -> bool {
        self.tag_filter
            .as_ref()
            .is_none_or(|filter| filter.matches(item.tags()))
            && self
                .user_attribute_filter
                .as_ref()
                .is_none_or(|filter| filter.matches(state, item))
    }
}

impl TagFilter {
    fn matches(&self, tags: &Tags) -> bool {
        let all = |conditions: &Vec<TagCondition>| conditions.iter().all(|tag| tag.holds(tags));
        self.or_conditions
            .as_ref()
            .is_none_or(|lists| lists.is_empty() || lists.iter().any(all))
            && self.and_conditions.as_ref().is_none_or(all)
            && self
                .tag_condition
                .as_ref()
                .is_none_or(|tag| tag.holds(tags))
    }
}

impl TagCondition {
    fn holds(&self, tags: &Tags) -> bool {
        tags.iter().any(|(key, value)| {
            self.tag_key.as_ref().is_none_or(|wanted| wanted == key)
                && self.tag_value.as_ref().is_none_or(|wanted| wanted == value)
        })
    }
}

impl AttributeFilter {
    fn check(&self) -> Result<(), ServiceError> {
        let members = [
            self.or_conditions.is_some(),
            self.and_condition.is_some(),
            self.tag_condition.is_some(),
            self.hierarchy_group_condition.is_some(),
        ];
        require(
            members.into_iter().filter(|present| *present).count() <= 1,
            "UserAttributeFilter may have one member only",
        )?;
        let conditions = || {
            self.or_conditions
                .iter()
                .flatten()
                .chain(&self.and_condition)
        };
        let tags: usize = conditions()
            .map(|condition| condition.tag_conditions.as_ref().map_or(0, Vec::len))
            .sum();
        let groups = conditions()
            .filter(|condition| condition.hierarchy_group_condition.is_some())
            .count();
        require(
            tags <= MOST_TAG_CONDITIONS,
            format!("UserAttributeFilter may have {MOST_TAG_CONDITIONS} tag conditions at most"),
        )?;
        require(
            groups <= MOST_HIERARCHY_CONDITIONS,
            format!(
                "UserAttributeFilter may have {MOST_HIERARCHY_CONDITIONS} hierarchy group \
                 conditions at most"
            ),
        )
    }

    fn matches<T: Searchable>(&self, state: &State, item: &T) -> bool {
        self.or_conditions.as_ref().is_none_or(|conditions| {
            conditions.is_empty()
                || conditions
                    .iter()
                    .any(|condition| condition.matches(state, item))
        }) && self
            .and_condition
            .as_ref()
            .is_none_or(|condition| condition.matches(state, item))
            && self
                .tag_condition
                .as_ref()
                .is_none_or(|condition| condition.holds(item.tags()))
            && self
                .hierarchy_group_condition
                .as_ref()
                .is_none_or(|condition| condition.holds(state, item.hierarchy_group_id()))
    }
}

impl AttributeConditions {
    fn matches<T: Searchable>(&self, state: &State, item: &T) -> bool {
        self.tag_conditions
            .iter()
            .flatten()
            .all(|condition| condition.holds(item.tags()))
            && self
                .hierarchy_group_condition
                .as_ref()
                .is_none_or(|condition| condition.holds(state, item.hierarchy_group_id()))
    }
}

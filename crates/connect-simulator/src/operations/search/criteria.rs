//! What is searched for: conditions on fields, combined by AND and OR.

use serde::Deserialize;

use super::Searchable;
use super::hierarchy::HierarchyGroupCondition;
use crate::constraints::require;
use crate::error::ServiceError;
use crate::state::{State, UserProficiency};

/// `UserSearchCriteria`, `SecurityProfileSearchCriteria`, `RoutingProfileSearchCriteria`:
/// the latter two lack the last two members. All that are present must hold.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Criteria {
    or_conditions: Option<Vec<Self>>,
    and_conditions: Option<Vec<Self>>,
    string_condition: Option<StringCondition>,
    list_condition: Option<ListCondition>,
    hierarchy_group_condition: Option<HierarchyGroupCondition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StringCondition {
    field_name: String,
    value: String,
    comparison_type: StringComparison,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StringComparison {
    StartsWith,
    Contains,
    Exact,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListCondition {
    #[serde(rename = "TargetListType")]
    _target_list_type: TargetListType,
    conditions: Vec<ProficiencyCondition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TargetListType {
    Proficiencies,
}

/// `Condition`: on the value or on the level of the attribute that `FieldName` names.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProficiencyCondition {
    string_condition: Option<StringCondition>,
    number_condition: Option<NumberCondition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NumberCondition {
    field_name: String,
    min_value: Option<i32>,
    max_value: Option<i32>,
    comparison_type: NumberComparison,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum NumberComparison {
    GreaterOrEqual,
    Greater,
    LesserOrEqual,
    Lesser,
    Equal,
    NotEqual,
    Range,
}

impl Criteria {
    pub(super) fn check<T: Searchable>(&self) -> Result<(), ServiceError> {
        for condition in self
            .or_conditions
            .iter()
            .chain(&self.and_conditions)
            .flatten()
        {
            condition.check::<T>()?;
        }
        let Some(condition) = &self.string_condition else {
            return Ok(());
        };
        let is_text = T::TEXT_FIELDS.contains(&condition.field_name.as_str());
        require(
            is_text || T::ID_FIELDS.contains(&condition.field_name.as_str()),
            format!(
                "FieldName must be one of {}",
                [T::TEXT_FIELDS, T::ID_FIELDS].concat().join(", ")
            ),
        )?;
        // "Any queries with character lengths outside of this range will throw invalid
        // results": which those are is not said, so they are refused.
        require(
            !is_text
                || condition.comparison_type != StringComparison::Contains
                || (2..=25).contains(&condition.value.chars().count()),
            "CONTAINS needs a value of 2 to 25 characters",
        )
    }

    pub(super) fn matches<T: Searchable>(&self, state: &State, item: &T) -> bool {
        // An empty list asks for nothing.
        let any = |conditions: &Vec<Self>| {
            conditions.is_empty()
                || conditions
                    .iter()
                    .any(|condition| condition.matches(state, item))
        };
        let all = |conditions: &Vec<Self>| {
            conditions
                .iter()
                .all(|condition| condition.matches(state, item))
        };
        self.or_conditions.as_ref().is_none_or(any)
            && self.and_conditions.as_ref().is_none_or(all)
            && self.string_condition.as_ref().is_none_or(|condition| {
                let values = item.values(&condition.field_name);
                let is_text = T::TEXT_FIELDS.contains(&condition.field_name.as_str());
                values.iter().any(|value| condition.holds(value, is_text))
            })
            && self
                .list_condition
                .as_ref()
                .is_none_or(|condition| condition.holds(item.proficiencies()))
            && self
                .hierarchy_group_condition
                .as_ref()
                .is_none_or(|condition| condition.holds(state, item.hierarchy_group_id()))
    }
}

impl StringCondition {
    fn holds(&self, value: &str, ignore_case: bool) -> bool {
        let (value, wanted) = if ignore_case {
            (value.to_lowercase(), self.value.to_lowercase())
        } else {
            (value.to_owned(), self.value.clone())
        };
        match self.comparison_type {
            StringComparison::StartsWith => value.starts_with(&wanted),
            StringComparison::Contains => value.contains(&wanted),
            StringComparison::Exact => value == wanted,
        }
    }
}

impl ListCondition {
    fn holds(&self, proficiencies: &[UserProficiency]) -> bool {
        self.conditions.iter().all(|condition| {
            condition.string_condition.as_ref().is_none_or(|wanted| {
                proficiencies.iter().any(|proficiency| {
                    proficiency.attribute_name == wanted.field_name
                        && wanted.holds(&proficiency.attribute_value, false)
                })
            }) && condition.number_condition.as_ref().is_none_or(|wanted| {
                proficiencies.iter().any(|proficiency| {
                    proficiency.attribute_name == wanted.field_name
                        && wanted.holds(proficiency.level)
                })
            })
        })
    }
}

impl NumberCondition {
    /// One bound is compared with; whichever was sent.
    #[expect(
        clippy::float_cmp,
        reason = "levels are the whole numbers 1 to 5, exact in floating point"
    )]
    fn holds(&self, level: f64) -> bool {
        let minimum = self.min_value.map(f64::from);
        let maximum = self.max_value.map(f64::from);
        let bound = minimum.or(maximum);
        match self.comparison_type {
            NumberComparison::GreaterOrEqual => bound.is_some_and(|bound| level >= bound),
            NumberComparison::Greater => bound.is_some_and(|bound| level > bound),
            NumberComparison::LesserOrEqual => maximum.or(minimum).is_some_and(|b| level <= b),
            NumberComparison::Lesser => maximum.or(minimum).is_some_and(|b| level < b),
            NumberComparison::Equal => bound.is_some_and(|bound| level == bound),
            NumberComparison::NotEqual => bound.is_some_and(|bound| level != bound),
            NumberComparison::Range => {
                minimum.is_none_or(|minimum| level >= minimum)
                    && maximum.is_none_or(|maximum| level <= maximum)
            }
        }
    }
}

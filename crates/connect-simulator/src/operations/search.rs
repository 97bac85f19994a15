//! Searches: criteria on fields, filters on tags and hierarchy.
//!
//! The service searches an index. Whether it distinguishes upper and lower case is not
//! documented; here names are compared without case, so that a client that takes an
//! `EXACT` hit for the user it asked for, without comparing, is found out.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{page_of, routing_profiles as routing, users as user_operations};
use crate::call::{Call, Context, Reply};
use crate::constraints::require;
use crate::error::{ErrorCode, ServiceError};
use crate::page::PageRequest;
use crate::state::{RoutingProfile, SecurityProfile, State, Tags, UserProficiency, UserRecord};

const LARGEST_PAGE: usize = 500;
const LARGEST_PAGE_OF_SECURITY_PROFILES: usize = 100;
const MOST_TAG_CONDITIONS: usize = 25;
const MOST_HIERARCHY_CONDITIONS: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    search_criteria: Option<Criteria>,
    search_filter: Option<Filter>,
}

/// `UserSearchCriteria`, `SecurityProfileSearchCriteria`, `RoutingProfileSearchCriteria`:
/// the latter two lack the last two members. All that are present must hold.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Criteria {
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HierarchyGroupCondition {
    value: String,
    hierarchy_group_match_type: HierarchyGroupMatch,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum HierarchyGroupMatch {
    Exact,
    WithChildGroups,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
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

/// Something that can be searched for.
trait Searchable {
    /// The fields of text, which can be searched for a part, in any case.
    const TEXT_FIELDS: &[&str];
    /// The fields of identifiers.
    const ID_FIELDS: &[&str];

    /// The values of a field; none for another name.
    fn values(&self, field: &str) -> Vec<&str>;
    fn tags(&self) -> &Tags;
    fn hierarchy_group_id(&self) -> Option<&str> {
        None
    }
    fn proficiencies(&self) -> &[UserProficiency] {
        &[]
    }
}

impl Searchable for UserRecord {
    const TEXT_FIELDS: &[&str] = &["Username", "FirstName", "LastName"];
    const ID_FIELDS: &[&str] = &["RoutingProfileId", "SecurityProfileId", "resourceId"];

    fn values(&self, field: &str) -> Vec<&str> {
        let user = &self.user;
        match field {
            "Username" => vec![&user.username],
            "FirstName" => user
                .identity_info
                .first_name
                .iter()
                .map(AsRef::as_ref)
                .collect(),
            "LastName" => user
                .identity_info
                .last_name
                .iter()
                .map(AsRef::as_ref)
                .collect(),
            "RoutingProfileId" => vec![&user.routing_profile_id],
            "SecurityProfileId" => user
                .security_profile_ids
                .iter()
                .map(AsRef::as_ref)
                .collect(),
            "resourceId" => vec![&user.id],
            _ => Vec::new(),
        }
    }

    fn tags(&self) -> &Tags {
        &self.user.tags
    }

    fn hierarchy_group_id(&self) -> Option<&str> {
        self.user.hierarchy_group_id.as_deref()
    }

    fn proficiencies(&self) -> &[UserProficiency] {
        &self.proficiencies
    }
}

impl Searchable for SecurityProfile {
    const TEXT_FIELDS: &[&str] = &["name"];
    const ID_FIELDS: &[&str] = &[];

    fn values(&self, field: &str) -> Vec<&str> {
        match field {
            "name" => vec![&self.security_profile_name],
            _ => Vec::new(),
        }
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

impl Searchable for RoutingProfile {
    const TEXT_FIELDS: &[&str] = &["name", "description"];
    const ID_FIELDS: &[&str] = &["associatedQueueIds", "resourceID"];

    fn values(&self, field: &str) -> Vec<&str> {
        match field {
            "name" => vec![&self.name],
            "description" => vec![&self.description],
            "associatedQueueIds" => self
                .associated_queue_ids
                .iter()
                .map(AsRef::as_ref)
                .collect(),
            "resourceID" => vec![&self.routing_profile_id],
            _ => Vec::new(),
        }
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

pub(super) fn users(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    let request = Request::of::<UserRecord>(call)?;
    let page = PageRequest::from_body(call, context, LARGEST_PAGE)?;
    state.advance_index(context.now);
    let hits: Vec<_> = state
        .searchable_users()
        .iter()
        .filter(|(_, record)| request.matches(state, *record))
        .map(|(id, record)| Ok((id.clone(), user_operations::search_summary(&record.user)?)))
        .collect::<Result<_, ServiceError>>()?;
    Ok(Some(reply("Users", &page, hits)))
}

pub(super) fn security_profiles(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let request = Request::of::<SecurityProfile>(call)?;
    let page = PageRequest::from_body(call, context, LARGEST_PAGE_OF_SECURITY_PROFILES)?;
    let hits = state
        .security_profiles
        .iter()
        .map(|(id, record)| (id, &record.profile))
        .filter(|(_, profile)| request.matches(state, *profile))
        .map(|(id, profile)| {
            let mut summary = json!({
                "Id": profile.id,
                "OrganizationResourceId": profile.organization_resource_id,
                "Arn": profile.arn,
                "SecurityProfileName": profile.security_profile_name,
                "Tags": profile.tags,
            });
            if let Some(description) = &profile.description {
                summary["Description"] = json!(description);
            }
            (id.clone(), summary)
        })
        .collect();
    Ok(Some(reply("SecurityProfiles", &page, hits)))
}

pub(super) fn routing_profiles(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let request = Request::of::<RoutingProfile>(call)?;
    let page = PageRequest::from_body(call, context, LARGEST_PAGE)?;
    let hits = state
        .routing_profiles
        .iter()
        .filter(|(_, profile)| request.matches(state, *profile))
        .map(|(id, profile)| (id.clone(), routing::shape(state, profile)))
        .collect();
    Ok(Some(reply("RoutingProfiles", &page, hits)))
}

fn reply(list: &str, page: &PageRequest, hits: Vec<(String, Value)>) -> Value {
    let total = hits.len();
    let mut body = page_of(list, page.of(hits));
    body["ApproximateTotalCount"] = json!(total);
    body
}

impl Request {
    fn of<T: Searchable>(call: &Call) -> Result<Self, ServiceError> {
        let request: Self = call.body()?;
        if let Some(criteria) = &request.search_criteria {
            criteria.check::<T>()?;
        }
        if let Some(filter) = &request.search_filter {
            filter.check()?;
        }
        Ok(request)
    }

    fn matches<T: Searchable>(&self, state: &State, item: &T) -> bool {
        self.search_criteria
            .as_ref()
            .is_none_or(|criteria| criteria.matches(state, item))
            && self
                .search_filter
                .as_ref()
                .is_none_or(|filter| filter.matches(state, item))
    }
}

impl Criteria {
    fn check<T: Searchable>(&self) -> Result<(), ServiceError> {
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

    fn matches<T: Searchable>(&self, state: &State, item: &T) -> bool {
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

impl HierarchyGroupCondition {
    fn holds(&self, state: &State, group_id: Option<&str>) -> bool {
        group_id.is_some_and(|group_id| match self.hierarchy_group_match_type {
            HierarchyGroupMatch::Exact => group_id == self.value,
            HierarchyGroupMatch::WithChildGroups => state.is_within_group(group_id, &self.value),
        })
    }
}

impl Filter {
    fn check(&self) -> Result<(), ServiceError> {
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

    fn matches<T: Searchable>(&self, state: &State, item: &T) -> bool {
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

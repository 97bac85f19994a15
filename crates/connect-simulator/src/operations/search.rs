//! Searches: criteria on fields, filters on tags and hierarchy.
//!
//! The service searches an index. Whether it distinguishes upper and lower case is not
//! documented; here names are compared without case, so that a client that takes an
//! `EXACT` hit for the user it asked for, without comparing, is found out.

mod criteria;
mod filter;
mod hierarchy;

use serde::Deserialize;
use serde_json::{Value, json};

use self::criteria::Criteria;
use self::filter::Filter;
use super::{page_of, routing_profiles as routing, users as user_operations};
use crate::call::{Call, Context, Reply};
use crate::error::ServiceError;
use crate::page::PageRequest;
use crate::state::{RoutingProfile, SecurityProfile, State, Tags, UserProficiency, UserRecord};

const LARGEST_PAGE: usize = 500;
const LARGEST_PAGE_OF_SECURITY_PROFILES: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    search_criteria: Option<Criteria>,
    search_filter: Option<Filter>,
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
    state.advance_index(context);
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

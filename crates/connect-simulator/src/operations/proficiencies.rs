//! A user's proficiencies: levels in predefined attributes of the instance.

use serde::Deserialize;
use serde_json::json;

use crate::call::{Call, Context, Reply};
use crate::constraints::{self, require};
use crate::error::ServiceError;
use crate::page::PageRequest;
use crate::state::{State, UserProficiency};

const LARGEST_PAGE: usize = 100;
/// The quota of proficiencies of one user.
const MOST_PROFICIENCIES: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    user_proficiencies: Vec<UserProficiency>,
}

pub(super) fn list(state: &State, context: &Context<'_>, call: &Call) -> Reply {
    let record = state.user(call.label("UserId"))?;
    let page = PageRequest::from_query(call, context, LARGEST_PAGE)?;
    let mut proficiencies: Vec<_> = record
        .proficiencies
        .iter()
        .map(|proficiency| {
            let key = format!(
                "{}\n{}",
                proficiency.attribute_name, proficiency.attribute_value
            );
            (key, json!(proficiency))
        })
        .collect();
    proficiencies.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut body = super::page_of("UserProficiencyList", page.of(proficiencies));
    body["LastModifiedTime"] = json!(record.user.last_modified_time);
    body["LastModifiedRegion"] = json!(record.user.last_modified_region);
    Ok(Some(body))
}

/// Adds proficiencies; one that the user has gets the level sent.
pub(super) fn associate(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    let sent = checked(state, call)?;
    let id = call.label("UserId");
    let mut proficiencies = state.user(id)?.proficiencies.clone();
    for proficiency in sent {
        match position(&proficiencies, &proficiency) {
            Some(position) => proficiencies[position] = proficiency,
            None => proficiencies.push(proficiency),
        }
    }
    if proficiencies.len() > MOST_PROFICIENCIES {
        return Err(ServiceError::invalid_request(format!(
            "a user has at most {MOST_PROFICIENCIES} proficiencies"
        )));
    }
    state.update_user(id, context, |record| record.proficiencies = proficiencies)?;
    Ok(None)
}

/// Changes the levels of proficiencies that the user has; another is not found.
pub(super) fn update(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    let sent = checked(state, call)?;
    let id = call.label("UserId");
    let mut proficiencies = state.user(id)?.proficiencies.clone();
    for proficiency in sent {
        let position = position(&proficiencies, &proficiency)
            .ok_or_else(|| ServiceError::not_found("proficiency", &proficiency.attribute_name))?;
        proficiencies[position] = proficiency;
    }
    state.update_user(id, context, |record| record.proficiencies = proficiencies)?;
    Ok(None)
}

/// Takes proficiencies away; to take what is not there is no error.
pub(super) fn disassociate(state: &mut State, context: &Context<'_>, call: &Call) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Attribute {
        attribute_name: String,
        attribute_value: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        user_proficiencies: Vec<Attribute>,
    }

    let Request { user_proficiencies } = call.body()?;
    state.update_user(call.label("UserId"), context, |record| {
        record.proficiencies.retain(|proficiency| {
            !user_proficiencies.iter().any(|attribute| {
                attribute.attribute_name == proficiency.attribute_name
                    && attribute.attribute_value == proficiency.attribute_value
            })
        });
    })?;
    Ok(None)
}

fn checked(state: &State, call: &Call) -> Result<Vec<UserProficiency>, ServiceError> {
    let Request { user_proficiencies } = call.body()?;
    for proficiency in &user_proficiencies {
        constraints::length("AttributeName", &proficiency.attribute_name, 1, 100)?;
        constraints::length("AttributeValue", &proficiency.attribute_value, 1, 100)?;
        require(
            (1.0..=5.0).contains(&proficiency.level) && proficiency.level.fract() == 0.0,
            "Level must be 1, 2, 3, 4 or 5",
        )?;
        let known = state
            .predefined_attributes
            .get(&proficiency.attribute_name)
            .is_some_and(|values| values.contains(&proficiency.attribute_value));
        if !known {
            return Err(ServiceError::not_found(
                "value of a predefined attribute",
                &format!(
                    "{} = {}",
                    proficiency.attribute_name, proficiency.attribute_value
                ),
            ));
        }
    }
    Ok(user_proficiencies)
}

fn position(proficiencies: &[UserProficiency], wanted: &UserProficiency) -> Option<usize> {
    proficiencies.iter().position(|proficiency| {
        proficiency.attribute_name == wanted.attribute_name
            && proficiency.attribute_value == wanted.attribute_value
    })
}

//! Lists: `eq` filters, and pages by cursor.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use scim::filter::{CompareOperator, Filter, FilterValue};
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::state::State;

/// The page size when none is asked for, and the largest.
const PAGE: usize = 100;

/// The page size before cursors.
const OLD_PAGE: usize = 50;

/// The query of a list.
#[derive(Debug, Default)]
pub(crate) struct Query {
    filter: Option<String>,
    cursor: Option<String>,
    count: Option<usize>,
    /// With a parameter that the pages `listusers` and `listgroups` do not list as supported.
    has_unsupported: bool,
}

impl Query {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                "filter" => query.filter = Some(value.into_owned()),
                "cursor" => query.cursor = Some(value.into_owned()),
                "count" => {
                    let count = value.parse().map_err(|_| Error::Validation)?;
                    if !(1..=PAGE).contains(&count) {
                        return Err(Error::Validation);
                    }
                    query.count = Some(count);
                }
                _ => query.has_unsupported = true,
            }
        }
        Ok(query)
    }
}

/// `attribute eq "value"`, with the attribute in lower case.
type Equality = (String, String);

fn equalities(filter: &Filter) -> Result<Vec<Equality>, Error> {
    match filter {
        Filter::Compare {
            path,
            operator: CompareOperator::Eq,
            value: FilterValue::String(value),
        } => Ok(vec![(path.to_string().to_lowercase(), value.clone())]),
        Filter::And(terms) => {
            let nested: Result<Vec<_>, _> = terms.iter().map(equalities).collect();
            Ok(nested?.into_iter().flatten().collect())
        }
        _ => Err(Error::Validation),
    }
}

/// The id of `members[value eq "id"]`.
pub(crate) fn only_value(filter: &Filter) -> Result<String, Error> {
    match &equalities(filter)?[..] {
        [(attribute, value)] if attribute == "value" => Ok(value.clone()),
        _ => Err(Error::Validation),
    }
}

fn parse(filter: Option<&str>) -> Result<Vec<Equality>, Error> {
    let Some(filter) = filter else {
        return Ok(Vec::new());
    };
    let filter: Filter = filter.parse().map_err(|_| Error::Validation)?;
    equalities(&filter)
}

impl State {
    pub(crate) fn list_users(&self, query: &Query) -> Result<Value, Error> {
        let equalities = parse(query.filter.as_deref())?;
        let terms: Vec<(&str, &str)> = equalities
            .iter()
            .map(|(attribute, value)| (attribute.as_str(), value.as_str()))
            .collect();
        let ids: BTreeSet<&String> = match terms[..] {
            [] => self.users.keys().collect(),
            [("username", value)] => self.users_with("userName", value),
            [("externalid", value)] => self.users_with("externalId", value),
            [("groups.value" | "groups", group)] => {
                let group = self.groups.get(group).ok_or(Error::NotFound)?;
                group.members.iter().collect()
            }
            [("id", id), ("manager" | "manager.value", manager)]
            | [("manager" | "manager.value", manager), ("id", id)] => {
                let found = self.users.get_key_value(id).filter(|(_, user)| {
                    let extension =
                        user.get("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User");
                    extension.and_then(|extension| extension.get("manager")?.get("value")?.as_str())
                        == Some(manager)
                });
                found.map(|(id, _)| id).into_iter().collect()
            }
            _ => return Err(Error::Validation),
        };
        self.page(ids, query, |id| {
            self.users.get(id).cloned().unwrap_or_default()
        })
    }

    pub(crate) fn list_groups(&self, query: &Query) -> Result<Value, Error> {
        let equalities = parse(query.filter.as_deref())?;
        let terms: Vec<(&str, &str)> = equalities
            .iter()
            .map(|(attribute, value)| (attribute.as_str(), value.as_str()))
            .collect();
        let of_member = |user: &str| {
            self.users
                .contains_key(user)
                .then(|| self.groups_of(user))
                .ok_or(Error::NotFound)
        };
        let ids: BTreeSet<String> = match terms[..] {
            [] => self.groups.keys().cloned().collect(),
            [("displayname", value)] => self.groups_with("displayName", value),
            [("externalid", value)] => self.groups_with("externalId", value),
            [("members.value" | "members", user)] => of_member(user)?,
            [("id", id), ("members" | "members.value", user)]
            | [("members" | "members.value", user), ("id", id)] => of_member(user)?
                .into_iter()
                .filter(|group| group == id)
                .collect(),
            _ => return Err(Error::Validation),
        };
        self.page(ids.iter().collect(), query, |id| self.group_document(id))
    }

    /// A group as it is answered: `members` is always empty.
    pub(crate) fn group_document(&self, id: &str) -> Map<String, Value> {
        let mut resource = self
            .groups
            .get(id)
            .map(|group| group.resource.clone())
            .unwrap_or_default();
        resource.insert("members".to_owned(), json!([]));
        resource
    }

    fn users_with(&self, name: &str, value: &str) -> BTreeSet<&String> {
        let all = self.users.iter();
        all.filter(|(_, user)| equal(user.get(name), value))
            .map(|(id, _)| id)
            .collect()
    }

    fn groups_with(&self, name: &str, value: &str) -> BTreeSet<String> {
        let all = self.groups.iter();
        all.filter(|(_, group)| equal(group.resource.get(name), value))
            .map(|(id, _)| id.clone())
            .collect()
    }

    fn page(
        &self,
        ids: BTreeSet<&String>,
        query: &Query,
        document: impl Fn(&str) -> Map<String, Value>,
    ) -> Result<Value, Error> {
        // Before cursors, clients had nothing else, and it was without effect.
        if query.has_unsupported && self.options.cursors {
            return Err(Error::Validation);
        }
        let total = ids.len();
        let cursor = query.cursor.as_deref().filter(|_| self.options.cursors);
        let mut size = query.count.unwrap_or(PAGE);
        if !self.options.cursors {
            size = size.min(OLD_PAGE);
        }
        let mut rest = ids.into_iter().peekable();
        if let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) {
            let (last, filter) = cursor.rsplit_once(':').ok_or(Error::Validation)?;
            if filter != mark(query.filter.as_deref()) {
                return Err(Error::Validation);
            }
            while rest.next_if(|id| id.as_str() <= last).is_some() {}
            if let Some(seed) = self.options.short_pages {
                let mut hasher = DefaultHasher::new();
                (seed, last).hash(&mut hasher);
                size = StdRng::seed_from_u64(hasher.finish()).random_range(0..=size);
            }
        }
        let page: Vec<&String> = rest.by_ref().take(size).collect();
        let mut answer = Map::new();
        answer.insert(
            "schemas".to_owned(),
            json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]),
        );
        answer.insert("itemsPerPage".to_owned(), page.len().into());
        if let Some(cursor) = cursor {
            if rest.peek().is_some() {
                let before = cursor.rsplit_once(':').map(|(last, _)| last.to_owned());
                let last = page
                    .last()
                    .map(|id| (*id).clone())
                    .or(before)
                    .unwrap_or_default();
                // A page without anything must still lead on.
                let last = if page.is_empty() {
                    rest.peek().map(|next| just_before(next)).unwrap_or(last)
                } else {
                    last
                };
                let next = format!("{last}:{}", mark(query.filter.as_deref()));
                answer.insert("nextCursor".to_owned(), next.into());
            }
        } else {
            answer.insert("totalResults".to_owned(), total.into());
            answer.insert("startIndex".to_owned(), 1.into());
        }
        let resources: Vec<Value> = page
            .into_iter()
            .map(|id| Value::Object(document(id)))
            .collect();
        answer.insert("Resources".to_owned(), resources.into());
        Ok(Value::Object(answer))
    }
}

/// Something that is ordered before an id and behind the ids before it, and that another
/// page size follows from.
fn just_before(id: &str) -> String {
    let mut text = id.to_owned();
    text.pop();
    text
}

fn mark(filter: Option<&str>) -> String {
    let mut hasher = DefaultHasher::new();
    filter.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

fn equal(value: Option<&Value>, text: &str) -> bool {
    value
        .and_then(Value::as_str)
        .is_some_and(|value| value.to_lowercase() == text.to_lowercase())
}

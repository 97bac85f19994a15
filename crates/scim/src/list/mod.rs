//! Queries and list responses (RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865).

mod budget;
mod cursor;
mod query;
mod sort;

use serde_json::{Value, json};

pub use budget::Budget;
pub use cursor::invalid_cursor;
pub use query::{ListQuery, Paging, Sort};

pub(crate) use budget::{escaped_length, escaped_size};

use crate::resource::Resource;
use crate::schema::ResourceType;

/// The schema URN of a list response.
pub const LIST_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The schema URN of a search request.
pub const SEARCH_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// One page of results; projection leaves it as it is or takes from it.
#[derive(Clone, PartialEq)]
pub struct Page<'a> {
    /// How many resources satisfy the filter, on all pages.
    pub total_results: usize,
    /// The resources of this page, each with its type.
    pub resources: Vec<(&'a ResourceType, Resource)>,
    /// The cursor of the next page, if the query pages by cursor and there is one.
    pub next_cursor: Option<String>,
}

impl<'a> Page<'a> {
    /// A page without results.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            total_results: 0,
            resources: Vec::new(),
            next_cursor: None,
        }
    }

    /// Answers a query from all candidates at once: filters, sorts, cuts out the page, which
    /// ends early if it would be too large.
    /// Stores that hold many resources page by themselves instead.
    ///
    /// # Errors
    ///
    /// `invalidCursor` for a cursor that was not made for this query.
    pub fn select(
        query: &ListQuery,
        candidates: impl IntoIterator<Item = (&'a ResourceType, Resource)>,
    ) -> Result<Self, crate::ScimError> {
        let mut matches: Vec<(&ResourceType, Resource)> = candidates
            .into_iter()
            .filter(|(resource_type, resource)| {
                query
                    .filter
                    .as_ref()
                    .is_none_or(|filter| filter.matches(resource, resource_type))
            })
            .collect();
        if let Some(sort) = &query.sort {
            sort.apply(&mut matches);
        }
        let (skipped, count) = match query.paging {
            Paging::Index { start_index, count } => (start_index.saturating_sub(1), count),
            Paging::Cursor { count, .. } => {
                let position = query
                    .position()?
                    .map_or(Ok(0), |position| position.parse::<usize>());
                (position.map_err(|_| invalid_cursor())?, count)
            }
        };
        let total_results = matches.len();
        let mut budget = query.budget();
        let resources: Vec<_> = matches
            .into_iter()
            .skip(skipped)
            .take(count)
            .map(|(resource_type, resource)| {
                let shown = query.projection.apply(resource, resource_type);
                (resource_type, shown)
            })
            .take_while(|(_, resource)| budget.take(resource))
            .collect();
        let end = skipped.saturating_add(resources.len());
        let by_cursor = matches!(query.paging, Paging::Cursor { .. });
        let next_cursor = (by_cursor && !resources.is_empty() && end < total_results)
            .then(|| query.cursor_at(&end.to_string()));
        Ok(Self {
            total_results,
            resources,
            next_cursor,
        })
    }
}

/// The list response of a page whose resources are ready to be shown.
pub(crate) fn list_response(query: &ListQuery, page: &Page<'_>, resources: Vec<Value>) -> Value {
    let mut response = json!({
        "schemas": [LIST_RESPONSE_URN],
        "totalResults": page.total_results,
        "itemsPerPage": resources.len(),
    });
    // Not within json!, which would copy them.
    response["Resources"] = Value::Array(resources);
    match query.paging {
        Paging::Index { start_index, .. } => response["startIndex"] = start_index.into(),
        Paging::Cursor { .. } => {
            if let Some(cursor) = &page.next_cursor {
                response["nextCursor"] = cursor.as_str().into();
            }
        }
    }
    response
}

//! What a client asks of a list, as query parameters (RFC 7644 section 3.4.2) or as the
//! body of a search request (section 3.4.3).

use serde_json::Value;

use super::Budget;
use crate::error::{ScimError, ScimType};
use crate::filter::Filter;
use crate::path::{AttributePath, PatchPath};
use crate::projection::Projection;
use crate::schema::{Pagination, ResourceType, ServiceDefinition};

/// A query, with its limits applied.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// Which resources.
    pub filter: Option<Filter>,
    /// In which order; the store's own where the client names none.
    pub sort: Option<Sort>,
    /// Which part of them.
    pub paging: Paging,
    /// Which attributes.
    pub projection: Projection,
    /// The bytes of a response, as [`ServiceDefinition::max_response_size`] counts them.
    pub max_response_size: usize,
}

/// The order of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The attribute that decides.
    pub by: AttributePath,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Which part of the results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// From the `start_index`th result (from 1) `count` results.
    Index {
        /// At least 1; echoed in the answer, even past the end.
        start_index: usize,
        /// At most the service's largest page; 0 asks for the total alone.
        count: usize,
    },
    /// From where the cursor points; the first page has none (RFC 9865).
    Cursor {
        /// As the client sent it; see [`ListQuery::position`].
        cursor: Option<String>,
        /// At most the service's largest page.
        count: usize,
    },
}

impl Paging {
    /// Results on one page, at most.
    #[must_use]
    pub const fn count(&self) -> usize {
        match self {
            Self::Index { count, .. } | Self::Cursor { count, .. } => *count,
        }
    }
}

/// The parameters as text, wherever they stood.
#[derive(Default)]
struct Parameters {
    filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    cursor: Option<String>,
    attributes: Vec<String>,
    excluded_attributes: Vec<String>,
}

impl Parameters {
    fn from_query(query: &[(String, String)]) -> Result<Self, ScimError> {
        let mut parameters = Self::default();
        for (name, value) in query {
            parameters.set(name, &Value::from(value.as_str()))?;
        }
        Ok(parameters)
    }

    /// Takes one parameter. Lists may come in several parts; a parameter with one value may
    /// only be repeated.
    fn set(&mut self, name: &str, value: &Value) -> Result<(), ScimError> {
        let (parameter, scim_type) = match name.to_ascii_lowercase().as_str() {
            "filter" => (&mut self.filter, ScimType::InvalidFilter),
            "sortby" => (&mut self.sort_by, ScimType::InvalidValue),
            "sortorder" => (&mut self.sort_order, ScimType::InvalidValue),
            "startindex" => (&mut self.start_index, ScimType::InvalidValue),
            "count" => (&mut self.count, ScimType::InvalidValue),
            "cursor" => (&mut self.cursor, ScimType::InvalidCursor),
            "attributes" => return add_names(&mut self.attributes, value),
            "excludedattributes" => return add_names(&mut self.excluded_attributes, value),
            _ => return Ok(()),
        };
        let text = match value {
            Value::Null => return Ok(()),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(ScimError::of(scim_type, format!("{name} has one value"))),
        };
        if parameter.as_ref().is_some_and(|given| *given != text) {
            let detail = format!("{name} is given more than once, with different values");
            return Err(ScimError::of(scim_type, detail));
        }
        *parameter = Some(text);
        Ok(())
    }
}

/// Adds names in an array, or separated by commas outside of brackets.
fn add_names(names: &mut Vec<String>, value: &Value) -> Result<(), ScimError> {
    match value {
        Value::Null => Ok(()),
        Value::Array(values) => values.iter().try_for_each(|value| add_names(names, value)),
        Value::String(text) => {
            let mut depth = 0_usize;
            let parts = text.split(|next| {
                match next {
                    '[' => depth += 1,
                    ']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                next == ',' && depth == 0
            });
            let parts = parts.map(str::trim).filter(|name| !name.is_empty());
            names.extend(parts.map(str::to_owned));
            Ok(())
        }
        _ => Err(ScimError::invalid_value(
            "attributes and excludedAttributes are lists of names",
        )),
    }
}

impl Projection {
    /// Reads `attributes` and `excludedAttributes` of a request's query.
    ///
    /// # Errors
    ///
    /// As [`ListQuery::from_query`].
    pub fn from_query(query: &[(String, String)]) -> Result<Self, ScimError> {
        let parameters = Parameters::from_query(query)?;
        Ok(Self::new(
            &parameters.attributes,
            &parameters.excluded_attributes,
        ))
    }
}

impl ListQuery {
    /// Reads decoded query parameters.
    ///
    /// # Errors
    ///
    /// `invalidFilter` for the filter, an empty one included; `invalidPath` for `sortBy`;
    /// `invalidValue` for a number that is none (`invalidCount` with a cursor), another
    /// `sortOrder`, and a parameter with one value that has several.
    pub fn from_query(
        query: &[(String, String)],
        service: &ServiceDefinition,
        resource_types: &[&ResourceType],
    ) -> Result<Self, ScimError> {
        Self::new(Parameters::from_query(query)?, service, resource_types)
    }

    /// Reads the body of a search request. Its `schemas` are not looked at: test suites
    /// send other URNs there.
    ///
    /// # Errors
    ///
    /// As [`from_query`](Self::from_query), and `invalidSyntax` if the body is no object.
    pub fn from_search_request(
        body: &Value,
        service: &ServiceDefinition,
        resource_types: &[&ResourceType],
    ) -> Result<Self, ScimError> {
        let Value::Object(members) = body else {
            return Err(ScimError::invalid_syntax(
                "the body of a search must be a JSON object",
            ));
        };
        let mut parameters = Parameters::default();
        for (name, value) in members {
            parameters.set(name, value)?;
        }
        Self::new(parameters, service, resource_types)
    }

    /// What fits on a page.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        Budget::new(self.max_response_size)
    }

    fn new(
        parameters: Parameters,
        service: &ServiceDefinition,
        resource_types: &[&ResourceType],
    ) -> Result<Self, ScimError> {
        let filter = parameters.filter;
        let filter = filter.map(|text| text.parse::<Filter>()).transpose()?;
        if let Some(filter) = &filter {
            resource_types
                .iter()
                .try_for_each(|resource_type| filter.check(resource_type))?;
        }
        let sort = match parameters
            .sort_by
            .filter(|text| service.sort && !text.trim().is_empty())
        {
            Some(text) => Some(Sort {
                by: text.parse::<PatchPath>()?.path,
                descending: is_descending(parameters.sort_order.as_deref())?,
            }),
            None => None,
        };
        let cursor = parameters.cursor.filter(|_| service.pagination.cursor);
        let paging = match cursor {
            Some(cursor) => Paging::Cursor {
                cursor: Some(cursor).filter(|cursor| !cursor.is_empty()),
                count: page_size(parameters.count.as_deref(), &service.pagination).ok_or_else(
                    || ScimError::of(ScimType::InvalidCount, "count must be a whole number"),
                )?,
            },
            None => Paging::Index {
                start_index: start_index(parameters.start_index.as_deref())
                    .ok_or_else(|| ScimError::invalid_value("startIndex must be a whole number"))?,
                count: page_size(parameters.count.as_deref(), &service.pagination)
                    .ok_or_else(|| ScimError::invalid_value("count must be a whole number"))?,
            },
        };
        let projection = Projection::new(&parameters.attributes, &parameters.excluded_attributes);
        Ok(Self {
            filter,
            sort,
            paging,
            projection,
            max_response_size: service.max_response_size,
        })
    }
}

fn is_descending(order: Option<&str>) -> Result<bool, ScimError> {
    match order.unwrap_or_default().trim() {
        "" => Ok(false),
        order if order.eq_ignore_ascii_case("ascending") => Ok(false),
        order if order.eq_ignore_ascii_case("descending") => Ok(true),
        _ => Err(ScimError::invalid_value(
            "sortOrder must be ascending or descending",
        )),
    }
}

/// A value less than 1 means 1 (RFC 7644 section 3.4.2.4).
fn start_index(text: Option<&str>) -> Option<usize> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Some(1);
    };
    text.parse::<i64>()
        .ok()
        .map(|index| usize::try_from(index).unwrap_or(0).max(1))
}

/// A negative value means 0 (RFC 7644 section 3.4.2.4).
fn page_size(text: Option<&str>, limits: &Pagination) -> Option<usize> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Some(limits.default_page_size.min(limits.max_page_size));
    };
    text.parse::<i64>().ok().map(|count| {
        usize::try_from(count)
            .unwrap_or(0)
            .min(limits.max_page_size)
    })
}

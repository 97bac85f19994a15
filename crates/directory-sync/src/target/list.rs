//! Whole lists, page by page.
//!
//! By cursor (RFC 9865) where the server has them: Identity Center gives only one page
//! without, and pages may be short, so that only a missing `nextCursor` is the end. Else by
//! `startIndex`. A list that does not come whole is an error: what it does not show would be
//! taken for missing.

use std::collections::HashSet;

use form_urlencoded::Serializer;
use scim::filter::{CompareOperator, Filter, FilterValue};
use scim::path::AttributePath;
use serde_json::Value;

use super::client::Client;
use super::error::Error;
use super::operation::Operation;

/// The largest page of Identity Center.
pub(super) const PAGE: usize = 100;

/// How often a list by index is read again when it changed while it was read.
const ATTEMPTS: usize = 3;

/// How pages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paging {
    pub cursors: bool,
    /// Entries asked for at a time.
    pub count: usize,
}

/// `attribute eq "value"`; the attribute may have a sub-attribute.
pub(super) fn equals(attribute: &str, value: &str) -> Filter {
    let (attribute, sub_attribute) = match attribute.split_once('.') {
        Some((attribute, sub_attribute)) => (attribute, Some(sub_attribute.to_owned())),
        None => (attribute, None),
    };
    Filter::Compare {
        path: AttributePath {
            sub_attribute,
            ..AttributePath::attribute(attribute)
        },
        operator: CompareOperator::Eq,
        value: FilterValue::String(value.to_owned()),
    }
}

impl Client {
    /// All entries of a list, each once, in the order in which they came. Each page is read
    /// into what is kept of it: as JSON, all users of a large company would fill the memory.
    pub(super) async fn list<T>(
        &self,
        operation: Operation,
        filter: Option<&Filter>,
        paging: Paging,
        read: impl Fn(Value) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let filter = filter.map(Filter::to_string);
        let filter = filter.as_deref();
        if !paging.cursors {
            return self.by_index(operation, filter, paging.count, read).await;
        }
        let mut entries = Entries::new(operation, &read);
        let mut cursor = String::new();
        let mut seen = HashSet::new();
        loop {
            let query = [
                ("cursor", cursor.as_str()),
                ("count", &paging.count.to_string()),
            ];
            let page = self.page(operation, filter, &query).await?;
            let (count, total) = (page.resources.len(), page.total);
            entries.extend(page.resources)?;
            match page.next_cursor {
                Some(next) => {
                    if !seen.insert(next.clone()) {
                        return Err(Error::Malformed {
                            operation,
                            problem: "leads to a page that was already read",
                        });
                    }
                    cursor = next;
                }
                // A server that does not know cursors gives the first page of many.
                None if seen.is_empty() && total.is_some_and(|total| total > count) => {
                    return self.by_index(operation, filter, paging.count, read).await;
                }
                None => return Ok(entries.list),
            }
        }
    }

    async fn by_index<T>(
        &self,
        operation: Operation,
        filter: Option<&str>,
        count: usize,
        read: impl Fn(Value) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut last = (0, 0);
        for _ in 0..ATTEMPTS {
            let mut entries = Entries::new(operation, &read);
            let mut position = 1;
            loop {
                let query = [
                    ("startIndex", position.to_string()),
                    ("count", count.to_string()),
                ];
                let query = query
                    .each_ref()
                    .map(|(name, value)| (*name, value.as_str()));
                let page = self.page(operation, filter, &query).await?;
                let total = page.total.unwrap_or(page.resources.len());
                position += page.resources.len();
                let new = entries.extend(page.resources)?;
                last = (entries.list.len(), total);
                if entries.list.len() >= total {
                    return Ok(entries.list);
                }
                if new == 0 {
                    break;
                }
            }
        }
        let (read, total) = last;
        Err(Error::Incomplete {
            operation,
            read,
            total,
        })
    }

    async fn page(
        &self,
        operation: Operation,
        filter: Option<&str>,
        query: &[(&str, &str)],
    ) -> Result<Page, Error> {
        let path = match operation {
            Operation::ListGroups => "Groups",
            _ => "Users",
        };
        let mut parameters = Serializer::new(String::new());
        parameters.extend_pairs(query);
        parameters.extend_pairs(filter.map(|filter| ("filter", filter)));
        let query = parameters.finish();
        let mut page = self
            .call(operation, &format!("{path}?{query}"), None)
            .await?;
        let resources = match page["Resources"].take() {
            Value::Array(resources) => resources,
            // RFC 7644, section 3.4.2: may be left out where there are none.
            Value::Null => Vec::new(),
            _ => {
                return Err(Error::Malformed {
                    operation,
                    problem: "has Resources that are no list",
                });
            }
        };
        Ok(Page {
            resources,
            next_cursor: page["nextCursor"]
                .as_str()
                .filter(|cursor| !cursor.is_empty())
                .map(str::to_owned),
            total: page["totalResults"]
                .as_u64()
                .and_then(|total| total.try_into().ok()),
        })
    }
}

struct Page {
    resources: Vec<Value>,
    next_cursor: Option<String>,
    total: Option<usize>,
}

/// Entries, each once: what is written while a list is read may move others to a later page.
struct Entries<'a, T, R> {
    operation: Operation,
    read: &'a R,
    list: Vec<T>,
    ids: HashSet<String>,
}

impl<'a, T, R: Fn(Value) -> Option<T>> Entries<'a, T, R> {
    fn new(operation: Operation, read: &'a R) -> Self {
        Self {
            operation,
            read,
            list: Vec::new(),
            ids: HashSet::new(),
        }
    }

    /// Takes what is new; how many that are.
    fn extend(&mut self, resources: Vec<Value>) -> Result<usize, Error> {
        let unusable = || Error::Malformed {
            operation: self.operation,
            problem: "has an entry without an id or a name",
        };
        let before = self.list.len();
        for resource in resources {
            let id = resource["id"].as_str().ok_or_else(unusable)?;
            if self.ids.insert(id.to_owned()) {
                self.list.push((self.read)(resource).ok_or_else(unusable)?);
            }
        }
        Ok(self.list.len() - before)
    }
}

//! Filters as text; parsing the text gives the same filter again.

use std::fmt;

use serde_json::Value;

use super::{Filter, FilterValue};

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare {
                path,
                operator,
                value,
            } => write!(formatter, "{path} {} {value}", operator.as_str()),
            Self::Present(path) => write!(formatter, "{path} pr"),
            Self::ValuePath { path, filter } => write!(formatter, "{path}[{filter}]"),
            Self::And(terms) => join(formatter, terms, " and ", |term| {
                matches!(term, Self::And(_) | Self::Or(_))
            }),
            Self::Or(terms) => join(formatter, terms, " or ", |term| matches!(term, Self::Or(_))),
            Self::Not(filter) => write!(formatter, "not ({filter})"),
        }
    }
}

fn join(
    formatter: &mut fmt::Formatter<'_>,
    terms: &[Filter],
    separator: &str,
    needs_parentheses: fn(&Filter) -> bool,
) -> fmt::Result {
    for (index, term) in terms.iter().enumerate() {
        if index > 0 {
            formatter.write_str(separator)?;
        }
        if needs_parentheses(term) {
            write!(formatter, "({term})")?
        } else {
            write!(formatter, "{term}")?
        }
    }
    Ok(())
}

impl fmt::Display for FilterValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(formatter, "{}", Value::from(text.as_str())),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Boolean(value) => write!(formatter, "{value}"),
            Self::Null => formatter.write_str("null"),
        }
    }
}

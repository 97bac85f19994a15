//! Filters (RFC 7644 section 3.4.2.2): the whole grammar, printed, evaluated, and
//! seen through by a store.
//!
//! A filter is parsed without a schema; the case rules, types and the default
//! sub-attribute `value` come in when it is [matched](Filter::matches) against a
//! resource. Identity providers depart from the grammar in known ways, and the parser
//! follows them wherever the meaning stays clear: see [`Filter`]'s `FromStr`.

mod evaluate;
mod lookup;
mod parse;
mod print;

pub use lookup::Equality;

pub(crate) use evaluate::instant;
pub(crate) use parse::parse_bracketed;

use std::fmt;

use serde_json::Number;

use crate::path::AttributePath;

/// A filter expression.
///
/// Holds what the client is looking for, which is personal data: [`Debug`] hides the
/// values, [`Display`](fmt::Display) shows them.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// `userName eq "x"`.
    Compare {
        /// What is compared.
        path: AttributePath,
        /// How.
        operator: CompareOperator,
        /// With what.
        value: FilterValue,
    },
    /// `title pr`.
    Present(AttributePath),
    /// `emails[type eq "work"]`: one value satisfies the whole inner filter.
    ValuePath {
        /// The attribute whose values are examined.
        path: AttributePath,
        /// What one value must satisfy; its paths name sub-attributes.
        filter: Box<Filter>,
    },
    /// All of at least two.
    And(Vec<Filter>),
    /// Any of at least two.
    Or(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
}

/// How an attribute is compared with a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOperator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater, later, or after in lexical order.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less, earlier, or before in lexical order.
    Lt,
    /// Less or equal.
    Le,
}

impl CompareOperator {
    const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Co,
        Self::Sw,
        Self::Ew,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
    ];

    /// The operator's keyword.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// Operators are keywords, and keywords have no case.
    fn from_keyword(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operator| operator.as_str().eq_ignore_ascii_case(word))
    }

    const fn is_ordering(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }
}

/// A literal.
#[derive(Clone, PartialEq)]
pub enum FilterValue {
    /// Text; dateTimes, references and unquoted words too.
    String(String),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Boolean(bool),
    /// No value.
    Null,
}

impl fmt::Debug for FilterValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::String(_) => "<text>",
            Self::Number(_) => "<number>",
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Null => "null",
        })
    }
}

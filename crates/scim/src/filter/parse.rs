//! The filter parser: recursive descent over the text, bounded in length and depth.
//!
//! Leniencies, each because an identity provider or suite needs it:
//! - unquoted literals (`userName sw O`, `meta.created gt 2015-10-10T14:38:21Z`), from
//!   Microsoft's collection of requests;
//! - a sub-attribute and comparison behind a value path
//!   (`emails[type eq "work"].value eq "x"`), the matching attribute of Entra ID;
//! - keywords in any case, `not` without parentheses.

use std::str::FromStr;

use serde_json::Number;

use super::{CompareOperator, Filter, FilterValue};
use crate::error::{ScimError, ScimType};
use crate::path::{AttributePath, is_attribute_name};

/// The longest filter that is read, in bytes. API Gateway ends URLs at 10 KiB.
const MAX_LENGTH: usize = 16 * 1024;

/// How deep parentheses, brackets and `not` may nest.
const MAX_DEPTH: usize = 64;

impl FromStr for Filter {
    type Err = ScimError;

    /// # Errors
    ///
    /// `invalidFilter`, with the position (in characters, from 1) and what was expected
    /// there.
    fn from_str(text: &str) -> Result<Self, ScimError> {
        let mut parser = Parser::new(text)?;
        let filter = parser.disjunction(Context::Resource)?;
        parser.skip_spaces();
        if parser.rest().is_empty() {
            Ok(filter)
        } else {
            Err(parser.expected("and, or, or the end"))
        }
    }
}

/// Parses the inside of a value path, given the text behind the opening bracket;
/// returns the filter and the text behind the closing one.
pub(crate) fn parse_bracketed(text: &str) -> Result<(Filter, &str), ScimError> {
    let mut parser = Parser::new(text)?;
    let filter = parser.disjunction(Context::Value)?;
    parser.expect("]")?;
    Ok((filter, parser.rest()))
}

/// Where an expression stands: value paths do not nest.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    Resource,
    Value,
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, ScimError> {
        if text.len() > MAX_LENGTH {
            return Err(ScimError::of(
                ScimType::InvalidFilter,
                format!("the filter is longer than {MAX_LENGTH} bytes"),
            ));
        }
        Ok(Self {
            text,
            position: 0,
            depth: 0,
        })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn expected(&self, what: &str) -> ScimError {
        let position = self.text[..self.position].chars().count() + 1;
        ScimError::of(
            ScimType::InvalidFilter,
            format!("expected {what} at character {position} of the filter"),
        )
    }

    fn skip_spaces(&mut self) {
        self.position = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes the symbol if it comes next.
    fn take(&mut self, symbol: &str) -> bool {
        self.skip_spaces();
        let found = self.rest().starts_with(symbol);
        if found {
            self.position += symbol.len();
        }
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), ScimError> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(self.expected(symbol))
        }
    }

    /// The next word, up to a space, parenthesis, bracket or quotation mark.
    fn peek_word(&mut self) -> &'a str {
        self.skip_spaces();
        let rest = self.rest();
        let end = rest.find(|next: char| next.is_whitespace() || "()[]\"".contains(next));
        &rest[..end.unwrap_or(rest.len())]
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let word = self.peek_word();
        let found = word.eq_ignore_ascii_case(keyword);
        if found {
            self.position += word.len();
        }
        found
    }

    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, ScimError>,
    ) -> Result<T, ScimError> {
        if self.depth == MAX_DEPTH {
            return Err(self.expected("an expression nested less deeply"));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn disjunction(&mut self, context: Context) -> Result<Filter, ScimError> {
        let first = self.conjunction(context)?;
        let mut terms = vec![first];
        while self.take_keyword("or") {
            terms.push(self.conjunction(context)?);
        }
        Ok(single_or(terms, Filter::Or))
    }

    fn conjunction(&mut self, context: Context) -> Result<Filter, ScimError> {
        let first = self.term(context)?;
        let mut terms = vec![first];
        while self.take_keyword("and") {
            terms.push(self.term(context)?);
        }
        Ok(single_or(terms, Filter::And))
    }

    fn term(&mut self, context: Context) -> Result<Filter, ScimError> {
        if self.take_keyword("not") {
            return self.nested(|parser| Ok(Filter::Not(Box::new(parser.term(context)?))));
        }
        if self.take("(") {
            let filter = self.nested(|parser| parser.disjunction(context))?;
            self.expect(")")?;
            return Ok(filter);
        }
        let path = self.path()?;
        if self.rest().starts_with('[') {
            return self.value_path(path, context);
        }
        self.comparison(path)
    }

    fn path(&mut self) -> Result<AttributePath, ScimError> {
        let word = self.peek_word();
        let path = AttributePath::parse(word)
            .ok_or_else(|| self.expected("an attribute such as userName"))?;
        self.position += word.len();
        Ok(path)
    }

    fn comparison(&mut self, path: AttributePath) -> Result<Filter, ScimError> {
        if self.take_keyword("pr") {
            return Ok(Filter::Present(path));
        }
        let word = self.peek_word();
        let Some(operator) = CompareOperator::from_keyword(word) else {
            return Err(self.expected("one of eq, ne, co, sw, ew, gt, ge, lt, le, pr"));
        };
        self.position += word.len();
        Ok(Filter::Compare {
            path,
            operator,
            value: self.literal()?,
        })
    }

    fn value_path(&mut self, path: AttributePath, context: Context) -> Result<Filter, ScimError> {
        if context == Context::Value {
            return Err(self.expected("a comparison (value paths do not nest)"));
        }
        self.expect("[")?;
        let filter = self.nested(|parser| parser.disjunction(Context::Value))?;
        self.expect("]")?;
        let filter = match self.sub_attribute_comparison()? {
            None => filter,
            Some(comparison) => match filter {
                Filter::And(mut terms) => {
                    terms.push(comparison);
                    Filter::And(terms)
                }
                other => Filter::And(vec![other, comparison]),
            },
        };
        Ok(Filter::ValuePath {
            path,
            filter: Box::new(filter),
        })
    }

    /// `.value eq "x"` behind a value path: a further condition on the same value.
    fn sub_attribute_comparison(&mut self) -> Result<Option<Filter>, ScimError> {
        if !self.rest().starts_with('.') {
            return Ok(None);
        }
        self.position += 1;
        let word = self.peek_word();
        if !is_attribute_name(word) {
            return Err(self.expected("a sub-attribute"));
        }
        self.position += word.len();
        self.comparison(AttributePath::attribute(word)).map(Some)
    }

    fn literal(&mut self) -> Result<FilterValue, ScimError> {
        self.skip_spaces();
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let end = rest
            .find(|next: char| next.is_whitespace() || ")]".contains(next))
            .unwrap_or(rest.len());
        let word = &rest[..end];
        if word.starts_with('\'') {
            return Err(self.expected("a value in double quotation marks"));
        }
        if word.is_empty() || word.contains(['"', '(', '[']) {
            return Err(self.expected("a value such as \"text\", true or 5"));
        }
        self.position += end;
        Ok(unquoted(word))
    }

    /// A JSON string.
    fn quoted(&mut self) -> Result<FilterValue, ScimError> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let closing = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closing
        });
        let literal = end
            .map(|end| &rest[..end + 2])
            .ok_or_else(|| self.expected("a closing quotation mark"))?;
        let value = serde_json::from_str(literal).map_err(|_| self.expected("a JSON string"))?;
        self.position += literal.len();
        Ok(FilterValue::String(value))
    }
}

fn single_or(mut terms: Vec<Filter>, combine: fn(Vec<Filter>) -> Filter) -> Filter {
    if terms.len() > 1 {
        return combine(terms);
    }
    terms.remove(0)
}

/// A word is a number only if the number is written back the same, so that `007` and
/// `1.10` stay the text that the client meant.
fn unquoted(word: &str) -> FilterValue {
    if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
        return FilterValue::Boolean(word.eq_ignore_ascii_case("true"));
    }
    if word.eq_ignore_ascii_case("null") {
        return FilterValue::Null;
    }
    let number = word
        .parse::<i64>()
        .map(Number::from)
        .ok()
        .or_else(|| word.parse::<u64>().ok().map(Number::from))
        .or_else(|| word.parse::<f64>().ok().and_then(Number::from_f64));
    match number {
        Some(number) if number.to_string() == word => FilterValue::Number(number),
        _ => FilterValue::String(word.to_owned()),
    }
}

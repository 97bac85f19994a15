//! Pages of a listing and the tokens that lead from one to the next.
//!
//! A page starts after the key of the last item seen, so that items created or deleted
//! meanwhile neither repeat nor hide others. The token is opaque to clients; it names
//! the question it belongs to and when it was given, because the service refuses a token
//! with another question and after 24 hours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::call::{Call, Context};
use crate::error::ServiceError;
use crate::timestamp::Timestamp;

/// What the service gives when no size is asked for.
const DEFAULT_SIZE: usize = 100;
const TOKEN_LIFETIME_MILLISECONDS: u64 = 24 * 60 * 60 * 1000;

/// The page that a call asks for.
pub(crate) struct PageRequest {
    after: Option<String>,
    size: usize,
    question: String,
    now: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Token {
    question: String,
    given: u64,
    after: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BodyMembers {
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl PageRequest {
    /// From the query parameters `nextToken` and `maxResults` of a listing.
    pub(crate) fn from_query(
        call: &Call,
        context: &Context<'_>,
        largest: usize,
    ) -> Result<Self, ServiceError> {
        let max_results = call
            .query("maxResults")
            .map(|text| {
                text.parse()
                    .map_err(|_| ServiceError::invalid_request("maxResults is not a number"))
            })
            .transpose()?;
        Self::new(call, context, call.query("nextToken"), max_results, largest)
    }

    /// From the members `NextToken` and `MaxResults` of a search.
    pub(crate) fn from_body(
        call: &Call,
        context: &Context<'_>,
        largest: usize,
    ) -> Result<Self, ServiceError> {
        let BodyMembers {
            next_token,
            max_results,
        } = call.body()?;
        Self::new(call, context, next_token.as_deref(), max_results, largest)
    }

    fn new(
        call: &Call,
        context: &Context<'_>,
        token: Option<&str>,
        max_results: Option<i64>,
        largest: usize,
    ) -> Result<Self, ServiceError> {
        let size = match max_results {
            None => DEFAULT_SIZE,
            Some(asked) => usize::try_from(asked)
                .ok()
                .filter(|size| (1..=largest).contains(size))
                .ok_or_else(|| {
                    ServiceError::invalid_parameter(format!("MaxResults must be 1 to {largest}"))
                })?,
        };
        let question = hex(&Sha256::digest(call.question()));
        let after = token
            .map(|token| {
                Token::read(token)
                    .filter(|token| {
                        token.question == question
                            && context
                                .now
                                .milliseconds_since(Timestamp::from_milliseconds(token.given))
                                < TOKEN_LIFETIME_MILLISECONDS
                    })
                    .map(|token| token.after)
                    .ok_or_else(|| {
                        ServiceError::invalid_request(
                            "InvalidToken: NextToken is not from this listing or has expired",
                        )
                    })
            })
            .transpose()?;
        Ok(Self {
            after,
            size,
            question,
            now: context.now,
        })
    }

    /// The page, and the token of the next one if there is more. `items` in the order of
    /// their keys, which are unique.
    pub(crate) fn of<T>(
        &self,
        items: impl IntoIterator<Item = (String, T)>,
    ) -> (Vec<T>, Option<String>) {
        let mut rest = items
            .into_iter()
            .filter(|(key, _)| self.after.as_ref().is_none_or(|after| key > after));
        let mut last = None;
        let page = rest
            .by_ref()
            .take(self.size)
            .map(|(key, item)| {
                last = Some(key);
                item
            })
            .collect();
        let token = rest.next().and(last).map(|after| {
            Token {
                question: self.question.clone(),
                given: self.now.as_milliseconds(),
                after,
            }
            .write()
        });
        (page, token)
    }
}

impl Token {
    fn write(&self) -> String {
        let text = serde_json::json!(self).to_string();
        URL_SAFE_NO_PAD.encode(text)
    }

    fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation;
    use crate::options::{Identity, Settings};

    const ITEMS: [&str; 5] = ["a", "b", "c", "d", "e"];

    /// A page of `ITEMS` without those in `deleted`, asked for at a time.
    fn page(
        path: &str,
        query: &str,
        milliseconds: u64,
        deleted: &[&str],
    ) -> Result<(Vec<&'static str>, Option<String>), ServiceError> {
        let (operation, labels) = Operation::find("GET", path).unwrap();
        let call = Call::new(operation, labels, query, b"").unwrap();
        let context = Context {
            now: Timestamp::from_milliseconds(milliseconds),
            fresh_id: "",
            identity: &Identity::default(),
            settings: &Settings::default(),
        };
        let items = ITEMS
            .into_iter()
            .filter(|item| !deleted.contains(item))
            .map(|item| (item.to_owned(), item));
        PageRequest::from_query(&call, &context, 1000).map(|page| page.of(items))
    }

    #[test]
    fn pages_of_any_size_make_up_the_whole() {
        for size in 1..=6 {
            let mut seen = Vec::new();
            let mut query = format!("maxResults={size}");
            loop {
                let (items, token) = page("/users-summary/i", &query, 0, &[]).unwrap();
                seen.extend(items);
                let Some(token) = token else { break };
                query = format!("maxResults={size}&nextToken={token}");
            }
            assert_eq!(seen, ITEMS, "pages of {size}");
        }
    }

    #[test]
    fn a_deletion_between_two_pages_hides_nothing() {
        let (first, token) = page("/users-summary/i", "maxResults=2", 0, &[]).unwrap();
        let query = format!("maxResults=2&nextToken={}", token.unwrap());
        let (second, _) = page("/users-summary/i", &query, 0, &["a", "b"]).unwrap();
        assert_eq!((first, second), (vec!["a", "b"], vec!["c", "d"]));
    }

    #[test]
    fn a_token_is_refused_with_another_question_and_after_a_day() {
        let (_, token) = page("/users-summary/i", "maxResults=2", 0, &[]).unwrap();
        let query = format!("nextToken={}", token.unwrap());
        let accepted = |path, milliseconds| page(path, &query, milliseconds, &[]).is_ok();

        assert!(accepted(
            "/users-summary/i",
            TOKEN_LIFETIME_MILLISECONDS - 1
        ));
        assert!(!accepted("/users-summary/i", TOKEN_LIFETIME_MILLISECONDS));
        assert!(!accepted("/users-summary/other", 0));
        assert!(!accepted("/routing-profiles-summary/i", 0));
        assert!(page("/users-summary/i", "nextToken=", 0, &[]).is_err());
    }

    #[test]
    fn a_size_outside_of_the_limits_is_refused() {
        for size in ["0", "-1", "1001", "many", ""] {
            let query = format!("maxResults={size}");
            assert!(page("/users-summary/i", &query, 0, &[]).is_err(), "{size}");
        }
    }
}

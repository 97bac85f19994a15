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

//! Cursors (RFC 9865): a store's position, opaque to the client and bound to the query
//! it was made for, so that a cursor used with another filter is refused and not
//! silently misread. A cursor is no secret and no proof: the store checks what the
//! position says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{ListQuery, Paging};
use crate::error::{ScimError, ScimType};
use crate::etag::fnv1a;

impl ListQuery {
    /// The cursor for a position in this query's results.
    #[must_use]
    pub fn cursor_at(&self, position: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{:016x}{position}", self.fingerprint()))
    }

    /// The position that the client's cursor stands for; none on the first page.
    ///
    /// # Errors
    ///
    /// `invalidCursor` if the cursor was not made by [`cursor_at`](Self::cursor_at) for
    /// the same filter and order.
    pub fn position(&self) -> Result<Option<String>, ScimError> {
        let Paging::Cursor {
            cursor: Some(cursor),
            ..
        } = &self.paging
        else {
            return Ok(None);
        };
        let decoded = URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        decoded
            .as_deref()
            .and_then(|text| text.strip_prefix(&format!("{:016x}", self.fingerprint())))
            .map(|position| Some(position.to_owned()))
            .ok_or_else(invalid_cursor)
    }

    /// A hash of what decides the order of results.
    fn fingerprint(&self) -> u64 {
        let filter = self
            .filter
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let sort = self
            .sort
            .as_ref()
            .map(|sort| format!("{}\n{}", sort.by, sort.descending))
            .unwrap_or_default();
        fnv1a([filter.as_str(), sort.as_str()])
    }
}

/// The error about a cursor that was not made for the query.
#[must_use]
pub fn invalid_cursor() -> ScimError {
    ScimError::of(
        ScimType::InvalidCursor,
        "the cursor was not made for this query; start again without one",
    )
}

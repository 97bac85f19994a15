//! How much fits into a response. Gateways limit it: AWS Lambda to 6 MB, in which the body
//! is a JSON text.

use std::io;

use serde::Serialize;

/// The bytes that are left for the resources of a page.
///
/// A page that is full ends early (RFC 7644 section 3.4.2.4: `itemsPerPage` may be less than
/// `count`), and its cursor names the resource that it ends with.
#[derive(Debug)]
pub struct Budget {
    left: usize,
    is_untouched: bool,
}

impl Budget {
    /// The list response without its resources: schemas, numbers and a cursor.
    const ENVELOPE: usize = 2 * 1024;

    /// What a [`Responder`](crate::protocol::Responder) adds to a resource: its address.
    const ADDRESS: usize = 1024;

    pub(super) const fn new(max_response_size: usize) -> Self {
        Self {
            left: max_response_size.saturating_sub(Self::ENVELOPE),
            is_untouched: true,
        }
    }

    /// Takes a resource onto the page, if it fits. The first one always does, so that each
    /// page leads on; a response that is too large then becomes an error.
    pub fn take(&mut self, resource: &impl Serialize) -> bool {
        let size = escaped_size(resource).saturating_add(Self::ADDRESS);
        self.take_size(size)
    }

    /// [`take`](Self::take) for a resource that is written already.
    pub fn take_written(&mut self, resource: &str) -> bool {
        self.take_size(escaped_length(resource.as_bytes()))
    }

    fn take_size(&mut self, size: usize) -> bool {
        let fits = self.is_untouched || size <= self.left;
        self.is_untouched = false;
        self.left = self.left.saturating_sub(size);
        fits
    }
}

/// The bytes of a document as a text within JSON, where quotation marks and backslashes are
/// escaped.
pub(crate) fn escaped_size(document: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // Writing to a counter does not fail, and neither does JSON with texts as keys.
    let _ = serde_json::to_writer(&mut counter, document);
    counter.0
}

/// [`escaped_size`] of a document that is written already.
pub(crate) fn escaped_length(document: &[u8]) -> usize {
    let is_escaped = |byte: &&u8| matches!(byte, b'"' | b'\\');
    document.len() + document.iter().filter(is_escaped).count()
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += escaped_length(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! The values of an environment file, checked as they are read.
//!
//! Every rule stands once, as data: the parser runs it, its text is the error that a
//! person reads, and the JSON Schema that editors use is made from it. A value of one
//! of these types is therefore known to be acceptable to the service that it goes to.

mod mapped_profiles;
mod number;
mod text;

pub use mapped_profiles::*;
pub use number::*;
pub use text::*;

/// Why a value was refused: what it must be, as a sentence that follows the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(String);

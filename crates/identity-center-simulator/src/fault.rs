//! What goes wrong, and when.

use crate::error::Error;

/// What happens to a request instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends; nothing was done.
    DropBefore,
    /// The connection ends; it was done.
    DropAfter,
    /// 500; nothing was done.
    InternalError,
    /// 500; it was done all the same.
    InternalErrorAfter,
    /// 429; nothing was done.
    Throttle,
    /// 401, as when the token has expired.
    Unauthorized,
    /// No answer ever comes; nothing was done.
    HangBefore,
    /// No answer ever comes; it was done.
    HangAfter,
}

impl Fault {
    pub(crate) fn happens_after(self) -> bool {
        matches!(
            self,
            Self::DropAfter | Self::InternalErrorAfter | Self::HangAfter
        )
    }

    pub(crate) fn error(self) -> Option<Error> {
        match self {
            Self::InternalError | Self::InternalErrorAfter => Some(Error::Internal),
            Self::Throttle => Some(Error::Throttling),
            Self::Unauthorized => Some(Error::Unauthorized),
            Self::DropBefore | Self::DropAfter | Self::HangBefore | Self::HangAfter => None,
        }
    }

    pub(crate) fn hangs(self) -> bool {
        matches!(self, Self::HangBefore | Self::HangAfter)
    }
}

//! Points in time, as the service's JSON writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since the Unix epoch; seconds with a fraction in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    pub(crate) fn now() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self::from_milliseconds(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) const fn from_milliseconds(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    pub(crate) const fn as_milliseconds(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to this; zero if the clock was set back.
    pub(crate) const fn milliseconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(Duration::from_millis(self.0).as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let duration = Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)?;
        // Seconds as f64 are exact to well below a millisecond, but not at it.
        let milliseconds = (duration + Duration::from_micros(500)).as_millis();
        Ok(Self(u64::try_from(milliseconds).unwrap_or(u64::MAX)))
    }
}

//! Which values may be the last ones, given when each request began and ended.

/// What is known of one attribute: every write that was sent.
#[derive(Debug, Clone)]
pub struct History<T> {
    writes: Vec<Write<T>>,
}

/// A request that sets an attribute, between two points of the test's time.
#[derive(Debug, Clone)]
pub struct Write<T> {
    pub began: u64,
    pub ended: u64,
    pub value: T,
    /// The request was acknowledged; else it was carried out or was not.
    pub is_acknowledged: bool,
}

impl<T: PartialEq + Clone> History<T> {
    /// An attribute that has had this value since then.
    pub fn new(value: T, since: u64) -> Self {
        Self {
            writes: vec![Write {
                began: since,
                ended: since,
                value,
                is_acknowledged: true,
            }],
        }
    }

    pub fn add(&mut self, write: Write<T>) {
        self.writes.push(write);
    }

    /// Whether the attribute may have this value now: a request wrote it, and no request
    /// that began later was acknowledged with another value.
    pub fn permits(&self, value: &T) -> bool {
        let overrides = |write: &Write<T>, later: &Write<T>| {
            later.is_acknowledged && later.began > write.ended && later.value != *value
        };
        self.writes
            .iter()
            .filter(|write| write.value == *value)
            .any(|write| !self.writes.iter().any(|later| overrides(write, later)))
    }

    /// Forgets everything but what was seen.
    pub fn observe(&mut self, value: T, now: u64) {
        *self = Self::new(value, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(
        began: u64,
        ended: u64,
        value: &'static str,
        is_acknowledged: bool,
    ) -> Write<&'static str> {
        Write {
            began,
            ended,
            value,
            is_acknowledged,
        }
    }

    #[test]
    fn an_acknowledged_write_ends_all_earlier_ones_and_no_concurrent_one() {
        let mut history = History::new("first", 0);
        history.add(write(1, 4, "lost", false));
        assert!(history.permits(&"first") && history.permits(&"lost"));
        history.add(write(2, 5, "second", true));
        assert!(!history.permits(&"first"));
        assert!(history.permits(&"lost") && history.permits(&"second"));
        history.add(write(6, 7, "third", true));
        assert!(!history.permits(&"lost") && !history.permits(&"second"));
        assert!(!history.permits(&"never"));
        history.observe("third", 8);
        assert!(history.permits(&"third") && !history.permits(&"second"));
    }
}

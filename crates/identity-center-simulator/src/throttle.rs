//! 25 calls a second of each writing operation, 40 of each reading one
//! (<https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html>).

use std::collections::HashMap;
use std::time::Instant;

use crate::operation::Operation;

#[derive(Debug, Default)]
pub(crate) struct Throttle {
    buckets: HashMap<Operation, (f64, Instant)>,
}

impl Throttle {
    /// Whether the call may pass.
    pub(crate) fn admits(&mut self, operation: Operation, now: Instant) -> bool {
        let rate = if operation.is_write() { 25.0 } else { 40.0 };
        let (tokens, last) = self.buckets.entry(operation).or_insert((rate, now));
        let elapsed = now.saturating_duration_since(*last).as_secs_f64();
        *tokens = (*tokens + elapsed * rate).min(rate);
        *last = now;
        if *tokens < 1.0 {
            return false;
        }
        *tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_operation_has_a_rate_of_its_own() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        let mut admitted =
            |operation, now| (0..100).filter(|_| throttle.admits(operation, now)).count();
        assert_eq!(admitted(Operation::PatchUser, now), 25);
        assert_eq!(admitted(Operation::DeleteUser, now), 25);
        assert_eq!(admitted(Operation::ListUsers, now), 40);
        let later = now + Duration::from_secs(1);
        assert_eq!(admitted(Operation::PatchUser, later), 25);
    }
}

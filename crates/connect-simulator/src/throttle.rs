//! A token bucket for each operation.

use std::collections::BTreeMap;

use crate::operation::Operation;
use crate::options::Throttle;
use crate::timestamp::Timestamp;

/// The buckets that were touched; an untouched one is full.
#[derive(Debug, Default)]
pub(crate) struct TokenBuckets(BTreeMap<Operation, Bucket>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Timestamp,
}

impl TokenBuckets {
    /// Takes a token for one call; false if there is none.
    pub(crate) fn take(
        &mut self,
        operation: Operation,
        throttle: Throttle,
        now: Timestamp,
    ) -> bool {
        let capacity = f64::from(throttle.burst);
        let bucket = self.0.entry(operation).or_insert(Bucket {
            tokens: capacity,
            filled_at: now,
        });
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds between two calls are far below 2^52"
        )]
        let seconds = now.milliseconds_since(bucket.filled_at) as f64 / 1000.0;
        bucket.tokens = (bucket.tokens + seconds * throttle.rate_per_second).min(capacity);
        bucket.filled_at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_decides_for_each_operation_apart() {
        let mut buckets = TokenBuckets::default();
        let throttle = Throttle::default();
        let mut take = |operation, milliseconds| {
            buckets.take(
                operation,
                throttle,
                Timestamp::from_milliseconds(milliseconds),
            )
        };

        for _ in 0..5 {
            assert!(take(Operation::CreateUser, 1_000));
        }
        assert!(!take(Operation::CreateUser, 1_000));
        assert!(take(Operation::DeleteUser, 1_000));
        assert!(!take(Operation::CreateUser, 1_400));
        assert!(take(Operation::CreateUser, 1_500));
        assert!(!take(Operation::CreateUser, 1_600));
        for _ in 0..5 {
            assert!(take(Operation::CreateUser, 60_000));
        }
        assert!(!take(Operation::CreateUser, 60_000));
    }
}

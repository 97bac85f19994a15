//! When to read the tokens from SSM again.
//!
//! - Tokens are read again once they are [`MAX_AGE`] old, so that a revoked token dies
//!   within that time (and the TTL of API Gateway's own cache).
//! - An unknown token may be one that was just rotated in, so it is looked for in SSM at
//!   once; but such reads are paid from an allowance that grows by one per
//!   [`ALLOWANCE_INTERVAL`] up to [`ALLOWANCE`], so that a flood of wrong tokens costs one
//!   read a second in each execution environment. In the flood a rotated token waits a second at most: every read
//!   brings the tokens of all clients.
//! - While SSM does not answer, tokens are good for [`MAX_AGE_IN_OUTAGE`], and SSM is asked
//!   again every [`OUTAGE_PAUSE`] only, because each try keeps a request waiting. After
//!   that the authorizer fails closed: a token may have been revoked meanwhile, and nobody
//!   could tell.
//!
//! Time is the wall clock's: an execution environment that Lambda freezes has no say in how
//! long, and a monotonic clock may stand still meanwhile. A clock that went backwards
//! makes the tokens old, never young.

use std::time::{Duration, SystemTime};

/// Tokens of this age are read again before they are compared with.
pub const MAX_AGE: Duration = Duration::from_secs(60);

/// Tokens of this age are not compared with any more, even if SSM does not answer.
pub const MAX_AGE_IN_OUTAGE: Duration = Duration::from_secs(5 * 60);

/// After a failed read, tokens that can be compared with are good for this long before
/// SSM is asked again.
pub const OUTAGE_PAUSE: Duration = Duration::from_secs(10);

/// Reads that may follow each other without a pause.
pub const ALLOWANCE: u32 = 5;

/// The time in which the allowance grows by one read.
pub const ALLOWANCE_INTERVAL: Duration = Duration::from_secs(1);

/// How the tokens in memory stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// They can be compared with.
    Fresh,
    /// They are to be read again, and can be compared with if that fails.
    Stale,
    /// There are none, or they are too old to be compared with.
    Expired,
}

/// Remembers when tokens were read, and how many reads are allowed.
#[derive(Debug, Clone)]
pub struct Freshness {
    read_at: Option<SystemTime>,
    failed_at: Option<SystemTime>,
    allowance: u32,
    allowance_grew_at: Option<SystemTime>,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            read_at: None,
            failed_at: None,
            allowance: ALLOWANCE,
            allowance_grew_at: None,
        }
    }
}

impl Freshness {
    /// How the tokens stand at the time `now`.
    pub fn age(&self, now: SystemTime) -> Age {
        match self.read_at.map(|read_at| now.duration_since(read_at)) {
            Some(Ok(age)) if age < MAX_AGE => Age::Fresh,
            Some(Ok(age)) if age < MAX_AGE_IN_OUTAGE => Age::Stale,
            _ => Age::Expired,
        }
    }

    /// Whether SSM may be read now; if so, the read counts.
    pub fn may_read(&mut self, now: SystemTime) -> bool {
        let pausing = self.failed_at.is_some_and(|failed_at| {
            now.duration_since(failed_at)
                .is_ok_and(|elapsed| elapsed < OUTAGE_PAUSE)
        });
        if pausing && self.age(now) != Age::Expired {
            return false;
        }
        self.grow(now);
        let allowed = self.allowance > 0;
        self.allowance = self.allowance.saturating_sub(1);
        allowed
    }

    fn grow(&mut self, now: SystemTime) {
        let grew_at = *self.allowance_grew_at.get_or_insert(now);
        let Ok(elapsed) = now.duration_since(grew_at) else {
            self.allowance_grew_at = Some(now);
            return;
        };
        let reads = elapsed.as_nanos() / ALLOWANCE_INTERVAL.as_nanos();
        let reads = u32::try_from(reads).unwrap_or(u32::MAX);
        if reads > 0 {
            self.allowance = self.allowance.saturating_add(reads).min(ALLOWANCE);
            self.allowance_grew_at = ALLOWANCE_INTERVAL
                .checked_mul(reads)
                .and_then(|grown| grew_at.checked_add(grown))
                .or(Some(now));
        }
    }

    /// The tokens were read at the time `now`.
    pub fn read_succeeded(&mut self, now: SystemTime) {
        self.read_at = Some(now);
        self.failed_at = None;
    }

    /// SSM did not answer the read of the time `now`.
    pub fn read_failed(&mut self, now: SystemTime) {
        self.failed_at = Some(now);
    }

    /// Whether the last read failed: what is unknown then may be known to SSM.
    pub fn last_read_failed(&self) -> bool {
        self.failed_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1_000.0 + seconds)
    }

    #[test]
    fn tokens_age_from_fresh_to_stale_to_expired() {
        let mut freshness = Freshness::default();
        assert_eq!(freshness.age(after(0.0)), Age::Expired);
        freshness.read_succeeded(after(0.0));
        for (seconds, expected) in [
            (0.0, Age::Fresh),
            (59.9, Age::Fresh),
            (60.0, Age::Stale),
            (299.9, Age::Stale),
            (300.0, Age::Expired),
            (86_400.0, Age::Expired),
            // The clock was set back.
            (-1.0, Age::Expired),
        ] {
            assert_eq!(freshness.age(after(seconds)), expected, "after {seconds} s");
        }
    }

    #[test]
    fn a_failed_read_does_not_make_tokens_younger() {
        let mut freshness = Freshness::default();
        freshness.read_succeeded(after(0.0));
        freshness.read_failed(after(60.0));
        assert!(freshness.last_read_failed());
        assert_eq!(freshness.age(after(61.0)), Age::Stale);
        freshness.read_succeeded(after(61.0));
        assert!(!freshness.last_read_failed());
        assert_eq!(freshness.age(after(62.0)), Age::Fresh);
    }

    #[test]
    fn a_flood_of_a_thousand_a_second_reads_once_a_second() {
        let mut freshness = Freshness::default();
        let reads = (0..60_000)
            .filter(|millisecond| freshness.may_read(after(f64::from(*millisecond) / 1000.0)))
            .count();
        assert_eq!(reads, ALLOWANCE as usize + 59);
    }

    #[test]
    fn in_an_outage_usable_tokens_spare_requests_the_wait_for_ssm() {
        let mut freshness = Freshness::default();
        freshness.read_succeeded(after(0.0));
        freshness.read_failed(after(60.0));
        assert!(!freshness.may_read(after(60.0)));
        assert!(!freshness.may_read(after(69.9)));
        assert!(freshness.may_read(after(70.0)));
    }

    #[test]
    fn without_usable_tokens_the_next_request_asks_again() {
        let mut freshness = Freshness::default();
        freshness.read_failed(after(0.0));
        assert!(freshness.may_read(after(0.1)));
    }

    #[test]
    fn the_allowance_is_full_again_after_a_quiet_time_and_never_fuller() {
        let mut freshness = Freshness::default();
        while freshness.may_read(after(0.0)) {}
        let burst = |freshness: &mut Freshness, seconds| {
            (0..100)
                .filter(|_| freshness.may_read(after(seconds)))
                .count()
        };
        assert_eq!(burst(&mut freshness, 0.9), 0);
        assert_eq!(burst(&mut freshness, 1.0), 1);
        assert_eq!(burst(&mut freshness, 3_600.0), ALLOWANCE as usize);
    }

    #[test]
    fn a_clock_set_back_neither_grants_nor_blocks_reads_for_long() {
        let mut freshness = Freshness::default();
        while freshness.may_read(after(1_000.0)) {}
        assert!(!freshness.may_read(after(0.0)));
        assert!(freshness.may_read(after(1.0)));
    }
}

//! When to read again what is remembered: the clients' tokens from SSM, the keys of a JWT
//! issuer from its server.
//!
//! - What was read is read again once it has reached [`Limits::max_age`], so that a
//!   revoked token or a withdrawn key dies within that time (and the TTL of API Gateway's
//!   own cache).
//! - An unknown token may be one that was just rotated in, and an unknown key one that the
//!   issuer has just begun to use, so it is looked for at once; but such reads are paid
//!   from an allowance, so that a flood of wrong tokens costs one read per
//!   [`Limits::allowance_interval`] in each execution environment. In the flood what was
//!   rotated waits that long at most: every read brings the tokens of all clients, or all
//!   keys of the issuer.
//! - While no answer comes, what was read is good for [`Limits::max_age_in_outage`], and
//!   the question is repeated every [`OUTAGE_PAUSE`] only, because each try keeps a
//!   request waiting. After that the authorizer fails closed: something may have been
//!   revoked meanwhile, and nobody could tell.
//!
//! Time is the wall clock's: an execution environment that Lambda freezes has no say in how
//! long, and a monotonic clock may stand still meanwhile. A clock that went backwards
//! makes what was read old, never young.

use std::time::{Duration, SystemTime};

/// For how long something that was read is good, and how often it may be read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At this age it is read again before it is used.
    pub max_age: Duration,
    /// At this age it is not used any more, even if it cannot be read.
    pub max_age_in_outage: Duration,
    /// Reads that may follow each other without a pause.
    pub allowance: u32,
    /// The time in which the allowance grows by one read.
    pub allowance_interval: Duration,
}

/// The clients' tokens, which are a call within the region away.
pub const CLIENT_TOKENS: Limits = Limits {
    max_age: Duration::from_secs(60),
    max_age_in_outage: Duration::from_secs(5 * 60),
    allowance: 5,
    allowance_interval: Duration::from_secs(1),
};

/// The keys of an issuer, whose server is somebody else's. Issuers announce keys long
/// before they use them; and JWTs live for about an hour, so that an issuer which is out
/// of reach for longer has no clients left with a token that is still valid.
pub const ISSUER_KEYS: Limits = Limits {
    max_age: Duration::from_secs(10 * 60),
    max_age_in_outage: Duration::from_secs(60 * 60),
    allowance: 5,
    allowance_interval: Duration::from_secs(10),
};

/// After a failed read, what can still be used is used for this long before the next try.
pub const OUTAGE_PAUSE: Duration = Duration::from_secs(10);

/// How what was read stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It can be used.
    Fresh,
    /// It is to be read again, and can be used if that fails.
    Stale,
    /// There is nothing, or it is too old to be used.
    Expired,
}

/// Remembers when something was read, and how many reads are allowed.
#[derive(Debug, Clone)]
pub struct Freshness {
    limits: Limits,
    read_at: Option<SystemTime>,
    failed_at: Option<SystemTime>,
    allowance: u32,
    allowance_grew_at: Option<SystemTime>,
}

impl Freshness {
    /// Nothing was read yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            read_at: None,
            failed_at: None,
            allowance: limits.allowance,
            allowance_grew_at: None,
        }
    }

    /// How what was read stands at the time `now`.
    pub fn age(&self, now: SystemTime) -> Age {
        match self.read_at.map(|read_at| now.duration_since(read_at)) {
            Some(Ok(age)) if age < self.limits.max_age => Age::Fresh,
            Some(Ok(age)) if age < self.limits.max_age_in_outage => Age::Stale,
            _ => Age::Expired,
        }
    }

    /// Whether it may be read now; if so, the read counts.
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
        let reads = elapsed.as_nanos() / self.limits.allowance_interval.as_nanos();
        let reads = u32::try_from(reads).unwrap_or(u32::MAX);
        if reads > 0 {
            self.allowance = self
                .allowance
                .saturating_add(reads)
                .min(self.limits.allowance);
            self.allowance_grew_at = self
                .limits
                .allowance_interval
                .checked_mul(reads)
                .and_then(|grown| grew_at.checked_add(grown))
                .or(Some(now));
        }
    }

    /// It was read at the time `now`.
    pub fn read_succeeded(&mut self, now: SystemTime) {
        self.read_at = Some(now);
        self.failed_at = None;
    }

    /// No answer came to the read of the time `now`.
    pub fn read_failed(&mut self, now: SystemTime) {
        self.failed_at = Some(now);
    }

    /// Whether the last read failed: what is unknown then may be known there.
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
        let mut freshness = Freshness::new(CLIENT_TOKENS);
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
        let mut freshness = Freshness::new(CLIENT_TOKENS);
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
        let mut freshness = Freshness::new(CLIENT_TOKENS);
        let reads = (0..60_000)
            .filter(|millisecond| freshness.may_read(after(f64::from(*millisecond) / 1000.0)))
            .count();
        assert_eq!(reads, CLIENT_TOKENS.allowance as usize + 59);
    }

    #[test]
    fn in_an_outage_usable_tokens_spare_requests_the_wait_for_ssm() {
        let mut freshness = Freshness::new(CLIENT_TOKENS);
        freshness.read_succeeded(after(0.0));
        freshness.read_failed(after(60.0));
        assert!(!freshness.may_read(after(60.0)));
        assert!(!freshness.may_read(after(69.9)));
        assert!(freshness.may_read(after(70.0)));
    }

    #[test]
    fn without_usable_tokens_the_next_request_asks_again() {
        let mut freshness = Freshness::new(CLIENT_TOKENS);
        freshness.read_failed(after(0.0));
        assert!(freshness.may_read(after(0.1)));
    }

    #[test]
    fn the_allowance_is_full_again_after_a_quiet_time_and_never_fuller() {
        let mut freshness = Freshness::new(CLIENT_TOKENS);
        while freshness.may_read(after(0.0)) {}
        let burst = |freshness: &mut Freshness, seconds| {
            (0..100)
                .filter(|_| freshness.may_read(after(seconds)))
                .count()
        };
        assert_eq!(burst(&mut freshness, 0.9), 0);
        assert_eq!(burst(&mut freshness, 1.0), 1);
        assert_eq!(
            burst(&mut freshness, 3_600.0),
            CLIENT_TOKENS.allowance as usize
        );
    }

    #[test]
    fn a_clock_set_back_neither_grants_nor_blocks_reads_for_long() {
        let mut freshness = Freshness::new(CLIENT_TOKENS);
        while freshness.may_read(after(1_000.0)) {}
        assert!(!freshness.may_read(after(0.0)));
        assert!(freshness.may_read(after(1.0)));
    }
}

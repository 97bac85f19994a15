//! What can be set.

/// How the endpoint behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether calls are throttled as documented: 25 a second of each writing operation, 40
    /// of each reading one.
    pub throttle: bool,
    /// Whether pages are shorter than asked for, by a generator with this seed.
    pub short_pages: Option<u64>,
    /// Whether `cursor` is understood. Before 2025 it was not: one page of fifty was all
    /// that a list gave.
    pub cursors: bool,
    /// The most users.
    pub users_quota: usize,
    /// The most groups.
    pub groups_quota: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            throttle: false,
            short_pages: None,
            cursors: true,
            users_quota: 200_000,
            groups_quota: 100_000,
        }
    }
}

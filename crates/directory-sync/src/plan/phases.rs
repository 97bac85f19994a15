//! The order of writes: removals of access first, then changes of names, then new users and
//! groups, then memberships. If a run is interrupted, no user keeps access longer than needed.

use super::operation::Operation;

/// Writes in the making.
#[derive(Default)]
pub(super) struct Phases {
    pub removals: Vec<Operation>,
    pub updates: Vec<Vec<Operation>>,
    pub create_users: Vec<Operation>,
    pub managers: Vec<Operation>,
    pub create_groups: Vec<Operation>,
    pub additions: Vec<Operation>,
}

impl Phases {
    pub(super) fn update(&mut self, wave: usize, operation: Operation) {
        if self.updates.len() <= wave {
            self.updates.resize_with(wave + 1, Vec::new);
        }
        self.updates[wave].push(operation);
    }

    /// The phases that have writes.
    pub(super) fn finish(self) -> Vec<Vec<Operation>> {
        let mut phases = vec![self.removals];
        phases.extend(self.updates);
        phases.extend([
            self.create_users,
            self.managers,
            self.create_groups,
            self.additions,
        ]);
        phases.retain(|operations| !operations.is_empty());
        phases
    }
}

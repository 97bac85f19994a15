//! The bar of an operation: how many resources are done, for how long it has been going
//! on, and which resources it is at.

use std::collections::BTreeSet;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::stack::StackEvent;

const REDRAW_INTERVAL: Duration = Duration::from_millis(250);

/// With a known number of resources.
const COUNTED: &str = "{bar:30} {pos}/{len} {elapsed}\n{wide_msg}";
/// Without, and once a rollback has begun.
const UNCOUNTED: &str = "{spinner} {pos} done {elapsed}\n{wide_msg}";

/// The bar on the terminal.
pub(super) struct Bar {
    bar: ProgressBar,
    progress: Progress,
}

impl Bar {
    /// For an operation that touches `resources` resources, if that is known.
    pub(super) fn new(resources: Option<usize>) -> Self {
        let bar = match resources {
            Some(resources) => ProgressBar::new(resources as u64),
            None => ProgressBar::new_spinner(),
        };
        set_style(
            &bar,
            if resources.is_some() {
                COUNTED
            } else {
                UNCOUNTED
            },
        );
        bar.enable_steady_tick(REDRAW_INTERVAL);
        Self {
            bar,
            progress: Progress::default(),
        }
    }

    pub(super) fn event(&mut self, event: &StackEvent) {
        if event.is_stack && event.status.ends_with("ROLLBACK_IN_PROGRESS") {
            self.progress = Progress {
                rolls_back: true,
                ..Progress::default()
            };
            set_style(&self.bar, UNCOUNTED);
        }
        self.progress.event(event);
        self.bar.set_position(self.progress.finished.len() as u64);
        self.bar.set_message(self.progress.message());
    }

    /// Writes something above the bar.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// Where an operation is.
#[derive(Debug, Default)]
struct Progress {
    /// The resources it is at, those it began with first.
    at: Vec<String>,
    finished: BTreeSet<String>,
    rolls_back: bool,
}

impl Progress {
    fn event(&mut self, event: &StackEvent) {
        if event.is_stack {
            return;
        }
        let name = &event.logical_id;
        if event.status.ends_with("_IN_PROGRESS") {
            if !self.at.contains(name) {
                self.at.push(name.clone());
            }
            return;
        }
        self.at.retain(|other| other != name);
        if event.is_complete() {
            self.finished.insert(name.clone());
        }
    }

    fn message(&self) -> String {
        let names = self.at.join(", ");
        match (self.rolls_back, self.at.is_empty()) {
            (true, true) => "rolling back".to_owned(),
            (true, false) => format!("rolling back: {names}"),
            (false, _) => names,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;
    use crate::stack::StackEvent;

    fn event(logical_id: &str, status: &str) -> StackEvent {
        StackEvent {
            id: String::new(),
            timestamp: String::new(),
            logical_id: logical_id.into(),
            resource_type: "AWS::IAM::Role".into(),
            physical_id: None,
            status: status.into(),
            reason: None,
            client_request_token: None,
            is_stack: logical_id == "stack",
        }
    }

    #[test]
    fn the_resources_under_way_are_named_in_the_order_they_began() {
        let mut progress = Progress::default();
        for (name, status) in [
            ("stack", "CREATE_IN_PROGRESS"),
            ("Table", "CREATE_IN_PROGRESS"),
            ("Role", "CREATE_IN_PROGRESS"),
            ("Table", "CREATE_IN_PROGRESS"),
            ("Queue", "CREATE_IN_PROGRESS"),
            ("Role", "CREATE_COMPLETE"),
        ] {
            progress.event(&event(name, status));
        }
        assert_eq!(progress.message(), "Table, Queue");
        assert_eq!(progress.finished.len(), 1);
        progress.event(&event("Table", "CREATE_FAILED"));
        assert_eq!(progress.message(), "Queue");
        assert_eq!(progress.finished.len(), 1, "what failed is not done");
    }

    #[test]
    fn a_rollback_is_named() {
        let mut progress = Progress {
            rolls_back: true,
            ..Progress::default()
        };
        assert_eq!(progress.message(), "rolling back");
        progress.event(&event("Table", "DELETE_IN_PROGRESS"));
        assert_eq!(progress.message(), "rolling back: Table");
    }
}

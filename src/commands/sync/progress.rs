//! How far a run is: a bar on a terminal, a line for each stage elsewhere.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use directory_sync::run::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::printer::Printer;

const REDRAW_INTERVAL: Duration = Duration::from_millis(250);
/// While it is not known how much there is to do.
const UNCOUNTED: &str = "{spinner} {msg} {elapsed}";
/// While writing.
const COUNTED: &str = "{bar:30} {pos}/{len} {elapsed} {msg}";

/// What a person sees of a run.
pub(super) struct Bar {
    bar: ProgressBar,
    /// The lines for whoever has no terminal, as far as they were told.
    told: Mutex<Option<&'static str>>,
    lines: Option<Printer>,
    writing: AtomicBool,
}

impl Bar {
    pub(super) fn new(printer: &Printer) -> Self {
        let is_drawn = printer.is_interactive() && !printer.is_quiet();
        let bar = if is_drawn {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(REDRAW_INTERVAL);
            bar
        } else {
            ProgressBar::hidden()
        };
        style(&bar, UNCOUNTED);
        Self {
            bar,
            told: Mutex::default(),
            lines: (!is_drawn).then(|| printer.clone()),
            writing: AtomicBool::new(false),
        }
    }

    /// Whether the first write was begun.
    pub(super) fn is_writing(&self) -> bool {
        self.writing.load(Ordering::Relaxed)
    }

    /// Takes it off the terminal.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    pub(super) fn tell(&self, progress: Progress) {
        let stage = match progress {
            Progress::ReadingDirectory => "reading the directory",
            Progress::ReadingServer => "reading the server",
            Progress::ReadingMembers { .. } => "reading the members of groups",
            Progress::Writing { done, total } => {
                if !self.writing.swap(true, Ordering::Relaxed) {
                    style(&self.bar, COUNTED);
                    self.bar.set_length(total as u64);
                }
                self.bar.set_position(done as u64);
                if done >= total {
                    self.bar.finish_and_clear();
                }
                "writing"
            }
        };
        self.bar.set_message(stage);
        let Some(lines) = &self.lines else { return };
        let mut told = match self.told.lock() {
            Ok(told) => told,
            Err(poisoned) => poisoned.into_inner(),
        };
        if told.replace(stage) != Some(stage) {
            lines.message(stage);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

fn style(bar: &ProgressBar, template: &str) {
    // The templates are constants; a wrong one would leave the usual style.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

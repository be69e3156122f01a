//! What is shown while work goes on: a bar or a spinner on a terminal, a line a step elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plimsoll_model::text;

/// Shows what is going on, on standard error. Clones show the same thing.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Inner>);

struct Inner {
    how: How,
    bar: Mutex<Option<ProgressBar>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Silent,
    Lines,
    Bars,
}

impl Progress {
    /// For this process: bars if standard error is a terminal, lines otherwise, nothing if quiet.
    pub(crate) fn new(quiet: bool) -> Self {
        let how = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => How::Silent,
            (false, true) => How::Bars,
            (false, false) => How::Lines,
        };
        Self(Arc::new(Inner {
            how,
            bar: Mutex::default(),
        }))
    }

    /// A step begins; the one before it is over.
    pub(crate) fn step(&self, what: &str) {
        match self.0.how {
            How::Silent => {}
            How::Lines => say(&format!("  {what}")),
            How::Bars => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                bar.set_style(style("  {spinner} {msg}"));
                bar.set_message(what.to_owned());
                bar.enable_steady_tick(Duration::from_millis(100));
                self.replace(Some(bar));
            }
        }
    }

    /// How far the step is, in bytes; the total may be 0 if it is not known.
    pub(crate) fn bytes(&self, done: u64, total: u64) {
        if self.0.how != How::Bars {
            return;
        }
        let bar = self.0.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = &*bar {
            if total > 0 && bar.length() != Some(total) {
                bar.set_length(total);
                bar.set_style(style("  {bar:30} {msg} {prefix}"));
            }
            bar.set_position(done);
            bar.set_prefix(if total > 0 {
                format!("{} of {}", text::bytes(done), text::bytes(total))
            } else {
                text::bytes(done)
            });
        }
    }

    /// How far the step is, in things; the last one has this name.
    pub(crate) fn count(&self, name: &str, done: usize, count: usize) {
        if self.0.how != How::Bars {
            return;
        }
        let bar = self.0.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = &*bar {
            if bar.length() != Some(count as u64) {
                bar.set_length(count as u64);
                bar.set_style(style("  {bar:30} {msg} {prefix}"));
            }
            bar.set_position(done as u64);
            bar.set_prefix(format!("{done} of {count}, {name}"));
        }
    }

    /// A line that stays.
    pub(crate) fn note(&self, line: &str) {
        if self.0.how != How::Silent {
            say(&format!("  {}", text::printable(line.as_bytes())));
        }
    }

    /// The last step is over.
    pub(crate) fn done(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<ProgressBar>) {
        let mut bar = self.0.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bar.take() {
            bar.finish_and_clear();
        }
        *bar = next;
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// A line on standard error; a reader that went away is no reason to stop working.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

//! Slimming what the first run of the original showed while it runs again: the second run hardly ever
//! shows more that stays. Where it does, the guess is given up, and nothing of it is used but what was
//! learned of the image's files on the way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use plimsoll_model::{Draft, Observations};
use plimsoll_run::Outcome;
use plimsoll_slim::Known;

use super::ahead::{self, Ahead, Wanted};
use crate::cli::SlimOptions;
use crate::failure::Result;
use crate::session::{Context, Opened};

/// A slimmed image that is being written before it is known to be the one. It is given up when this is
/// dropped.
pub(super) struct Guess<'scope> {
    wanted: UntilDropped,
    /// Where the draft comes, once it is made.
    draft: Receiver<Draft>,
    thread: ScopedJoinHandle<'scope, Result<Ahead>>,
}

/// Learns what files say that stay whatever the runs show, while they run; on a thread of its own,
/// which gives way. Given up when what it answers is dropped, if it has not begun.
pub(super) fn learn<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    opened: &'env Opened,
    known: &'env Known<'env>,
    options: &'env SlimOptions,
) -> UntilDropped {
    /// An image that cannot be started is told before.
    const FIRST: Duration = Duration::from_millis(250);
    let wanted = Wanted::default();
    let still = wanted.clone();
    scope.spawn(move || {
        ahead::give_way();
        if still.pause(FIRST).is_ok() {
            let nothing = Observations::default();
            let request = super::request(opened, known, &nothing, options);
            // Nobody needs what it finds: a fault shows again where somebody does, or does no harm.
            let _ = catch_unwind(AssertUnwindSafe(|| plimsoll_slim::plan(&request)));
        }
    });
    UntilDropped(wanted)
}

/// Something is wanted as long as this is there.
pub(super) struct UntilDropped(Wanted);

impl Drop for UntilDropped {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

impl<'scope> Guess<'scope> {
    /// Begins to slim what these runs showed, below `scratch`.
    pub(super) fn begin<'env>(
        scope: &'scope Scope<'scope, 'env>,
        context: &'env Context,
        scratch: &'env Path,
        options: &'env SlimOptions,
        opened: &'env Opened,
        known: &'env Known<'env>,
        firsts: &[Outcome],
    ) -> Self {
        let wanted = Wanted::default();
        let mut seen = Observations::default();
        for first in firsts {
            seen.merge(&first.observations);
        }
        let (made, draft) = sync_channel(1);
        let still = wanted.clone();
        let work = move || {
            let request = super::request(opened, known, &seen, options);
            let draft = plimsoll_slim::draft(&request, &plimsoll_slim::plan(&request));
            // Not before: who plans with what the second run showed waits for what is being learned here.
            ahead::give_way();
            // Nobody may be there any more to receive it; then it is not wanted either.
            let _ = made.send(draft.clone());
            let directory = scratch.join("guess");
            ahead::write(context, &draft, &directory, options.compression, &still)
        };
        Self {
            wanted: UntilDropped(wanted),
            draft,
            thread: scope.spawn(work),
        }
    }

    /// This, if it is a guess of `draft`; it is given up if it is not, or has not come so far.
    pub(super) fn of(self, draft: &Draft) -> Option<Self> {
        let guessed = self.draft.try_recv().ok()?;
        plimsoll_slim::is_same(&guessed, draft).then_some(self)
    }

    /// Whether it is still wanted, to be shared with whoever may find out that it is not.
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted.0.clone()
    }

    /// What was written.
    pub(super) fn written(self) -> Result<Ahead> {
        let written = self.thread.join();
        written.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

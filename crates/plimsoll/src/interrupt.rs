//! What an interrupted process takes away before it ends.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::failure::{Failure, Result};

/// How often the removal of a directory is tried: what was running in it may be dying still.
const TRIES: usize = 20;

/// Puts something right at the very end.
type Last = fn();

/// Temporary files and directories of this process. What has been removed or renamed by now may
/// stay on the list. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leftovers {
    paths: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// What else is to be put right.
    last: Arc<Mutex<Vec<Last>>>,
    /// What could not be removed, as sentences.
    staying: Arc<Mutex<Vec<String>>>,
}

impl Leftovers {
    /// To be removed when the process is interrupted.
    pub(crate) fn add(&self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.insert(path);
    }

    /// To be called when the process is interrupted: the terminal is as it was found.
    pub(crate) fn put_right(&self, last: Last) {
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(last);
    }

    /// Something of ours stays on this machine.
    pub(crate) fn stays(&self, what: &plimsoll_run::Left) {
        let mut staying = self.staying.lock().unwrap_or_else(PoisonError::into_inner);
        staying.push(what.to_string());
    }

    /// What stays, once; for the end of the process.
    pub(crate) fn staying(&self) -> Vec<String> {
        let mut staying = self.staying.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *staying)
    }

    /// Returns unless a signal is ending the process: what comes of work whose image was killed
    /// under it is nothing to tell.
    pub(crate) fn settle(&self) {
        drop(self.paths.lock());
    }

    /// Waits for SIGINT, SIGTERM and SIGHUP on a thread of its own; when one comes, it ends the
    /// images that run, removes what is on the list, and lets the signal do what it does.
    pub(crate) fn watch(&self) -> Result<()> {
        let failed = |error: io::Error| Failure::because("cannot listen for signals", &error);
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
        let paths = Arc::clone(&self.paths);
        let last = Arc::clone(&self.last);
        let listen = move || {
            for signal in signals.forever() {
                // Held until the end: nothing new may appear behind our back.
                let paths = paths.lock().unwrap_or_else(PoisonError::into_inner);
                plimsoll_run::kill_all();
                for left in paths.iter().filter_map(|path| remove(path)) {
                    let _ = writeln!(io::stderr(), "{left}");
                }
                // Threads that write still would make their directories again: what is no directory
                // is in their way, to the last moment.
                let plugged = |path: &&PathBuf| (0..TRIES).any(|_| plug(path));
                let plugs: Vec<&PathBuf> = paths.iter().filter(plugged).collect();
                let last = last.lock().unwrap_or_else(PoisonError::into_inner);
                last.iter().for_each(|last| last());
                for path in plugs {
                    let _ = std::fs::remove_file(path);
                }
                let _ = emulate_default_handler(signal);
            }
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(listen)
            .map_err(failed)?;
        Ok(())
    }
}

/// Puts an empty file where a path is free, or was made again.
fn plug(path: &Path) -> bool {
    let made = std::fs::File::create_new(path);
    if made.is_err() && path.exists() {
        let _ = crate::work::remove(path);
    }
    made.is_ok()
}

/// Removes a file or a directory, and answers what stays; a link is removed, never followed.
fn remove(path: &Path) -> Option<plimsoll_run::Left> {
    for _ in 1..TRIES {
        if crate::work::remove(path).is_ok() {
            return None;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    crate::work::remove(path).err()
}

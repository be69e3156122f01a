//! Holds every process of a sandbox still for a moment.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::proc;

/// How long an image may take to stand still.
const PATIENCE: Duration = Duration::from_secs(2);
/// From one look to the next.
const LOOK: Duration = Duration::from_micros(500);

/// Processes that are held; they go on when this is dropped.
pub(super) struct Still(BTreeMap<i32, OwnedFd>);

/// Stops process `first` of a sandbox and all others in it, and waits until none of them runs.
///
/// # Errors
/// When a process does not stand still in time; those that did go on.
pub(super) fn hold(first: i32) -> io::Result<Still> {
    let space = fs::read_link(format!("/proc/{first}/ns/pid"))?;
    let mut still = Still(BTreeMap::new());
    let begun = Instant::now();
    loop {
        // Who stands still makes no children: once all known ones do and nobody is new, all do.
        let mut all = true;
        for pid in proc::family(first) {
            if let Entry::Vacant(entry) = still.0.entry(pid) {
                all = false;
                let opened = Pid::from_raw(pid).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
                let Some(Ok(pidfd)) = opened else {
                    continue;
                };
                // The number may have become another's before it was opened: only what lives in the
                // sandbox is touched.
                if fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|own| own == space) {
                    let _ = pidfd_send_signal(&pidfd, Signal::STOP);
                    entry.insert(pidfd);
                }
            }
            all &= stands(pid);
        }
        if all {
            return Ok(still);
        }
        if begun.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(LOOK);
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        for pidfd in self.0.values() {
            // One that was killed meanwhile needs nothing.
            let _ = pidfd_send_signal(pidfd, Signal::CONT);
        }
    }
}

/// Whether every thread of a process is stopped, or gone (`proc_pid_stat(5)`, field 3).
fn stands(pid: i32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return true;
    };
    threads.flatten().all(|thread| {
        let text = fs::read(thread.path().join("stat")).unwrap_or_default();
        let state = text
            .iter()
            .rposition(|&byte| byte == b')')
            .and_then(|at| text.get(at + 2));
        state.is_none_or(|state| b"TtZXx".contains(state))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_family_stands_still_and_goes_on() {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "while :; do :; done & while :; do :; done"])
            .spawn()
            .unwrap();
        let pid = shell.id() as i32;
        let mut family = Vec::new();
        while family.len() < 2 {
            family = proc::family(pid);
        }
        let still = hold(pid).unwrap();
        let held: Vec<bool> = family.iter().map(|&pid| stands(pid)).collect();
        drop(still);
        let mut goes = false;
        for _ in 0..200 {
            goes |= family.iter().all(|&pid| !stands(pid));
            std::thread::sleep(LOOK);
        }
        for &pid in family.iter().rev() {
            crate::sys::signal_pid(pid, libc::SIGKILL);
        }
        shell.wait().unwrap();
        assert_eq!(held, [true, true]);
        assert!(goes);
    }
}

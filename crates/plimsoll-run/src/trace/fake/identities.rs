//! Which process believes to be whom: an identity is inherited at a fork and kept until it is changed.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use super::credentials::{Change, Credentials};
use crate::sandbox::children;

/// Ancestors that are asked before the first process of the sandbox is taken.
const GENERATIONS: usize = 64;
/// Processes that are remembered; the dead are forgotten above this.
const REMEMBERED: usize = 4096;
/// The same for the groups that all of these are in together: one may be in 65,536.
const GROUPS: usize = 1 << 20;

/// The identities of one sandbox, shared between the tracer and whoever names them.
#[derive(Clone)]
pub(crate) struct Identities(Arc<Mutex<All>>);

struct All {
    first: i32,
    initial: Credentials,
    known: BTreeMap<i32, Known>,
}

/// A process, told from a later one of the same number by its start.
struct Known {
    started: u64,
    credentials: Credentials,
}

impl Identities {
    pub(super) fn new(first: i32, initial: Credentials) -> Self {
        Self(Arc::new(Mutex::new(All {
            first,
            initial,
            known: BTreeMap::new(),
        })))
    }

    /// The effective user and group of a process.
    pub(crate) fn effective(&self, pid: i32) -> Option<(u32, u32)> {
        let credentials = self.of(pid);
        Some((credentials.user.effective, credentials.group.effective))
    }

    /// Who a thread is.
    pub(super) fn of(&self, thread: i32) -> Credentials {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let process = all.process(thread);
        all.of(process, GENERATIONS)
    }

    /// Changes the identity of a thread's process; the value of the call, `None` if it may not.
    pub(super) fn change(&self, thread: i32, change: &Change) -> Option<i64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let process = all.process(thread);
        let mut credentials = all.of(process, GENERATIONS);
        // The children that are there by now were forked with the old identity.
        all.settle_children(process);
        let value = credentials.apply(change)?;
        all.keep(process, credentials);
        Some(value)
    }

    /// A process ends: its children will have another parent and could no longer be asked for.
    pub(super) fn ends(&self, thread: i32) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let process = all.process(thread);
        let first = all.first;
        if process != first && all.of(process, GENERATIONS) != all.of(first, 0) {
            all.settle_children(process);
        }
    }
}

impl All {
    /// The process of a thread. A number under which a process is known that still lives is that
    /// process's first thread; all others are looked up.
    fn process(&self, thread: i32) -> i32 {
        let is_known = self.known.get(&thread).is_some_and(|known| {
            parent_and_start(thread).is_some_and(|(_, started)| started == known.started)
        });
        if is_known { thread } else { process(thread) }
    }

    fn of(&mut self, process: i32, generations: usize) -> Credentials {
        let Some((parent, started)) = parent_and_start(process) else {
            return self.initial.clone();
        };
        if let Some(known) = self.known.get(&process)
            && known.started == started
        {
            return known.credentials.clone();
        }
        let credentials = if process == self.first || generations == 0 {
            self.initial.clone()
        } else {
            self.of(parent, generations - 1)
        };
        self.insert(process, started, credentials.clone());
        credentials
    }

    fn keep(&mut self, process: i32, credentials: Credentials) {
        if let Some((_, started)) = parent_and_start(process) {
            self.insert(process, started, credentials);
        }
    }

    fn insert(&mut self, process: i32, started: u64, credentials: Credentials) {
        let known = self.known.values();
        let groups: usize = known.map(|known| known.credentials.groups.len()).sum();
        if self.known.len() >= REMEMBERED || groups >= GROUPS {
            self.known.retain(|&pid, known| {
                parent_and_start(pid).is_some_and(|(_, started)| started == known.started)
            });
        }
        let known = Known {
            started,
            credentials,
        };
        self.known.insert(process, known);
    }

    /// Writes down who the descendants of a process are, while it can still be told.
    fn settle_children(&mut self, process: i32) {
        let mut family = Vec::new();
        children(process, &mut family);
        let mut next = 0;
        while let Some(&child) = family.get(next) {
            next += 1;
            self.of(child, GENERATIONS);
            children(child, &mut family);
        }
    }
}

/// The process a thread belongs to (`Tgid` of `/proc/PID/status`).
fn process(thread: i32) -> i32 {
    let text = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Tgid:"));
    line.and_then(|id| id.trim().parse().ok()).unwrap_or(thread)
}

/// Parent and start time of a process: fields 4 and 22 of `/proc/PID/stat` (proc_pid_stat(5)),
/// counted from behind the name, which may hold anything.
fn parent_and_start(process: i32) -> Option<(i32, u64)> {
    let text = fs::read(format!("/proc/{process}/stat")).ok()?;
    let name_ends = text.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(&text[name_ends + 1..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some((parent, started))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn an_identity_is_inherited_at_the_fork_and_not_later() {
        // A shell with a child, so that there are three generations with us.
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "sleep 60; true"])
            .spawn()
            .unwrap();
        let (us, child) = (std::process::id() as i32, shell.id() as i32);
        let mut family = Vec::new();
        while family.is_empty() {
            children(child, &mut family);
        }
        let grandchild = family[0];

        let identities = Identities::new(us, Credentials::new(0, 0, &[]));
        let changed = identities.change(child, &Change::User(33));
        let effective = [child, grandchild, us].map(|pid| identities.effective(pid));
        let back = identities.change(child, &Change::User(0));
        // Another one, which is asked for the first time only now.
        let late = Identities::new(us, Credentials::new(7, 8, &[])).effective(grandchild);

        crate::sys::signal_pid(grandchild, libc::SIGKILL);
        shell.kill().unwrap();
        shell.wait().unwrap();
        assert_eq!(changed, Some(0));
        // The grandchild was forked before the change.
        assert_eq!(effective, [Some((33, 0)), Some((0, 0)), Some((0, 0))]);
        assert_eq!(back, None);
        assert_eq!(late, Some((7, 8)));
    }

    #[test]
    fn our_own_parent_and_start_are_read() {
        let us = std::process::id() as i32;
        let (parent, started) = parent_and_start(us).unwrap();
        assert_eq!(parent, std::os::unix::process::parent_id() as i32);
        assert!(started > 0);
        assert_eq!(process(us), us);
        assert!(parent_and_start(i32::MAX).is_none());
    }
}

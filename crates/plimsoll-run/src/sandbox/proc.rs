//! What /proc says of a sandbox, read from outside.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// The TCP ports that listen in the network of a process.
pub(super) fn listening(pid: i32) -> BTreeSet<u16> {
    let mut ports = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        ports.extend(text.lines().skip(1).filter_map(listener));
    }
    ports
}

/// The port of a line of `/proc/net/tcp` (proc_net(5)): local address `HEX:PORT`, state 0A.
fn listener(line: &str) -> Option<u16> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let (_, port) = local.rsplit_once(':')?;
    (state == "0A").then(|| u16::from_str_radix(port, 16).ok())?
}

/// A process and all below it, in the numbers of this machine. Everything in a process namespace is
/// below its first process.
pub(crate) fn family(pid: i32) -> Vec<i32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(&parent) = all.get(next) {
        next += 1;
        children(parent, &mut all);
    }
    all
}

/// See [`crate::kill_all`].
pub(crate) fn kill_all() {
    let us = std::process::id().cast_signed();
    let below = family(us).into_iter().skip(1);
    for pid in below.filter_map(rustix::process::Pid::from_raw) {
        // It may have ended by itself meanwhile.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// Adds the children of every thread of a process.
pub(crate) fn children(pid: i32, all: &mut Vec<i32>) {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return;
    };
    for thread in threads.flatten() {
        let text = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        all.extend(
            text.split_ascii_whitespace()
                .filter_map(|id| id.parse::<i32>().ok()),
        );
    }
}

/// Bytes of memory that these processes use together, pages of files not counted. A page shared
/// after a fork counts once only where the kernel tells shares (`exact`), which takes it longer. The
/// tables by which a process finds its pages count: there may be gigabytes of them for no page at all.
pub(super) fn memory(pids: &[i32], exact: bool) -> u64 {
    let sum = |pid: &i32, file: &str, names: &[&str]| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let kilobytes = names
            .iter()
            .filter_map(|name| field(&text, name)?.parse::<u64>().ok());
        kilobytes.sum::<u64>() * 1024
    };
    let of = |pid: &i32| match exact {
        true => {
            let pages = ["Pss_Anon:", "Pss_Shmem:", "SwapPss:"];
            sum(pid, "smaps_rollup", &pages) + sum(pid, "status", &["VmPTE:"])
        }
        false => sum(
            pid,
            "status",
            &["RssAnon:", "RssShmem:", "VmSwap:", "VmPTE:"],
        ),
    };
    pids.iter().map(of).sum()
}

/// The first word behind a name in a file like `/proc/PID/status`.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()
}

/// What a process runs, and its effective user and group.
pub(super) fn running_as(pid: i32) -> Option<(PathBuf, u32, u32)> {
    let exe = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let effective = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    Some((exe, effective("Uid:")?, effective("Gid:")?))
}

/// What process 1 of a namespace does with a signal from us: the kernel drops what it neither
/// handles nor holds back (`pid_namespaces(7)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// It has a handler.
    Handles,
    /// It has none, but holds the signal back just now: a shell does so while it forks, a program
    /// with `sigwait` or a signal descriptor all the time.
    HoldsBack,
    /// The signal would be dropped.
    Deaf,
}

/// What process `pid` does with this signal now; a process that cannot be asked is taken to handle it.
pub(super) fn hearing(pid: i32, signal: i32) -> Hearing {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let has = |name: &str| {
        let mask = field(&text, name).and_then(|mask| u64::from_str_radix(mask, 16).ok());
        mask.is_none_or(|mask| mask >> (signal - 1).clamp(0, 63) & 1 == 1)
    };
    match (has("SigCgt:"), has("SigBlk:")) {
        (true, _) => Hearing::Handles,
        (false, true) => Hearing::HoldsBack,
        (false, false) => Hearing::Deaf,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_told_from_a_connection() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000";
        assert_eq!(listener(line), Some(8080));
        assert_eq!(listener(&line.replace(" 0A ", " 01 ")), None);
        assert_eq!(listener("nonsense"), None);
    }

    #[test]
    fn our_own_child_is_family() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let us = std::process::id() as i32;
        let family = family(us);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(family.contains(&us) && family.contains(&(child.id() as i32)));
    }

    #[test]
    fn memory_is_counted() {
        let us = std::process::id() as i32;
        let bytes = vec![1u8; 8 << 20];
        assert!(memory(&[us], false) >= bytes.len() as u64);
        // A test beside this one that forks shares our pages until its child executes.
        let counted = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            memory(&[us], true) >= bytes.len() as u64
        });
        assert!(counted);
    }
}

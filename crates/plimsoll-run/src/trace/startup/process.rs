//! What /proc says of a process that waits: whom it runs as, and what its next program inherits.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use plimsoll_model::startup::{Command, Stage, Who};
use plimsoll_model::text::printable;

use super::super::caller;
use super::super::fake::Fake;
use crate::sandbox::{family, field};

/// Fields of `/proc/PID/status` (`proc_pid_status(5)`) that a program hands on, and what they are.
const STATUS: [(&str, &str); 8] = [
    ("Umask:", "file mode mask"),
    ("SigIgn:", "ignored signals"),
    ("SigBlk:", "blocked signals"),
    ("CapInh:", "inheritable capabilities"),
    ("CapBnd:", "bounding set of capabilities"),
    ("CapAmb:", "ambient capabilities"),
    ("NoNewPrivs:", "bar to new privileges"),
    ("Seccomp_filters:", "number of system call filters"),
];

/// `O_CLOEXEC` in the octal flags of `/proc/PID/fdinfo/FD`.
const CLOSES: u64 = 0o2_000_000;

/// What process `pid`, which waits, is about to hand to its next program.
pub(super) fn stage(
    pid: i32,
    command: Command,
    environment: Vec<Vec<u8>>,
    fake: Option<&Fake<'_>>,
) -> io::Result<Stage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mut inherited = BTreeMap::new();
    for (name, what) in STATUS {
        if let Some(value) = field(&status, name) {
            inherited.insert(what.to_owned(), value.to_owned());
        }
    }
    let limits = fs::read_to_string(format!("/proc/{pid}/limits"))?;
    for line in limits.lines().skip(1) {
        // The name has 25 columns, and begins with "Max".
        let (name, values) = line.split_at_checked(25).unwrap_or((line, ""));
        let values: Vec<&str> = values.split_whitespace().take(2).collect();
        let name = name.trim().trim_start_matches("Max ");
        inherited.insert(format!("limit on {name}"), values.join(" / "));
    }
    if let Some(nice) = nice(pid) {
        inherited.insert("niceness".to_owned(), nice);
    }
    let root = caller::root(pid)?;
    inherited.insert("root directory".to_owned(), printable(&root));
    descriptors(pid, &mut inherited)?;
    let who = match fake {
        Some(fake) => fake.who(pid),
        None => who(&status),
    };
    Ok(Stage {
        command,
        environment,
        directory: caller::working_directory(pid)?,
        who,
        inherited,
    })
}

/// Where the streams lead, and what else stays open.
fn descriptors(pid: i32, inherited: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        let number = entry.file_name().to_string_lossy().into_owned();
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
        let flags = field(&info, "flags:").and_then(|flags| u64::from_str_radix(flags, 8).ok());
        if flags.is_some_and(|flags| flags & CLOSES != 0) {
            continue;
        }
        let leads = fs::read_link(entry.path()).unwrap_or_default();
        let name = match &*number {
            "0" => "standard input".to_owned(),
            "1" => "standard output".to_owned(),
            "2" => "standard error".to_owned(),
            other => format!("open descriptor {other}"),
        };
        inherited.insert(name, printable(leads.as_os_str().as_encoded_bytes()));
    }
    Ok(())
}

fn who(status: &str) -> Who {
    let numbers = |name: &str| -> Vec<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let words = line.unwrap_or_default().split_ascii_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let four = |name: &str| <[u32; 4]>::try_from(numbers(name)).unwrap_or_default();
    let mut others = numbers("Groups:");
    others.sort_unstable();
    Who {
        users: four("Uid:"),
        groups: four("Gid:"),
        others,
    }
}

/// Field 19 of `/proc/PID/stat`.
fn nice(pid: i32) -> Option<String> {
    stat(pid, 16)
}

/// The parent of a process: field 4.
pub(super) fn parent(pid: i32) -> Option<i32> {
    stat(pid, 1)?.parse().ok()
}

/// A field of `/proc/PID/stat` (`proc_pid_stat(5)`), counted from behind the name, which may hold
/// anything: 0 is the state.
fn stat(pid: i32, index: usize) -> Option<String> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let name_ends = text.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(text.get(name_ends + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(index).map(str::to_owned)
}

/// The programs of all processes below `first` that still run.
pub(super) fn others(first: i32) -> Vec<String> {
    let below = family(first).into_iter().skip(1);
    let alive = below.filter(|&pid| stat(pid, 0).is_some_and(|state| !"ZX".contains(&state)));
    let mut programs: Vec<String> = alive
        .map(|pid| match fs::read_link(format!("/proc/{pid}/exe")) {
            Ok(program) => printable(program.as_os_str().as_encoded_bytes()),
            Err(_) => format!("process {pid}"),
        })
        .collect();
    programs.sort();
    programs.dedup();
    programs
}

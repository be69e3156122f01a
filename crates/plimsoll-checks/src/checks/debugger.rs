//! `debugger`: what looks into running programs.

use plimsoll_model::Severity;

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production: a debugger or tracer reads the memory of every
    /// process it may, keys and passwords included. When a running container must be looked into,
    /// attach a debug container to it (`kubectl debug`, `docker debug`), which brings its own.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/gdb     0755 9000k  # finding
    /// /usr/bin/strace  0755 1500k  # finding
    /// ```
    ///
    /// Tools that only list processes weigh less:
    ///
    /// ```image
    /// /usr/bin/ps      0755 140k   # finding
    /// /usr/bin/top     0755 130k   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Symbols for them, which do nothing by themselves, and an application that traces itself.
    ///
    /// ```image
    /// /usr/share/gdb/auto-load/app.py  0644 1k
    /// /srv/perf.data                   0644 1k
    /// ```
    ///
    /// ## Remedy
    ///
    /// Install them in a variant of the image for debugging (`debug` in a recipe of `plimsoll
    /// build`), not in the one that serves. `plimsoll slim IMAGE` leaves them ashore.
    id: "debugger",
    practice: "development tools stay out of production",
    summary: "debuggers or tracers are in the image",
    severity: Medium,
    development: Info,
    run: run,
}

/// What they are, and the names of their programs.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    (
        "debuggers",
        &[
            "cgdb",
            "dlv",
            "gdb",
            "gdb-multiarch",
            "gdbserver",
            "gdbtui",
            "jdb",
            "lldb",
            "lldb-server",
            "r2",
            "radare2",
            "rr",
        ],
    ),
    (
        "tracers and profilers",
        &[
            "bpftrace",
            "ltrace",
            "perf",
            "stap",
            "strace",
            "sysdig",
            "trace-cmd",
            "valgrind",
        ],
    ),
    (
        "tools that list processes",
        &[
            "atop", "btop", "htop", "lsof", "pgrep", "pkill", "pmap", "ps", "skill", "slabtop",
            "top",
        ],
    ),
];

fn run(look: &Look, findings: &mut Findings) {
    for (family, names) in programs::by_family(look, FAMILIES, |name| name) {
        let severity = match family {
            2 => Severity::Low,
            _ => CHECK.severity,
        };
        let (family, _) = FAMILIES[family];
        findings.add_as(
            severity,
            format!("{family}: {}", programs::some(&names)),
            programs::evidence_of(&look.rootfs.tree, &names),
            "a variant of the image for debugging; plimsoll slim IMAGE",
        );
    }
}

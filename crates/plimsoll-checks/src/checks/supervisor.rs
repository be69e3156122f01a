//! `supervisor`: an init system where one program should run.

use plimsoll_model::Severity;

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// One application per image: an init system or supervisor restarts programs and hides from the
    /// orchestrator that they died. Restarting, logging and stopping are the orchestrator's work,
    /// and it can only do it for the program it sees.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/supervisord  0755 "#!/usr/bin/python3\n"   # finding
    /// CMD                   /usr/bin/supervisord -n
    /// ENTRYPOINT            /usr/bin/supervisord
    /// ```
    ///
    /// Installed and not started, it weighs less:
    ///
    /// ```image
    /// /usr/lib/systemd/systemd  0755 90k   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// What only passes signals on and reaps, for one program.
    ///
    /// ```image
    /// /usr/bin/tini       0755 23k
    /// /usr/bin/dumb-init  0755 46k
    /// ENTRYPOINT          /usr/bin/tini /app
    /// ```
    ///
    /// ## Remedy
    ///
    /// One image a program, started together by the orchestrator (a pod, a compose file). Where one
    /// program needs a process 1 beside it, `docker run --init` or `tini` is enough.
    id: "supervisor",
    practice: "one application per image",
    summary: "an init system or supervisor is in the image",
    severity: Medium,
    development: Low,
    run: run,
}

/// What they are, and the names of their programs.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    (
        "a supervisor",
        &[
            "chaperone",
            "circusd",
            "forego",
            "foreman",
            "god",
            "goreman",
            "honcho",
            "hivemind",
            "monit",
            "multirun",
            "overmind",
            "pm2",
            "pm2-runtime",
            "process-compose",
            "supervisord",
        ],
    ),
    (
        "an init system",
        &[
            "finit",
            "openrc-init",
            "openrc-run",
            "runit",
            "runit-init",
            "runsvdir",
            "s6-svscan",
            "svscan",
            "systemd",
        ],
    ),
];

fn run(look: &Look, findings: &mut Findings) {
    let started = programs::started(look);
    let tree = &look.rootfs.tree;
    for (family, names) in programs::by_family(look, FAMILIES, |name| name) {
        let is_started = names.iter().any(|name| {
            let file = programs::program_at(tree, name);
            file.is_some_and(|(file, _)| started.as_ref() == Some(&file))
        });
        let (severity, does) = match is_started {
            true => (CHECK.severity, "is what the image starts"),
            false => (Severity::Low, "is installed"),
        };
        let (family, _) = FAMILIES[family];
        findings.add_as(
            severity,
            format!("{family} {does}: {}", programs::some(&names)),
            programs::evidence_of(tree, &names),
            "one image a program; docker run --init where a process 1 is needed",
        );
    }
}

//! `update-alone`: lists of packages that are fetched in one instruction and used in another.

use crate::check::check;
use crate::history::{self, commands, instructions};
use crate::{Findings, Look};

check! {
    /// Choose a base that is looked after, and stay with it: `RUN apt-get update` by itself is kept
    /// by the builder's cache, and the `RUN apt-get install` behind it works with lists that are
    /// weeks old and installs versions that were fixed since. (CIS Docker Benchmark 4.7.)
    ///
    /// ## Example
    ///
    /// ```image
    /// HISTORY RUN apt-get update                  # finding
    /// HISTORY RUN apt-get install -y nginx
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Both in one instruction, and an update of something else.
    ///
    /// ```image
    /// HISTORY RUN apt-get update && apt-get install -y nginx && rm -rf /var/lib/apt/lists/*
    /// HISTORY RUN update-ca-certificates
    /// HISTORY RUN git submodule update
    /// ```
    ///
    /// ## Remedy
    ///
    /// `RUN apt-get update && apt-get install -y --no-install-recommends ... && rm -rf
    /// /var/lib/apt/lists/*`, in one instruction.
    id: "update-alone",
    practice: "choose a base that is looked after",
    summary: "lists of packages were fetched in an instruction of their own",
    severity: Low,
    run: run,
}

const MANAGERS: &[&str] = &[
    "apk", "apt", "apt-get", "aptitude", "dnf", "microdnf", "yum", "zypper",
];
const FETCHES: &[&str] = &["check-update", "makecache", "ref", "refresh", "update"];
const USES: &[&str] = &[
    "add",
    "dist-upgrade",
    "full-upgrade",
    "in",
    "install",
    "reinstall",
    "upgrade",
];

fn run(look: &Look, findings: &mut Findings) {
    for instruction in instructions(look) {
        let does = |verbs: &[&str]| {
            commands(&instruction).any(|words| {
                let manager = words.iter().position(|word| {
                    let name = word.rsplit('/').next().unwrap_or(word);
                    MANAGERS.contains(&name)
                });
                manager.is_some_and(|at| words[at..].iter().any(|word| verbs.contains(word)))
            })
        };
        if does(FETCHES) && !does(USES) {
            let shown = history::short(&instruction);
            findings.add(
                format!("`{shown}` fetches lists of packages and installs nothing"),
                vec![history::evidence(&instruction)],
                "RUN apt-get update && apt-get install -y ... in one instruction",
            );
        }
    }
}

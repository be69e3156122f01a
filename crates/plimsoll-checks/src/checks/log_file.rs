//! `log-file`: what the build wrote down about itself.

use plimsoll_model::ImagePath;

use super::documentation::report;
use crate::check::check;
use crate::heaps::Heaps;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Keep the image small: logs of the build tell nothing about the container, they differ in
    /// each build and so make every layer new, and now and then they hold a password. An
    /// application in a container logs to its standard output.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/log/              dir 0755     # finding
    /// /var/log/build.log     0644 1200k
    /// ```
    ///
    /// What was typed into a shell or a database is worth more than its bytes:
    ///
    /// ```image
    /// /root/.bash_history    0600 200      # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Logs that are links to the standard output, empty ones, and the few kilobytes of a package
    /// manager.
    ///
    /// ```image
    /// /var/log/nginx/access.log   -> /dev/stdout
    /// /var/log/lastlog            0664 0
    /// /var/log/dpkg.log           0644 12k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `rm -rf /var/log/*` in the `RUN` that writes them, or
    /// `RUN --mount=type=tmpfs,target=/var/log ...`.
    id: "log-file",
    practice: "keep the image small",
    summary: "logs or histories of commands are in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// What shells and clients write down of what was typed.
const HISTORIES: &[&str] = &[
    ".ash_history",
    ".bash_history",
    ".irb_history",
    ".mysql_history",
    ".node_repl_history",
    ".psql_history",
    ".python_history",
    ".rediscli_history",
    ".sh_history",
    ".sqlite_history",
    ".zsh_history",
];

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let place = ImagePath::from("/var/log");
    let mut heaps = Heaps::default();
    for (_, node) in tree.subtree(&place).filter(|(_, node)| node.size() > 0) {
        heaps.add(place.clone(), node);
    }
    report(&heaps, "logs", findings);
    let mut histories = Vec::new();
    for (path, node) in tree.iter() {
        let name = path.file_name();
        let named =
            name.first() == Some(&b'.') && HISTORIES.iter().any(|known| name == known.as_bytes());
        if named && node.size() > 0 {
            histories.push(path.clone());
        }
    }
    if !histories.is_empty() {
        findings.add(
            format!("{} tells what was typed", programs::some(&histories)),
            programs::evidence_of(tree, &histories),
            "rm it in the RUN that writes it",
        );
    }
}

//! `temporary-file`: what was only needed for a moment, while the image was built.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{ImagePath, Node, Subject};

use super::package_cache::amount;
use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Keep the image small: what a build leaves in `/tmp` and `/var/tmp`, and the backups that
    /// editors and package managers make, is of no use to the application, and now and then it
    /// tells more than it should.
    ///
    /// ## Example
    ///
    /// ```image
    /// /tmp/build.log            0644 30k    # finding
    /// /etc/app.conf~            0644 1k     # finding
    /// /etc/.app.conf.swp        0600 4k     # finding
    /// /etc/ssl/openssl.cnf.dpkg-old  0644 12k   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The directory itself, a file that a package brings whatever it is called, and the program
    /// that is started, wherever it lies.
    ///
    /// ```image
    /// /tmp/serve                 0755 9k
    /// ENTRYPOINT                 /tmp/serve
    /// PACKAGE demo 1.0
    /// PACKAGE demo owns /usr/share/demo/odd~
    /// /usr/share/demo/odd~       0644 1k
    /// ```
    ///
    /// ## Remedy
    ///
    /// Remove it in the `RUN` that makes it, or write there through a mount that is no part of the
    /// layer: `RUN --mount=type=tmpfs,target=/tmp ...`.
    id: "temporary-file",
    practice: "keep the image small",
    summary: "temporary files are in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// Directories that are emptied at every start of a machine, or should be (hier(7)).
const DIRECTORIES: [&str; 2] = ["/tmp", "/var/tmp"];

/// Ends of names: backups of editors, of dpkg(1) and of rpm(8).
const ENDS: [&str; 13] = [
    "~",
    ".swp",
    ".swo",
    ".un~",
    ".dpkg-bak",
    ".dpkg-dist",
    ".dpkg-new",
    ".dpkg-old",
    ".dpkg-tmp",
    ".rpmnew",
    ".rpmorig",
    ".rpmsave",
    ".ucf-old",
];

/// Whole names.
const NAMES: [&str; 3] = [".DS_Store", "nohup.out", "Thumbs.db"];

fn run(subject: &Look, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    let mut found: BTreeMap<&str, Vec<ImagePath>> = BTreeMap::new();
    let mut leftovers = Vec::new();
    let started = programs::started(subject);
    for (path, node) in tree.iter().filter(|(_, node)| !node.is_dir()) {
        let directory = DIRECTORIES
            .iter()
            .find(|directory| path.starts_with(directory));
        match directory {
            Some(directory) if started.as_ref() != Some(path) => {
                found.entry(directory).or_default().push(path.clone());
            }
            None if is_leftover(path, node) => leftovers.push(path.clone()),
            _ => {}
        }
    }
    if !leftovers.is_empty() {
        let owned = owned(subject, &leftovers);
        leftovers.retain(|path| !owned.contains(path));
    }
    for (directory, paths) in found {
        let message = format!("{} in {directory}", amount(subject, &paths));
        report(subject, findings, message, &paths);
    }
    if !leftovers.is_empty() {
        let amount = amount(subject, &leftovers);
        let message = format!("{amount} left by editors and package managers");
        report(subject, findings, message, &leftovers);
    }
}

fn report(subject: &Subject, findings: &mut Findings, message: String, paths: &[ImagePath]) {
    let tree = &subject.rootfs.tree;
    let evidence = paths.iter().map(|path| programs::evidence(tree, path));
    findings.add(
        message,
        evidence.collect(),
        "RUN --mount=type=tmpfs,target=/tmp, or rm in the RUN that makes them",
    );
}

fn is_leftover(path: &ImagePath, node: &Node) -> bool {
    let name = path.file_name();
    let named = NAMES.iter().any(|known| name == known.as_bytes());
    let ends = ENDS
        .iter()
        .any(|end| name.len() > end.len() && name.ends_with(end.as_bytes()));
    // Emacs: `#name#` is unsaved work, `.#name` a lock, which is a link that leads nowhere.
    let emacs =
        name.len() > 2 && name.starts_with(b"#") && name.ends_with(b"#") || name.starts_with(b".#");
    named || emacs || node.is_file() && ends
}

/// Which of `paths` a package owns. Databases list paths as they were before `/bin` became a link
/// to `/usr/bin`, so the links in parents are followed.
fn owned(subject: &Subject, paths: &[ImagePath]) -> BTreeSet<ImagePath> {
    let names: BTreeSet<&[u8]> = paths.iter().map(ImagePath::file_name).collect();
    let packages = subject.inventory.packages.iter();
    packages
        .flat_map(|package| &package.files)
        .filter(|file| names.contains(file.file_name()))
        .filter_map(|file| Some(subject.rootfs.tree.resolve_parent(file).ok()?.path))
        .collect()
}

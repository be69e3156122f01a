//! `package-lists`: what the repositories had on the day the image was built.

use std::collections::BTreeMap;

use plimsoll_model::ImagePath;

use super::package_cache::amount;
use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Keep the image small: `apt-get update` and its kin write down what the repositories have, in
    /// tens of megabytes that are stale the next day. Only the next installation reads them.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/lib/apt/lists/deb.example_dists_trixie_InRelease         0644 140k   # finding
    /// /var/lib/apt/lists/deb.example_dists_trixie_main_Packages.lz4 0644 19000k # finding
    /// ```
    ///
    /// Alpine's:
    ///
    /// ```image
    /// /var/cache/apk/APKINDEX.066df28d.tar.gz   0644 700k   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The directory and its lock, which belong to the package manager.
    ///
    /// ```image
    /// /var/lib/apt/lists/lock       0640 0
    /// /var/lib/apt/lists/partial/   dir 0700
    /// ```
    ///
    /// ## Remedy
    ///
    /// `rm -rf /var/lib/apt/lists/*` at the end of the `RUN` that installs, or
    /// `RUN --mount=type=cache,target=/var/lib/apt/lists ...`; `apk add --no-cache`. In a later
    /// `RUN` the bytes are dead, not gone.
    id: "package-lists",
    practice: "keep the image small",
    summary: "lists of available packages are in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// Whose, the place with the start of the name, and the remedy.
const LISTS: &[(&str, &str, &str)] = &[
    ("apk", "/var/cache/apk/APKINDEX.", "apk add --no-cache"),
    (
        "apt",
        "/var/lib/apt/lists/",
        "rm -rf /var/lib/apt/lists/*, in the RUN that installs",
    ),
    (
        "opkg",
        "/var/opkg-lists/",
        "rm -r /var/opkg-lists, in the RUN that installs",
    ),
    (
        "pacman",
        "/var/lib/pacman/sync/",
        "rm -r /var/lib/pacman/sync, in the RUN that installs",
    ),
];

/// Whether this is a list of packages: [`LISTS`] has it.
pub(super) fn is_list(path: &ImagePath) -> bool {
    list_of(path).is_some()
}

fn list_of(path: &ImagePath) -> Option<usize> {
    LISTS
        .iter()
        .position(|(_, start, _)| path.as_bytes().starts_with(start.as_bytes()))
}

fn run(subject: &Look, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    let mut found: BTreeMap<usize, Vec<ImagePath>> = BTreeMap::new();
    for (path, _) in tree.iter().filter(|(_, node)| node.size() > 0) {
        if let Some(list) = list_of(path) {
            found.entry(list).or_default().push(path.clone());
        }
    }
    for (list, paths) in found {
        let (owner, _, remedy) = LISTS[list];
        let message = format!(
            "{owner} left its lists of packages behind: {}",
            amount(subject, &paths)
        );
        let evidence = paths.iter().map(|path| programs::evidence(tree, path));
        findings.add(message, evidence.collect(), remedy);
    }
}

//! `documentation`: what is written for people, where no people are.

use plimsoll_model::{ImagePath, Severity};

use crate::check::check;
use crate::heaps::Heaps;
use crate::{Findings, Look};

check! {
    /// Keep the image small: manual pages, documentation and examples are read by people at their
    /// own machines. In an image they are pulled and stored with every copy of it.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/share/man/          dir 0755    # finding
    /// /usr/share/man/man1/x.1  0644 2000k
    /// /usr/share/doc/          dir 0755    # finding
    /// /usr/share/doc/x/README  0644 600k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Copyright files, which must go along with the programs they are about, and a handful of
    /// kilobytes.
    ///
    /// ```image
    /// /usr/share/doc/x/copyright  0644 600k
    /// /usr/share/doc/x/NEWS.gz    0644 4k
    /// ```
    ///
    /// ## Remedy
    ///
    /// On a base of Debian's family, before anything is installed: `path-exclude=/usr/share/doc/*`,
    /// `path-exclude=/usr/share/man/*` and `path-include=/usr/share/doc/*/copyright` in a file below
    /// `/etc/dpkg/dpkg.cfg.d` (the `-slim` variants have it); `tsflags=nodocs` for dnf. `plimsoll
    /// slim IMAGE` leaves them ashore.
    id: "documentation",
    practice: "keep the image small",
    summary: "documentation is in the image",
    severity: Low,
    development: Info,
    run: run,
}

const PLACES: &[&str] = &[
    "/usr/share/doc",
    "/usr/share/doc-base",
    "/usr/share/gtk-doc",
    "/usr/share/help",
    "/usr/share/info",
    "/usr/share/man",
    "/usr/local/share/doc",
    "/usr/local/share/info",
    "/usr/local/share/man",
    "/usr/local/man",
];

/// Less is not worth a word; more than the second is worth more than a word.
const SMALL: u64 = 100_000;
const LARGE: u64 = 1_000_000;

fn run(look: &Look, findings: &mut Findings) {
    let mut heaps = Heaps::default();
    let tree = &look.rootfs.tree;
    for place in PLACES.iter().map(|place| ImagePath::from(*place)) {
        for (path, node) in tree.subtree(&place) {
            if node.size() > 0 && !is_licence(path) {
                heaps.add(place.clone(), node);
            }
        }
    }
    report(&heaps, "documentation and manual pages", findings);
}

/// A finding about bytes nobody needs, if they are enough to be worth one.
pub(super) fn report(heaps: &Heaps, what: &str, findings: &mut Findings) {
    let message = format!("{what}: {}", heaps.amount());
    let remedy = "plimsoll slim IMAGE, or a base that leaves them out";
    report_as(heaps, message, remedy, findings);
}

/// The same, in its own words.
pub(super) fn report_as(heaps: &Heaps, message: String, remedy: &str, findings: &mut Findings) {
    if heaps.bytes < SMALL {
        return;
    }
    let severity = match heaps.bytes < LARGE {
        true => Severity::Info,
        false => Severity::Low,
    };
    findings.add_as(severity, message, heaps.evidence(), remedy);
}

/// Whether the licence of something may ask for this file.
fn is_licence(path: &ImagePath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    [
        &b"copyright"[..],
        b"license",
        b"licence",
        b"copying",
        b"notice",
    ]
    .iter()
    .any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_known_by_their_names() {
        for (name, is) in [
            ("/x/copyright", true),
            ("/x/LICENSE.txt", true),
            ("/x/COPYING", true),
            ("/x/changelog.gz", false),
        ] {
            assert_eq!(is_licence(&name.into()), is, "{name}");
        }
    }
}

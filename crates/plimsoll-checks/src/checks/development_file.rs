//! `development-file`: headers and static libraries, which only compilers read.

use plimsoll_model::ImagePath;

use super::documentation::report;
use crate::check::check;
use crate::heaps::Heaps;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production: header files and static libraries are read while
    /// programs are built and never while they run.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/include/             dir 0755     # finding
    /// /usr/include/app.h        0644 200k
    /// /usr/lib/                 dir 0755     # finding
    /// /usr/lib/libapp.a         0644 3000k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Shared libraries, and what ends alike elsewhere.
    ///
    /// ```image
    /// /usr/lib/libapp.so.1         0644 3000k
    /// /srv/assets/picture.a        0644 3000k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `COPY --from=build` what runs, by name, in place of `/usr/local` as a whole.
    id: "development-file",
    practice: "development tools stay out of production",
    summary: "headers or static libraries are in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// Where compilers look for headers, and for libraries.
const HEADERS: &[&str] = &["/usr/include", "/usr/local/include"];
const LIBRARIES: &[&str] = &["/lib", "/usr/lib", "/usr/lib64", "/usr/local/lib"];

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let mut heaps = Heaps::default();
    for place in HEADERS.iter().map(|place| ImagePath::from(*place)) {
        for (_, node) in tree.subtree(&place).filter(|(_, node)| node.size() > 0) {
            heaps.add(place.clone(), node);
        }
    }
    for place in LIBRARIES.iter().map(|place| ImagePath::from(*place)) {
        for (path, node) in tree.subtree(&place) {
            if node.size() > 0 && is_static(path.file_name()) {
                heaps.add(place.clone(), node);
            }
        }
    }
    report(&heaps, "headers and static libraries", findings);
}

/// `libssl.a`, and what compilers link behind our backs: `crt1.o`.
fn is_static(name: &[u8]) -> bool {
    name.starts_with(b"lib") && (name.ends_with(b".a") || name.ends_with(b".la"))
        || name.ends_with(b".o") && name.starts_with(b"crt")
}

//! `static-library`: libraries that only linkers read.

use plimsoll_model::ImagePath;

use super::documentation::report_as;
use crate::check::check;
use crate::heaps::Heaps;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production: a static library is copied into programs by the
    /// linker while they are built, and never read while they run.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/lib/                 dir 0755     # finding
    /// /usr/lib/libapp.a         0644 3000k
    /// /opt/app/lib/             dir 0755     # finding
    /// /opt/app/lib/libx.a       0644 900k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Shared libraries, what ends alike elsewhere, and a few kilobytes.
    ///
    /// ```image
    /// /usr/lib/libapp.so.1         0644 3000k
    /// /srv/assets/picture.a        0644 3000k
    /// /usr/local/lib/libsmall.a    0644 8k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `COPY --from=build` what runs, by name, in place of `/usr/local` as a whole; `configure
    /// --disable-static`. `plimsoll slim IMAGE` leaves them ashore.
    id: "static-library",
    practice: "development tools stay out of production",
    summary: "static libraries are in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// Where linkers look, for archives of any name.
const LIBRARIES: &[&str] = &[
    "/lib",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
];

fn run(look: &Look, findings: &mut Findings) {
    let places: Vec<ImagePath> = LIBRARIES.iter().map(|place| (*place).into()).collect();
    let mut heaps = Heaps::default();
    for (path, node) in look.rootfs.tree.iter() {
        let name = path.file_name();
        if node.size() == 0 || !is_static(name) {
            continue;
        }
        let place = places.iter().find(|place| path.starts_with(place));
        let heap = match place {
            Some(place) => Some(place.clone()),
            // Elsewhere only the name tells.
            None if name.starts_with(b"lib") => path.parent(),
            None => None,
        };
        if let Some(heap) = heap {
            heaps.add(heap, node);
        }
    }
    let message = format!("static libraries: {}", heaps.amount());
    let remedy = "COPY --from=build what runs, by name; plimsoll slim IMAGE";
    report_as(&heaps, message, remedy, findings);
}

/// `libssl.a`, what libtool writes beside it, what compilers link behind our backs (`crt1.o`), and
/// Rust's own kind.
fn is_static(name: &[u8]) -> bool {
    name.ends_with(b".a")
        || name.ends_with(b".rlib")
        || name.ends_with(b".la") && name.starts_with(b"lib")
        || name.ends_with(b".o") && name.starts_with(b"crt")
}

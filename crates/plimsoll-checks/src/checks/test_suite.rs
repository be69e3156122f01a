//! `test-suite`: tests of what works already.

use plimsoll_model::ImagePath;

use super::documentation::report;
use crate::check::check;
use crate::heaps::Heaps;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production: libraries of Python, Node.js and Ruby come with
    /// their tests, which run where the library is made. They bring test keys and broken files,
    /// which alarm every scanner.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/lib/python3.11/test/           dir 0755            # finding
    /// /usr/lib/python3.11/test/test_x.py  0644 1200k
    /// ```
    ///
    /// ```image
    /// /venv/lib/python3.11/site-packages/numpy/core/tests/            dir 0755    # finding
    /// /venv/lib/python3.11/site-packages/numpy/core/tests/test_x.py   0644 1500k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A few kilobytes, modules for testing that programs use, and the tests of something else.
    ///
    /// ```image
    /// /usr/lib/python3.11/unittest/case.py   0644 500k
    /// /usr/bin/test                          0755 60k
    /// /srv/tests/answers.json                0644 1500k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `find /venv -type d -name tests -prune -exec rm -r {} +` in the `RUN` that installs;
    /// `npm ci --omit=dev`; `plimsoll slim IMAGE` leaves them ashore.
    id: "test-suite",
    practice: "development tools stay out of production",
    summary: "test suites are in the image",
    severity: Low,
    development: Info,
    run: run,
}

const NAMES: &[&[u8]] = &[b"__tests__", b"spec", b"test", b"tests"];

/// What libraries lie in.
const LIBRARIES: &[&[u8]] = &[b"dist-packages", b"gems", b"node_modules", b"site-packages"];

fn run(look: &Look, findings: &mut Findings) {
    let mut heaps = Heaps::default();
    let mut inside: Option<ImagePath> = None;
    for (path, node) in look.rootfs.tree.iter() {
        match &inside {
            Some(directory) if path.starts_with(directory) => {
                // Directories and links have no bytes.
                heaps.add(directory.clone(), node);
            }
            _ if node.is_dir() && NAMES.contains(&path.file_name()) && is_suite(path) => {
                inside = Some(path.clone());
            }
            _ => {}
        }
    }
    report(&heaps, "test suites of libraries", findings);
}

/// Tests of a library, or of Python itself.
fn is_suite(path: &ImagePath) -> bool {
    let mut above = path.components().rev().skip(1);
    let parent = above.next().unwrap_or_default();
    let is_python = parent.starts_with(b"python") && path.file_name() == b"test";
    // `node_modules/test` is a package of that name.
    is_python || !LIBRARIES.contains(&parent) && above.any(|part| LIBRARIES.contains(&part))
}

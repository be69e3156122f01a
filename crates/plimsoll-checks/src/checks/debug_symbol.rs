//! `debug-symbol`: what of programs only debuggers read.

use std::collections::HashSet;

use plimsoll_model::{ImagePath, Kind, Node, Problem, Seen, text};

use super::documentation::report_as;
use crate::check::check;
use crate::heaps::Heaps;
use crate::sections;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production: the tables of symbols and the debug information in
    /// a program are for debuggers. No program needs them to run, and they are often larger than
    /// all the rest of it. What a debugger needs is kept where the image is built, or in a package
    /// of its own.
    ///
    /// A finding counts what `strip` would take out of each program and shared library: `.symtab`
    /// with its names, and `.debug_*`.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/local/bin/server    0755 3000k .text 900k .debug_info 2000k             # finding
    /// /usr/local/lib/libx.so.1 0644 900k .text 400k .symtab 200k .strtab 200k      # finding
    /// ```
    ///
    /// Debug information beside the programs:
    ///
    /// ```image
    /// /usr/lib/debug/                                    dir 0755     # finding
    /// /usr/lib/debug/.build-id/ab/cdef0123456789.debug   0644 2000k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A program that is large and stripped, one with a few symbols, what only has such a name, and
    /// directories that are called alike.
    ///
    /// ```image
    /// /usr/local/bin/server        0755 3000k .text 2900k .comment 20
    /// /usr/local/bin/small         0755 900k .text 700k .symtab 9k .strtab 9k
    /// /srv/notes.symtab            0755 500k
    /// /usr/lib/debugger/app.so     0644 2000k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `RUN strip --strip-unneeded FILE` in the stage that builds, before `COPY --from=build`;
    /// `go build -ldflags='-s -w'`, `strip = true` in Cargo's release profile, `make
    /// install-strip`. For `/usr/lib/debug`: no `-dbg`, `-dbgsym` and `-debuginfo` packages.
    id: "debug-symbol",
    practice: "development tools stay out of production",
    summary: "programs hold symbols that only debuggers read",
    severity: Low,
    development: Info,
    run: run,
}

/// Where debuggers look for what was taken out of programs (GDB manual, "Separate Debug Files").
const SEPARATE: &[&str] = &["/usr/lib/debug", "/usr/local/lib/debug"];

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let places: Vec<ImagePath> = SEPARATE.iter().map(|place| (*place).into()).collect();
    let mut separate = Heaps::default();
    for place in &places {
        for (_, node) in tree.subtree(place).filter(|(_, node)| node.size() > 0) {
            separate.add(place.clone(), node);
        }
    }
    let message = format!(
        "debug information in files of its own: {}",
        separate.amount()
    );
    let remedy = "leave out the -dbg, -dbgsym and -debuginfo packages; plimsoll slim IMAGE";
    report_as(&separate, message, remedy, findings);

    let mut within = Heaps::default();
    // A program counts once, under the first of its names.
    let mut seen = HashSet::new();
    for (path, node) in tree.iter() {
        if !is_candidate(path, node)
            || places.iter().any(|place| path.starts_with(place))
            || !seen.insert(node.inode)
        {
            continue;
        }
        match symbols(look, node) {
            Ok(bytes) if bytes >= sections::WORTH => {
                within.add_bytes(path.clone(), node.layer, bytes);
            }
            Ok(_) => {}
            Err(error) => findings.problem(Problem::at(
                path,
                format!("cannot be read, so whether it is stripped is not known: {error}"),
            )),
        }
    }
    let programs = match within.files {
        1 => "1 program or library".to_owned(),
        many => format!("{} programs and libraries", text::count(many)),
    };
    let message = format!(
        "strip would take {} of symbols and debug information out of {programs}{}",
        text::bytes(within.bytes),
        within.cut()
    );
    let remedy = "RUN strip --strip-unneeded FILE, in the stage that builds it";
    report_as(&within, message, remedy, findings);
}

/// What may be a program or a shared library, by name and mode.
fn is_candidate(path: &ImagePath, node: &Node) -> bool {
    let name = path.file_name();
    let is_library = || name.ends_with(b".so") || name.windows(4).any(|part| part == b".so.");
    node.size() >= sections::WORTH && (node.is_executable() || is_library())
}

fn symbols(look: &Look, node: &Node) -> std::io::Result<u64> {
    let Kind::File { size, at } = node.kind else {
        return Ok(0);
    };
    match look.rootfs.contents.seen(at) {
        // The pass over its layer saw that it is no ELF file.
        Seen::Other => Ok(0),
        Seen::Needles(_) | Seen::Unknown => sections::symbols(look.rootfs, at, size),
    }
}

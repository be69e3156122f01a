//! `duplicate-file`: the same bytes twice.

use plimsoll_model::{ImagePath, Kind, Node, text};

use super::documentation::report_as;
use crate::check::check;
use crate::heaps::Heaps;
use crate::{Findings, Look};

check! {
    /// Keep the image small: a file that lies in the image a second time under another name is
    /// stored, pulled and unpacked a second time. The first of them stays uncounted: the one that a
    /// package brought, else the one in the lowest layer.
    ///
    /// Files are compared by their size and a sum of their content, not byte by byte.
    ///
    /// ## Example
    ///
    /// ```image
    /// /srv/model.bin       0644 2000k
    /// /srv/old/model.bin   0644 copy /srv/model.bin   # finding
    /// /srv/old/again.bin   0644 copy /srv/model.bin   # finding
    /// ```
    ///
    /// A copy of what a package brought:
    ///
    /// ```image
    /// /opt/data.bin        0644 2000k                 # finding
    /// /usr/share/x.bin     0644 copy /opt/data.bin
    /// PACKAGE x 1.0
    /// PACKAGE x owns /usr/share/x.bin
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Links of either kind, files that only have the same size, a few kilobytes, what packages of
    /// the distribution bring twice by themselves, and what lies in the cache of a package manager,
    /// which is a finding of its own.
    ///
    /// ```image
    /// /srv/model.bin       0644 2000k
    /// /srv/link.bin        -> model.bin
    /// /srv/hard.bin        = /srv/model.bin
    /// /srv/other.bin       0644 2000k
    /// /srv/a.txt           0644 30k
    /// /srv/b.txt           0644 copy /srv/a.txt
    /// /usr/share/a/x.bin   0644 900k
    /// /usr/share/b/x.bin   0644 copy /usr/share/a/x.bin
    /// PACKAGE x 1.0
    /// PACKAGE x owns /usr/share/a/x.bin
    /// PACKAGE x owns /usr/share/b/x.bin
    /// /var/cache/debconf/templates.dat      0644 700k   # finding [dead-bytes]
    /// /var/cache/debconf/templates.dat-old  0644 copy /var/cache/debconf/templates.dat   # finding [package-cache]
    /// --- layer
    /// /var/cache/debconf/templates.dat      0644 copy /var/cache/debconf/templates.dat-old
    /// ```
    ///
    /// ## Remedy
    ///
    /// `COPY` it once, and link the other name to it in the `RUN` that would copy it: `ln -s
    /// /srv/model.bin /srv/old/model.bin`. `npm dedupe` for modules that lie at several depths.
    id: "duplicate-file",
    practice: "keep the image small",
    summary: "files are in the image twice",
    severity: Low,
    development: Info,
    run: run,
}

/// Smaller files are not compared: they fill a block of the disk whatever they hold.
const LEAST: u64 = 4096;

/// A file, and what it is compared by.
struct File<'a> {
    /// Its size and the sum of its content.
    content: (u64, u64),
    path: &'a ImagePath,
    node: &'a Node,
}

fn run(look: &Look, findings: &mut Findings) {
    let mut files = Vec::new();
    for (path, node) in look.rootfs.tree.files() {
        if let Kind::File { size, at } = node.kind
            && size >= LEAST
            && let Some(print) = look.rootfs.contents.fingerprint(at)
        {
            let content = (size, print);
            files.push(File {
                content,
                path,
                node,
            });
        }
    }
    // By content; the paths of one content stay in their order.
    files.sort_by_key(|file| file.content);
    let mut heaps = Heaps::default();
    let mut largest: Option<(u64, &ImagePath, &ImagePath)> = None;
    for group in files.chunk_by(|one, other| one.content == other.content) {
        if group.len() < 2 {
            continue;
        }
        // What is in a cache goes with the cache.
        let is_kept = |file: &&File| !super::package_cache::is_cache(file.path);
        let group: Vec<&File> = group.iter().filter(is_kept).collect();
        let rank = |file: &&File| (!look.is_owned(file.path), file.node.layer);
        let Some(first) = group.iter().copied().min_by_key(rank) else {
            continue;
        };
        for file in group {
            if file.path == first.path || look.is_owned(file.path) {
                continue;
            }
            let (size, _) = file.content;
            heaps.add(file.path.clone(), file.node);
            if largest.is_none_or(|(most, ..)| size > most) {
                largest = Some((size, file.path, first.path));
            }
        }
    }
    let Some((_, path, first)) = largest else {
        return;
    };
    let (holds, rest) = match heaps.files {
        1 => ("1 file has".to_owned(), ""),
        many => (format!("{} files have", text::count(many)), " and so on"),
    };
    let message = format!(
        "{holds} the content of another ({}): `{path}` that of `{first}`{rest}{}",
        text::bytes(heaps.bytes),
        heaps.cut()
    );
    let remedy = "COPY it once, and ln -s the other name to it";
    report_as(&heaps, message, remedy, findings);
}

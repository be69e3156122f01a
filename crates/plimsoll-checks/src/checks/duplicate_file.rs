//! `duplicate-file`: the same bytes twice.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{ImagePath, Kind, Node, text, waste};

use super::documentation::report_as;
use crate::check::check;
use crate::heaps::{Heaps, LISTED};
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

/// What a file is compared by: its size and the sum of its content.
type Content = (u64, u64);

/// The files that are compared. What is in a cache goes with the cache.
fn files<'a>(
    look: &'a Look,
    sizes: &'a [u64],
) -> impl Iterator<Item = (Content, &'a ImagePath, &'a Node)> {
    sized(look).filter_map(|(size, path, node)| {
        let Kind::File { at, .. } = node.kind else {
            return None;
        };
        sizes.binary_search(&size).ok()?;
        let print = look.rootfs.contents.fingerprint(at, size)?;
        Some(((size, print), path, node))
    })
}

/// The files whose size could be another's.
fn sized<'a>(look: &'a Look) -> impl Iterator<Item = (u64, &'a ImagePath, &'a Node)> {
    let files = look.rootfs.tree.files();
    let files = files.map(|(path, node)| (node.size(), path, node));
    files.filter(|(size, path, _)| *size >= LEAST && !super::package_cache::is_cache(path))
}

fn run(look: &Look, findings: &mut Findings) {
    let sizes = sized(look).map(|(size, ..)| size);
    let sizes = waste::several(sizes, look.rootfs.tree.len());
    let files = || files(look, &sizes);
    let prints = files().map(|((_, print), ..)| print);
    let several = waste::several(prints, look.rootfs.tree.len());
    let is_again = |(_, print): &Content| several.binary_search(print).is_ok();
    // The one that stays: a package's, else the lowest layer's, else the first by name.
    let mut firsts: BTreeMap<Content, ((bool, u32), &ImagePath)> = BTreeMap::new();
    for (content, path, node) in files().filter(|(content, ..)| is_again(content)) {
        let rank = (!look.is_owned(path), node.layer);
        let first = firsts.entry(content).or_insert((rank, path));
        if rank < first.0 {
            *first = (rank, path);
        }
    }
    let mut heaps = Heaps::default();
    // The largest, by size and then by name; the others are counted.
    let mut most: BTreeSet<(u64, Reverse<&ImagePath>)> = BTreeSet::new();
    let mut largest: Option<(u64, &ImagePath, &ImagePath)> = None;
    for (content, path, _) in files() {
        let Some(&(_, first)) = firsts.get(&content) else {
            continue;
        };
        if path == first || look.is_owned(path) {
            continue;
        }
        let (size, _) = content;
        if largest.is_none_or(|(most, ..)| size > most) {
            largest = Some((size, path, first));
        }
        most.insert((size, Reverse(path)));
        if most.len() > LISTED + 1
            && let Some((size, _)) = most.pop_first()
        {
            heaps.count(size);
        }
    }
    for (_, Reverse(path)) in most {
        if let Some(node) = look.rootfs.tree.get(path) {
            heaps.add(path.clone(), node);
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

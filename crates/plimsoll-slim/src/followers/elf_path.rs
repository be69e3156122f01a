//! Files whose paths are compiled into programs.

use plimsoll_model::{FileTree, ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::{Look, Scene};
use crate::valve;

follower! {
    /// A program knows its configuration by a path that was compiled in. A constant of a kept
    /// program or library that is an absolute path, and names a small file (256 KiB), brings that
    /// file along; a directory or a program named so says too little. Go and Rust do not end their
    /// strings, so there the longest name that exists counts.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server              0755 elf text=/etc/server/main.conf,/bin/sh,/etc/server,open/usr/share/zones/listen  # kept
    /// /etc/server/main.conf 0644 "port 80\n"                                  # kept [elf-path]
    /// /etc/server/old.conf  0644 "port 79\n"
    /// /bin/sh               0755 elf
    /// /usr/share/zones/list 0644 "UTC\n"                                    # kept [elf-path]
    /// /usr/share/zones/lis  0644 "no\n"
    /// ```
    id: "elf-path",
    follow: follow,
}

const LIMIT: u64 = 256 << 10;
/// A helper is taken up to this size.
const HELPER: u64 = 16 << 20;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return;
    };
    // The C library names what any program might ask for; the glibc row knows which.
    if elf.soname.as_deref() == Some(b"libc.so.6") {
        return;
    }
    let is_executed = keep.is_executed(path);
    let ends = elf.runs.iter().filter_map(|run| longest(scene.tree(), run));
    let named = elf.paths.iter().map(ImagePath::new).chain(ends);
    for named in named {
        let Ok(found) = scene.tree().resolve(&named) else {
            continue;
        };
        let node = scene.tree().get(&found.path);
        if is_executed && is_helper(scene, path, &found.path) {
            let reason = Reason::by("elf-path", path, format!("names its helper {named}"));
            keep.path(&named, Pull::Executed, reason);
            continue;
        }
        let is_small = node.is_some_and(|node| node.is_file() && node.size() <= LIMIT);
        if is_small && !valve::is_ballast(&found.path) {
            let reason = Reason::by("elf-path", path, format!("names {named}"));
            keep.path(&named, Pull::Named, reason);
        }
    }
}

/// Whether a program of the same package is named, in no directory that programs are searched in: what
/// a server keeps there it starts itself.
fn is_helper(scene: &Scene<'_>, path: &ImagePath, named: &ImagePath) -> bool {
    let owners = scene.owners();
    let node = scene.tree().get(named);
    let can_run =
        node.is_some_and(|node| node.is_file() && node.is_executable() && node.size() <= HELPER);
    can_run
        && named != path
        && owners.owner(path).is_some()
        && owners.owner(path) == owners.owner(named)
        && !scene.is_program(named)
        && matches!(&*scene.look(named), Look::Elf(_))
}

/// The longest beginning of `run` that is the path of something.
fn longest(tree: &FileTree, run: &[u8]) -> Option<ImagePath> {
    let mut directory = ImagePath::root();
    for part in run.split(|&byte| byte == b'/').skip(1) {
        let whole = directory.join(part);
        if tree.get(&whole).is_some_and(|node| node.is_dir()) && !part.is_empty() {
            directory = whole;
            continue;
        }
        let lengths = (1..=part.len()).rev();
        let mut names = lengths.map(|length| directory.join(&part[..length]));
        return names.find(|path| tree.get(path).is_some_and(|node| !node.is_dir()));
    }
    None
}

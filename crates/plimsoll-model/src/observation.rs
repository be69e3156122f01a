//! What a run touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::ImagePath;

/// How a path was asked for; a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Access(pub u16);

impl Access {
    /// Asked about: stat, access, readlink, extended attributes, a directory to work in.
    pub const LOOKED_UP: Self = Self(1);
    /// Opened for reading.
    pub const OPENED: Self = Self(1 << 1);
    /// Opened for writing, created, made.
    pub const WRITTEN: Self = Self(1 << 2);
    /// Executed.
    pub const EXECUTED: Self = Self(1 << 3);
    /// Its directory entries were read.
    pub const LISTED: Self = Self(1 << 4);
    /// Mode, owner, times or attributes were changed.
    pub const CHANGED: Self = Self(1 << 5);
    /// Removed or renamed away.
    pub const REMOVED: Self = Self(1 << 6);
    /// A socket was connected to or bound there.
    pub const SOCKET: Self = Self(1 << 7);
    /// The last component was not followed where it is a symbolic link (lstat, `O_NOFOLLOW`).
    pub const NOFOLLOW: Self = Self(1 << 8);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::EXECUTED, "executed"),
        (Self::OPENED, "opened"),
        (Self::LISTED, "listed"),
        (Self::WRITTEN, "written"),
        (Self::CHANGED, "changed"),
        (Self::REMOVED, "removed"),
        (Self::SOCKET, "connected to"),
        (Self::LOOKED_UP, "looked up"),
    ];

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both accesses to one path: NOFOLLOW stays only if neither followed the last component.
    pub const fn joined(self, other: Self) -> Self {
        let nofollow = self.0 & other.0 & Self::NOFOLLOW.0;
        Self((self.0 | other.0) & !Self::NOFOLLOW.0 | nofollow)
    }

    /// Both.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Access {
    /// The strongest thing that was done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(bit, _)| self.has(*bit));
        f.write_str(name.map_or("nothing", |(_, name)| name))
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES
            .iter()
            .filter(|(bit, _)| self.has(*bit))
            .map(|(_, name)| *name);
        f.debug_list().entries(names).finish()
    }
}

/// What is known about one path that a run asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How it was asked for, all times together.
    pub access: Access,
    /// The program that asked first, as the kernel named it (`/usr/sbin/apache2`); empty if unknown.
    pub by: String,
    /// When it asked first: `start`, the name of a probe, `stop`.
    pub during: String,
    /// When else it was asked for.
    pub also: BTreeSet<String>,
}

impl Seen {
    /// Every part of the runs in which it was asked for.
    pub fn scenes(&self) -> impl Iterator<Item = &str> {
        let also = self.also.iter().map(String::as_str);
        std::iter::once(&*self.during).chain(also)
    }

    fn add_scene(&mut self, during: &str) {
        if self.during != during && !self.also.contains(during) {
            self.also.insert(during.to_owned());
        }
    }
}

/// What a run touched.
///
/// Keys are absolute paths as the application spelt them (its working directory put in front, its
/// own root taken off), *not* normalised: `..` behind a symbolic link means what the kernel makes
/// of it, so they are to be walked with [`crate::FileTree::walk`]. Whether a path existed is not
/// recorded: the tree knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observations {
    /// Path as spelt → what was done with it.
    pub seen: BTreeMap<Box<[u8]>, Seen>,
    /// What the tracer could not see or decode, as sentences.
    pub blind: Vec<String>,
}

impl Observations {
    /// Adds one sight of a path.
    pub fn add(&mut self, path: &[u8], access: Access, by: &str, during: &str) {
        if let Some(seen) = self.seen.get_mut(path) {
            seen.access = seen.access.joined(access);
            seen.add_scene(during);
        } else {
            let seen = Seen {
                access,
                by: by.to_owned(),
                during: during.to_owned(),
                also: BTreeSet::new(),
            };
            self.seen.insert(path.into(), seen);
        }
    }

    /// Adds everything another run saw.
    pub fn merge(&mut self, other: &Self) {
        for (path, seen) in &other.seen {
            self.add(path, seen.access, &seen.by, &seen.during);
            if let Some(mine) = self.seen.get_mut(path) {
                for during in &seen.also {
                    mine.add_scene(during);
                }
            }
        }
        self.blind.extend(other.blind.iter().cloned());
        self.blind.sort();
        self.blind.dedup();
    }

    /// The programs that were executed, as spelt.
    pub fn executed(&self) -> impl Iterator<Item = ImagePath> {
        self.seen
            .iter()
            .filter(|(_, seen)| seen.access.has(Access::EXECUTED))
            .map(|(path, _)| ImagePath::new(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn following_once_is_following() {
        let mut seen = Observations::default();
        let lstat = Access::LOOKED_UP.with(Access::NOFOLLOW);
        seen.add(b"/a", lstat, "ls", "start");
        assert!(seen.seen[&b"/a"[..]].access.has(Access::NOFOLLOW));
        seen.add(b"/a", Access::OPENED, "cat", "start");
        seen.add(b"/a", lstat, "ls", "stop");
        let access = seen.seen[&b"/a"[..]].access;
        assert!(!access.has(Access::NOFOLLOW));
        assert!(access.has(Access::OPENED) && access.has(Access::LOOKED_UP));
        assert_eq!(seen.seen[&b"/a"[..]].by, "ls");
    }

    #[test]
    fn it_is_remembered_when_a_path_was_asked_for() {
        let mut seen = Observations::default();
        seen.add(b"/a", Access::OPENED, "cat", "start");
        seen.add(b"/a", Access::OPENED, "cat", "start");
        let mut other = Observations::default();
        other.add(b"/a", Access::OPENED, "cat", "stop");
        other.add(b"/a", Access::OPENED, "cat", "probe");
        seen.merge(&other);
        let scenes: Vec<&str> = seen.seen[&b"/a"[..]].scenes().collect();
        assert_eq!(scenes, ["start", "probe", "stop"]);
    }
}

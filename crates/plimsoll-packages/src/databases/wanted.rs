//! Which files of a tree are wanted: by databases, by products, and of programs by what is in them.

use std::collections::HashMap;
use std::sync::OnceLock;

use plimsoll_model::{ImagePath, Interest, Keep, Kind, Rootfs, Seen};

use super::DATABASES;
use crate::products::PRODUCTS;

/// What every program begins with (System V ABI, "ELF Header").
const ELF: &[u8] = b"\x7fELF";
/// What Go writes before its build information (`debug/buildinfo`).
pub(crate) const GO: &[u8] = b"\xff Go buildinf:";
/// The name of the section with a list of crates (cargo-auditable).
pub(crate) const CRATES: &[u8] = b".dep-v0";
/// Type and owner of the note that names a package (systemd, "Package Metadata for ELF Files").
pub(crate) const NOTE: &[u8] = b"\x7e\x1a\xfe\xcaFDO\0";
static NEEDLES: &[&[u8]] = &[GO, CRATES, NOTE];
const NOTE_BIT: u32 = 1 << 2;

/// Files above this many bytes are not kept whole; who wants them reads their layer again.
const MOST: u64 = 1 << 30;
/// Notes stand in the first page of a program.
const FIRST_PAGE: u64 = 4096;

/// What the databases and products want kept from the pass over an image's layers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted;

impl Interest for Wanted {
    fn judge(&self, path: &[u8], size: u64, mode: u32) -> Keep {
        if size > MOST {
            return Keep::Nothing;
        }
        let is_wanted = globs().matching(path).next().is_some();
        if is_wanted {
            Keep::Whole
        } else if may_be_program(path, size, mode) {
            Keep::Search
        } else {
            Keep::Nothing
        }
    }

    fn magic(&self) -> &'static [u8] {
        ELF
    }

    fn needles(&self) -> &'static [&'static [u8]] {
        NEEDLES
    }

    fn found(&self, needles: u32) -> Keep {
        match needles {
            0 => Keep::Nothing,
            NOTE_BIT => Keep::Head(FIRST_PAGE),
            _ => Keep::Whole,
        }
    }
}

fn may_be_program(path: &[u8], size: u64, mode: u32) -> bool {
    const HEADER: u64 = 64;
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let is_library = || name.ends_with(b".so") || memchr::memmem::find(name, b".so.").is_some();
    size >= HEADER && (mode & 0o111 != 0 || is_library())
}

/// What of a tree is wanted, by row.
pub(crate) struct Found {
    /// In the order of [`DATABASES`].
    pub(crate) databases: Vec<Vec<ImagePath>>,
    /// In the order of [`PRODUCTS`].
    pub(crate) products: Vec<Vec<ImagePath>>,
    /// Programs with a note that names a package.
    pub(crate) noted: Vec<ImagePath>,
}

/// Walks the tree once.
pub(crate) fn found(rootfs: &Rootfs) -> Found {
    let globs = globs();
    let mut rows: Vec<Vec<ImagePath>> = vec![Vec::new(); DATABASES.len() + PRODUCTS.len()];
    let mut noted = Vec::new();
    let mut inodes = std::collections::HashSet::new();
    for (path, node) in rootfs.tree.iter() {
        let Kind::File { at, size } = node.kind else {
            continue;
        };
        for row in globs.matching(path.as_bytes()) {
            let paths = &mut rows[row];
            if paths.last() != Some(path) {
                paths.push(path.clone());
            }
        }
        // A program counts once, under the first of its names.
        if !may_be_program(path.as_bytes(), size, node.meta.mode) || !inodes.insert(node.inode) {
            continue;
        }
        let needles = match rootfs.contents.seen(at) {
            Seen::Other => continue,
            Seen::Needles(needles) => needles,
            Seen::Unknown => search(rootfs, path),
        };
        if needles & NOTE_BIT != 0 {
            noted.push(path.clone());
        }
        for (row, database) in DATABASES.iter().enumerate() {
            let wanted = |needle: &&[u8]| {
                let bit = NEEDLES.iter().position(|known| known == needle);
                bit.is_some_and(|bit| needles & (1 << bit) != 0)
            };
            if database.needles.iter().any(wanted) {
                rows[row].push(path.clone());
            }
        }
    }
    let products = rows.split_off(DATABASES.len());
    Found {
        databases: rows,
        products,
        noted,
    }
}

/// What the pass over the layers does, for a tree that was not read from layers.
fn search(rootfs: &Rootfs, path: &ImagePath) -> u32 {
    let head = rootfs.read_head(path, ELF.len() as u64);
    if head.map_or(true, |head| head != ELF) {
        return 0;
    }
    let Ok(mut reader) = rootfs.open(path) else {
        return 0;
    };
    let mut found = 0;
    // Without a reader's error there is nothing to tell: whoever reads the file will tell.
    let _ = crate::windows::each(&mut reader, |window| {
        for (bit, needle) in NEEDLES.iter().enumerate() {
            if found & (1 << bit) == 0 && memchr::memmem::find(window, needle).is_some() {
                found |= 1 << bit;
            }
        }
        true
    });
    found
}

/// The globs of all rows, found by the last part of a path.
struct Globs {
    /// By a last part that is a name.
    named: HashMap<&'static [u8], Vec<(&'static str, usize)>>,
    /// By how the last part begins and ends.
    shaped: Vec<(&'static [u8], &'static [u8], &'static str, usize)>,
}

fn globs() -> &'static Globs {
    static GLOBS: OnceLock<Globs> = OnceLock::new();
    GLOBS.get_or_init(|| {
        // Rows about the inside of programs are not asked by name.
        let databases = DATABASES.iter().map(|row| match row.needles {
            [] => row.wants,
            _ => &[],
        });
        let products = PRODUCTS.iter().map(|row| row.names);
        let mut globs = Globs {
            named: HashMap::new(),
            shaped: Vec::new(),
        };
        for (row, wants) in databases.chain(products).enumerate() {
            for &glob in wants {
                let last = glob.rsplit('/').next().unwrap_or(glob);
                let is_special = |character| "*?[{".contains(character);
                match (last.find(is_special), last.rfind(['*', '?', ']', '}'])) {
                    (Some(first), Some(end)) => {
                        let (start, end) = (&last[..first], &last[end + 1..]);
                        globs
                            .shaped
                            .push((start.as_bytes(), end.as_bytes(), glob, row));
                    }
                    _ => globs
                        .named
                        .entry(last.as_bytes())
                        .or_default()
                        .push((glob, row)),
                }
            }
        }
        globs
    })
}

impl Globs {
    /// The rows that want the file at this absolute path, in order, some of them twice.
    fn matching<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let named = self.named.get(name).into_iter().flatten().copied();
        let shaped = self.shaped.iter().filter(move |(start, end, _, _)| {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        });
        let shaped = shaped.map(|&(_, _, glob, row)| (glob, row));
        named
            .chain(shaped)
            .filter(move |(glob, _)| fast_glob::glob_match(glob, path))
            .map(|(_, row)| row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_told_by_its_path() {
        let judge = |path: &str, mode| Wanted.judge(path.as_bytes(), 1000, mode);
        for path in [
            "/var/lib/dpkg/status",
            "/usr/lib/sysimage/rpm/Packages.db",
            "/app/node_modules/@x/y/package.json",
            "/usr/lib/python3/dist-packages/x-1.dist-info/METADATA",
            "/opt/x.war",
            "/usr/sbin/nginx",
        ] {
            assert_eq!(judge(path, 0o644), Keep::Whole, "{path}");
        }
        assert_eq!(judge("/usr/bin/whatever", 0o755), Keep::Search);
        assert_eq!(judge("/usr/lib/libx.so.1", 0o644), Keep::Search);
        for path in ["/etc/motd", "/usr/share/x.json", "/x/package.json.orig"] {
            assert_eq!(judge(path, 0o644), Keep::Nothing, "{path}");
        }
    }
}

//! rpm's packages, wherever they are recorded: headers, and the three forms their database has had.
//!
//! A header is a number of entries and of bytes, the entries (tag, type, offset, count; big-endian)
//! and the bytes (RPM documentation, "Header format"). The databases hold headers without their
//! lead.

use std::collections::BTreeMap;
use std::io;

use plimsoll_model::package::ecosystem;
use plimsoll_model::{FileDigest, ImagePath, KnownBy, Package, Rootfs};

pub(crate) mod bdb;
pub(crate) mod ndb;
pub(crate) mod prune;
pub(crate) mod sqlite;

/// A header larger than this is not read; the largest packages have 20 MB (rpm's own limit is 256).
pub(crate) const MAX_HEADER: u64 = 64 << 20;
/// Files of one package.
const MAX_FILES: usize = 2_000_000;

/// Tags of headers (`rpmtag.h`).
mod tag {
    pub(super) const NAME: u32 = 1000;
    pub(super) const VERSION: u32 = 1001;
    pub(super) const RELEASE: u32 = 1002;
    pub(super) const EPOCH: u32 = 1003;
    pub(super) const SIZE: u32 = 1009;
    pub(super) const VENDOR: u32 = 1011;
    pub(super) const LICENSE: u32 = 1014;
    pub(super) const GROUP: u32 = 1016;
    pub(super) const ARCH: u32 = 1022;
    pub(super) const OLD_FILE_NAMES: u32 = 1027;
    pub(super) const FILE_STATES: u32 = 1029;
    pub(super) const FILE_MODES: u32 = 1030;
    pub(super) const FILE_DIGESTS: u32 = 1035;
    pub(super) const FILE_FLAGS: u32 = 1037;
    pub(super) const SOURCE_RPM: u32 = 1044;
    pub(super) const PROVIDE_NAME: u32 = 1047;
    pub(super) const DIR_INDEXES: u32 = 1116;
    pub(super) const BASE_NAMES: u32 = 1117;
    pub(super) const DIR_NAMES: u32 = 1118;
    pub(super) const LONG_SIZE: u32 = 5009;
}

/// A header, its entries found.
pub(crate) struct Header<'a> {
    entries: BTreeMap<u32, (u32, usize, usize)>,
    data: &'a [u8],
    /// Where `data` begins in the bytes of the header.
    base: usize,
}

impl<'a> Header<'a> {
    /// # Errors
    /// Says what does not fit.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let number = |at: usize| {
            let four = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(four) as usize)
        };
        let (count, length) = number(0)
            .zip(number(4))
            .ok_or("is too short for a header")?;
        let base = count
            .checked_mul(16)
            .and_then(|size| size.checked_add(8))
            .ok_or("has too many entries")?;
        let end = base.checked_add(length).ok_or("is too long")?;
        let data = bytes.get(base..end).ok_or("ends early")?;
        let mut entries = BTreeMap::new();
        for index in 0..count {
            let at = 8 + index * 16;
            let words = [number(at), number(at + 4), number(at + 8), number(at + 12)];
            let [Some(tag), Some(kind), Some(offset), Some(count)] = words else {
                return Err("ends early".to_owned());
            };
            entries
                .entry(tag as u32)
                .or_insert((kind as u32, offset, count));
        }
        Ok(Self {
            entries,
            data,
            base,
        })
    }

    /// The strings of a tag: one of `STRING`, many of `STRING_ARRAY`, the first of translations.
    fn strings(&self, tag: u32) -> Vec<&'a [u8]> {
        let Some(&(kind, offset, count)) = self.entries.get(&tag) else {
            return Vec::new();
        };
        let count = match kind {
            6 => 1,
            8 => count,
            9 => count.min(1),
            _ => return Vec::new(),
        };
        let rest = self.data.get(offset..).unwrap_or_default();
        let mut parts = rest.split(|&byte| byte == 0);
        let mut found = Vec::new();
        while found.len() < count.min(MAX_FILES) {
            match parts.next() {
                Some(part) => found.push(part),
                None => break,
            }
        }
        found
    }

    fn text(&self, tag: u32) -> String {
        let first = self.strings(tag).into_iter().next().unwrap_or_default();
        String::from_utf8_lossy(first).into_owned()
    }

    /// The numbers of a tag, of whatever width.
    fn numbers(&self, tag: u32) -> Vec<u64> {
        let Some(&(kind, offset, count)) = self.entries.get(&tag) else {
            return Vec::new();
        };
        let width = match kind {
            1 | 2 => 1,
            3 => 2,
            4 => 4,
            5 => 8,
            _ => return Vec::new(),
        };
        let rest = self.data.get(offset..).unwrap_or_default();
        let numbers = rest.chunks_exact(width).take(count.min(MAX_FILES));
        numbers
            .map(|bytes| {
                bytes
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
            })
            .collect()
    }

    /// Where the states of the files lie in the bytes of the header, one byte a file.
    pub(crate) fn states(&self) -> Option<std::ops::Range<usize>> {
        let &(_, offset, count) = self.entries.get(&tag::FILE_STATES)?;
        let start = self.base.checked_add(offset)?;
        let end = start.checked_add(count)?;
        (end <= self.base + self.data.len()).then_some(start..end)
    }

    /// What the tables of an index have of it.
    pub(crate) fn keys(&self) -> [(&'static str, Vec<&'a [u8]>); 3] {
        [
            ("Name", self.strings(tag::NAME)),
            ("Basenames", self.strings(tag::BASE_NAMES)),
            ("Providename", self.strings(tag::PROVIDE_NAME)),
        ]
    }

    /// Every path of the package in the order of the header, directories too.
    pub(crate) fn paths(&self) -> Vec<ImagePath> {
        let names = self.strings(tag::BASE_NAMES);
        if names.is_empty() {
            let old = self.strings(tag::OLD_FILE_NAMES);
            return old.into_iter().map(ImagePath::new).collect();
        }
        let directories = self.strings(tag::DIR_NAMES);
        let indexes = self.numbers(tag::DIR_INDEXES);
        let places = names.into_iter().enumerate().map(|(file, name)| {
            let index = indexes.get(file).copied().unwrap_or(0);
            let directory = usize::try_from(index)
                .ok()
                .and_then(|index| directories.get(index));
            ImagePath::new([directory.copied().unwrap_or(b"/"), name].concat())
        });
        places.collect()
    }

    /// The package it describes, without its database; `None` without a name or a version.
    pub(crate) fn package(&self) -> Option<Package> {
        const DIRECTORY: u64 = 0o040_000;
        const FORMAT: u64 = 0o170_000;
        const CONFIGURATION: u64 = 1;
        const GHOST: u64 = 1 << 6;
        let (name, version, release) = (
            self.text(tag::NAME),
            self.text(tag::VERSION),
            self.text(tag::RELEASE),
        );
        if name.is_empty() || version.is_empty() {
            return None;
        }
        let epoch = self
            .numbers(tag::EPOCH)
            .first()
            .copied()
            .filter(|epoch| *epoch > 0);
        let full = match epoch {
            Some(epoch) => format!("{epoch}:{version}-{release}"),
            None => format!("{version}-{release}"),
        };
        let (modes, flags) = (self.numbers(tag::FILE_MODES), self.numbers(tag::FILE_FLAGS));
        let states = self.numbers(tag::FILE_STATES);
        let sums = self.strings(tag::FILE_DIGESTS);
        let mut package = Package {
            ecosystem: ecosystem::RPM,
            architecture: self.text(tag::ARCH),
            vendor: self.text(tag::VENDOR),
            section: self.text(tag::GROUP),
            licences: Some(self.text(tag::LICENSE))
                .filter(|text| !text.is_empty())
                .into_iter()
                .collect(),
            known_by: KnownBy::Database,
            ..Package::default()
        };
        let sizes = [self.numbers(tag::LONG_SIZE), self.numbers(tag::SIZE)].concat();
        package.installed_size = sizes.first().copied().unwrap_or(0);
        if let Some((source, source_version)) = source(&self.text(tag::SOURCE_RPM)) {
            package.source = (source != name).then_some(source);
            package.source_version =
                (source_version != format!("{version}-{release}")).then_some(source_version);
        }
        for (index, path) in self.paths().into_iter().enumerate() {
            let of = |numbers: &[u64]| numbers.get(index).copied().unwrap_or(0);
            // A ghost is a path somebody may make; other states are of files that were left out.
            let is_left_out = of(&flags) & GHOST != 0 || of(&states) != 0;
            if of(&modes) & FORMAT == DIRECTORY || is_left_out {
                continue;
            }
            if of(&flags) & CONFIGURATION != 0 {
                package.conffiles.push(path.clone());
            }
            if let Some(digest) = sums.get(index).and_then(|sum| FileDigest::from_hex(sum)) {
                package.digests.insert(path.clone(), digest);
            }
            package.files.push(path);
        }
        package.files.sort();
        package.files.dedup();
        package.conffiles.sort();
        (package.name, package.version) = (name, full);
        Some(package)
    }
}

/// Larger databases of SQLite are not read into memory. Those of large desktops have 200 MB.
const MAX_SQLITE: u64 = 512 << 20;

/// Gives every record of the database at `path` to `each`, or says why one cannot be read.
///
/// # Errors
/// When it is no such database.
pub(crate) fn records(
    rootfs: &Rootfs,
    path: &ImagePath,
    each: &mut dyn FnMut(io::Result<Vec<u8>>),
) -> io::Result<()> {
    let size = rootfs.tree.get(path).map_or(0, |node| node.size());
    let part = |from, length| rootfs.read_part(path, from, length);
    match path.file_name() {
        b"rpmdb.sqlite" if size > MAX_SQLITE => {
            let text = format!("has {size} bytes, more than the limit of {MAX_SQLITE}");
            Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
        }
        b"rpmdb.sqlite" => sqlite::records(&mut rootfs.open(path)?, size, each),
        b"Packages.db" => ndb::records(&part, size, each),
        _ => bdb::records(&part, size, each),
    }
}

/// Name and version of the source package: `glibc-2.34-60.el9.src.rpm`.
pub(crate) fn source(file: &str) -> Option<(String, String)> {
    let stem = file.strip_suffix(".rpm")?;
    let stem = stem
        .strip_suffix(".src")
        .or_else(|| stem.strip_suffix(".nosrc"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some((name.to_owned(), format!("{version}-{release}")))
}

//! Archives in the zip form (jars, eggs), read at random: the directory at the end first, then only
//! the entries that are asked for.

use std::io::{self, Read};

use flate2::bufread::DeflateDecoder;
use plimsoll_model::{Extent, ImagePath, Kind, Rootfs};
use rawzip::{CompressionMethod, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder};

/// More entries than this are an attack: the largest archives of Java have a tenth of it.
const MAX_ENTRIES: usize = 500_000;
/// Bytes of all names together.
const MAX_NAMES: usize = 64 << 20;

/// Where the bytes of an archive are.
pub(crate) enum Source<'a> {
    /// A file of the tree.
    File {
        rootfs: &'a Rootfs,
        at: Extent,
        size: u64,
    },
    /// An archive that was an entry of another.
    Memory(Vec<u8>),
}

impl Source<'_> {
    fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }
}

impl ReaderAt for Source<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::File { rootfs, at, size } => {
                let left = size.saturating_sub(offset).min(buffer.len() as u64);
                if left == 0 {
                    return Ok(0);
                }
                let mut reader = rootfs.contents.open_part(*at, *size, offset, left)?;
                let mut count = 0;
                while count < buffer.len() {
                    match reader.read(&mut buffer[count..])? {
                        0 => break,
                        more => count += more,
                    }
                }
                Ok(count)
            }
            Self::Memory(bytes) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = bytes.get(from..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
        }
    }
}

/// One entry of an archive.
pub(crate) struct Entry {
    /// Its name as written.
    pub(crate) name: String,
    /// Its bytes, as the directory says.
    pub(crate) size: u64,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

/// An archive, its directory read.
pub(crate) struct Archive<'a> {
    inner: ZipArchive<Source<'a>>,
    /// The entries that are files, in the order of the directory.
    pub(crate) entries: Vec<Entry>,
}

/// The archive that the file at `path` is.
pub(crate) fn open<'a>(rootfs: &'a Rootfs, path: &ImagePath) -> io::Result<Archive<'a>> {
    let node = rootfs.tree.get(path);
    let Some(&Kind::File { size, at }) = node.map(|node| &node.kind) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    read(Source::File { rootfs, at, size })
}

/// The directory of an archive.
pub(crate) fn read(source: Source<'_>) -> io::Result<Archive<'_>> {
    let mut buffer = vec![0; 64 << 10];
    let size = source.size();
    let locator = ZipArchive::<()>::with_max_search_space(1 << 17);
    let inner = locator
        .locate_in_reader(source, &mut buffer, size)
        .map_err(|(_, error)| invalid(error))?;
    let mut entries = Vec::new();
    let mut names = 0;
    let mut records = inner.entries(&mut buffer);
    while let Some(record) = records.next_entry().map_err(invalid)? {
        if record.is_dir() {
            continue;
        }
        let name = String::from_utf8_lossy(record.file_path().as_ref()).into_owned();
        names += name.len();
        if entries.len() == MAX_ENTRIES || names > MAX_NAMES {
            return Err(invalid(format!("has more than {MAX_ENTRIES} entries")));
        }
        entries.push(Entry {
            name,
            size: record.uncompressed_size_hint(),
            method: record.compression_method(),
            place: record.wayfinder(),
        });
    }
    drop(buffer);
    Ok(Archive { inner, entries })
}

impl Archive<'_> {
    /// The first entry of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// What an entry holds; an error where that is more than `limit` bytes, whatever it said.
    pub(crate) fn read(&self, entry: &Entry, limit: u64) -> io::Result<Vec<u8>> {
        let too_large = || invalid(format!("{} has more than {limit} bytes", entry.name));
        if entry.size > limit {
            return Err(too_large());
        }
        let found = self.inner.get_entry(entry.place).map_err(invalid)?;
        let reader = io::BufReader::with_capacity(32 << 10, found.reader());
        let mut bytes = Vec::new();
        match entry.method {
            CompressionMethod::STORE => reader.take(limit + 1).read_to_end(&mut bytes)?,
            CompressionMethod::DEFLATE => DeflateDecoder::new(reader)
                .take(limit + 1)
                .read_to_end(&mut bytes)?,
            _ => return Err(invalid("is compressed in a way that Java does not read")),
        };
        if bytes.len() as u64 > limit {
            return Err(too_large());
        }
        Ok(bytes)
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

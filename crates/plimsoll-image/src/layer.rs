//! One layer, read once: decompressed, hashed both ways, indexed, and never unpacked.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_model::tar::{Archive, Member, TarError, Type};
use plimsoll_model::tree::Naming;
use plimsoll_model::{
    Digest, Entry, EntryKind, Evidence, Extent, ImagePath, Interest, Kind, Problem,
};
use sha2::{Digest as _, Sha256};

use crate::codec::{Codec, MAGIC};
use crate::kept::{Keeper, Kept, Store};
use crate::part::Part;
use crate::pending::{self, can_wait};
use crate::stream::{self, ChunkReader, Chunks, Failure, Meter};
use crate::{Error, Limits};

/// Linux's `PATH_MAX` and `NAME_MAX` (`limits.h`): a longer name cannot be made by any runtime.
const MAX_PATH: usize = 4096;
const MAX_NAME: usize = 255;
/// Directories in directories that are believed: each entry may make all of its parents.
const MAX_DEPTH: usize = 256;
/// Problems of one layer that are told one by one.
const MAX_PROBLEMS: usize = 200;

/// A layer as a manifest promises it.
#[derive(Clone)]
pub(crate) struct Promised {
    /// For messages: `layer 2 (blobs/sha256/...)`.
    pub(crate) what: String,
    /// Its bytes.
    pub(crate) part: Part,
    /// Digest of the bytes as stored, where the manifest says one.
    pub(crate) digest: Option<Digest>,
    /// Number of bytes as stored, where the manifest says one.
    pub(crate) size: Option<u64>,
    /// Digest of the plain tar, where the configuration says one.
    pub(crate) diff_id: Option<Digest>,
    /// Media type as written; empty where there is none.
    pub(crate) media_type: String,
}

/// A layer, read and found to be what was promised.
pub(crate) struct LayerRead {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) diff_id: Digest,
    pub(crate) uncompressed: u64,
    pub(crate) codec: Codec,
    pub(crate) entries: Entries,
    pub(crate) problems: Vec<Problem>,
    pub(crate) kept: Kept,
    /// The plain layer, where a directory for it was given.
    pub(crate) spooled: Option<File>,
}

/// Entries in the order of their layer, given back piece by piece: there may be a million, and who
/// merges them needs the room.
#[derive(Default)]
pub(crate) struct Entries(Vec<Vec<Entry>>);

impl Entries {
    const PIECE: usize = 1024;

    fn push(&mut self, entry: Entry) {
        match self.0.last_mut() {
            Some(last) if last.len() < Self::PIECE => last.push(entry),
            // A small layer has a small piece.
            Some(last) => {
                pack(last);
                let mut piece = Vec::with_capacity(Self::PIECE);
                piece.push(entry);
                self.0.push(piece);
            }
            None => self.0.push(vec![entry]),
        }
    }
}

/// The names of a piece in one allocation: they stay as long as the tree.
fn pack(piece: &mut [Entry]) {
    ImagePath::pack(piece.iter_mut().map(|entry| &mut entry.path));
}

impl IntoIterator for Entries {
    type Item = Entry;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<Entry>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

/// What the layers of one image share while they are read.
pub(crate) struct Shared<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) meter: Meter<'a>,
    pub(crate) spool: Option<&'a Path>,
    pub(crate) entries: AtomicU64,
    pub(crate) names: AtomicU64,
    pub(crate) uncompressed: AtomicU64,
    pub(crate) interest: Option<&'a dyn Interest>,
    /// Whether uncompressed layers are verified by somebody else.
    pub(crate) ahead: bool,
    /// Where files that will be asked for are kept.
    pub(crate) store: Store,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(
        limits: &'a Limits,
        meter: Meter<'a>,
        spool: Option<&'a Path>,
        interest: Option<&'a dyn Interest>,
    ) -> Self {
        Self {
            limits,
            meter,
            spool,
            entries: AtomicU64::new(0),
            names: AtomicU64::new(0),
            uncompressed: AtomicU64::new(0),
            interest,
            ahead: false,
            store: Store::new(limits.captured, limits.kept),
        }
    }
}

/// Reads layer number `layer` of an image and holds it against what was promised.
///
/// # Errors
/// When a digest or size does not agree, the layer ends early or is no tar, a limit is hit, or the
/// disk fails.
pub(crate) fn read(
    promised: &Promised,
    layer: u32,
    shared: &Shared<'_>,
) -> Result<LayerRead, Error> {
    if shared.ahead
        && can_wait(promised)
        && let Some(read) = look(promised, layer, shared)
    {
        return Ok(read);
    }
    let what = &promised.what;
    if let Some(size) = promised.size
        && size != promised.part.size
    {
        let found = format!("{} bytes", promised.part.size);
        return Err(Error::mismatch(
            format!("{what}, size"),
            format!("{size} bytes"),
            found,
        ));
    }
    let codec = codec_of(promised)?;
    let mut spooled = match (shared.spool, codec) {
        // An uncompressed layer can be read at random where it is.
        (None, _) | (_, Codec::Plain) => None,
        (Some(directory), _) => {
            let what = format!("a temporary file in {}", directory.display());
            Some(tempfile::tempfile_in(directory).map_err(Error::io(what))?)
        }
    };
    let mut hash = Sha256::new();
    let mut plain = 0;
    let most = shared.limits.uncompressed_of(promised.part.size);
    let keep = codec != Codec::Plain && spooled.is_none();
    let mut index = Index {
        layer,
        keeper: Keeper::new(keep, shared.interest, &shared.store),
        shared,
        what,
        entries: Entries::default(),
        problems: Vec::new(),
        unsaid: 0,
    };
    let consume = |chunks: &mut dyn Chunks| -> Result<Option<TarError>, Stop> {
        let mut stop = None;
        let mut reader = ChunkReader::new(chunks, |bytes: &[u8]| {
            hash.update(bytes);
            plain += bytes.len() as u64;
            let total = shared
                .uncompressed
                .fetch_add(bytes.len() as u64, Ordering::Relaxed);
            if plain > most {
                stop = Some(Stop::TooLarge);
                return Err(io::ErrorKind::Other.into());
            }
            if total > shared.limits.uncompressed {
                stop = Some(Stop::Limit("uncompressed"));
                return Err(io::ErrorKind::Other.into());
            }
            match &mut spooled {
                Some(file) => file.write_all(bytes).inspect_err(|error| {
                    stop = Some(Stop::Spool(io::Error::new(error.kind(), error.to_string())));
                }),
                None => Ok(()),
            }
        });
        let indexed = index.run(&mut Archive::new(&mut reader));
        // Also behind the end of the archive, and of one that makes no sense, every byte counts.
        let drained = reader.drain();
        drop(reader);
        match (stop, indexed, drained) {
            (Some(stop), _, _) => Err(stop),
            (None, Err(Halt::Limit(name)), _) => Err(Stop::Limit(name)),
            (None, Err(Halt::Tar(error)), _) => Ok(Some(error)),
            (None, Ok(()), Err(error)) => Err(Stop::Spool(error)),
            (None, Ok(()), Ok(())) => Ok(None),
        }
    };
    let run = stream::run(&promised.part, codec, &shared.meter, consume);
    let (indexed, stored) = run.map_err(Error::io(what))?;
    let (entries, problems, kept) = index.finish();
    let tar = match indexed {
        Ok(tar) => tar,
        Err(Stop::TooLarge) => return Err(shared.limits.too_large(what, promised.part.size)),
        Err(Stop::Limit(name)) => {
            shared.limits.check(what, name, u64::MAX)?;
            None
        }
        Err(Stop::Spool(error)) => return Err(Error::io(format!("{what}, spooled"))(error)),
    };
    if let Some(Failure::Disk(error)) = stored.failure {
        return Err(Error::io(what)(error));
    }
    let diff_id = stream::digest_of(hash);
    let digest = stored.digest.unwrap_or(diff_id);
    let differs = |property: &str, expected: Digest, found: Digest| {
        Error::mismatch(format!("{what}, {property}"), expected, found)
    };
    if let Some(expected) = promised.digest
        && expected != digest
    {
        return Err(differs("digest", expected, digest));
    }
    match (stored.failure, tar) {
        (Some(Failure::Truncated), _) => {
            let why = format!(
                "its compressed data ends early, after {} bytes",
                stored.size
            );
            return Err(Error::malformed(what, why));
        }
        (Some(Failure::Corrupt(error)), _) => {
            let why = format!("its compressed data is damaged: {error}");
            return Err(Error::malformed(what, why));
        }
        (_, Some(error)) => return Err(Error::malformed(what, error)),
        _ => {}
    }
    if let Some(expected) = promised.diff_id
        && expected != diff_id
    {
        return Err(differs("diff id", expected, diff_id));
    }
    Ok(LayerRead {
        digest,
        size: stored.size,
        diff_id,
        uncompressed: plain,
        codec,
        entries,
        problems,
        kept,
        spooled,
    })
}

/// Finds the entries of an uncompressed layer that somebody else verifies. `None` where anything is wrong
/// with it: reading all of it says what.
fn look(promised: &Promised, layer: u32, shared: &Shared<'_>) -> Option<LayerRead> {
    let diff_id = promised.diff_id?;
    let size = promised.part.size;
    let most = shared.limits.uncompressed;
    let before = shared.uncompressed.load(Ordering::Relaxed);
    if before.checked_add(size).is_none_or(|all| all > most) {
        return None;
    }
    let mut index = Index {
        layer,
        keeper: Keeper::hopping(shared.interest, &shared.store),
        shared,
        what: &promised.what,
        entries: Entries::default(),
        problems: Vec::new(),
        unsaid: 0,
    };
    let mut archive = Archive::hopping(pending::hopper(promised).ok()?, pending::hop);
    index.run(&mut archive).ok()?;
    shared.uncompressed.fetch_add(size, Ordering::Relaxed);
    shared.meter.add(size);
    let (entries, problems, kept) = index.finish();
    Some(LayerRead {
        digest: diff_id,
        size,
        diff_id,
        uncompressed: size,
        codec: Codec::Plain,
        entries,
        problems,
        kept,
        spooled: None,
    })
}

/// How a layer is compressed, by its first bytes.
pub(crate) fn codec_of(promised: &Promised) -> Result<Codec, Error> {
    let mut head = Vec::new();
    promised
        .part
        .section(0, promised.part.size.min(MAGIC as u64))
        .and_then(|mut section| section.read_to_end(&mut head))
        .map_err(Error::io(&promised.what))?;
    Codec::of(&head)
        .map_err(|name| Error::unsupported(&promised.what, format!("compressed with {name}")))
}

/// Why reading was given up on the plain side.
enum Stop {
    TooLarge,
    Limit(&'static str),
    Spool(io::Error),
}

/// Why indexing stopped.
enum Halt {
    Tar(TarError),
    Limit(&'static str),
}

impl From<TarError> for Halt {
    fn from(error: TarError) -> Self {
        Self::Tar(error)
    }
}

/// The entries of a layer in the making.
struct Index<'a> {
    layer: u32,
    /// What of the files is kept for later.
    keeper: Keeper<'a>,
    shared: &'a Shared<'a>,
    what: &'a str,
    entries: Entries,
    problems: Vec<Problem>,
    /// Problems that were not told one by one.
    unsaid: u64,
}

impl Index<'_> {
    fn run(&mut self, archive: &mut Archive<impl Read>) -> Result<(), Halt> {
        let limits = self.shared.limits;
        while let Some(member) = archive.next_member()? {
            let count = self.shared.entries.fetch_add(1, Ordering::Relaxed);
            let attributes = member.meta.xattrs.iter().flat_map(|xattrs| xattrs.iter());
            let attributes: usize = attributes.map(|(key, value)| key.len() + value.len()).sum();
            let cost = member.name.len() + member.link.len() + attributes;
            let names = self.shared.names.fetch_add(cost as u64, Ordering::Relaxed);
            if count >= limits.entries {
                return Err(Halt::Limit("entries"));
            }
            if names + cost as u64 > limits.names {
                return Err(Halt::Limit("names"));
            }
            let entry = match entry_of(&member, self.layer) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(why) => {
                    self.problem(ImagePath::new(&member.name), member.size, why);
                    continue;
                }
            };
            if let EntryKind::Node(Kind::File { size, at }) = entry.kind {
                let path = entry.path.as_bytes();
                let mode = member.meta.mode;
                let looked = self.keeper.look(path, mode, at.offset, size, archive);
                looked.map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => TarError::Truncated(archive.offset()),
                    _ => TarError::Io(error),
                })?;
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    fn problem(&mut self, path: ImagePath, size: u64, message: String) {
        if self.problems.len() == MAX_PROBLEMS {
            self.unsaid += 1;
            return;
        }
        let layer = self.layer;
        let evidence = Evidence::Path { path, layer, size };
        self.problems.push(Problem { message, evidence });
    }

    fn finish(mut self) -> (Entries, Vec<Problem>, Kept) {
        if self.unsaid > 0 {
            self.problems.push(Problem {
                message: format!("{}: {} more entries left out", self.what, self.unsaid),
                evidence: Evidence::Layer(self.layer),
            });
        }
        (self.entries, self.problems, self.keeper.finish())
    }
}

/// The entry a tar member means; `None` for bookkeeping, `Err` says why it is left out.
fn entry_of(member: &Member, layer: u32) -> Result<Option<Entry>, String> {
    let text = plimsoll_model::text::printable;
    if member.climbs() {
        return Err(format!(
            "left out: the name `{}` climbs with `..`",
            text(&member.name)
        ));
    }
    if member.name.contains(&0) || member.link.contains(&0) {
        return Err("left out: its name holds a zero byte".to_owned());
    }
    let path = ImagePath::new(&member.name);
    fits(&path)?;
    // AUFS keeps its own files in directories of such names.
    let parents = path.components().rev().skip(1);
    if parents
        .into_iter()
        .any(|part| part.starts_with(b".wh..wh."))
    {
        return Ok(None);
    }
    let (path, kind) = match Naming::of(&path) {
        Naming::Ignored => return Ok(None),
        Naming::Whiteout(path) => (path, EntryKind::Whiteout),
        Naming::Opaque(path) => (path, EntryKind::Opaque),
        Naming::Ordinary => {
            let kind = match member.kind {
                Type::File => EntryKind::Node(Kind::File {
                    size: member.size,
                    at: Extent {
                        layer,
                        offset: member.offset,
                    },
                }),
                Type::Dir => EntryKind::Node(Kind::Dir),
                Type::Symlink if member.link.is_empty() => {
                    return Err("left out: a symbolic link without a target".to_owned());
                }
                Type::Symlink => {
                    if member.link.len() >= MAX_PATH {
                        return Err(format!(
                            "left out: a symbolic link of {} bytes, more than Linux allows",
                            member.link.len()
                        ));
                    }
                    EntryKind::Node(Kind::Symlink(member.link.as_slice().into()))
                }
                Type::Hardlink => {
                    let climbs = member.link.split(|&byte| byte == b'/');
                    if climbs.into_iter().any(|part| part == b"..") {
                        return Err(format!(
                            "left out: a hard link to `{}`, which climbs with `..`",
                            text(&member.link)
                        ));
                    }
                    let target = ImagePath::new(&member.link);
                    fits(&target)?;
                    EntryKind::Hardlink(target)
                }
                Type::Char | Type::Block => EntryKind::Node(Kind::Device {
                    block: member.kind == Type::Block,
                    major: member.device.0,
                    minor: member.device.1,
                }),
                Type::Fifo => EntryKind::Node(Kind::Fifo),
                Type::Sparse => {
                    return Err("left out: a sparse file, which is not read".to_owned());
                }
                Type::Other(flag) => {
                    return Err(format!(
                        "left out: an entry of the unknown type {}",
                        text(&[flag])
                    ));
                }
            };
            (path, kind)
        }
    };
    Ok(Some(Entry {
        path,
        kind,
        meta: member.meta.clone(),
    }))
}

/// Whether any runtime could make a file of this name.
fn fits(path: &ImagePath) -> Result<(), String> {
    if path.as_bytes().len() >= MAX_PATH {
        return Err(format!("left out: its path has more than {MAX_PATH} bytes"));
    }
    if path.components().any(|part| part.len() > MAX_NAME) {
        return Err(format!("left out: its name has more than {MAX_NAME} bytes"));
    }
    if path.depth() > MAX_DEPTH {
        return Err(format!(
            "left out: it is more than {MAX_DEPTH} directories deep"
        ));
    }
    Ok(())
}

//! What is kept of a layer's files from the one pass over it: small files in memory, larger ones in
//! an unlinked temporary file, and which words were found in programs.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use memchr::memmem::Finder;
use plimsoll_model::{Interest, Keep, Seen};
use twox_hash::XxHash3_64;

use crate::spool::Section;

/// Larger files are not kept in memory.
const SMALL: u64 = 256 << 10;
/// Bytes of a file that wait in memory until it is known whether it is kept.
const WAITING: usize = 4 << 20;
/// Bytes read at a time of what is only counted into a fingerprint.
const BUFFER: usize = 64 << 10;
/// Bytes read at a time.
const CHUNK: usize = 128 << 10;
/// More than this of one file is not kept in [`Interest::parts`].
const PARTS: u64 = 64 << 10;
/// The kernel reads no more of a script's first line (`BINPRM_BUF_SIZE`).
const FIRST_LINE: u64 = 256;

/// What was kept of one layer, by the offset of files in the plain layer.
#[derive(Default)]
pub(crate) struct Kept {
    pieces: BTreeMap<u64, Piece>,
    /// The needles found in each file that was searched; `None` where nobody searched.
    seen: Option<BTreeMap<u64, u32>>,
    prints: Prints,
}

/// The fingerprint of each file's content, by its offset; files come in that order.
#[derive(Default)]
pub(crate) struct Prints(Vec<Vec<(u32, [u32; 2])>>);

impl Prints {
    /// Of a million files, what is copied whenever a single list grows is the peak.
    const PIECE: usize = 4096;
    /// A body of a tar begins with a block (POSIX `pax`).
    const BLOCK: u64 = 512;

    /// Where a body begins, in blocks. One behind two terabytes has none, nor one that begins within a
    /// block: those have no fingerprint.
    pub(crate) fn block(offset: u64) -> Option<u32> {
        let is_even = offset.is_multiple_of(Self::BLOCK);
        u32::try_from(offset / Self::BLOCK).ok().filter(|_| is_even)
    }

    fn push(&mut self, offset: u64, print: u64) {
        let Some(block) = Self::block(offset) else {
            return;
        };
        let entry = (block, halves(print));
        match self.0.last_mut() {
            Some(piece) if piece.len() < Self::PIECE => piece.push(entry),
            // A small layer has a small piece.
            Some(_) => {
                let mut piece = Vec::with_capacity(Self::PIECE);
                piece.push(entry);
                self.0.push(piece);
            }
            None => self.0.push(vec![entry]),
        }
    }

    fn get(&self, offset: u64) -> Option<u64> {
        let block = Self::block(offset)?;
        let begins = |piece: &Vec<_>| piece.first().is_some_and(|&(at, _)| at <= block);
        let piece = self.0.partition_point(begins).checked_sub(1)?;
        let piece = self.0.get(piece)?;
        let found = piece.binary_search_by_key(&block, |&(at, _)| at).ok()?;
        let (_, halves) = piece.get(found)?;
        Some(joined(*halves))
    }
}

/// A fingerprint that can lie at any fourth byte.
pub(crate) fn halves(print: u64) -> [u32; 2] {
    [(print >> 32) as u32, print as u32]
}

pub(crate) fn joined([high, low]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

enum Piece {
    Memory(Arc<[u8]>),
    File { file: Arc<File>, at: u64, size: u64 },
}

impl Kept {
    /// A reader of the `size` bytes at `offset` of the plain layer, if they were kept.
    pub(crate) fn open(&self, offset: u64, size: u64) -> Option<Box<dyn Read + Send>> {
        let (start, piece) = self.pieces.range(..=offset).next_back()?;
        let skip = offset - start;
        let length = match piece {
            Piece::Memory(bytes) => bytes.len() as u64,
            Piece::File { size, .. } => *size,
        };
        if skip.checked_add(size)? > length {
            return None;
        }
        Some(match piece {
            Piece::Memory(bytes) => {
                let mut bytes = io::Cursor::new(Arc::clone(bytes));
                bytes.set_position(skip);
                Box::new(bytes.take(size))
            }
            Piece::File { file, at, .. } => {
                Box::new(Section::new(Arc::clone(file), at + skip, size))
            }
        })
    }

    /// The fingerprint of the file at `offset`; an empty file has none.
    pub(crate) fn fingerprint(&self, offset: u64) -> Option<u64> {
        self.prints.get(offset)
    }

    /// The fingerprint of the `size` bytes that `body` gives.
    pub(crate) fn print(body: &mut dyn Read, size: u64) -> io::Result<u64> {
        let mut hash = XxHash3_64::new();
        let mut buffer = vec![0; usize::try_from(size).map_or(BUFFER, |size| size.min(BUFFER))];
        loop {
            match body.read(&mut buffer)? {
                0 => return Ok(hash.finish()),
                count => hash.write(buffer.get(..count).unwrap_or_default()),
            }
        }
    }

    /// The same of a body that is in memory.
    pub(crate) fn print_of(body: &[u8]) -> u64 {
        let mut hash = XxHash3_64::new();
        hash.write(body);
        hash.finish()
    }

    /// What was seen in the file at `offset`.
    pub(crate) fn seen(&self, offset: u64) -> Seen {
        match &self.seen {
            None => Seen::Unknown,
            Some(seen) => seen
                .get(&offset)
                .map_or(Seen::Other, |needles| Seen::Needles(*needles)),
        }
    }
}

/// Where the layers of one image keep their files: memory and one temporary file, both limited.
pub(crate) struct Store {
    memory_left: AtomicU64,
    file: OnceLock<Option<Arc<File>>>,
    file_end: AtomicU64,
    file_most: u64,
}

impl Store {
    pub(crate) fn new(memory: u64, file: u64) -> Self {
        Self {
            memory_left: AtomicU64::new(memory),
            file: OnceLock::new(),
            file_end: AtomicU64::new(0),
            file_most: file,
        }
    }

    fn reserve(&self, size: u64) -> bool {
        let take = |left: u64| left.checked_sub(size);
        self.memory_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Room for `size` bytes in the temporary file. None where there is no such file or it has
    /// enough in it: what is not kept is read from its layer again.
    fn place(&self, size: u64) -> Option<(Arc<File>, u64)> {
        let made = self
            .file
            .get_or_init(|| tempfile::tempfile().ok().map(Arc::new));
        let file = made.as_ref()?;
        let take = |end: u64| {
            let new = end.checked_add(size)?;
            (new <= self.file_most).then_some(new)
        };
        let at = self
            .file_end
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        Some((Arc::clone(file), at.ok()?))
    }
}

/// Decides, while a layer is read, what of it is kept.
pub(crate) struct Keeper<'a> {
    /// Whether the layer's files cannot be read at random where they are.
    keep: bool,
    /// Whether fingerprints are counted; else all that nobody looks for is passed by.
    prints: bool,
    interest: Option<&'a dyn Interest>,
    finders: Vec<Finder<'static>>,
    store: &'a Store,
    kept: Kept,
    waiting: Vec<u8>,
    buffer: Vec<u8>,
}

/// A body whose bytes are counted into its fingerprint as they are read.
struct Printed<'a, R> {
    body: &'a mut R,
    hash: XxHash3_64,
}

impl<R: Read> Read for Printed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        self.hash.write(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(keep: bool, interest: Option<&'a dyn Interest>, store: &'a Store) -> Self {
        let needles = interest.map_or(&[][..], |interest| interest.needles());
        Self {
            keep,
            prints: true,
            interest,
            finders: needles.iter().take(32).map(Finder::new).collect(),
            store,
            kept: Kept {
                seen: interest.map(|_| BTreeMap::new()),
                ..Kept::default()
            },
            waiting: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// One that reads no more than it must, for a layer that can be read at random.
    pub(crate) fn hopping(interest: Option<&'a dyn Interest>, store: &'a Store) -> Self {
        Self {
            prints: false,
            ..Self::new(false, interest, store)
        }
    }

    pub(crate) fn finish(self) -> Kept {
        self.kept
    }

    /// Looks at a file whose `size` bytes, at `offset` of the plain layer, `body` gives next.
    /// All of it is read, unless this is [`Self::hopping`].
    pub(crate) fn look(
        &mut self,
        path: &[u8],
        mode: u32,
        offset: u64,
        size: u64,
        body: &mut impl Read,
    ) -> io::Result<()> {
        if size == 0 {
            return Ok(());
        }
        if !self.prints {
            return self.keep(path, mode, offset, size, body);
        }
        let mut body = Printed {
            body,
            hash: XxHash3_64::new(),
        };
        self.keep(path, mode, offset, size, &mut body)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(BUFFER, 0);
        while body.read(&mut buffer)? > 0 {}
        self.buffer = buffer;
        self.kept.prints.push(offset, body.hash.finish());
        Ok(())
    }

    fn keep(
        &mut self,
        path: &[u8],
        mode: u32,
        offset: u64,
        size: u64,
        body: &mut impl Read,
    ) -> io::Result<()> {
        let judged = self
            .interest
            .map_or(Keep::Nothing, |interest| interest.judge(path, size, mode));
        let own = wanted(path, size, mode);
        match judged {
            Keep::Whole | Keep::Search if size > 0 => self.search(
                judged == Keep::Whole || own >= size,
                mode,
                offset,
                size,
                body,
            ),
            Keep::Head(most) => self.head(offset, own.max(most.min(size)), body),
            _ => self.head(offset, own, body),
        }
    }

    /// Keeps the next `most` bytes in memory.
    fn head(&mut self, offset: u64, most: u64, body: &mut impl Read) -> io::Result<()> {
        if most == 0 || !self.keep || !self.store.reserve(most) {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or(0));
        body.by_ref().take(most).read_to_end(&mut bytes)?;
        self.kept.pieces.insert(offset, Piece::Memory(bytes.into()));
        Ok(())
    }

    /// Reads a file through, looking for the needles if it begins as it should, and keeps it if it
    /// is wanted, or if what was found says so.
    fn search(
        &mut self,
        whole: bool,
        mode: u32,
        offset: u64,
        size: u64,
        body: &mut impl Read,
    ) -> io::Result<()> {
        let Some(interest) = self.interest else {
            return Ok(());
        };
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.clear();
        let magic = interest.magic();
        let enough = magic.len().max(FIRST_LINE as usize) as u64;
        body.by_ref()
            .take(enough.min(size))
            .read_to_end(&mut waiting)?;
        let searched = waiting.starts_with(magic);
        if !(searched || whole && self.keep) {
            if self.keep && mode & 0o111 != 0 && self.store.reserve(waiting.len() as u64) {
                let head = waiting.as_slice().into();
                self.kept.pieces.insert(offset, Piece::Memory(head));
            }
            self.waiting = waiting;
            return Ok(());
        }
        let mut parts = Parts::default();
        if searched {
            body.by_ref().take(CHUNK as u64).read_to_end(&mut waiting)?;
            if self.keep {
                parts = Parts::new(interest.parts(&waiting, size), size);
                parts.take(0, &waiting);
            }
        }
        let mut found = 0;
        let mut place = None;
        let mut written = 0;
        let mut is_failed = false;
        // Enough of what was searched is searched again with what follows.
        let overlap = self.finders.iter().map(|finder| finder.needle().len());
        let overlap = overlap.max().unwrap_or(0);
        let mut from = 0;
        loop {
            if searched {
                for (bit, finder) in self.finders.iter().enumerate() {
                    if found & (1 << bit) == 0 && finder.find(&waiting[from..]).is_some() {
                        found |= 1 << bit;
                    }
                }
            }
            from = waiting.len().saturating_sub(overlap);
            if waiting.len() > WAITING && self.keep {
                // It may turn out that nobody wants it; the room is lost then, and no more.
                if place.is_none() && !is_failed {
                    place = self.store.place(size);
                    is_failed = place.is_none();
                }
                if let Some((file, at)) = &place
                    && !is_failed
                {
                    is_failed = file.write_all_at(&waiting[..from], at + written).is_err();
                }
            }
            if waiting.len() > WAITING {
                written += from as u64;
                waiting.drain(..from);
                from = 0;
            }
            let before = waiting.len();
            body.by_ref().take(CHUNK as u64).read_to_end(&mut waiting)?;
            if waiting.len() == before {
                break;
            }
            parts.take(written + before as u64, &waiting[before..]);
        }
        if searched && let Some(seen) = &mut self.kept.seen {
            seen.insert(offset, found);
        }
        let keep = if whole {
            Keep::Whole
        } else {
            interest.found(found)
        };
        if self.keep {
            let piece = match keep {
                Keep::Whole if place.is_none() && size <= SMALL && self.store.reserve(size) => {
                    Some(Piece::Memory(waiting.as_slice().into()))
                }
                Keep::Whole if !is_failed => {
                    let place = place.or_else(|| self.store.place(size));
                    place.and_then(|(file, at)| {
                        let rest = file.write_all_at(&waiting, at + written);
                        rest.ok().map(|()| Piece::File { file, at, size })
                    })
                }
                Keep::Head(most) if written == 0 && self.store.reserve(most.min(size)) => {
                    let most = usize::try_from(most).unwrap_or(usize::MAX);
                    let head = &waiting[..most.min(waiting.len())];
                    Some(Piece::Memory(head.into()))
                }
                _ => None,
            };
            let is_whole = keep == Keep::Whole && piece.is_some();
            let kept = piece.map(|piece| self.kept.pieces.insert(offset, piece));
            drop(kept);
            if !is_whole {
                self.keep_parts(offset, parts);
            }
        }
        self.waiting = waiting;
        Ok(())
    }

    fn keep_parts(&mut self, offset: u64, parts: Parts) {
        for (range, bytes) in parts.parts {
            let size = range.end - range.start;
            let at = offset + range.start;
            // A longer piece that begins there holds this one.
            let is_kept = || self.kept.open(at, size).is_some();
            if bytes.len() as u64 == size && !is_kept() && self.store.reserve(size) {
                self.kept.pieces.insert(at, Piece::Memory(bytes.into()));
            }
        }
    }
}

/// Parts of a file, put together while it passes by.
#[derive(Default)]
struct Parts {
    parts: Vec<(Range<u64>, Vec<u8>)>,
}

impl Parts {
    /// The parts of a file of `size` bytes; none where they are not within it, or too much.
    fn new(ranges: Vec<Range<u64>>, size: u64) -> Self {
        let is_within = |range: &Range<u64>| range.start < range.end && range.end <= size;
        let all = ranges
            .iter()
            .try_fold(0_u64, |sum, range| {
                is_within(range).then(|| sum.saturating_add(range.end - range.start))
            })
            .unwrap_or(u64::MAX);
        if all > PARTS {
            return Self::default();
        }
        let parts = ranges.into_iter().map(|range| (range, Vec::new()));
        Self {
            parts: parts.collect(),
        }
    }

    /// The next `bytes` of the file, which stand at `from` in it.
    fn take(&mut self, from: u64, bytes: &[u8]) {
        let to = from + bytes.len() as u64;
        for (range, part) in &mut self.parts {
            let (start, end) = (range.start.max(from), range.end.min(to));
            if start < end
                && let (Ok(start), Ok(end)) =
                    (usize::try_from(start - from), usize::try_from(end - from))
            {
                part.extend_from_slice(bytes.get(start..end).unwrap_or_default());
            }
        }
    }
}

/// How many bytes of a file are kept in memory whoever asks: configuration, what names the
/// distribution, and of every program the first line, which says whether it is a script.
fn wanted(path: &[u8], size: u64, mode: u32) -> u64 {
    if size <= interest(path) {
        return size;
    }
    if mode & 0o111 != 0 {
        size.min(FIRST_LINE)
    } else {
        0
    }
}

/// Up to how many bytes a file at `path` is kept in memory, because somebody will ask for it:
/// configuration, and the databases that say what is installed.
fn interest(path: &[u8]) -> u64 {
    const SMALL: u64 = 256 << 10;
    const DATABASE: u64 = 16 << 20;
    const TABLE: &[(&[u8], u64)] = &[
        (b"/etc/", SMALL),
        (b"/lib/apk/db/", DATABASE),
        (b"/opt/bitnami/", SMALL),
        (b"/usr/lib/apk/db/", DATABASE),
        (b"/usr/lib/os-release", SMALL),
        (b"/var/lib/dpkg/", DATABASE),
    ];
    let row = TABLE.iter().find(|(prefix, _)| path.starts_with(prefix));
    row.map_or(0, |&(_, most)| most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wants three parts of every file that begins with `M`.
    struct Three;

    impl Interest for Three {
        fn judge(&self, path: &[u8], _: u64, _: u32) -> Keep {
            if path == b"/whole" {
                Keep::Whole
            } else {
                Keep::Search
            }
        }

        fn magic(&self) -> &'static [u8] {
            b"M"
        }

        fn needles(&self) -> &'static [&'static [u8]] {
            &[b"needle"]
        }

        fn found(&self, _: u32) -> Keep {
            Keep::Nothing
        }

        fn parts(&self, head: &[u8], size: u64) -> Vec<Range<u64>> {
            assert_eq!(head.first(), Some(&b'M'));
            if size < 1000 {
                return vec![0..1, 0..size + 1];
            }
            vec![0..64, size / 2..size / 2 + 500, size - 100..size]
        }
    }

    fn body(size: usize) -> Vec<u8> {
        let bytes = (0..size).map(|at| (at / 256 + at) as u8);
        let mut body: Vec<u8> = bytes.collect();
        body[0] = b'M';
        body
    }

    /// What was kept of a file of these bytes at 512.
    fn kept(path: &[u8], body: &[u8]) -> Kept {
        let store = Store::new(8 << 20, 64 << 20);
        let mut keeper = Keeper::new(true, Some(&Three), &store);
        let size = body.len() as u64;
        keeper.look(path, 0o755, 512, size, &mut &*body).unwrap();
        keeper.finish()
    }

    fn read(kept: &Kept, from: u64, size: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        kept.open(512 + from, size)?
            .read_to_end(&mut bytes)
            .unwrap();
        Some(bytes)
    }

    #[test]
    fn parts_of_programs_are_kept_wherever_they_stand() {
        // One chunk; several; more than waits in memory.
        for size in [1000, 300_001, WAITING + 3 * CHUNK + 7, 2 * WAITING + 200] {
            let body = body(size);
            let kept = kept(b"/x", &body);
            let size = size as u64;
            for part in Three.parts(&body, size) {
                let (start, end) = (part.start as usize, part.end as usize);
                let bytes = read(&kept, part.start, part.end - part.start);
                assert_eq!(
                    bytes.as_deref(),
                    Some(&body[start..end]),
                    "{part:?} of {size}"
                );
            }
            assert_eq!(read(&kept, 0, size), None);
            assert_eq!(read(&kept, 64, 1), None);
        }
    }

    #[test]
    fn what_is_kept_whole_is_kept_once() {
        let body = body(300_000);
        let kept = kept(b"/whole", &body);
        assert_eq!(kept.pieces.len(), 1);
        assert_eq!(
            read(&kept, 150_000, 150_000).as_deref(),
            Some(&body[150_000..])
        );
    }

    #[test]
    fn fingerprints_are_found_by_offset() {
        let mut prints = Prints::default();
        let offset = |number: u64| 512 + number * 3 * 512;
        let print = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let many = 3 * Prints::PIECE as u64 + 5;
        for number in 0..many {
            prints.push(offset(number), print(number));
        }
        prints.push(u64::from(u32::MAX) * 512 + 512, 1);
        for number in 0..many {
            assert_eq!(prints.get(offset(number)), Some(print(number)));
            assert_eq!(prints.get(offset(number) + 512), None);
            assert_eq!(prints.get(offset(number) + 1), None);
        }
        assert_eq!(prints.get(0), None);
        assert_eq!(prints.get(u64::from(u32::MAX) * 512 + 512), None);
    }

    #[test]
    fn parts_that_lie_outside_are_not_kept() {
        let kept = kept(b"/x", &body(999));
        assert_eq!(kept.pieces.len(), 0);
    }
}

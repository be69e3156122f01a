//! A tree together with the means to read its files.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Extent, FileTree, ImagePath, Kind, Seen};

/// Something that can be opened for reading, any number of times.
pub trait Open: Send + Sync {
    /// A reader that starts at the first byte.
    ///
    /// # Errors
    /// When the world no longer has the bytes.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

impl Open for Arc<[u8]> {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(Arc::clone(self))))
    }
}

/// The bytes of a tree's files.
pub trait Contents: Send + Sync {
    /// A reader of the `size` bytes that lie at `at`.
    ///
    /// # Errors
    /// When the bytes cannot be read any more.
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>>;

    /// A reader of `length` of the `size` bytes that lie at `at`, from byte `from` of them on.
    ///
    /// # Errors
    /// As [`Self::open`]; `UnexpectedEof` where the part is not within the whole.
    fn open_part(
        &self,
        at: Extent,
        size: u64,
        from: u64,
        length: u64,
    ) -> io::Result<Box<dyn Read + Send + '_>> {
        if from.checked_add(length).is_none_or(|end| end > size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut reader = self.open(at, size)?;
        io::copy(&mut (&mut reader).take(from), &mut io::sink())?;
        Ok(Box::new(reader.take(length)))
    }

    /// What was seen in the file at `at` when its layer was read.
    fn seen(&self, _at: Extent) -> Seen {
        Seen::Unknown
    }

    /// A number that files of the same content share, and others hardly ever, of the file of `size` bytes
    /// at `at`; `None` where nobody counted it. It may have to be read for that: ask of files only that are
    /// of the same size as another. It is for sums, not for proofs: whoever wants to can make two files share one.
    fn fingerprint(&self, _at: Extent, _size: u64) -> Option<u64> {
        None
    }
}

/// Contents that can still be added to: where files of a tree in the making are put.
pub trait Spool: Contents {
    /// Stores all that `bytes` gives; answers where it lies and how much it was.
    ///
    /// # Errors
    /// Those of the reader, or of the place the bytes are put.
    fn store(&self, bytes: &mut dyn Read) -> io::Result<(Extent, u64)>;
}

/// Contents held in memory: for tests, and for the few files a draft adds.
#[derive(Default)]
pub struct MemoryContents {
    files: Mutex<Vec<Arc<[u8]>>>,
}

impl MemoryContents {
    /// Stores `bytes`.
    pub fn add(&self, bytes: impl Into<Arc<[u8]>>) -> Extent {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.push(bytes.into());
        Extent {
            layer: 0,
            offset: files.len() as u64 - 1,
        }
    }
}

impl Contents for MemoryContents {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let file = usize::try_from(at.offset)
            .ok()
            .and_then(|index| files.get(index));
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(Arc::clone(file)).take(size)))
    }
}

impl Spool for MemoryContents {
    fn store(&self, bytes: &mut dyn Read) -> io::Result<(Extent, u64)> {
        let mut file = Vec::new();
        bytes.read_to_end(&mut file)?;
        let size = file.len() as u64;
        Ok((self.add(file), size))
    }
}

/// Some contents with a few files added: extents whose layer is [`Overlaid::ADDED`] (or
/// [`Overlaid::BENEATH`], for one that lies below another) are the added ones, all others are the
/// base's.
pub struct Overlaid {
    base: Arc<dyn Contents>,
    added: MemoryContents,
    number: u32,
}

impl Overlaid {
    /// The layer number that no image has (the runtime limit is 127 layers).
    pub const ADDED: u32 = u32::MAX;
    /// The same, for files added before others are.
    pub const BENEATH: u32 = u32::MAX - 1;

    /// Nothing added yet.
    pub fn new(base: Arc<dyn Contents>) -> Self {
        Self {
            base,
            added: MemoryContents::default(),
            number: Self::ADDED,
        }
    }

    /// Nothing added yet; others may be put upon it by [`Overlaid::new`].
    pub fn beneath(base: Arc<dyn Contents>) -> Self {
        Self {
            number: Self::BENEATH,
            ..Self::new(base)
        }
    }

    /// Adds a file.
    pub fn add(&self, bytes: impl Into<Arc<[u8]>>) -> Extent {
        Extent {
            layer: self.number,
            ..self.added.add(bytes)
        }
    }
}

impl Contents for Overlaid {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        if at.layer == self.number {
            self.added.open(at, size)
        } else {
            self.base.open(at, size)
        }
    }

    fn open_part(
        &self,
        at: Extent,
        size: u64,
        from: u64,
        length: u64,
    ) -> io::Result<Box<dyn Read + Send + '_>> {
        if at.layer == Self::ADDED {
            self.added.open_part(at, size, from, length)
        } else {
            self.base.open_part(at, size, from, length)
        }
    }

    fn seen(&self, at: Extent) -> Seen {
        if at.layer == Self::ADDED {
            Seen::Unknown
        } else {
            self.base.seen(at)
        }
    }

    fn fingerprint(&self, at: Extent, size: u64) -> Option<u64> {
        if at.layer == self.number {
            None
        } else {
            self.base.fingerprint(at, size)
        }
    }
}

/// A [`FileTree`] plus the means to read a file's bytes.
#[derive(Clone)]
pub struct Rootfs {
    /// Every path as the container sees it.
    pub tree: FileTree,
    /// The bytes of the files.
    pub contents: Arc<dyn Contents>,
}

impl Rootfs {
    /// A tree without files.
    pub fn empty() -> Self {
        Self {
            tree: FileTree::default(),
            contents: Arc::new(MemoryContents::default()),
        }
    }

    /// The whole file at `path`, links followed inside the image.
    ///
    /// # Errors
    /// `NotFound` when there is none or it is not a regular file, `FileTooLarge` above `limit`
    /// bytes (a stranger chose the size), else what the contents say.
    pub fn read(&self, path: &ImagePath, limit: u64) -> io::Result<Vec<u8>> {
        let (at, size) = self.file(path)?;
        if size > limit {
            let text = format!("{path} has {size} bytes, more than the limit of {limit}");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        self.read_at(at, size)
    }

    /// The first `limit` bytes of the file at `path`, links followed; all of a shorter file.
    ///
    /// # Errors
    /// `NotFound` when there is no such regular file, else what the contents say.
    pub fn read_head(&self, path: &ImagePath, limit: u64) -> io::Result<Vec<u8>> {
        let (at, size) = self.file(path)?;
        let mut bytes = Vec::new();
        // No more is asked for than is wanted: a source may have the beginning at hand.
        self.contents
            .open(at, limit.min(size))?
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A reader of the file at `path`, links followed.
    ///
    /// # Errors
    /// `NotFound` when there is no such regular file, else what the contents say.
    pub fn open(&self, path: &ImagePath) -> io::Result<Box<dyn Read + Send + '_>> {
        let (at, size) = self.file(path)?;
        self.contents.open(at, size)
    }

    /// `length` bytes of the file at `path`, from byte `from` on, links followed.
    ///
    /// # Errors
    /// `NotFound` when there is no such regular file, `UnexpectedEof` when the part is not within
    /// it, else what the contents say.
    pub fn read_part(&self, path: &ImagePath, from: u64, length: u64) -> io::Result<Vec<u8>> {
        let (at, size) = self.file(path)?;
        let mut bytes = Vec::new();
        self.contents
            .open_part(at, size, from, length)?
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 == length {
            Ok(bytes)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn file(&self, path: &ImagePath) -> io::Result<(Extent, u64)> {
        let not_found =
            |why: &str| io::Error::new(io::ErrorKind::NotFound, format!("{path} {why}"));
        let found = self
            .tree
            .resolve(path)
            .map_err(|error| not_found(&error.to_string()))?;
        match self.tree.get(&found.path).map(|node| &node.kind) {
            Some(&Kind::File { at, size }) => Ok((at, size)),
            _ => Err(not_found("is not a regular file")),
        }
    }

    fn read_at(&self, at: Extent, size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        self.contents.open(at, size)?.read_to_end(&mut bytes)?;
        if bytes.len() as u64 == size {
            Ok(bytes)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

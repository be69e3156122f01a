//! A growing, unlinked temporary file for the files of a tree in the making.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_model::{Contents, Extent, Spool};

/// A [`Spool`] backed by an unlinked temporary file: it is gone when the last reader is, however
/// the program ends, and memory stays flat whatever is stored.
pub struct FileSpool {
    file: Arc<File>,
    /// Where the next file goes.
    end: Mutex<u64>,
}

impl FileSpool {
    /// A spool in the system's directory for temporary files.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn new() -> io::Result<Self> {
        Ok(Self::of(tempfile::tempfile()?))
    }

    /// A spool in `directory`.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn new_in(directory: &Path) -> io::Result<Self> {
        Ok(Self::of(tempfile::tempfile_in(directory)?))
    }

    fn of(file: File) -> Self {
        Self {
            file: Arc::new(file),
            end: Mutex::new(0),
        }
    }
}

impl Contents for FileSpool {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Section::new(
            Arc::clone(&self.file),
            at.offset,
            size,
        )))
    }

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
        let file = Arc::clone(&self.file);
        Ok(Box::new(Section::new(file, at.offset + from, length)))
    }
}

impl Spool for FileSpool {
    fn store(&self, bytes: &mut dyn Read) -> io::Result<(Extent, u64)> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let start = *end;
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(start))?;
        // The end moves only when all was stored: a reader that fails half-way leaves no gap.
        let size = io::copy(bytes, &mut file)?;
        file.flush()?;
        *end = start + size;
        let at = Extent {
            layer: 0,
            offset: start,
        };
        Ok((at, size))
    }
}

/// A part of a file, read by position, so that many readers can share the file.
pub(crate) struct Section {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Section {
    pub(crate) fn new(file: Arc<File>, at: u64, size: u64) -> Self {
        Self {
            file,
            at,
            left: size,
        }
    }
}

impl Section {
    /// Passes so many bytes; answers how many there were.
    pub(crate) fn skip(&mut self, count: u64) -> u64 {
        let count = count.min(self.left);
        self.at += count;
        self.left -= count;
        count
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_read_back_in_any_order() {
        let spool = FileSpool::new().unwrap();
        let stored: Vec<_> = [&b"first"[..], b"", b"third"]
            .map(|bytes| (spool.store(&mut &*bytes).unwrap(), bytes))
            .to_vec();
        for ((at, size), bytes) in stored.into_iter().rev() {
            let mut found = Vec::new();
            let mut reader = spool.open(at, size).unwrap();
            reader.read_to_end(&mut found).unwrap();
            assert_eq!(found, bytes);
        }
    }

    #[test]
    fn a_reader_that_fails_leaves_nothing_behind() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::TimedOut.into())
            }
        }
        let spool = FileSpool::new().unwrap();
        spool.store(&mut (&b"half"[..]).chain(Fails)).unwrap_err();
        let (at, size) = spool.store(&mut &b"whole"[..]).unwrap();
        assert_eq!((at.offset, size), (0, 5));
    }
}

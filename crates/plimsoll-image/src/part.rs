//! A run of bytes in a file on this machine: a blob of a layout, or a member of an archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_model::Open;

use crate::Error;
use crate::spool::Section;

/// A part of a file, to be opened any number of times.
#[derive(Clone)]
pub(crate) struct Part {
    place: Place,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

#[derive(Clone)]
enum Place {
    /// Opened anew each time, so that an image of many blobs does not hold as many descriptors.
    Path(PathBuf),
    /// One descriptor for all members of an archive; it may be unlinked.
    File(Arc<File>),
}

impl Part {
    /// The whole of the regular file at `path`.
    pub(crate) fn whole(path: &Path) -> Result<Self, Error> {
        let what = path.display();
        let facts = std::fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::missing(&what, "there is no such file"),
            _ => Error::io(&what)(error),
        })?;
        // A named pipe would wait for ever; a directory cannot be read.
        if !facts.is_file() {
            return Err(Error::malformed(what, "it is not a regular file"));
        }
        Ok(Self {
            place: Place::Path(path.to_owned()),
            offset: 0,
            size: facts.len(),
        })
    }

    /// `size` bytes of `file` from `offset`.
    pub(crate) fn of_file(file: Arc<File>, offset: u64, size: u64) -> Self {
        Self {
            place: Place::File(file),
            offset,
            size,
        }
    }

    /// `size` bytes of this part from `offset`, both within it.
    pub(crate) fn section(&self, offset: u64, size: u64) -> io::Result<Section> {
        if offset.checked_add(size).is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let file = match &self.place {
            Place::Path(path) => Arc::new(File::open(path)?),
            Place::File(file) => Arc::clone(file),
        };
        Ok(Section::new(file, self.offset + offset, size))
    }

    /// All of it, which must be at most `limit` bytes.
    pub(crate) fn read(&self, what: &str, limit: u64) -> Result<Vec<u8>, Error> {
        if self.size > limit {
            return Err(Error::Limit {
                what: what.to_owned(),
                name: "document",
                limit,
                unit: "bytes",
            });
        }
        let mut bytes = Vec::new();
        self.section(0, self.size)
            .and_then(|mut section| section.read_to_end(&mut bytes))
            .map_err(Error::io(what))?;
        if bytes.len() as u64 != self.size {
            return Err(Error::malformed(what, "it ends early"));
        }
        Ok(bytes)
    }
}

impl Open for Part {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.section(0, self.size)?))
    }
}

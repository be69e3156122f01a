//! Where advisories lie on this machine: a directory of slices, one immutable file for each
//! distribution release and ecosystem.
//!
//! A slice is written beside its place and renamed into it: a reader sees the old one or the new one,
//! whole, and needs no lock; any number of scans may read while one update writes. What cannot be
//! written (a full disk) leaves the old one as it was.

pub(crate) mod index;
pub(crate) mod notes;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use plimsoll_model::Digest;
use plimsoll_scan::{Data, Marks, Meta, Scope, Slice, Texts};

use crate::failure::{Failure, Result};
use crate::interrupt::Leftovers;
use notes::Notes;

/// A larger file is no slice.
const LIMIT: u64 = 256 << 20;

/// The advisories of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    directory: PathBuf,
}

/// A slice of the store, as its head describes it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) scope: Scope,
    /// What it is, or why it cannot be used.
    pub(crate) read: std::result::Result<(Meta, Digest), String>,
    /// Its size on disk, in bytes.
    pub(crate) bytes: u64,
}

impl Store {
    /// The store in a cache directory; it need not exist yet.
    pub(crate) fn below(cache: &Path) -> Self {
        Self::at(cache.join("advisories"))
    }

    /// The store in this directory.
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Its directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Every slice, by name.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>> {
        let mut scopes = Vec::new();
        match fs::read_dir(&self.directory) {
            Ok(files) => {
                for file in files {
                    let name = file
                        .map_err(|error| self.failed("read", &error))?
                        .file_name();
                    scopes.extend(name.to_str().and_then(Scope::of_file));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(self.failed("read", &error)),
        }
        scopes.sort();
        let entries = scopes.into_iter().map(|scope| {
            let bytes = self.file(&scope)?.unwrap_or_default();
            let read = verified(&bytes).map(|(mut meta, digest)| {
                meta.checked = self.checked(&scope, &digest);
                (meta, digest)
            });
            Ok(Entry {
                read: read.map_err(|error| error.to_string()),
                bytes: bytes.len() as u64,
                scope,
            })
        });
        entries.collect()
    }

    /// The file of a scope, as it is.
    pub(crate) fn file(&self, scope: &Scope) -> Result<Option<Vec<u8>>> {
        let path = self.directory.join(scope.file_name());
        let read = fs::File::open(&path).and_then(|file| {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut io::Read::take(file, LIMIT), &mut bytes)?;
            Ok(bytes)
        });
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read", &error)),
        }
    }

    /// What is known about a scope, to scan with.
    pub(crate) fn data(&self, scope: &Scope) -> Data {
        match self.file(scope) {
            Ok(Some(bytes)) => match Slice::read(&bytes, Texts::Read) {
                Ok(slice) => {
                    let checked = self.checked(scope, slice.digest());
                    Data::Slice(Box::new(slice.checked(checked)))
                }
                Err(error) => Data::Unreadable(error.to_string()),
            },
            Ok(None) => Data::Missing,
            Err(failure) => Data::Unreadable(failure.to_string()),
        }
    }

    /// The marks of this name, `kev` or `epss`; `None` where there are none.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub(crate) fn marks(&self, name: &str) -> std::result::Result<Option<Marks>, String> {
        let Some(scope) = Scope::parse(name) else {
            return Ok(None);
        };
        let bytes = self.file(&scope).map_err(|failure| failure.to_string())?;
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let marks = Marks::read(&bytes).map_err(|error| error.to_string())?;
        let checked = self.checked(&scope, marks.digest());
        Ok(Some(marks.checked(checked)))
    }

    /// What is remembered about the slice of a scope; `None` where that is about another slice.
    pub(crate) fn notes(&self, scope: &Scope, digest: &Digest) -> Option<Notes> {
        let file = fs::read(self.directory.join(Notes::file_name(scope))).ok()?;
        let notes: Notes = serde_json::from_slice(&file).ok()?;
        notes.are_about(digest).then_some(notes)
    }

    /// The last moment at which the servers that were asked had nothing newer; empty where nobody asked.
    fn checked(&self, scope: &Scope, digest: &Digest) -> String {
        let notes = self.notes(scope, digest);
        notes.map(|notes| notes.checked).unwrap_or_default()
    }

    /// Remembers something about the slice of a scope.
    pub(crate) fn remember(
        &self,
        scope: &Scope,
        notes: &Notes,
        leftovers: &Leftovers,
    ) -> Result<()> {
        let json = serde_json::to_vec(notes);
        let json =
            json.map_err(|error| Failure::because("cannot note what was fetched", &error))?;
        self.write(&Notes::file_name(scope), &json, leftovers)
    }

    /// Writes the list of everything that is there, as it is served.
    pub(crate) fn write_index(&self, leftovers: &Leftovers) -> Result<()> {
        let entries = self.entries()?;
        let read = entries.iter().filter_map(|entry| {
            let (meta, digest) = entry.read.as_ref().ok()?;
            Some((meta, digest, entry.bytes))
        });
        let json = index::Index::of(read).json().map_err(Failure::new)?;
        self.write(index::NAME, &json, leftovers)
    }

    /// Puts the file of a scope in its place; whoever reads meanwhile reads the old one.
    pub(crate) fn put(&self, scope: &Scope, file: &[u8], leftovers: &Leftovers) -> Result<()> {
        if let Err(error) = verified(file) {
            return Err(Failure::new(format!("the slice of {scope} {error}")));
        }
        self.write(&scope.file_name(), file, leftovers)
    }

    /// Writes a file of the store beside its place and renames it.
    pub(crate) fn write(&self, name: &str, bytes: &[u8], leftovers: &Leftovers) -> Result<()> {
        let written = fs::create_dir_all(&self.directory).and_then(|()| {
            let mut file = tempfile::Builder::new()
                .prefix(".new-")
                .tempfile_in(&self.directory)?;
            leftovers.add(file.path());
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            // Others on this machine may read what is public anyway.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            file.as_file().set_permissions(mode)?;
            file.persist(self.directory.join(name))
                .map_err(|error| error.error)?;
            Ok(())
        });
        written.map_err(|error| {
            self.failed("write to", &error)
                .hint("what was there before is as it was and can be used")
        })
    }

    fn failed(&self, what: &str, error: &io::Error) -> Failure {
        let directory = self.directory.display();
        Failure::because(
            format_args!("cannot {what} the advisories in {directory}"),
            error,
        )
    }
}

/// Reads a slice or marks as far as is needed to know that they can be used.
pub(crate) fn verified(
    file: &[u8],
) -> std::result::Result<(Meta, Digest), plimsoll_scan::SliceError> {
    let (meta, digest) = Meta::peek(file)?;
    if matches!(meta.scope.name(), "kev" | "epss") {
        Marks::read(file)?;
    } else {
        Slice::read(file, Texts::Read)?;
    }
    Ok((meta, digest))
}

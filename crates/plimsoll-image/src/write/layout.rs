//! Writing into a directory that is, or becomes, an OCI image layout.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use plimsoll_model::Digest;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::write::{Blobs, Fill, WriteOptions, index};
use crate::{Error, Limits};

/// The content of the `oci-layout` file (OCI image specification, `image-layout.md`).
pub(super) const MARK: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// How the names of temporary files begin.
pub(super) const PREFIX: &str = ".plimsoll-";

/// A layout being written to. Blobs wait under temporary names until [`Target::commit`]; whatever
/// happens before that leaves the directory as it was.
pub(super) struct Target<'a> {
    dir: PathBuf,
    options: &'a WriteOptions<'a>,
    waiting: Vec<(NamedTempFile, Digest)>,
    undo: Undo,
}

impl<'a> Target<'a> {
    pub(super) fn open(
        dir: &Path,
        tag: Option<&str>,
        options: &'a WriteOptions<'a>,
    ) -> Result<Self, Error> {
        check(dir, tag)?;
        let mut target = Self {
            dir: dir.to_owned(),
            options,
            waiting: Vec::new(),
            undo: Undo::default(),
        };
        let blobs = dir.join("blobs").join("sha256");
        target.undo.make_directory(&blobs)?;
        Ok(target)
    }

    /// Makes the image visible: blobs first, the index last and at once.
    pub(super) fn commit(mut self, entry: Value, tag: Option<&str>) -> Result<(), Error> {
        // Two writers of one layout must not lose each other's entry, nor may one that fails take
        // away blobs the other relies on.
        let lock = File::open(&self.dir).map_err(Error::io(self.dir.display()))?;
        lock.lock().map_err(Error::io(self.dir.display()))?;
        let placed = self.place(entry, tag);
        if placed.is_ok() {
            self.undo.made.clear();
        }
        self.undo.roll_back();
        placed
    }

    fn place(&mut self, entry: Value, tag: Option<&str>) -> Result<(), Error> {
        let blobs = self.dir.join("blobs").join("sha256");
        for (file, digest) in std::mem::take(&mut self.waiting) {
            let path = blobs.join(digest.hex());
            let is_new = !path.exists();
            file.persist(&path)
                .map_err(|error| Error::io(path.display())(error.error))?;
            if is_new {
                self.undo.made.push(path);
            }
        }
        let mark = self.dir.join("oci-layout");
        if !mark.exists() {
            replace(&mark, MARK, self.options)?;
            self.undo.made.push(mark);
        }
        let before = index::read(&self.dir, &Limits::default())?;
        if let Some(why) = index::refusal(&before, tag) {
            let path = self.dir.clone();
            return Err(Error::Target { path, why });
        }
        let after = index::with(before, entry, tag);
        replace(&self.dir.join("index.json"), &after, self.options)
    }
}

/// Sees that an image called `tag` can go into `dir`, and that files can be made there, or where there
/// is a directory above it. Nothing is made: another process may be writing there.
pub(super) fn may_write(dir: &Path, tag: Option<&str>) -> Result<(), Error> {
    check(dir, tag)?;
    takes_files(dir)?;
    takes_files(&dir.join("blobs").join("sha256"))
}

/// Sees that files can be made in `directory`, or where there is a directory above it.
pub(super) fn takes_files(directory: &Path) -> Result<(), Error> {
    let mut above = directory.ancestors();
    let there = above.find(|above| fs::symlink_metadata(above).is_ok());
    let there = there.unwrap_or(Path::new("."));
    // It never has a name.
    tempfile::tempfile_in(there)
        .map(drop)
        .map_err(Error::io(format!(
            "a temporary file in {}",
            there.display()
        )))
}

/// Sees that an image called `tag` may go into `dir`, which may be missing.
fn check(dir: &Path, tag: Option<&str>) -> Result<(), Error> {
    let refuse = |why: &str| Error::Target {
        path: dir.to_owned(),
        why: why.to_owned(),
    };
    match fs::metadata(dir) {
        Ok(facts) if !facts.is_dir() => return Err(refuse("it is no directory")),
        Ok(_) => {
            if !is_ours(dir)? {
                let why = "the directory is neither empty nor an OCI image layout";
                return Err(refuse(why));
            }
            // What cannot be read cannot be added to: better known now than at the end.
            let index = index::read(dir, &Limits::default())?;
            if let Some(why) = index::refusal(&index, tag) {
                return Err(refuse(&why));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::io(dir.display())(error)),
    }
    Ok(())
}

/// Whether the directory is empty or holds a layout, also one that another writer just began.
fn is_ours(dir: &Path) -> Result<bool, Error> {
    let mut foreign = false;
    for entry in fs::read_dir(dir).map_err(Error::io(dir.display()))? {
        let name = entry.map_err(Error::io(dir.display()))?.file_name();
        match name.to_str() {
            Some("index.json" | "oci-layout") => return Ok(true),
            Some("blobs") => {}
            Some(name) if name.starts_with(PREFIX) => {}
            _ => foreign = true,
        }
    }
    Ok(!foreign)
}

impl Blobs for Target<'_> {
    fn put(&mut self, fill: &mut Fill<'_>) -> Result<(), Error> {
        let blobs = self.dir.join("blobs").join("sha256");
        self.waiting.push(waiting_in(&blobs, self.options, fill)?);
        Ok(())
    }
}

/// A blob under a temporary name in `directory`, and its digest.
pub(super) fn waiting_in(
    directory: &Path,
    options: &WriteOptions<'_>,
    fill: &mut Fill<'_>,
) -> Result<(NamedTempFile, Digest), Error> {
    let file = temporary_in(directory, options)?;
    let mut out = BufWriter::with_capacity(256 << 10, file);
    let (digest, _) = fill(&mut out)?;
    let file = out
        .into_inner()
        .map_err(|error| Error::io(directory.display())(error.into_error()))?;
    Ok((file, digest))
}

/// A temporary file that others may read once it has its name.
pub(super) fn temporary_in(
    directory: &Path,
    options: &WriteOptions<'_>,
) -> Result<NamedTempFile, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(directory)
        .map_err(Error::io(format!(
            "a temporary file in {}",
            directory.display()
        )))?;
    if let Some(tell) = options.temporaries {
        tell(file.path());
    }
    Ok(file)
}

/// Writes a small file at once: before and after, never half of it.
pub(super) fn replace(path: &Path, bytes: &[u8], options: &WriteOptions<'_>) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = temporary_in(directory, options)?;
    file.write_all(bytes).map_err(Error::io(path.display()))?;
    file.persist(path)
        .map(drop)
        .map_err(|error| Error::io(path.display())(error.error))
}

/// Files and directories that go again unless the list is emptied.
#[derive(Default)]
pub(super) struct Undo {
    pub(super) made: Vec<PathBuf>,
}

impl Undo {
    /// Makes `path` and what is missing above it.
    pub(super) fn make_directory(&mut self, path: &Path) -> Result<(), Error> {
        let missing: Vec<&Path> = path
            .ancestors()
            .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
            .collect();
        for directory in missing.into_iter().rev() {
            match fs::create_dir(directory) {
                Ok(()) => self.made.push(directory.to_owned()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io(directory.display())(error)),
            }
        }
        Ok(())
    }

    pub(super) fn roll_back(&mut self) {
        for path in self.made.drain(..).rev() {
            // A directory somebody else uses by now is not empty, and stays.
            if path.is_dir() {
                let _ = fs::remove_dir(path);
            } else {
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.roll_back();
    }
}

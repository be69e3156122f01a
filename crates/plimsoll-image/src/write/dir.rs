//! Writing into a directory of single blobs, as `skopeo copy` does to `dir:`.
//!
//! Source: containers/image, `directory/directory_transport.go`, `directory_dest.go`: a file
//! `version`; blobs by the digits of their digests; `manifest.json`, and below an index
//! `DIGITS.manifest.json`. One image a directory: another one takes its place.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use plimsoll_model::Digest;
use tempfile::NamedTempFile;

use crate::write::layout::{PREFIX, Undo, replace, takes_files, temporary_in, waiting_in};
use crate::write::{Blobs, Fill, WriteOptions};
use crate::{Error, stream};

/// The content of `version`. Readers of 1.0 take it too: what is new in 1.1 are blobs without an
/// ending, which they look for first.
pub(crate) const VERSION: &str = "Directory Transport Version: 1.1\n";

/// A directory being written to. Everything waits under temporary names until [`Target::commit`];
/// whatever happens before that leaves the directory as it was.
pub(super) struct Target<'a> {
    dir: PathBuf,
    options: &'a WriteOptions<'a>,
    blobs: Vec<(NamedTempFile, Digest)>,
    /// The one that was put last is the image's own.
    manifests: Vec<(NamedTempFile, Digest)>,
    undo: Undo,
}

impl<'a> Target<'a> {
    pub(super) fn open(dir: &Path, options: &'a WriteOptions<'a>) -> Result<Self, Error> {
        check(dir)?;
        let mut target = Self {
            dir: dir.to_owned(),
            options,
            blobs: Vec::new(),
            manifests: Vec::new(),
            undo: Undo::default(),
        };
        target.undo.make_directory(dir)?;
        Ok(target)
    }

    /// Makes the image visible: blobs first, its manifest last and at once. What only the image before
    /// had goes then.
    pub(super) fn commit(mut self) -> Result<(), Error> {
        // Two writers of one directory: the second one's image is there, and whole.
        let lock = File::open(&self.dir).map_err(Error::io(self.dir.display()))?;
        lock.lock().map_err(Error::io(self.dir.display()))?;
        check(&self.dir)?;
        let placed = self.place();
        if placed.is_ok() {
            self.undo.made.clear();
        }
        self.undo.roll_back();
        let new = placed?;
        for name in names(&self.dir)? {
            if is_ours(&name) && !new.contains(&name) {
                // One that cannot be removed is not named by the manifest, and so harms nobody.
                let _ = fs::remove_file(self.dir.join(name));
            }
        }
        Ok(())
    }

    /// Gives everything its name; answers the names.
    fn place(&mut self) -> Result<BTreeSet<OsString>, Error> {
        let mut new: BTreeSet<OsString> = ["manifest.json", "version"].map(OsString::from).into();
        let Some((top, _)) = self.manifests.pop() else {
            return Err(Error::Draft("no manifest was written".to_owned()));
        };
        let blobs = std::mem::take(&mut self.blobs).into_iter();
        let blobs = blobs.map(|(file, digest)| (file, digest.hex()));
        let manifests = std::mem::take(&mut self.manifests).into_iter();
        let manifests =
            manifests.map(|(file, digest)| (file, format!("{}.manifest.json", digest.hex())));
        for (file, name) in blobs.chain(manifests) {
            let path = self.dir.join(&name);
            let is_new = !path.exists();
            file.persist(&path)
                .map_err(|error| Error::io(path.display())(error.error))?;
            if is_new {
                self.undo.made.push(path);
            }
            new.insert(name.into());
        }
        let mark = self.dir.join("version");
        let is_new = !mark.exists();
        replace(&mark, VERSION.as_bytes(), self.options)?;
        if is_new {
            self.undo.made.push(mark);
        }
        let path = self.dir.join("manifest.json");
        top.persist(&path)
            .map_err(|error| Error::io(path.display())(error.error))?;
        Ok(new)
    }
}

impl Blobs for Target<'_> {
    fn put(&mut self, fill: &mut Fill<'_>) -> Result<(), Error> {
        self.blobs.push(waiting_in(&self.dir, self.options, fill)?);
        Ok(())
    }

    fn put_manifest(&mut self, _media_type: &str, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = stream::digest(bytes);
        let mut file = temporary_in(&self.dir, self.options)?;
        file.write_all(bytes)
            .map_err(Error::io(self.dir.display()))?;
        self.manifests.push((file, digest));
        Ok(digest)
    }
}

/// Sees that an image can go into `dir` as things stand. Nothing is made.
pub(super) fn may_write(dir: &Path) -> Result<(), Error> {
    check(dir)?;
    takes_files(dir)
}

/// Sees that an image may go into `dir`, which may be missing: a mistyped name must not mix its blobs
/// with somebody's files.
fn check(dir: &Path) -> Result<(), Error> {
    let refuse = |why: &str| {
        Err(Error::Target {
            path: dir.to_owned(),
            why: why.to_owned(),
        })
    };
    match fs::metadata(dir) {
        Ok(facts) if !facts.is_dir() => refuse("it is no directory"),
        Ok(_) => {
            let names = names(dir)?;
            let has = |name: &str| names.iter().any(|found| found == name);
            let strange = |name: &OsString| !name.to_string_lossy().starts_with(PREFIX);
            match has("version") && has("manifest.json") || !names.iter().any(strange) {
                true => Ok(()),
                false => refuse("the directory is neither empty nor one of single blobs"),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io(dir.display())(error)),
    }
}

fn names(dir: &Path) -> Result<Vec<OsString>, Error> {
    let entries = fs::read_dir(dir).map_err(Error::io(dir.display()))?;
    entries
        .map(|entry| Ok(entry.map_err(Error::io(dir.display()))?.file_name()))
        .collect()
}

/// Whether a file of this name is a blob, a manifest or a signature of an image.
fn is_ours(name: &OsString) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let is_hex = |text: &str| {
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == 64 && text.bytes().all(digits)
    };
    let (first, rest) = match name.split_once(['.', '-']) {
        Some((first, _)) => (first, &name[first.len()..]),
        None => (name, ""),
    };
    // Signatures are of the image before, which is another.
    let signs = |text: &str| {
        text.strip_prefix("signature-")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    signs(name)
        || is_hex(first)
            && (matches!(rest, "" | ".manifest.json" | ".tar")
                || rest.strip_prefix(['.', '-']).is_some_and(signs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_images_are_ours() {
        let hex = "0f".repeat(32);
        for name in [
            hex.clone(),
            format!("{hex}.manifest.json"),
            format!("{hex}-signature-1"),
            "signature-12".to_owned(),
        ] {
            assert!(is_ours(&name.clone().into()), "{name}");
        }
        for name in ["notes", "signature-", "signature-x", "0f", ".git", "a.tar"] {
            assert!(!is_ours(&name.into()), "{name}");
        }
        assert!(!is_ours(&format!("{hex}.txt").into()));
    }
}

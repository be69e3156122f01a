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

use crate::documents::{Entry, Manifest, object};
use crate::sources::{flat, mark};
use crate::write::layout::{PREFIX, Undo, replace, takes_files, temporary_in, waiting_in};
use crate::write::{Blobs, Fill, WriteOptions};
use crate::{Error, Limits, stream};

/// The content of `version`. Readers of 1.0 take it too: what is new in 1.1 are blobs without an
/// ending, which they look for first.
pub(crate) const VERSION: &str = "Directory Transport Version: 1.1\n";
/// Manifests and indexes below the one that is there whose blobs are looked up.
const MAX_MANIFESTS: usize = 1000;

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
        let before = check(&self.dir)?;
        let placed = self.place();
        if placed.is_ok() {
            self.undo.made.clear();
        }
        self.undo.roll_back();
        let new = placed?;
        for name in names(&self.dir)? {
            if before.has(&name) && !new.contains(&name) {
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
/// with somebody's files. Answers what is there of the image before.
fn check(dir: &Path) -> Result<Held, Error> {
    let refuse = |why: &str| {
        Err(Error::Target {
            path: dir.to_owned(),
            why: why.to_owned(),
        })
    };
    match fs::metadata(dir) {
        Ok(facts) if !facts.is_dir() => refuse("it is no directory"),
        Ok(_) => {
            let strange = |name: &OsString| !name.to_string_lossy().starts_with(PREFIX);
            if !names(dir)?.iter().any(strange) {
                return Ok(Held::default());
            }
            match mark(dir).and_then(|_| Held::of(dir)) {
                Some(held) => Ok(held),
                None => refuse("the directory is neither empty nor one of single blobs"),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Held::default()),
        Err(error) => Err(Error::io(dir.display())(error)),
    }
}

/// What the manifest of a directory names, and so may be removed when another image takes its place.
#[derive(Debug, Default)]
struct Held {
    blobs: BTreeSet<String>,
    manifests: BTreeSet<String>,
}

impl Held {
    /// Of the image in `dir`; `None` where `manifest.json` is that of no image.
    fn of(dir: &Path) -> Option<Self> {
        let limits = Limits::default();
        let (store, top) = flat(dir, &limits).ok()?;
        let mut held = Self::default();
        let read = |digest: Digest| {
            let entry = Entry {
                digest: digest.to_string(),
                ..Entry::default()
            };
            let (_, bytes) = store.manifest(&entry, "manifest.json", &limits).ok()?;
            let manifest: Manifest = object("a manifest", &bytes).ok()?;
            Named::by(&manifest)
        };
        let mut todo = vec![top];
        while let Some(digest) = todo.pop() {
            let is_new = held.manifests.insert(digest.hex());
            if !is_new || held.manifests.len() > MAX_MANIFESTS {
                continue;
            }
            match read(digest) {
                Some(Named::Blobs(blobs)) => held.blobs.extend(blobs.iter().map(Digest::hex)),
                Some(Named::Manifests(below)) => todo.extend(below),
                None if digest == top => return None,
                // One that was not copied, or is damaged, names nothing that could be trusted.
                None => {}
            }
        }
        Some(held)
    }

    /// Whether a file of this name is a blob, a manifest or a signature of the image.
    fn has(&self, name: &OsString) -> bool {
        let Some(name) = name.to_str() else {
            return false;
        };
        let signs = |text: &str| {
            text.strip_prefix("signature-").is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        let first = name.split(['.', '-']).next().unwrap_or(name);
        match &name[first.len()..] {
            // Of 1.0: layers with an ending.
            "" | ".tar" => self.blobs.contains(first),
            ".manifest.json" => self.manifests.contains(first),
            rest => {
                signs(name)
                    || self.manifests.contains(first)
                        && rest.strip_prefix(['.', '-']).is_some_and(signs)
            }
        }
    }
}

/// What a manifest or an index names.
enum Named {
    Blobs(Vec<Digest>),
    Manifests(Vec<Digest>),
}

impl Named {
    /// `None` where the document is neither: a `manifest.json` of something else.
    fn by(manifest: &Manifest) -> Option<Self> {
        let digest = |entry: &Entry| Digest::parse(&entry.digest).ok();
        if let Some(entries) = &manifest.manifests {
            let below: Option<_> = entries.iter().map(digest).collect();
            return below.map(Self::Manifests);
        }
        let config = manifest.config.iter();
        let layers = manifest.layers.iter().flatten();
        let blobs: Option<Vec<_>> = config.chain(layers).map(digest).collect();
        blobs.filter(|_| manifest.config.is_some()).map(Self::Blobs)
    }
}

fn names(dir: &Path) -> Result<Vec<OsString>, Error> {
    let entries = fs::read_dir(dir).map_err(Error::io(dir.display()))?;
    entries
        .map(|entry| Ok(entry.map_err(Error::io(dir.display()))?.file_name()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_image_are_its_own() {
        let (blob, manifest) = ("0f".repeat(32), "1e".repeat(32));
        let held = Held {
            blobs: BTreeSet::from([blob.clone()]),
            manifests: BTreeSet::from([manifest.clone()]),
        };
        for name in [
            blob.clone(),
            format!("{blob}.tar"),
            format!("{manifest}.manifest.json"),
            format!("{manifest}-signature-1"),
            format!("{manifest}.signature-1"),
            "signature-12".to_owned(),
        ] {
            assert!(held.has(&name.clone().into()), "{name}");
        }
        let other = "a".repeat(64);
        for name in [
            other.clone(),
            format!("{other}.manifest.json"),
            format!("{other}-signature-1"),
            format!("{blob}.txt"),
            manifest,
            "notes".to_owned(),
            "signature-".to_owned(),
            "signature-x".to_owned(),
            ".git".to_owned(),
        ] {
            assert!(!held.has(&name.clone().into()), "{name}");
        }
    }
}

//! Blobs by their digest, kept on this machine up to a size, fetched where they are missing.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use plimsoll_image::Wanted;
use plimsoll_model::Digest;
use sha2::{Digest as _, Sha256};

/// Times a download that gets no further is tried.
const TRIES: u32 = 6;
/// The first wait between two tries.
const WAIT: Duration = Duration::from_millis(250);
/// What nobody went on with for so long is no longer a download.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A directory with blobs.
pub(crate) struct Cache {
    directory: PathBuf,
    /// Bytes it may hold.
    most: u64,
    /// What this process uses, and so does not throw away.
    used: Mutex<BTreeSet<Digest>>,
}

/// A body that begins somewhere in the blob.
pub(crate) struct Body {
    /// Where it begins: what was asked for, or 0 if the registry cannot.
    pub(crate) from: u64,
    /// The bytes.
    pub(crate) reader: Box<dyn Read>,
}

/// Why a blob is not here.
pub(crate) enum Failed<E> {
    /// The way to it.
    Source(E),
    /// Another digest or size than promised.
    Mismatch {
        property: &'static str,
        expected: String,
        found: String,
    },
    /// It ended early, every time.
    Short { at: u64, why: String },
    /// This machine's disk.
    Disk(PathBuf, io::Error),
}

impl Cache {
    /// Blobs lie in `blobs/sha256` of `directory`, as in an OCI layout.
    pub(crate) fn new(directory: &Path, most: u64) -> Self {
        Self {
            directory: directory.join("blobs").join("sha256"),
            most,
            used: Mutex::default(),
        }
    }

    /// The file with this blob. `fetch` is asked for its bytes from an offset on; what an earlier run
    /// fetched of it is gone on with. `on_bytes` is told each time some are there.
    pub(crate) fn blob<E>(
        &self,
        wanted: Wanted,
        fetch: &dyn Fn(u64) -> Result<Body, E>,
        on_bytes: &dyn Fn(u64),
    ) -> Result<PathBuf, Failed<E>> {
        let path = self.directory.join(wanted.digest.hex());
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(wanted.digest);
        if let Some(size) = self.is_here(&path, wanted) {
            on_bytes(size);
            return Ok(path);
        }
        let disk = |path: &Path| {
            let path = path.to_owned();
            move |error| Failed::Disk(path, error)
        };
        fs::create_dir_all(&self.directory).map_err(disk(&self.directory))?;
        let part = path.with_extension("part");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&part)
            .map_err(disk(&part))?;
        // Two processes that want one blob fetch it once.
        file.lock().map_err(disk(&part))?;
        if let Some(size) = self.is_here(&path, wanted) {
            on_bytes(size);
            return Ok(path);
        }
        let mut download = Download {
            file,
            part: &part,
            hash: Sha256::new(),
            at: 0,
            wanted,
        };
        download.recover().map_err(disk(&part))?;
        on_bytes(download.at);
        let recovered = download.at;
        let ended = match download.run(fetch, on_bytes) {
            // What an earlier run left may have been no part of it.
            Err(Failed::Mismatch { .. }) if recovered > 0 => {
                download.begin().map_err(disk(&part))?;
                download.run(fetch, &|_| ())
            }
            ended => ended,
        };
        if let Err(Failed::Mismatch { .. }) = &ended {
            let _ = fs::remove_file(&part);
        }
        ended?;
        fs::rename(&part, &path).map_err(disk(&path))?;
        Ok(path)
    }

    /// Whether the blob is here, whole; its bytes. A file that was tampered with or cut short is not.
    fn is_here(&self, path: &Path, wanted: Wanted) -> Option<u64> {
        let mut file = File::open(path).ok()?;
        let size = file.metadata().ok()?.len();
        if wanted.size.is_some_and(|wanted| wanted != size) {
            return None;
        }
        let mut hash = Sha256::new();
        hash_all(&mut file, &mut hash).ok()?;
        if Digest::from_bytes(hash.finalize().into()) != wanted.digest {
            return None;
        }
        // The time says when it was last used.
        let _ = file.set_modified(SystemTime::now());
        Some(size)
    }

    /// Throws away what was not used for longest until no more is kept than may be.
    pub(crate) fn tidy(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        let mut kept = 0;
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let Ok(facts) = entry.metadata() else {
                continue;
            };
            let path = entry.path();
            let age = facts
                .modified()
                .ok()
                .and_then(|time| now.duration_since(time).ok());
            let age = age.unwrap_or_default();
            let name = path.file_stem().and_then(|name| name.to_str());
            let digest = name.and_then(Digest::from_hex);
            let is_part = path.extension().is_some();
            kept += facts.len();
            match digest {
                Some(digest) if !used.contains(&digest) && (!is_part || age > ABANDONED) => {
                    found.push((age, facts.len(), path));
                }
                _ => {}
            }
        }
        // The oldest last, where `pop` finds it.
        found.sort_by_key(|(age, ..)| *age);
        while kept > self.most
            && let Some((_, size, path)) = found.pop()
        {
            if fs::remove_file(&path).is_ok() {
                kept -= size;
            }
        }
    }
}

/// A blob on its way.
struct Download<'a> {
    file: File,
    part: &'a Path,
    hash: Sha256,
    at: u64,
    wanted: Wanted,
}

impl Download<'_> {
    /// Takes over what an earlier run fetched.
    fn recover(&mut self) -> io::Result<()> {
        let size = self.file.metadata()?.len();
        if self.wanted.size.is_none_or(|wanted| size > wanted) {
            return self.begin();
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.at = hash_all(&mut self.file, &mut self.hash)?;
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.hash = Sha256::new();
        self.at = 0;
        Ok(())
    }

    fn run<E>(
        &mut self,
        fetch: &dyn Fn(u64) -> Result<Body, E>,
        on_bytes: &dyn Fn(u64),
    ) -> Result<(), Failed<E>> {
        let mut buffer = vec![0; 256 << 10];
        let mut tries = 0;
        let mut wait = WAIT;
        loop {
            if self.wanted.size == Some(self.at) {
                return self.verify();
            }
            let before = self.at;
            let body = fetch(self.at).map_err(Failed::Source)?;
            let part = self.part.to_owned();
            let disk = move |error| Failed::Disk(part.clone(), error);
            if body.from != self.at {
                self.begin().map_err(&disk)?;
            }
            let mut reader = body.reader;
            let why = loop {
                match reader.read(&mut buffer) {
                    Ok(0) => break None,
                    Ok(count) => {
                        self.file.write_all(&buffer[..count]).map_err(&disk)?;
                        self.hash.update(&buffer[..count]);
                        self.at += count as u64;
                        on_bytes(count as u64);
                        if self.wanted.size.is_some_and(|size| self.at > size) {
                            return Err(self.size());
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Some(error.to_string()),
                }
            };
            let whole = self.wanted.size.is_none_or(|size| size == self.at);
            if why.is_none() && whole {
                return self.verify();
            }
            // A connection that breaks is taken up where it broke, as long as it gets anywhere.
            if self.at > before {
                tries = 0;
                wait = WAIT;
            }
            tries += 1;
            if tries == TRIES {
                return Err(Failed::Short {
                    at: self.at,
                    why: why.unwrap_or_else(|| "the registry ends it there".to_owned()),
                });
            }
            std::thread::sleep(wait);
            wait *= 2;
        }
    }

    fn verify<E>(&self) -> Result<(), Failed<E>> {
        let found = Digest::from_bytes(self.hash.clone().finalize().into());
        if found == self.wanted.digest {
            return Ok(());
        }
        Err(Failed::Mismatch {
            property: "digest",
            expected: self.wanted.digest.to_string(),
            found: found.to_string(),
        })
    }

    fn size<E>(&self) -> Failed<E> {
        Failed::Mismatch {
            property: "size",
            expected: format!("{} bytes", self.wanted.size.unwrap_or(0)),
            found: format!("{} bytes or more", self.at),
        }
    }
}

fn hash_all(reader: &mut impl Read, hash: &mut Sha256) -> io::Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(count) => {
                hash.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn wanted(bytes: &[u8]) -> Wanted {
        Wanted {
            digest: Digest::from_bytes(Sha256::digest(bytes).into()),
            size: Some(bytes.len() as u64),
        }
    }

    /// A source of `bytes` that breaks off after three of them.
    fn breaking(bytes: &'static [u8], asked: &Cell<u32>) -> impl Fn(u64) -> Result<Body, ()> {
        move |from| {
            asked.set(asked.get() + 1);
            let rest = &bytes[from as usize..];
            let reader = Box::new(rest.take(3));
            Ok(Body { from, reader })
        }
    }

    #[test]
    fn what_breaks_off_is_taken_up_where_it_broke() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path(), 1 << 20);
        let asked = Cell::new(0);
        let seen = Cell::new(0);
        let count = |bytes| seen.set(seen.get() + bytes);
        let fetch = breaking(b"0123456789", &asked);
        let path = cache
            .blob(wanted(b"0123456789"), &fetch, &count)
            .ok()
            .unwrap();
        assert_eq!(fs::read(path).unwrap(), b"0123456789");
        assert_eq!((asked.get(), seen.get()), (4, 10));
        // The second time nobody is asked.
        cache
            .blob(wanted(b"0123456789"), &fetch, &|_| ())
            .ok()
            .unwrap();
        assert_eq!(asked.get(), 4);
    }

    #[test]
    fn what_an_earlier_run_left_is_gone_on_with_or_begun_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path(), 1 << 20);
        let wanted = wanted(b"0123456789");
        fs::create_dir_all(&cache.directory).unwrap();
        let part = cache
            .directory
            .join(wanted.digest.hex())
            .with_extension("part");
        for (left, requests) in [
            (&b"01234"[..], 2),
            (b"xxxxx", 6),
            (b"far too much of it", 4),
        ] {
            fs::write(&part, left).unwrap();
            let asked = Cell::new(0);
            let fetch = breaking(b"0123456789", &asked);
            let path = cache.blob(wanted, &fetch, &|_| ()).ok().unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"0123456789");
            assert_eq!(asked.get(), requests);
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn another_digest_is_refused_and_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path(), 1 << 20);
        let fetch = |from| -> Result<Body, ()> {
            let reader = Box::new(&b"abd"[from as usize..]);
            Ok(Body { from, reader })
        };
        let failed = cache.blob(wanted(b"abc"), &fetch, &|_| ()).err().unwrap();
        assert!(matches!(
            failed,
            Failed::Mismatch {
                property: "digest",
                ..
            }
        ));
        let longer = cache.blob(wanted(b"ab"), &fetch, &|_| ()).err().unwrap();
        assert!(matches!(
            longer,
            Failed::Mismatch {
                property: "size",
                ..
            }
        ));
        assert_eq!(fs::read_dir(&cache.directory).unwrap().count(), 0);
    }

    #[test]
    fn what_was_tampered_with_is_fetched_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path(), 1 << 20);
        let asked = Cell::new(0);
        let fetch = breaking(b"abc", &asked);
        let path = cache.blob(wanted(b"abc"), &fetch, &|_| ()).ok().unwrap();
        fs::write(&path, b"abd").unwrap();
        cache.blob(wanted(b"abc"), &fetch, &|_| ()).ok().unwrap();
        assert_eq!(fs::read(path).unwrap(), b"abc");
    }

    #[test]
    fn the_longest_unused_goes_first_and_what_is_used_stays() {
        let directory = tempfile::tempdir().unwrap();
        let before = Cache::new(directory.path(), 0);
        let blobs: [&'static [u8]; 4] = [b"aaaa", b"bbbb", b"cccc", b"dddd"];
        for (age, bytes) in [
            (30, blobs[0]),
            (10, blobs[1]),
            (20, blobs[2]),
            (40, blobs[3]),
        ] {
            let asked = Cell::new(0);
            let path = before
                .blob(wanted(bytes), &breaking(bytes, &asked), &|_| ())
                .ok()
                .unwrap();
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age))
                .unwrap();
        }
        let cache = Cache::new(directory.path(), 8);
        let asked = Cell::new(0);
        cache
            .blob(wanted(blobs[3]), &breaking(blobs[3], &asked), &|_| ())
            .ok()
            .unwrap();
        cache.tidy();
        let here = |bytes| cache.directory.join(wanted(bytes).digest.hex()).exists();
        assert_eq!(blobs.map(here), [false, true, false, true]);
    }
}

//! The way out to the network, with a cache by digest in front.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plimsoll_model::fetch::FetchErrorKind;
use plimsoll_model::{Digest, Fetch, FetchError, Open};
use sha2::{Digest as _, Sha256};

use crate::interrupt::Leftovers;

/// How often a request is tried when nobody answers or the server has a bad moment.
const TRIES: u32 = 3;

/// Fetches over HTTP(S) and from `file:` addresses; keeps what has a digest in a directory.
pub(crate) struct Network {
    agent: ureq::Agent,
    blobs: PathBuf,
    /// Documents already fetched in this run, so that one run sees one state of a mirror.
    documents: Mutex<BTreeMap<String, Vec<u8>>>,
    leftovers: Leftovers,
    /// Called with the number of bytes that have just come over the wire.
    on_bytes: Box<dyn Fn(u64) + Send + Sync>,
}

impl Network {
    /// With its cache below `cache`. Proxies are taken from the environment.
    pub(crate) fn new(
        cache: &Path,
        leftovers: Leftovers,
        on_bytes: impl Fn(u64) + Send + Sync + 'static,
    ) -> Self {
        Self {
            agent: agent(),
            blobs: cache.join("blobs").join("sha256"),
            documents: Mutex::default(),
            leftovers,
            on_bytes: Box::new(on_bytes),
        }
    }

    fn open(&self, url: &str) -> Result<Box<dyn Read + Send>, FetchErrorKind> {
        if let Some(path) = url.strip_prefix("file:") {
            let path = format!("/{}", path.trim_start_matches('/'));
            let file = File::open(&path);
            return match file {
                Ok(file) => Ok(Box::new(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(FetchErrorKind::Status(404))
                }
                Err(error) => Err(FetchErrorKind::Unreachable(error.to_string())),
            };
        }
        let mut tried = 0;
        loop {
            tried += 1;
            let failed = match self.agent.get(url).call() {
                Ok(response) if response.status().is_success() => {
                    return Ok(Box::new(response.into_body().into_reader()));
                }
                Ok(response) => FetchErrorKind::Status(response.status().as_u16()),
                Err(error) => FetchErrorKind::Unreachable(error.to_string()),
            };
            let again = match &failed {
                FetchErrorKind::Status(status) => *status == 429 || *status >= 500,
                // A name that is unknown, or a port nobody listens on, will not change in a second.
                FetchErrorKind::Unreachable(why) => why.contains("timeout"),
                _ => false,
            };
            if !again || tried == TRIES {
                return Err(failed);
            }
            std::thread::sleep(Duration::from_millis(500) * tried);
        }
    }

    fn cached(&self, digest: &Digest, size: u64) -> Option<CachedBlob> {
        let path = self.blobs.join(digest.hex());
        let blob = CachedBlob(path);
        // Verified again: a cache that was tampered with or cut short is no cache.
        let mut sink = Tally::new(io::sink());
        io::copy(&mut blob.open().ok()?, &mut sink).ok()?;
        (sink.finish() == (*digest, size)).then_some(blob)
    }

    fn download(
        &self,
        url: &str,
        digest: &Digest,
        size: u64,
    ) -> Result<CachedBlob, FetchErrorKind> {
        let cache = |error: io::Error| FetchErrorKind::Cache(error.to_string());
        fs::create_dir_all(&self.blobs).map_err(cache)?;
        let file = tempfile::NamedTempFile::new_in(&self.blobs).map_err(cache)?;
        self.leftovers.add(file.path());
        let mut body = self.open(url)?.take(size.saturating_add(1));
        let mut tally = Tally::new(file);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return Err(FetchErrorKind::Unreachable(error.to_string())),
            };
            tally.write_all(&buffer[..count]).map_err(cache)?;
            (self.on_bytes)(count as u64);
        }
        let Tally {
            inner: file,
            hash,
            bytes,
        } = tally;
        let found = digest_of(hash);
        if bytes != size {
            return Err(FetchErrorKind::Size {
                expected: size,
                found: bytes,
            });
        }
        if found != *digest {
            return Err(FetchErrorKind::Digest {
                expected: *digest,
                found,
            });
        }
        let path = self.blobs.join(digest.hex());
        file.persist(&path).map_err(|error| cache(error.error))?;
        Ok(CachedBlob(path))
    }
}

impl Fetch for Network {
    fn fresh(&self, url: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let known = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(url)
            .cloned();
        if let Some(document) = known {
            return Ok(document);
        }
        let failed = |kind| FetchError {
            url: without_credentials(url),
            kind,
        };
        let mut document = Vec::new();
        let body = self.open(url).map_err(failed)?;
        let read = body
            .take(limit.saturating_add(1))
            .read_to_end(&mut document);
        read.map_err(|error| failed(FetchErrorKind::Unreachable(error.to_string())))?;
        (self.on_bytes)(document.len() as u64);
        if document.len() as u64 > limit {
            let found = document.len() as u64;
            return Err(failed(FetchErrorKind::Size {
                expected: limit,
                found,
            }));
        }
        let mut documents = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        documents.insert(url.to_owned(), document.clone());
        Ok(document)
    }

    fn verified(&self, url: &str, digest: &Digest, size: u64) -> Result<Arc<dyn Open>, FetchError> {
        if let Some(blob) = self.cached(digest, size) {
            return Ok(Arc::new(blob));
        }
        match self.download(url, digest, size) {
            Ok(blob) => Ok(Arc::new(blob)),
            Err(kind) => Err(FetchError {
                url: without_credentials(url),
                kind,
            }),
        }
    }
}

/// A client with our patience and our name. Proxies are taken from the environment.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// A file of the cache.
struct CachedBlob(PathBuf);

impl Open for CachedBlob {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.0)?))
    }
}

/// A writer that counts and hashes what passes.
struct Tally<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Tally<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    fn finish(self) -> (Digest, u64) {
        (digest_of(self.hash), self.bytes)
    }
}

impl<W: Write> Write for Tally<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hash.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn digest_of(hash: Sha256) -> Digest {
    Digest::from_bytes(hash.finalize().into())
}

/// The address without `user:password@`.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_printed() {
        assert_eq!(
            without_credentials("http://me:secret@host/a@b"),
            "http://host/a@b"
        );
        assert_eq!(without_credentials("http://host/a@b"), "http://host/a@b");
        assert_eq!(without_credentials("file:/a"), "file:/a");
    }

    #[test]
    fn what_has_another_digest_is_refused_and_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("archive");
        fs::write(&file, b"hello").unwrap();
        let url = format!("file:{}", file.display());
        let network = Network::new(directory.path(), Leftovers::default(), |_| ());
        let mut hash = Sha256::new();
        hash.update(b"hello");
        let right = digest_of(hash);
        let wrong = Digest::from_bytes([0; 32]);
        let kind = |digest, size| {
            network
                .verified(&url, digest, size)
                .err()
                .map(|error| error.kind)
        };
        assert!(matches!(
            kind(&wrong, 5),
            Some(FetchErrorKind::Digest { .. })
        ));
        assert!(matches!(kind(&right, 4), Some(FetchErrorKind::Size { .. })));
        assert_eq!(kind(&right, 5), None);
        // Now it is in the cache; a cache that was cut short is not believed.
        fs::remove_file(&file).unwrap();
        assert_eq!(kind(&right, 5), None);
        fs::write(network.blobs.join(right.hex()), b"hell").unwrap();
        assert!(matches!(kind(&right, 5), Some(FetchErrorKind::Status(404))));
    }
}

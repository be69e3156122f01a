//! The lock: every archive that goes into the image, by digest.
//!
//! A lock makes a rebuild need no index at all: the archives are fetched by digest, and nothing is
//! asked of the repositories but those bytes. It is a TOML document in a stable order (layers as in
//! the recipe, names within a layer), so that it can be committed and its changes read.

use std::fmt;

use plimsoll_model::Digest;
use serde::{Deserialize, Serialize};

/// The version of the format this crate writes and reads.
const VERSION: u32 = 1;

/// Exactly what will be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Version of the format; 1.
    pub version: u32,
    /// Debian's word for the architecture.
    pub architecture: String,
    /// What the recipe asked for ([`crate::Recipe::packages_digest`]); a lock serves no other
    /// recipe.
    pub recipe: String,
    /// The signed indexes the archives were found in.
    pub releases: Vec<LockedRelease>,
    /// The archives: by layer, then by name.
    pub archives: Vec<LockedArchive>,
}

/// A signed index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LockedRelease {
    /// The address above `dists/`.
    pub uri: String,
    /// The suite below `dists/`.
    pub suite: String,
    /// The codename the index gives.
    pub codename: String,
    /// When it was made, RFC 3339.
    pub date: String,
    /// The fingerprints of the keys whose signatures on it are good; empty for a repository that
    /// was trusted without one.
    pub signed_by: Vec<String>,
}

/// One archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedArchive {
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture: the image's, or `all`.
    pub architecture: String,
    /// The layer it goes into.
    pub layer: String,
    /// Index of the release it was found in.
    pub release: usize,
    /// Its address below the release's `uri`.
    pub filename: String,
    /// The digest of the archive, 64 hexadecimal digits.
    pub sha256: String,
    /// The size of the archive in bytes.
    pub size: u64,
}

/// Why a text is not a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockError(pub String);

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lock is not understood: {}", self.0)
    }
}

impl std::error::Error for LockError {}

impl Lock {
    /// A lock without archives.
    pub(crate) fn new(architecture: &str, recipe: Digest) -> Self {
        Self {
            version: VERSION,
            architecture: architecture.to_owned(),
            recipe: recipe.hex(),
            releases: Vec::new(),
            archives: Vec::new(),
        }
    }

    /// The document.
    pub fn to_toml(&self) -> String {
        // Plain strings, numbers and tables: nothing that TOML cannot say.
        toml::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Lock::to_toml`] wrote.
    ///
    /// # Errors
    /// When the text is something else, of another version, names a release or a digest that is
    /// none, or an address outside the repository.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let lock: Self =
            toml::from_str(text).map_err(|error| LockError(error.message().to_owned()))?;
        if lock.version != VERSION {
            let message = format!("version {}, this program reads {VERSION}", lock.version);
            return Err(LockError(message));
        }
        for archive in &lock.archives {
            if archive.digest().is_none() {
                let message = format!("`{}` is not a SHA-256 digest", archive.sha256);
                return Err(LockError(message));
            }
            if !plimsoll_packages::index::is_below(&archive.filename) {
                let message = format!("`{}` leads out of the repository", archive.filename);
                return Err(LockError(message));
            }
            if archive.release >= lock.releases.len() {
                let message = format!("{}: there is no release {}", archive.name, archive.release);
                return Err(LockError(message));
            }
        }
        Ok(lock)
    }

    /// Where an archive lies.
    pub fn url(&self, archive: &LockedArchive) -> String {
        let uri = self
            .releases
            .get(archive.release)
            .map_or("", |release| release.uri.as_str());
        format!("{}/{}", uri.trim_end_matches('/'), archive.filename)
    }

    /// The bytes of all archives: what a first build has to fetch.
    pub fn download_size(&self) -> u64 {
        self.archives.iter().map(|archive| archive.size).sum()
    }
}

impl LockedArchive {
    /// The digest; `None` when [`Self::sha256`] is none, which [`Lock::parse`] refuses.
    pub fn digest(&self) -> Option<Digest> {
        Digest::from_hex(&self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let mut lock = Lock::new("amd64", Digest::from_bytes([7; 32]));
        lock.releases.push(LockedRelease {
            uri: "http://mirror.test/debian/".into(),
            suite: "stable".into(),
            codename: "bookworm".into(),
            date: "2026-07-11T10:16:37Z".into(),
            signed_by: vec!["AB".repeat(20)],
        });
        lock.archives.push(LockedArchive {
            name: "dash".into(),
            version: "1:0.5~x+b1".into(),
            architecture: "amd64".into(),
            layer: "base".into(),
            release: 0,
            filename: "pool/main/d/dash/dash_0.5_amd64.deb".into(),
            sha256: "0".repeat(64),
            size: 7,
        });
        lock
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let lock = lock();
        let text = lock.to_toml();
        assert_eq!(Lock::parse(&text).unwrap(), lock);
        assert_eq!(Lock::parse(&text).unwrap().to_toml(), text);
        let url = "http://mirror.test/debian/pool/main/d/dash/dash_0.5_amd64.deb";
        assert_eq!(lock.url(&lock.archives[0]), url);
        assert_eq!(lock.download_size(), 7);
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        for (change, words) in [
            (("version = 1", "version = 9"), "version 9"),
            (("release = 0", "release = 3"), "no release 3"),
            (("sha256 = \"00", "sha256 = \"xx"), "not a SHA-256"),
            (("size = 7", "sise = 7"), "sise"),
            (("pool/main", "../../main"), "leads out"),
        ] {
            let text = lock().to_toml().replace(change.0, change.1);
            let error = Lock::parse(&text).expect_err(change.1);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}

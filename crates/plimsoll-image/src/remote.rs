//! What the binary does for this room, which opens no socket: registries, and the engines of this
//! machine.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_model::{Digest, Open};

use crate::{Error, Reference};

/// An engine that answers on a socket of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Docker, and what speaks like it.
    Docker,
    /// Podman.
    Podman,
}

impl Engine {
    /// The word before the colon in names of its images.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Docker => "docker-daemon",
            Self::Podman => "podman",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

/// The ways to registries and engines.
pub trait Remotes: Sync {
    /// The repository `reference` is in. Nothing need be asked yet.
    ///
    /// # Errors
    /// When the settings for its registry cannot be read, or forbid it.
    fn repository(&self, reference: &Reference) -> Result<Arc<dyn Repository>, Error>;

    /// Writes the archive an engine makes of the image called `name` to `out`.
    ///
    /// # Errors
    /// When the engine does not answer or has no such image.
    fn save(&self, engine: Engine, name: &str, out: &mut File) -> Result<(), Error>;

    /// Where Podman, Buildah and CRI-O of this user keep their images.
    fn container_storage(&self) -> ContainerStorage;
}

/// Where Podman, Buildah and CRI-O keep images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerStorage {
    /// The directory.
    pub root: PathBuf,
    /// Who unpacks the layers there, such as `overlay`; `None` where nobody chose: the first whose images
    /// are there.
    pub driver: Option<String>,
}

/// A blob that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its digest.
    pub digest: Digest,
    /// Its bytes, where its descriptor says so.
    pub size: Option<u64>,
}

/// One repository of a registry (OCI distribution specification).
pub trait Repository: Send + Sync {
    /// Its name, for messages: `docker.io/library/httpd`.
    fn name(&self) -> String;

    /// The manifest or index `target` (a tag or a digest) means, of at most `limit` bytes; the
    /// caller verifies it.
    ///
    /// # Errors
    /// When there is none, or the registry does not give it.
    fn manifest(&self, target: &str, limit: u64) -> Result<Vec<u8>, Error>;

    /// Files with these blobs, in this order, fetched where they are not here yet; what was fetched
    /// was verified. `progress` is told how many of all bytes are here.
    ///
    /// # Errors
    /// When one of them is not there, has another digest, or the registry does not give it.
    fn blobs(
        &self,
        wanted: &[Wanted],
        progress: Option<&(dyn Fn(u64, u64) + Sync)>,
    ) -> Result<Vec<PathBuf>, Error>;

    /// Sees that blobs may be stored here, and stores none.
    ///
    /// # Errors
    /// When the registry does not answer, or does not take what we would send.
    fn may_push(&self) -> Result<(), Error>;

    /// Stores a blob. `from`: a repository of the same registry that may have it already.
    ///
    /// # Errors
    /// When the registry does not take it.
    fn push_blob(&self, blob: Wanted, body: &dyn Open, from: Option<&str>)
    -> Result<Pushed, Error>;

    /// Stores a manifest or index under `target`, a tag or its digest.
    ///
    /// # Errors
    /// When the registry does not take it.
    fn push_manifest(&self, target: &str, media_type: &str, bytes: &[u8]) -> Result<(), Error>;
}

/// How a blob came to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was there.
    WasThere,
    /// The registry took it from another repository.
    Mounted,
    /// It was sent.
    Sent,
}

//! From a draft to an image on disk: reproducible, in parallel, and never half of it.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use plimsoll_model::{Digest, Draft};

use crate::Error;

/// Where an image is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// An OCI image layout; added to one that is there already, replacing the tag.
    OciLayout {
        /// The layout's directory.
        dir: PathBuf,
        /// The name in the index.
        tag: Option<String>,
    },
    /// An OCI image layout in a tar file.
    OciArchive {
        /// The file.
        file: PathBuf,
        /// The name in the index.
        tag: Option<String>,
    },
    /// What `docker load` takes.
    DockerArchive {
        /// The file.
        file: PathBuf,
        /// The image's name, `:latest` understood.
        tag: Option<String>,
    },
}

impl Sink {
    /// Parses `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`; the path
    /// ends at the first colon.
    ///
    /// # Errors
    /// When the text has none of these forms.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::Name {
            name: text.to_owned(),
            why: why.to_owned(),
            forms: "oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]".into(),
        };
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| bad("it has no scheme"))?;
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if path.is_empty() {
            return Err(bad("it names no path"));
        }
        if tag.is_some_and(|tag| tag.is_empty() || tag.contains(|c: char| c.is_control())) {
            return Err(bad("the name behind the path is empty or not printable"));
        }
        let tag = tag.map(str::to_owned);
        match scheme {
            "oci" => Ok(Self::OciLayout {
                dir: path.into(),
                tag,
            }),
            "oci-archive" => Ok(Self::OciArchive {
                file: path.into(),
                tag,
            }),
            "docker-archive" => Ok(Self::DockerArchive {
                file: path.into(),
                tag,
            }),
            _ => Err(bad("nothing is written to such a place")),
        }
    }

    /// The directory or file.
    pub fn path(&self) -> &Path {
        match self {
            Self::OciLayout { dir: path, .. }
            | Self::OciArchive { file: path, .. }
            | Self::DockerArchive { file: path, .. } => path,
        }
    }

    /// The name inside it.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::OciLayout { tag, .. }
            | Self::OciArchive { tag, .. }
            | Self::DockerArchive { tag, .. } => tag.as_deref(),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Self::OciLayout { .. } => "oci",
            Self::OciArchive { .. } => "oci-archive",
            Self::DockerArchive { .. } => "docker-archive",
        };
        write!(f, "{scheme}:{}", self.path().display())?;
        match self.tag() {
            Some(tag) => write!(f, ":{tag}"),
            None => Ok(()),
        }
    }
}

/// How layers are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip: understood everywhere.
    #[default]
    Gzip,
    /// Zstandard: smaller and faster; needs runtimes of 2021 or later.
    Zstd,
}

/// How to write.
#[derive(Default, Clone)]
pub struct WriteOptions<'a> {
    /// How layers are compressed, in every kind of place; `docker load` takes compressed layers too.
    pub compression: Compression,
    /// The compressor's own level; `None` is 6 for gzip, 3 for zstd. The same level gives the same
    /// bytes, another one others.
    pub level: Option<u32>,
    /// How many threads compress; `None` is what the machine has. The bytes do not depend on it.
    pub threads: Option<NonZeroUsize>,
    /// Told now and then how many bytes of files were written, and how many there are.
    pub progress: Option<&'a (dyn Fn(u64, u64) + Sync)>,
}

/// A layer that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenLayer {
    /// Digest of the bytes as stored.
    pub digest: Digest,
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Bytes as stored.
    pub size: u64,
    /// Bytes of the uncompressed tar.
    pub uncompressed: u64,
}

/// An image that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Digest of the manifest.
    pub digest: Digest,
    /// Digest of the configuration.
    pub config_digest: Digest,
    /// The layers, lowest first.
    pub layers: Vec<WrittenLayer>,
    /// The name inside the place, where it has one.
    pub tag: Option<String>,
    /// The directory or file.
    pub path: PathBuf,
}

/// Writes `draft` to `sink`.
///
/// # Errors
/// When a file of the draft cannot be read, the draft is no image, or the disk refuses; nothing is
/// left at the target then.
pub fn write(_draft: &Draft, sink: &Sink, _options: &WriteOptions<'_>) -> Result<Written, Error> {
    Err(Error::unsupported(sink, "not writable yet"))
}

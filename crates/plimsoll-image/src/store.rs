//! Where the blobs of an image lie: an OCI layout in a directory or in a tar file, a directory of
//! single blobs, or a repository of a registry.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_model::Digest;

use crate::documents::Entry;
use crate::part::Part;
use crate::remote::{Repository, Wanted};
use crate::tar_file::TarFile;
use crate::{Error, Limits, stream};

/// A place with the manifests and blobs of images.
#[derive(Clone)]
pub(crate) enum Store {
    /// An OCI image layout (OCI image specification, `image-layout.md`) in a directory.
    Layout(PathBuf),
    /// The same in a tar file.
    Archive(Arc<TarFile>),
    /// What `skopeo copy` writes to `dir:`: `manifest.json`, blobs under the digits of their
    /// digests, and manifests below an index as `DIGITS.manifest.json`.
    Flat {
        dir: PathBuf,
        /// The digest of `manifest.json`.
        top: Digest,
    },
    /// A repository of a registry.
    Remote(Arc<dyn Repository>),
}

impl Store {
    /// The place, for messages.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Layout(dir) | Self::Flat { dir, .. } => dir.display().to_string(),
            Self::Archive(tar) => tar.what.clone(),
            Self::Remote(repository) => repository.name(),
        }
    }

    /// The document called `name`, such as `index.json`.
    pub(crate) fn document(&self, name: &str, limits: &Limits) -> Result<Vec<u8>, Error> {
        let what = format!("{} in {}", name, self.what());
        let part = match self {
            Self::Layout(dir) | Self::Flat { dir, .. } => {
                let path = dir.join(name);
                if path.is_dir() {
                    return Err(Error::malformed(what, "it is a directory"));
                }
                Part::whole(&path)?
            }
            Self::Archive(tar) => tar
                .find(name)
                .ok_or_else(|| Error::missing(&what, "the archive has no such file"))?,
            Self::Remote(_) => return Err(Error::missing(what, "a registry has no such file")),
        };
        part.read(&what, limits.document)
    }

    /// Brings these blobs here, all at once, where they lie elsewhere.
    pub(crate) fn fetch(
        &self,
        wanted: &[Wanted],
        progress: Option<&(dyn Fn(u64, u64) + Sync)>,
    ) -> Result<(), Error> {
        match self {
            Self::Remote(repository) => repository.blobs(wanted, progress).map(drop),
            _ => Ok(()),
        }
    }

    /// The blob with this digest, not yet verified.
    pub(crate) fn blob(&self, digest: &Digest, wanted_by: &str) -> Result<Part, Error> {
        let missing = || {
            let what = format!("{digest} in {}", self.what());
            Error::missing(what, format!("it is named by {wanted_by}"))
        };
        let on_disk = |path: PathBuf| match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
            _ => Part::whole(&path),
        };
        match self {
            Self::Layout(dir) => on_disk(dir.join(layout_name(digest))),
            Self::Archive(tar) => tar.find(&layout_name(digest)).ok_or_else(missing),
            Self::Flat { dir, .. } => on_disk(dir.join(digest.hex())),
            Self::Remote(repository) => {
                let wanted = Wanted {
                    digest: *digest,
                    size: None,
                };
                let paths = repository.blobs(&[wanted], None)?;
                paths
                    .first()
                    .ok_or_else(missing)
                    .and_then(|path| Part::whole(path))
            }
        }
    }

    /// The manifest or index `entry` describes, verified.
    pub(crate) fn manifest(
        &self,
        entry: &Entry,
        wanted_by: &str,
        limits: &Limits,
    ) -> Result<(Digest, Vec<u8>), Error> {
        let digest = entry.digest(&format!("a descriptor of {wanted_by}"))?;
        let what = format!("{digest} in {}", self.what());
        let bytes = match self {
            Self::Remote(repository) => {
                repository.manifest(&digest.to_string(), limits.document)?
            }
            Self::Flat { top, .. } if *top == digest => self.document("manifest.json", limits)?,
            Self::Flat { dir, .. } => {
                let path = dir.join(format!("{}.manifest.json", digest.hex()));
                Part::whole(&path)?.read(&what, limits.document)?
            }
            Self::Layout(_) | Self::Archive(_) => return self.described(entry, wanted_by, limits),
        };
        self.verify(entry, digest, &bytes)?;
        Ok((digest, bytes))
    }

    /// The document `entry` describes, verified.
    pub(crate) fn described(
        &self,
        entry: &Entry,
        wanted_by: &str,
        limits: &Limits,
    ) -> Result<(Digest, Vec<u8>), Error> {
        let digest = entry.digest(&format!("a descriptor of {wanted_by}"))?;
        if let Some(size) = entry.size {
            // Before anything of that size is fetched.
            limits.document(&format!("{digest} in {}", self.what()), size)?;
        }
        let part = self.blob(&digest, wanted_by)?;
        let what = format!("{digest} in {}", self.what());
        self.size(entry, digest, part.size)?;
        let bytes = part.read(&what, limits.document)?;
        self.verify(entry, digest, &bytes)?;
        Ok((digest, bytes))
    }

    /// Holds a document against what its descriptor promises.
    fn verify(&self, entry: &Entry, digest: Digest, bytes: &[u8]) -> Result<(), Error> {
        self.size(entry, digest, bytes.len() as u64)?;
        let found = stream::digest(bytes);
        if found != digest {
            let what = format!("{digest} in {}, digest", self.what());
            return Err(Error::mismatch(what, digest, found));
        }
        Ok(())
    }

    fn size(&self, entry: &Entry, digest: Digest, found: u64) -> Result<(), Error> {
        match entry.size {
            Some(size) if size != found => Err(Error::mismatch(
                format!("{digest} in {}, size", self.what()),
                format!("{size} bytes"),
                format!("{found} bytes"),
            )),
            _ => Ok(()),
        }
    }
}

/// Where a layout has a blob.
fn layout_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

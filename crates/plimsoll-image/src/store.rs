//! Where the blobs of an OCI image lie: a layout's directory, or the same in a tar file.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_model::Digest;

use crate::documents::Entry;
use crate::part::Part;
use crate::tar_file::TarFile;
use crate::{Error, Limits, stream};

/// An OCI image layout (OCI image specification, `image-layout.md`).
pub(crate) enum Store {
    /// A directory.
    Layout(PathBuf),
    /// A tar file.
    Archive(Arc<TarFile>),
}

impl Store {
    /// The place, for messages.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Layout(dir) => dir.display().to_string(),
            Self::Archive(tar) => tar.what.clone(),
        }
    }

    /// The document called `name`, such as `index.json`.
    pub(crate) fn document(&self, name: &str, limits: &Limits) -> Result<Vec<u8>, Error> {
        let what = format!("{} in {}", name, self.what());
        let part = match self {
            Self::Layout(dir) => {
                let path = dir.join(name);
                if path.is_dir() {
                    return Err(Error::malformed(what, "it is a directory"));
                }
                Part::whole(&path)?
            }
            Self::Archive(tar) => tar
                .find(name)
                .ok_or_else(|| Error::missing(&what, "the archive has no such file"))?,
        };
        part.read(&what, limits.document)
    }

    /// The blob with this digest, not yet verified.
    pub(crate) fn blob(&self, digest: &Digest, wanted_by: &str) -> Result<Part, Error> {
        let name = format!("blobs/sha256/{}", digest.hex());
        let missing = || {
            let what = format!("{digest} in {}", self.what());
            Error::missing(what, format!("it is named by {wanted_by}"))
        };
        match self {
            Self::Layout(dir) => {
                let path = dir.join(name);
                match std::fs::metadata(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
                    _ => Part::whole(&path),
                }
            }
            Self::Archive(tar) => tar.find(&name).ok_or_else(missing),
        }
    }

    /// The document `entry` describes, verified.
    pub(crate) fn described(
        &self,
        entry: &Entry,
        wanted_by: &str,
        limits: &Limits,
    ) -> Result<(Digest, Vec<u8>), Error> {
        let digest = entry.digest(&format!("a descriptor of {wanted_by}"))?;
        let part = self.blob(&digest, wanted_by)?;
        let what = format!("{digest} in {}", self.what());
        if let Some(size) = entry.size
            && size != part.size
        {
            let expected = format!("{size} bytes");
            let found = format!("{} bytes", part.size);
            return Err(Error::mismatch(format!("{what}, size"), expected, found));
        }
        let bytes = part.read(&what, limits.document)?;
        let found = stream::digest(&bytes);
        if found != digest {
            return Err(Error::mismatch(format!("{what}, digest"), digest, found));
        }
        Ok((digest, bytes))
    }
}

//! Writing into a repository of a registry: blobs first, the manifest last.

use std::io::{BufWriter, Write as _};
use std::sync::Arc;

use plimsoll_model::Digest;

use crate::part::Part;
use crate::remote::{Repository, Wanted};
use crate::write::{Blobs, Fill, WriteOptions};
use crate::{Error, Reference, stream};

/// A repository being written to. What fails before [`Target::commit`] leaves blobs that no name
/// leads to, which registries collect.
pub(super) struct Target<'a> {
    reference: &'a Reference,
    repository: Arc<dyn Repository>,
    /// Another repository of the same registry that may have the blobs already.
    from: Option<String>,
    /// The manifest or index stored last, and its media type.
    last: (String, Vec<u8>),
}

impl<'a> Target<'a> {
    pub(super) fn open(
        reference: &'a Reference,
        options: &WriteOptions<'_>,
    ) -> Result<Self, Error> {
        let Some(remotes) = options.remotes else {
            return Err(Error::no_way(reference));
        };
        Ok(Self {
            reference,
            repository: remotes.repository(reference)?,
            from: None,
            last: Default::default(),
        })
    }

    /// Sees that the registry would take blobs from us.
    pub(super) fn takes_blobs(&self) -> Result<(), Error> {
        self.repository.may_push()
    }

    /// The same, with blobs taken over from `source` where it is in the same registry.
    pub(super) fn mounting(mut self, source: &str) -> Self {
        let mine = self.repository.name();
        let (host, _) = mine.split_once('/').unwrap_or((&mine, ""));
        self.from = source
            .split_once('/')
            .filter(|(other, _)| *other == host && source != mine)
            .map(|(_, repository)| repository.to_owned());
        self
    }

    /// Makes the manifest that was stored last visible under the name that was asked for.
    pub(super) fn commit(self) -> Result<(), Error> {
        let (media_type, bytes) = self.last;
        let target = self.reference.target();
        self.repository.push_manifest(&target, &media_type, &bytes)
    }
}

impl Blobs for Target<'_> {
    fn put(&mut self, fill: &mut Fill<'_>) -> Result<(), Error> {
        let what = "a temporary file";
        let file = tempfile::tempfile().map_err(Error::io(what))?;
        let mut out = BufWriter::with_capacity(256 << 10, file);
        let (digest, size) = fill(&mut out)?;
        out.flush().map_err(Error::io(what))?;
        let file = out
            .into_inner()
            .map_err(|error| Error::io(what)(error.into_error()))?;
        self.put_part(digest, &Part::of_file(Arc::new(file), 0, size))
    }

    fn put_part(&mut self, digest: Digest, part: &Part) -> Result<(), Error> {
        let blob = Wanted {
            digest,
            size: Some(part.size),
        };
        self.repository
            .push_blob(blob, part, self.from.as_deref())
            .map(drop)
    }

    fn put_manifest(&mut self, media_type: &str, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = stream::digest(bytes);
        let target = digest.to_string();
        self.repository.push_manifest(&target, media_type, bytes)?;
        self.last = (media_type.to_owned(), bytes.to_vec());
        Ok(digest)
    }
}

//! An image from one place to another, byte for byte where both can hold the same bytes.

use std::collections::BTreeSet;
use std::io;

use plimsoll_model::{Digest, Draft, DraftLayer};
use serde_json::Value;

use crate::codec::Codec;
use crate::documents::{Entry, Manifest, object};
use crate::layer::{Promised, codec_of};
use crate::part::Part;
use crate::remote::Wanted;
use crate::sources::{self, Described, Found, Layered};
use crate::store::Store;
use crate::write::{
    Blobs, Compression, Fill, WriteOptions, archive, compress, copy_part, descriptor, dir,
    entry_of, layout, manifest, platform, registry, write_blobs,
};
use crate::{Error, Limits, Options, Sink, stream};

/// Indexes in indexes that are followed.
const MAX_NESTING: usize = 8;
/// Manifests of one index, all of its indexes together.
const MAX_MANIFESTS: usize = 1000;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Digest of the manifest, or of the index.
    pub digest: Digest,
    /// Manifests, indexes not counted.
    pub manifests: usize,
    /// Blobs, each counted once: configurations and layers.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Copies the image `name` means to `sink`. With `all` every platform of an index comes along and
/// the index itself, attestations too; else the one manifest [`Options::platform`] chooses.
///
/// Manifest, configuration and layers stay what they were, to the byte, and every digest is
/// verified. What has no manifest of its own (archives of `docker save`, directories) gets one, and
/// plain layers are compressed as [`WriteOptions::compression`] says.
///
/// # Errors
/// When the image cannot be read or is not what it promises; [`Error::Write`] or [`Error::Target`] when
/// the sink does not take it.
pub fn copy(
    name: &str,
    sink: &Sink,
    all: bool,
    options: &Options<'_>,
    how: &WriteOptions<'_>,
) -> Result<Copied, Error> {
    let limits = Limits::default();
    let source = Source {
        name,
        all,
        found: sources::find(name, options, &limits)?,
        options,
        limits: &limits,
    };
    into(source, sink, how)
}

/// What is copied.
struct Source<'a> {
    name: &'a str,
    all: bool,
    found: Found,
    options: &'a Options<'a>,
    limits: &'a Limits,
}

fn into(source: Source<'_>, sink: &Sink, how: &WriteOptions<'_>) -> Result<Copied, Error> {
    match sink {
        Sink::OciLayout { dir, tag } => {
            let mut target =
                layout::Target::open(dir, tag.as_deref(), how).map_err(Error::writing(sink))?;
            let done = source.put(&mut target, sink, how)?;
            target
                .commit(done.entry, tag.as_deref())
                .map_err(Error::writing(sink))?;
            Ok(done.copied)
        }
        Sink::OciArchive { file, tag } => {
            let mut target = archive::Target::open(file, how).map_err(Error::writing(sink))?;
            let done = source.put(&mut target, sink, how)?;
            target
                .commit_oci(done.entry, tag.as_deref())
                .map_err(Error::writing(sink))?;
            Ok(done.copied)
        }
        Sink::DockerArchive { file, tag } => {
            if source.all {
                let kind = "several platforms in an archive for `docker load`";
                return Err(Error::unsupported(sink, kind));
            }
            let mut target = archive::Target::open(file, how).map_err(Error::writing(sink))?;
            let done = source.put(&mut target, sink, how)?;
            let (config, layers) = done.parts;
            target
                .commit_docker(done.entry, config, layers, tag.as_deref())
                .map_err(Error::writing(sink))?;
            Ok(done.copied)
        }
        Sink::Dir(dir) => {
            let mut target = dir::Target::open(dir, how).map_err(Error::writing(sink))?;
            let done = source.put(&mut target, sink, how)?;
            target.commit().map_err(Error::writing(sink))?;
            Ok(done.copied)
        }
        Sink::Registry(reference) => {
            let mut target =
                registry::Target::open(reference, how).map_err(Error::writing(sink))?;
            if let Found::Described(described) = &source.found
                && let Store::Remote(from) = &described.store
            {
                target = target.mounting(&from.name());
            }
            let done = source.put(&mut target, sink, how)?;
            target.commit().map_err(Error::writing(sink))?;
            Ok(done.copied)
        }
    }
}

/// A place whose own failures are told from those of what is written there.
struct Sided<'a> {
    blobs: &'a mut dyn Blobs,
    sink: &'a Sink,
}

impl Blobs for Sided<'_> {
    fn put(&mut self, fill: &mut Fill<'_>) -> Result<(), Error> {
        let mut is_source = false;
        let put = self.blobs.put(&mut |out| {
            let mut out = Watched { out, failed: false };
            let filled = fill(&mut out);
            is_source = filled.is_err() && !out.failed;
            filled
        });
        match is_source {
            true => put,
            false => put.map_err(Error::writing(self.sink)),
        }
    }

    fn put_manifest(&mut self, media_type: &str, bytes: &[u8]) -> Result<Digest, Error> {
        self.blobs
            .put_manifest(media_type, bytes)
            .map_err(Error::writing(self.sink))
    }

    fn put_part(&mut self, digest: Digest, part: &Part) -> Result<(), Error> {
        match self.sink {
            // It has its own way of sending what is a file already.
            Sink::Registry(_) => self
                .blobs
                .put_part(digest, part)
                .map_err(Error::writing(self.sink)),
            _ => self.put(&mut |out| copy_part(digest, part, out)),
        }
    }
}

/// Knows whether writing failed.
struct Watched<'a> {
    out: &'a mut (dyn io::Write + Send),
    failed: bool,
}

impl io::Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        // One that was interrupted is tried again.
        self.failed |= matches!(&written, Ok(0))
            || matches!(&written, Err(error) if error.kind() != io::ErrorKind::Interrupted);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.failed |= flushed.is_err();
        flushed
    }
}

/// What was put among the blobs, and is not yet visible.
struct Done {
    entry: Value,
    /// Configuration and layers of the last manifest.
    parts: (Digest, Vec<Digest>),
    copied: Copied,
}

impl Source<'_> {
    fn put(
        self,
        blobs: &mut dyn Blobs,
        sink: &Sink,
        how: &WriteOptions<'_>,
    ) -> Result<Done, Error> {
        let blobs: &mut dyn Blobs = &mut Sided { blobs, sink };
        match self.found {
            Found::Described(described) => {
                let mut walk = Walk {
                    store: &described.store,
                    blobs,
                    limits: self.limits,
                    progress: self.options.progress,
                    seen: BTreeSet::new(),
                    parts: None,
                    copied: Copied {
                        digest: described.digest,
                        manifests: 0,
                        blobs: 0,
                        bytes: 0,
                    },
                };
                let top = match (self.all, described.top) {
                    (false, _) => described.digest,
                    (true, Some(top)) => top,
                    (true, None) => {
                        let why = "the layout lists the platforms without an index of their own";
                        return Err(Error::missing(format!("the index of {}", self.name), why));
                    }
                };
                let entry = Entry {
                    digest: top.to_string(),
                    ..Entry::default()
                };
                let mut entry = walk.manifest(&entry, self.name, 0)?;
                if !self.all {
                    entry["platform"] = platform(&described.config);
                }
                walk.done(entry, &described)
            }
            Found::Layered(layered) if layered.digest.is_some() => {
                make(*layered, self.limits, blobs, how)
            }
            Found::Layered(_) | Found::Tree { .. } => {
                let opened = crate::open(self.name, self.options)?;
                let draft = Draft {
                    config: opened.image.config,
                    layers: vec![DraftLayer {
                        rootfs: opened.rootfs,
                        created_by: format!("files of {}", self.name),
                    }],
                    annotations: Default::default(),
                };
                let (written, entry) = write_blobs(&draft, sink, how, blobs)?;
                let layers: Vec<Digest> = written.layers.iter().map(|layer| layer.digest).collect();
                let bytes = written.layers.iter().map(|layer| layer.size).sum();
                Ok(Done {
                    entry,
                    copied: Copied {
                        digest: written.digest,
                        manifests: 1,
                        blobs: layers.len() + 1,
                        bytes,
                    },
                    parts: (written.config_digest, layers),
                })
            }
        }
    }
}

/// Down from a manifest or index to its blobs, the lowest stored first.
struct Walk<'a> {
    store: &'a Store,
    blobs: &'a mut dyn Blobs,
    limits: &'a Limits,
    progress: Option<&'a (dyn Fn(u64, u64) + Sync)>,
    seen: BTreeSet<Digest>,
    parts: Option<(Digest, Vec<Digest>)>,
    copied: Copied,
}

impl Walk<'_> {
    fn done(mut self, entry: Value, described: &Described) -> Result<Done, Error> {
        let digest = entry["digest"].as_str().unwrap_or_default();
        self.copied.digest = Digest::parse(digest).unwrap_or(described.digest);
        let parts = self.parts.ok_or_else(|| {
            Error::malformed(described.digest, "there is no manifest of an image in it")
        })?;
        Ok(Done {
            entry,
            parts,
            copied: self.copied,
        })
    }

    /// Stores what `entry` means and everything below it; answers its descriptor.
    fn manifest(&mut self, entry: &Entry, wanted_by: &str, depth: usize) -> Result<Value, Error> {
        let (digest, bytes) = self.store.manifest(entry, wanted_by, self.limits)?;
        let what = format!("manifest {digest}");
        if depth > MAX_NESTING || self.copied.manifests > MAX_MANIFESTS {
            let why = "its indexes hold more than an image can need";
            return Err(Error::malformed(what, why));
        }
        let manifest: Manifest = object(&what, &bytes)?;
        let media_type = match (&manifest.media_type, &manifest.manifests) {
            (written, _) if !written.is_empty() => written.clone(),
            (_, Some(_)) => "application/vnd.oci.image.index.v1+json".to_owned(),
            (_, None) => "application/vnd.oci.image.manifest.v1+json".to_owned(),
        };
        match manifest.manifests {
            Some(entries) => {
                for entry in entries {
                    self.manifest(&entry, &what, depth + 1)?;
                }
            }
            None => self.image(&what, manifest)?,
        }
        self.blobs.put_manifest(&media_type, &bytes)?;
        Ok(entry_of(&media_type, &bytes))
    }

    fn image(&mut self, what: &str, manifest: Manifest) -> Result<(), Error> {
        let Some(config) = manifest.config else {
            return Err(Error::malformed(what, "it has no `config`"));
        };
        let layers = manifest.layers.unwrap_or_default();
        self.limits.check(what, "layers", layers.len() as u64)?;
        let mut wanted = Vec::new();
        for entry in std::iter::once(&config).chain(&layers) {
            wanted.push(Wanted {
                digest: entry.digest(what)?,
                size: entry.size,
            });
        }
        self.store.fetch(&wanted, self.progress)?;
        self.copied.manifests += 1;
        for blob in &wanted {
            if !self.seen.insert(blob.digest) {
                continue;
            }
            let part = self.store.blob(&blob.digest, what)?;
            if let Some(size) = blob.size
                && size != part.size
            {
                return Err(Error::mismatch(
                    format!("{}, size", blob.digest),
                    format!("{size} bytes"),
                    format!("{} bytes", part.size),
                ));
            }
            self.blobs.put_part(blob.digest, &part)?;
            self.copied.blobs += 1;
            self.copied.bytes += part.size;
        }
        let mut digests = wanted.iter().map(|blob| blob.digest);
        if let Some(config) = digests.next() {
            self.parts = Some((config, digests.collect()));
        }
        Ok(())
    }
}

/// Gives layers and a configuration a manifest.
fn make(
    layered: Layered,
    limits: &Limits,
    blobs: &mut dyn Blobs,
    how: &WriteOptions<'_>,
) -> Result<Done, Error> {
    let mut described = Vec::new();
    let mut digests = Vec::new();
    let mut copied = 0;
    for promised in &layered.layers {
        let (media_type, digest, size) = match codec_of(promised)? {
            Codec::Plain => pack(promised, blobs, how)?,
            codec => keep(promised, codec, limits, blobs)?,
        };
        described.push(descriptor(media_type, digest, size)?);
        digests.push(digest);
        copied += size;
    }
    let config = layered.config;
    let config_digest = blobs.put_bytes(&config.raw)?;
    let size = config.raw.len() as u64;
    let bytes = manifest(config_digest, size, described, &layered.annotations)?;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let digest = blobs.put_manifest(media_type, &bytes)?;
    let mut entry = entry_of(media_type, &bytes);
    entry["platform"] = platform(&config);
    Ok(Done {
        entry,
        copied: Copied {
            digest,
            manifests: 1,
            blobs: digests.len() + 1,
            bytes: copied + size,
        },
        parts: (config_digest, digests),
    })
}

type Stored = (oci_spec::image::MediaType, Digest, u64);

/// Compresses a plain layer.
fn pack(
    promised: &Promised,
    blobs: &mut dyn Blobs,
    how: &WriteOptions<'_>,
) -> Result<Stored, Error> {
    let what = &promised.what;
    let mut packed = None;
    blobs.put(&mut |out| {
        let mut section = promised
            .part
            .section(0, promised.part.size)
            .map_err(Error::io(what))?;
        let source = |tar: &mut dyn io::Write| {
            io::copy(&mut section, tar)
                .map(drop)
                .map_err(Error::io(what))
        };
        let layer = compress::compress(how, source, out)?;
        same(what, promised.diff_id, layer.diff_id)?;
        packed = Some((layer.digest, layer.size));
        Ok((layer.digest, layer.size))
    })?;
    let (digest, size) = packed.ok_or_else(|| Error::Draft("no layer was written".to_owned()))?;
    Ok((how.compression.media_type(), digest, size))
}

/// Takes a compressed layer as it is, once it was seen to hold what it should.
fn keep(
    promised: &Promised,
    codec: Codec,
    limits: &Limits,
    blobs: &mut dyn Blobs,
) -> Result<Stored, Error> {
    let what = &promised.what;
    let shared = crate::layer::Shared::new(limits, stream::Meter::silent(), None, None);
    // The whole layer, read as it will be read when it is used.
    let read = crate::layer::read(promised, 0, &shared)?;
    same(what, promised.diff_id, read.diff_id)?;
    blobs.put_part(read.digest, &promised.part)?;
    let compression = match codec {
        Codec::Plain => Compression::None,
        Codec::Gzip => Compression::Gzip,
        Codec::Zstd => Compression::Zstd,
    };
    Ok((compression.media_type(), read.digest, read.size))
}

fn same(what: &str, expected: Option<Digest>, found: Digest) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != found => {
            Err(Error::mismatch(format!("{what}, diff id"), expected, found))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A disk that is full.
    struct Full;

    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Blobs for Full {
        fn put(&mut self, fill: &mut Fill<'_>) -> Result<(), Error> {
            fill(self).map(drop)
        }
    }

    #[test]
    fn a_full_disk_is_told_from_an_image_that_cannot_be_read() {
        let sink = Sink::Dir("/srv/d".into());
        let mut full = Full;
        let mut sided = Sided {
            blobs: &mut full,
            sink: &sink,
        };
        let error = sided.put_bytes(b"x").unwrap_err();
        assert!(
            matches!(&error, Error::Write { sink, .. } if sink == "dir:/srv/d"),
            "{error}"
        );
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"x").unwrap();
        let part = Part::whole(file.path()).unwrap();
        let error = sided.put_part(stream::digest(b"x"), &part).unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{error}");
        file.close().unwrap();
        let error = sided.put_part(stream::digest(b"x"), &part).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }
}

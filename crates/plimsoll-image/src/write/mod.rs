//! From a draft to an image on disk: reproducible, in parallel, and never half of it.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use oci_spec::image::{
    Descriptor, DescriptorBuilder, ImageManifestBuilder, MediaType, SCHEMA_VERSION,
};
use plimsoll_model::config::History;
use plimsoll_model::{Config, Digest, Draft, DraftLayer};
use serde_json::Value;

use crate::config::{canonical, document};
use crate::part::Part;
use crate::{Error, Remotes, stream, tarball};

mod archive;
mod compress;
mod copy;
pub(crate) mod dir;
mod index;
mod layout;
mod registry;
mod sink;

pub use copy::{Copied, copy};
pub(crate) use index::entries_replaced;
pub use sink::Sink;

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

impl Compression {
    fn media_type(self) -> MediaType {
        match self {
            Self::None => MediaType::ImageLayer,
            Self::Gzip => MediaType::ImageLayerGzip,
            Self::Zstd => MediaType::ImageLayerZstd,
        }
    }
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
    /// Told the path of every temporary file, so that a program that is interrupted can remove what
    /// is still there. Errors leave nothing behind without it.
    pub temporaries: Option<&'a dyn Fn(&Path)>,
    /// The ways to registries, for sinks that are theirs.
    pub remotes: Option<&'a dyn Remotes>,
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
    /// The directory or file, where it is one.
    pub path: Option<PathBuf>,
}

/// Writes `draft` to `sink`. The same draft and options give the same bytes.
///
/// The history is one step for each layer and, behind them, the steps without a layer that
/// `draft.config` has; nothing in the image says when it was written.
///
/// # Errors
/// When a file of the draft cannot be read, the draft is no image, or the disk refuses; nothing is
/// left at the target then.
pub fn write(draft: &Draft, sink: &Sink, options: &WriteOptions<'_>) -> Result<Written, Error> {
    if draft.config.os.is_empty() || draft.config.architecture.is_empty() {
        let why = "its configuration names no operating system or no architecture";
        return Err(Error::Draft(why.to_owned()));
    }
    match sink {
        Sink::OciLayout { dir, tag } => {
            let mut target = layout::Target::open(dir, tag.as_deref(), options)?;
            let (written, entry) = write_blobs(draft, sink, options, &mut target)?;
            target.commit(entry, tag.as_deref())?;
            Ok(written)
        }
        Sink::OciArchive { file, tag } => {
            let mut target = archive::Target::open(file, options)?;
            let (written, entry) = write_blobs(draft, sink, options, &mut target)?;
            target.commit_oci(entry, tag.as_deref())?;
            Ok(written)
        }
        Sink::DockerArchive { file, tag } => {
            let mut target = archive::Target::open(file, options)?;
            let (written, entry) = write_blobs(draft, sink, options, &mut target)?;
            let layers = written.layers.iter().map(|layer| layer.digest).collect();
            target.commit_docker(entry, written.config_digest, layers, tag.as_deref())?;
            Ok(written)
        }
        Sink::Dir(dir) => {
            let mut target = dir::Target::open(dir, options)?;
            let (written, _) = write_blobs(draft, sink, options, &mut target)?;
            target.commit()?;
            Ok(written)
        }
        Sink::Registry(reference) => {
            let mut target = registry::Target::open(reference, options)?;
            let (written, _) = write_blobs(draft, sink, options, &mut target)?;
            target.commit()?;
            Ok(written)
        }
    }
}

/// Sees that an image can be written to `sink` as things stand, and makes nothing there: the
/// directory, or the nearest one above it that there is, takes files, the archive's directory does, the registry lets us begin. What
/// takes hours should not find out at its end.
///
/// # Errors
/// As those of [`write`] before its first byte.
pub fn may_write(sink: &Sink, options: &WriteOptions<'_>) -> Result<(), Error> {
    match sink {
        Sink::OciLayout { dir, tag } => layout::may_write(dir, tag.as_deref()),
        Sink::Dir(dir) => dir::may_write(dir),
        Sink::OciArchive { file, .. } | Sink::DockerArchive { file, .. } => {
            archive::Target::open(file, options).map(drop)
        }
        Sink::Registry(reference) => registry::Target::open(reference, options)?.takes_blobs(),
    }
}

/// Writes a blob, and answers its digest and size.
type Fill<'a> = dyn FnMut(&mut (dyn Write + Send)) -> Result<(Digest, u64), Error> + 'a;

/// Somewhere blobs can be put under the digest they turn out to have.
trait Blobs {
    /// Stores what `fill` writes.
    fn put(&mut self, fill: &mut Fill<'_>) -> Result<(), Error>;

    /// Stores a document.
    fn put_bytes(&mut self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = stream::digest(bytes);
        self.put(&mut |out| {
            out.write_all(bytes).map_err(Error::io("a blob"))?;
            Ok((digest, bytes.len() as u64))
        })?;
        Ok(digest)
    }

    /// Stores a manifest or an index, which is no blob everywhere.
    fn put_manifest(&mut self, _media_type: &str, bytes: &[u8]) -> Result<Digest, Error> {
        self.put_bytes(bytes)
    }

    /// Stores the bytes of `part`, which must have this digest.
    fn put_part(&mut self, digest: Digest, part: &Part) -> Result<(), Error> {
        self.put(&mut |out| copy_part(digest, part, out))
    }
}

/// Writes the bytes of `part`, which must have this digest.
fn copy_part(
    digest: Digest,
    part: &Part,
    out: &mut (dyn Write + Send),
) -> Result<(Digest, u64), Error> {
    let what = digest.to_string();
    let mut sum = stream::Summing::default();
    let mut section = part.section(0, part.size).map_err(Error::io(&what))?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = section.read(&mut buffer).map_err(Error::io(&what))?;
        if count == 0 {
            break;
        }
        sum.write_all(&buffer[..count]).map_err(Error::io(&what))?;
        out.write_all(&buffer[..count])
            .map_err(Error::io("a blob"))?;
    }
    match sum.finish() {
        (found, size) if found == digest => Ok((digest, size)),
        (found, _) => Err(Error::mismatch(format!("{what}, digest"), digest, found)),
    }
}

/// Writes layers, configuration and manifest; answers what they are and the entry for an index.
fn write_blobs(
    draft: &Draft,
    sink: &Sink,
    options: &WriteOptions<'_>,
    blobs: &mut dyn Blobs,
) -> Result<(Written, Value), Error> {
    let total = draft.layers.iter();
    let total = total.map(|layer| layer.rootfs.tree.live_bytes()).sum();
    let mut done = 0;
    let mut layers = Vec::with_capacity(draft.layers.len());
    for layer in &draft.layers {
        let mut on_bytes = |count| {
            done += count;
            if let Some(tell) = options.progress {
                tell(done, total);
            }
        };
        layers.push(write_layer(layer, options, blobs, &mut on_bytes)?);
    }
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| layer.diff_id).collect();
    let config = document(&with_history(draft), &diff_ids)?;
    let config_digest = blobs.put_bytes(&config)?;
    let layer_type = options.compression.media_type();
    let described = layers
        .iter()
        .map(|layer| descriptor(layer_type.clone(), layer.digest, layer.size))
        .collect::<Result<_, _>>()?;
    let config_size = config.len() as u64;
    let manifest = manifest(config_digest, config_size, described, &draft.annotations)?;
    let digest = blobs.put_manifest(MediaType::ImageManifest.as_ref(), &manifest)?;
    let mut entry = entry_of(MediaType::ImageManifest.as_ref(), &manifest);
    entry["platform"] = platform(&draft.config);
    let written = Written {
        digest,
        config_digest,
        layers,
        tag: sink.tag().map(str::to_owned),
        path: sink.path().map(Path::to_owned),
    };
    Ok((written, entry))
}

/// The descriptor of a manifest or index, as an entry of another index.
fn entry_of(media_type: &str, bytes: &[u8]) -> Value {
    serde_json::json!({
        "mediaType": media_type,
        "digest": stream::digest(bytes).to_string(),
        "size": bytes.len(),
    })
}

/// A manifest, as bytes that are always the same.
fn manifest(
    config: Digest,
    config_size: u64,
    layers: Vec<Descriptor>,
    annotations: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Error> {
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(MediaType::ImageConfig, config, config_size)?)
        .layers(layers);
    // oci-spec keeps annotations in a hash map; `canonical` sorts them again.
    let annotations: HashMap<String, String> = annotations.clone().into_iter().collect();
    let manifest = match annotations.is_empty() {
        true => manifest,
        false => manifest.annotations(annotations),
    };
    Ok(canonical(json_of(&manifest.build().map_err(bug)?)?))
}

fn write_layer(
    layer: &DraftLayer,
    options: &WriteOptions<'_>,
    blobs: &mut dyn Blobs,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<WrittenLayer, Error> {
    let mut written = None;
    blobs.put(&mut |out| {
        let source = |tar: &mut dyn Write| tarball::write_layer(&layer.rootfs, tar, on_bytes);
        let layer = compress::compress(options, source, out)?;
        let stored = (layer.digest, layer.size);
        written = Some(layer);
        Ok(stored)
    })?;
    written.ok_or_else(|| Error::Draft("a layer was not written".to_owned()))
}

/// The configuration with the history of the layers that are written now.
fn with_history(draft: &Draft) -> Config {
    let created = &draft.config.created;
    let layers = draft.layers.iter().map(|layer| History {
        created: created.clone(),
        created_by: Some(layer.created_by.clone()),
        comment: None,
        empty_layer: false,
    });
    let empty = draft.config.history.iter().filter(|step| step.empty_layer);
    Config {
        history: layers.chain(empty.cloned()).collect(),
        ..draft.config.clone()
    }
}

fn platform(config: &Config) -> Value {
    let mut platform = serde_json::json!({
        "architecture": config.architecture,
        "os": config.os,
    });
    if let Some(variant) = &config.variant {
        platform["variant"] = Value::from(variant.as_str());
    }
    platform
}

fn descriptor(media_type: MediaType, digest: Digest, size: u64) -> Result<Descriptor, Error> {
    let digest = oci_spec::image::Digest::from_str(&digest.to_string()).map_err(bug)?;
    DescriptorBuilder::default()
        .media_type(media_type)
        .digest(digest)
        .size(size)
        .build()
        .map_err(bug)
}

fn json_of(value: &impl serde::Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(bug)
}

/// What cannot happen with values of our own making, and is an error all the same.
fn bug(error: impl std::fmt::Display) -> Error {
    Error::Draft(error.to_string())
}

//! From a name to an image, its tree and its lineage.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_model::tree::{Builder, Change};
use plimsoll_model::{
    Blob, Config, Descriptor, Evidence, Image, Interest, Layer, Lineage, Open, Problem, Rootfs,
};

use crate::contents::{LayerBytes, LayerContents};
use crate::layer::{self, Promised, Shared};
use crate::outline::Outline;
use crate::pending::{Pending, can_wait};
use crate::sources::{self, Described, Found, Layered};
use crate::store::Store;
use crate::stream::Meter;
use crate::{Error, Limits, Platform, Reference, Remotes, config, lineage, stream, tarball};

/// Where to look and what to choose.
#[derive(Default, Clone)]
pub struct Options<'a> {
    /// The platform to choose from an image for several. Asked for explicitly, an image for another
    /// platform is refused; `None` prefers Linux on this machine's architecture and takes what is
    /// there where there is no choice.
    pub platform: Option<Platform>,
    /// A directory for unlinked temporary files with the uncompressed layers: random access to
    /// every file. Without it small files of interest are kept in memory from the first pass, and
    /// the rest is read by decompressing its layer again; whoever keeps jumping backwards in a
    /// layer makes it go to the system's directory for temporary files after all.
    pub spool: Option<&'a Path>,
    /// Told now and then how many bytes of compressed layers were fetched, then how many were read,
    /// and how many there are. Called from several threads.
    pub progress: Option<&'a (dyn Fn(u64, u64) + Sync)>,
    /// The ways to registries and engines; without them only what lies on this machine's disks is
    /// opened.
    pub remotes: Option<&'a dyn Remotes>,
    /// Which files will be asked for, beyond configuration and what names the distribution: they
    /// are kept from the pass over their layers, large ones in an unlinked temporary file.
    pub interest: Option<&'a dyn Interest>,
    /// Told what manifest and configuration say, once, before any layer is fetched or read.
    pub outline: Option<&'a (dyn Fn(Outline) + Sync)>,
    /// Whether [`Opened::changes`] is wanted: some 200 bytes of memory for each path of each layer.
    pub changes: bool,
    /// Whether uncompressed layers may be verified while the caller already looks at the image:
    /// [`Opened::pending`] must be waited for then, before anything is handed out.
    pub ahead: bool,
}

/// An image, opened: every digest verified, every layer merged.
pub struct Opened {
    /// The image.
    pub image: Image,
    /// Its merged tree and the means to read its files.
    pub rootfs: Rootfs,
    /// What it was made from.
    pub lineage: Lineage,
    /// Entries that were left out of the tree, and why.
    pub problems: Vec<Problem>,
    /// Bytes of layers that were not read; only [`glance`] leaves any.
    pub unread: u64,
    /// What each layer did to each path, in the order of the layers; empty unless
    /// [`Options::changes`] asks for it.
    pub changes: Vec<Change>,
    /// What is still being verified: nothing, unless [`Options::ahead`] asks for it.
    pub pending: Pending,
    /// What the name meant in a registry; `None` for what was found anywhere else.
    pub reference: Option<Reference>,
}

/// Opens the image `name` means: one of the forms of [`crate::SOURCES`], or the path of such a
/// thing alone.
///
/// # Errors
/// See [`Error`]; nothing usable is handed out when a digest does not agree or a layer ends early.
pub fn open(name: &str, options: &Options<'_>) -> Result<Opened, Error> {
    open_within(name, options, &Limits::default())
}

/// As [`open`], with other limits.
///
/// # Errors
/// As [`open`].
pub fn open_within(name: &str, options: &Options<'_>, limits: &Limits) -> Result<Opened, Error> {
    let found = sources::find(name, options, limits)?;
    if let Some(tell) = options.outline
        && let Some(outline) = Outline::of(&found)
    {
        tell(outline);
    }
    match found {
        Found::Described(mut described) => {
            let reference = described.reference.take();
            let layered = described.promised(options.progress)?;
            let opened = read(name, layered, options, limits)?;
            Ok(Opened {
                reference,
                ..opened
            })
        }
        Found::Layered(layered) => read(name, *layered, options, limits),
        Found::Tree { rootfs, problems } => wrap(name, rootfs, problems, options),
    }
}

/// As [`open`], but layers that would have to be fetched are not: the tree is empty then, and
/// [`Opened::unread`] says how many bytes they are. Manifest and configuration say what an image is
/// and mostly what it was made from.
///
/// # Errors
/// As [`open`].
pub fn glance(name: &str, options: &Options<'_>) -> Result<Opened, Error> {
    match sources::find(name, options, &Limits::default())? {
        Found::Described(described) if matches!(described.store, Store::Remote(_)) => {
            Ok(documents_only(*described))
        }
        _ => open(name, options),
    }
}

fn documents_only(described: Described) -> Opened {
    let created_by = steps(&described.config);
    let layers: Vec<Layer> = described
        .layers
        .into_iter()
        .enumerate()
        .map(|(number, (entry, digest, diff_id))| Layer {
            blob: Blob {
                descriptor: Descriptor {
                    media_type: entry.media_type,
                    digest,
                    size: entry.size.unwrap_or(0),
                },
                bytes: Arc::new(Elsewhere),
            },
            diff_id,
            uncompressed_size: 0,
            created_by: created_by.get(number).cloned().flatten(),
        })
        .collect();
    let image = Image {
        name: described.name.unwrap_or_default(),
        digest: described.digest,
        config: described.config,
        layers,
        annotations: described.annotations,
    };
    let rootfs = Rootfs {
        tree: Builder::default().finish(),
        contents: Arc::new(LayerContents { layers: Vec::new() }),
    };
    Opened {
        lineage: lineage(&image, &rootfs),
        unread: image.compressed_size(),
        image,
        rootfs,
        problems: Vec::new(),
        changes: Vec::new(),
        pending: Pending::default(),
        reference: described.reference,
    }
}

/// A blob that was not fetched.
struct Elsewhere;

impl Open for Elsewhere {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Reads all layers, each in one pass, and merges them.
fn read(
    name: &str,
    layered: Layered,
    options: &Options<'_>,
    limits: &Limits,
) -> Result<Opened, Error> {
    let total = layered.layers.iter().map(|layer| layer.part.size).sum();
    let meter = Meter {
        tell: options.progress,
        total,
        done: AtomicU64::new(0),
    };
    let mut shared = Shared::new(limits, meter, options.spool, options.interest);
    shared.ahead = options.ahead;
    let waiting = layered.layers.iter().cloned().enumerate();
    let waiting = waiting.filter(|(_, layer)| options.ahead && can_wait(layer));
    let pending = Pending::of(waiting);
    let read = read_all(&layered.layers, &shared)?;
    let mut builder = match options.changes {
        true => Builder::remembering(),
        false => Builder::default(),
    };
    let mut problems = Vec::new();
    let mut layers = Vec::with_capacity(read.len());
    let mut contents = Vec::with_capacity(read.len());
    let created_by = steps(&layered.config);
    let mut names = shared.names.load(Ordering::Relaxed);
    for (number, (promised, read)) in layered.layers.into_iter().zip(read).enumerate() {
        let layer = builder.begin_layer();
        problems.extend(read.problems);
        for entry in read.entries {
            let path = entry.path.clone();
            let before = builder.tree().len();
            if let Err(refused) = builder.apply(entry) {
                let evidence = Evidence::Path {
                    path: path.clone(),
                    layer,
                    size: 0,
                };
                let message = format!("left out: {refused}");
                problems.push(Problem { message, evidence });
            }
            // An entry deep down makes all of its parents.
            let made = builder.tree().len().saturating_sub(before + 1) as u64;
            if made > 0 {
                names += made * path.as_bytes().len() as u64;
                limits.check(&promised.what, "names", names)?;
                limits.check(&promised.what, "entries", builder.tree().len() as u64)?;
            }
        }
        let descriptor = Descriptor {
            media_type: promised.media_type,
            digest: read.digest,
            size: read.size,
        };
        layers.push(Layer {
            blob: Blob {
                descriptor,
                bytes: Arc::new(promised.part.clone()),
            },
            diff_id: read.diff_id,
            uncompressed_size: read.uncompressed,
            created_by: created_by.get(number).cloned().flatten(),
        });
        contents.push(LayerBytes::new(
            promised.part,
            read.codec,
            read.diff_id,
            read.uncompressed,
            read.kept,
            read.spooled,
        ));
    }
    let mut config = layered.config;
    let digest = match layered.digest {
        Some(digest) => digest,
        // A bare layer: the configuration it would have says what it is.
        None => {
            let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id).collect();
            let document = config::document(&config, &diff_ids)?;
            let digest = stream::digest(&document);
            config.raw = document;
            digest
        }
    };
    let image = Image {
        name: layered.name.unwrap_or_else(|| name.to_owned()),
        digest,
        config,
        layers,
        annotations: layered.annotations,
    };
    let changes = builder.take_changes();
    let rootfs = Rootfs {
        tree: builder.finish(),
        contents: Arc::new(LayerContents { layers: contents }),
    };
    let lineage = lineage(&image, &rootfs);
    Ok(Opened {
        image,
        rootfs,
        lineage,
        problems,
        unread: 0,
        changes,
        pending,
        reference: None,
    })
}

/// Reads the layers, several at a time, in the order of the manifest.
pub(crate) fn read_all(
    layers: &[Promised],
    shared: &Shared<'_>,
) -> Result<Vec<layer::LayerRead>, Error> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    // Of several bad layers the lowest is reported, whichever thread was first.
    let bad = AtomicUsize::new(usize::MAX);
    let results = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(promised) = layers.get(number) else {
                return;
            };
            if bad.load(Ordering::Relaxed) < number {
                return;
            }
            let result = layer::read(promised, number as u32, shared);
            if result.is_err() {
                bad.fetch_min(number, Ordering::Relaxed);
            }
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((number, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(layers.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The instruction of each layer, where the history has as many layers as there are.
pub(crate) fn steps(config: &Config) -> Vec<Option<String>> {
    let steps = config.history.iter().filter(|step| !step.empty_layer);
    steps.map(|step| step.created_by.clone()).collect()
}

/// A root file system that has no layers becomes an image with the one layer it would have.
fn wrap(
    name: &str,
    rootfs: Rootfs,
    problems: Vec<Problem>,
    options: &Options<'_>,
) -> Result<Opened, Error> {
    let here = Platform::of_this_machine();
    let platform = options.platform.clone().unwrap_or(here);
    let mut config = Config {
        os: platform.os,
        architecture: platform.architecture,
        variant: platform.variant,
        ..Config::default()
    };
    let total = rootfs.tree.live_bytes();
    let mut done = 0;
    let mut sum = stream::Summing::default();
    tarball::write_layer(&rootfs, &mut sum, &mut |count| {
        done += count;
        if let Some(tell) = options.progress {
            tell(done, total);
        }
    })?;
    let (diff_id, size) = sum.finish();
    config.raw = config::document(&config, &[diff_id])?;
    let blob = Blob {
        descriptor: Descriptor {
            media_type: String::new(),
            digest: diff_id,
            size,
        },
        bytes: Arc::new(Packed(rootfs.clone())),
    };
    let image = Image {
        name: name.to_owned(),
        digest: stream::digest(&config.raw),
        config,
        layers: vec![Layer {
            blob,
            diff_id,
            uncompressed_size: size,
            created_by: None,
        }],
        annotations: Default::default(),
    };
    let lineage = lineage(&image, &rootfs);
    // Its one layer brings everything.
    let changes = rootfs.tree.iter().filter(|_| options.changes);
    let changes = changes.map(|(path, node)| Change {
        path: path.clone(),
        layer: 0,
        node: Some(node.clone()),
    });
    Ok(Opened {
        image,
        changes: changes.collect(),
        rootfs,
        lineage,
        problems,
        unread: 0,
        pending: Pending::default(),
        reference: None,
    })
}

/// A tree that is packed into a tar whenever somebody wants it as a layer.
struct Packed(Rootfs);

impl Open for Packed {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut file = io::BufWriter::new(tempfile::tempfile()?);
        tarball::write_layer(&self.0, &mut file, &mut |_| {}).map_err(io::Error::other)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let size = file.metadata()?.len();
        let part = crate::part::Part::of_file(Arc::new(file), 0, size);
        Ok(Box::new(part.section(0, size)?))
    }
}

//! One layer of an image by itself: what it writes, and what it takes away.

use std::io::{self, Read};

use plimsoll_model::tree::Builder;
use plimsoll_model::{
    Contents, Descriptor, EntryKind, Evidence, Extent, ImagePath, Problem, Rootfs,
};

use crate::contents::LayerBytes;
use crate::layer::{self, Promised, Shared};
use crate::sources::{self, Found};
use crate::stream::Meter;
use crate::{Error, Limits, Options};

/// One layer, opened.
pub struct OneLayer {
    /// What it is as it is stored.
    pub descriptor: Descriptor,
    /// What it writes, with the directories it lies in.
    pub rootfs: Rootfs,
    /// Paths of lower layers it takes away.
    pub removed: Vec<ImagePath>,
    /// Directories of lower layers it empties.
    pub emptied: Vec<ImagePath>,
    /// Entries that were left out, and why: hard links to files of lower layers among them.
    pub problems: Vec<Problem>,
}

/// Opens layer `number` (the lowest is 0) of the image `name` means; the others are not fetched.
///
/// # Errors
/// As [`crate::open`], and when there is no such layer.
pub fn open_layer(name: &str, number: u32, options: &Options<'_>) -> Result<OneLayer, Error> {
    let limits = Limits::default();
    let promised = match sources::find(name, options, &limits)? {
        Found::Described(described) => {
            let count = described.layers.len();
            let wanted = described.only(number as usize);
            wanted
                .ok_or_else(|| none(name, number, count))?
                .promised(options.progress)?
                .layers
        }
        Found::Layered(layered) => {
            let count = layered.layers.len();
            let layer = layered.layers.into_iter().nth(number as usize);
            vec![layer.ok_or_else(|| none(name, number, count))?]
        }
        Found::Tree { .. } => {
            return Err(Error::unsupported(name, "a directory without layers"));
        }
    };
    let Some(promised) = promised.into_iter().next() else {
        return Err(none(name, number, 0));
    };
    read(promised, number, options, &limits)
}

fn none(name: &str, number: u32, count: usize) -> Error {
    let why = match count {
        0 => "the image has no layers".to_owned(),
        1 => "the image has one layer, number 0".to_owned(),
        count => format!("the image has layers 0 to {}", count - 1),
    };
    Error::missing(format!("layer {number} of {name}"), why)
}

fn read(
    promised: Promised,
    number: u32,
    options: &Options<'_>,
    limits: &Limits,
) -> Result<OneLayer, Error> {
    let meter = Meter {
        tell: options.progress,
        total: promised.part.size,
        ..Meter::silent()
    };
    let shared = Shared::new(limits, meter, options.spool, options.interest);
    let read = layer::read(&promised, number, &shared)?;
    let mut builder = Builder::default();
    // As many as it takes for the layer to have its number.
    for _ in 0..=number {
        builder.begin_layer();
    }
    let mut problems = read.problems;
    let (mut removed, mut emptied) = (Vec::new(), Vec::new());
    for entry in read.entries {
        let path = entry.path.clone();
        match entry.kind {
            EntryKind::Whiteout => removed.push(path),
            EntryKind::Opaque => emptied.push(path),
            _ => {
                if let Err(refused) = builder.apply(entry) {
                    let evidence = Evidence::Path {
                        path,
                        layer: number,
                        size: 0,
                    };
                    let message = format!("left out: {refused}");
                    problems.push(Problem { message, evidence });
                }
            }
        }
        limits.check(&promised.what, "entries", builder.tree().len() as u64)?;
    }
    let bytes = LayerBytes::new(
        promised.part,
        read.codec,
        read.diff_id,
        read.uncompressed,
        read.kept,
        read.spooled,
    );
    Ok(OneLayer {
        descriptor: Descriptor {
            media_type: promised.media_type,
            digest: read.digest,
            size: read.size,
        },
        rootfs: Rootfs {
            tree: builder.finish(),
            contents: std::sync::Arc::new(Alone(bytes)),
        },
        removed,
        emptied,
        problems,
    })
}

/// The files of a layer that has no others beside it.
struct Alone(LayerBytes);

impl Contents for Alone {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        self.0.open(at.offset, size)
    }
}

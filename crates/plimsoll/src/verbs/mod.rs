//! The verbs, one file each.

pub(crate) mod build;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod lineage;
pub(crate) mod slim;
pub(crate) mod why;

use plimsoll_image::{Compression, Sink, WriteOptions, Written};
use plimsoll_model::Draft;

use crate::cli::Compress;
use crate::failure::{Failure, Result};
use crate::session::Context;

/// Writes an image, reads it again and checks every promise it makes.
fn write_image(
    context: &Context,
    draft: &Draft,
    sink: &Sink,
    compression: Compress,
) -> Result<Written> {
    let written = write_only(context, draft, sink, compression)?;
    let violations = plimsoll_image::validate(sink)
        .map_err(|error| Failure::because(format_args!("cannot read {sink} again"), &error))?;
    if let Some(violation) = violations.first() {
        return Err(Failure::new(format!("{sink} is not valid: {violation}")));
    }
    Ok(written)
}

/// Writes an image that is opened at once, which checks the digests too.
fn write_only(
    context: &Context,
    draft: &Draft,
    sink: &Sink,
    compression: Compress,
) -> Result<Written> {
    let compression = match compression {
        Compress::Gzip => Compression::Gzip,
        Compress::Zstd => Compression::Zstd,
        Compress::None => Compression::None,
    };
    let options = WriteOptions {
        compression,
        temporaries: Some(&|path| context.leftovers.add(path)),
        ..WriteOptions::default()
    };
    plimsoll_image::write(draft, sink, &options)
        .map_err(|error| Failure::because(format_args!("cannot write {sink}"), &error))
}

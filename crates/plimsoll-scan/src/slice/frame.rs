//! What slices and marks have in common: a verified head and packed bodies behind it.

use plimsoll_model::Digest;

pub(crate) use super::bytes::{Bytes, put_number};
use super::meta::{self, assemble};
pub(crate) use super::row::{date, number as date_number};
use super::{Meta, SliceError};

/// More bytes than this, unpacked, are no slice.
const LIMIT: usize = 512 << 20;

/// How hard zstd tries: a slice is written once and fetched often.
const LEVEL: i32 = 17;

/// The head of a file and its body, unpacked; verified.
pub(crate) fn open(file: &[u8]) -> Result<(Meta, Digest, Vec<u8>), SliceError> {
    let head = meta::head(file)?;
    let body = unpack(head.body, head.raw.0)?;
    Ok((head.meta, head.digest, body))
}

/// The file of this head, body and texts.
pub(crate) fn close(meta: &Meta, body: &[u8], texts: &[u8]) -> Vec<u8> {
    // Packing bytes in memory fails for want of memory alone; the empty body is then refused by
    // whoever reads it, as its length is not the one that is written.
    let pack = |bytes: &[u8]| zstd::bulk::compress(bytes, LEVEL).unwrap_or_default();
    assemble(meta, (&pack(body), body.len()), (&pack(texts), texts.len()))
}

/// Unpacks a body of which the head says how long it is.
pub(super) fn unpack(packed: &[u8], raw: usize) -> Result<Vec<u8>, SliceError> {
    use std::io::Read as _;
    if raw > LIMIT {
        return Err(SliceError::Corrupt("it is larger than any slice may be"));
    }
    // Room is made as bytes come, not by what the file promises.
    let mut bytes = Vec::with_capacity(raw.min(packed.len().saturating_mul(16)));
    let read = zstd::stream::read::Decoder::with_buffer(packed)
        .and_then(|decoder| decoder.take(raw as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(count) if count == raw => Ok(bytes),
        _ => Err(SliceError::Corrupt("it cannot be unpacked")),
    }
}

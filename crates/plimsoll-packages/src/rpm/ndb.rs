//! The database of rpm on SUSE: ndb, slots that point to blobs.
//!
//! Source: rpm's `lib/backend/ndb/rpmpkg.c`. All numbers are little-endian; blobs lie in blocks of 16
//! bytes.

use std::io;

const HEADER: &[u8] = b"RpmP";
const SLOT: &[u8] = b"Slot";
const BLOB: &[u8] = b"BlbS";
const PAGE: u64 = 4096;
const BLOCK: u64 = 16;
/// Slots of more packages than any machine has.
const MAX_PAGES: u32 = 2048;

fn bad(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_le_bytes(four.unwrap_or_default())
}

/// Gives every record to `each`, or says why one cannot be read.
///
/// # Errors
/// When it is no such database.
pub(crate) fn records(
    read: &dyn Fn(u64, u64) -> io::Result<Vec<u8>>,
    size: u64,
    each: &mut dyn FnMut(io::Result<Vec<u8>>),
) -> io::Result<()> {
    let header = read(0, 32.min(size))?;
    if header.get(..4) != Some(HEADER) {
        return Err(bad("is no ndb database"));
    }
    let pages = word(&header, 12);
    if header.len() < 32 || pages == 0 {
        return Err(bad("is cut off"));
    }
    if pages > MAX_PAGES {
        return Err(bad(format!("has {pages} pages of slots")));
    }
    let slots = read(0, (u64::from(pages) * PAGE).min(size))?;
    if (slots.len() as u64) < u64::from(pages) * PAGE {
        each(Err(bad("is cut off: it has fewer slots than it says")));
    }
    // The header takes the place of two slots.
    for slot in slots.chunks_exact(16).skip(2) {
        if &slot[..4] != SLOT {
            each(Err(bad("has a slot without its mark")));
            continue;
        }
        let (index, block) = (word(slot, 4), word(slot, 8));
        if index != 0 && block != 0 {
            each(blob(read, index, block));
        }
    }
    Ok(())
}

fn blob(
    read: &dyn Fn(u64, u64) -> io::Result<Vec<u8>>,
    index: u32,
    block: u32,
) -> io::Result<Vec<u8>> {
    let start = u64::from(block) * BLOCK;
    let head = read(start, BLOCK)?;
    if head.get(..4) != Some(BLOB) || word(&head, 4) != index {
        return Err(bad(format!("record {index} is not where it should be")));
    }
    let length = u64::from(word(&head, 12));
    if length > super::MAX_HEADER {
        return Err(bad(format!("record {index} has {length} bytes")));
    }
    read(start + BLOCK, length)
}

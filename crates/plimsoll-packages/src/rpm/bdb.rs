//! The database of rpm before 4.16: a hash of Berkeley DB.
//!
//! Source: Berkeley DB's `db_page.h`. Its values are long, so they lie in chains of overflow pages.
//! Every page is looked at, in order: the hash itself is not needed to list all there is.

use std::io;

const MAGIC: u32 = 0x0006_1561;
const HEADER: usize = 26;
/// Page types.
const HASH_UNSORTED: u8 = 2;
const HASH: u8 = 13;
const OVERFLOW: u8 = 7;
/// Item types.
const INLINE: u8 = 1;
const OFF_PAGE: u8 = 3;

fn bad(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

struct Pages<'a> {
    read: &'a dyn Fn(u64, u64) -> io::Result<Vec<u8>>,
    size: u64,
    is_big: bool,
}

impl Pages<'_> {
    fn page(&self, number: u32) -> io::Result<Vec<u8>> {
        (self.read)(u64::from(number) * self.size, self.size)
    }

    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let four = bytes
            .get(at..at + 4)
            .and_then(|four| four.try_into().ok())
            .unwrap_or_default();
        if self.is_big {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        }
    }

    fn short(&self, bytes: &[u8], at: usize) -> usize {
        let two = bytes
            .get(at..at + 2)
            .and_then(|two| two.try_into().ok())
            .unwrap_or_default();
        usize::from(if self.is_big {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        })
    }

    /// What a chain of overflow pages holds.
    fn chain(&self, mut number: u32, length: u64) -> io::Result<Vec<u8>> {
        if length > super::MAX_HEADER {
            return Err(bad(format!("a record has {length} bytes")));
        }
        let mut value = Vec::new();
        while number != 0 && (value.len() as u64) < length {
            let page = self.page(number)?;
            if page.get(25) != Some(&OVERFLOW) {
                return Err(bad("a record goes on in a page of another kind"));
            }
            let count = self.short(&page, 22);
            let part = page
                .get(HEADER..HEADER + count)
                .ok_or_else(|| bad("a page is overfull"))?;
            if part.is_empty() {
                return Err(bad("a record goes on in an empty page"));
            }
            value.extend_from_slice(part);
            number = self.word(&page, 16);
        }
        value.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        if value.len() as u64 == length {
            Ok(value)
        } else {
            Err(bad("a record ends early"))
        }
    }
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
    let meta = read(0, 512.min(size))?;
    let mut pages = Pages {
        read,
        size: 0,
        is_big: false,
    };
    if pages.word(&meta, 12) != MAGIC {
        pages.is_big = true;
        if pages.word(&meta, 12) != MAGIC {
            return Err(bad("is no hash of Berkeley DB"));
        }
    }
    pages.size = u64::from(pages.word(&meta, 20));
    if !(512..=65536).contains(&pages.size) || !pages.size.is_power_of_two() {
        return Err(bad(format!("has pages of {} bytes", pages.size)));
    }
    if meta.get(24).copied().unwrap_or(0) != 0 {
        return Err(bad("is encrypted"));
    }
    let last = u64::from(pages.word(&meta, 32));
    if (last + 1) * pages.size > size {
        each(Err(bad("is cut off: it has fewer pages than it says")));
    }
    for number in 1..=last.min((size / pages.size).saturating_sub(1)) {
        let page = pages.page(number as u32)?;
        if !matches!(page.get(25), Some(&HASH | &HASH_UNSORTED)) {
            continue;
        }
        let count = pages.short(&page, 20);
        let offset = |item: usize| pages.short(&page, HEADER + 2 * item);
        // Keys and values take turns.
        for item in (1..count.min(page.len() / 2)).step_by(2) {
            let start = offset(item);
            let Some(&kind) = page.get(start) else {
                each(Err(bad(format!("page {number} points behind its end"))));
                continue;
            };
            if kind == OFF_PAGE {
                let (first, length) = (pages.word(&page, start + 4), pages.word(&page, start + 8));
                each(pages.chain(first, u64::from(length)));
            } else if kind == INLINE {
                // It ends where the item before it, its key, begins.
                let value = page.get(start + 1..offset(item - 1)).unwrap_or_default();
                // The one value of four bytes is the number of the next record.
                if value.len() > 4 {
                    each(Ok(value.to_vec()));
                }
            }
        }
    }
    Ok(())
}

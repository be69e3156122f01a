//! Numbers and tables of words, read from and written to bytes.

use super::SliceError;

/// Reads from the front of some bytes.
pub(crate) struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

const SHORT: SliceError = SliceError::Corrupt("it ends too soon");

impl<'a> Bytes<'a> {
    pub(crate) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.all.len()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, SliceError> {
        let byte = *self.all.get(self.at).ok_or(SHORT)?;
        self.at += 1;
        Ok(byte)
    }

    /// A LEB128 number.
    pub(crate) fn number(&mut self) -> Result<u32, SliceError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            if shift == 28 && byte > 0x0f {
                break;
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(SliceError::Corrupt("a number is too large"))
    }

    pub(crate) fn size(&mut self) -> Result<usize, SliceError> {
        Ok(self.number()? as usize)
    }

    /// A number of things that have at least a byte each.
    pub(crate) fn count(&mut self) -> Result<usize, SliceError> {
        let count = self.size()?;
        let left = self.all.len().saturating_sub(self.at);
        (count <= left).then_some(count).ok_or(SHORT)
    }

    /// A table of words: their number, and for each its length and its bytes.
    pub(super) fn table(&mut self) -> Result<Table, SliceError> {
        let count = self.count()?;
        let mut spans = Vec::with_capacity(count);
        for _ in 0..count {
            let length = self.size()?;
            let start = self.at;
            let end = start.checked_add(length).filter(|&end| {
                // Offsets are kept in 32 bits.
                end <= self.all.len() && u32::try_from(end).is_ok()
            });
            self.at = end.ok_or(SHORT)?;
            spans.push((start as u32, length as u32));
        }
        Ok(Table { spans })
    }
}

/// Where each word of a table lies.
#[derive(Debug, Default)]
pub(super) struct Table {
    spans: Vec<(u32, u32)>,
}

impl Table {
    /// The word of this number, from the bytes the table was read from.
    pub(super) fn get<'a>(&self, bytes: &'a [u8], number: u32) -> Result<&'a str, SliceError> {
        let unknown = SliceError::Corrupt("a word is not in its table");
        let &(start, length) = self.spans.get(number as usize).ok_or(unknown.clone())?;
        let word = bytes.get(start as usize..start as usize + length as usize);
        std::str::from_utf8(word.ok_or(unknown)?)
            .map_err(|_| SliceError::Corrupt("a word is not UTF-8"))
    }
}

/// Appends a LEB128 number.
pub(crate) fn put_number(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends a table of words.
pub(super) fn put_table<'a>(bytes: &mut Vec<u8>, words: impl ExactSizeIterator<Item = &'a str>) {
    put_number(bytes, words.len() as u32);
    for word in words {
        put_number(bytes, word.len() as u32);
        bytes.extend_from_slice(word.as_bytes());
    }
}

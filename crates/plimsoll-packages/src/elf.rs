//! As much of ELF as it takes to find a section, a note, or what an address points to.
//!
//! Source: System V ABI, "Object Files". Read at random: a program may be hundreds of megabytes.

use std::io;

use plimsoll_model::{ImagePath, Rootfs};

/// Larger tables are not read.
const MAX_TABLE: u64 = 4 << 20;

/// A program of the tree.
pub(crate) struct Elf<'a> {
    rootfs: &'a Rootfs,
    path: &'a ImagePath,
    size: u64,
    is_64: bool,
    is_big: bool,
    /// Offset, size of an entry, and number of program headers and section headers.
    programs: (u64, u64, u64),
    sections: (u64, u64, u64),
    /// Which section holds the names.
    names: u64,
}

/// A part of the file that is loaded at an address.
pub(crate) struct Segment {
    pub(crate) kind: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) size: u64,
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("is no sound ELF file: {why}"),
    )
}

impl<'a> Elf<'a> {
    pub(crate) fn open(rootfs: &'a Rootfs, path: &'a ImagePath) -> io::Result<Self> {
        let size = rootfs.tree.get(path).map_or(0, |node| node.size());
        let head = rootfs.read_part(path, 0, size.min(64))?;
        if head.len() < 52 || !head.starts_with(b"\x7fELF") {
            return Err(malformed("its header"));
        }
        let (is_64, is_big) = (head[4] == 2, head[5] == 2);
        if is_64 && head.len() < 64 {
            return Err(malformed("its header"));
        }
        let mut elf = Self {
            rootfs,
            path,
            size,
            is_64,
            is_big,
            programs: (0, 0, 0),
            sections: (0, 0, 0),
            names: 0,
        };
        let short = |at: usize| u64::from(elf.short(&head, at));
        let (programs, sections, names) = if is_64 {
            let word = |at| elf.long(&head, at);
            (
                (word(32), short(54), short(56)),
                (word(40), short(58), short(60)),
                short(62),
            )
        } else {
            let word = |at| u64::from(elf.word(&head, at));
            (
                (word(28), short(42), short(44)),
                (word(32), short(46), short(48)),
                short(50),
            )
        };
        (elf.programs, elf.sections, elf.names) = (programs, sections, names);
        Ok(elf)
    }

    /// Bytes of a pointer.
    pub(crate) fn pointer_size(&self) -> usize {
        if self.is_64 { 8 } else { 4 }
    }

    fn short(&self, bytes: &[u8], at: usize) -> u16 {
        let two = bytes
            .get(at..at + 2)
            .and_then(|two| two.try_into().ok())
            .unwrap_or_default();
        if self.is_big {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        }
    }

    /// The 32-bit number at `at`; 0 beyond the end.
    pub(crate) fn word(&self, bytes: &[u8], at: usize) -> u32 {
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

    /// The 64-bit number at `at`; 0 beyond the end.
    pub(crate) fn long(&self, bytes: &[u8], at: usize) -> u64 {
        let eight = bytes
            .get(at..at + 8)
            .and_then(|eight| eight.try_into().ok())
            .unwrap_or_default();
        if self.is_big {
            u64::from_be_bytes(eight)
        } else {
            u64::from_le_bytes(eight)
        }
    }

    /// A part of the file.
    pub(crate) fn read(&self, from: u64, length: u64) -> io::Result<Vec<u8>> {
        if from.checked_add(length).is_none_or(|end| end > self.size) {
            return Err(malformed("a part of it lies behind its end"));
        }
        self.rootfs.read_part(self.path, from, length)
    }

    fn table(
        &self,
        (offset, entry, count): (u64, u64, u64),
        least: u64,
    ) -> io::Result<(Vec<u8>, usize)> {
        if count == 0 {
            return Ok((Vec::new(), least as usize));
        }
        if entry < least || entry * count > MAX_TABLE {
            return Err(malformed("its headers"));
        }
        Ok((self.read(offset, entry * count)?, entry as usize))
    }

    /// The program headers.
    pub(crate) fn segments(&self) -> io::Result<Vec<Segment>> {
        let least = if self.is_64 { 56 } else { 32 };
        let (table, entry) = self.table(self.programs, least)?;
        let segments = table.chunks_exact(entry).map(|row| {
            let (offset, address, size) = if self.is_64 {
                (self.long(row, 8), self.long(row, 16), self.long(row, 32))
            } else {
                let word = |at| u64::from(self.word(row, at));
                (word(4), word(8), word(16))
            };
            Segment {
                kind: self.word(row, 0),
                offset,
                address,
                size,
            }
        });
        Ok(segments.collect())
    }

    /// Where the section of this name lies: offset and size.
    pub(crate) fn section(&self, wanted: &str) -> io::Result<Option<(u64, u64)>> {
        let least = if self.is_64 { 64 } else { 40 };
        let (table, entry) = self.table(self.sections, least)?;
        let place = |row: &[u8]| {
            if self.is_64 {
                (self.long(row, 24), self.long(row, 32))
            } else {
                (u64::from(self.word(row, 16)), u64::from(self.word(row, 20)))
            }
        };
        let rows: Vec<&[u8]> = table.chunks_exact(entry).collect();
        let Some(names) = rows.get(usize::try_from(self.names).unwrap_or(usize::MAX)) else {
            return Ok(None);
        };
        let (offset, size) = place(names);
        let names = self.read(offset, size.min(MAX_TABLE))?;
        for row in rows {
            let name = names.get(self.word(row, 0) as usize..).unwrap_or_default();
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            // Without bytes in the file (`SHT_NOBITS`) there is nothing to read.
            if name == wanted.as_bytes() && self.word(row, 4) != 8 {
                return Ok(Some(place(row)));
            }
        }
        Ok(None)
    }

    /// `length` bytes at an address of the program as it is loaded.
    pub(crate) fn at_address(&self, address: u64, length: u64) -> io::Result<Vec<u8>> {
        const LOAD: u32 = 1;
        for segment in self.segments()? {
            let Some(skip) = address.checked_sub(segment.address) else {
                continue;
            };
            if segment.kind == LOAD
                && skip
                    .checked_add(length)
                    .is_some_and(|end| end <= segment.size)
            {
                return self.read(segment.offset.saturating_add(skip), length);
            }
        }
        Err(malformed("an address leads nowhere"))
    }
}

//! What of a program only debuggers read: from its table of sections, never from the sections.
//!
//! Source: System V ABI, chapter 4, "Sections"; which of them go is what `strip` of the GNU binutils
//! takes out of programs and shared libraries.

use std::io::{self, Read as _};
use std::ops::Range;

use object::Endianness;
use object::elf::{self, FileHeader32, FileHeader64};
use object::pod;
use object::read::elf::{FileHeader, SectionHeader as _};
use plimsoll_model::{Extent, Rootfs};

/// Fewer bytes to take out of one program are not worth a word.
pub(crate) const WORTH: u64 = 100_000;
/// For fewer bytes of sections that only a name tells apart the names are not read.
const SMALL: u64 = WORTH / 10;
/// The header of the 64-bit class; that of the other is shorter.
const HEADER: u64 = 64;
/// Programs have 30 to 60 sections; a table with more than this is not read.
const SECTIONS: u64 = 512;
/// Longer names of sections in all are not read.
const NAMES: u64 = 32 << 10;
/// The names stand right before the table as a rule: kept with it, so many bytes.
const BEFORE: u64 = 2 << 10;
/// patchelf, which wheels of Python go through, moves the table to a page of its own and leaves the
/// names where they were: so many bytes then.
const BEFORE_PAGE: u64 = 24 << 10;
const PAGE: u64 = 4096;

/// How the names of sections begin that `strip` takes out with the symbols.
const DEBUG: &[&[u8]] = &[
    b".debug",
    b".gdb_index",
    b".gnu.debuglto_",
    b".line",
    b".stab",
    b".zdebug",
];

/// Where a program's table of sections lies.
struct Table {
    wide: bool,
    endian: Endianness,
    place: Range<u64>,
    count: usize,
    /// Which section has the names.
    names: usize,
}

/// A section that is not loaded.
struct Section {
    index: usize,
    kind: elf::SectionType,
    is_loaded: bool,
    name: usize,
    place: Range<u64>,
    link: usize,
}

impl Section {
    fn size(&self) -> u64 {
        self.place.end - self.place.start
    }
}

/// Which parts of a program must be kept from the pass over its layer for [`symbols`]: `head` are
/// its first bytes, `size` all of them.
pub fn parts(head: &[u8], size: u64) -> Vec<Range<u64>> {
    // Whatever it is, somebody will ask whether it is a program; and the header says whether there is
    // a table to read.
    let mut parts: Vec<Range<u64>> = std::iter::once(0..HEADER.min(size)).collect();
    let Some(table) = Table::read(head, size) else {
        return parts;
    };
    let within = usize::try_from(table.place.start)
        .ok()
        .zip(usize::try_from(table.place.end).ok())
        .and_then(|(start, end)| head.get(start..end));
    // Go writes the table first and the names anywhere.
    let names = within.and_then(|bytes| table.names(&table.sections(bytes, size)));
    match names {
        Some(names) => parts.extend([table.place, names]),
        None => {
            let before = match table.place.start.is_multiple_of(PAGE) {
                true => BEFORE_PAGE,
                false => BEFORE,
            };
            let start = table.place.start.saturating_sub(before);
            parts.push(start.max(HEADER)..table.place.end);
        }
    }
    parts
}

/// How many bytes of the program of `size` bytes at `at` `strip` would take out; none of what is no
/// program or shared library. What a table claims beyond its file is not there, so it is none either.
///
/// # Errors
/// When its bytes cannot be read.
pub(crate) fn symbols(rootfs: &Rootfs, at: Extent, size: u64) -> io::Result<u64> {
    let read = |place: Range<u64>| {
        let length = place.end - place.start;
        let part = rootfs.contents.open_part(at, size, place.start, length)?;
        let mut bytes = Vec::new();
        part.take(length).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    if size < HEADER {
        return Ok(0);
    }
    let Some(table) = Table::read(&read(0..HEADER)?, size) else {
        return Ok(0);
    };
    let sections = table.sections(&read(table.place.clone())?, size);
    let mut sum: u64 = 0;
    let mut named = Vec::new();
    for section in sections.iter().filter(|section| !section.is_loaded) {
        let goes = match section.kind {
            elf::SHT_SYMTAB | elf::SHT_SYMTAB_SHNDX => true,
            // The names of the symbols go with them.
            elf::SHT_STRTAB => {
                section.index != table.names
                    && sections.iter().any(|symbols| {
                        symbols.kind == elf::SHT_SYMTAB && symbols.link == section.index
                    })
            }
            _ => {
                named.push(section);
                false
            }
        };
        if goes {
            sum = sum.saturating_add(section.size());
        }
    }
    // The names may lie anywhere; for the few bytes of a `.comment` they are not read.
    let rest = named.iter().map(|section| section.size());
    if rest.fold(0, u64::saturating_add) >= SMALL
        && let Some(place) = table.names(&sections)
    {
        let names = read(place)?;
        for section in named {
            let name = names.get(section.name..).unwrap_or_default();
            if DEBUG.iter().any(|start| name.starts_with(start)) {
                sum = sum.saturating_add(section.size());
            }
        }
    }
    // Sections of a made-up table may lie upon each other.
    Ok(sum.min(size))
}

impl Table {
    fn read(head: &[u8], size: u64) -> Option<Self> {
        if size < WORTH {
            return None;
        }
        match head.get(4) {
            Some(&2) => Self::of::<FileHeader64<Endianness>>(head, size),
            Some(&1) => Self::of::<FileHeader32<Endianness>>(head, size),
            _ => None,
        }
    }

    fn of<H: FileHeader<Endian = Endianness>>(head: &[u8], size: u64) -> Option<Self> {
        let header = H::parse(head).ok()?;
        let endian = header.endian().ok()?;
        // Without its symbols an object file or a module of the kernel is of no use.
        if !matches!(header.e_type(endian), elf::ET_DYN | elf::ET_EXEC) {
            return None;
        }
        let start: u64 = header.e_shoff(endian).into();
        let count = u64::from(header.e_shnum(endian));
        let entry = size_of::<H::SectionHeader>() as u64;
        if start == 0
            || !(1..=SECTIONS).contains(&count)
            || u64::from(header.e_shentsize(endian)) != entry
        {
            return None;
        }
        let end = start
            .checked_add(count * entry)
            .filter(|end| *end <= size)?;
        Some(Self {
            wide: header.is_class_64(),
            endian,
            place: start..end,
            count: usize::try_from(count).ok()?,
            names: usize::from(header.e_shstrndx(endian).0),
        })
    }

    /// The sections, as far as they are within the file.
    fn sections(&self, bytes: &[u8], size: u64) -> Vec<Section> {
        // A vector of its own begins where numbers of any width may.
        let bytes = bytes.to_vec();
        if self.wide {
            self.sections_of::<FileHeader64<Endianness>>(&bytes, size)
        } else {
            self.sections_of::<FileHeader32<Endianness>>(&bytes, size)
        }
    }

    fn sections_of<H: FileHeader<Endian = Endianness>>(
        &self,
        bytes: &[u8],
        size: u64,
    ) -> Vec<Section> {
        let Ok((headers, _)) = pod::slice_from_bytes::<H::SectionHeader>(bytes, self.count) else {
            return Vec::new();
        };
        let endian = self.endian;
        let section = |(index, header): (usize, &H::SectionHeader)| {
            let kind = header.sh_type(endian);
            let start: u64 = header.sh_offset(endian).into();
            let length: u64 = match kind {
                elf::SHT_NOBITS | elf::SHT_NULL => 0,
                _ => header.sh_size(endian).into(),
            };
            let end = start.checked_add(length).filter(|end| *end <= size)?;
            Some(Section {
                index,
                kind,
                is_loaded: header.sh_flags(endian).0 & elf::SHF_ALLOC.0 != 0,
                name: usize::try_from(header.sh_name(endian)).ok()?,
                place: start..end,
                link: usize::try_from(header.sh_link(endian)).ok()?,
            })
        };
        headers.iter().enumerate().filter_map(section).collect()
    }

    /// Where the names of the sections stand.
    fn names(&self, sections: &[Section]) -> Option<Range<u64>> {
        let names = sections
            .iter()
            .find(|section| section.index == self.names)?;
        (1..=NAMES)
            .contains(&names.size())
            .then(|| names.place.clone())
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;
    use plimsoll_model::{Kind, Node};

    use super::*;

    fn file(node: &Node) -> (Extent, u64) {
        match node.kind {
            Kind::File { size, at } => (at, size),
            _ => panic!("no file"),
        }
    }

    fn counted(line: &str) -> u64 {
        let fixture = Fixture::bare(line);
        let (at, size) = file(fixture.rootfs.tree.get("/x").unwrap());
        symbols(&fixture.rootfs, at, size).unwrap()
    }

    #[test]
    fn what_strip_takes_is_counted_and_nothing_else() {
        for (sections, bytes) in [
            (".text 200k", 0),
            (".text 9k .symtab 100k .strtab 50k", 150 << 10),
            (".debug_info 100k .debug_str 10k .zdebug_line 1k", 111 << 10),
            (".comment 100k .gnu_debugdata 90k .rustc 80k", 0),
            // Names that are not those of the symbols.
            (".symtab 9k .text 1k .strtab 100k", 9 << 10),
        ] {
            assert_eq!(
                counted(&format!("/x 0755 900k {sections}")),
                bytes,
                "{sections}"
            );
        }
        assert_eq!(counted("/x 0755 900k"), 0, "no ELF file");
        assert_eq!(
            counted("/x 0755 40k .symtab 20k .strtab 9k"),
            0,
            "a small one"
        );
    }

    /// The bytes of a program in which one field is another.
    fn bent(at: usize, value: &[u8]) -> u64 {
        let fixture = Fixture::bare("/x 0755 900k .text 1k .symtab 200k .strtab 100k");
        let mut bytes = fixture.rootfs.read(&"/x".into(), 1 << 20).unwrap();
        bytes[at..at + value.len()].copy_from_slice(value);
        let contents = std::sync::Arc::new(plimsoll_model::MemoryContents::default());
        let size = bytes.len() as u64;
        let extent = contents.add(bytes.clone());
        let rootfs = Rootfs {
            contents,
            ..Rootfs::empty()
        };
        for part in parts(&bytes, size) {
            assert!(
                part.start < part.end && part.end <= size + BEFORE,
                "{part:?}"
            );
        }
        symbols(&rootfs, extent, size).unwrap()
    }

    #[test]
    fn a_made_up_table_is_no_program_to_strip() {
        let whole = bent(0, b"\x7f");
        assert_eq!(whole, 300 << 10);
        for (at, value) in [
            (0, &[0_u8; 4][..]), // no ELF
            (4, &[9]),           // no class
            (5, &[9]),           // no order of bytes
            (16, &[1, 0]),       // an object file
            (40, &[0xff; 8]),    // a table beyond every file
            (40, &[0; 8]),       // no table
            (58, &[1, 0]),       // entries of one byte
            (60, &[0xff; 2]),    // 65,535 sections
            (60, &[0; 2]),       // none
        ] {
            assert_eq!(bent(at, value), 0, "{value:?} at {at}");
        }
        // Names nowhere: the symbols are known by their kind.
        assert_eq!(bent(62, &[0xff; 2]), whole);
        // Sections that claim more than the file has.
        let table = (900 << 10) - 5 * 64;
        assert_eq!(bent(table + 2 * 64 + 32, &[0xff; 8]), 0);
        assert_eq!(bent(table + 3 * 64 + 32, &[0xff; 8]), 200 << 10);
    }

    #[test]
    fn what_is_kept_from_the_pass_is_all_that_is_read() {
        let fixture = Fixture::bare("/x 0755 900k .text 1k .debug_info 200k");
        let bytes = fixture.rootfs.read(&"/x".into(), 1 << 20).unwrap();
        let size = bytes.len() as u64;
        let parts = parts(&bytes[..128 << 10], size);
        let all: u64 = parts.iter().map(|part| part.end - part.start).sum();
        assert!(all < 4096, "{parts:?}");
        // The same file with nothing in it but these parts.
        let mut sparse = vec![0; bytes.len()];
        for part in parts {
            let part = part.start as usize..part.end as usize;
            sparse[part.clone()].copy_from_slice(&bytes[part]);
        }
        let contents = std::sync::Arc::new(plimsoll_model::MemoryContents::default());
        let at = contents.add(sparse);
        let rootfs = Rootfs {
            contents,
            ..Rootfs::empty()
        };
        assert_eq!(symbols(&rootfs, at, size).unwrap(), 200 << 10);
    }
}

//! The format of `/etc/ld.so.cache`, and what of a library goes into it.
//!
//! Source: glibc's `sysdeps/generic/dl-cache.h` (`struct cache_file_new`, magic
//! `glibc-ld.so.cache1.1`), `elf/cache.c`, `elf/dl-cache.c` (`_dl_cache_libcmp`).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use object::elf;
use object::read::elf::{Dyn as _, ProgramHeader as _};

/// Header: magic, version, counts, flags, extension offset, unused words.
const HEADER: usize = 48;
/// One entry: flags, key, value, version, capabilities.
const ENTRY: usize = 24;
/// The library is for glibc 2 (`FLAG_ELF_LIBC6`).
const LIBC6: u32 = 3;

/// What the cache says of an architecture.
pub(crate) struct Machine {
    /// Debian's multiarch triplet.
    pub(crate) triplet: &'static str,
    machine: u16,
    class: u8,
    /// The flag of the entries, beside [`LIBC6`].
    flag: u32,
}

impl Machine {
    /// The facts of an architecture in Debian's words; `None` where they are not known.
    pub(crate) fn of(architecture: &str) -> Option<Self> {
        let (triplet, machine, class, flag) = match architecture {
            "amd64" => ("x86_64-linux-gnu", elf::EM_X86_64, elf::ELFCLASS64, 0x0300),
            "arm64" => (
                "aarch64-linux-gnu",
                elf::EM_AARCH64,
                elf::ELFCLASS64,
                0x0a00,
            ),
            "armhf" => ("arm-linux-gnueabihf", elf::EM_ARM, elf::ELFCLASS32, 0x0900),
            "i386" => ("i386-linux-gnu", elf::EM_386, elf::ELFCLASS32, 0),
            "ppc64el" => (
                "powerpc64le-linux-gnu",
                elf::EM_PPC64,
                elf::ELFCLASS64,
                0x0500,
            ),
            "riscv64" => ("riscv64-linux-gnu", elf::EM_RISCV, elf::ELFCLASS64, 0x1000),
            _ => return None,
        };
        Some(Self {
            triplet,
            machine: machine.0,
            class: class.0,
            flag,
        })
    }
}

/// What a library says of itself.
pub(crate) struct Library {
    /// `DT_SONAME`.
    pub(crate) soname: Option<Vec<u8>>,
    /// The flags of its entry.
    pub(crate) flags: u32,
}

/// Reads a shared library; `None` for anything else, or for another architecture.
pub(crate) fn read(bytes: &[u8], machine: &Machine) -> Option<Library> {
    let class = *bytes.get(4)?;
    if class != machine.class {
        return None;
    }
    if class == elf::ELFCLASS64.0 {
        read_class::<elf::FileHeader64<object::Endianness>>(bytes, machine)
    } else {
        read_class::<elf::FileHeader32<object::Endianness>>(bytes, machine)
    }
}

fn read_class<Elf>(bytes: &[u8], machine: &Machine) -> Option<Library>
where
    Elf: object::read::elf::FileHeader<Endian = object::Endianness>,
{
    let header = Elf::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    if header.e_type(endian) != elf::ET_DYN || header.e_machine(endian).0 != machine.machine {
        return None;
    }
    let segments = header.program_headers(endian, bytes).ok()?;
    let dynamic = segments
        .iter()
        .find_map(|segment| segment.dynamic(endian, bytes).ok().flatten())?;
    let value = |tag: elf::DynamicTag| {
        let found = dynamic.iter().find(|entry| entry.d_tag(endian) == tag);
        found.map(|entry| -> u64 { entry.d_val(endian).into() })
    };
    let soname = value(elf::DT_SONAME).and_then(|offset| {
        let address = value(elf::DT_STRTAB)?.checked_add(offset)?;
        let segment = segments.iter().find(|segment| {
            let start: u64 = segment.p_vaddr(endian).into();
            let size: u64 = segment.p_filesz(endian).into();
            segment.p_type(endian) == elf::PT_LOAD && address >= start && address - start < size
        })?;
        let start: u64 = segment.p_vaddr(endian).into();
        let file: u64 = segment.p_offset(endian).into();
        let at = usize::try_from(file.checked_add(address - start)?).ok()?;
        let rest = bytes.get(at..)?;
        let end = rest.iter().take(4096).position(|&byte| byte == 0)?;
        (end > 0 && !rest[..end].contains(&b'/')).then(|| rest[..end].to_vec())
    });
    Some(Library {
        soname,
        flags: LIBC6 | machine.flag,
    })
}

/// One line of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What programs ask for.
    pub(crate) soname: Vec<u8>,
    /// Where it lies.
    pub(crate) path: Vec<u8>,
    /// Kind and architecture.
    pub(crate) flags: u32,
}

/// glibc's order of library names: digits by their number, and a digit after everything else.
///
/// The dynamic linker searches the cache by halving, in this order: a cache in any other order
/// loses libraries.
pub(crate) fn compare(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while let Some(&a) = left.first() {
        let b = right.first().copied().unwrap_or(0);
        if a.is_ascii_digit() {
            if !b.is_ascii_digit() {
                return Ordering::Greater;
            }
            let (a, b) = (number(&mut left), number(&mut right));
            if a != b {
                return a.cmp(&b);
            }
        } else if b.is_ascii_digit() {
            return Ordering::Less;
        } else if a != b {
            return a.cmp(&b);
        } else {
            left = &left[1..];
            right = &right[1..];
        }
    }
    if right.is_empty() {
        Ordering::Equal
    } else {
        Ordering::Less
    }
}

/// Takes a number off the front.
fn number(text: &mut &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..digits].iter().fold(0_u64, |value, &digit| {
        value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    *text = &text[digits..];
    value
}

/// The cache with these entries, those found first before those of the same name found later.
pub(crate) fn write(mut entries: Vec<Entry>) -> Vec<u8> {
    // Descending, and the higher flags first (`compare` of elf/cache.c); a stable sort keeps the
    // order of the directories.
    entries.sort_by(|a, b| compare(&b.soname, &a.soname).then(b.flags.cmp(&a.flags)));
    let mut strings: Vec<u8> = Vec::new();
    let mut offsets: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let start = HEADER + ENTRY * entries.len();
    let mut place = |text: &[u8]| {
        *offsets.entry(text.to_vec()).or_insert_with(|| {
            let offset = (start + strings.len()) as u32;
            strings.extend_from_slice(text);
            strings.push(0);
            offset
        })
    };
    let mut lines = Vec::with_capacity(ENTRY * entries.len());
    for entry in &entries {
        // The soname is the tail of the path: no need to write it twice.
        let value = place(&entry.path);
        let tail = entry.path.len() - entry.soname.len();
        let key = if entry.path.ends_with(&entry.soname) {
            value + tail as u32
        } else {
            place(&entry.soname)
        };
        for word in [entry.flags, key, value, 0, 0, 0] {
            lines.extend_from_slice(&word.to_le_bytes());
        }
    }
    let mut bytes = b"glibc-ld.so.cache1.1".to_vec();
    bytes.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(strings.len() as u32).to_le_bytes());
    // Little-endian, then padding, no extensions, unused words.
    bytes.extend_from_slice(&[2, 0, 0, 0]);
    bytes.resize(HEADER, 0);
    bytes.extend(lines);
    bytes.extend(strings);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_glibcs() {
        for (smaller, larger) in [
            ("liba.so.2", "liba.so.10"),
            ("liba.so", "liba.so.1"),
            ("liba-b.so", "liba1.so"),
            ("libxml.so", "libxml2.so"),
            ("libc.so.6", "libcrypt.so.1"),
        ] {
            let order = compare(smaller.as_bytes(), larger.as_bytes());
            assert_eq!(order, Ordering::Less, "{smaller} {larger}");
            assert_eq!(
                compare(larger.as_bytes(), smaller.as_bytes()),
                Ordering::Greater
            );
        }
        assert_eq!(compare(b"lib01.so", b"lib1.so"), Ordering::Equal);
    }

    #[test]
    fn a_cache_has_its_entries_in_descending_order() {
        let entry = |soname: &str, directory: &str| Entry {
            soname: soname.into(),
            path: format!("{directory}/{soname}").into(),
            flags: 0x0303,
        };
        let bytes = write(vec![
            entry("liba.so.2", "/first"),
            entry("libb.so.1", "/first"),
            entry("liba.so.10", "/first"),
            entry("liba.so.2", "/second"),
        ]);
        assert_eq!(&bytes[..20], b"glibc-ld.so.cache1.1");
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(word(20), 4);
        let text = |at: usize| {
            let rest = &bytes[at..];
            let end = rest.iter().position(|&byte| byte == 0).unwrap();
            String::from_utf8(rest[..end].to_vec()).unwrap()
        };
        let lines: Vec<(String, String)> = (0..4)
            .map(|index| HEADER + ENTRY * index)
            .map(|at| (text(word(at + 4)), text(word(at + 8))))
            .collect();
        let expected = [
            ("libb.so.1", "/first/libb.so.1"),
            ("liba.so.10", "/first/liba.so.10"),
            ("liba.so.2", "/first/liba.so.2"),
            ("liba.so.2", "/second/liba.so.2"),
        ];
        let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(lines, expected);
        assert_eq!(word(24), bytes.len() - HEADER - 4 * ENTRY);
    }

    #[test]
    fn what_is_no_library_is_left_out() {
        let machine = Machine::of("amd64").unwrap();
        assert!(read(b"", &machine).is_none());
        assert!(read(b"\x7fELF\x02\x01\x01", &machine).is_none());
        assert!(read(&[0x7f; 200], &machine).is_none());
        assert!(Machine::of("alpha").is_none());
    }
}

//! What a loader, and a program that loads by name, would ask for: read from an ELF file.
//!
//! Source: System V ABI, chapters 4 and 5 (program headers, dynamic section); UAPI group
//! specification "ELF dlopen metadata" for `.note.dlopen`. Everything is found through program
//! headers, because section headers may be stripped.

use std::collections::BTreeSet;

use memchr::memmem;
use object::Endianness;
use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};

use crate::known::weight_of;

/// More entries than this of one kind are cut off.
const LIMIT: usize = 4096;
/// Longer names are no file names (`NAME_MAX`, `PATH_MAX` of Linux).
const LONGEST: usize = 4096;

/// Functions whose import tells what a program will ask the C library for.
pub(crate) const TELLING: &[&str] = &[
    "SSL_CTX_new",
    "backtrace",
    "dlmopen",
    "dlopen",
    "gnutls_init",
    "iconv_open",
    "popen",
    "lt_dlopen",
    "lt_dlopenadvise",
    "lt_dlopenext",
    "pthread_cancel",
    "pthread_exit",
    "setlocale",
    "system",
];

/// What an ELF file says about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Elf {
    /// `e_machine`.
    pub(crate) machine: u16,
    /// 64-bit.
    pub(crate) wide: bool,
    /// `PT_INTERP`.
    pub(crate) interpreter: Option<Vec<u8>>,
    /// It has a dynamic section.
    pub(crate) dynamic: bool,
    /// `DT_SONAME`.
    pub(crate) soname: Option<Vec<u8>>,
    /// `DT_NEEDED`, in order.
    pub(crate) needed: Vec<Vec<u8>>,
    /// `DT_RPATH`, split at colons.
    pub(crate) rpath: Vec<Vec<u8>>,
    /// `DT_RUNPATH`, split at colons.
    pub(crate) runpath: Vec<Vec<u8>>,
    /// `DF_1_NODEFLIB`: the default directories are not searched.
    pub(crate) no_default_dirs: bool,
    /// `.note.dlopen`.
    pub(crate) dlopen: Vec<Dlopen>,
    /// Which of [`TELLING`] its dynamic string table names.
    pub(crate) symbols: BTreeSet<&'static str>,
    /// Names like `libz.so.1` in its constant data; only where it can load by name.
    pub(crate) sonames: BTreeSet<Vec<u8>>,
    /// Absolute paths in its constant data.
    pub(crate) paths: BTreeSet<Vec<u8>>,
    /// What begins like a path of a system in the middle of its constant data: languages that do
    /// not end strings with a zero byte (Go, Rust) put one behind the other, so nobody can say
    /// where it ends.
    pub(crate) runs: BTreeSet<Vec<u8>>,
    /// Words in its constant data that may be names of character sets; only where it converts.
    pub(crate) charsets: BTreeSet<Vec<u8>>,
}

/// How paths of a system begin that programs have compiled in.
const BEGINNINGS: [&[u8]; 6] = [
    b"/etc/",
    b"/opt/",
    b"/srv/",
    b"/usr/",
    b"/var/lib/",
    b"/app/",
];
/// Bytes of such a run that are kept.
const RUN: usize = 200;

/// One entry of a `.note.dlopen`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dlopen {
    /// What it is for.
    pub(crate) feature: String,
    /// `required`, `recommended`, `suggested`.
    pub(crate) priority: String,
    /// Names to try, the first that exists is loaded.
    pub(crate) sonames: Vec<String>,
}

impl Dlopen {
    fn weight(&self) -> usize {
        let texts = self.feature.len() + self.priority.len();
        size_of::<Self>() + texts + weight_of(&self.sonames)
    }
}

impl Elf {
    /// Reads a whole file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        match bytes.get(4) {
            Some(&2) => parse::<FileHeader64<Endianness>>(bytes),
            Some(&1) => parse::<FileHeader32<Endianness>>(bytes),
            _ => Err("its class is neither 32 nor 64 bit".to_owned()),
        }
    }

    /// The bytes of memory it takes, about.
    pub(crate) fn weight(&self) -> usize {
        /// Of a string in a collection.
        const PLACE: usize = 40;
        let sets = [&self.sonames, &self.paths, &self.runs, &self.charsets];
        let lists = [&self.needed, &self.rpath, &self.runpath];
        let words = sets
            .into_iter()
            .flatten()
            .chain(lists.into_iter().flatten());
        let words: usize = words.map(|word| word.len() + PLACE).sum();
        let notes: usize = self.dlopen.iter().map(Dlopen::weight).sum();
        let single = [&self.interpreter, &self.soname].into_iter().flatten();
        size_of::<Self>() + words + notes + single.map(Vec::len).sum::<usize>()
    }

    /// Whether it can load libraries by name.
    pub(crate) fn loads_by_name(&self) -> bool {
        self.symbols.contains("dlopen") || self.symbols.contains("dlmopen")
    }

    /// Whether a loader of `other` would take this file.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        self.machine == other.machine && self.wide == other.wide
    }
}

fn parse<H: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Elf, String> {
    let text = |error: object::Error| error.to_string();
    let header = H::parse(bytes).map_err(text)?;
    let endian = header.endian().map_err(text)?;
    let segments = header.program_headers(endian, bytes).map_err(text)?;
    let mut elf = Elf {
        machine: header.e_machine(endian).0,
        wide: header.is_class_64(),
        ..Elf::default()
    };
    let mut strings: &[u8] = &[];
    for segment in segments {
        if let Some(interpreter) = segment.interpreter(endian, bytes).map_err(text)? {
            elf.interpreter = Some(interpreter.to_vec());
        }
        if let Some(entries) = segment.dynamic(endian, bytes).map_err(text)? {
            elf.dynamic = true;
            let entries: Vec<(i64, u64)> = entries
                .iter()
                .map(|entry| (entry.tag(endian).0, entry.val(endian)))
                .take_while(|&(tag, _)| tag != elf::DT_NULL.0)
                .take(LIMIT)
                .collect();
            let value = |wanted: elf::DynamicTag| {
                let entry = entries.iter().find(|&&(tag, _)| tag == wanted.0);
                entry.map(|&(_, value)| value)
            };
            if let (Some(address), Some(size)) = (value(elf::DT_STRTAB), value(elf::DT_STRSZ)) {
                strings = segments
                    .iter()
                    .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
                    .find_map(|load| load.data_range(endian, bytes, address, size).ok()?)
                    .ok_or("its dynamic string table lies outside the file")?;
            }
            elf.read_dynamic(&entries, strings);
        }
        if let Some(mut notes) = segment.notes(endian, bytes).map_err(text)? {
            // A malformed note ends the walk; the kernel and the loader ignore notes altogether.
            while let Ok(Some(note)) = notes.next() {
                if note.name() == b"FDO" && note.n_type(endian).0 == NOTE_DLOPEN {
                    elf.dlopen.extend(read_dlopen(note.desc()));
                }
            }
        }
    }
    for segment in segments {
        let flags = segment.p_flags(endian).0;
        if segment.p_type(endian) == elf::PT_LOAD && flags & elf::PF_W.0 == 0 {
            // A segment that runs out of the file is the loader's error to make, not ours.
            let data = segment.data(endian, bytes).unwrap_or_default();
            elf.read_constants(data);
        }
    }
    Ok(elf)
}

/// `NT_FDO_DLOPEN_METADATA`.
const NOTE_DLOPEN: u32 = 0x407c_0c0a;

impl Elf {
    fn read_dynamic(&mut self, entries: &[(i64, u64)], strings: &[u8]) {
        let string = |offset: u64| -> Vec<u8> {
            let rest = usize::try_from(offset)
                .ok()
                .and_then(|offset| strings.get(offset..))
                .unwrap_or_default();
            let end = memchr::memchr(0, rest).unwrap_or(rest.len());
            rest[..end.min(LONGEST)].to_vec()
        };
        let split = |offset: u64| -> Vec<Vec<u8>> {
            let list = string(offset);
            let parts = list.split(|&byte| byte == b':');
            parts
                .filter(|part| !part.is_empty())
                .map(<[u8]>::to_vec)
                .collect()
        };
        for &(tag, value) in entries {
            let tag = elf::DynamicTag(tag);
            match tag {
                elf::DT_NEEDED => self.needed.push(string(value)),
                elf::DT_SONAME => self.soname = Some(string(value)),
                elf::DT_RPATH => self.rpath.extend(split(value)),
                elf::DT_RUNPATH => self.runpath.extend(split(value)),
                elf::DT_FLAGS_1 => self.no_default_dirs = value & DF_1_NODEFLIB != 0,
                _ => {}
            }
        }
        for name in TELLING {
            let mut whole = Vec::with_capacity(name.len() + 2);
            whole.push(0);
            whole.extend_from_slice(name.as_bytes());
            whole.push(0);
            if memmem::find(strings, &whole).is_some() {
                self.symbols.insert(name);
            }
        }
    }

    fn read_constants(&mut self, data: &[u8]) {
        if self.loads_by_name() {
            for at in memmem::find_iter(data, b".so") {
                let name = word_around(data, at);
                if name.starts_with(b"lib") && self.sonames.len() < LIMIT {
                    self.sonames.insert(name.to_vec());
                }
            }
        }
        if self.symbols.contains("iconv_open") {
            let words =
                data.split(|byte| !(byte.is_ascii_alphanumeric() || b"_-.:".contains(byte)));
            for word in words {
                // Behind the end of another string, where those are not kept apart.
                let from = word.iter().rposition(u8::is_ascii_lowercase);
                let word = &word[from.map_or(0, |last| last + 1)..];
                let has_letter = word.iter().any(u8::is_ascii_uppercase);
                let is_upper = !word.iter().any(u8::is_ascii_lowercase);
                if (3..=32).contains(&word.len())
                    && has_letter
                    && is_upper
                    && self.charsets.len() < LIMIT
                {
                    self.charsets.insert(word.to_vec());
                }
            }
        }
        for beginning in BEGINNINGS {
            for at in memmem::find_iter(data, beginning) {
                if at == 0 || data[at - 1] == 0 || self.runs.len() == LIMIT {
                    continue;
                }
                let run = data[at..]
                    .iter()
                    .take(RUN)
                    .take_while(|&&byte| is_path_byte(byte));
                self.runs.insert(run.copied().collect());
            }
        }
        for at in memchr::memchr_iter(b'/', data) {
            // Only where a string starts: what is in the middle of one is no path by itself.
            if at > 0 && data[at - 1] != 0 {
                continue;
            }
            let rest = &data[at..data.len().min(at + LONGEST)];
            let Some(end) = memchr::memchr(0, rest) else {
                continue;
            };
            let path = &rest[..end];
            let slashes = path.iter().filter(|&&byte| byte == b'/').count();
            let plain = path.iter().all(|&byte| is_path_byte(byte));
            if slashes >= 2 && plain && self.paths.len() < LIMIT {
                self.paths.insert(path.to_vec());
            }
        }
    }
}

/// `DF_1_NODEFLIB` of the dynamic section's `DT_FLAGS_1`.
const DF_1_NODEFLIB: u64 = 0x800;

/// The file name that `data` holds around `at`.
fn word_around(data: &[u8], at: usize) -> &[u8] {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(byte);
    let from = data[at.saturating_sub(255)..at]
        .iter()
        .rposition(|byte| !is_name(byte))
        .map_or(at.saturating_sub(255), |index| {
            at.saturating_sub(255) + index + 1
        });
    let to = data[at..]
        .iter()
        .take(255)
        .position(|byte| !is_name(byte))
        .map_or(data.len().min(at + 255), |index| at + index);
    &data[from..to]
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._+@:-,~".contains(&byte)
}

/// The entries of one note: a JSON array, zero-terminated. What cannot be read is left out, as a
/// hint nobody gave.
fn read_dlopen(bytes: &[u8]) -> Vec<Dlopen> {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let Ok(serde_json::Value::Array(entries)) = serde_json::from_slice(&bytes[..end]) else {
        return Vec::new();
    };
    let entries = entries.iter().take(LIMIT);
    entries
        .map(|entry| {
            let text = |key| {
                let value = entry.get(key).and_then(serde_json::Value::as_str);
                value.unwrap_or_default().to_owned()
            };
            let sonames = entry.get("soname").and_then(serde_json::Value::as_array);
            Dlopen {
                feature: text("feature"),
                priority: text("priority"),
                sonames: sonames
                    .into_iter()
                    .flatten()
                    .filter_map(|name| Some(name.as_str()?.to_owned()))
                    .collect(),
            }
        })
        .collect()
}

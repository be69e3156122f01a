//! Writing tar archives so that the same tree always gives the same bytes.
//!
//! Headers are POSIX ustar; a pax header precedes what ustar cannot say (long or non-ASCII names,
//! large numbers, parts of seconds, extended attributes). No user and group names, no access
//! times, no padding beyond the two blocks that end an archive. Source: POSIX.1-2024 `pax`.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use plimsoll_model::tree::Naming;
use plimsoll_model::{ImagePath, Kind, Metadata, Node, Rootfs};

use crate::Error;

const BLOCK: usize = 512;
/// The largest numbers that fit a ustar field of 8 and of 12 bytes, the last a NUL.
const MAX_SHORT: u64 = 0o777_7777;
const MAX_LONG: u64 = 0o777_7777_7777;

/// Writes `rootfs` as a tar archive, with owners, modes, times, attributes and device nodes; the same
/// tree always gives the same bytes.
///
/// # Errors
/// As when an image is written: the tree is none an archive can hold, a file cannot be read, or `out`
/// fails.
pub fn write_tar(rootfs: &Rootfs, out: &mut dyn Write) -> Result<(), Error> {
    write_layer(rootfs, out, &mut |_| {})
}

/// Writes `rootfs` as a layer: sorted by path, so that parents come before what is in them; of
/// several names of a file the first has the body and the others are hard links. `on_bytes` is
/// told the bytes of files as they are written.
///
/// # Errors
/// When the tree is none that a layer can hold, a file cannot be read, or `out` fails.
pub(crate) fn write_layer(
    rootfs: &Rootfs,
    out: &mut dyn Write,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let failed = || Error::io("the layer");
    let mut first_names: BTreeMap<u32, &ImagePath> = BTreeMap::new();
    let mut buffer = vec![0; 256 << 10];
    for (path, node) in rootfs.tree.iter() {
        if path.is_root() {
            // Every layer has a root; it is only worth an entry if it is an uncommon one.
            if node.meta != Metadata::with_mode(0o755) {
                let header = Header::new(b"./", b'5', &node.meta);
                header.write(out).map_err(failed())?;
            }
            continue;
        }
        check(rootfs, path)?;
        if node.is_file()
            && let Some(first) = first_names.get(&node.inode)
        {
            let mut header = Header::new(path.relative(), b'1', &node.meta);
            header.link = first.relative();
            header.write(out).map_err(failed())?;
            continue;
        }
        entry(path, node).and_then(|header| header.write(out).map_err(failed()))?;
        if let Kind::File { size, at } = node.kind {
            first_names.insert(node.inode, path);
            let read = |error| Error::io(format!("{path} in the image"))(error);
            let mut body = rootfs.contents.open(at, size).map_err(read)?.take(size);
            let mut written = 0;
            loop {
                let count = match body.read(&mut buffer) {
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(read(error)),
                };
                if count == 0 {
                    break;
                }
                out.write_all(&buffer[..count]).map_err(failed())?;
                written += count as u64;
                on_bytes(count as u64);
            }
            if written != size {
                return Err(read(io::ErrorKind::UnexpectedEof.into()));
            }
            pad(out, size).map_err(failed())?;
        }
    }
    finish(out).map_err(failed())
}

/// The two blocks that end an archive.
pub(crate) fn finish(out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// The zeros behind a body of `size` bytes.
pub(crate) fn pad(out: &mut (impl Write + ?Sized), size: u64) -> io::Result<()> {
    let padding = (size.wrapping_neg() % BLOCK as u64) as usize;
    out.write_all(&[0; BLOCK][..padding])
}

/// The header of a regular file of root's, mode 0644, time 0: a member of an archive of blobs.
///
/// Always one block, so that it can be filled in afterwards: a size beyond 8 GiB is written in
/// GNU's binary form instead of a pax header.
pub(crate) fn file_header(name: &str, size: u64) -> [u8; BLOCK] {
    let meta = Metadata::with_mode(0o644);
    let mut block = Block::new(b"", name.as_bytes(), b"", b'0').numbers(&meta, size, (0, 0));
    if size > MAX_LONG {
        block.0[124..136].fill(0);
        block.0[124] = 0x80;
        block.0[128..136].copy_from_slice(&size.to_be_bytes());
    }
    block.finish()
}

/// The header of such a directory, mode 0755.
pub(crate) fn directory_header(name: &str) -> [u8; BLOCK] {
    let meta = Metadata::with_mode(0o755);
    let name = format!("{name}/");
    Block::new(b"", name.as_bytes(), b"", b'5')
        .numbers(&meta, 0, (0, 0))
        .finish()
}

/// Whether a runtime that unpacks `path` makes what the tree means.
fn check(rootfs: &Rootfs, path: &ImagePath) -> Result<(), Error> {
    if Naming::of(path) != Naming::Ordinary {
        let why = "a layer would take its name for a deletion";
        return Err(Error::Draft(format!("{path}: {why}")));
    }
    let parent = path.parent().unwrap_or_else(ImagePath::root);
    match rootfs.tree.get(&parent) {
        Some(node) if node.is_dir() => Ok(()),
        _ => Err(Error::Draft(format!(
            "{path}: {parent} is no directory of the tree"
        ))),
    }
}

fn entry<'a>(path: &'a ImagePath, node: &'a Node) -> Result<Header<'a>, Error> {
    let flag = match &node.kind {
        Kind::File { .. } => b'0',
        Kind::Symlink(_) => b'2',
        Kind::Device { block: false, .. } => b'3',
        Kind::Device { block: true, .. } => b'4',
        Kind::Dir => b'5',
        Kind::Fifo => b'6',
    };
    let mut header = Header::new(path.relative(), flag, &node.meta);
    match &node.kind {
        Kind::File { size, .. } => header.size = *size,
        Kind::Symlink(target) => header.link = target,
        Kind::Device { major, minor, .. } => header.device = (*major, *minor),
        Kind::Dir | Kind::Fifo => {}
    }
    if matches!(&node.kind, Kind::Symlink(target) if target.is_empty()) {
        let why = "a symbolic link without a target";
        return Err(Error::Draft(format!("{path}: {why}")));
    }
    for name in node.meta.xattrs.iter().flat_map(|xattrs| xattrs.keys()) {
        if name.is_empty() || name.contains(&b'=') || name.contains(&0) {
            let name = plimsoll_model::text::printable(name);
            let why = format!("{path}: a pax header cannot hold the attribute name `{name}`");
            return Err(Error::Draft(why));
        }
    }
    if let Some(number) = [header.device.0, header.device.1]
        .into_iter()
        .find(|&number| u64::from(number) > MAX_SHORT)
    {
        let why = format!("{path}: the device number {number} does not fit a tar header");
        return Err(Error::Draft(why));
    }
    Ok(header)
}

struct Header<'a> {
    name: &'a [u8],
    link: &'a [u8],
    flag: u8,
    size: u64,
    meta: &'a Metadata,
    device: (u32, u32),
}

impl<'a> Header<'a> {
    fn new(name: &'a [u8], flag: u8, meta: &'a Metadata) -> Self {
        Self {
            name,
            link: b"",
            flag,
            size: 0,
            meta,
            device: (0, 0),
        }
    }

    /// The header, with a pax header in front of it where it needs one.
    fn write(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        let mut name = self.name.to_vec();
        if self.flag == b'5' && !name.ends_with(b"/") {
            name.push(b'/');
        }
        let (pax, prefix, short) = self.records(&name);
        if !pax.is_empty() {
            // The name of the pax header itself is of no meaning; a fixed one is reproducible.
            let meta = Metadata::with_mode(0o644);
            let block = Block::new(b"", b"PaxHeader", b"", b'x')
                .numbers(&meta, pax.len() as u64, (0, 0))
                .finish();
            out.write_all(&block)?;
            out.write_all(&pax)?;
            pad(out, pax.len() as u64)?;
        }
        let block = Block::new(prefix, short, self.link, self.flag)
            .numbers(self.meta, self.size, self.device)
            .finish();
        out.write_all(&block)
    }

    /// The pax records needed, and the prefix and name for the ustar header.
    fn records<'n>(&self, name: &'n [u8]) -> (Vec<u8>, &'n [u8], &'n [u8]) {
        let mut records = BTreeMap::new();
        let (prefix, short) = match split(name) {
            Some(split) if plain(name) => split,
            _ => {
                records.insert(b"path".to_vec(), name.to_vec());
                (&b""[..], &name[..name.len().min(100)])
            }
        };
        if self.link.len() > 100 || !plain(self.link) {
            records.insert(b"linkpath".to_vec(), self.link.to_vec());
        }
        let numbers = [
            ("uid", u64::from(self.meta.uid), MAX_SHORT),
            ("gid", u64::from(self.meta.gid), MAX_SHORT),
            ("size", self.size, MAX_LONG),
        ];
        for (key, number, most) in numbers {
            if number > most {
                records.insert(key.into(), number.to_string().into());
            }
        }
        let fits = u64::try_from(self.meta.mtime).is_ok_and(|seconds| seconds <= MAX_LONG);
        if !fits || self.meta.mtime_nanos != 0 {
            records.insert(b"mtime".to_vec(), time(self.meta).into());
        }
        for (name, value) in self.meta.xattrs.iter().flat_map(|xattrs| xattrs.iter()) {
            // A hard link has no attributes of its own: its file has them.
            if self.flag != b'1' {
                records.insert([b"SCHILY.xattr.", &name[..]].concat(), value.clone());
            }
        }
        let names = [records.get(&b"path"[..]), records.get(&b"linkpath"[..])];
        let binary = names
            .into_iter()
            .flatten()
            .any(|name| std::str::from_utf8(name).is_err());
        let mut pax = Vec::new();
        if binary {
            // Pax values are UTF-8 unless this record, which comes first, says otherwise.
            record(&mut pax, b"hdrcharset", b"BINARY");
        }
        for (key, value) in &records {
            record(&mut pax, key, value);
        }
        (pax, prefix, short)
    }
}

/// One pax record; its length counts the digits of the length too.
fn record(pax: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + digits(rest);
    if digits(length) > digits(rest) {
        length = rest + digits(length);
    }
    pax.extend_from_slice(length.to_string().as_bytes());
    pax.push(b' ');
    pax.extend_from_slice(key);
    pax.push(b'=');
    pax.extend_from_slice(value);
    pax.push(b'\n');
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

/// Whether every reader takes these bytes from a ustar header for the same name: ASCII does, and
/// so do bytes that are no text at all, which have no other spelling.
fn plain(name: &[u8]) -> bool {
    name.is_ascii() || std::str::from_utf8(name).is_err()
}

/// A name cut at a slash so that it fits the prefix (155) and name (100) fields of ustar.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((b"", name));
    }
    // The last slash of a directory is part of its name.
    let inner = &name[..name.len() - 1];
    let cut = inner
        .iter()
        .enumerate()
        .filter(|&(index, &byte)| byte == b'/' && (1..=155).contains(&index))
        .map(|(index, _)| index)
        .find(|&index| name.len() - index - 1 <= 100)?;
    Some((&name[..cut], &name[cut + 1..]))
}

/// Seconds with a fraction, as pax writes them: the sign belongs to all of it.
fn time(meta: &Metadata) -> String {
    let nanos = i128::from(meta.mtime) * 1_000_000_000 + i128::from(meta.mtime_nanos);
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if fraction == 0 {
        return format!("{sign}{seconds}");
    }
    let fraction = format!("{fraction:09}");
    format!("{sign}{seconds}.{}", fraction.trim_end_matches('0'))
}

/// A ustar header being filled.
struct Block([u8; BLOCK]);

impl Block {
    fn new(prefix: &[u8], name: &[u8], link: &[u8], flag: u8) -> Self {
        let mut block = [0; BLOCK];
        block[..name.len()].copy_from_slice(name);
        let link = &link[..link.len().min(100)];
        block[157..157 + link.len()].copy_from_slice(link);
        block[345..345 + prefix.len()].copy_from_slice(prefix);
        block[156] = flag;
        block[257..265].copy_from_slice(b"ustar\x0000");
        Self(block)
    }

    /// Numbers too large for their field are 0 here: the pax header has them.
    fn numbers(mut self, meta: &Metadata, size: u64, device: (u32, u32)) -> Self {
        let mtime = u64::try_from(meta.mtime).unwrap_or(0);
        let fields = [
            (100, 8, u64::from(meta.mode & 0o7777)),
            (108, 8, u64::from(meta.uid)),
            (116, 8, u64::from(meta.gid)),
            (124, 12, size),
            (136, 12, mtime),
            (329, 8, u64::from(device.0)),
            (337, 8, u64::from(device.1)),
        ];
        for (at, width, number) in fields {
            let most = if width == 8 { MAX_SHORT } else { MAX_LONG };
            let number = if number > most { 0 } else { number };
            let text = format!("{number:0width$o}", width = width - 1);
            self.0[at..at + width - 1].copy_from_slice(text.as_bytes());
        }
        self
    }

    fn finish(mut self) -> [u8; BLOCK] {
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|&byte| u32::from(byte)).sum();
        self.0[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        self.0[154] = 0;
        self.0
    }
}

#[cfg(test)]
mod tests;

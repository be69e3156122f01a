//! Reading tar streams in one pass, as a container runtime would see them.
//!
//! Layers and Debian packages are tar archives, so both rooms of floor 1 read them with this.
//! It understands ustar, GNU long names and binary numbers, and pax headers (`SCHILY.xattr.*`
//! included), and where the formats leave room it decides as Go's `archive/tar` does, because that
//! is what unpacks images in practice: types without a body have none whatever their size field
//! says, a pax `size` wins over the header's, global pax headers change nothing.
//! Sources: POSIX.1-2024 `pax`, GNU tar manual "Basic Tar Format", `tar(5)` of libarchive.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use crate::Metadata;

/// Largest pax header or GNU long name that is believed, in bytes (Go's limit).
pub const MAX_SPECIAL: u64 = 1 << 20;

const BLOCK: usize = 512;

/// What an archive member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A regular file, with a body.
    File,
    /// Another name of an earlier member.
    Hardlink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A directory.
    Dir,
    /// A named pipe.
    Fifo,
    /// A sparse file: its body is not its content. plimsoll does not expand those.
    Sparse,
    /// A type of which nothing is known; the byte of the header.
    Other(u8),
}

/// One member, its body not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name as written, without trailing slash: may be relative, absolute, hostile.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Type,
    /// Target of a link, as written.
    pub link: Vec<u8>,
    /// Bytes of the body that follows; 0 for types that have none.
    pub size: u64,
    /// Where the body begins, in bytes from the start of the stream.
    pub offset: u64,
    /// Owner, mode, time, attributes.
    pub meta: Metadata,
    /// Device numbers, major and minor.
    pub device: (u32, u32),
}

impl Member {
    /// Whether the name, as written, climbs with a `..` component: an honest archiver writes none.
    pub fn climbs(&self) -> bool {
        self.name
            .split(|&byte| byte == b'/')
            .any(|part| part == b"..")
    }
}

/// Why a stream cannot be read further.
#[derive(Debug)]
pub enum TarError {
    /// The stream ends inside a member; the offset where it ended.
    Truncated(u64),
    /// A header that is none: wrong checksum or unreadable numbers; its offset.
    Header(u64),
    /// A pax header or long name larger than [`MAX_SPECIAL`]; its size.
    TooLarge(u64),
    /// The stream itself failed.
    Io(io::Error),
}

impl fmt::Display for TarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated(offset) => {
                write!(f, "the archive ends in the middle, at byte {offset}")
            }
            Self::Header(offset) => write!(f, "not a tar header at byte {offset}"),
            Self::TooLarge(size) => {
                write!(
                    f,
                    "an extended header of {size} bytes, more than the limit of {MAX_SPECIAL}"
                )
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TarError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for TarError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A tar stream. [`Archive::next_member`] gives the next member; reading from the archive itself
/// gives that member's body.
pub struct Archive<R> {
    stream: R,
    /// Passes bytes that nobody reads.
    skip: fn(&mut R, u64) -> io::Result<u64>,
    offset: u64,
    /// Bytes of the current body not yet read, and the padding behind it.
    body: u64,
    padding: u64,
}

/// What pax and GNU headers say about the member that follows them.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<(i64, u32)>,
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    sparse: bool,
}

impl<R: Read> Archive<R> {
    /// Reads from the start of `stream`.
    pub fn new(stream: R) -> Self {
        Self::hopping(stream, |stream, count| {
            io::copy(&mut stream.take(count), &mut io::sink())
        })
    }

    /// The same of a stream that need not be read to get on: `skip` passes so many bytes, and answers how
    /// many there were.
    pub fn hopping(stream: R, skip: fn(&mut R, u64) -> io::Result<u64>) -> Self {
        Self {
            stream,
            skip,
            offset: 0,
            body: 0,
            padding: 0,
        }
    }

    /// The next member, or `None` at the end: two blocks of zeros, or the end of the stream
    /// between two members. What is left of the body before it is skipped.
    ///
    /// # Errors
    /// When the stream ends or fails inside a member, or what follows is no header.
    pub fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        let mut extended = Extended::default();
        loop {
            self.skip_body()?;
            let start = self.offset;
            let Some(block) = self.read_block()? else {
                return Ok(None);
            };
            if block.iter().all(|&byte| byte == 0) {
                return match self.read_block()? {
                    Some(second) if second.iter().any(|&byte| byte != 0) => {
                        Err(TarError::Header(start + BLOCK as u64))
                    }
                    _ => Ok(None),
                };
            }
            let header = Header {
                block: &block,
                start,
            };
            header.verify()?;
            let flag = block[156];
            let size = header.number(124..136)?;
            match flag {
                b'x' => {
                    let text = self.special(size)?;
                    parse_pax(&text, &mut extended).ok_or(TarError::Header(start))?;
                }
                b'g' => drop(self.special(size)?),
                b'L' => extended.name = Some(until_nul(&self.special(size)?).to_vec()),
                b'K' => extended.link = Some(until_nul(&self.special(size)?).to_vec()),
                _ => return self.member(&header, flag, size, extended).map(Some),
            }
        }
    }

    /// The stream behind the archive, wherever the reading stopped.
    pub fn into_inner(self) -> R {
        self.stream
    }

    /// Bytes read from the stream so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn member(
        &mut self,
        header: &Header<'_>,
        flag: u8,
        size: u64,
        extended: Extended,
    ) -> Result<Member, TarError> {
        let mut name = extended.name.unwrap_or_else(|| header.name());
        // Archives older than POSIX mark a directory by a trailing slash alone (`tar(5)`).
        let slash = name.last() == Some(&b'/');
        let kind = match flag {
            b'0' | 0 | b'7' if slash => Type::Dir,
            b'0' | 0 | b'7' if extended.sparse => Type::Sparse,
            b'0' | 0 | b'7' => Type::File,
            b'1' => Type::Hardlink,
            b'2' => Type::Symlink,
            b'3' => Type::Char,
            b'4' => Type::Block,
            b'5' => Type::Dir,
            b'6' => Type::Fifo,
            b'S' => Type::Sparse,
            other => Type::Other(other),
        };
        while name.len() > 1 && name.last() == Some(&b'/') {
            name.pop();
        }
        let has_body = matches!(kind, Type::File | Type::Sparse | Type::Other(_));
        let size = if has_body {
            extended.size.unwrap_or(size)
        } else {
            0
        };
        if flag == b'S' {
            self.skip_sparse_maps(header.block[482] != 0)?;
        }
        self.body = size;
        self.padding = padding(size);
        let (mtime, mtime_nanos) = match extended.mtime {
            Some(time) => time,
            None => (header.signed(136..148)?, 0),
        };
        let id = |range, pax: Option<u32>| match pax {
            Some(id) => Ok(id),
            None => header
                .number(range)
                .map(|id| u32::try_from(id).unwrap_or(u32::MAX)),
        };
        let device = if matches!(kind, Type::Char | Type::Block) {
            let number = |range| {
                header
                    .number(range)
                    .map(|n| u32::try_from(n).unwrap_or(u32::MAX))
            };
            (number(329..337)?, number(337..345)?)
        } else {
            (0, 0)
        };
        Ok(Member {
            name,
            kind,
            link: extended
                .link
                .unwrap_or_else(|| until_nul(&header.block[157..257]).to_vec()),
            size,
            offset: self.offset,
            meta: Metadata {
                mode: (header.number(100..108)? & 0o7777) as u32,
                uid: id(108..116, extended.uid)?,
                gid: id(116..124, extended.gid)?,
                mtime,
                mtime_nanos,
                xattrs: (!extended.xattrs.is_empty()).then(|| Arc::new(extended.xattrs)),
            },
            device,
        })
    }

    /// The body of an extended header.
    fn special(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > MAX_SPECIAL {
            return Err(TarError::TooLarge(size));
        }
        self.body = size;
        self.padding = padding(size);
        let mut text = Vec::with_capacity(size as usize);
        self.read_to_end(&mut text)?;
        if text.len() as u64 == size {
            Ok(text)
        } else {
            Err(TarError::Truncated(self.offset))
        }
    }

    /// Old GNU sparse files may carry further blocks of map in front of the body.
    fn skip_sparse_maps(&mut self, mut more: bool) -> Result<(), TarError> {
        while more {
            let block = self.read_block()?.ok_or(TarError::Truncated(self.offset))?;
            more = block[504] != 0;
        }
        Ok(())
    }

    fn skip_body(&mut self) -> Result<(), TarError> {
        let wanted = self.body + self.padding;
        let skipped = (self.skip)(&mut self.stream, wanted)?;
        self.offset += skipped;
        // A stream that ends inside the padding of its last body is whole enough (`tar` writes such).
        if skipped < self.body {
            return Err(TarError::Truncated(self.offset));
        }
        self.body = 0;
        self.padding = 0;
        Ok(())
    }

    /// A block, or `None` if the stream ends here.
    fn read_block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.stream.read(&mut block[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.offset += filled as u64;
        match filled {
            0 => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(TarError::Truncated(self.offset)),
        }
    }
}

/// The body of the member given last.
impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.body)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.stream.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.body -= count as u64;
        self.offset += count as u64;
        Ok(count)
    }
}

/// The zeros behind a body, up to the next block.
const fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

struct Header<'a> {
    block: &'a [u8; BLOCK],
    start: u64,
}

impl Header<'_> {
    /// The checksum is the sum of all bytes, its own field taken as blanks; old archivers summed
    /// signed bytes.
    fn verify(&self) -> Result<(), TarError> {
        let wanted = self.number(148..156)?;
        let own = 148..156;
        let bytes = self.block.iter().enumerate();
        let bytes = bytes.map(|(index, &byte)| if own.contains(&index) { b' ' } else { byte });
        let unsigned: u64 = bytes.clone().map(u64::from).sum();
        let signed: i64 = bytes.map(|byte| i64::from(byte as i8)).sum();
        if wanted == unsigned || i64::try_from(wanted) == Ok(signed) {
            Ok(())
        } else {
            Err(TarError::Header(self.start))
        }
    }

    fn name(&self) -> Vec<u8> {
        let name = until_nul(&self.block[..100]);
        // Only POSIX headers have the prefix field; GNU's old ones keep times there.
        let prefix = until_nul(&self.block[345..500]);
        if &self.block[257..263] == b"ustar\0" && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        }
    }

    /// An unsigned number.
    fn number(&self, range: std::ops::Range<usize>) -> Result<u64, TarError> {
        u64::try_from(self.signed(range)?).map_err(|_| TarError::Header(self.start))
    }

    /// Octal text, or GNU's big-endian binary with the top bit of the first byte set.
    fn signed(&self, range: std::ops::Range<usize>) -> Result<i64, TarError> {
        let field = &self.block[range];
        let bad = TarError::Header(self.start);
        if field[0] & 0x80 != 0 {
            let negative = field[0] & 0x40 != 0;
            let first = if negative {
                i128::from(field[0] as i8)
            } else {
                i128::from(field[0] & 0x7f)
            };
            let value = field[1..].iter().try_fold(first, |value, &byte| {
                value.checked_mul(256)?.checked_add(byte.into())
            });
            return value.and_then(|value| i64::try_from(value).ok()).ok_or(bad);
        }
        let text = field
            .split(|&byte| byte == 0)
            .next()
            .unwrap_or_default()
            .trim_ascii();
        text.iter()
            .try_fold(0_i64, |value, &digit| match digit {
                b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
                _ => None,
            })
            .ok_or(bad)
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Records of the form `LENGTH KEY=VALUE\n`; `None` if one is not.
fn parse_pax(mut text: &[u8], extended: &mut Extended) -> Option<()> {
    while !text.is_empty() {
        let blank = text.iter().position(|&byte| byte == b' ')?;
        let length: usize = std::str::from_utf8(&text[..blank]).ok()?.parse().ok()?;
        let record = text.get(blank + 1..length)?.strip_suffix(b"\n")?;
        text = &text[length..];
        let equals = record.iter().position(|&byte| byte == b'=')?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        match key {
            // An empty value takes the record back (POSIX pax).
            b"path" => extended.name = (!value.is_empty()).then(|| value.to_vec()),
            b"linkpath" => extended.link = (!value.is_empty()).then(|| value.to_vec()),
            b"size" => extended.size = Some(number()?),
            b"uid" => extended.uid = Some(u32::try_from(number()?).ok()?),
            b"gid" => extended.gid = Some(u32::try_from(number()?).ok()?),
            b"mtime" => extended.mtime = Some(parse_time(value)?),
            _ if key.starts_with(b"GNU.sparse.") => extended.sparse = true,
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    extended.xattrs.insert(name.to_vec(), value.to_vec());
                }
            }
        }
    }
    Some(())
}

/// Seconds with an optional fraction, the sign before all of it.
fn parse_time(value: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanos: u32 = digits.parse().ok()?;
    Some(match (text.starts_with('-'), nanos) {
        (true, 1..) => (seconds.checked_sub(1)?, 1_000_000_000 - nanos),
        _ => (seconds, nanos),
    })
}

#[cfg(test)]
mod tests;

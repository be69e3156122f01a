//! Decompression of what repositories and packages are made of: gzip, xz, zstd, or nothing.

use std::io::{self, BufRead, BufReader, Read};

/// Memory an xz stream may ask for, in bytes; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

/// What the first bytes of a stream say about its compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// RFC 1952.
    Gzip,
    /// The .xz file format, 2.1.1.1.
    Xz,
    /// RFC 8878, skippable frames included.
    Zstd,
    Bzip2,
    /// The old .lzma format, as far as it can be told: the properties byte that `xz --format=lzma`
    /// and dpkg wrote.
    Lzma,
    None,
}

impl Format {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0x5d, 0, 0, ..] => Self::Lzma,
            _ => Self::None,
        }
    }
}

/// A reader of what `stream` holds, decompressed as its first bytes ask for; `name` is for messages.
///
/// # Errors
/// `Unsupported` for bzip2 and the old lzma format, else those of the stream.
pub(crate) fn reader(name: &str, stream: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut stream = BufReader::with_capacity(64 << 10, stream);
    let format = Format::of(stream.fill_buf()?);
    let unsupported = |what: &str| {
        let text = format!("{name} is compressed with {what}, which plimsoll does not read");
        Err(io::Error::new(io::ErrorKind::Unsupported, text))
    };
    Ok(match format {
        Format::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(stream)),
        Format::Xz => {
            let flags = liblzma::stream::CONCATENATED;
            let decoder = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(stream, decoder))
        }
        Format::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(stream)?),
        Format::Bzip2 => return unsupported("bzip2"),
        Format::Lzma => return unsupported("the old lzma format"),
        Format::None => Box::new(stream),
    })
}

/// All that `stream` gives, if that is not more than `limit` bytes.
///
/// # Errors
/// `FileTooLarge` above the limit, else those of the stream.
pub(crate) fn read_all(name: &str, stream: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(name, limit));
    }
    Ok(bytes)
}

pub(crate) fn too_large(name: &str, limit: u64) -> io::Error {
    let text = format!("{name} has more bytes than the limit of {limit}");
    io::Error::new(io::ErrorKind::FileTooLarge, text)
}

/// A reader that fails once it has given `limit` bytes and there are more.
pub(crate) struct Limited<R> {
    pub(crate) stream: R,
    pub(crate) left: u64,
    pub(crate) limit: u64,
    pub(crate) name: String,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(count)
            }
            None => Err(too_large(&self.name, self.limit)),
        }
    }
}

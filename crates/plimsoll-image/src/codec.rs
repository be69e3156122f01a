//! How bytes are compressed, told by their first bytes, and how they are made plain.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// A compression a layer or an archive may have.
///
/// Told by magic numbers, because media types lie: `docker save` archives have none, and
/// `tar.gzip` blobs with zstd inside exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// None.
    Plain,
    /// Gzip, one or more members (RFC 1952).
    Gzip,
    /// Zstandard, one or more frames (RFC 8878).
    Zstd,
}

/// Bytes of a file that [`Codec::of`] wants to see.
pub(crate) const MAGIC: usize = 6;

impl Codec {
    /// What these first bytes say; `Err` names a compression that plimsoll does not read.
    pub(crate) fn of(head: &[u8]) -> Result<Self, &'static str> {
        match head {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Self::Zstd),
            // A zstd stream may begin with a skippable frame.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err("xz"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Err("bzip2"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Err("lz4"),
            _ => Ok(Self::Plain),
        }
    }

    /// A reader of the plain bytes of `source`.
    pub(crate) fn decode<R: Read>(self, source: R) -> io::Result<Decoder<R>> {
        let source = BufReader::with_capacity(128 << 10, source);
        Ok(match self {
            Self::Plain => Decoder::Plain(source),
            Self::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(source))),
            Self::Zstd => Decoder::Zstd(zstd::Decoder::with_buffer(source)?),
        })
    }
}

/// Reads the plain bytes; gives the source back when it is done.
pub(crate) enum Decoder<R: Read> {
    Plain(BufReader<R>),
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
    Zstd(zstd::Decoder<'static, BufReader<R>>),
}

impl<R: Read> Decoder<R> {
    pub(crate) fn into_source(self) -> R {
        match self {
            Self::Plain(source) => source.into_inner(),
            Self::Gzip(decoder) => decoder.into_inner().into_inner(),
            Self::Zstd(decoder) => decoder.finish().into_inner(),
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn several_members_in_a_row_are_one_stream() {
        let gzip = |bytes: &[u8]| {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        };
        let zstd = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).unwrap();
        for (codec, bytes) in [
            (Codec::Gzip, [gzip(b"one"), gzip(b"two")].concat()),
            (Codec::Zstd, [zstd(b"one"), zstd(b"two")].concat()),
            (Codec::Plain, b"onetwo".to_vec()),
        ] {
            assert_eq!(Codec::of(&bytes), Ok(codec));
            let mut plain = String::new();
            let mut decoder = codec.decode(&*bytes).unwrap();
            decoder.read_to_string(&mut plain).unwrap();
            assert_eq!(plain, "onetwo");
            assert!(decoder.into_source().is_empty());
        }
    }

    #[test]
    fn a_foreign_compression_has_a_name() {
        assert_eq!(Codec::of(b"\xfd7zXZ\0"), Err("xz"));
        assert_eq!(Codec::of(b""), Ok(Codec::Plain));
    }
}

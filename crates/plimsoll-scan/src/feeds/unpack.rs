//! Takes documents out of what they were packed in: gzip, xz, zstd, zip, tar, one in another.

use std::io::Read;

use plimsoll_model::tar;
use rawzip::{CompressionMethod, ZipArchive};

use super::Document;

/// How much may come out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of one document.
    pub(super) document: u64,
    /// Bytes of all documents, per byte of what they were packed in: JSON shrinks to a twentieth, a
    /// file made to fill a disk to a thousandth.
    pub(super) ratio: u64,
    /// What all documents may have whatever the ratio.
    pub(super) least: u64,
    /// Documents.
    pub(super) entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document: 1 << 30,
            ratio: 150,
            least: 64 << 20,
            entries: 2_000_000,
        }
    }
}

/// Calls `each` with every document in `bytes`, and whether it is the only one by nature (a file that
/// is no archive).
pub(super) fn documents(
    name: &str,
    bytes: &[u8],
    limits: Limits,
    each: &mut dyn FnMut(Document<'_>, bool),
) -> Result<(), String> {
    let most = (bytes.len() as u64)
        .saturating_mul(limits.ratio)
        .max(limits.least);
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return zip(bytes, most, limits, each);
    }
    let Some(unpacked) = stream(bytes, most.min(limits.document))? else {
        if bytes.get(257..262) == Some(b"ustar") {
            return members(bytes, limits, each);
        }
        each(Document { name, bytes }, true);
        return Ok(());
    };
    if unpacked.get(257..262) == Some(b"ustar") {
        return members(&unpacked, limits, each);
    }
    let inner = [".gz", ".xz", ".zst", ".zstd"];
    let inner = inner.iter().find_map(|end| name.strip_suffix(end));
    let document = Document {
        name: inner.unwrap_or(name),
        bytes: &unpacked,
    };
    each(document, true);
    Ok(())
}

/// The content of a compressed stream; `None` for what is not compressed.
fn stream(bytes: &[u8], most: u64) -> Result<Option<Vec<u8>>, String> {
    let cut = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "is cut short".to_owned(),
        _ => format!("cannot be unpacked: {error}"),
    };
    let reader: Box<dyn Read + '_> = match bytes {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(zstd::stream::read::Decoder::with_buffer(bytes).map_err(cut)?)
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(bytes))
        }
        _ => return Ok(None),
    };
    let mut unpacked = Vec::new();
    let read = reader
        .take(most.saturating_add(1))
        .read_to_end(&mut unpacked);
    read.map_err(cut)?;
    if unpacked.len() as u64 > most {
        return Err(bomb(most));
    }
    Ok(Some(unpacked))
}

fn bomb(most: u64) -> String {
    format!("unpacks to more than {most} bytes, the limit for its size")
}

fn members(
    bytes: &[u8],
    limits: Limits,
    each: &mut dyn FnMut(Document<'_>, bool),
) -> Result<(), String> {
    let mut archive = tar::Archive::new(bytes);
    let mut count = 0;
    while let Some(member) = archive.next_member().map_err(|error| error.to_string())? {
        if member.kind != tar::Type::File {
            continue;
        }
        count += 1;
        if count > limits.entries {
            return Err(format!("has more than {} documents", limits.entries));
        }
        let name = String::from_utf8_lossy(&member.name).into_owned();
        let mut body = Vec::new();
        archive
            .read_to_end(&mut body)
            .map_err(|error| format!("{name}: {error}"))?;
        each(
            Document {
                name: &name,
                bytes: &body,
            },
            false,
        );
    }
    Ok(())
}

fn zip(
    bytes: &[u8],
    most: u64,
    limits: Limits,
    each: &mut dyn FnMut(Document<'_>, bool),
) -> Result<(), String> {
    let broken =
        |error: rawzip::Error| format!("is a broken zip archive (was it cut short?): {error}");
    let archive = ZipArchive::from_slice(bytes).map_err(broken)?;
    if archive.entries_hint() > limits.entries {
        return Err(format!("has more than {} documents", limits.entries));
    }
    let mut entries = archive.entries();
    let mut left = most;
    let mut document = Vec::new();
    while let Some(entry) = entries.next_entry().map_err(broken)? {
        let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        if entry.is_dir() {
            continue;
        }
        let found = archive.get_entry(entry.wayfinder()).map_err(broken)?;
        let data = found.data();
        let size = entry.uncompressed_size_hint();
        if size > left.min(limits.document) {
            return Err(bomb(most));
        }
        document.clear();
        let read = match entry.compression_method() {
            CompressionMethod::STORE => data.take(size + 1).read_to_end(&mut document),
            CompressionMethod::DEFLATE => flate2::bufread::DeflateDecoder::new(data)
                .take(size + 1)
                .read_to_end(&mut document),
            other => return Err(format!("{name}: is packed in an unknown way ({other:?})")),
        };
        let crc = flate2_crc(&document);
        match read {
            // What it says is what came out, or it is not what was packed.
            Ok(count) if count as u64 == size && crc == entry.crc32() => {}
            _ => {
                return Err(format!(
                    "{name}: is not what was packed (was the archive changed?)"
                ));
            }
        }
        left -= size;
        each(
            Document {
                name: &name,
                bytes: &document,
            },
            false,
        );
    }
    Ok(())
}

fn flate2_crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

//! Compressing a stream with all cores, so that the bytes do not depend on how many there are.
//!
//! The stream is cut into blocks of a fixed size. Gzip blocks are deflated as `pigz` does it: each
//! with the 32 KiB before it as dictionary, ended by a sync flush, so that all of them together
//! are one deflate stream in one gzip member (RFC 1951, RFC 1952). Zstandard blocks are frames in
//! a row (RFC 8878, section 3).

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::{Compress, Crc, FlushCompress, Status};
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::stream::digest_of;
use crate::write::{Compression, WriteOptions, WrittenLayer};

const GZIP_BLOCK: usize = 1 << 20;
const ZSTD_BLOCK: usize = 4 << 20;
/// The window of deflate.
const DICTIONARY: usize = 32 << 10;
/// An empty last block with fixed codes: the end of a deflate stream (RFC 1951, 3.2.3).
const END_OF_DEFLATE: [u8; 2] = [3, 0];

/// Writes what `source` writes to `out`, compressed; both sides hashed.
///
/// # Errors
/// Those of `source`, and of `out`.
pub(super) fn compress(
    options: &WriteOptions<'_>,
    source: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
    out: &mut (dyn Write + Send),
) -> Result<WrittenLayer, Error> {
    let threads = match options.threads {
        Some(threads) => threads.get(),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let (block, header) = match options.compression {
        Compression::None => (GZIP_BLOCK, &[][..]),
        // No name, no time, no operating system (255 is "unknown").
        Compression::Gzip => (GZIP_BLOCK, &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..]),
        Compression::Zstd => (ZSTD_BLOCK, &[][..]),
    };
    let level = options.level;
    let compression = options.compression;
    let (jobs_in, jobs_out) = sync_channel::<Job>(threads);
    let jobs_out = Mutex::new(jobs_out);
    // The queue of results is in the order of the blocks, and its length bounds the memory.
    let (order_in, order_out) = sync_channel::<Receiver<io::Result<Packed>>>(2 * threads);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&jobs_out, compression, level));
        }
        let collector = scope.spawn(move || collect(order_out, header, compression, out));
        let mut blocks = Blocks {
            block,
            buffer: Vec::with_capacity(block),
            before: None,
            jobs: jobs_in,
            order: order_in,
            hash: Sha256::new(),
            size: 0,
        };
        let result = source(&mut blocks).and_then(|()| {
            blocks.send().map_err(Error::io("the compressor"))?;
            Ok((digest_of(blocks.hash.clone()), blocks.size))
        });
        drop(blocks);
        let collected = match collector.join() {
            Ok(collected) => collected,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        // When the disk is full, the source only hears of a broken pipe.
        let (digest, size) = collected.map_err(Error::io("the compressed layer"))?;
        let (diff_id, uncompressed) = result?;
        Ok(WrittenLayer {
            digest: digest.unwrap_or(diff_id),
            diff_id,
            size,
            uncompressed,
        })
    })
}

/// A block on its way to a worker.
struct Job {
    bytes: Arc<Vec<u8>>,
    /// The block before it.
    before: Option<Arc<Vec<u8>>>,
    reply: SyncSender<io::Result<Packed>>,
}

/// A compressed block.
struct Packed {
    bytes: Vec<u8>,
    crc: Crc,
}

/// Cuts what is written to it into jobs.
struct Blocks {
    block: usize,
    buffer: Vec<u8>,
    before: Option<Arc<Vec<u8>>>,
    jobs: SyncSender<Job>,
    order: SyncSender<Receiver<io::Result<Packed>>>,
    hash: Sha256,
    size: u64,
}

impl Blocks {
    fn send(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.hash.update(&self.buffer);
        self.size += self.buffer.len() as u64;
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(self.block));
        let bytes = Arc::new(bytes);
        let (reply, result) = sync_channel(1);
        let job = Job {
            bytes: Arc::clone(&bytes),
            before: self.before.replace(bytes),
            reply,
        };
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.order.send(result).map_err(gone)?;
        self.jobs
            .send(job)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.block - self.buffer.len();
        let count = room.min(bytes.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        if self.buffer.len() == self.block {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, compression: Compression, level: Option<u32>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        let _ = job.reply.send(pack(&job, compression, level));
    }
}

fn pack(job: &Job, compression: Compression, level: Option<u32>) -> io::Result<Packed> {
    let mut crc = Crc::new();
    let bytes = match compression {
        Compression::None => job.bytes.to_vec(),
        Compression::Gzip => {
            crc.update(&job.bytes);
            let level = flate2::Compression::new(level.unwrap_or(6).min(9));
            deflate(&job.bytes, job.before.as_deref(), level)?
        }
        Compression::Zstd => {
            let level = i32::try_from(level.unwrap_or(3)).unwrap_or(3).min(19);
            zstd::bulk::compress(&job.bytes, level)?
        }
    };
    Ok(Packed { bytes, crc })
}

/// The block as deflate blocks that end at a byte, none of them the last.
fn deflate(
    bytes: &[u8],
    before: Option<&Vec<u8>>,
    level: flate2::Compression,
) -> io::Result<Vec<u8>> {
    let mut compress = Compress::new(level, false);
    if let Some(before) = before {
        let dictionary = &before[before.len().saturating_sub(DICTIONARY)..];
        compress
            .set_dictionary(dictionary)
            .map_err(io::Error::other)?;
    }
    let mut out = Vec::with_capacity(bytes.len() / 2 + 4096);
    loop {
        let done = compress.total_in() as usize;
        let status = compress
            .compress_vec(&bytes[done..], &mut out, FlushCompress::Sync)
            .map_err(io::Error::other)?;
        if status == Status::StreamEnd {
            return Err(io::Error::other("deflate ended before its input"));
        }
        // Room to spare means that the flush is complete.
        if compress.total_in() as usize == bytes.len() && out.len() < out.capacity() {
            return Ok(out);
        }
        out.reserve(bytes.len() / 4 + 4096);
    }
}

/// Writes the results in order; answers the digest and the size of all of it: no digest where nothing
/// was compressed, because it is that of the source.
fn collect(
    order: Receiver<Receiver<io::Result<Packed>>>,
    header: &[u8],
    compression: Compression,
    out: &mut (dyn Write + Send),
) -> io::Result<(Option<plimsoll_model::Digest>, u64)> {
    let mut hash = (compression != Compression::None).then(Sha256::new);
    let mut size = 0;
    let mut crc = Crc::new();
    let mut put = |bytes: &[u8]| {
        if let Some(hash) = &mut hash {
            hash.update(bytes);
        }
        size += bytes.len() as u64;
        out.write_all(bytes)
    };
    put(header)?;
    for result in order {
        // No reply means that its worker panicked, which the scope reports.
        let packed = result.recv().map_err(io::Error::other)??;
        put(&packed.bytes)?;
        crc.combine(&packed.crc);
    }
    if compression == Compression::Gzip {
        put(&END_OF_DEFLATE)?;
        put(&crc.sum().to_le_bytes())?;
        put(&crc.amount().to_le_bytes())?;
    }
    out.flush()?;
    Ok((hash.map(digest_of), size))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::num::NonZeroUsize;

    use super::*;
    use crate::codec::Codec;

    /// Bytes that compress somewhat, and not the same in every block.
    fn sample(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 & 0x1f
        };
        (0..length).map(|_| next()).collect()
    }

    fn packed(bytes: &[u8], compression: Compression, threads: usize) -> (Vec<u8>, WrittenLayer) {
        let options = WriteOptions {
            compression,
            threads: NonZeroUsize::new(threads),
            ..WriteOptions::default()
        };
        let mut out = Vec::new();
        let source = |to: &mut dyn Write| to.write_all(bytes).map_err(Error::io("test"));
        let layer = compress(&options, source, &mut out).unwrap();
        (out, layer)
    }

    #[test]
    fn the_bytes_do_not_depend_on_the_number_of_threads_and_decompress() {
        for length in [0, 1, GZIP_BLOCK, 2 * GZIP_BLOCK + 1, ZSTD_BLOCK + 77_777] {
            let bytes = sample(length);
            for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
                let (one, layer) = packed(&bytes, compression, 1);
                let (many, _) = packed(&bytes, compression, 5);
                assert!(one == many, "{compression:?} {length}");
                assert_eq!(layer.digest, crate::stream::digest(&one));
                assert_eq!(layer.diff_id, crate::stream::digest(&bytes));
                assert_eq!(layer.size, one.len() as u64);
                let mut plain = Vec::new();
                let codec = Codec::of(&one).unwrap();
                let mut decoder = codec.decode(&*one).unwrap();
                decoder.read_to_end(&mut plain).unwrap();
                assert!(plain == bytes, "{compression:?} {length}");
            }
        }
    }

    #[test]
    fn the_error_of_a_full_disk_is_the_one_reported() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let bytes = sample(20 * GZIP_BLOCK);
        let source = |to: &mut dyn Write| to.write_all(&bytes).map_err(Error::io("test"));
        let error = compress(&WriteOptions::default(), source, &mut Full).unwrap_err();
        let Error::Io { source, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn the_output_of_this_version_is_pinned() {
        // A change here changes the digest of every image plimsoll writes: say so in the changelog.
        let (_, layer) = packed(&sample(3_000_000), Compression::Gzip, 2);
        assert_eq!(layer.digest.short(), "6af941aeee57");
    }
}

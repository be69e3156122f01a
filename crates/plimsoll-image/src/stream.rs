//! One pass over a compressed layer: bytes in, plain chunks out, both sides hashed on the way.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use plimsoll_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::codec::{Codec, Decoder};
use crate::part::Part;
use crate::spool::Section;

/// Bytes of a chunk.
const CHUNK: usize = 256 << 10;
/// Chunks on their way between the two threads of a layer.
const IN_FLIGHT: usize = 4;
/// A layer below this many compressed bytes is not worth a second thread.
const WORTH_A_THREAD: u64 = 1 << 20;

/// Tells the caller how much was read of all layers.
pub(crate) struct Meter<'a> {
    pub(crate) tell: Option<&'a (dyn Fn(u64, u64) + Sync)>,
    pub(crate) total: u64,
    pub(crate) done: AtomicU64,
}

impl Meter<'_> {
    pub(crate) fn silent() -> Self {
        Self {
            tell: None,
            total: 0,
            done: AtomicU64::new(0),
        }
    }

    pub(crate) fn add(&self, count: u64) {
        if let Some(tell) = self.tell {
            let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
            tell(done, self.total);
        }
    }
}

/// What the compressed side turned out to be.
pub(crate) struct Stored {
    /// Digest of the bytes as stored; `None` for an uncompressed layer, whose diff id it is.
    pub(crate) digest: Option<Digest>,
    /// How many they are.
    pub(crate) size: u64,
    /// Why decompression stopped before the end.
    pub(crate) failure: Option<Failure>,
}

/// Why decompression stopped.
pub(crate) enum Failure {
    /// The disk's answer.
    Disk(io::Error),
    /// The compressed data ends in the middle.
    Truncated,
    /// The compressed data makes no sense.
    Corrupt(io::Error),
}

/// Plain bytes in a buffer that is used again.
pub(crate) struct Chunk {
    bytes: Box<[u8]>,
    filled: usize,
}

impl Chunk {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; CHUNK].into(),
            filled: 0,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

/// Somebody who gives one chunk after the other.
pub(crate) trait Chunks {
    /// Puts the next bytes into `chunk`; `false` at the end.
    fn next(&mut self, chunk: &mut Chunk) -> bool;
}

/// Runs `consume` on the plain bytes of `part`, in a thread of its own for a large one, so that
/// decompression and what `consume` does (hashing, mostly) overlap.
pub(crate) fn run<T: Send>(
    part: &Part,
    codec: Codec,
    meter: &Meter<'_>,
    consume: impl FnOnce(&mut dyn Chunks) -> T + Send,
) -> io::Result<(T, Stored)> {
    let mut inflate = Inflate::new(part, codec, meter)?;
    if part.size < WORTH_A_THREAD {
        let value = consume(&mut inflate);
        return Ok((value, inflate.finish()));
    }
    let (full_in, full_out) = sync_channel(IN_FLIGHT);
    let (free_in, free_out) = sync_channel(IN_FLIGHT);
    for _ in 0..IN_FLIGHT {
        let _ = free_in.send(Chunk::new());
    }
    std::thread::scope(|scope| {
        let producer = scope.spawn(move || {
            while let Ok(mut chunk) = free_out.recv() {
                if !inflate.next(&mut chunk) || full_in.send(chunk).is_err() {
                    break;
                }
            }
            drop(full_in);
            inflate.finish()
        });
        let mut queue = Queue {
            full: full_out,
            free: free_in,
        };
        let value = consume(&mut queue);
        // Whoever stopped early must not leave the other side waiting.
        drop(queue);
        match producer.join() {
            Ok(stored) => Ok((value, stored)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// The consumer's end of a layer that is decompressed in another thread.
struct Queue {
    full: Receiver<Chunk>,
    free: SyncSender<Chunk>,
}

impl Chunks for Queue {
    fn next(&mut self, chunk: &mut Chunk) -> bool {
        let Ok(next) = self.full.recv() else {
            return false;
        };
        let used = std::mem::replace(chunk, next);
        // The first chunk is the consumer's own and one too many for the channel.
        let _ = self.free.try_send(used);
        true
    }
}

/// Decompresses a part and hashes what it reads.
struct Inflate<'a> {
    decoder: Option<Decoder<Metered<'a>>>,
    failure: Option<Failure>,
}

impl<'a> Inflate<'a> {
    fn new(part: &Part, codec: Codec, meter: &'a Meter<'a>) -> io::Result<Self> {
        let source = Metered {
            section: part.section(0, part.size)?,
            // An uncompressed layer is hashed once, on the plain side.
            hash: (codec != Codec::Plain).then(Sha256::new),
            count: 0,
            untold: 0,
            failed: false,
            meter,
        };
        Ok(Self {
            decoder: Some(codec.decode(source)?),
            failure: None,
        })
    }

    /// Reads what decompression left behind, so that the digest is that of the whole blob.
    fn finish(mut self) -> Stored {
        let Some(decoder) = self.decoder.take() else {
            return Stored {
                digest: None,
                size: 0,
                failure: self.failure,
            };
        };
        let mut source = decoder.into_source();
        if !matches!(self.failure, Some(Failure::Disk(_)))
            && let Err(error) = io::copy(&mut source, &mut io::sink())
        {
            self.failure = Some(Failure::Disk(error));
        }
        source.meter.add(source.untold);
        Stored {
            digest: source.hash.map(digest_of),
            size: source.count,
            failure: self.failure,
        }
    }
}

impl Chunks for Inflate<'_> {
    fn next(&mut self, chunk: &mut Chunk) -> bool {
        chunk.filled = 0;
        let Some(decoder) = &mut self.decoder else {
            return false;
        };
        while self.failure.is_none() && chunk.filled < chunk.bytes.len() {
            match decoder.read(&mut chunk.bytes[chunk.filled..]) {
                Ok(0) => break,
                Ok(count) => chunk.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.failure = Some(Failure::of(error)),
            }
        }
        chunk.filled > 0
    }
}

impl Failure {
    fn of(error: io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<OfTheDisk>()) {
            return Self::Disk(error);
        }
        // zstd has no error kind of its own for it, only these words.
        let truncated = error.kind() == io::ErrorKind::UnexpectedEof
            || error.to_string().contains("incomplete frame");
        if truncated {
            Self::Truncated
        } else {
            Self::Corrupt(error)
        }
    }
}

/// Marks an error of the disk on its way through a decoder.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct OfTheDisk(io::Error);

/// The stored bytes, counted and hashed as they are read.
struct Metered<'a> {
    section: Section,
    hash: Option<Sha256>,
    count: u64,
    untold: u64,
    failed: bool,
    meter: &'a Meter<'a>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.section.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.failed = true;
                return Err(io::Error::new(error.kind(), OfTheDisk(error)));
            }
        };
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        self.count += count as u64;
        self.untold += count as u64;
        if self.untold >= 1 << 20 {
            self.meter.add(std::mem::take(&mut self.untold));
        }
        Ok(count)
    }
}

/// A writer that keeps nothing but the digest and the size of what went through it.
#[derive(Default)]
pub(crate) struct Summing {
    hash: Sha256,
    size: u64,
}

impl Summing {
    pub(crate) fn finish(self) -> (Digest, u64) {
        (digest_of(self.hash), self.size)
    }
}

impl io::Write for Summing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The digest a hash ended with.
pub(crate) fn digest_of(hash: Sha256) -> Digest {
    Digest::from_bytes(hash.finalize().into())
}

/// The digest of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// Chunks as a reader; `each` sees every chunk once, whole, before any of it is read.
pub(crate) struct ChunkReader<'a, F> {
    chunks: &'a mut dyn Chunks,
    chunk: Chunk,
    at: usize,
    ended: bool,
    each: F,
}

impl<'a, F: FnMut(&[u8]) -> io::Result<()>> ChunkReader<'a, F> {
    pub(crate) fn new(chunks: &'a mut dyn Chunks, each: F) -> Self {
        Self {
            chunks,
            chunk: Chunk {
                bytes: Box::default(),
                filled: 0,
            },
            at: 0,
            ended: false,
            each,
        }
    }

    /// Lets `each` see what nobody read.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        while self.refill()? {}
        Ok(())
    }

    fn refill(&mut self) -> io::Result<bool> {
        if self.chunk.bytes.is_empty() {
            self.chunk = Chunk::new();
        }
        self.ended = self.ended || !self.chunks.next(&mut self.chunk);
        self.at = 0;
        if self.ended {
            self.chunk.filled = 0;
            return Ok(false);
        }
        (self.each)(self.chunk.bytes())?;
        Ok(true)
    }
}

impl<F: FnMut(&[u8]) -> io::Result<()>> Read for ChunkReader<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.filled && !self.refill()? {
            return Ok(0);
        }
        let rest = &self.chunk.bytes()[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

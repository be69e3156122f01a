//! The bytes of the files of an image, wherever they are cheapest to have.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use plimsoll_model::{Contents, Digest, Extent, Seen};
use sha2::{Digest as _, Sha256};

use crate::asked::Asked;
use crate::codec::{Codec, Decoder};
use crate::kept::Kept;
use crate::part::Part;
use crate::spool::Section;
use crate::stream::digest_of;

/// How often a layer is decompressed from its start before it is put into a temporary file whole.
const PATIENCE: u32 = 2;
/// Decompressions of one layer that wait where they stopped for somebody to read on.
const WAITING: usize = 2;

/// The files of an image's layers.
pub(crate) struct LayerContents {
    pub(crate) layers: Vec<LayerBytes>,
}

/// The plain bytes of one layer.
pub(crate) struct LayerBytes {
    part: Part,
    codec: Codec,
    diff_id: Digest,
    size: u64,
    kept: Kept,
    asked: Asked,
    plain: OnceLock<Arc<File>>,
    restarts: AtomicU32,
    waiting: Mutex<Vec<Stream>>,
}

/// A layer being decompressed, and how far it is.
struct Stream {
    decoder: Decoder<Section>,
    at: u64,
}

impl LayerBytes {
    pub(crate) fn new(
        part: Part,
        codec: Codec,
        diff_id: Digest,
        size: u64,
        kept: Kept,
        spooled: Option<File>,
    ) -> Self {
        let plain = OnceLock::new();
        if let Some(file) = spooled {
            let _ = plain.set(Arc::new(file));
        }
        Self {
            part,
            codec,
            diff_id,
            size,
            kept,
            asked: Asked::default(),
            plain,
            restarts: AtomicU32::new(0),
            waiting: Mutex::default(),
        }
    }

    /// `size` bytes from `offset` of the plain layer.
    pub(crate) fn open(&self, offset: u64, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        if offset.checked_add(size).is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if size == 0 {
            return Ok(Box::new(io::empty()));
        }
        if let Some(reader) = self.kept.open(offset, size) {
            return Ok(reader);
        }
        if self.codec == Codec::Plain {
            return Ok(Box::new(self.part.section(offset, size)?));
        }
        if self.plain.get().is_none() {
            if let Some(stream) = self.wait_at(offset) {
                return self.resume(stream, offset, size);
            }
            if self.restarts.fetch_add(1, Ordering::Relaxed) < PATIENCE {
                let section = self.part.section(0, self.part.size)?;
                let decoder = self.codec.decode(section)?;
                return self.resume(Stream { decoder, at: 0 }, offset, size);
            }
            self.spill()?;
        }
        match self.plain.get() {
            Some(file) => Ok(Box::new(Section::new(Arc::clone(file), offset, size))),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The decompression that waits nearest before `offset`.
    fn wait_at(&self, offset: u64) -> Option<Stream> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = waiting.iter().enumerate();
        let before = before.filter(|(_, stream)| stream.at <= offset);
        let (index, _) = before.max_by_key(|(_, stream)| stream.at)?;
        Some(waiting.swap_remove(index))
    }

    fn resume(
        &self,
        mut stream: Stream,
        offset: u64,
        size: u64,
    ) -> io::Result<Box<dyn Read + Send + '_>> {
        let gap = offset - stream.at;
        let skipped = io::copy(&mut (&mut stream.decoder).take(gap), &mut io::sink())?;
        if skipped < gap {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        stream.at = offset;
        let stream = Some(stream);
        Ok(Box::new(Resumed {
            layer: self,
            stream,
            left: size,
        }))
    }

    /// Puts the whole plain layer into an unlinked temporary file: whoever jumps about in a layer
    /// would otherwise decompress it again for every file.
    fn spill(&self) -> io::Result<()> {
        let mut file = tempfile::tempfile()?;
        let section = self.part.section(0, self.part.size)?;
        let mut decoder = self.codec.decode(section)?.take(self.size + 1);
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = decoder.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            file.write_all(&buffer[..count])?;
        }
        if digest_of(hash) != self.diff_id {
            return Err(changed());
        }
        // Somebody else may have been as quick; either file is good.
        let _ = self.plain.set(Arc::new(file));
        Ok(())
    }
}

impl Contents for LayerContents {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let layer = self.layers.get(at.layer as usize);
        layer.ok_or(io::ErrorKind::NotFound)?.open(at.offset, size)
    }

    fn open_part(
        &self,
        at: Extent,
        size: u64,
        from: u64,
        length: u64,
    ) -> io::Result<Box<dyn Read + Send + '_>> {
        if from.checked_add(length).is_none_or(|end| end > size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let offset = at.offset.checked_add(from);
        let offset = offset.ok_or(io::ErrorKind::UnexpectedEof)?;
        let layer = self.layers.get(at.layer as usize);
        layer.ok_or(io::ErrorKind::NotFound)?.open(offset, length)
    }

    fn seen(&self, at: Extent) -> Seen {
        let layer = self.layers.get(at.layer as usize);
        layer.map_or(Seen::Unknown, |layer| layer.kept.seen(at.offset))
    }

    fn fingerprint(&self, at: Extent, size: u64) -> Option<u64> {
        let layer = self.layers.get(at.layer as usize)?;
        let counted = layer.kept.fingerprint(at.offset);
        if counted.is_some() || layer.codec != Codec::Plain || size == 0 {
            return counted;
        }
        // What was hopped over is cheap to read now, but not at every question.
        layer.asked.get(at.offset, || {
            if let Some(print) = layer.asked.small(&layer.part, at.offset, size) {
                return print.ok();
            }
            let mut body = layer.open(at.offset, size).ok()?;
            Kept::print(&mut body, size).ok()
        })
    }
}

/// A file read from a running decompression, which waits for the next reader afterwards.
struct Resumed<'a> {
    layer: &'a LayerBytes,
    stream: Option<Stream>,
    left: u64,
}

impl Read for Resumed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(stream) = &mut self.stream else {
            return Ok(0);
        };
        if most == 0 {
            return Ok(0);
        }
        let count = stream.decoder.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(changed());
        }
        stream.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

impl Drop for Resumed<'_> {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else {
            return;
        };
        let waiting = self.layer.waiting.lock();
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == WAITING {
            // The one that is furthest behind serves most readers; the one in between goes.
            let furthest = waiting
                .iter()
                .enumerate()
                .max_by_key(|(_, stream)| stream.at);
            if let Some((index, _)) = furthest {
                waiting.swap_remove(index);
            }
        }
        waiting.push(stream);
    }
}

/// The layer was verified when the image was opened, and is another now.
fn changed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the layer changed since the image was opened",
    )
}

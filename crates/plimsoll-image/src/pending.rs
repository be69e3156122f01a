//! Uncompressed layers, looked at while they are still being verified.
//!
//! Their entries are found by hopping from header to header, which takes a tenth of the time that hashing all
//! of them does. Whoever asked for that ([`crate::Options::ahead`]) may work with the image meanwhile, and
//! must wait for [`Pending`] before it hands anything out.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::codec::Codec;
use crate::layer::{Promised, codec_of};
use crate::spool::Section;
use crate::stream;

/// A smaller layer is hashed at once.
const WORTH_IT: u64 = 1 << 20;
/// Bytes that are read and hashed at a time: they fit in the cache of one processor.
const BUFFER: usize = 128 << 10;

/// Whether the digest of a layer may be found while others look at it: it is uncompressed, and one digest
/// is promised for it.
pub(crate) fn can_wait(promised: &Promised) -> bool {
    let size = promised.part.size;
    promised.diff_id.is_some()
        && promised
            .digest
            .is_none_or(|digest| Some(digest) == promised.diff_id)
        && promised.size.is_none_or(|promised| promised == size)
        && size >= WORTH_IT
        && matches!(codec_of(promised), Ok(Codec::Plain))
}

/// What of an image is still to be verified. Nothing that was learned of the image is to be believed before.
#[derive(Default)]
#[must_use = "an image is not to be believed before it is verified"]
pub struct Pending(Vec<JoinHandle<Option<Bad>>>);

/// Number of a layer, and what is wrong with it.
type Bad = (usize, Error);

impl Pending {
    /// Begins to verify these layers, given with their numbers, in threads of its own.
    pub(crate) fn of(layers: impl Iterator<Item = (usize, Promised)>) -> Self {
        let mut layers: Vec<(usize, Promised)> = layers.collect();
        // The largest first: it takes longest.
        layers.sort_by_key(|(_, promised)| std::cmp::Reverse(promised.part.size));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(layers.len());
        let queue = Arc::new(Mutex::new(VecDeque::from(layers)));
        let workers = (0..threads).map(|_| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || {
                let mut bad: Option<Bad> = None;
                loop {
                    let next = queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some((number, promised)) = next else {
                        return bad;
                    };
                    if let Err(error) = verify(&promised)
                        && bad.as_ref().is_none_or(|(lower, _)| number < *lower)
                    {
                        bad = Some((number, error));
                    }
                }
            })
        });
        Self(workers.collect())
    }

    /// Waits until all is verified.
    ///
    /// # Errors
    /// When a layer is not what was promised; of several the lowest is named.
    pub fn wait(self) -> Result<(), Error> {
        let mut bad = Vec::new();
        for worker in self.0 {
            match worker.join() {
                Ok(found) => bad.extend(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        match bad.into_iter().min_by_key(|(number, _)| *number) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}

fn verify(promised: &Promised) -> Result<(), Error> {
    let what = &promised.what;
    let mut section = promised
        .part
        .section(0, promised.part.size)
        .map_err(Error::io(what))?;
    // One thread reads and hashes: what it has just read is still in its processor's cache.
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match section.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(what)(error)),
        }
    }
    let found = stream::digest_of(hash);
    match promised.diff_id {
        Some(expected) if expected != found => {
            let property = match promised.digest {
                Some(_) => "digest",
                None => "diff id",
            };
            Err(Error::mismatch(
                format!("{what}, {property}"),
                expected,
                found,
            ))
        }
        _ => Ok(()),
    }
}

/// A reader of a layer that hops over what nobody reads.
pub(crate) type Hopper = BufReader<Section>;

/// One of this layer. Most files are small: what is read beyond a header would mostly be hopped over.
pub(crate) fn hopper(promised: &Promised) -> io::Result<Hopper> {
    const BUFFER: usize = 4 << 10;
    let section = promised.part.section(0, promised.part.size)?;
    Ok(BufReader::with_capacity(BUFFER, section))
}

/// Passes so many bytes; answers how many there were.
pub(crate) fn hop(reader: &mut Hopper, count: u64) -> io::Result<u64> {
    let near = count.min(reader.buffer().len() as u64);
    reader.consume(usize::try_from(near).unwrap_or(usize::MAX));
    Ok(near + reader.get_mut().skip(count - near))
}

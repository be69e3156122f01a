//! Writing a slimmed image while it is being proved: compressing it takes as long as running it, and
//! needs nothing the run has. What is proved is then delivered as it lies; what was mended is given up.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plimsoll_image::{Sink, Written};
use plimsoll_model::{Contents, Draft, Extent, Rootfs, Seen};

use crate::cli::Compress;
use crate::failure::{Failure, Result};
use crate::session::Context;
use crate::target;

/// Who compresses gives way to the image that is being watched, where both want the processor; not by
/// so much that another program beside us would stop it.
const NICE: i32 = 4;

/// An image that was written ahead: an OCI layout, checked.
pub(super) struct Ahead {
    /// Where.
    pub(super) sink: Sink,
    /// What.
    pub(super) written: Written,
}

/// Whether what is being written ahead is still wanted. Clones share the answer.
#[derive(Clone, Default)]
pub(super) struct Wanted(Arc<AtomicBool>);

impl Wanted {
    /// It is not: the writing ends at the next read, with an error nobody looks at.
    pub(super) fn give_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Waits for so long, unless it is given up before.
    ///
    /// # Errors
    /// When it was.
    pub(super) fn pause(&self, time: Duration) -> Result<()> {
        const LOOK: Duration = Duration::from_millis(20);
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.check().map_err(given_up)?;
            std::thread::sleep(LOOK.min(time));
        }
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(io::Error::other("given up")),
            false => Ok(()),
        }
    }
}

fn given_up(error: io::Error) -> Failure {
    Failure::because("the image was not written", &error)
}

/// Slows down the thread it is called on.
pub(super) fn give_way() {
    // Best effort: it is but slower without.
    let _ = rustix::process::nice(NICE);
}

/// Writes `draft` below `directory` and checks it; on a thread of its own, which gives way.
pub(super) fn write(
    context: &Context,
    draft: &Draft,
    directory: &Path,
    compression: Compress,
    wanted: &Wanted,
) -> Result<Ahead> {
    let sink = Sink::OciLayout {
        dir: directory.to_owned(),
        tag: Some("slim".to_owned()),
    };
    let mut draft = draft.clone();
    for layer in &mut draft.layers {
        layer.rootfs = Rootfs {
            contents: Arc::new(While {
                contents: Arc::clone(&layer.rootfs.contents),
                wanted: wanted.clone(),
            }),
            ..layer.rootfs.clone()
        };
    }
    let written = target::write_only(context, &draft, &sink, compression)?;
    wanted.check().map_err(given_up)?;
    target::check(context, &sink)?;
    Ok(Ahead { sink, written })
}

/// Contents that can be read as long as somebody wants them.
struct While {
    contents: Arc<dyn Contents>,
    wanted: Wanted,
}

impl Contents for While {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        self.wanted.check()?;
        let reader = self.contents.open(at, size)?;
        Ok(Box::new(Reading {
            reader,
            wanted: &self.wanted,
        }))
    }

    fn open_part(
        &self,
        at: Extent,
        size: u64,
        from: u64,
        length: u64,
    ) -> io::Result<Box<dyn Read + Send + '_>> {
        self.wanted.check()?;
        self.contents.open_part(at, size, from, length)
    }

    fn seen(&self, at: Extent) -> Seen {
        self.contents.seen(at)
    }
}

/// A file of such contents.
struct Reading<'a> {
    reader: Box<dyn Read + Send + 'a>,
    wanted: &'a Wanted,
}

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wanted.check()?;
        self.reader.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_when_it_is_given_up() {
        let wanted = Wanted::default();
        assert!(wanted.pause(Duration::from_millis(1)).is_ok());
        wanted.give_up();
        assert!(wanted.pause(Duration::from_secs(3600)).is_err());
    }

    #[test]
    fn what_is_given_up_is_not_read_to_its_end() {
        let memory = plimsoll_model::MemoryContents::default();
        let at = memory.add(vec![7; 1000]);
        let wanted = Wanted::default();
        let contents = While {
            contents: Arc::new(memory),
            wanted: wanted.clone(),
        };
        let mut reader = contents.open(at, 1000).unwrap();
        let mut buffer = [0; 10];
        assert_eq!(reader.read(&mut buffer).unwrap(), 10);
        wanted.give_up();
        assert!(reader.read(&mut buffer).is_err());
        assert!(contents.open(at, 1000).is_err());
        assert!(contents.open_part(at, 1000, 0, 1).is_err());
    }
}

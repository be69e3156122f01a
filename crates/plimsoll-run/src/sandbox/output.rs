//! What an image prints: a pipe, as under any runtime, drained into a file.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, fchmod};
use rustix::pipe::{PipeFlags, pipe_with};

/// An image that prints this many times what is kept is ended.
const FACTOR: u64 = 16;

/// How long is waited for the last words of an image that is gone.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The output of one image.
pub(super) struct Output {
    /// The file it is drained into.
    pub(super) log: PathBuf,
    /// Bytes that are kept.
    keep: u64,
    drained: Mutex<bool>,
    change: Condvar,
}

/// Both ends of the pipe an image prints to: ours first. Any of its users may open it again by
/// `/dev/stdout`, as many servers do.
pub(super) fn pipe() -> io::Result<(File, File)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    fchmod(&writer, Mode::from_raw_mode(0o666))?;
    Ok((File::from(reader), File::from(writer)))
}

impl Output {
    pub(super) fn new(log: PathBuf, keep: u64) -> io::Result<Self> {
        File::create_new(&log)?;
        Ok(Self {
            log,
            keep,
            drained: Mutex::new(false),
            change: Condvar::new(),
        })
    }

    /// Copies until nobody is left to print; calls `over` once when it is more than enough.
    pub(super) fn drain(&self, mut pipe: File, over: impl Fn(String)) {
        let most = self.keep.saturating_mul(FACTOR);
        let mut log = File::options().append(true).open(&self.log).ok();
        let (mut buffer, mut written) = (vec![0; 64 << 10], 0u64);
        loop {
            let got = match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let room = usize::try_from(most.saturating_sub(written)).unwrap_or(usize::MAX);
            let failed = log
                .as_mut()
                .map(|log| log.write_all(&buffer[..got.min(room)]))
                .is_none_or(|written| written.is_err());
            if failed && log.take().is_some() {
                over(String::from("ended: its output cannot be written down"));
            }
            if written <= most && written + got as u64 > most {
                over(format!("ended: it printed more than {most} bytes"));
            }
            written += got as u64;
        }
        *self.drained.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.change.notify_all();
    }

    /// Waits until all of it is in the file; only for an image that is gone.
    pub(super) fn settle(&self) {
        let drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self
            .change
            .wait_timeout_while(drained, LAST_WORDS, |drained| !*drained);
    }

    /// What was printed so far, up to what is kept.
    pub(super) fn read(&self) -> Vec<u8> {
        let mut output = Vec::new();
        if let Ok(log) = File::open(&self.log) {
            // What cannot be read any more is missing, and that is all there is to say.
            let _ = log.take(self.keep).read_to_end(&mut output);
        }
        output
    }
}

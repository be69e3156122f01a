//! Memory that is in no process's sum: files in memory that a process holds open and does not map.
//!
//! The machine tells how much memory of that kind is in use by all (`Shmem` of proc_meminfo(5)), which
//! costs next to nothing to ask. Only when that has grown by more than an image may use are the
//! image's processes asked whose it is.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};

use super::proc::field;
use super::unnamed;
use crate::Limits;

/// How long the processes are asked.
const LOOK: Duration = Duration::from_secs(1);
/// Where there are processes that may not be asked for the files they hold, so much more than all
/// limits together is believed to be theirs.
const UNSEEN: u64 = 2;

/// What was in use before a run, to compare with.
pub(super) struct Shared {
    in_use: u64,
    /// The file system of the kernel that all such files are on.
    device: u64,
}

impl Shared {
    /// Now.
    ///
    /// # Errors
    /// When the machine does not tell, or there are no such files on it.
    pub(super) fn now() -> io::Result<Self> {
        let one = fs::File::from(memfd_create("plimsoll", MemfdFlags::CLOEXEC)?);
        Ok(Self {
            in_use: in_use()?,
            device: one.metadata()?.dev(),
        })
    }

    /// The limit that such files of these processes are above, as a sentence.
    pub(super) fn hit(&self, limits: &Limits, family: &[i32]) -> Option<String> {
        let grown = in_use().ok()?.saturating_sub(self.in_use);
        if grown <= limits.memory {
            return None;
        }
        let most = limits.memory.saturating_add(limits.disk);
        let is_above = match unnamed::held(family, self.device, 0, Instant::now() + LOOK) {
            Ok((held, _)) => held > limits.memory,
            Err(_) => grown > most.saturating_mul(UNSEEN),
        };
        let limit = limits.memory;
        is_above.then(|| format!("ended: it used more than {limit} bytes of memory in files"))
    }
}

/// Bytes of memory in files of any kind that are in memory alone.
fn in_use() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let kilobytes = field(&text, "Shmem:").and_then(|number| number.parse::<u64>().ok());
    let kilobytes = kilobytes.ok_or(io::ErrorKind::InvalidData)?;
    Ok(kilobytes.saturating_mul(1024))
}

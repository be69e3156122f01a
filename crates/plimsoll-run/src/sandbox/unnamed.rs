//! Files that have no name any more and live on because a process holds them: no walk through a tree
//! finds them, and they take room on the disk all the same.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Instant;

use super::spend::nanoseconds;

/// Bytes on the disk and number of the files without a name that these processes hold open or mapped,
/// of those on `device` that were changed after `begun` (nanoseconds since the epoch). Mapped ones are
/// told to root alone; where a process may not be asked for its open ones (it is another user's), the
/// answer is an error.
///
/// # Errors
/// When a process may not be asked, or not all were asked until `until`.
pub(super) fn held(
    pids: &[i32],
    device: u64,
    begun: i64,
    until: Instant,
) -> io::Result<(u64, u64)> {
    let mut seen = BTreeSet::new();
    let (mut bytes, mut files) = (0_u64, 0_u64);
    let mut look = |place: PathBuf| -> io::Result<()> {
        for entry in fs::read_dir(place)? {
            if Instant::now() > until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // This link leads to the file itself, whatever has its old name by now; it is not opened.
            let Ok(found) = entry.and_then(|entry| fs::metadata(entry.path())) else {
                continue;
            };
            let is_new = nanoseconds(found.ctime(), found.ctime_nsec()) >= begun;
            if found.nlink() == 0 && found.dev() == device && is_new && seen.insert(found.ino()) {
                bytes = bytes.saturating_add(found.blocks().saturating_mul(512));
                files += 1;
            }
        }
        Ok(())
    };
    for pid in pids {
        let process = PathBuf::from(format!("/proc/{pid}"));
        // A thread may have open files of its own.
        let threads = fs::read_dir(process.join("task"));
        for thread in threads.into_iter().flatten().flatten() {
            match look(thread.path().join("fd")) {
                Err(error) if is_refused(&error) => return Err(error),
                // It has ended.
                Ok(()) | Err(_) => {}
            }
        }
        match look(process.join("map_files")) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok((bytes, files))
}

fn is_refused(error: &io::Error) -> bool {
    let refused = [io::ErrorKind::PermissionDenied, io::ErrorKind::TimedOut];
    refused.contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write as _;
    use std::time::Duration;

    #[test]
    fn a_file_without_a_name_is_counted_once() {
        let directory = tempfile::tempdir().unwrap();
        let gone = directory.path().join("gone");
        let mut file = File::create(&gone).unwrap();
        file.write_all(&[1; 8 << 20]).unwrap();
        file.sync_all().unwrap();
        let again = file.try_clone().unwrap();
        let device = file.metadata().unwrap().dev();
        let us = [std::process::id().cast_signed()];
        let until = Instant::now() + Duration::from_secs(60);
        let (before, _) = held(&us, device, 0, until).unwrap();
        fs::remove_file(&gone).unwrap();
        let (bytes, files) = held(&us, device, 0, until).unwrap();
        // Other tests may have small files without a name meanwhile.
        let more = bytes.saturating_sub(before);
        assert!(
            (7 << 20..15 << 20).contains(&more) && files >= 1,
            "{before} {bytes} {files}"
        );
        assert_eq!(held(&us, device, i64::MAX, until).unwrap(), (0, 0));
        assert_eq!(held(&us, u64::MAX, 0, until).unwrap(), (0, 0));
        assert!(held(&us, device, 0, Instant::now()).is_err());
        drop((file, again));
    }
}

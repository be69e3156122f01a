//! What an image has written so far: the upper side of its overlay, read from outside.
//!
//! The format is the kernel's (`Documentation/filesystems/overlayfs.rst`): a path that was changed is
//! there as a whole, one that was removed is a character device 0/0, a directory whose lower side no
//! longer counts has an attribute that says so.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use plimsoll_model::ImagePath;
use plimsoll_model::startup::{Prepared, What};
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, Stat, fgetxattr, flistxattr, fstat, openat, readlinkat,
    statat,
};

/// Paths that are looked at.
const MOST_PATHS: usize = 100_000;
/// Bytes of all files together that are read.
const MOST_BYTES: u64 = 64 << 20;

/// What tells that something was changed since: inode and time of change.
type Mark = (u64, i64, i64);

/// What was there before the image began: the runtime's own.
pub(super) struct Baseline(BTreeMap<Vec<u8>, Mark>);

impl Baseline {
    pub(super) fn of(upper: &OwnedFd) -> Self {
        let mut marks = BTreeMap::new();
        // What cannot be looked at now counts as changed later.
        let _ = walk(upper, &mut |found| {
            marks.insert(found.path.to_vec(), mark(found.status));
        });
        Self(marks)
    }
}

/// Everything that differs from the baseline; directories that merely lead there among it.
pub(super) fn changes(upper: &OwnedFd, baseline: &Baseline) -> BTreeMap<ImagePath, Prepared> {
    let mut changes = BTreeMap::new();
    let mut left = MOST_BYTES;
    let walked = walk(upper, &mut |found| {
        if baseline.0.get(found.path) == Some(&mark(found.status)) {
            return;
        }
        let what = match what(found, &mut left) {
            Ok(what) => what,
            Err(error) => What::Other(format!("cannot be read: {error}")),
        };
        let prepared = Prepared {
            what,
            mode: found.status.st_mode & 0o7777,
            owner: (found.status.st_uid, found.status.st_gid),
            by: String::new(),
        };
        changes.insert(ImagePath::new(found.path), prepared);
    });
    if let Err(error) = walked {
        let prepared = Prepared {
            what: What::Other(format!("not everything below it can be read: {error}")),
            mode: 0,
            owner: (0, 0),
            by: String::new(),
        };
        changes.insert(ImagePath::root(), prepared);
    }
    changes
}

/// Something in the upper directory.
struct Found<'a> {
    directory: &'a OwnedFd,
    name: &'a [u8],
    /// Seen from the root of the image, with a slash in front.
    path: &'a [u8],
    status: &'a Stat,
}

fn walk(upper: &OwnedFd, see: &mut dyn FnMut(&Found<'_>)) -> io::Result<()> {
    let mut count = 0;
    let mut pending = vec![(Vec::new(), open_directory(upper, b".")?)];
    while let Some((base, directory)) = pending.pop() {
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if [&b"."[..], b".."].contains(&name) {
                continue;
            }
            count += 1;
            if count > MOST_PATHS {
                let text = format!("more than {MOST_PATHS} paths were written");
                return Err(io::Error::other(text));
            }
            let status = match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(status) => status,
                // Another process took it away meanwhile.
                Err(rustix::io::Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            let path = [&base, &b"/"[..], name].concat();
            see(&Found {
                directory: &directory,
                name,
                path: &path,
                status: &status,
            });
            if kind(&status) == FileType::Directory {
                let below = open_directory(&directory, name)?;
                pending.push((path, below));
            }
        }
    }
    Ok(())
}

fn open_directory(at: impl AsFd, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(at, name, flags, Mode::empty())?)
}

fn kind(status: &Stat) -> FileType {
    FileType::from_raw_mode(status.st_mode)
}

fn mark(status: &Stat) -> Mark {
    let seconds = status.st_ctime;
    (status.st_ino, seconds, status.st_ctime_nsec as i64)
}

fn what(found: &Found<'_>, left: &mut u64) -> io::Result<What> {
    match kind(found.status) {
        FileType::CharacterDevice if found.status.st_rdev == 0 => Ok(What::Gone),
        FileType::Symlink => {
            let target = readlinkat(found.directory, found.name, Vec::new())?;
            Ok(What::Link(target.into_bytes()))
        }
        FileType::Directory => {
            let directory = open_directory(found.directory, found.name)?;
            match attributes(&directory)? {
                Attributes::Plain { opaque } => Ok(What::Directory { fresh: opaque }),
                Attributes::Odd(why) => Ok(What::Other(why)),
            }
        }
        FileType::RegularFile => {
            // Nothing that somebody puts in its place meanwhile holds us up.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = openat(found.directory, found.name, flags, Mode::empty())?;
            let status = fstat(&file)?;
            if kind(&status) != FileType::RegularFile {
                return Ok(What::Other("changes while it is read".to_owned()));
            }
            if let Attributes::Odd(why) = attributes(&file)? {
                return Ok(What::Other(why));
            }
            let size = u64::try_from(status.st_size).unwrap_or(0);
            if size > *left {
                let why = format!("more than {MOST_BYTES} bytes were written");
                return Ok(What::Other(why));
            }
            let mut bytes = Vec::new();
            let mut file = io::Read::take(std::fs::File::from(file), size);
            io::Read::read_to_end(&mut file, &mut bytes)?;
            *left -= bytes.len() as u64;
            Ok(What::File(bytes))
        }
        FileType::Socket => Ok(What::Other("is a socket".to_owned())),
        FileType::Fifo => Ok(What::Other("is a named pipe".to_owned())),
        _ => Ok(What::Other("is a device".to_owned())),
    }
}

/// What extended attributes say of a file.
enum Attributes {
    /// Nothing but that.
    Plain {
        /// The lower side of the directory no longer counts.
        opaque: bool,
    },
    /// What is not expected here.
    Odd(String),
}

/// The overlay's own attributes are read; any other one a file must have brought from the image, so
/// only those that grant something are of interest.
fn attributes(file: &OwnedFd) -> io::Result<Attributes> {
    let mut names = vec![0; 64 << 10];
    let got = match flistxattr(file, &mut names) {
        Ok(got) => got,
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error.into()),
    };
    names.truncate(got);
    let mut opaque = false;
    for name in names.split(|&byte| byte == 0) {
        let own = [&b"user.overlay."[..], b"trusted.overlay."];
        let Some(rest) = own.iter().find_map(|prefix| name.strip_prefix(*prefix)) else {
            continue;
        };
        match rest {
            b"opaque" => {
                let mut value = [0; 4];
                let got = fgetxattr(file, name, &mut value).unwrap_or(0);
                // "x" only says that there are whiteouts of another kind below.
                opaque |= value.get(..got) == Some(b"y");
            }
            b"redirect" => return Ok(Attributes::Odd("was renamed by the overlay".to_owned())),
            b"metacopy" => return Ok(Attributes::Odd("has its bytes elsewhere".to_owned())),
            b"whiteout" => return Ok(Attributes::Odd("is a whiteout of a new kind".to_owned())),
            _ => {}
        }
    }
    Ok(Attributes::Plain { opaque })
}

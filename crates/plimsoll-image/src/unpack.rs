//! The merged tree as files on a disk, for the room that runs it.
//!
//! Directories first, then files in the order in which they lie in their layers (so that each
//! layer is decompressed once), then hard links, and symbolic links last: while anything is written,
//! there is no link in the directory that it could be written through, and every file is opened so
//! that the kernel would refuse one anyway.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use plimsoll_model::Extent;
use plimsoll_model::{Evidence, ImagePath, Kind, Metadata, Node, Problem, Rootfs};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use crate::Error;

/// A file up to this size is read whole and written by another thread.
const SMALL: u64 = 256 << 10;
/// Small files on their way to the writing threads.
const IN_FLIGHT: usize = 64;
/// Problems of one kind that are told one by one.
const MAX_PROBLEMS: usize = 20;

const ATTRIBUTES: &str = "its extended attributes are not honoured";

/// Whose the unpacked files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// The image's owners, modes and extended attributes: needs root.
    Real,
    /// Everything is the caller's; no set-uid, set-gid or foreign attributes, and directories can
    /// always be read, written and entered by their owner.
    Mine,
    /// As [`Self::Mine`], for a caller who gives the files their owners and modes afterwards: of these
    /// nothing is told.
    Later,
}

/// What was unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Directories, the root not counted.
    pub directories: u64,
    /// Regular files; a file with several names counts once.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Further names of files.
    pub hardlinks: u64,
    /// What was left out or could not be honoured: device nodes, owners, set-uid bits, attributes;
    /// many of one kind are told as a number.
    pub problems: Vec<Problem>,
}

/// Materialises `rootfs` in `directory`, which must be new or empty.
///
/// Device nodes are left out: the room that runs the tree has its own `/dev`.
///
/// # Errors
/// When the directory is not empty, a file cannot be read, or the disk refuses; what was written
/// until then is removed.
pub fn unpack(rootfs: &Rootfs, directory: &Path, ownership: Ownership) -> Result<Unpacked, Error> {
    let undo = prepare(directory)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let root = rustix::fs::open(directory, flags, Mode::empty())
        .map_err(|error| Error::io(directory.display())(error.into()))?;
    let target = Target {
        root,
        directory,
        ownership,
        told: Mutex::default(),
    };
    let unpacked = target.unpack(rootfs)?;
    undo.keep();
    Ok(unpacked)
}

/// Makes the directory, or sees that it is empty.
fn prepare(directory: &Path) -> Result<Undo, Error> {
    let what = directory.display();
    match fs::symlink_metadata(directory) {
        Ok(facts) if facts.is_dir() => {
            let mut entries = fs::read_dir(directory).map_err(Error::io(&what))?;
            if entries.next().is_some() {
                return Err(Error::Target {
                    path: directory.to_owned(),
                    why: "the directory is not empty".to_owned(),
                });
            }
        }
        Ok(_) => {
            return Err(Error::Target {
                path: directory.to_owned(),
                why: "it is there, and no directory".to_owned(),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir(directory).map_err(Error::io(&what))?;
            return Ok(Undo {
                directory: directory.to_owned(),
                made: true,
                armed: true,
            });
        }
        Err(error) => return Err(Error::io(&what)(error)),
    }
    Ok(Undo {
        directory: directory.to_owned(),
        made: false,
        armed: true,
    })
}

/// Empties the directory again unless it is told to keep it.
struct Undo {
    directory: PathBuf,
    made: bool,
    armed: bool,
}

impl Undo {
    fn keep(mut self) {
        self.armed = false;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        // `remove_dir_all` does not follow links.
        let _ = fs::remove_dir_all(&self.directory);
        if !self.made {
            let _ = fs::create_dir(&self.directory);
        }
    }
}

struct Target<'a> {
    root: OwnedFd,
    directory: &'a Path,
    ownership: Ownership,
    told: Mutex<Told>,
}

/// A small file, read and ready to be written.
struct Ready<'a> {
    path: &'a ImagePath,
    node: &'a Node,
    body: Vec<u8>,
}

impl Target<'_> {
    fn unpack(&self, rootfs: &Rootfs) -> Result<Unpacked, Error> {
        let mut unpacked = Unpacked::default();
        let mut directories = Vec::new();
        let mut files: BTreeMap<Extent, (&ImagePath, &Node)> = BTreeMap::new();
        // Empty ones, and second readers of the same bytes.
        let mut rest = Vec::new();
        let mut first_names: BTreeMap<u32, &ImagePath> = BTreeMap::new();
        let mut links = Vec::new();
        let mut hardlinks = Vec::new();
        let mut pipes = Vec::new();
        for (path, node) in rootfs.tree.iter() {
            let parent = path.parent().and_then(|parent| rootfs.tree.get(&parent));
            if !path.is_root() && !parent.is_some_and(Node::is_dir) {
                let why = format!("{path}: what it lies in is no directory of the tree");
                return Err(Error::Draft(why));
            }
            self.told().look(self.ownership, path, node);
            match &node.kind {
                Kind::Dir => directories.push((path, node)),
                Kind::File { at, size } => {
                    unpacked.files += 1;
                    unpacked.bytes += size;
                    match first_names.get(&node.inode) {
                        Some(first) => {
                            unpacked.files -= 1;
                            unpacked.bytes -= size;
                            hardlinks.push((*first, path));
                        }
                        None => {
                            first_names.insert(node.inode, path);
                            // Two files of a tree that was made may share their bytes.
                            if *size == 0 || files.contains_key(at) {
                                rest.push((path, node));
                            } else {
                                files.insert(*at, (path, node));
                            }
                        }
                    }
                }
                Kind::Symlink(to) => links.push((path, node, to)),
                Kind::Fifo => pipes.push((path, node)),
                Kind::Device { .. } => {}
            }
        }
        for (path, _) in directories.iter().filter(|(path, _)| !path.is_root()) {
            // The owner must be able to fill it; its own mode comes at the end.
            let name = relative(path);
            rustix::fs::mkdirat(&self.root, name, Mode::RWXU)
                .map_err(|error| self.io(path, error))?;
            unpacked.directories += 1;
        }
        self.write_files(rootfs, files.into_values().collect())?;
        self.write_files(rootfs, rest)?;
        for (path, node) in pipes {
            let mode = Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(
                &self.root,
                relative(path),
                rustix::fs::FileType::Fifo,
                mode,
                0,
            )
            .map_err(|error| self.io(path, error))?;
            self.dress_path(path, node)?;
        }
        for (first, path) in hardlinks {
            let none = AtFlags::empty();
            rustix::fs::linkat(
                &self.root,
                relative(first),
                &self.root,
                relative(path),
                none,
            )
            .map_err(|error| self.io(path, error))?;
            unpacked.hardlinks += 1;
        }
        for (path, node, to) in links {
            rustix::fs::symlinkat(OsStr::from_bytes(to), &self.root, relative(path))
                .map_err(|error| self.io(path, error))?;
            self.dress_link(path, node)?;
            unpacked.symlinks += 1;
        }
        // The deepest first: a directory's time changes when something is made in it.
        for (path, node) in directories.into_iter().rev() {
            self.dress_directory(path, node)?;
        }
        unpacked.problems = std::mem::take(&mut *self.told()).problems();
        Ok(unpacked)
    }

    /// Writes files, sorted by where they lie: one thread a layer reads, others write what is small.
    fn write_files(&self, rootfs: &Rootfs, files: Vec<(&ImagePath, &Node)>) -> Result<(), Error> {
        let layer_of = |node: &Node| match node.kind {
            Kind::File { at, .. } => at.layer,
            _ => 0,
        };
        let runs: Vec<_> = files
            .chunk_by(|(_, one), (_, other)| layer_of(one) == layer_of(other))
            .collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let next = Mutex::new(runs.into_iter());
        let failure = Mutex::new(None);
        let (ready_in, ready_out) = sync_channel::<Ready<'_>>(IN_FLIGHT);
        let ready_out = Mutex::new(ready_out);
        let fail = |error| {
            let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
        };
        let failed = || {
            let failure = failure.lock();
            failure.unwrap_or_else(PoisonError::into_inner).is_some()
        };
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| self.write_ready(&ready_out, &fail));
            }
            for _ in 0..threads {
                let ready = ready_in.clone();
                let (next, fail, failed) = (&next, &fail, &failed);
                scope.spawn(move || {
                    loop {
                        let run = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some(run) = run else { return };
                        for (path, node) in run {
                            if failed() {
                                return;
                            }
                            if let Err(error) = self.read_file(rootfs, path, node, &ready) {
                                fail(error);
                            }
                        }
                    }
                });
            }
            drop(ready_in);
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Reads a small file and passes it on; copies a large one.
    fn read_file<'t>(
        &self,
        rootfs: &Rootfs,
        path: &'t ImagePath,
        node: &'t Node,
        ready: &SyncSender<Ready<'t>>,
    ) -> Result<(), Error> {
        let Kind::File { at, size } = node.kind else {
            return Ok(());
        };
        let what = || format!("{path} in the image");
        let short = || Error::io(what())(io::ErrorKind::UnexpectedEof.into());
        if size <= SMALL {
            let mut body = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            if size > 0 {
                let mut reader = rootfs.contents.open(at, size).map_err(Error::io(what()))?;
                reader.read_to_end(&mut body).map_err(Error::io(what()))?;
            }
            if body.len() as u64 != size {
                return Err(short());
            }
            // Nobody takes it any more: another thread failed, and says so.
            let _ = ready.send(Ready { path, node, body });
            return Ok(());
        }
        let mut reader = rootfs.contents.open(at, size).map_err(Error::io(what()))?;
        let mut file = self.create(path)?;
        let mut buffer = vec![0; 256 << 10];
        let mut left = size;
        while left > 0 {
            let count = reader.read(&mut buffer).map_err(Error::io(what()))?;
            if count == 0 {
                return Err(short());
            }
            let count = count.min(usize::try_from(left).unwrap_or(count));
            file.write_all(&buffer[..count])
                .map_err(Error::io(self.on_disk(path)))?;
            left -= count as u64;
        }
        self.dress(file.as_fd(), path, node)
    }

    fn write_ready(&self, ready: &Mutex<Receiver<Ready<'_>>>, fail: &impl Fn(Error)) {
        loop {
            let next = ready.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Ready { path, node, body }) = next else {
                return;
            };
            let written = self.create(path).and_then(|mut file| {
                let failed = Error::io(self.on_disk(path));
                file.write_all(&body).map_err(failed)?;
                self.dress(file.as_fd(), path, node)
            });
            if let Err(error) = written {
                fail(error);
            }
        }
    }

    /// A new file: neither it nor anything above it may be a link, or be there already.
    fn create(&self, path: &ImagePath) -> Result<File, Error> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(0o600);
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let name = relative(path);
        let file = match rustix::fs::openat2(&self.root, name, flags, mode, resolve) {
            // Before Linux 5.6, and in sandboxes that do not know the call. Nothing but this
            // program has written to the directory, and it has made no link yet.
            Err(Errno::NOSYS | Errno::PERM) => rustix::fs::openat(&self.root, name, flags, mode),
            opened => opened,
        };
        file.map(File::from).map_err(|error| self.io(path, error))
    }

    /// Owner, attributes, mode and time of an open file. In this order: a change of owner takes
    /// set-uid bits and capabilities away (`chown(2)`).
    fn dress(&self, file: BorrowedFd<'_>, path: &ImagePath, node: &Node) -> Result<(), Error> {
        let meta = &node.meta;
        let failed = |error| self.io(path, error);
        if self.ownership == Ownership::Real {
            rustix::fs::fchown(file, uid(meta.uid), gid(meta.gid)).map_err(failed)?;
            for (name, value) in meta.xattrs.iter().flat_map(|xattrs| xattrs.iter()) {
                let name = OsStr::from_bytes(name);
                match rustix::fs::fsetxattr(file, name, value, XattrFlags::empty()) {
                    Ok(()) => {}
                    // The disk has no room for attributes of this kind (tmpfs, most of all).
                    Err(Errno::OPNOTSUPP | Errno::PERM | Errno::NOSPC) => {
                        self.told().add(ATTRIBUTES, path, node);
                    }
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        rustix::fs::fchmod(file, self.mode(node)).map_err(failed)?;
        rustix::fs::futimens(file, &times(meta)).map_err(failed)
    }

    fn dress_directory(&self, path: &ImagePath, node: &Node) -> Result<(), Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let name = if path.is_root() {
            OsStr::new(".")
        } else {
            relative(path)
        };
        let directory = rustix::fs::openat(&self.root, name, flags, Mode::empty())
            .map_err(|error| self.io(path, error))?;
        self.dress(directory.as_fd(), path, node)
    }

    /// What was made by name and cannot be opened.
    fn dress_path(&self, path: &ImagePath, node: &Node) -> Result<(), Error> {
        let name = relative(path);
        let failed = |error| self.io(path, error);
        self.dress_link(path, node)?;
        rustix::fs::chmodat(&self.root, name, self.mode(node), AtFlags::empty()).map_err(failed)
    }

    fn dress_link(&self, path: &ImagePath, node: &Node) -> Result<(), Error> {
        let name = relative(path);
        let meta = &node.meta;
        let itself = AtFlags::SYMLINK_NOFOLLOW;
        let failed = |error| self.io(path, error);
        if self.ownership == Ownership::Real {
            let (uid, gid) = (uid(meta.uid), gid(meta.gid));
            rustix::fs::chownat(&self.root, name, uid, gid, itself).map_err(failed)?;
        }
        rustix::fs::utimensat(&self.root, name, &times(meta), itself).map_err(failed)
    }

    fn mode(&self, node: &Node) -> Mode {
        let mode = match (self.ownership, node.is_dir()) {
            (Ownership::Real, _) => node.meta.mode & 0o7777,
            (Ownership::Mine | Ownership::Later, true) => node.meta.mode & 0o1777 | 0o700,
            (Ownership::Mine | Ownership::Later, false) => node.meta.mode & 0o777,
        };
        Mode::from_raw_mode(mode)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on_disk(&self, path: &ImagePath) -> String {
        format!("{path} in {}", self.directory.display())
    }

    fn io(&self, path: &ImagePath, error: Errno) -> Error {
        Error::io(self.on_disk(path))(error.into())
    }
}

/// The path seen from the directory that is unpacked to.
fn relative(path: &ImagePath) -> &OsStr {
    OsStr::from_bytes(path.relative())
}

fn uid(id: u32) -> Option<Uid> {
    // All bits set means "leave it" to the system.
    (id != u32::MAX).then(|| Uid::from_raw(id))
}

fn gid(id: u32) -> Option<Gid> {
    (id != u32::MAX).then(|| Gid::from_raw(id))
}

fn times(meta: &Metadata) -> Timestamps {
    let time = Timespec {
        tv_sec: meta.mtime,
        tv_nsec: i64::from(meta.mtime_nanos.min(999_999_999)),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// What could not be honoured, by kind.
#[derive(Default)]
struct Told {
    by_kind: BTreeMap<&'static str, (Vec<Problem>, u64)>,
}

impl Told {
    fn look(&mut self, ownership: Ownership, path: &ImagePath, node: &Node) {
        if let Kind::Device { .. } = node.kind {
            self.add("a device node, left out", path, node);
            return;
        }
        if ownership == Ownership::Real {
            return;
        }
        let meta = &node.meta;
        let is_later = ownership == Ownership::Later;
        if !is_later && (meta.uid != 0 || meta.gid != 0) {
            self.add("its owner is not honoured", path, node);
        }
        let special = if node.is_dir() { 0o6000 } else { 0o7000 };
        let is_link = matches!(node.kind, Kind::Symlink(_));
        if !is_later && meta.mode & special != 0 && !is_link {
            self.add(
                "its set-uid, set-gid or sticky bit is not honoured",
                path,
                node,
            );
        }
        if meta.xattrs.is_some() {
            self.add(ATTRIBUTES, path, node);
        }
    }

    fn add(&mut self, kind: &'static str, path: &ImagePath, node: &Node) {
        let (problems, count) = self.by_kind.entry(kind).or_default();
        *count += 1;
        if problems.len() < MAX_PROBLEMS {
            let evidence = Evidence::Path {
                path: path.clone(),
                layer: node.layer,
                size: node.size(),
            };
            problems.push(Problem {
                message: kind.to_owned(),
                evidence,
            });
        }
    }

    fn problems(self) -> Vec<Problem> {
        let mut all = Vec::new();
        for (kind, (problems, count)) in self.by_kind {
            let unsaid = count - problems.len() as u64;
            all.extend(problems);
            if unsaid > 0 {
                all.push(Problem {
                    message: format!("{unsaid} more paths: {kind}"),
                    evidence: Evidence::Image,
                });
            }
        }
        all
    }
}

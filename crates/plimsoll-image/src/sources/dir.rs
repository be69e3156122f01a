//! `dir:DIR`: a root file system in a directory, or what `skopeo copy` writes to such a name.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata as Facts};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_model::tree::Builder;
use plimsoll_model::{
    Contents, Digest, Entry, EntryKind, Extent, ImagePath, Kind, Metadata, Problem, Rootfs,
};
use rustix::fs::{Mode, OFlags};

use crate::part::Part;
use crate::select::descend;
use crate::sources::oci::found;
use crate::sources::{Address, Found, Source};
use crate::store::Store;
use crate::{Error, Limits, stream};

pub(super) static SOURCE: Source = Source {
    scheme: "dir",
    form: "dir:DIR",
    help: "a root file system in a directory, or single blobs as skopeo writes them there",
    is_path: true,
    recognises: |glimpse| {
        glimpse.is_dir && !glimpse.is_layout() && (glimpse.is_root() || glimpse.is_flat())
    },
    find: |address: &Address<'_>| {
        address.no_choice("directory")?;
        if address.path.join("manifest.json").is_file()
            && let Some(version) = mark(address.path)
        {
            return find_flat(address, &version);
        }
        let (rootfs, problems) = read(address.path, address.limits)?;
        Ok(Found::Tree { rootfs, problems })
    },
};

/// A directory of single blobs, and the digest of its manifest.
pub(crate) fn flat(dir: &Path, limits: &Limits) -> Result<(Store, Digest), Error> {
    let what = format!("manifest.json in {}", dir.display());
    let bytes = Part::whole(&dir.join("manifest.json"))?.read(&what, limits.document)?;
    let top = stream::digest(&bytes);
    let dir = dir.to_owned();
    Ok((Store::Flat { dir, top }, top))
}

/// How the file `version` of a directory of single blobs begins; other programs have files of that name too
/// (containers/image, `directory/directory_transport.go`).
const MARK: &str = "Directory Transport Version: ";
/// Bytes of it that are looked at.
const MAX_MARK: u64 = 64;

/// The version that `version` gives a directory of single blobs; `None` where there is no such file, or it is
/// something else's.
pub(crate) fn mark(dir: &Path) -> Option<String> {
    let path = dir.join("version");
    // A named pipe would wait for ever.
    if !std::fs::metadata(&path).is_ok_and(|facts| facts.is_file()) {
        return None;
    }
    let mut begin = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MAX_MARK).read_to_end(&mut begin).ok()?;
    let text = String::from_utf8_lossy(&begin);
    let version = text.strip_prefix(MARK)?;
    Some(version.lines().next().unwrap_or_default().trim().to_owned())
}

/// The image of a directory of single blobs.
fn find_flat(address: &Address<'_>, version: &str) -> Result<Found, Error> {
    // What is new in 1.1 and after is how files are called that we look for by either name, or whose digests
    // we do not read.
    if version.split('.').next() != Some("1") {
        let what = format!("{}: a directory of single blobs", address.path.display());
        return Err(Error::unsupported(
            what,
            format!("its version is {version}"),
        ));
    }
    let (store, top) = flat(address.path, address.limits)?;
    let platform = address.options.platform.as_ref();
    let chosen = descend(&store, top, None, platform, address.limits)?;
    found(store, chosen, address)
}

/// The tree below `root` as it is on the disk. Links are not followed, other file systems not
/// entered (a mounted `/proc` is no part of an image).
fn read(root: &Path, limits: &Limits) -> Result<(Rootfs, Vec<Problem>), Error> {
    let what = root.display().to_string();
    let facts = std::fs::metadata(root).map_err(Error::io(&what))?;
    if !facts.is_dir() {
        let why = "a root file system is a directory".to_owned();
        return Err(Error::NotAnImage { what, why });
    }
    let mut walk = Walk {
        root,
        device: facts.dev(),
        builder: Builder::default(),
        files: Vec::new(),
        names: BTreeMap::new(),
        problems: Vec::new(),
    };
    walk.builder.begin_layer();
    walk.add(ImagePath::root(), root, &facts);
    // Directories still to be listed; a stack of our own, because a stranger chose the depth.
    let mut todo = vec![ImagePath::root()];
    let mut bytes_of_names = 0;
    while let Some(directory) = todo.pop() {
        let here = root.join(OsStr::from_bytes(directory.relative()));
        let names = match list(&here) {
            Ok(names) => names,
            Err(error) => {
                walk.problem(&directory, format!("left out: {error}"));
                continue;
            }
        };
        for name in names {
            let path = directory.join(&name);
            let on_disk = here.join(OsStr::from_bytes(&name));
            bytes_of_names += path.as_bytes().len() as u64;
            limits.check(&what, "names", bytes_of_names)?;
            match std::fs::symlink_metadata(&on_disk) {
                Ok(facts) => {
                    if walk.add(path.clone(), &on_disk, &facts) {
                        todo.push(path);
                    }
                }
                Err(error) => walk.problem(&path, format!("left out: {error}")),
            }
        }
        limits.check(&what, "entries", walk.builder.tree().len() as u64)?;
    }
    let contents = Files {
        root: root.to_owned(),
        files: walk.files,
    };
    let rootfs = Rootfs {
        tree: walk.builder.finish(),
        contents: Arc::new(contents),
    };
    Ok((rootfs, walk.problems))
}

/// The names in a directory, sorted: the disk's own order is nobody's choice.
fn list(directory: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.push(entry?.file_name().into_vec());
    }
    names.sort_unstable();
    Ok(names)
}

struct Walk<'a> {
    root: &'a Path,
    device: u64,
    builder: Builder,
    files: Vec<ImagePath>,
    /// Inode of the disk to the first path that has it, for files with several names.
    names: BTreeMap<u64, ImagePath>,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    /// Adds one path; answers whether it is a directory to be listed.
    fn add(&mut self, path: ImagePath, on_disk: &Path, facts: &Facts) -> bool {
        let kind = facts.file_type();
        if facts.dev() != self.device {
            self.problem(&path, "left out: another file system is mounted there");
            return false;
        }
        if !kind.is_dir()
            && facts.nlink() > 1
            && let Some(first) = self.names.get(&facts.ino())
        {
            let kind = EntryKind::Hardlink(first.clone());
            self.apply(path, kind, Metadata::with_mode(0));
            return false;
        }
        let node = if kind.is_dir() {
            Kind::Dir
        } else if kind.is_file() {
            if let Err(error) = File::open(on_disk) {
                self.problem(&path, format!("left out: {error}"));
                return false;
            }
            let offset = self.files.len() as u64;
            self.files.push(path.clone());
            Kind::File {
                size: facts.size(),
                at: Extent { layer: 0, offset },
            }
        } else if kind.is_symlink() {
            match std::fs::read_link(on_disk) {
                Ok(target) => Kind::Symlink(target.into_os_string().into_vec().into()),
                Err(error) => {
                    self.problem(&path, format!("left out: {error}"));
                    return false;
                }
            }
        } else if kind.is_fifo() {
            Kind::Fifo
        } else if kind.is_block_device() || kind.is_char_device() {
            Kind::Device {
                block: kind.is_block_device(),
                major: rustix::fs::major(facts.rdev()),
                minor: rustix::fs::minor(facts.rdev()),
            }
        } else {
            self.problem(&path, "left out: a socket, which no image can hold");
            return false;
        };
        if facts.nlink() > 1 {
            self.names
                .entry(facts.ino())
                .or_insert_with(|| path.clone());
        }
        let xattrs = xattrs(on_disk);
        let meta = Metadata {
            mode: facts.mode() & 0o7777,
            uid: facts.uid(),
            gid: facts.gid(),
            mtime: facts.mtime(),
            mtime_nanos: u32::try_from(facts.mtime_nsec()).unwrap_or(0),
            xattrs: (!xattrs.is_empty()).then(|| Arc::new(xattrs)),
        };
        let is_dir = node == Kind::Dir;
        self.apply(path, EntryKind::Node(node), meta);
        is_dir
    }

    fn apply(&mut self, path: ImagePath, kind: EntryKind, meta: Metadata) {
        let entry = Entry {
            path: path.clone(),
            kind,
            meta,
        };
        if let Err(refused) = self.builder.apply(entry) {
            self.problem(&path, refused.to_string());
        }
    }

    fn problem(&mut self, path: &ImagePath, message: impl Into<String>) {
        let message = format!("{} (in {})", message.into(), self.root.display());
        self.problems.push(Problem::at(path, message));
    }
}

/// The extended attributes of a path that belong to an image; those of the disk's own security
/// module (`security.selinux`) and of the kernel's overlay (`trusted.overlay.*`) do not.
fn xattrs(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = vec![0; 64 << 10];
    let Ok(length) = rustix::fs::llistxattr(path, &mut names) else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for name in names[..length].split(|&byte| byte == 0) {
        if !(name.starts_with(b"user.") || name == b"security.capability") {
            continue;
        }
        let mut value = vec![0; 64 << 10];
        if let Ok(length) = rustix::fs::lgetxattr(path, name, &mut value) {
            value.truncate(length);
            found.insert(name.to_vec(), value);
        }
    }
    found
}

/// Files read from the disk when they are asked for.
struct Files {
    root: PathBuf,
    files: Vec<ImagePath>,
}

impl Contents for Files {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let path = usize::try_from(at.offset)
            .ok()
            .and_then(|index| self.files.get(index))
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(open_beneath(&self.root, path)?.take(size)))
    }
}

/// Opens a file below a directory of this machine, component by component, so that a link on the way
/// (there since it was listed, or put there by a stranger's layer) leads nowhere.
pub(super) fn open_beneath(root: &Path, path: &ImagePath) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let directory = flags | OFlags::DIRECTORY;
    let open_root = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    let mut here = rustix::fs::open(root, open_root, Mode::empty())?;
    let parents = path.parent().unwrap_or_else(ImagePath::root);
    for part in parents.components() {
        here = rustix::fs::openat(&here, part, directory, Mode::empty())?;
    }
    let file = flags | OFlags::NONBLOCK;
    Ok(rustix::fs::openat(&here, path.file_name(), file, Mode::empty())?.into())
}

//! Package archives taken apart: control data in memory, file bodies in the spool.
//!
//! Everything in an archive was written by a stranger: names that climb, links to nowhere, kinds of
//! members no package has, are errors that name the package.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_model::tar::Type;
use plimsoll_model::{Fetch, ImagePath, Kind, Metadata, Spool};
use plimsoll_packages::deb::{self, Control};
use plimsoll_packages::relation::{self, Clause};

use crate::lock::{Lock, LockedArchive};
use crate::{Error, Event, Progress};

/// Most members one package may have.
const MAX_MEMBERS: usize = 2_000_000;
/// Largest body that is read into memory on its way, in bytes.
const MAX_BUFFERED: u64 = 8 << 20;
/// Archives that are fetched and decompressed at the same time.
const WORKERS: usize = 2;

/// One package, taken apart.
pub(crate) struct Unpacked {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) architecture: String,
    pub(crate) essential: bool,
    /// The name its files in `info` begin with: with the architecture for `Multi-Arch: same`.
    pub(crate) info_name: String,
    pub(crate) control: Control,
    pub(crate) members: Vec<Unit>,
    /// Conffile → MD5 in hexadecimal digits.
    pub(crate) conffiles: Vec<(ImagePath, String)>,
    /// The newest time of a member, in seconds since 1970.
    pub(crate) newest: i64,
    pub(crate) pre_depends: Vec<Clause>,
    pub(crate) depends: Vec<Clause>,
    pub(crate) provides: Vec<Clause>,
    pub(crate) replaces: Vec<Clause>,
}

/// One path of a package.
pub(crate) struct Unit {
    /// The path as the package has it; links of parents not followed.
    pub(crate) path: ImagePath,
    pub(crate) kind: UnitKind,
    pub(crate) meta: Metadata,
}

/// What it is.
pub(crate) enum UnitKind {
    Node(Kind),
    Hardlink(ImagePath),
}

/// Fetches and takes apart every archive of the lock, in the order of the lock.
pub(crate) fn unpack_all(
    lock: &Lock,
    fetch: &dyn Fetch,
    spool: &dyn Spool,
    progress: &Progress<'_>,
) -> Result<Vec<Unpacked>, Error> {
    let count = lock.archives.len();
    // Large archives first, so that no worker is left with one at the end.
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(lock.archives[index].size), index));
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let failed = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<Unpacked, Error>>>> =
        (0..count).map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while failed.load(Ordering::Relaxed) == 0 {
                    let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        return;
                    };
                    let archive = &lock.archives[index];
                    let result = unpack(lock, archive, fetch, spool);
                    if result.is_err() {
                        failed.store(1, Ordering::Relaxed);
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress(Event::Unpacked {
                        package: &archive.name,
                        done,
                        count,
                    });
                    let mut slot = results[index]
                        .lock()
                        .unwrap_or_else(|error| error.into_inner());
                    *slot = Some(result);
                }
            });
        }
    });
    let mut unpacked = Vec::with_capacity(count);
    let mut missing = false;
    for slot in results {
        match slot.into_inner().unwrap_or_else(|error| error.into_inner()) {
            Some(Ok(package)) => unpacked.push(package),
            Some(Err(error)) => return Err(error),
            None => missing = true,
        }
    }
    if missing {
        return Err(io::Error::other("a worker ended before its work").into());
    }
    Ok(unpacked)
}

fn unpack(
    lock: &Lock,
    archive: &LockedArchive,
    fetch: &dyn Fetch,
    spool: &dyn Spool,
) -> Result<Unpacked, Error> {
    let broken = |why: String| Error::Package {
        package: archive.name.clone(),
        why,
    };
    let digest = archive
        .digest()
        .ok_or_else(|| broken(format!("`{}` is no digest", archive.sha256)))?;
    let bytes = fetch.verified(&lock.url(archive), &digest, archive.size)?;
    let deb = deb::open(bytes).map_err(|error| broken(error.to_string()))?;
    let field = |name: &str| deb.control.get(name).unwrap_or_default();
    // What the signed index promised and what the archive says of itself must be one thing.
    for (name, promised) in [
        ("Package", &archive.name),
        ("Version", &archive.version),
        ("Architecture", &archive.architecture),
    ] {
        if field(name) != *promised {
            let why = format!(
                "its archive says {name}: {}, the lock {promised}",
                field(name)
            );
            return Err(broken(why));
        }
    }
    let mut problems = Vec::new();
    let mut clauses = |name: &str| {
        let (clauses, troubles) = relation::parse(&field(name));
        problems.extend(
            troubles
                .into_iter()
                .map(|trouble| format!("{name}: {trouble}")),
        );
        clauses
    };
    let (pre_depends, depends) = (clauses("Pre-Depends"), clauses("Depends"));
    let (provides, replaces) = (clauses("Provides"), clauses("Replaces"));
    if let Some(problem) = problems.into_iter().next() {
        return Err(broken(problem));
    }
    let info_name = if field("Multi-Arch") == "same" {
        format!("{}:{}", archive.name, archive.architecture)
    } else {
        archive.name.clone()
    };
    let mut package = Unpacked {
        name: archive.name.clone(),
        version: archive.version.clone(),
        architecture: archive.architecture.clone(),
        essential: field("Essential") == "yes",
        info_name,
        members: Vec::new(),
        conffiles: Vec::new(),
        newest: 0,
        pre_depends,
        depends,
        provides,
        replaces,
        control: Control::default(),
    };
    members(&deb, spool, &mut package).map_err(|trouble| match trouble {
        Trouble::Spool(error) => Error::Spool(error),
        Trouble::Archive(why) => broken(why),
    })?;
    package.control = deb.control;
    Ok(package)
}

enum Trouble {
    Archive(String),
    Spool(io::Error),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Archive(why)
    }
}

fn members(deb: &deb::Deb, spool: &dyn Spool, package: &mut Unpacked) -> Result<(), Trouble> {
    let conffiles: BTreeSet<&ImagePath> = deb.control.conffiles.iter().collect();
    let mut tar = deb.data().map_err(|error| error.to_string())?;
    while let Some(member) = tar.next_member().map_err(|error| error.to_string())? {
        if package.members.len() >= MAX_MEMBERS {
            return Err(format!("has more than the limit of {MAX_MEMBERS} members").into());
        }
        let path = ImagePath::new(&member.name);
        if member.climbs() {
            return Err(format!("a member climbs out of the root: {path}").into());
        }
        package.newest = package.newest.max(member.meta.mtime);
        let kind = match member.kind {
            Type::Dir => UnitKind::Node(Kind::Dir),
            Type::File => {
                let is_conffile = conffiles.contains(&path);
                let mut body = Hashed::new(&mut tar, is_conffile);
                let stored = store(spool, &mut body, member.size);
                let (failure, md5) = (body.failure.take(), body.finish());
                if let Some(failure) = failure {
                    return Err(format!("{path}: {failure}").into());
                }
                let (at, size) = stored.map_err(Trouble::Spool)?;
                if size != member.size {
                    return Err(format!("{path}: the archive ends in the middle").into());
                }
                if let Some(md5) = md5 {
                    package.conffiles.push((path.clone(), md5));
                }
                UnitKind::Node(Kind::File { size, at })
            }
            Type::Symlink => UnitKind::Node(Kind::Symlink(member.link.clone().into())),
            Type::Hardlink => {
                if member
                    .link
                    .split(|&byte| byte == b'/')
                    .any(|part| part == b"..")
                {
                    return Err(format!("a hard link climbs out of the root: {path}").into());
                }
                UnitKind::Hardlink(ImagePath::new(&member.link))
            }
            Type::Char | Type::Block => UnitKind::Node(Kind::Device {
                block: member.kind == Type::Block,
                major: member.device.0,
                minor: member.device.1,
            }),
            Type::Fifo => UnitKind::Node(Kind::Fifo),
            Type::Sparse | Type::Other(_) => {
                return Err(format!("{path} is of a kind no package has").into());
            }
        };
        package.members.push(Unit {
            path,
            kind,
            meta: member.meta,
        });
    }
    // The order of dpkg's own list of conffiles.
    let position = |path: &ImagePath| deb.control.conffiles.iter().position(|other| other == path);
    package.conffiles.sort_by_key(|(path, _)| position(path));
    Ok(())
}

/// Puts a body into the spool. A small one is read first: a spool takes one file at a time, and the
/// other workers must not wait for this one's decompression.
fn store(
    spool: &dyn Spool,
    body: &mut Hashed<'_>,
    size: u64,
) -> io::Result<(plimsoll_model::Extent, u64)> {
    if size > MAX_BUFFERED {
        return spool.store(body);
    }
    let mut bytes = Vec::with_capacity(size as usize);
    body.read_to_end(&mut bytes)?;
    spool.store(&mut &*bytes)
}

/// A body on its way to the spool: hashed if wanted, and its own errors told from the spool's.
struct Hashed<'a> {
    stream: &'a mut dyn Read,
    md5: Option<md5::Md5>,
    failure: Option<io::Error>,
}

impl<'a> Hashed<'a> {
    fn new(stream: &'a mut dyn Read, wanted: bool) -> Self {
        use md5::Digest as _;
        Self {
            stream,
            md5: wanted.then(md5::Md5::new),
            failure: None,
        }
    }

    fn finish(self) -> Option<String> {
        use md5::Digest as _;
        self.md5.map(|md5| crate::dpkg::hex(&md5.finalize()))
    }
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use md5::Digest as _;
        match self.stream.read(buffer) {
            Ok(count) => {
                if let Some(md5) = &mut self.md5 {
                    md5.update(&buffer[..count]);
                }
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failure = Some(error);
                Err(told)
            }
        }
    }
}

//! A tar file on this machine whose members can be opened at random: the shell of an archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use plimsoll_model::ImagePath;
use plimsoll_model::tar::{Archive, TarError, Type};

use crate::codec::{Codec, MAGIC};
use crate::part::Part;
use crate::spool::Section;
use crate::{Error, Limits};

/// Links followed from one member to another; legacy `docker save` needs one.
const MAX_LINKS: usize = 8;

/// The members of a tar file. Later members with the same name win, as when unpacking.
pub(crate) struct TarFile {
    /// The file as the user named it, for messages.
    pub(crate) what: String,
    file: Arc<File>,
    members: BTreeMap<Box<[u8]>, Slot>,
}

enum Slot {
    File { offset: u64, size: u64 },
    Link(ImagePath),
    Other,
}

impl TarFile {
    /// Lists the members of the tar file at `path` by hopping from header to header. A file that
    /// is compressed as a whole is first made plain in an unlinked temporary file in `spool`, or
    /// in the system's directory for such.
    pub(crate) fn open(path: &Path, spool: Option<&Path>, limits: &Limits) -> Result<Self, Error> {
        let what = path.display().to_string();
        let part = Part::whole(path)?;
        let mut head = Vec::new();
        part.section(0, part.size.min(64))
            .and_then(|mut section| section.read_to_end(&mut head))
            .map_err(Error::io(&what))?;
        if let Some(kind) = foreign(&head) {
            return Err(Error::unsupported(what, kind));
        }
        let codec = Codec::of(&head[..head.len().min(MAGIC)])
            .map_err(|name| Error::unsupported(&what, format!("compressed with {name}")))?;
        let (file, size) = match codec {
            Codec::Plain => {
                let file = File::open(path).map_err(Error::io(&what))?;
                (file, part.size)
            }
            codec => make_plain(&part, codec, &what, spool, limits)?,
        };
        let file = Arc::new(file);
        let members = index(&file, size, &what, limits)?;
        Ok(Self {
            what,
            file,
            members,
        })
    }

    /// Lists the members of a plain tar file that is open already.
    pub(crate) fn of_file(what: String, file: File, limits: &Limits) -> Result<Self, Error> {
        let size = file.metadata().map_err(Error::io(&what))?.len();
        let file = Arc::new(file);
        let members = index(&file, size, &what, limits)?;
        Ok(Self {
            what,
            file,
            members,
        })
    }

    /// The file called `name` (no leading slash), links followed.
    pub(crate) fn find(&self, name: &str) -> Option<Part> {
        let mut path = ImagePath::new(name);
        for _ in 0..=MAX_LINKS {
            match self.members.get(path.relative())? {
                &Slot::File { offset, size } => {
                    return Some(Part::of_file(Arc::clone(&self.file), offset, size));
                }
                Slot::Link(target) => path = target.clone(),
                Slot::Other => return None,
            }
        }
        None
    }

    /// Whether there is a member of any kind with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name.as_bytes())
    }

    /// The names of all members, without leading slash.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.members.keys().map(|name| &**name)
    }
}

/// Things that are images of another kind, by magic number.
fn foreign(head: &[u8]) -> Option<&'static str> {
    // The Singularity image format has its magic behind a 32-byte launch line.
    if head.get(32..41) == Some(b"SIF_MAGIC") {
        return Some("a Singularity image");
    }
    match head {
        [b'h', b's', b'q', b's', ..] => Some("a squashfs file system"),
        [b'Q', b'F', b'I', 0xfb, ..] => Some("a QEMU disk image"),
        [b'P', b'K', 3, 4, ..] => Some("a zip file"),
        [0x7f, b'E', b'L', b'F', ..] => Some("a program"),
        _ => None,
    }
}

/// Decompresses all of `part` into an unlinked temporary file; answers it and its size.
fn make_plain(
    part: &Part,
    codec: Codec,
    what: &str,
    spool: Option<&Path>,
    limits: &Limits,
) -> Result<(File, u64), Error> {
    let temporary = match spool {
        Some(directory) => tempfile::tempfile_in(directory),
        None => tempfile::tempfile(),
    };
    let mut file = temporary.map_err(Error::io("a temporary file"))?;
    let most = limits.uncompressed_of(part.size);
    let section = part.section(0, part.size).map_err(Error::io(what))?;
    let decoder = codec.decode(section).map_err(Error::io(what))?;
    let mut buffer = vec![0; 256 << 10];
    let mut reader = decoder.take(most + 1);
    let mut size = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Error::malformed(what, "its compressed data ends early"));
            }
            Err(error) => return Err(Error::malformed(what, error)),
        };
        size += count as u64;
        if size > most {
            return Err(limits.too_large(what, part.size));
        }
        file.write_all(&buffer[..count])
            .map_err(Error::io("a temporary file"))?;
    }
    Ok((file, size))
}

fn index(
    file: &Arc<File>,
    size: u64,
    what: &str,
    limits: &Limits,
) -> Result<BTreeMap<Box<[u8]>, Slot>, Error> {
    let mut members = BTreeMap::new();
    let mut at = 0;
    let mut names = 0;
    while at < size {
        // A new reader at each header: what lies between two headers is hopped over, not read.
        let section = Section::new(Arc::clone(file), at, size - at);
        let mut archive = Archive::new(BufReader::with_capacity(4096, section));
        let member = match archive.next_member() {
            Ok(Some(member)) => member,
            Ok(None) => break,
            Err(TarError::Io(error)) => return Err(Error::io(what)(error)),
            Err(error) if members.is_empty() => {
                let why = format!("it is no tar archive ({error})");
                return Err(Error::NotAnImage {
                    what: what.to_owned(),
                    why,
                });
            }
            Err(error) => {
                let why = format!("behind byte {at} of the archive: {error}");
                return Err(Error::malformed(what, why));
            }
        };
        let start = at + member.offset;
        let end = start.checked_add(member.size).filter(|&end| end <= size);
        let Some(end) = end else {
            let name = plimsoll_model::text::printable(&member.name);
            let why = format!("the archive ends in the middle of {name}, at byte {size}");
            return Err(Error::malformed(what, why));
        };
        at = end.next_multiple_of(512);
        if member.climbs() {
            continue;
        }
        let path = ImagePath::new(&member.name);
        let parent = path.parent().unwrap_or_else(ImagePath::root);
        let slot = match member.kind {
            Type::File => Slot::File {
                offset: start,
                size: member.size,
            },
            Type::Hardlink => Slot::Link(ImagePath::new(&member.link)),
            Type::Symlink => Slot::Link(parent.join(&member.link)),
            _ => Slot::Other,
        };
        names += path.as_bytes().len() as u64 + member.link.len() as u64;
        members.insert(Box::from(path.relative()), slot);
        limits.check(what, "entries", members.len() as u64)?;
        limits.check(what, "names", names)?;
    }
    Ok(members)
}

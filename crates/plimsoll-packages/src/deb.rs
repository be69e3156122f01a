//! Debian binary packages: an ar archive of `debian-binary`, `control.tar` and `data.tar`.
//!
//! Source: `deb(5)`, `ar(5)`, `deb-control(5)`.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use plimsoll_model::tar::{self, TarError};
use plimsoll_model::{ImagePath, Open};

use crate::compression::{self, Limited};
use crate::deb822;

use self::ar::{Ar, Part, Whole};

mod ar;

/// Most bytes that `control.tar` may have, uncompressed. The largest in Debian have a few MiB.
pub const MAX_CONTROL: u64 = 64 << 20;

/// Most bytes that `data.tar` may have, uncompressed.
pub const MAX_DATA: u64 = 16 << 30;

/// Most members an archive may have before `data.tar`; `deb(5)` knows three in all.
const MAX_MEMBERS: usize = 16;

/// The members of `control.tar` that dpkg runs.
const SCRIPTS: &[&str] = &["config", "postinst", "postrm", "preinst", "prerm"];

/// A package archive that can be read again and again.
pub struct Deb {
    /// What `control.tar` says.
    pub control: Control,
    archive: Arc<dyn Open>,
    data: Part,
}

/// What `control.tar` of a package says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    /// The `control` file as written, one stanza.
    pub stanza: String,
    /// The maintainer scripts, and debconf's `config`, by name.
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// The configuration files the package brings (`deb-conffiles(5)`); those marked
    /// `remove-on-upgrade` it does not bring.
    pub conffiles: Vec<ImagePath>,
    /// The `md5sums` file as written (`deb-md5sums(5)`).
    pub md5sums: Option<Vec<u8>>,
    /// What the package says about triggers (`deb-triggers(5)`).
    pub triggers: Vec<Trigger>,
    /// Every other member by name, `conffiles` and `triggers` included: what dpkg would put into
    /// its database as `info/PACKAGE.NAME`.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// One line of a `triggers` file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trigger {
    /// `interest`, `activate`, or one of these with `-await` or `-noawait`.
    pub directive: String,
    /// A path, or a name (`ldconfig`).
    pub name: String,
}

/// Why a package archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The archive could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Not an ar archive, or a broken one; why.
    #[error("not a Debian package: {0}")]
    Malformed(&'static str),
    /// A format of another major version than 2.
    #[error("package format {0} is not supported, only 2.x is")]
    Version(String),
    /// A member that must be there is not.
    #[error("the package has no {0}")]
    Missing(&'static str),
    /// A member cannot be read as a tar archive.
    #[error("{member}: {source}")]
    Tar {
        /// The member.
        member: String,
        /// What is wrong.
        source: TarError,
    },
    /// The control file is no single stanza with a name and a version; why.
    #[error("control file: {0}")]
    Control(String),
}

/// Opens a package: reads its control part, and where its data lies.
///
/// # Errors
/// When the archive cannot be read or is no Debian package of format 2.
pub fn open(archive: Arc<dyn Open>) -> Result<Deb, DebError> {
    let mut ar = Ar::new(archive.open()?)?;
    let first = ar
        .next_member()?
        .ok_or(DebError::Missing("debian-binary"))?;
    if first.name != "debian-binary" {
        return Err(DebError::Malformed("the first member is not debian-binary"));
    }
    let version = compression::read_all("debian-binary", ar.body(&first), 64)?;
    let version = String::from_utf8_lossy(&version);
    let version = version.lines().next().unwrap_or_default().trim();
    if !version.starts_with("2.") {
        return Err(DebError::Version(version.escape_debug().to_string()));
    }
    let mut control = None;
    for _ in 0..MAX_MEMBERS {
        let Some(part) = ar.next_member()? else {
            break;
        };
        if part.name.starts_with("control.tar") && control.is_none() {
            // The reader must own what it reads, and a control part is small.
            let limit = part.size.min(MAX_CONTROL);
            let bytes = compression::read_all(&part.name, ar.body(&part), limit)?;
            if bytes.len() as u64 != part.size {
                return Err(DebError::Malformed("it ends inside control.tar"));
            }
            control = Some(read_control(&part.name, bytes)?);
        } else if part.name.starts_with("data.tar") {
            let control = control.ok_or(DebError::Missing("control.tar before data.tar"))?;
            let data = part;
            return Ok(Deb {
                control,
                archive,
                data,
            });
        } else if !part.name.starts_with('_') {
            // deb(5): members that may be ignored begin with an underscore.
            return Err(DebError::Malformed("a member of an unknown name"));
        }
    }
    Err(DebError::Missing("data.tar"))
}

impl Deb {
    /// The files of the package, as a tar stream read from the archive anew.
    ///
    /// Names are as written (`./usr/bin/x`): they may be relative, absolute, hostile.
    ///
    /// # Errors
    /// When the archive cannot be opened again, or its compression is not supported. Reading fails
    /// above [`MAX_DATA`] bytes.
    pub fn data(&self) -> Result<tar::Archive<Box<dyn Read + Send>>, DebError> {
        let mut stream = self.archive.open()?;
        let skipped = io::copy(&mut (&mut stream).take(self.data.offset), &mut io::sink())?;
        if skipped != self.data.offset {
            return Err(DebError::Malformed("it is shorter than it was"));
        }
        let name = &self.data.name;
        let left = self.data.size;
        let stream = compression::reader(name, Box::new(Whole { stream, left }))?;
        let stream: Box<dyn Read + Send> = Box::new(Limited {
            stream,
            left: MAX_DATA,
            limit: MAX_DATA,
            name: name.clone(),
        });
        Ok(tar::Archive::new(stream))
    }
}

impl Control {
    /// The value of a field of the control file.
    pub fn get(&self, field: &str) -> Option<String> {
        let stanza = deb822::stanzas(self.stanza.as_bytes()).next()?.ok()?;
        stanza.get(field).map(|value| value.into_owned())
    }
}

fn read_control(name: &str, bytes: Vec<u8>) -> Result<Control, DebError> {
    let failed = |source| DebError::Tar {
        member: name.to_owned(),
        source,
    };
    let stream = compression::reader(name, Box::new(io::Cursor::new(bytes)))?;
    let mut archive = tar::Archive::new(Limited {
        stream,
        left: MAX_CONTROL,
        limit: MAX_CONTROL,
        name: name.to_owned(),
    });
    let mut control = Control::default();
    let mut stanza = None;
    while let Some(member) = archive.next_member().map_err(failed)? {
        let path = ImagePath::new(&member.name);
        // Only files directly in the archive mean anything (deb(5)).
        if member.kind != tar::Type::File || path.depth() != 1 {
            continue;
        }
        let Some(name) = path.as_str().map(|path| path[1..].to_owned()) else {
            continue;
        };
        let mut body = Vec::new();
        archive.read_to_end(&mut body)?;
        match &*name {
            "control" => stanza = Some(body),
            "md5sums" => control.md5sums = Some(body),
            name if SCRIPTS.contains(&name) => {
                control.scripts.insert(name.to_owned(), body);
            }
            name => {
                match name {
                    "conffiles" => control.conffiles = conffiles(&body),
                    "triggers" => control.triggers = triggers(&body),
                    _ => {}
                }
                control.files.insert(name.to_owned(), body);
            }
        }
    }
    let stanza = stanza.ok_or(DebError::Missing("control file"))?;
    control.stanza = check_stanza(&stanza)?;
    Ok(control)
}

/// The one stanza of a control file.
fn check_stanza(bytes: &[u8]) -> Result<String, DebError> {
    let wrong = |line: usize, why: &str| DebError::Control(format!("line {line}: {why}"));
    let mut stanzas = deb822::stanzas(bytes);
    let stanza = match stanzas.next() {
        None => return Err(wrong(1, "nothing there")),
        Some(Err((line, why))) => return Err(wrong(line, &why)),
        Some(Ok(stanza)) => stanza,
    };
    if stanzas.next().is_some() {
        return Err(wrong(stanza.line(), "more than one stanza"));
    }
    for field in ["Package", "Version", "Architecture"] {
        if stanza.get(field).is_none_or(|value| value.is_empty()) {
            return Err(wrong(stanza.line(), &format!("no {field}")));
        }
    }
    Ok(format!("{}\n", stanza.text()))
}

fn conffiles(text: &[u8]) -> Vec<ImagePath> {
    lines(text)
        .filter(|line| line.starts_with(b"/"))
        .map(ImagePath::new)
        .collect()
}

fn triggers(text: &[u8]) -> Vec<Trigger> {
    lines(text)
        .filter_map(|line| {
            let line = std::str::from_utf8(line).ok()?;
            let line = line.split('#').next()?;
            let mut words = line.split_ascii_whitespace();
            Some(Trigger {
                directive: words.next()?.to_owned(),
                name: words.next()?.to_owned(),
            })
        })
        .collect()
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;

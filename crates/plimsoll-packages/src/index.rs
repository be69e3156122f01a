//! `Packages`: what a repository offers, one stanza a package.
//!
//! Source: the Debian repository format (wiki.debian.org/DebianRepository/Format), Debian policy 5.

use std::borrow::Cow;
use std::io;

use plimsoll_model::{Digest, Evidence, Problem};

use crate::compression;
use crate::deb822;

/// A package that a repository offers.
///
/// Relationship fields are kept as written; [`crate::relation::parse`] reads them. Text that the
/// record does not have is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// `Package`.
    pub name: String,
    /// `Version`.
    pub version: String,
    /// `Architecture`: `amd64`, or `all`.
    pub architecture: String,
    /// `Multi-Arch`: `same`, `foreign`, `allowed`, or empty (`no`).
    pub multi_arch: String,
    /// `Section`.
    pub section: String,
    /// `Priority`.
    pub priority: String,
    /// `Essential: yes` (policy 3.8).
    pub essential: bool,
    /// `Protected: yes`, or apt's older `Important: yes`.
    pub protected: bool,
    /// `Depends`.
    pub depends: String,
    /// `Pre-Depends`.
    pub pre_depends: String,
    /// `Recommends`.
    pub recommends: String,
    /// `Suggests`.
    pub suggests: String,
    /// `Provides`.
    pub provides: String,
    /// `Conflicts`.
    pub conflicts: String,
    /// `Breaks`.
    pub breaks: String,
    /// `Replaces`.
    pub replaces: String,
    /// `Source`, as written: `glibc`, or `glibc (2.36-9)` where the versions differ.
    pub source: Option<String>,
    /// `Filename`: where the archive lies, relative to the root of the repository.
    pub filename: String,
    /// `Size` of the archive, in bytes.
    pub size: u64,
    /// `SHA256` of the archive.
    pub digest: Digest,
    /// What the package occupies by its own account, in bytes (`Installed-Size` counts KiB); 0 where
    /// it does not say.
    pub installed_size: u64,
}

/// Reads a `Packages` file.
///
/// Candidates come in the order of the file. A record without a name, version, architecture,
/// file name, size or SHA-256 is a problem and no candidate: it could not be fetched, or not
/// verified. The problems name the line.
pub fn parse(text: &[u8]) -> (Vec<Candidate>, Vec<Problem>) {
    // A record of a real index has 800 bytes.
    let mut candidates = Vec::with_capacity(text.len() / 700);
    let mut problems = Vec::new();
    for stanza in deb822::stanzas(text) {
        let result = match &stanza {
            Ok(stanza) => candidate(stanza).map_err(|why| (stanza.line(), why)),
            Err((line, why)) => Err((*line, why.clone())),
        };
        match result {
            Ok(candidate) => candidates.push(candidate),
            Err((line, why)) => problems.push(Problem {
                message: format!("line {line} of the package index: {why}"),
                evidence: Evidence::Image,
            }),
        }
    }
    (candidates, problems)
}

fn candidate(stanza: &deb822::Stanza<'_>) -> Result<Candidate, String> {
    let mut size = None;
    let mut digest = None;
    let mut found = Candidate {
        name: String::new(),
        version: String::new(),
        architecture: String::new(),
        multi_arch: String::new(),
        section: String::new(),
        priority: String::new(),
        essential: false,
        protected: false,
        depends: String::new(),
        pre_depends: String::new(),
        recommends: String::new(),
        suggests: String::new(),
        provides: String::new(),
        conflicts: String::new(),
        breaks: String::new(),
        replaces: String::new(),
        source: None,
        filename: String::new(),
        size: 0,
        digest: Digest::from_bytes([0; 32]),
        installed_size: 0,
    };
    for (name, value) in stanza.fields() {
        // Almost every index writes the names as policy does; the rest is compared without case.
        let mut buffer = [0; MAX_NAME];
        let name = lower(name, &mut buffer);
        let text = match name {
            b"package" => &mut found.name,
            b"version" => &mut found.version,
            b"architecture" => &mut found.architecture,
            b"multi-arch" => &mut found.multi_arch,
            b"section" => &mut found.section,
            b"priority" => &mut found.priority,
            b"depends" => &mut found.depends,
            b"pre-depends" => &mut found.pre_depends,
            b"recommends" => &mut found.recommends,
            b"suggests" => &mut found.suggests,
            b"provides" => &mut found.provides,
            b"conflicts" => &mut found.conflicts,
            b"breaks" => &mut found.breaks,
            b"replaces" => &mut found.replaces,
            b"filename" => &mut found.filename,
            b"source" => found.source.get_or_insert_default(),
            b"essential" => {
                found.essential = value == "yes";
                continue;
            }
            b"protected" | b"important" => {
                found.protected |= value == "yes";
                continue;
            }
            b"size" => {
                size = value.parse().ok();
                continue;
            }
            b"sha256" => {
                digest = Digest::from_hex(&value.to_ascii_lowercase());
                continue;
            }
            b"installed-size" => {
                found.installed_size = installed_size(&value);
                continue;
            }
            _ => continue,
        };
        if text.is_empty() {
            *text = Cow::into_owned(value);
        }
    }
    for (field, value) in [
        ("Package", &found.name),
        ("Version", &found.version),
        ("Architecture", &found.architecture),
        ("Filename", &found.filename),
    ] {
        if value.is_empty() {
            return Err(missing(&found.name, field));
        }
    }
    if !is_below(&found.filename) {
        let filename = found.filename.escape_debug();
        return Err(format!(
            "the record of {} leads out of the repository: {filename}",
            found.name.escape_debug()
        ));
    }
    found.size = size.ok_or_else(|| missing(&found.name, "Size"))?;
    found.digest = digest.ok_or_else(|| missing(&found.name, "SHA256"))?;
    Ok(found)
}

/// Whether a `Filename` stays below the root of its repository: relative, and without `..`.
pub fn is_below(filename: &str) -> bool {
    !filename.starts_with('/') && filename.split('/').all(|part| part != "..")
}

fn missing(name: &str, field: &str) -> String {
    let name = if name.is_empty() {
        "a record".to_owned()
    } else {
        format!("the record of {}", name.escape_debug())
    };
    format!("{name} has no readable {field}")
}

/// Bytes of an `Installed-Size` field, which counts KiB (policy 5.6.20); 0 for what is no number.
pub(crate) fn installed_size(value: &str) -> u64 {
    value.parse::<u64>().unwrap_or(0).saturating_mul(1024)
}

/// The longest field name that means anything here.
const MAX_NAME: usize = 16;

/// `name` in lower case; empty when it is too long to be one we know.
fn lower<'a>(name: &str, buffer: &'a mut [u8; MAX_NAME]) -> &'a [u8] {
    let Some(buffer) = buffer.get_mut(..name.len()) else {
        return &[];
    };
    buffer.copy_from_slice(name.as_bytes());
    buffer.make_ascii_lowercase();
    buffer
}

/// The content of an index file as fetched: gzip, xz, zstd or plain, told by its first bytes.
/// `name` is for messages.
///
/// # Errors
/// `FileTooLarge` when the content has more than `limit` bytes, `Unsupported` for another
/// compression, else what the decompressor says.
pub fn decompress(name: &str, bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    // The readers want to own what they read; an index is a few megabytes.
    let stream = Box::new(io::Cursor::new(bytes.to_vec()));
    compression::read_all(name, compression::reader(name, stream)?, limit)
}

#[cfg(test)]
mod tests;

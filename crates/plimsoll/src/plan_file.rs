//! The plan of a slimmed image as a file: every kept path with its reasons.
//!
//! JSON, `"schema": "plimsoll.plan/1"`, sorted by path, made to be read and compared. `slim` keeps
//! one in the cache for each image it makes, so that `why` can answer later without another run.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use plimsoll_model::{Digest, ImagePath, Plan, Problem, Reason};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};

const SCHEMA: &str = "plimsoll.plan/1";

/// Rules are static strings in memory and text in the file.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    schema: String,
    /// The image it was made from.
    source: Named,
    /// The slimmed image.
    result: Named,
    level: String,
    keep: BTreeMap<String, Vec<Why>>,
    /// What is left ashore: path → the package that owns it, or null.
    ashore: BTreeMap<String, Option<String>>,
    unresolved: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Named {
    name: String,
    digest: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Why {
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    by: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    detail: String,
}

/// A plan and the two images it is about.
pub(crate) struct PlanFile {
    /// The image it was made from: name and digest.
    pub(crate) source: (String, Digest),
    /// The slimmed image: name and digest.
    pub(crate) result: (String, Digest),
    /// The level.
    pub(crate) level: String,
    /// What is left ashore, with the package that owns it.
    pub(crate) ashore: BTreeMap<ImagePath, Option<String>>,
    /// The plan.
    pub(crate) plan: Plan,
}

impl PlanFile {
    /// Writes it to `path`, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let why = |reason: &Reason| Why {
            rule: reason.rule.to_owned(),
            by: reason.by.as_ref().map(escape),
            detail: reason.detail.clone(),
        };
        let named = |(name, digest): &(String, Digest)| Named {
            name: name.clone(),
            digest: digest.to_string(),
        };
        let file = File {
            schema: SCHEMA.to_owned(),
            source: named(&self.source),
            result: named(&self.result),
            level: self.level.clone(),
            keep: self
                .plan
                .keep
                .iter()
                .map(|(path, reasons)| (escape(path), reasons.iter().map(why).collect()))
                .collect(),
            ashore: self
                .ashore
                .iter()
                .map(|(path, owner)| (escape(path), owner.clone()))
                .collect(),
            unresolved: self
                .plan
                .unresolved
                .iter()
                .map(Problem::to_string)
                .collect(),
        };
        let failed = |error: std::io::Error| {
            Failure::because(
                format_args!("cannot write the plan {}", path.display()),
                &error,
            )
        };
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(failed)?;
        // Readable as other files of the user are; a temporary file is nobody else's by default.
        let mut temporary = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(parent)
            .map_err(failed)?;
        let mut out = std::io::BufWriter::new(&mut temporary);
        let written = serde_json::to_writer_pretty(&mut out, &file);
        written.map_err(std::io::Error::from).map_err(failed)?;
        out.write_all(b"\n").map_err(failed)?;
        out.flush().map_err(failed)?;
        drop(out);
        temporary
            .persist(path)
            .map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Reads one.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let what = format!("cannot read the plan {}", path.display());
        let text = fs::read(path).map_err(|error| Failure::because(&what, &error))?;
        let file: File =
            serde_json::from_slice(&text).map_err(|error| Failure::because(&what, &error))?;
        if file.schema != SCHEMA {
            return Err(Failure::new(format!(
                "{what}: its schema is {:?}, expected {SCHEMA:?}",
                file.schema
            )));
        }
        let named = |named: Named| {
            let digest = Digest::parse(&named.digest);
            digest
                .map(|digest| (named.name, digest))
                .map_err(|error| Failure::because(&what, &error))
        };
        // Rules are static words in memory: each different one is given away once.
        let mut rules: BTreeMap<String, &'static str> = BTreeMap::new();
        let mut reason = |why: Why| Reason {
            rule: rules
                .entry(why.rule)
                .or_insert_with_key(|rule| String::leak(rule.clone())),
            by: why.by.map(|by| unescape(&by)),
            detail: why.detail,
        };
        let keep = file.keep.into_iter().map(|(path, reasons)| {
            (
                unescape(&path),
                reasons.into_iter().map(&mut reason).collect(),
            )
        });
        let ashore = file
            .ashore
            .into_iter()
            .map(|(path, owner)| (unescape(&path), owner));
        Ok(Self {
            ashore: ashore.collect(),
            source: named(file.source)?,
            result: named(file.result)?,
            level: file.level,
            plan: Plan {
                keep: keep.collect(),
                unresolved: Vec::new(),
            },
        })
    }
}

/// Where plans are kept.
pub(crate) fn directory(cache: &Path) -> PathBuf {
    cache.join("plans")
}

/// Where the plan about the image with this digest is kept.
pub(crate) fn in_cache(cache: &Path, digest: &Digest) -> PathBuf {
    directory(cache).join(format!("{}.json", digest.hex()))
}

/// Bytes that are no printable UTF-8 as `\xNN`, and the backslash as `\x5c`: so that every path
/// comes back as it was.
fn escape(path: &ImagePath) -> String {
    let mut text = String::new();
    for chunk in path.as_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\\' || character.is_control() {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    text.push_str(&format!("\\x{byte:02x}"));
                }
            } else {
                text.push(character);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

fn unescape(text: &str) -> ImagePath {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = (byte == b'\\')
            .then(|| behind.strip_prefix(b"x")?.get(..2))
            .flatten()
            .and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[3..];
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    ImagePath::new(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_comes_back_as_it_was() {
        let odd = ImagePath::new(b"/a\\x41\xfd\n".as_slice());
        let mut plan = Plan::default();
        let root = Reason::rule("entrypoint");
        plan.keep.insert("/app".into(), vec![root]);
        plan.keep.insert(
            odd.clone(),
            vec![Reason::by("elf", &"/app".into(), "libx.so")],
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/plan.json");
        let digest = Digest::from_bytes([7; 32]);
        let source = ("a".to_owned(), digest);
        let file = PlanFile {
            source: source.clone(),
            result: source,
            level: "app".into(),
            ashore: BTreeMap::from([("/bin/sh".into(), Some("dash".into()))]),
            plan,
        };
        file.write(&path).unwrap();
        let read = PlanFile::read(&path).unwrap();
        assert_eq!(read.plan.keep, file.plan.keep);
        assert_eq!(read.ashore, file.ashore);
        assert_eq!(read.plan.chain(&odd).len(), 2);
        assert_eq!(read.result.1, digest);
    }
}

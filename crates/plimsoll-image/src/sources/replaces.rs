//! Whether an image is written where the image it is made from lies.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{SOURCES, split};
use crate::select::Choice;
use crate::write::entries_replaced;
use crate::{Error, Reference, Sink};

/// Whether writing to `sink` would replace the image called `name`, or the name it has there: the same
/// archive, its entry in the same layout, the same tag of a registry.
///
/// # Errors
/// When the index of the layout that is written to cannot be read.
pub fn replaces(sink: &Sink, name: &str) -> Result<bool, Error> {
    let place = place(name);
    match (sink, place) {
        (Sink::Registry(target), None) if !is_elsewhere(name) => {
            let text = name.strip_prefix("docker:").unwrap_or(name);
            let source = Reference::parse(text.trim_start_matches("//")).ok();
            Ok(source.is_some_and(|source| {
                source.name() == target.name() && source.tag() == target.tag()
            }))
        }
        (Sink::OciArchive { file, .. } | Sink::DockerArchive { file, .. }, Some((path, _))) => {
            Ok(is_same(file, &path))
        }
        (Sink::Dir(dir), Some((path, _))) => Ok(is_same(dir, &path)),
        (Sink::OciLayout { dir, tag }, Some((path, choice))) if is_same(dir, &path) => {
            let replaced = entries_replaced(dir, tag.as_deref())?;
            Ok(replaced
                .iter()
                .any(|entry| is_meant(entry, choice.as_ref())))
        }
        _ => Ok(false),
    }
}

/// Whether a name has a scheme that is not a registry's.
fn is_elsewhere(name: &str) -> bool {
    let scheme = name.split_once(':').map(|(scheme, _)| scheme);
    let mut known = SOURCES.iter().map(|source| source.scheme);
    scheme.is_some_and(|scheme| scheme != "docker" && known.any(|known| known == scheme))
}

/// The path in the name of an image, and which one is meant there.
fn place(name: &str) -> Option<(PathBuf, Option<Choice>)> {
    let (text, is_path) = match name.split_once(':') {
        Some((scheme, rest)) if !Path::new(name).exists() => {
            let source = SOURCES.iter().find(|source| source.scheme == scheme);
            source.map_or((name, true), |source| (rest, source.is_path))
        }
        _ => (name, true),
    };
    let (path, choice) = split(text).ok().filter(|_| is_path)?;
    Some((path?, choice))
}

fn is_same(one: &Path, other: &Path) -> bool {
    let which = |path| fs::metadata(path).map(|facts| (facts.dev(), facts.ino()));
    matches!((which(one), which(other)), (Ok(one), Ok(other)) if one == other)
}

/// Whether an entry of an index may be the one that is chosen. Without a choice any may be.
fn is_meant(entry: &Value, choice: Option<&Choice>) -> bool {
    match choice {
        None => true,
        Some(Choice::Digest(digest)) => entry["digest"] == digest.to_string(),
        Some(Choice::Name(name)) => {
            let entry = serde_json::from_value(entry.clone());
            entry.is_ok_and(|entry| !crate::select::named(vec![entry], name).is_empty())
        }
    }
}

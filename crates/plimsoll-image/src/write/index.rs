//! The index of a layout: read, one entry put in, the rest left alone.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::config::canonical;
use crate::documents::{CONTAINERD_NAME, REF_NAME, object};
use crate::part::Part;
use crate::{Error, Limits};

/// The index of the layout at `dir`; a new one where there is none.
pub(super) fn read(dir: &Path, limits: &Limits) -> Result<Map<String, Value>, Error> {
    let path = dir.join("index.json");
    if !path.exists() {
        return Ok(new());
    }
    let what = path.display().to_string();
    if path.is_dir() {
        return Err(Error::malformed(what, "it is a directory"));
    }
    let bytes = Part::whole(&path)?.read(&what, limits.document)?;
    let index: Map<String, Value> = object(&what, &bytes)?;
    match index.get("manifests") {
        None | Some(Value::Null | Value::Array(_)) => Ok(index),
        Some(_) => Err(Error::malformed(what, "`manifests` is no list")),
    }
}

/// An index without entries.
pub(super) fn new() -> Map<String, Value> {
    Map::from_iter([
        ("schemaVersion".to_owned(), json!(2)),
        (
            "mediaType".to_owned(),
            json!("application/vnd.oci.image.index.v1+json"),
        ),
    ])
}

/// Why no image without a name may go in: beside images with names nobody could say which one is
/// meant by the layout alone.
pub(super) fn refusal(index: &Map<String, Value>, tag: Option<&str>) -> Option<String> {
    let entries = index.get("manifests").and_then(Value::as_array)?;
    let name = entries.iter().find_map(name_of).filter(|_| tag.is_none())?;
    Some(format!(
        "it holds images with names (`{name}`), so this one needs a name too: oci:DIR:NAME"
    ))
}

fn name_of(entry: &Value) -> Option<&str> {
    let named = |key: &str| entry["annotations"][key].as_str();
    named(REF_NAME).or_else(|| named(CONTAINERD_NAME))
}

/// Whether an entry has the name `tag`, or none either.
fn has_the_place(entry: &Value, tag: Option<&str>) -> bool {
    match tag {
        Some(tag) => entry["annotations"][REF_NAME] == tag,
        None => name_of(entry).is_none(),
    }
}

/// The entries of the layout at `dir` that an image called `tag` takes the place of, of whatever platform.
pub(crate) fn entries_replaced(dir: &Path, tag: Option<&str>) -> Result<Vec<Value>, Error> {
    let mut index = read(dir, &Limits::default())?;
    let mut entries = match index.remove("manifests") {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    entries.retain(|entry| has_the_place(entry, tag));
    Ok(entries)
}

/// The index with `entry` under the name `tag`, in place of what had that name before; without a
/// name, in place of what had none and was for the same platform or said none.
pub(super) fn with(mut index: Map<String, Value>, mut entry: Value, tag: Option<&str>) -> Vec<u8> {
    if let Some(tag) = tag {
        entry["annotations"][REF_NAME] = json!(tag);
    }
    let mut entries = match index.remove("manifests") {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let same = |old: &Value| {
        let platform = &old["platform"];
        let is_other = tag.is_none() && !platform.is_null() && *platform != entry["platform"];
        has_the_place(old, tag) && !is_other
    };
    let at = entries.iter().position(same);
    entries.retain(|old| !same(old));
    entries.insert(at.unwrap_or(entries.len()).min(entries.len()), entry);
    index.insert("manifests".to_owned(), Value::Array(entries));
    canonical(Value::Object(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_and_the_rest_stays() {
        let entry = |digest: &str| json!({ "digest": digest, "size": 1 });
        let parse = |bytes: Vec<u8>| -> Map<String, Value> { object("index", &bytes).unwrap() };
        let index = parse(with(new(), entry("a"), Some("one")));
        let mut index = parse(with(index, entry("b"), Some("two")));
        index.insert("x".to_owned(), json!("kept"));
        let index = parse(with(index, entry("c"), Some("one")));
        assert_eq!(index["x"], "kept");
        assert_eq!(digests(&index), ["c", "b"]);
    }

    #[test]
    fn what_has_no_name_is_replaced_by_what_has_none_for_the_same_platform() {
        let entry = |digest: &str, architecture: &str| {
            let platform = json!({ "os": "linux", "architecture": architecture });
            json!({ "digest": digest, "platform": platform })
        };
        let parse = |bytes: Vec<u8>| -> Map<String, Value> { object("index", &bytes).unwrap() };
        let index = parse(with(new(), json!({ "digest": "a" }), None));
        let index = parse(with(index, entry("b", "amd64"), None));
        let index = parse(with(index, entry("c", "arm64"), None));
        let index = parse(with(index, entry("d", "amd64"), None));
        assert_eq!(digests(&index), ["d", "c"]);
        assert_eq!(refusal(&index, None), None);
        let index = parse(with(index, entry("e", "amd64"), Some("named")));
        assert!(refusal(&index, None).is_some_and(|why| why.contains("named")));
        assert_eq!(refusal(&index, Some("other")), None);
    }

    fn digests(index: &Map<String, Value>) -> Vec<&str> {
        let entries = index["manifests"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["digest"].as_str().unwrap())
            .collect()
    }
}

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

/// The index with `entry` under the name `tag`, in place of what had that name before; without a
/// name, one entry of the digest.
pub(super) fn with(mut index: Map<String, Value>, mut entry: Value, tag: Option<&str>) -> Vec<u8> {
    if let Some(tag) = tag {
        entry["annotations"][REF_NAME] = json!(tag);
    }
    let mut entries = match index.remove("manifests") {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let same = |old: &Value| match tag {
        Some(tag) => old["annotations"][REF_NAME] == tag,
        None => {
            old["digest"] == entry["digest"]
                && old["annotations"][REF_NAME].is_null()
                && old["annotations"][CONTAINERD_NAME].is_null()
        }
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
        let index = parse(with(index, entry("d"), None));
        let index = parse(with(index, entry("d"), None));
        assert_eq!(index["x"], "kept");
        let entries = index["manifests"].as_array().unwrap();
        let digests: Vec<_> = entries.iter().map(|entry| &entry["digest"]).collect();
        assert_eq!(digests, ["c", "b", "d"]);
    }
}

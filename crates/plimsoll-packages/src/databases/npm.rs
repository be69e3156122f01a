//! Node packages, by the `package.json` of each.

use plimsoll_model::package::ecosystem;
use plimsoll_model::{ImagePath, KnownBy, Package};
use serde_json::Value;

use super::{Reading, database};

database! {
    /// Node packages as npm, yarn and pnpm install them: each directory in a `node_modules` with its
    /// `package.json`, and an application that has a `node_modules` beside its own.
    ///
    /// Lock files say what was to be installed, not what is there, so they are no evidence and are
    /// not read. A `package.json` deeper inside a package (for its tests, or to say what kind of
    /// modules a directory has) is no package.
    ///
    /// ## Example
    ///
    /// ```image
    /// /app/package.json 0644 "{\"name\": \"app\", \"version\": \"0.1.0\"}"
    /// /app/node_modules/@a/b/package.json 0644 "{\"name\": \"@a/b\", \"version\": \"2.0.0\", \"license\": \"MIT\"}"
    /// /app/node_modules/@a/b/dist/esm/package.json 0644 "{\"type\": \"module\"}"
    /// /app/node_modules/@a/b/node_modules/c/package.json 0644 "{\"name\": \"c\", \"version\": \"3.0.0\"}"
    /// ```
    ///
    /// ```packages
    /// c 3.0.0 /app/node_modules/@a/b/node_modules/c/package.json
    /// @a/b 2.0.0 /app/node_modules/@a/b/dist/esm/package.json /app/node_modules/@a/b/package.json
    /// app 0.1.0 /app/package.json
    /// ```
    id: "npm",
    ecosystem: ecosystem::NPM,
    wants: &["**/package.json"],
    read: read,
    link: None,
}

/// Longer ones are not read; the longest of the registry are below a megabyte.
const LIMIT: u64 = 4 << 20;

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        let Some(directory) = path.parent() else {
            continue;
        };
        let installed = is_installed(&directory);
        let is_application = !installed
            && !directory.components().any(|part| part == b"node_modules")
            && reading.rootfs.tree.contains(directory.join("node_modules"));
        if !installed && !is_application {
            continue;
        }
        let Some(bytes) = reading.file(path, LIMIT) else {
            continue;
        };
        let json: Value = match serde_json::from_slice(without_mark(&bytes)) {
            Ok(json) => json,
            Err(error) => {
                reading.problem(path, format!("is no JSON: {error}"));
                continue;
            }
        };
        let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("name").is_empty() {
            // What is private to an application needs no name.
            if installed {
                reading.problem(path, "has no name");
            }
            continue;
        }
        let files = if installed {
            let nested = directory.join("node_modules");
            reading.below(&directory, |path| path.starts_with(&nested))
        } else {
            vec![path.clone()]
        };
        reading.add(Package {
            ecosystem: ecosystem::NPM,
            name: text("name").to_owned(),
            version: text("version").to_owned(),
            vendor: person(json.get("author")),
            licences: licences(&json),
            known_by: KnownBy::Metadata,
            files,
            database: Some(path.clone()),
            ..Package::default()
        });
    }
}

/// Whether this is the directory of an installed package: in `node_modules`, or in a scope there.
fn is_installed(directory: &ImagePath) -> bool {
    let mut above = directory.components().rev();
    let (name, parent, grandparent) = (above.next(), above.next(), above.next());
    let is_name = |name: Option<&[u8]>| name.is_some_and(|name| !name.starts_with(b"."));
    match parent {
        Some(b"node_modules") => is_name(name) && name.is_none_or(|name| !name.starts_with(b"@")),
        Some(scope) if scope.starts_with(b"@") => grandparent == Some(b"node_modules"),
        _ => false,
    }
}

/// Some editors begin a file with a byte order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// `"Name <address>"`, or an object with a name.
fn person(value: Option<&Value>) -> String {
    let value = value.map(|value| value.get("name").unwrap_or(value));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// `"MIT"`, `{"type": "MIT"}`, or a list of either under `licenses`.
fn licences(json: &Value) -> Vec<String> {
    let one = |value: &Value| {
        let value = value.get("type").unwrap_or(value);
        value.as_str().map(str::to_owned)
    };
    let list = json.get("licenses").and_then(Value::as_array);
    let list = list.into_iter().flatten();
    json.get("license")
        .into_iter()
        .chain(list)
        .filter_map(one)
        .collect()
}

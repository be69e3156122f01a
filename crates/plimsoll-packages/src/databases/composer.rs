//! PHP packages, as Composer records them.

use plimsoll_model::package::ecosystem;
use plimsoll_model::{KnownBy, Package};
use serde_json::Value;

use super::{Reading, database};

database! {
    /// PHP packages as Composer installs them: `vendor/composer/installed.json`, in the form of
    /// Composer 2 (an object with `packages`) and of Composer 1 (a list).
    ///
    /// ## Example
    ///
    /// ```image
    /// /app/vendor/composer/installed.json 0644 "{\"packages\": [{\"name\": \"psr/log\", \"version\": \"3.0.0\", \"license\": [\"MIT\"], \"install-path\": \"../psr/log\"}]}"
    /// /app/vendor/psr/log/src/X.php 0644 1k
    /// ```
    ///
    /// ```packages
    /// psr/log 3.0.0 /app/vendor/psr/log/src/X.php
    /// ```
    id: "composer",
    ecosystem: ecosystem::COMPOSER,
    wants: &["**/composer/installed.json"],
    read: read,
    link: None,
}

const LIMIT: u64 = 64 << 20;

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        let Some(bytes) = reading.file(path, LIMIT) else {
            continue;
        };
        let json: Value = match serde_json::from_slice(&bytes) {
            Ok(json) => json,
            Err(error) => {
                reading.problem(path, format!("is no JSON: {error}"));
                continue;
            }
        };
        let list = json.get("packages").unwrap_or(&json);
        let Some(list) = list.as_array() else {
            reading.problem(path, "has no list of packages");
            continue;
        };
        for entry in list {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            if text("name").is_empty() || text("version").is_empty() {
                reading.problem(path, "lists a package without a name or a version");
                continue;
            }
            let directory = path.parent().map(|directory| match text("install-path") {
                "" => directory.join("..").join(text("name")),
                place => directory.join(place),
            });
            let files = directory.map(|directory| reading.below(&directory, |_| false));
            let licences = entry.get("license").and_then(Value::as_array);
            let licences = licences.into_iter().flatten().filter_map(Value::as_str);
            reading.add(Package {
                ecosystem: ecosystem::COMPOSER,
                name: text("name").to_owned(),
                version: text("version").to_owned(),
                licences: licences.map(str::to_owned).collect(),
                known_by: KnownBy::Database,
                files: files.unwrap_or_default(),
                database: Some(path.clone()),
                ..Package::default()
            });
        }
        reading.inventory.databases.push(path.clone());
    }
}

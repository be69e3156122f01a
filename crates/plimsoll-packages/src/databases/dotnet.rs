//! .NET packages, as the host that starts an application knows them.

use plimsoll_model::package::ecosystem;
use plimsoll_model::{KnownBy, Package};
use serde_json::Value;

use super::{Reading, database};

database! {
    /// .NET packages by `APPLICATION.deps.json` (.NET documentation, *Runtime configuration files*):
    /// its `libraries` name every package and project with its version. The runtime has such a file
    /// of its own.
    ///
    /// ## Example
    ///
    /// ```image
    /// /app/web.deps.json 0644 "{\"libraries\": {\"web/1.0.0\": {\"type\": \"project\"}, \"Serilog/3.1.1\": {\"type\": \"package\"}}}"
    /// ```
    ///
    /// ```packages
    /// Serilog 3.1.1
    /// web 1.0.0
    /// ```
    id: "dotnet",
    ecosystem: ecosystem::NUGET,
    wants: &["**/*.deps.json"],
    read: read,
    link: None,
}

const LIMIT: u64 = 32 << 20;

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        let Some(bytes) = reading.file(path, LIMIT) else {
            continue;
        };
        let json: Value =
            match serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)) {
                Ok(json) => json,
                Err(error) => {
                    reading.problem(path, format!("is no JSON: {error}"));
                    continue;
                }
            };
        let Some(libraries) = json.get("libraries").and_then(Value::as_object) else {
            reading.problem(path, "has no libraries");
            continue;
        };
        for key in libraries.keys() {
            let Some((name, version)) = key.split_once('/') else {
                reading.problem(
                    path,
                    format!(
                        "names a library without a version: `{}`",
                        key.escape_debug()
                    ),
                );
                continue;
            };
            // The parts of a runtime that an application brings along.
            let name = name.strip_prefix("runtimepack.").unwrap_or(name);
            reading.add(Package {
                ecosystem: ecosystem::NUGET,
                name: name.to_owned(),
                version: version.to_owned(),
                known_by: KnownBy::Metadata,
                database: Some(path.clone()),
                ..Package::default()
            });
        }
    }
}

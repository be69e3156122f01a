//! Java archives, by what build tools leave in them.

use plimsoll_model::package::ecosystem;
use plimsoll_model::{ImagePath, KnownBy, Package};

use super::{Reading, database};
use crate::mail;
use crate::zip::{self, Archive, Source};

database! {
    /// Java archives (`.jar`, `.war`, `.ear` and their kin), and archives in archives, as Spring Boot
    /// and application servers pack them.
    ///
    /// An archive is known by Maven's `META-INF/maven/GROUP/ARTIFACT/pom.properties` (there may be
    /// several, where others were shaded in), else by the manifest (`Implementation-Title`,
    /// `Bundle-SymbolicName` and their versions), else by its file name alone. Names are
    /// `group:artifact`, or the artifact where no group is known.
    ///
    /// Archives in archives are opened four deep, each up to 64 MiB and 512 MiB together.
    ///
    /// ## Example
    ///
    /// ```image
    /// /opt/app/lib/demo-1.2.3.jar 0644 "PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    /// ```
    ///
    /// ```packages
    /// demo 1.2.3 /opt/app/lib/demo-1.2.3.jar
    /// ```
    id: "java",
    ecosystem: ecosystem::MAVEN,
    wants: &[
        "**/*.jar", "**/*.war", "**/*.ear", "**/*.sar", "**/*.par", "**/*.kar", "**/*.nar",
        "**/*.hpi", "**/*.jpi", "**/*.lpkg", "**/*.rar",
    ],
    read: read,
    link: None,
}

/// Archives deeper in archives are not opened.
const MAX_DEPTH: usize = 4;
/// An archive in an archive, at most.
const MAX_NESTED: u64 = 64 << 20;
/// All of them in one file, at most.
const MAX_TOTAL: u64 = 512 << 20;
/// Properties and manifests; those with sums of every class are long.
const MAX_TEXT: u64 = 8 << 20;
const ENDINGS: &[&str] = &[
    ".jar", ".war", ".ear", ".sar", ".par", ".kar", ".nar", ".hpi", ".jpi", ".lpkg",
];

fn read(reading: &mut Reading<'_>) {
    let mut inodes = std::collections::BTreeSet::new();
    for path in reading.found {
        let Some(node) = reading.rootfs.tree.get(path) else {
            continue;
        };
        // An archive of several names is one archive.
        if !inodes.insert(node.inode) {
            continue;
        }
        if path.file_name().ends_with(b".rar")
            && reading
                .rootfs
                .read_head(path, 2)
                .is_ok_and(|head| head != b"PK")
        {
            continue;
        }
        let mut opening = Opening {
            path,
            left: MAX_TOTAL,
            found: Vec::new(),
            problems: Vec::new(),
        };
        match zip::open(reading.rootfs, path) {
            Ok(archive) => {
                let name = String::from_utf8_lossy(path.file_name()).into_owned();
                opening.archive(&archive, &name, "", 0);
            }
            Err(error) => opening.problems.push(format!("cannot be read: {error}")),
        }
        let Opening {
            found, problems, ..
        } = opening;
        for package in found {
            reading.add(package);
        }
        for problem in problems {
            reading.problem(path, problem);
        }
    }
}

/// One file, and what was found in it.
struct Opening<'a> {
    path: &'a ImagePath,
    /// Bytes of nested archives that may still be unpacked.
    left: u64,
    found: Vec<Package>,
    problems: Vec<String>,
}

impl Opening<'_> {
    /// The archive of this file name, which lies at `inside` in the file.
    fn archive(&mut self, archive: &Archive<'_>, name: &str, inside: &str, depth: usize) {
        let (stem, mut own_version) = named(name);
        let mut main = None;
        let mut shaded = Vec::new();
        for entry in &archive.entries {
            let is_properties = entry.name.starts_with("META-INF/maven/")
                && entry.name.ends_with("/pom.properties");
            if !is_properties {
                continue;
            }
            match archive.read(entry, MAX_TEXT) {
                Ok(text) => {
                    let Some(found) = Coordinates::of(&String::from_utf8_lossy(&text)) else {
                        continue;
                    };
                    if found.artifact == stem && main.is_none() {
                        main = Some(found);
                    } else {
                        shaded.push(found);
                    }
                }
                Err(error) => self.problem(inside, format!("{}: {error}", entry.name)),
            }
        }
        let manifest = self.manifest(archive, inside);
        // The only properties are those of the archive, whatever the file is called.
        if main.is_none() && shaded.len() == 1 && own_version.is_none() {
            main = shaded.pop();
        }
        let (main, known_by) = match main {
            Some(main) => (main, KnownBy::Metadata),
            None => match by_manifest(&manifest, &stem, own_version.as_deref()) {
                Some(found) => (found, KnownBy::Metadata),
                None => {
                    let version = own_version.take().unwrap_or_default();
                    let found = Coordinates {
                        group: String::new(),
                        artifact: stem,
                        version,
                    };
                    (found, KnownBy::FileName)
                }
            },
        };
        let licence = value(&manifest, &["Bundle-License"]);
        let vendor = value(
            &manifest,
            &[
                "Implementation-Vendor",
                "Bundle-Vendor",
                "Specification-Vendor",
            ],
        );
        let known: Vec<Coordinates> = shaded.into_iter().filter(|other| *other != main).collect();
        let mut add = |coordinates: Coordinates, known_by, is_main: bool| {
            let package = Package {
                ecosystem: ecosystem::MAVEN,
                name: coordinates.name(),
                version: coordinates.version,
                vendor: vendor.clone().filter(|_| is_main).unwrap_or_default(),
                licences: licence.clone().filter(|_| is_main).into_iter().collect(),
                known_by,
                files: if inside.is_empty() {
                    vec![self.path.clone()]
                } else {
                    Vec::new()
                },
                database: Some(self.path.clone()),
                inside: inside.to_owned(),
                ..Package::default()
            };
            self.found.push(package);
        };
        add(main, known_by, true);
        for coordinates in known {
            add(coordinates, KnownBy::Metadata, false);
        }
        for entry in &archive.entries {
            let is_archive = ENDINGS
                .iter()
                .any(|ending| entry.name.to_ascii_lowercase().ends_with(ending));
            if is_archive {
                let place = match inside {
                    "" => entry.name.clone(),
                    inside => format!("{inside}/{}", entry.name),
                };
                self.nested(archive, entry, &place, depth + 1);
            }
        }
    }

    fn nested(&mut self, archive: &Archive<'_>, entry: &zip::Entry, place: &str, depth: usize) {
        if depth > MAX_DEPTH {
            self.problem(
                place,
                format!("is more than {MAX_DEPTH} archives deep; not opened"),
            );
            return;
        }
        if self.left == 0 {
            self.problem(
                place,
                format!("is not opened: the archives in it have more than {MAX_TOTAL} bytes"),
            );
            return;
        }
        let bytes = match archive.read(entry, MAX_NESTED.min(self.left)) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.left = self.left.saturating_sub(entry.size.min(MAX_NESTED));
                self.problem(place, format!("cannot be read: {error}"));
                return;
            }
        };
        self.left = self.left.saturating_sub(bytes.len() as u64);
        match zip::read(Source::Memory(bytes)) {
            Ok(inner) => {
                let name = place.rsplit('/').next().unwrap_or(place);
                self.archive(&inner, name, place, depth);
            }
            Err(error) => self.problem(place, format!("cannot be read: {error}")),
        }
    }

    fn manifest(&mut self, archive: &Archive<'_>, inside: &str) -> Vec<(String, String)> {
        let is_manifest =
            |entry: &&zip::Entry| entry.name.eq_ignore_ascii_case("META-INF/MANIFEST.MF");
        let Some(entry) = archive.entries.iter().find(is_manifest) else {
            return Vec::new();
        };
        match archive.read(entry, MAX_TEXT) {
            Ok(text) => mail::manifest(&String::from_utf8_lossy(&text)),
            Err(error) => {
                self.problem(inside, format!("{}: {error}", entry.name));
                Vec::new()
            }
        }
    }

    fn problem(&mut self, inside: &str, message: String) {
        // A file of a thousand broken archives is one problem told a few times.
        const MOST: usize = 20;
        if self.problems.len() < MOST {
            self.problems.push(match inside {
                "" => message,
                inside => format!("{inside}: {message}"),
            });
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Coordinates {
    group: String,
    artifact: String,
    version: String,
}

impl Coordinates {
    /// What a `pom.properties` says.
    fn of(text: &str) -> Option<Self> {
        let mut found = Self {
            group: String::new(),
            artifact: String::new(),
            version: String::new(),
        };
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let value = value.trim().to_owned();
            match key.trim() {
                "groupId" => found.group = value,
                "artifactId" => found.artifact = value,
                "version" => found.version = value,
                _ => {}
            }
        }
        (!found.artifact.is_empty() && !found.version.is_empty()).then_some(found)
    }

    fn name(&self) -> String {
        if self.group.is_empty() {
            self.artifact.clone()
        } else {
            format!("{}:{}", self.group, self.artifact)
        }
    }
}

/// The first of these attributes that says something.
fn value(manifest: &[(String, String)], names: &[&str]) -> Option<String> {
    let mut values = names.iter().filter_map(|name| {
        let (_, value) = manifest
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        let says = !value.is_empty() && !value.contains("${");
        says.then(|| value.clone())
    });
    values.next()
}

/// What the manifest says, if it says a version; the file's name says the artifact better.
fn by_manifest(
    manifest: &[(String, String)],
    stem: &str,
    version: Option<&str>,
) -> Option<Coordinates> {
    let versions = [
        "Implementation-Version",
        "Bundle-Version",
        "Specification-Version",
        "Plugin-Version",
    ];
    let said = value(manifest, &versions);
    // `name-1.2.jar` holds version 1.2, whatever its manifest calls the specification.
    let said = match version {
        Some(version) => version.to_owned(),
        None => said?
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    if manifest.is_empty() {
        return None;
    }
    let symbolic = value(manifest, &["Bundle-SymbolicName", "Automatic-Module-Name"]);
    let symbolic =
        symbolic.map(|name| name.split(';').next().unwrap_or_default().trim().to_owned());
    let group = value(manifest, &["Implementation-Vendor-Id"]).or_else(|| {
        // `org.slf4j.api` for slf4j-api: all but the last part, where it looks like a package.
        let symbolic = symbolic.as_deref()?;
        let (group, _) = symbolic.rsplit_once('.')?;
        (group.contains('.') || symbolic.matches('.').count() == 1).then(|| group.to_owned())
    });
    let is_group = |group: &String| !group.contains(char::is_whitespace);
    Some(Coordinates {
        group: group.filter(is_group).unwrap_or_default(),
        artifact: stem.to_owned(),
        version: said,
    })
}

/// Artifact and version of a file name: the version begins behind the first `-` that a digit
/// follows.
fn named(name: &str) -> (String, Option<String>) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let bytes = stem.as_bytes();
    let cut = (1..bytes.len().saturating_sub(1)).find(|&index| {
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let is_v = bytes[index + 1] == b'v' && digit(index + 2);
        matches!(bytes[index], b'-' | b'_') && (digit(index + 1) || is_v)
    });
    match cut {
        Some(cut) => (stem[..cut].to_owned(), Some(stem[cut + 1..].to_owned())),
        None => (stem.to_owned(), None),
    }
}

//! Lists of packages without an image: what somebody else counted, as JSON or line by line.
//!
//! ```text
//! {"name": "httpd:2.4", "distro": "debian 12", "env": ["HTTPD_VERSION=2.4.46"],
//!  "deb": [["libc6", "2.36-9", "glibc", "2.36-9"]], "apk": [["musl", "1.2.4-r2"]],
//!  "rpm": ["bash-5.1.8-6.el9.x86_64"]}
//! ```
//!
//! or `NAME VERSION`, one a line, as `dpkg-query -W` prints it. Where the list does not name the
//! distribution, packages that every installation has tell it; where they do not, nobody guesses.

use plimsoll_model::package::{KnownBy, ecosystem};
use plimsoll_model::{Evidence, Inventory, OsRelease, Package, Problem};
use serde::Deserialize;
use serde_json::Value;

/// A list of packages, read.
#[derive(Debug, Default)]
pub struct Listing {
    /// What it is of, in its own words; may be empty.
    pub name: String,
    /// The packages. What could not be read is among its problems.
    pub inventory: Inventory,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    name: String,
    tags: Vec<String>,
    distro: String,
    env: Value,
    deb: Vec<Vec<Option<String>>>,
    apk: Vec<Vec<Option<String>>>,
    rpm: Vec<Value>,
}

/// Reads a list of packages; nothing where the text is none.
pub fn read(text: &str) -> Option<Listing> {
    let mut listing = if text.trim_start().starts_with('{') {
        let file: File = serde_json::from_str(text).ok()?;
        // A list that names an image and no package is one: nothing is known of that image.
        let nothing = file.deb.is_empty() && file.apk.is_empty() && file.rpm.is_empty();
        if nothing && file.tags.is_empty() {
            return None;
        }
        from_json(file)
    } else {
        from_lines(text)?
    };
    let inventory = &mut listing.inventory;
    inventory.packages.sort_by(|a, b| {
        (!ecosystem::is_distribution(a.ecosystem))
            .cmp(&!ecosystem::is_distribution(b.ecosystem))
            .then_with(|| {
                (a.ecosystem, &a.name, &a.version).cmp(&(b.ecosystem, &b.name, &b.version))
            })
    });
    if inventory.release.is_none() {
        inventory.release = guess(&inventory.packages);
    }
    Some(listing)
}

fn from_json(file: File) -> Listing {
    let mut inventory = Inventory::default();
    let mut bad = 0;
    for (kind, rows) in [(ecosystem::DEB, &file.deb), (ecosystem::APK, &file.apk)] {
        for row in rows {
            let at = |index: usize| {
                row.get(index)
                    .cloned()
                    .flatten()
                    .filter(|text| !text.is_empty())
            };
            let (Some(name), Some(version)) = (at(0), at(1)) else {
                bad += 1;
                continue;
            };
            inventory.packages.push(Package {
                source: at(2).filter(|source| *source != name),
                source_version: at(3).filter(|source| *source != version),
                ..package(kind, name, version)
            });
        }
    }
    for row in &file.rpm {
        match rpm(row) {
            Some(package) => inventory.packages.push(package),
            None => bad += 1,
        }
    }
    let pairs: Vec<(String, String)> = match &file.env {
        Value::Array(lines) => {
            let lines = lines
                .iter()
                .filter_map(|line| line.as_str()?.split_once('='));
            lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        }
        Value::Object(pairs) => {
            let pairs = pairs.iter();
            pairs
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect()
        }
        _ => Vec::new(),
    };
    inventory.packages.extend(
        pairs
            .iter()
            .filter_map(|(name, value)| product(name, value)),
    );
    if bad > 0 {
        inventory.problems.push(Problem {
            message: format!("{bad} entries of the list of packages have no name or no version"),
            evidence: Evidence::Image,
        });
    }
    inventory.release = distribution(&file.distro);
    let name = if file.name.is_empty() {
        file.tags.into_iter().next().unwrap_or_default()
    } else {
        file.name
    };
    Listing { name, inventory }
}

fn package(kind: &'static str, name: String, version: String) -> Package {
    Package {
        ecosystem: kind,
        name,
        version,
        known_by: KnownBy::Sbom,
        ..Package::default()
    }
}

/// `name-[epoch:]version-release[.architecture]`, or the same in parts.
fn rpm(row: &Value) -> Option<Package> {
    if let Value::Array(parts) = row {
        let at = |index: usize| Some(parts.get(index)?.as_str()?.to_owned());
        return Some(package(ecosystem::RPM, at(0)?, at(1)?));
    }
    let text = row.as_str()?;
    const ARCHITECTURES: [&str; 8] = [
        ".x86_64", ".noarch", ".aarch64", ".i686", ".ppc64le", ".s390x", ".src", ".(none)",
    ];
    let found = ARCHITECTURES
        .iter()
        .find_map(|end| Some((text.strip_suffix(end)?, &end[1..])));
    let (text, architecture) = found.unwrap_or((text, ""));
    let (rest, release) = text.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(Package {
        architecture: architecture.to_owned(),
        ..package(
            ecosystem::RPM,
            name.to_owned(),
            format!("{version}-{release}"),
        )
    })
}

/// What official images say of the application they are built for: `HTTPD_VERSION=2.4.46`.
fn product(variable: &str, value: &str) -> Option<Package> {
    /// Variables of this form that name something else than an application, or a part of one.
    const OTHERS: [&str; 6] = ["yarn", "npm", "python_pip", "python_get_pip", "gosu", "njs"];
    let name = variable.strip_suffix("_VERSION")?.to_ascii_lowercase();
    let name = match name.as_str() {
        "pg" => "postgres".to_owned(),
        "java" => "openjdk".to_owned(),
        _ => name,
    };
    let version = value.trim_start_matches(['v', 'V']);
    // What follows the first hyphen or tilde is the packaging.
    let version = version.split(['-', '~']).next().unwrap_or_default();
    let is_version =
        version.starts_with(|first: char| first.is_ascii_digit()) && version.contains('.');
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (is_version && plain && !OTHERS.contains(&&*name))
        .then(|| package(ecosystem::GENERIC, name, version.to_owned()))
}

/// `NAME VERSION`, one a line.
fn from_lines(text: &str) -> Option<Listing> {
    let mut inventory = Inventory::default();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?);
        let name = name.split(':').next().unwrap_or(name);
        let sound =
            version.starts_with(|first: char| first.is_ascii_digit()) && words.next().is_none();
        if !sound {
            return None;
        }
        let kind = match version.rsplit_once("-r") {
            Some((_, revision)) if revision.bytes().all(|byte| byte.is_ascii_digit()) => {
                ecosystem::APK
            }
            _ => ecosystem::DEB,
        };
        inventory
            .packages
            .push(package(kind, name.to_owned(), version.to_owned()));
    }
    (!inventory.packages.is_empty()).then(|| Listing {
        name: String::new(),
        inventory,
    })
}

/// `debian 12`, `debian:12`, `alpine 3.24`.
pub fn distribution(text: &str) -> Option<OsRelease> {
    let text = text.trim().to_ascii_lowercase();
    let (id, version) = text.split_once([' ', ':']).unwrap_or((&text, ""));
    (!id.is_empty()).then(|| OsRelease {
        id: id.to_owned(),
        version_id: version.trim().to_owned(),
        pretty_name: format!("{id} {}", version.trim()).trim().to_owned(),
        ..OsRelease::default()
    })
}

/// The distribution by the versions of packages every installation of it has.
fn guess(packages: &[Package]) -> Option<OsRelease> {
    let version = |name: &str| {
        let mut found = packages
            .iter()
            .filter(|package| ecosystem::is_distribution(package.ecosystem));
        Some(&*found.find(|package| package.name == name)?.version)
    };
    if let Some(base) = version("base-files") {
        // Ubuntu: `11ubuntu5.2` is that of 20.04.
        if let Some((upstream, _)) = base.split_once("ubuntu") {
            let release = match upstream {
                "7.2" => "14.04",
                "9.4" => "16.04",
                "10.1" => "18.04",
                "11" => "20.04",
                "11.1" => "20.10",
                "12" => "22.04",
                "13" => "24.04",
                _ => return None,
            };
            return distribution(&format!("ubuntu {release}"));
        }
        // Debian: its number is the release's, from the day it comes out.
        let number = base.split(['.', '+']).next().unwrap_or_default();
        return distribution(&format!("debian {number}"));
    }
    if let Some(release) = version("alpine-release") {
        let number = release.split('-').next().unwrap_or_default();
        return distribution(&format!("alpine {number}"));
    }
    // Alpine before 3.17 has no such package; each release has one version of its C library.
    let musl = version("musl")?;
    let (upstream, revision) = musl.rsplit_once("-r")?;
    let revision: u32 = revision.parse().ok()?;
    let release = match (upstream, revision) {
        ("1.1.12", _) => "3.3",
        ("1.1.14", _) => "3.4",
        ("1.1.15", _) => "3.5",
        ("1.1.16", _) => "3.6",
        ("1.1.18", _) => "3.7",
        ("1.1.19", _) => "3.8",
        ("1.1.20", _) => "3.9",
        ("1.1.22", _) => "3.10",
        ("1.1.24", 0..=3) => "3.11",
        ("1.1.24", _) => "3.12",
        ("1.2.2", 0..=1) => "3.13",
        _ => return None,
    };
    distribution(&format!("alpine {release}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_an_image_names_its_packages_and_its_application() {
        let text = r#"{"name":"web:1","env":["A=b","HTTPD_VERSION=2.4.46","YARN_VERSION=1.2","PG_VERSION=13.0-1.pgdg100+1"],
            "deb":[["libc6","2.28-10","glibc","2.28-10"],["base-files","10.3+deb10u6","base-files","10.3+deb10u6"],["x",null]]}"#;
        let listing = read(text).unwrap();
        assert_eq!(listing.name, "web:1");
        let found: Vec<_> = listing
            .inventory
            .packages
            .iter()
            .map(|it| {
                format!(
                    "{} {} {} {}",
                    it.ecosystem,
                    it.name,
                    it.version,
                    it.source_name()
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                "deb base-files 10.3+deb10u6 base-files",
                "deb libc6 2.28-10 glibc",
                "generic httpd 2.4.46 httpd",
                "generic postgres 13.0 postgres",
            ]
        );
        let release = listing.inventory.release.unwrap();
        assert_eq!((&*release.id, &*release.version_id), ("debian", "10"));
        assert_eq!(listing.inventory.problems.len(), 1);
    }

    #[test]
    fn lines_and_names_of_rpm_are_read_too() {
        let listing = read("adduser 3.152\nbase-files 13.8+deb13u7\n").unwrap();
        assert_eq!(listing.inventory.release.unwrap().version_id, "13");
        let listing =
            read(r#"{"distro":"rocky 9","rpm":["bash-5.1.8-6.el9.x86_64","gpg-pubkey"]}"#).unwrap();
        let package = &listing.inventory.packages[0];
        assert_eq!(
            (&*package.name, &*package.version, &*package.architecture),
            ("bash", "5.1.8-6.el9", "x86_64")
        );
        assert_eq!(listing.inventory.problems.len(), 1);
    }

    #[test]
    fn what_is_no_list_is_none_and_what_does_not_tell_is_not_guessed() {
        for text in [
            "",
            "{}",
            "[]",
            "hello world\n",
            "name 1 2\n",
            "\u{1f}\u{8b}",
            "{\"deb\":1}",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read("musl 9.9.9-r0\n").unwrap().inventory.release.is_none());
        let alpine = read("musl 1.1.24-r9\n").unwrap().inventory;
        assert_eq!(alpine.release.unwrap().version_id, "3.12");
        assert_eq!(alpine.packages[0].ecosystem, "apk");
    }
}

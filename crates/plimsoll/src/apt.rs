//! Where this machine's own package manager gets its packages from.
//!
//! `sources.list(5)`: one-line and deb822 style, `Signed-By` as a path or an embedded key; keys
//! without one come from `trusted.gpg.d` (`apt-secure(8)`). No mirror is compiled in.

use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_packages::deb822;

/// One source: a suite of a repository, and the keys that may sign it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Address of the archive's root.
    pub(crate) uri: String,
    /// Suite or code name: `bookworm-updates`.
    pub(crate) suite: String,
    /// Components: `main`.
    pub(crate) components: Vec<String>,
    /// Keyrings, as bytes.
    pub(crate) keyrings: Vec<Vec<u8>>,
    /// The administrator wrote `trusted=yes`.
    pub(crate) trusted: bool,
}

/// Every binary package source below `etc` (`/etc`), in apt's order; and what was not understood.
pub(crate) fn sources(etc: &Path) -> (Vec<Source>, Vec<String>) {
    let mut files = vec![etc.join("apt/sources.list")];
    files.extend(sorted(
        &etc.join("apt/sources.list.d"),
        &["list", "sources"],
    ));
    let global = global_keyrings(etc);
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        if file
            .extension()
            .is_some_and(|extension| extension == "sources")
        {
            stanzas(&text, &file, &global, &mut found, &mut problems);
        } else {
            for (number, line) in text.lines().enumerate() {
                if let Err(why) = one_line(line, &global, &mut found) {
                    problems.push(format!("{} line {}: {why}", file.display(), number + 1));
                }
            }
        }
    }
    (found, problems)
}

/// Every key this machine's package manager could trust: for a mirror named by hand.
pub(crate) fn all_keyrings(etc: &Path) -> Vec<Vec<u8>> {
    let mut keyrings = global_keyrings(etc);
    for source in sources(etc).0 {
        keyrings.extend(source.keyrings);
    }
    for file in sorted(Path::new("/usr/share/keyrings"), &["gpg", "asc", "pgp"]) {
        let archive = file.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.contains("-archive-") && !name.contains("removed")
        });
        if archive {
            keyrings.extend(fs::read(file));
        }
    }
    keyrings.sort();
    keyrings.dedup();
    keyrings
}

fn global_keyrings(etc: &Path) -> Vec<Vec<u8>> {
    let mut files = vec![etc.join("apt/trusted.gpg")];
    files.extend(sorted(&etc.join("apt/trusted.gpg.d"), &["gpg", "asc"]));
    files
        .into_iter()
        .filter_map(|file| fs::read(file).ok())
        .collect()
}

fn sorted(directory: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| extensions.contains(&extension))
        })
        .collect();
    files.sort();
    files
}

/// `deb [option=value ...] URI SUITE COMPONENT...`
fn one_line(line: &str, global: &[Vec<u8>], found: &mut Vec<Source>) -> Result<(), String> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let Some(rest) = line
        .strip_prefix("deb")
        .filter(|rest| rest.starts_with([' ', '\t']))
    else {
        return Ok(());
    };
    let rest = rest.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(bracket) => bracket.split_once(']').ok_or("`[` without `]`")?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let uri = words.next().ok_or("no address")?;
    let suite = words.next().ok_or("no suite")?;
    let mut keyrings = global.to_vec();
    let mut trusted = false;
    for (key, value) in options
        .split_whitespace()
        .filter_map(|option| option.split_once('='))
    {
        match key {
            "signed-by" => keyrings = key_files(value.split(','))?,
            "trusted" => trusted = value == "yes",
            _ => {}
        }
    }
    push(
        found,
        uri,
        suite,
        words.map(str::to_owned).collect(),
        keyrings,
        trusted,
    );
    Ok(())
}

fn stanzas(
    text: &str,
    file: &Path,
    global: &[Vec<u8>],
    found: &mut Vec<Source>,
    problems: &mut Vec<String>,
) {
    for stanza in deb822::stanzas(text.as_bytes()) {
        let stanza = match stanza {
            Ok(stanza) => stanza,
            Err((line, why)) => {
                problems.push(format!("{} line {line}: {why}", file.display()));
                continue;
            }
        };
        let field = |name: &str| stanza.get(name).unwrap_or_default().trim().to_owned();
        let list = |name: &str| -> Vec<String> {
            field(name).split_whitespace().map(str::to_owned).collect()
        };
        if field("Enabled") == "no" || !list("Types").iter().any(|kind| kind == "deb") {
            continue;
        }
        let signed = field("Signed-By");
        let keyrings = if signed.is_empty() {
            Ok(global.to_vec())
        } else if signed.contains("BEGIN PGP") {
            // An embedded key: continuation lines begin with a blank, empty lines are a dot.
            let lines = signed.lines().map(|line| match line.trim() {
                "." => "",
                line => line,
            });
            Ok(vec![
                (lines.collect::<Vec<_>>().join("\n") + "\n").into_bytes(),
            ])
        } else {
            key_files(
                signed
                    .split([' ', ',', '\n'])
                    .filter(|path| !path.is_empty()),
            )
        };
        let keyrings = keyrings.unwrap_or_else(|why| {
            problems.push(format!("{} line {}: {why}", file.display(), stanza.line()));
            Vec::new()
        });
        for uri in list("URIs") {
            for suite in list("Suites") {
                let trusted = field("Trusted") == "yes";
                push(
                    found,
                    &uri,
                    &suite,
                    list("Components"),
                    keyrings.clone(),
                    trusted,
                );
            }
        }
    }
}

fn key_files<'a>(paths: impl Iterator<Item = &'a str>) -> Result<Vec<Vec<u8>>, String> {
    paths
        // A fingerprint selects among the global keys; apt checks it, we trust the file's keys.
        .filter(|path| path.starts_with('/'))
        .map(|path| fs::read(path).map_err(|error| format!("cannot read {path}: {error}")))
        .collect()
}

fn push(
    found: &mut Vec<Source>,
    uri: &str,
    suite: &str,
    components: Vec<String>,
    keyrings: Vec<Vec<u8>>,
    trusted: bool,
) {
    // Flat repositories (a suite that ends in `/`) and media have no place in a recipe's lock.
    let reachable = ["http:", "https:", "file:"]
        .iter()
        .any(|scheme| uri.starts_with(scheme));
    if reachable && !suite.ends_with('/') {
        let uri = uri.trim_end_matches('/').to_owned();
        found.push(Source {
            uri,
            suite: suite.to_owned(),
            components,
            keyrings,
            trusted,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_are_read_and_what_is_off_is_left_out() {
        let etc = tempfile::tempdir().unwrap();
        let parts = etc.path().join("apt/sources.list.d");
        fs::create_dir_all(&parts).unwrap();
        let key = etc.path().join("key.gpg");
        fs::write(&key, b"key").unwrap();
        let list = format!(
            "# comment\ndeb [signed-by={} arch=amd64] http://m.example/debian/ stable main contrib # x\n\
             deb-src http://m.example/debian stable main\ndeb cdrom:[x]/ stable main\n\
             deb http://m.example/flat ./\ndeb [trusted=yes\n",
            key.display()
        );
        fs::write(etc.path().join("apt/sources.list"), list).unwrap();
        let stanza = "Types: deb deb-src\nURIs: http://a.example/d http://b.example/d\n\
                      Suites: one two\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY \
                      BLOCK-----\n .\n AAAA\n\nTypes: deb\nEnabled: no\nURIs: http://c.example\n\
                      Suites: x\nComponents: main\n";
        fs::write(parts.join("a.sources"), stanza).unwrap();
        let (found, problems) = sources(etc.path());
        let names: Vec<_> = found
            .iter()
            .map(|source| format!("{} {}", source.uri, source.suite))
            .collect();
        assert_eq!(
            names,
            [
                "http://m.example/debian stable",
                "http://a.example/d one",
                "http://a.example/d two",
                "http://b.example/d one",
                "http://b.example/d two"
            ]
        );
        assert_eq!(found[0].components, ["main", "contrib"]);
        assert_eq!(found[0].keyrings, [b"key".to_vec()]);
        assert!(found[1].keyrings[0].starts_with(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA"));
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

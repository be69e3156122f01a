//! What an image is called for short, so that what is made of it can be named after it.

use std::path::Path;

use plimsoll_model::Digest;

use super::{SOURCES, split};
use crate::Reference;
use crate::select::Choice;

/// What is left of the names of archives.
const ENDINGS: [&str; 8] = [
    ".gz", ".xz", ".zst", ".bz2", ".tgz", ".tzst", ".tar", ".oci",
];

/// The short name of the image called `name`, and which one of that name it is.
///
/// Of a name in a registry or an engine it is the last part of the repository, with the tag (`latest`
/// where none is written) or the first digits of the digest; of a path the name of the directory or
/// the archive. A name inside a layout or an archive comes before that of the path, unless it is a
/// version (`2.4`, `v1`, `latest`). Both are made of letters, digits, `.`, `_` and `-`.
pub fn called(name: &str) -> (String, Option<String>) {
    let scheme = name.split_once(':').and_then(|(scheme, rest)| {
        let source = SOURCES.iter().find(|source| source.scheme == scheme)?;
        Some((*source, rest))
    });
    let scheme = scheme.filter(|_| !Path::new(name).exists());
    let text = scheme.map_or(name, |(_, rest)| rest);
    let place = match scheme {
        Some((source, _)) if !source.is_path => None,
        _ => split(text)
            .ok()
            .and_then(|(path, choice)| Some((path?, choice))),
    };
    let (name, version) = match place {
        Some((path, choice)) => of_place(&path, choice),
        None => of_reference(text.trim_start_matches("//")),
    };
    let name = match plain(&name) {
        name if name.is_empty() => "image".to_owned(),
        name => name,
    };
    let version = version.map(|version| plain(&version));
    (name, version.filter(|version| !version.is_empty()))
}

fn of_reference(text: &str) -> (String, Option<String>) {
    if let Ok(digest) = Digest::parse(text) {
        return (String::new(), Some(digest.short()));
    }
    let Ok(reference) = Reference::parse(text) else {
        // Nothing is there, as whoever opens it will say.
        return (stem(Path::new(text)), None);
    };
    let last = reference.repository().rsplit('/').next();
    let version = match reference.digest() {
        Some(digest) => Some(digest.short()),
        None => reference.tag().map(str::to_owned),
    };
    (last.unwrap_or_default().to_owned(), version)
}

fn of_place(path: &Path, choice: Option<Choice>) -> (String, Option<String>) {
    match choice {
        None => (stem(path), None),
        Some(Choice::Digest(digest)) => (stem(path), Some(digest.short())),
        Some(Choice::Name(name)) if is_version(&name) => (stem(path), Some(name)),
        Some(Choice::Name(name)) if name.contains(['/', ':']) => of_reference(&name),
        Some(Choice::Name(name)) => (name, None),
    }
}

/// Whether a name inside a layout says which one of an image it is, and not what image.
fn is_version(name: &str) -> bool {
    let digits = name.strip_prefix('v').unwrap_or(name);
    name == "latest" || digits.starts_with(|first: char| first.is_ascii_digit())
}

/// The name of a file without what says that it is an archive.
fn stem(path: &Path) -> String {
    let named = path.file_name().map(ToOwned::to_owned);
    // `.` and `..` have the name of the directory they lead to.
    let named = named.or_else(|| Some(path.canonicalize().ok()?.file_name()?.to_owned()));
    let named = named.unwrap_or_default().to_string_lossy().into_owned();
    let mut stem = named.as_str();
    while let Some(shorter) = ENDINGS.iter().find_map(|end| stem.strip_suffix(end)) {
        stem = shorter;
    }
    stem.to_owned()
}

/// What can be part of any path and name.
fn plain(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let text: String = text
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(128)
        .collect();
    text.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_registries_and_engines_give_their_last_part() {
        let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (name, short, version) in [
            ("httpd", "httpd", "latest"),
            ("httpd:latest", "httpd", "latest"),
            ("httpd:2.4", "httpd", "2.4"),
            ("localhost:5000/x", "x", "latest"),
            ("localhost:5000/team/app:1.2-rc", "app", "1.2-rc"),
            ("docker://localhost:5000/x:web", "x", "web"),
            ("docker-daemon:me/app", "app", "latest"),
            ("podman:web:1", "web", "1"),
            ("containers-storage:web", "web", "latest"),
            (&format!("repo@{digest}"), "repo", "0123456789ab"),
            (&format!("ghcr.io/me/app:1@{digest}"), "app", "0123456789ab"),
            (&format!("docker-daemon:{digest}"), "image", "0123456789ab"),
        ] {
            let version = Some(version.to_owned());
            assert_eq!(called(name), (short.to_owned(), version), "{name}");
        }
    }

    #[test]
    fn paths_give_the_name_inside_or_their_own() {
        let scratch = tempfile::tempdir().unwrap();
        for directory in ["images", "httpd", "my web:1"] {
            std::fs::create_dir(scratch.path().join(directory)).unwrap();
        }
        for archive in ["web.tar.gz", "web.tar", "app.oci"] {
            std::fs::write(scratch.path().join(archive), "").unwrap();
        }
        let zeros = "0".repeat(64);
        for (name, short, version) in [
            ("oci:@images:web", "web", None),
            ("@images:web", "web", None),
            ("oci:@images", "images", None),
            ("@images/", "images", None),
            ("@images/../httpd/.", "httpd", None),
            ("oci:@httpd:2.4", "httpd", Some("2.4")),
            ("@httpd:latest", "httpd", Some("latest")),
            ("@httpd:v3", "httpd", Some("v3")),
            (
                &*format!("@httpd@sha256:{zeros}"),
                "httpd",
                Some("000000000000"),
            ),
            ("@web.tar.gz", "web", None),
            ("docker-archive:@web.tar", "web", None),
            (
                "docker-archive:@web.tar:docker.io/library/httpd:2.4",
                "httpd",
                Some("2.4"),
            ),
            ("oci-archive:@app.oci", "app", None),
            ("dir:@my web:1", "my-web-1", None),
        ] {
            let real = name.replace('@', &format!("{}/", scratch.path().display()));
            let real = real.replace(&format!("{}/sha256", scratch.path().display()), "@sha256");
            let version = version.map(str::to_owned);
            assert_eq!(called(&real), (short.to_owned(), version), "{real}");
        }
    }
}

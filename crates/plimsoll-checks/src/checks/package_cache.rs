//! `package-cache`: archives and indexes a package manager keeps to be faster next time.

use std::collections::BTreeMap;

use plimsoll_model::{ImagePath, Subject, text};

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Keep the image small: a package manager keeps the archives it fetched, to be faster next
    /// time. In an image there is no next time, and every pull pays for them.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/cache/apt/archives/curl_8.14.1-2_amd64.deb  0644 270k   # finding
    /// /var/cache/apt/pkgcache.bin                      0644 40k    # finding
    /// /root/.cache/pip/http-v2/0/a/0a1b                0600 90k    # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The empty directories and locks they leave, and an application's own cache.
    ///
    /// ```image
    /// /var/cache/apt/archives/partial/  dir 0700
    /// /var/cache/apt/archives/lock      0640 0
    /// /var/cache/app/pages.bin          0644 90k
    /// ```
    ///
    /// ## Remedy
    ///
    /// Clean up in the same `RUN` (`apt-get clean`, `apk add --no-cache`, `pip install
    /// --no-cache-dir`), or keep the cache out of the layer:
    /// `RUN --mount=type=cache,target=/var/cache/apt ...`. In a later `RUN` the bytes are dead, not
    /// gone.
    id: "package-cache",
    practice: "keep the image small",
    summary: "the cache of a package manager is in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// Where a cache lies, and how it is kept out of an image.
struct Cache {
    /// Whose.
    owner: &'static str,
    /// Directory or file: from the root if it begins with `/`, else anywhere; whole components.
    place: &'static str,
    /// The remedy.
    remedy: &'static str,
}

const CACHES: &[Cache] = &[
    cache("apk", "/var/cache/apk", "apk add --no-cache"),
    cache("apk", "/etc/apk/cache", "apk add --no-cache"),
    cache(
        "apt",
        "/var/cache/apt",
        "apt-get clean, in the RUN that installs",
    ),
    cache(
        "debconf and dpkg",
        "/var/cache/debconf/config.dat-old",
        "rm -f /var/cache/debconf/*-old /var/lib/dpkg/*-old, in the RUN that installs",
    ),
    cache(
        "debconf and dpkg",
        "/var/cache/debconf/templates.dat-old",
        "rm -f /var/cache/debconf/*-old /var/lib/dpkg/*-old, in the RUN that installs",
    ),
    cache(
        "debconf and dpkg",
        "/var/lib/dpkg/available-old",
        "rm -f /var/cache/debconf/*-old /var/lib/dpkg/*-old, in the RUN that installs",
    ),
    cache(
        "debconf and dpkg",
        "/var/lib/dpkg/status-old",
        "rm -f /var/cache/debconf/*-old /var/lib/dpkg/*-old, in the RUN that installs",
    ),
    cache(
        "dnf and yum",
        "/var/cache/dnf",
        "dnf clean all, in the RUN that installs",
    ),
    cache(
        "dnf and yum",
        "/var/cache/libdnf5",
        "dnf clean all, in the RUN that installs",
    ),
    cache(
        "dnf and yum",
        "/var/cache/yum",
        "yum clean all, in the RUN that installs",
    ),
    cache(
        "zypper",
        "/var/cache/zypp",
        "zypper clean --all, in the RUN that installs",
    ),
    cache(
        "pacman",
        "/var/cache/pacman/pkg",
        "pacman -Scc, in the RUN that installs",
    ),
    cache(
        "opkg",
        "/var/cache/opkg",
        "rm -r /var/cache/opkg, in the RUN that installs",
    ),
    cache("pip", ".cache/pip", "pip install --no-cache-dir"),
    cache(
        "pipenv",
        ".cache/pipenv",
        "PIPENV_CACHE_DIR on a cache mount",
    ),
    cache("poetry", ".cache/pypoetry", "poetry install --no-cache"),
    cache("uv", ".cache/uv", "uv pip install --no-cache"),
    cache(
        "npm",
        ".npm/_cacache",
        "npm cache clean --force, in the RUN that installs",
    ),
    cache(
        "npm",
        ".npm/_logs",
        "rm -r ~/.npm/_logs, in the RUN that installs",
    ),
    cache(
        "yarn",
        ".cache/yarn",
        "yarn cache clean, in the RUN that installs",
    ),
    cache(
        "pnpm",
        ".cache/pnpm",
        "RUN --mount=type=cache,target=/root/.cache/pnpm",
    ),
    cache(
        "composer",
        ".composer/cache",
        "composer clear-cache, in the RUN that installs",
    ),
    cache(
        "composer",
        ".cache/composer",
        "composer clear-cache, in the RUN that installs",
    ),
    cache(
        "bundler",
        "/usr/local/bundle/cache",
        "rm -r /usr/local/bundle/cache, in the RUN that installs",
    ),
    cache(
        "cargo",
        ".cargo/registry/cache",
        "RUN --mount=type=cache,target=/root/.cargo/registry",
    ),
    cache(
        "cargo",
        "/usr/local/cargo/registry/cache",
        "COPY --from=build the program alone",
    ),
    cache(
        "go",
        ".cache/go-build",
        "RUN --mount=type=cache,target=/root/.cache/go-build",
    ),
    cache(
        "go",
        "/go/pkg/mod/cache",
        "COPY --from=build the program alone",
    ),
    cache(
        "conda",
        "/opt/conda/pkgs",
        "conda clean --all, in the RUN that installs",
    ),
];

const fn cache(owner: &'static str, place: &'static str, remedy: &'static str) -> Cache {
    Cache {
        owner,
        place,
        remedy,
    }
}

fn run(subject: &Look, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    let mut found: BTreeMap<&str, (&Cache, Vec<ImagePath>)> = BTreeMap::new();
    for (path, node) in tree.iter() {
        if node.size() == 0 || super::package_lists::is_list(path) {
            continue;
        }
        if let Some(cache) = cache_of(path) {
            let (_, paths) = found.entry(cache.owner).or_insert((cache, Vec::new()));
            paths.push(path.clone());
        }
    }
    for (owner, (cache, paths)) in found {
        let message = format!("{owner} left {} behind", amount(subject, &paths));
        let evidence = paths.iter().map(|path| programs::evidence(tree, path));
        findings.add(message, evidence.collect(), cache.remedy);
    }
}

/// The cache that a file is in.
fn cache_of(path: &ImagePath) -> Option<&'static Cache> {
    // Places that are not absolute begin with a dot; few paths have such a component.
    let hidden = path.as_bytes().windows(2).any(|pair| pair == b"/.");
    CACHES
        .iter()
        .filter(|cache| hidden || cache.place.starts_with('/'))
        .find(|cache| lies_in(path, cache.place))
}

/// Whether this check finds the file.
pub(super) fn is_cache(path: &ImagePath) -> bool {
    cache_of(path).is_some()
}

/// `40 files (12.3 MB)`.
pub(super) fn amount(subject: &Subject, paths: &[ImagePath]) -> String {
    let nodes = paths
        .iter()
        .filter_map(|path| subject.rootfs.tree.get(path));
    let bytes = text::bytes(nodes.map(plimsoll_model::Node::size).sum());
    match paths.len() {
        1 => format!("1 file ({bytes})"),
        files => format!("{} files ({bytes})", text::count(files as u64)),
    }
}

/// Whether `path` is `place` or below it; a place that is not absolute may be in any directory.
fn lies_in(path: &ImagePath, place: &str) -> bool {
    if place.starts_with('/') {
        return path.starts_with(place);
    }
    let (path, place) = (path.as_bytes(), place.as_bytes());
    occurrences(path, place).any(|at| {
        let end = at + place.len();
        path[at - 1] == b'/' && (end == path.len() || path[end] == b'/')
    })
}

/// Where `needle` occurs in `path`, behind the first byte.
fn occurrences<'a>(path: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    (1..path.len().saturating_sub(needle.len() - 1))
        .filter(move |&at| path[at..].starts_with(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_whole_components() {
        for (path, place, lies) in [
            ("/root/.cache/pip", ".cache/pip", true),
            ("/root/.cache/pip/x", ".cache/pip", true),
            ("/root/.cache/pipes/x", ".cache/pip", false),
            ("/root/x.cache/pip/x", ".cache/pip", false),
            ("/.cache/pip", ".cache/pip", true),
            ("/x", ".cache/pip", false),
            ("/var/cache/apt2", "/var/cache/apt", false),
            ("/srv/var/cache/apt/x", "/var/cache/apt", false),
        ] {
            assert_eq!(lies_in(&path.into(), place), lies, "{path} in {place}");
        }
    }

    #[test]
    fn a_place_is_absolute_or_hidden() {
        for cache in CACHES {
            assert!(cache.place.starts_with(['/', '.']), "{}", cache.place);
        }
    }

    #[test]
    fn one_owner_has_its_rows_together() {
        let mut owners: Vec<&str> = CACHES.iter().map(|cache| cache.owner).collect();
        owners.dedup();
        let all = owners.len();
        owners.sort_unstable();
        owners.dedup();
        assert_eq!(owners.len(), all);
    }
}

//! What dpkg's records have in common, wherever they lie: stanzas, states, file lists.
//!
//! Source: `dpkg-query(1)` on the states, `deb-control(5)`, Debian policy 5 and 7.

use std::collections::{BTreeMap, HashSet};
use std::io;

use plimsoll_model::package::ecosystem;
use plimsoll_model::{Evidence, FileDigest, ImagePath, Package, Problem, Rootfs, State};

use crate::deb822::{self, Stanza};
use crate::index::installed_size;
use crate::relation;

pub(crate) use self::link::link;

mod link;

/// Most bytes of a file of records. A desktop's has 5 MB.
pub(crate) const MAX_STATUS: u64 = 64 << 20;

/// Most bytes of the file list of one package. The largest in Debian have 5 MB.
pub(crate) const MAX_LIST: u64 = 32 << 20;

/// How many names a problem that sums up others gives.
const NAMED: usize = 5;

/// The ecosystem of everything here, in package-URL words.
const ECOSYSTEM: &str = ecosystem::DEB;

/// What stands for the `Status` field, and is none.
pub(crate) enum Status {
    /// The database tells the state of every package.
    Told,
    /// Whatever is listed is there.
    Implied,
}

/// A file of the tree, or `None` where there is none; a problem where it cannot be read.
pub(crate) fn read(
    rootfs: &Rootfs,
    path: &ImagePath,
    limit: u64,
    problems: &mut Vec<Problem>,
) -> Option<Vec<u8>> {
    match rootfs.read(path, limit) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            problems.push(Problem::at(path, format!("cannot be read: {error}")));
            None
        }
    }
}

/// The installed packages of a file of records, in its order, without their files.
pub(crate) fn records(
    path: &ImagePath,
    bytes: &[u8],
    status: &Status,
    problems: &mut Vec<Problem>,
) -> Vec<Record> {
    let text = String::from_utf8_lossy(bytes);
    if let std::borrow::Cow::Owned(_) = text {
        // Old packages have names of maintainers in Latin-1; nothing that matters is lost.
        let message = "is not all UTF-8; what is not was replaced";
        problems.push(Problem::at(path, message));
    }
    let mut records = Vec::new();
    for stanza in deb822::stanzas(text.as_bytes()) {
        let (line, message) = match stanza {
            Ok(stanza) => match record(&stanza, path, status) {
                (record, None) => {
                    records.extend(record);
                    continue;
                }
                (record, Some(message)) => {
                    records.extend(record);
                    (stanza.line(), message)
                }
            },
            Err(error) => error,
        };
        let path = path.clone();
        problems.push(Problem {
            message,
            evidence: Evidence::Line { path, line },
        });
    }
    records
}

/// One record, and whether its package is there.
pub(crate) struct Record {
    /// The package, without files.
    pub(crate) package: Package,
    /// Whether its files are in the tree; `None` where nothing of it is.
    pub(crate) state: Option<State>,
    /// `Multi-Arch: same`: its files in the database carry the architecture.
    pub(crate) same: bool,
}

/// A record, if it has a name, and what is wrong with it.
fn record(
    stanza: &Stanza<'_>,
    path: &ImagePath,
    status: &Status,
) -> (Option<Record>, Option<String>) {
    let field = |name: &str| stanza.get(name).unwrap_or_default();
    let name = field("Package");
    if !relation::is_package_name(&name) {
        let message = format!("a record without a package name: `{}`", name.escape_debug());
        return (None, Some(message));
    }
    let mut problem = None;
    let mut trouble = |what: String| {
        problem.get_or_insert_with(|| format!("package {name}: {what}"));
    };
    let state = match (status, stanza.get("Status")) {
        (Status::Implied, None) => Some(State::Installed),
        (Status::Told, None) => {
            trouble("no Status; taken as installed".to_owned());
            Some(State::Installed)
        }
        (_, Some(words)) => match words.split_ascii_whitespace().nth(2).unwrap_or_default() {
            "not-installed" => None,
            "config-files" => Some(State::ConfigFiles),
            "installed" | "unpacked" | "half-configured" | "triggers-awaited"
            | "triggers-pending" => Some(State::Installed),
            "half-installed" => {
                trouble("is half-installed; some of its files may be missing".to_owned());
                Some(State::HalfInstalled)
            }
            _ => {
                let words = words.escape_debug();
                trouble(format!("unknown Status `{words}`; taken as installed"));
                Some(State::Installed)
            }
        },
    };
    let version = field("Version");
    if version.is_empty() && matches!(state, Some(State::Installed | State::HalfInstalled)) {
        trouble("no Version".to_owned());
    }
    let (source, source_version) = split_source(&field("Source"), &name, &version);
    let package = Package {
        ecosystem: ECOSYSTEM,
        state: state.unwrap_or_default(),
        vendor: match field("Origin") {
            origin if origin.is_empty() => field("Maintainer").into_owned(),
            origin => origin.into_owned(),
        },
        digests: conffile_digests(&field("Conffiles")),
        architecture: field("Architecture").into_owned(),
        source,
        source_version,
        section: field("Section").into_owned(),
        priority: field("Priority").into_owned(),
        essential: field("Essential") == "yes",
        installed_size: installed_size(&field("Installed-Size")),
        conffiles: conffiles(&field("Conffiles")),
        record: format!("{}\n", stanza.text()),
        database: Some(path.clone()),
        name: name.clone().into_owned(),
        version: version.into_owned(),
        ..Package::default()
    };
    let record = Record {
        package,
        state,
        same: field("Multi-Arch") == "same",
    };
    (Some(record), problem)
}

/// `glibc (2.36-9)`: name and version of the source, each only where it differs from the package's.
fn split_source(field: &str, name: &str, version: &str) -> (Option<String>, Option<String>) {
    let (source, own) = match field.split_once('(') {
        Some((source, rest)) => (source, rest.split(')').next().unwrap_or_default()),
        None => (field, ""),
    };
    let differs = |text: &str, other: &str| {
        let text = text.trim_ascii();
        (!text.is_empty() && text != other).then(|| text.to_owned())
    };
    (differs(source, name), differs(own, version))
}

/// Lines of `PATH MD5 [obsolete]`; the path may have blanks in it.
fn conffiles(field: &str) -> Vec<ImagePath> {
    let mut paths: Vec<ImagePath> = conffile_lines(field).map(|(path, _)| path).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// What the configuration files held when they were installed.
fn conffile_digests(field: &str) -> BTreeMap<ImagePath, FileDigest> {
    conffile_lines(field)
        .filter_map(|(path, digest)| Some((path, FileDigest::from_hex(digest.as_bytes())?)))
        .collect()
}

fn conffile_lines(field: &str) -> impl Iterator<Item = (ImagePath, &str)> {
    field.lines().filter_map(|line| {
        let mut line = line.trim_ascii();
        for mark in ["obsolete", "remove-on-upgrade"] {
            line = line.strip_suffix(mark).unwrap_or(line).trim_ascii_end();
        }
        let (path, digest) = line.rsplit_once(' ')?;
        path.starts_with('/')
            .then(|| (ImagePath::new(path.trim_ascii_end()), digest))
    })
}

/// The paths of an `info/NAME.list` file, directories left out: a path with others below it in the
/// list is one, and so is what the tree says is one.
pub(crate) fn listed(rootfs: &Rootfs, bytes: &[u8]) -> Vec<ImagePath> {
    let paths: Vec<ImagePath> = bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| line.first() == Some(&b'/'))
        .map(ImagePath::new)
        .filter(|path| !path.is_root())
        .collect();
    let parents: HashSet<ImagePath> = paths.iter().filter_map(ImagePath::parent).collect();
    let mut files: Vec<ImagePath> = paths
        .into_iter()
        .filter(|path| !parents.contains(path) && !is_dir(rootfs, path))
        .collect();
    files.sort();
    files.dedup();
    files
}

/// The paths and digests of an `md5sums` file (`deb-md5sums(5)`): regular files that are not
/// configuration.
pub(crate) fn summed(bytes: &[u8]) -> BTreeMap<ImagePath, Option<FileDigest>> {
    let lines = bytes.split(|&byte| byte == b'\n');
    let sums = lines.filter_map(|line| {
        let blank = line.iter().position(|&byte| byte == b' ')?;
        let (digest, path) = line.split_at(blank);
        let path = path.trim_ascii();
        (!path.is_empty()).then(|| (ImagePath::new(path), FileDigest::from_hex(digest)))
    });
    sums.collect()
}

/// Gives a package the files and digests of its `md5sums` file; the files only where there is no
/// list of them that says more.
pub(crate) fn add_sums(package: &mut Package, sums: &[u8], listed: bool) {
    let sums = summed(sums);
    if !listed {
        package.files.extend(sums.keys().cloned());
        package.files.sort();
        package.files.dedup();
    }
    let known = sums.into_iter();
    let known = known.filter_map(|(path, digest)| Some((path, digest?)));
    package.digests.extend(known);
}

fn is_dir(rootfs: &Rootfs, path: &ImagePath) -> bool {
    if let Some(node) = rootfs.tree.get(path) {
        return node.is_dir();
    }
    let found = rootfs.tree.resolve_parent(path);
    found.is_ok_and(|found| {
        rootfs
            .tree
            .get(&found.path)
            .is_some_and(|node| node.is_dir())
    })
}

/// One problem for all packages whose files are not known.
pub(crate) fn without_files(path: &ImagePath, names: &[String]) -> Option<Problem> {
    let first = names.first()?;
    let message = match names.len() {
        1 => format!("the files of {first} are not known"),
        count => {
            let shown = names[..count.min(NAMED)].join(", ");
            let rest = if count > NAMED { ", ..." } else { "" };
            format!("the files of {count} packages are not known: {shown}{rest}")
        }
    };
    Some(Problem::at(path, message))
}

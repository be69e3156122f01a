//! The places an image can be read from, a row each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_model::{Config, Digest, Problem, Rootfs};

use crate::layer::Promised;
use crate::select::Choice;
use crate::tar_file::TarFile;
use crate::{Error, Limits, Options, Reference, Remotes};

mod called;
mod container_storage;
mod dir;
mod docker_archive;
mod docker_daemon;
mod oci;
mod oci_archive;
mod podman;
mod registry;
mod replaces;
mod tar;

pub use called::called;
pub use container_storage::is_one_stored;
pub(crate) use dir::{flat, mark};
pub(crate) use oci::{Described, describe};
pub use replaces::replaces;

/// A place an image can be read from.
pub struct Source {
    /// The word before the colon.
    pub scheme: &'static str,
    /// The form of a name, for messages and help.
    pub form: &'static str,
    /// What it is, as a phrase.
    pub help: &'static str,
    /// Whether a path of this machine is behind the colon; else the row reads what is there itself.
    is_path: bool,
    /// Whether what lies at a plain path is one of these; at most one row says so.
    recognises: fn(&Glimpse) -> bool,
    /// Finds the image there.
    find: fn(&Address<'_>) -> Result<Found, Error>,
}

/// Every source, sorted by name.
pub static SOURCES: &[&Source] = &[
    &container_storage::SOURCE,
    &dir::SOURCE,
    &registry::SOURCE,
    &docker_archive::SOURCE,
    &docker_daemon::SOURCE,
    &oci::SOURCE,
    &oci_archive::SOURCE,
    &podman::SOURCE,
    &tar::SOURCE,
];

/// Where exactly to look, and for what.
pub(crate) struct Address<'a> {
    /// What is behind the scheme.
    text: &'a str,
    /// The file or directory, where there is one.
    path: &'a Path,
    choice: Option<&'a Choice>,
    options: &'a Options<'a>,
    limits: &'a Limits,
    /// The archive, where it was opened to see what it is.
    tar: Option<Arc<TarFile>>,
}

impl Address<'_> {
    fn tar(&self) -> Result<Arc<TarFile>, Error> {
        match &self.tar {
            Some(tar) => Ok(Arc::clone(tar)),
            None => {
                let tar = TarFile::open(self.path, self.options.spool, self.limits)?;
                Ok(Arc::new(tar))
            }
        }
    }

    /// The ways out of this machine.
    fn remotes(&self) -> Result<&dyn Remotes, Error> {
        self.options.remotes.ok_or_else(|| Error::no_way(self.text))
    }

    /// Refuses a choice where there is nothing to choose from.
    fn no_choice(&self, kind: &str) -> Result<(), Error> {
        match self.choice {
            None => Ok(()),
            Some(_) => {
                let why = format!("a {kind} holds one image, without a name");
                Err(Error::missing("the image asked for", why))
            }
        }
    }
}

/// An image that was found, its layers not yet read.
pub(crate) enum Found {
    /// Documents; the layers may still lie elsewhere.
    Described(Box<Described>),
    /// Layers and a configuration.
    Layered(Box<Layered>),
    /// A root file system that is files on this machine already.
    Tree {
        rootfs: Rootfs,
        problems: Vec<Problem>,
    },
}

/// Layers and a configuration.
pub(crate) struct Layered {
    /// The name found with the image.
    pub(crate) name: Option<String>,
    /// The digest of the manifest, or of the configuration; `None` for a bare layer.
    pub(crate) digest: Option<Digest>,
    pub(crate) config: Config,
    pub(crate) layers: Vec<Promised>,
    pub(crate) annotations: std::collections::BTreeMap<String, String>,
}

/// What can be seen of a path without reading all of it.
pub(crate) struct Glimpse {
    is_dir: bool,
    /// For a directory its members; for an archive the first components of its members' names,
    /// and the names of those at the top.
    names: BTreeSet<Vec<u8>>,
    /// Whether it is a directory that says it is one of single blobs.
    is_marked: bool,
    tar: Option<Arc<TarFile>>,
}

impl Glimpse {
    fn of(path: &Path, options: &Options<'_>, limits: &Limits) -> Result<Self, Error> {
        let what = path.display();
        let facts = std::fs::metadata(path).map_err(Error::io(&what))?;
        if facts.is_dir() {
            let mut names = BTreeSet::new();
            for entry in std::fs::read_dir(path).map_err(Error::io(&what))? {
                let name = entry.map_err(Error::io(&what))?.file_name();
                names.insert(name.into_encoded_bytes());
            }
            return Ok(Self {
                is_dir: true,
                names,
                is_marked: mark(path).is_some(),
                tar: None,
            });
        }
        let tar = TarFile::open(path, options.spool, limits)?;
        let first = |name: &[u8]| {
            let slash = name.iter().position(|&byte| byte == b'/');
            name[..slash.unwrap_or(name.len())].to_vec()
        };
        Ok(Self {
            is_dir: false,
            is_marked: false,
            names: tar.names().map(first).collect(),
            tar: Some(Arc::new(tar)),
        })
    }

    /// Whether it is a directory of single blobs.
    fn is_flat(&self) -> bool {
        self.is_marked && self.has("manifest.json")
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(name.as_bytes())
    }

    /// Whether the marks of an OCI layout are there. `index.json` alone is enough: old `skopeo`
    /// versions wrote no `oci-layout`.
    fn is_layout(&self) -> bool {
        self.has("index.json") || self.has("oci-layout")
    }

    /// Whether the marks of `docker save` are there: a manifest, or the layers of one that lacks it.
    fn is_saved(&self) -> bool {
        let layer = |tar: &Arc<TarFile>| tar.names().any(|name| name.ends_with(b"/layer.tar"));
        self.has("manifest.json")
            || self.has("repositories")
            || self.tar.as_ref().is_some_and(layer)
    }

    /// Whether it looks like a root file system.
    fn is_root(&self) -> bool {
        const TOP: [&str; 6] = ["bin", "etc", "lib", "sbin", "usr", "var"];
        TOP.iter().any(|name| self.has(name))
    }
}

/// The forms of names there are, for messages.
pub(crate) fn forms() -> String {
    let forms: Vec<&str> = SOURCES.iter().map(|source| source.form).collect();
    format!("{}, or the path alone", forms.join(", "))
}

/// Finds the image called `name`.
pub(crate) fn find(name: &str, options: &Options<'_>, limits: &Limits) -> Result<Found, Error> {
    let refuse = |why: String| Error::Name {
        name: name.to_owned(),
        why,
        forms: forms(),
    };
    let scheme = name.split_once(':').and_then(|(scheme, rest)| {
        let source = SOURCES.iter().find(|source| source.scheme == scheme)?;
        Some((*source, rest))
    });
    // A file of that very name is meant before a scheme is.
    if let Some((source, rest)) = scheme.filter(|_| !Path::new(name).exists()) {
        if !source.is_path {
            let address = Address {
                text: rest,
                path: Path::new(""),
                choice: None,
                options,
                limits,
                tar: None,
            };
            return (source.find)(&address);
        }
        let (path, choice) = split(rest).map_err(refuse)?;
        let Some(path) = path else {
            return Err(refuse(format!(
                "there is no file or directory at the start of `{rest}`"
            )));
        };
        let address = Address {
            text: rest,
            path: &path,
            choice: choice.as_ref(),
            options,
            limits,
            tar: None,
        };
        return (source.find)(&address);
    }
    let (path, choice) = split(name).map_err(refuse)?;
    let Some(path) = path else {
        if let Some(why) = no_reference(name) {
            return Err(refuse(why));
        }
        let address = Address {
            text: name,
            path: Path::new(""),
            choice: None,
            options,
            limits,
            tar: None,
        };
        return (registry::SOURCE.find)(&address);
    };
    let glimpse = Glimpse::of(&path, options, limits)?;
    let source = SOURCES.iter().find(|source| (source.recognises)(&glimpse));
    let Some(source) = source else {
        let kind = if glimpse.is_dir {
            "directory"
        } else {
            "archive"
        };
        let why = match glimpse.names.is_empty() {
            true => format!("the {kind} is empty"),
            false => format!(
                "the {kind} has neither index.json nor manifest.json, and no etc, usr or bin"
            ),
        };
        let what = path.display().to_string();
        return Err(Error::NotAnImage { what, why });
    };
    let address = Address {
        text: name,
        path: &path,
        choice: choice.as_ref(),
        options,
        limits,
        tar: glimpse.tar.clone(),
    };
    (source.find)(&address)
}

/// `PATH`, `PATH:NAME` or `PATH@DIGEST`: the longest beginning that exists is the path, because
/// names (`docker.io/library/httpd:2.4`) and paths may both hold colons. `None` where none exists.
fn split(text: &str) -> Result<(Option<PathBuf>, Option<Choice>), String> {
    if !text.is_empty() && Path::new(text).exists() {
        return Ok((Some(text.into()), None));
    }
    if let Some((path, digest)) = text.rsplit_once('@')
        && Path::new(path).exists()
    {
        let digest = Digest::parse(digest).map_err(|error| error.to_string())?;
        return Ok((Some(path.into()), Some(Choice::Digest(digest))));
    }
    for (colon, _) in text.rmatch_indices(':') {
        let (path, name) = (&text[..colon], &text[colon + 1..]);
        if !path.is_empty() && Path::new(path).exists() {
            let choice = (!name.is_empty()).then(|| Choice::Name(name.to_owned()));
            return Ok((Some(path.into()), choice));
        }
    }
    Ok((None, None))
}

/// Why a name that is no path here is not taken for a registry's either: a mistyped path must not
/// become a question to a stranger's server.
fn no_reference(name: &str) -> Option<String> {
    const ARCHIVES: [&str; 5] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".oci"];
    let nothing = "there is no such file or directory".to_owned();
    let scheme = name.split_once(':').map(|(scheme, _)| scheme);
    if let Some(scheme) = scheme.filter(|scheme| ["http", "https"].contains(scheme)) {
        let why = "images of a registry are named without it, or with `docker://`";
        return Some(format!("`{scheme}` is no kind of place; {why}"));
    }
    let path = name.split(['@', ':']).next().unwrap_or(name);
    let above = Path::new(path).parent();
    let in_a_directory = above.is_some_and(|above| !above.as_os_str().is_empty() && above.is_dir());
    let is_archive = ARCHIVES.iter().any(|end| path.ends_with(end));
    if name.starts_with(['/', '.', '~']) || is_archive || in_a_directory {
        return Some(nothing);
    }
    let why = Reference::parse(name).err()?;
    Some(format!("{nothing}, and it is no name in a registry: {why}"))
}

//! Where a run keeps its things on this machine: a mount point, the log, the answers of commands.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::owners::{self, Wanted};
use super::plan::Places;
use crate::subordinate;
use crate::{Error, Spec, Way};

/// A directory of this run in the caller's scratch; removed at the end.
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) places: Places,
    /// Files of the tree whose owners there are none of here.
    beyond: u64,
}

impl Places {
    /// The owners that the tree's files are to be given, where they can be given any.
    fn wanted(&self, spec: &Spec<'_>) -> Option<Wanted> {
        let ids = (spec.way == Way::Subordinate)
            .then(subordinate::ids)?
            .ok()?;
        Some(owners::wanted(&self.root, ids, spec.owners, spec.modes))
    }

    /// The same places, with the owners of what lies there now.
    pub(super) fn owned(self, spec: &Spec<'_>) -> Self {
        let owners = self.wanted(spec).map(|wanted| wanted.owners);
        Self {
            owners: owners.unwrap_or_default(),
            ..self
        }
    }
}

impl Place {
    pub(super) fn new(spec: &Spec<'_>) -> Result<Self, Error> {
        let cannot = |what: &'static str| Error::sandbox(what);
        let scratch =
            fs::canonicalize(spec.scratch).map_err(cannot("find the scratch directory"))?;
        let root = fs::canonicalize(spec.root).map_err(cannot("find the image's tree"))?;
        if scratch.starts_with(&root) {
            let text = "the scratch directory lies inside the image's tree";
            return Err(Error::Spec(text.to_owned()));
        }
        let metadata = fs::metadata(&root).map_err(cannot("look at the image's tree"))?;
        if !metadata.is_dir() {
            return Err(Error::Tree(format!("{} is no directory", root.display())));
        }
        let directory = fresh(&scratch).map_err(cannot("make a directory for the run"))?;
        let places = Places {
            root,
            base: directory.join("root"),
            mode: metadata.permissions().mode() & 0o7777,
            owners: Vec::new(),
        };
        let mut place = Self {
            places,
            directory,
            beyond: 0,
        };
        if let Some(wanted) = place.places.wanted(spec) {
            place.beyond = wanted.beyond;
            place.places.owners = wanted.owners;
        }
        fs::create_dir(&place.places.base).map_err(cannot("make a mount point"))?;
        Ok(place)
    }

    /// What is wrong with the tree for this way of running it, if anything.
    pub(super) fn problems(&self, way: Way) -> Vec<String> {
        let mut problems = Vec::new();
        let owner = fs::metadata(&self.places.root).map(|found| found.uid());
        let us = rustix::process::geteuid().as_raw();
        if let Ok(owner) = owner
            && way != Way::Root
            && owner != us
        {
            problems.push(format!("the image's tree belongs to user {owner} and is run by user {us}: it cannot be written to"));
        }
        if self.beyond > 0 {
            problems.push(format!(
                "{} files belong to user 0 while it runs: their owners are beyond the range of subordinate ids, and their set-user-ID and set-group-ID bits are left out",
                self.beyond
            ));
        }
        problems
    }

    /// A new file, for its time.
    pub(super) fn mark(&self) -> io::Result<PathBuf> {
        let path = self.directory.join("mark");
        fs::File::create_new(&path)?;
        Ok(path)
    }

    /// The file with what the image has printed.
    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("output")
    }
}

impl Place {
    /// Removes all of it now, and answers what stays.
    pub(super) fn clear(&self) -> Option<String> {
        crate::remove(&self.directory)
            .err()
            .map(|left| left.to_string())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // All of it is ours, and no mount of the sandbox is visible here. What stays is told by
        // [`Place::clear`].
        let _ = crate::remove(&self.directory);
    }
}

/// The first free `run-N`; other runs may use the same scratch.
fn fresh(scratch: &Path) -> io::Result<PathBuf> {
    for number in 0..100_000u32 {
        let path = scratch.join(format!("run-{number}"));
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|()| path),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// What a runtime would refuse, said before anything is started.
pub(super) fn check(spec: &Spec<'_>) -> Result<(), Error> {
    for name in ["proc", "sys", "dev", "etc"] {
        match fs::symlink_metadata(spec.root.join(name)) {
            Ok(found) if found.is_dir() => {}
            Ok(found) => {
                let kind = if found.is_symlink() {
                    "a symbolic link"
                } else {
                    "a file"
                };
                let text = format!("/{name} is {kind} in it, and a runtime mounts or writes there");
                return Err(Error::Tree(text));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::Tree(format!("/{name} cannot be looked at: {error}"))),
        }
    }
    if !(1..=64).contains(&spec.stop_signal) {
        let text = format!("{} is no signal", spec.stop_signal);
        return Err(Error::Spec(text));
    }
    Ok(())
}

//! Whether files that are written at the very end can be written: that is better known before hours of
//! work. What is tried here leaves nothing behind.

use std::fs;
use std::io;
use std::path::Path;

use crate::failure::{Failure, Result};

/// A file that is written in its place, or made.
pub(crate) fn in_place(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(facts) if facts.is_file() => {
            let opened = fs::OpenOptions::new().append(true).open(path);
            opened.map(drop).map_err(|error| cannot(path, &error))
        }
        Ok(facts) if facts.is_dir() => Err(is_a_directory(path)),
        // A pipe or a device: opening it may wait, or begin something.
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => new_in(above(path), path),
        Err(error) => Err(cannot(path, &error)),
    }
}

/// A file that takes the place of what is there, its directories being made if they are `made`.
pub(crate) fn replaced(path: &Path, made: bool) -> Result<()> {
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => Err(is_a_directory(path)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot(path, &error)),
        _ if made => directory(above(path)),
        _ => new_in(above(path), path),
    }
}

/// A directory that takes files, or is made with what is missing above it.
pub(crate) fn directory(path: &Path) -> Result<()> {
    let there = path
        .ancestors()
        .find(|above| above.as_os_str().is_empty() || fs::symlink_metadata(above).is_ok());
    let there = there.filter(|above| !above.as_os_str().is_empty());
    new_in(there.unwrap_or(Path::new(".")), path)
}

/// The directory a file is in.
fn above(path: &Path) -> &Path {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.unwrap_or(Path::new("."))
}

/// Whether `directory` takes new files, for the sake of `path`.
fn new_in(directory: &Path, path: &Path) -> Result<()> {
    match fs::metadata(directory) {
        Ok(facts) if facts.is_dir() => {}
        Ok(_) => {
            let why = format!("{} is no directory", directory.display());
            return Err(Failure::new(format!(
                "cannot write {}: {why}",
                path.display()
            )));
        }
        Err(_) => {
            let why = format!("there is no directory {}", directory.display());
            return Err(Failure::new(format!(
                "cannot write {}: {why}",
                path.display()
            )));
        }
    }
    // It never has a name.
    let tried = tempfile::tempfile_in(directory);
    tried.map(drop).map_err(|error| cannot(path, &error))
}

fn is_a_directory(path: &Path) -> Failure {
    Failure::new(format!(
        "cannot write {}: it is a directory",
        path.display()
    ))
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    Failure::because(format_args!("cannot write {}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_written_is_told_from_what_cannot_and_nothing_is_left() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        fs::write(at("file"), "kept").unwrap();
        fs::create_dir(at("dir")).unwrap();
        std::os::unix::fs::symlink("nowhere/x", at("link")).unwrap();
        assert!(in_place(&at("file")).is_ok() && replaced(&at("file"), false).is_ok());
        assert!(in_place(&at("new")).is_ok() && replaced(&at("dir/new"), false).is_ok());
        assert!(directory(&at("dir")).is_ok() && directory(&at("a/b/c")).is_ok());
        assert!(replaced(&at("a/b/c"), true).is_ok());
        assert!(in_place(Path::new("/dev/null")).is_ok());
        for (tried, words) in [
            (in_place(&at("dir")), "it is a directory"),
            (replaced(&at("dir"), true), "it is a directory"),
            (in_place(&at("none/x")), "there is no directory"),
            (replaced(&at("none/x"), false), "there is no directory"),
            (in_place(&at("file/x")), "Not a directory"),
            (replaced(&at("file/x/y"), true), "Not a directory"),
            (directory(&at("file/x")), "is no directory"),
            (directory(&at("link/x")), "there is no directory"),
        ] {
            let said = tried.unwrap_err().to_string();
            assert!(said.contains(words), "{words}: {said}");
        }
        assert_eq!(fs::read(at("file")).unwrap(), b"kept");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 3);
        assert_eq!(fs::read_dir(at("dir")).unwrap().count(), 0);
    }
}

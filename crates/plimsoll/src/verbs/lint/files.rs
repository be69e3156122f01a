//! Which files are meant: names, standard input, directories; and the `.dockerignore` beside each.

use std::io::Read;
use std::path::{Path, PathBuf};

use plimsoll_checks::dockerfile::MAX_BYTES;

use crate::failure::{Failure, Result};

/// Most entries of directories that are looked through.
const MAX_ENTRIES: usize = 200_000;
/// Largest `.dockerignore` that is read, in bytes.
const MAX_IGNORE: u64 = 1 << 20;
/// Directories that hold nobody's own Dockerfiles.
const PASSED_OVER: [&str; 5] = [".git", ".hg", ".svn", "node_modules", "target"];

/// A file to be read.
pub(super) struct Input {
    /// The name as the user wrote it.
    pub(super) name: String,
    /// Where it is; nothing for standard input.
    pub(super) path: Option<PathBuf>,
}

/// The `.dockerignore` of a build.
pub(super) enum Ignored {
    /// It cannot be known which one a build would take.
    Unknown,
    /// There is none.
    Missing,
    /// It says this.
    Text(String),
}

/// The files that these names mean.
pub(super) fn find(names: &[PathBuf]) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for name in names {
        if name.as_os_str() == "-" {
            inputs.push(Input {
                name: "<stdin>".to_owned(),
                path: None,
            });
        } else if name.is_dir() {
            let mut entries = 0;
            inside(name, &mut inputs, &mut entries)?;
        } else {
            inputs.push(Input::at(name.clone()));
        }
    }
    Ok(inputs)
}

/// Every Dockerfile below a directory, in order of their paths; links are not followed.
fn inside(directory: &Path, inputs: &mut Vec<Input>, entries: &mut usize) -> Result<()> {
    let cannot =
        |error| Failure::because(format_args!("cannot read {}", directory.display()), &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let kind = entry.file_type().map_err(cannot)?;
        paths.push((entry.path(), kind));
        *entries += 1;
        if *entries > MAX_ENTRIES {
            return Err(Failure::new(format!(
                "{}: more than {MAX_ENTRIES} entries; name the files",
                directory.display()
            )));
        }
    }
    paths.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (path, kind) in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if kind.is_dir() {
            if !PASSED_OVER.contains(&&*name) {
                inside(&path, inputs, entries)?;
            }
        } else if kind.is_file() && is_dockerfile(&name) {
            inputs.push(Input::at(path.clone()));
        }
    }
    Ok(())
}

/// `Dockerfile`, `Dockerfile.dev`, `web.Dockerfile`, and the same with `Containerfile`; not the list
/// of what such a file ignores.
pub(in crate::verbs) fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let named = |word: &str| {
        lower == word
            || lower.starts_with(&format!("{word}."))
            || lower.starts_with(&format!("{word}-"))
            || lower.ends_with(&format!(".{word}"))
    };
    let other = [
        "dockerignore",
        "containerignore",
        "md",
        "txt",
        "json",
        "orig",
        "bak",
    ];
    let ending = lower.rsplit('.').next().unwrap_or_default();
    (named("dockerfile") || named("containerfile")) && !other.contains(&ending)
}

impl Input {
    fn at(path: PathBuf) -> Self {
        Self {
            name: path.display().to_string(),
            path: Some(path),
        }
    }

    /// Its bytes, up to a little more than the limit that the parser names.
    pub(super) fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = MAX_BYTES as u64 + 1;
        let read = match &self.path {
            None => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
            Some(path) => {
                std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
            }
        };
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Failure::because(
                format_args!("cannot read {}", self.name),
                &error,
            )),
        }
    }

    /// What a build with this file would ignore: the file's own list, else the one of the directory
    /// it lies in. One further up says that the context may be there.
    pub(super) fn ignored(&self) -> Ignored {
        let Some(path) = &self.path else {
            return Ignored::Unknown;
        };
        let text = |path: &Path| {
            let file = std::fs::File::open(path).ok()?;
            let mut text = String::new();
            file.take(MAX_IGNORE).read_to_string(&mut text).ok()?;
            Some(text)
        };
        let mut own = path.clone().into_os_string();
        own.push(".dockerignore");
        if let Some(text) = text(Path::new(&own)) {
            return Ignored::Text(text);
        }
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new("."));
        for name in [".containerignore", ".dockerignore"] {
            if let Some(text) = text(&directory.join(name)) {
                return Ignored::Text(text);
            }
        }
        let Ok(whole) = directory.canonicalize() else {
            return Ignored::Unknown;
        };
        let mut above = whole.as_path();
        while !above.join(".git").exists() {
            let Some(parent) = above.parent() else { break };
            above = parent;
            if above.join(".dockerignore").exists() {
                return Ignored::Unknown;
            }
        }
        Ignored::Missing
    }
}

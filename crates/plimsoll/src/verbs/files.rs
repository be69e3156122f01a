//! What `tree`, `ls`, `cat` and `extract` share: the files of an image, or of one layer of it.

use std::io::Write as _;

use plimsoll_model::text::printable;
use plimsoll_model::tree::Stopped;
use plimsoll_model::{ImagePath, Kind, Node, Problem, Rootfs};
use serde_json::{Map, Value, json};

use crate::cli::Of;
use crate::failure::{Exit, Failure, Result};
use crate::session::{self, Context};

/// Problems that are told one by one; JSON has them all.
const MAX_TOLD: usize = 20;

/// Files, and what could not be read of them.
pub(crate) struct Files {
    /// The image, as the user named it.
    pub(crate) image: String,
    pub(crate) rootfs: Rootfs,
    /// Of a layer: the paths of lower layers it takes away, and the directories it empties.
    pub(crate) removed: Vec<ImagePath>,
    pub(crate) emptied: Vec<ImagePath>,
    pub(crate) problems: Vec<Problem>,
}

impl Files {
    /// Opens the image, or the layer of it.
    pub(crate) fn open(context: &Context, of: &Of) -> Result<Self> {
        let name = &of.image;
        context.progress.step(&format!("reading {name}"));
        let platform = of.platform.as_deref();
        let files = match of.layer {
            None => {
                let opened = session::image(context, name, platform, None, plimsoll_image::open)?;
                Self {
                    image: name.clone(),
                    rootfs: opened.rootfs,
                    removed: Vec::new(),
                    emptied: Vec::new(),
                    problems: opened.problems,
                }
            }
            Some(number) => {
                let open = |name: &str, options: &plimsoll_image::Options<'_>| {
                    plimsoll_image::open_layer(name, number, options)
                };
                let layer = session::image(context, name, platform, None, open)?;
                Self {
                    image: name.clone(),
                    rootfs: layer.rootfs,
                    removed: layer.removed,
                    emptied: layer.emptied,
                    problems: layer.problems,
                }
            }
        };
        context.progress.done();
        Ok(files)
    }

    /// What a path the user named leads to, links followed inside the image.
    pub(crate) fn resolve(&self, path: &str) -> Result<(ImagePath, &Node)> {
        let tree = &self.rootfs.tree;
        let resolved = tree.walk(&ImagePath::root(), path.as_bytes(), true);
        let found = match resolved {
            Ok(resolved) => resolved.path,
            Err(stopped) => {
                let why = match &stopped.why {
                    Stopped::Missing(missing) if stopped.links.is_empty() => {
                        format!("there is no {missing}")
                    }
                    Stopped::Missing(missing) => format!(
                        "{} leads to {missing}, which is not there",
                        stopped.links[stopped.links.len() - 1]
                    ),
                    Stopped::NotADirectory(file) => format!("{file} is no directory"),
                    Stopped::Loop => "its links go round in circles".to_owned(),
                };
                return Err(Failure::new(format!("no {path} in {}: {why}", self.image)));
            }
        };
        match tree.get(&found) {
            Some(node) => Ok((found, node)),
            None => Err(Failure::new(format!(
                "there is no {path} in {}",
                self.image
            ))),
        }
    }

    /// Tells what could not be read on standard error; the exit code that calls for.
    pub(crate) fn ended(&self) -> Exit {
        ended(&self.problems)
    }
}

/// Tells problems on standard error; the exit code they call for.
pub(crate) fn ended(problems: &[Problem]) -> Exit {
    let mut out = std::io::stderr().lock();
    for problem in problems.iter().take(MAX_TOLD) {
        let _ = writeln!(
            out,
            "problem: {}",
            printable(problem.to_string().as_bytes())
        );
    }
    if problems.len() > MAX_TOLD {
        let _ = writeln!(
            out,
            "problem: {} more of the kind",
            problems.len() - MAX_TOLD
        );
    }
    match problems.is_empty() {
        true => Exit::Fine,
        false => Exit::Incomplete,
    }
}

/// The problems, for JSON.
pub(crate) fn said(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// A path for JSON: as text, and where it is not UTF-8 its bytes in hexadecimal beside it.
pub(crate) fn name(path: &[u8]) -> Map<String, Value> {
    let mut object = Map::new();
    match std::str::from_utf8(path) {
        Ok(text) => {
            object.insert("path".to_owned(), json!(text));
        }
        Err(_) => {
            let hex: String = path.iter().map(|byte| format!("{byte:02x}")).collect();
            object.insert("path".to_owned(), json!(printable(path)));
            object.insert("path_hex".to_owned(), json!(hex));
        }
    }
    object
}

/// Everything that is known of a path, for JSON.
pub(crate) fn facts(path: &ImagePath, node: &Node) -> Value {
    let mut object = name(path.as_bytes());
    let mut put = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    let kind = match &node.kind {
        Kind::Dir => "directory",
        Kind::File { .. } => "file",
        Kind::Symlink(_) => "symlink",
        Kind::Device { block: true, .. } => "block device",
        Kind::Device { block: false, .. } => "character device",
        Kind::Fifo => "fifo",
    };
    put("type", json!(kind));
    put("mode", json!(format!("{:04o}", node.meta.mode)));
    put("uid", json!(node.meta.uid));
    put("gid", json!(node.meta.gid));
    put("mtime", json!(node.meta.mtime));
    put("layer", json!(node.layer));
    match &node.kind {
        Kind::File { size, .. } => put("size", json!(size)),
        Kind::Symlink(target) => put("target", json!(printable(target))),
        Kind::Device { major, minor, .. } => {
            put("major", json!(major));
            put("minor", json!(minor));
        }
        Kind::Dir | Kind::Fifo => {}
    }
    if let Some(xattrs) = &node.meta.xattrs {
        let hex = |value: &Vec<u8>| -> String {
            value.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let xattrs: Map<String, Value> = xattrs
            .iter()
            .map(|(name, value)| (printable(name), json!(hex(value))))
            .collect();
        put("xattrs", Value::Object(xattrs));
    }
    Value::Object(object)
}

/// The mode as `ls` shows it: `-rwsr-xr-x`.
pub(crate) fn mode(node: &Node) -> String {
    let kind = match &node.kind {
        Kind::Dir => 'd',
        Kind::File { .. } => '-',
        Kind::Symlink(_) => 'l',
        Kind::Device { block: true, .. } => 'b',
        Kind::Device { block: false, .. } => 'c',
        Kind::Fifo => 'p',
    };
    let mode = node.meta.mode;
    let mut text = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use plimsoll_model::Metadata;

    use super::*;

    #[test]
    fn a_mode_is_shown_as_ls_shows_it() {
        let node = |kind, mode| Node {
            kind,
            meta: Metadata::with_mode(mode),
            layer: 0,
            inode: 1,
        };
        assert_eq!(mode(&node(Kind::Dir, 0o1777)), "drwxrwxrwt");
        assert_eq!(mode(&node(Kind::Fifo, 0o4644)), "prwSr--r--");
        assert_eq!(
            mode(&node(Kind::Symlink(Box::default()), 0o2755)),
            "lrwxr-sr-x"
        );
    }

    #[test]
    fn a_name_that_is_no_text_keeps_its_bytes() {
        let found = name(b"/a\xfd");
        assert_eq!(found["path_hex"], "2f61fd");
        assert_eq!(found["path"], "/a\\xfd");
    }
}

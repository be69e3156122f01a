//! `tree`: the files of an image as a tree, with the bytes of each directory.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::text::{bytes, count, printable};
use plimsoll_model::{FileTree, ImagePath, Kind, Node};
use serde_json::{Value, json};

use crate::cli;
use crate::failure::{Exit, Result};
use crate::print;
use crate::session::Context;
use crate::verbs::files::{self, Files};

/// Files and bytes below a directory; a file with several names counts under the first of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    files: u64,
    bytes: u64,
}

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Tree) -> Result<Exit> {
    let files = Files::open(context, &arguments.of)?;
    let (at, _) = files.resolve(&arguments.path)?;
    let tree = &files.rootfs.tree;
    let sums = sums(tree, &at);
    let deepest = arguments
        .depth
        .map_or(usize::MAX, |depth| at.depth() + depth);
    let shown = |path: &ImagePath, node: &Node| {
        path.depth() <= deepest && (node.is_dir() || !arguments.directories)
    };
    let removed = files.removed.iter().filter(|path| path.starts_with(&at));
    if arguments.json {
        let rows: Vec<Value> = tree
            .subtree(&at)
            .filter(|(path, node)| shown(path, node))
            .map(|(path, node)| {
                let mut facts = files::facts(path, node);
                if let Some(sum) = sums.get(path).filter(|_| node.is_dir()) {
                    facts["files"] = json!(sum.files);
                    facts["bytes"] = json!(sum.bytes);
                }
                facts
            })
            .collect();
        let total = sums.get(&at).copied().unwrap_or_default();
        let removed: Vec<Value> = removed
            .map(|path| Value::Object(files::name(path.as_bytes())))
            .collect();
        let document = json!({
            "schema": "plimsoll.tree.v1",
            "image": files.image,
            "layer": arguments.of.layer,
            "root": files::name(at.as_bytes()),
            "files": total.files,
            "bytes": total.bytes,
            "entries": rows,
            "removed": removed,
            "problems": files::said(&files.problems),
        });
        print::json(&document)?;
        return Ok(files.ended());
    }
    let total = sums.get(&at).copied().unwrap_or_default();
    let mut lines = vec![format!("{}  {}", printable(at.as_bytes()), said(total))];
    let mut stack = Vec::new();
    draw(tree, &at, &shown, &sums, &mut stack, &mut lines);
    lines.extend(removed.map(|path| format!("removed: {}", printable(path.as_bytes()))));
    let emptied = files.emptied.iter().filter(|path| path.starts_with(&at));
    lines.extend(emptied.map(|path| format!("emptied: {}", printable(path.as_bytes()))));
    print::lines(lines)?;
    Ok(files.ended())
}

/// What lies below each directory from `at` on.
fn sums(tree: &FileTree, at: &ImagePath) -> BTreeMap<ImagePath, Sum> {
    let mut sums: BTreeMap<ImagePath, Sum> = BTreeMap::new();
    let mut counted = BTreeSet::new();
    sums.insert(at.clone(), Sum::default());
    for (path, node) in tree.subtree(at) {
        if node.is_dir() {
            sums.entry(path.clone()).or_default();
            continue;
        }
        let size = match node.is_file() && counted.insert(node.inode) {
            true => node.size(),
            false => 0,
        };
        for above in path.ancestors().take_while(|above| above.starts_with(at)) {
            let sum = sums.entry(above).or_default();
            sum.files += 1;
            sum.bytes += size;
        }
    }
    sums
}

fn said(sum: Sum) -> String {
    let files = match sum.files {
        1 => "1 file".to_owned(),
        files => format!("{} files", count(files)),
    };
    format!("({files}, {})", bytes(sum.bytes))
}

/// Draws what is below `at`; `stack` has, for each level above, whether more comes on it. Layers have
/// at most 256 directories in directories, so the depth is bounded.
fn draw(
    tree: &FileTree,
    at: &ImagePath,
    shown: &impl Fn(&ImagePath, &Node) -> bool,
    sums: &BTreeMap<ImagePath, Sum>,
    stack: &mut Vec<bool>,
    lines: &mut Vec<String>,
) {
    let children: Vec<_> = tree
        .children(at)
        .filter(|(path, node)| shown(path, node))
        .collect();
    for (number, (path, node)) in children.iter().enumerate() {
        let more = number + 1 < children.len();
        let mut line: String = stack
            .iter()
            .map(|more| if *more { "│   " } else { "    " })
            .collect();
        line.push_str(if more { "├── " } else { "└── " });
        let name = printable(path.file_name());
        line.push_str(&match &node.kind {
            Kind::Dir => format!(
                "{name}/  {}",
                said(sums.get(*path).copied().unwrap_or_default())
            ),
            Kind::File { size, .. } => format!("{name}  {}", bytes(*size)),
            Kind::Symlink(target) => format!("{name} -> {}", printable(target)),
            Kind::Device { .. } => format!("{name}  (device)"),
            Kind::Fifo => format!("{name}  (pipe)"),
        });
        lines.push(line);
        if node.is_dir() {
            stack.push(more);
            draw(tree, path, shown, sums, stack, lines);
            stack.pop();
        }
    }
}

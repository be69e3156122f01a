//! `ls`: the files of one directory of an image.

use plimsoll_model::text::printable;
use plimsoll_model::{ImagePath, Kind, Node};
use serde_json::{Value, json};

use crate::cli;
use crate::failure::{Exit, Result};
use crate::print;
use crate::session::Context;
use crate::verbs::files::{self, Files};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::ListFiles) -> Result<Exit> {
    let files = Files::open(context, &arguments.of)?;
    let (at, node) = files.resolve(&arguments.path)?;
    let tree = &files.rootfs.tree;
    let listed: Vec<(&ImagePath, &Node)> = match (node.is_dir(), arguments.recursive) {
        (false, _) => tree.iter().filter(|(path, _)| **path == at).collect(),
        (true, true) => tree.subtree(&at).collect(),
        (true, false) => tree.children(&at).collect(),
    };
    // Of a layer: what it takes away in the same place.
    let gone = |path: &&ImagePath| match arguments.recursive {
        true => path.starts_with(&at),
        false => path.parent().as_ref() == Some(&at),
    };
    let removed: Vec<&ImagePath> = files.removed.iter().filter(gone).collect();
    let emptied: Vec<&ImagePath> = files
        .emptied
        .iter()
        .filter(|path| **path == at || gone(path))
        .collect();
    if arguments.json {
        let rows: Vec<Value> = listed
            .iter()
            .map(|(path, node)| files::facts(path, node))
            .collect();
        let name = |path: &&ImagePath| Value::Object(files::name(path.as_bytes()));
        let document = json!({
            "schema": "plimsoll.ls.v1",
            "image": files.image,
            "layer": arguments.of.layer,
            "entries": rows,
            "removed": removed.iter().map(name).collect::<Vec<_>>(),
            "emptied": emptied.iter().map(name).collect::<Vec<_>>(),
            "problems": files::said(&files.problems),
        });
        print::json(&document)?;
        return Ok(files.ended());
    }
    let mut lines = Vec::with_capacity(listed.len());
    for (path, node) in &listed {
        let shown = match (node.is_dir(), arguments.recursive) {
            (_, true) => path.as_bytes(),
            _ => path.file_name(),
        };
        lines.push(line(shown, node));
    }
    let shown = |path: &ImagePath| match arguments.recursive {
        true => printable(path.as_bytes()),
        false => printable(path.file_name()),
    };
    lines.extend(
        removed
            .iter()
            .map(|path| format!("removed     {}", shown(path))),
    );
    lines.extend(
        emptied
            .iter()
            .map(|path| format!("emptied     {}", printable(path.as_bytes()))),
    );
    print::lines(lines)?;
    Ok(files.ended())
}

fn line(name: &[u8], node: &Node) -> String {
    let size = match &node.kind {
        Kind::Device { major, minor, .. } => format!("{major}, {minor}"),
        _ => node.size().to_string(),
    };
    let time = jiff::Timestamp::from_second(node.meta.mtime).unwrap_or_default();
    let name = match &node.kind {
        Kind::Symlink(target) => format!("{} -> {}", printable(name), printable(target)),
        Kind::Dir => format!("{}/", printable(name)),
        _ => printable(name),
    };
    let owner = format!("{}:{}", node.meta.uid, node.meta.gid);
    format!(
        "{}  {owner:>11}  {size:>11}  {}  {:>2}  {name}",
        files::mode(node),
        time.strftime("%Y-%m-%d %H:%M"),
        node.layer
    )
}

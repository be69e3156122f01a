//! `extract`: files of an image into a directory or a tar file.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use plimsoll_image::Ownership;
use plimsoll_model::text::{bytes, count};
use plimsoll_model::{FileTree, ImagePath, Kind, Problem};
use serde_json::json;

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::print;
use crate::session::Context;
use crate::verbs::files::{self, Files};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Extract) -> Result<Exit> {
    let mut files = Files::open(context, &arguments.of)?;
    if !arguments.paths.is_empty() {
        let mut wanted = Vec::new();
        for path in &arguments.paths {
            wanted.push(files.resolve(path)?.0);
        }
        select(&mut files.rootfs.tree, &wanted);
    }
    let target = &arguments.output;
    context
        .progress
        .step(&format!("writing {}", target.display()));
    let done = if target.as_os_str() == "-" {
        to_tar(&files, io::stdout().lock())?
    } else if target.extension().is_some_and(|end| end == "tar") && !target.is_dir() {
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let failed = |error: io::Error| {
            Failure::because(format_args!("cannot write {}", target.display()), &error)
        };
        // Whole or not at all.
        let file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        context.leftovers.add(file.path());
        let done = to_tar(&files, file.as_file())?;
        file.persist(target).map_err(|error| failed(error.error))?;
        done
    } else {
        to_directory(&files, target, arguments.same_owner)?
    };
    context.progress.done();
    if arguments.json && target.as_os_str() != "-" {
        print::json(&json!({
            "schema": "plimsoll.extract.v1",
            "image": files.image,
            "layer": arguments.of.layer,
            "output": target.display().to_string(),
            "files": done.files,
            "bytes": done.bytes,
            "left_out": files::said(&done.left_out),
            "not_honoured": files::said(&done.notes),
            "problems": files::said(&files.problems),
        }))?;
    } else if target.as_os_str() != "-" {
        let (files, bytes) = (count(done.files), bytes(done.bytes));
        print::line(&format!("{files} files, {bytes}, in {}", target.display()))?;
        if !done.notes.is_empty() {
            let note = "owners, special bits or attributes are not honoured: a tar has them \
                        (-o FILE.tar), or root with --same-owner";
            print::line(note)?;
        }
    }
    files.problems.extend(done.left_out);
    Ok(files.ended())
}

/// What came of it.
struct Done {
    files: u64,
    bytes: u64,
    /// Paths that are not there now.
    left_out: Vec<Problem>,
    /// Owners and the like that are not as in the image.
    notes: Vec<Problem>,
}

fn to_tar(files: &Files, out: impl Write) -> Result<Done> {
    let mut out = BufWriter::with_capacity(256 << 10, out);
    let written = plimsoll_image::write_tar(&files.rootfs, &mut out);
    let flushed = written.map_err(|error| Failure::because("cannot write the tar", &error));
    flushed.and_then(|()| {
        out.flush()
            .map_err(|error| Failure::because("cannot write the tar", &error))
    })?;
    let tree = &files.rootfs.tree;
    Ok(Done {
        files: tree.file_count(),
        bytes: tree.live_bytes(),
        left_out: Vec::new(),
        notes: Vec::new(),
    })
}

fn to_directory(files: &Files, directory: &Path, same_owner: bool) -> Result<Done> {
    let ownership = match same_owner {
        true => Ownership::Real,
        false => Ownership::Mine,
    };
    let failed = |error: plimsoll_image::Error| {
        Failure::because(format_args!("cannot write {}", directory.display()), &error)
    };
    let unpacked = plimsoll_image::unpack(&files.rootfs, directory, ownership).map_err(failed)?;
    let devices = files.rootfs.tree.iter();
    let devices = devices.filter(|(_, node)| matches!(node.kind, Kind::Device { .. }));
    let left_out = devices
        .map(|(path, _)| Problem::at(path, "a device node, left out: a tar has it (-o FILE.tar)"))
        .collect();
    let is_device = |problem: &Problem| problem.message.contains("device node");
    Ok(Done {
        files: unpacked.files,
        bytes: unpacked.bytes,
        left_out,
        notes: unpacked
            .problems
            .into_iter()
            .filter(|problem| !is_device(problem))
            .collect(),
    })
}

/// Leaves of a tree what was asked for, and the directories it lies in.
fn select(tree: &mut FileTree, wanted: &[ImagePath]) {
    let above: std::collections::BTreeSet<ImagePath> =
        wanted.iter().flat_map(ImagePath::ancestors).collect();
    tree.retain(|path, _| {
        above.contains(path) || wanted.iter().any(|wanted| path.starts_with(wanted))
    });
}

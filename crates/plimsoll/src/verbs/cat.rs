//! `cat`: the bytes of files of an image.

use std::io::{self, Read as _, Write as _};

use base64::Engine as _;
use plimsoll_model::{Digest, Kind, Node};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::print;
use crate::session::Context;
use crate::verbs::files::{self, Files};

/// Bytes of a file that go into a JSON document.
const MAX_IN_JSON: u64 = 64 << 20;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Cat) -> Result<Exit> {
    let files = Files::open(context, &arguments.of)?;
    // All of them are there before the first byte is printed.
    let mut found = Vec::new();
    for path in &arguments.paths {
        let (at, node) = files.resolve(path)?;
        let Kind::File { .. } = node.kind else {
            return Err(Failure::new(format!(
                "{path} in {} is {}",
                files.image,
                what(node)
            )));
        };
        found.push((at, node));
    }
    let mut documents = Vec::new();
    let mut out = io::stdout().lock();
    for (path, node) in found {
        let Kind::File { at, size } = node.kind else {
            continue;
        };
        let failed = |error: io::Error| {
            Failure::because(
                format_args!("cannot read {path} of {}", files.image),
                &error,
            )
        };
        let mut reader = files
            .rootfs
            .contents
            .open(at, size)
            .map_err(failed)?
            .take(size);
        if arguments.json {
            if size > MAX_IN_JSON {
                let message = format!("{path} has {size} bytes, too many for a JSON document");
                return Err(Failure::new(message).hint("without --json it is printed as it is"));
            }
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map_err(failed)?;
            let mut document = files::facts(&path, node);
            let digest = Digest::from_bytes(Sha256::digest(&bytes).into());
            document["digest"] = json!(digest.to_string());
            document["base64"] = json!(base64::engine::general_purpose::STANDARD.encode(&bytes));
            documents.push(document);
            continue;
        }
        let mut buffer = vec![0; 256 << 10];
        let mut left = size;
        while left > 0 {
            let count = reader.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                return Err(failed(io::ErrorKind::UnexpectedEof.into()));
            }
            left -= count as u64;
            match out.write_all(&buffer[..count]) {
                // Who read enough went away.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Fine),
                other => other.map_err(|error| Failure::because("cannot print", &error))?,
            }
        }
    }
    let _ = out.flush();
    drop(out);
    if arguments.json {
        print::json(&json!({
            "schema": "plimsoll.cat.v1",
            "image": files.image,
            "layer": arguments.of.layer,
            "files": Value::Array(documents),
        }))?;
    }
    // What was asked for is complete, whatever could not be read elsewhere.
    Ok(Exit::Fine)
}

fn what(node: &Node) -> &'static str {
    match node.kind {
        Kind::Dir => "a directory",
        Kind::Symlink(_) => "a symbolic link",
        Kind::Device { .. } => "a device",
        Kind::Fifo => "a pipe",
        Kind::File { .. } => "a file",
    }
}

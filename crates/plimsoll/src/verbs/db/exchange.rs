//! `db export` and `db import`: all slices, and the lists of official images, in one file, for machines
//! without a network.
//!
//! The file is a zip archive of the slices as they lie in the store (they are packed already), their
//! list, and the lists of official images. Each is verified on both ways.

use std::fs;
use std::io::Write;
use std::path::Path;

use plimsoll_scan::{Meta, Scope};
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter};

use crate::advisories::notes::Notes;
use crate::advisories::{self, Store, index};
use crate::cli::db;
use crate::failure::{Exit, Failure, Result};
use crate::officials;
use crate::print;
use crate::session::Context;

/// An archive of more entries is none of ours.
const MOST: usize = 10_000;

pub(super) fn export(context: &Context, arguments: &db::Export) -> Result<Exit> {
    let store = Store::below(&context.cache);
    let (lists, only): (Vec<String>, Vec<String>) = arguments
        .only
        .iter()
        .cloned()
        .partition(|scope| scope == officials::NAME);
    // The lists of official images go with everything.
    let wants_lists = !lists.is_empty() || only.is_empty();
    let wants_slices = lists.is_empty() || !only.is_empty();
    let only = super::scopes(&only)?;
    let lists = match wants_lists {
        true => officials::fetched(&context.cache).map_err(Failure::new)?,
        false => None,
    };
    if !wants_slices && lists.is_none() {
        return Err(
            Failure::new("there are no lists of official images").hint(format!(
                "`plimsoll db update --for {}` fetches them",
                officials::NAME
            )),
        );
    }
    let mut files: Vec<(Meta, _, Vec<u8>)> = Vec::new();
    for entry in store.entries()? {
        if !wants_slices || !only.is_empty() && !only.contains(&entry.scope) {
            continue;
        }
        let (meta, digest) = entry
            .read
            .map_err(|why| Failure::new(format!("{}: {why}", entry.scope)))?;
        files.extend(store.file(&entry.scope)?.map(|file| (meta, digest, file)));
    }
    if let Some(missing) = only
        .iter()
        .find(|scope| !files.iter().any(|(meta, ..)| meta.scope == **scope))
    {
        return Err(
            Failure::new(format!("there are no advisories of {missing}"))
                .hint(format!("`plimsoll db update --for {missing}` fetches them")),
        );
    }
    if files.is_empty() && lists.is_none() {
        return Err(Failure::new("there are no advisories to export")
            .hint("`plimsoll db update` fetches them, `plimsoll db build` compiles them"));
    }
    let list = files
        .iter()
        .map(|(meta, digest, file)| (meta, digest, file.len() as u64));
    let list = index::Index::of(list).json().map_err(Failure::new)?;
    let entries = files
        .iter()
        .map(|(meta, _, file)| (meta.scope.file_name(), &**file))
        .chain([(index::NAME.to_owned(), &*list)])
        .chain(
            lists
                .iter()
                .map(|(_, file)| (officials::FILE.to_owned(), &**file)),
        );
    let archive = archive(entries).map_err(|error| Failure::because("cannot pack", &error))?;
    let path = &arguments.file;
    // Beside its place, as in the store: a full disk leaves no half archive.
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    let store = Store::at(directory.unwrap_or(Path::new(".")).to_owned());
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::new(format!("{} is no file name", path.display())))?;
    store.write(name, &archive, &context.leftovers)?;
    for (meta, _, file) in &files {
        print::line(&super::line(meta, file.len() as u64))?;
    }
    if let Some((listed, file)) = &lists {
        print::line(&super::officials::line(listed, file.len() as u64))?;
    }
    Ok(Exit::Fine)
}

/// The same slices give the same bytes: no time, no owner.
fn archive<'a>(
    entries: impl Iterator<Item = (String, &'a [u8])>,
) -> std::result::Result<Vec<u8>, rawzip::Error> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (name, content) in entries {
        let (mut entry, config) = archive
            .new_file(&name)
            .compression_method(CompressionMethod::STORE)
            .start()?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(content)?;
        let (_, descriptor) = writer.finish()?;
        entry.finish(descriptor)?;
    }
    archive.finish()?;
    Ok(bytes)
}

pub(super) fn import(context: &Context, path: &Path) -> Result<Exit> {
    let cannot = |why: String| {
        Failure::new(format!("cannot import {}: {why}", path.display()))
            .hint("nothing was imported; what was there before can be used")
    };
    let bytes = fs::read(path).map_err(|error| cannot(error.to_string()))?;
    let files = unpack(&bytes).map_err(cannot)?;
    let list = files.iter().find(|(name, _)| name == index::NAME);
    let list = list.map(|(_, list)| index::Index::read(list));
    let list = list
        .transpose()
        .map_err(|why| cannot(format!("{}: {why}", index::NAME)))?;
    // All are verified before one is written.
    let mut verified = Vec::new();
    let mut lists = Vec::new();
    for (name, file) in &files {
        if name == officials::FILE {
            let listed = officials::parsed(file).map_err(|why| cannot(format!("{name}: {why}")))?;
            lists.push((listed, file));
            continue;
        }
        let Some(scope) = Scope::of_file(name) else {
            continue;
        };
        let (meta, digest) =
            advisories::verified(file).map_err(|error| cannot(format!("{name} {error}")))?;
        if meta.scope != scope {
            return Err(cannot(format!("{name} is about {}", meta.scope)));
        }
        verified.push((scope, meta, digest, file));
    }
    if verified.is_empty() && lists.is_empty() {
        return Err(cannot("it holds no advisories".to_owned()));
    }
    let store = Store::below(&context.cache);
    for (scope, meta, digest, file) in verified {
        store.put(&scope, file, &context.leftovers)?;
        // When its publishers were last asked goes with it.
        let listed = list.as_ref().and_then(|list| list.find(&scope));
        if let Some(listed) = listed.filter(|listed| listed.digest().as_ref() == Some(&digest)) {
            let notes = Notes::about(&digest, super::no_later(&listed.checked));
            store.remember(&scope, &notes, &context.leftovers)?;
        }
        print::line(&super::line(&meta, file.len() as u64))?;
    }
    for (listed, file) in lists {
        store.write(officials::FILE, file, &context.leftovers)?;
        print::line(&super::officials::line(&listed, file.len() as u64))?;
    }
    Ok(Exit::Fine)
}

fn unpack(bytes: &[u8]) -> std::result::Result<Vec<(String, Vec<u8>)>, String> {
    let broken =
        |error: rawzip::Error| format!("it is a broken archive (was it cut short?): {error}");
    let archive = ZipArchive::from_slice(bytes).map_err(broken)?;
    let mut entries = archive.entries();
    let mut files = Vec::new();
    while let Some(entry) = entries.next_entry().map_err(broken)? {
        let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        if entry.compression_method() != CompressionMethod::STORE || files.len() == MOST {
            return Err("it was not written by `plimsoll db export`".to_owned());
        }
        let data = archive.get_entry(entry.wayfinder()).map_err(broken)?.data();
        files.push((name, data.to_vec()));
    }
    Ok(files)
}

//! `db update --for official-images`: which tags of Docker's official images are built.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plimsoll_scan::officials::{self, Listed, OFFICIALS};

use crate::advisories::Store;
use crate::download::{Downloads, Got};
use crate::failure::{Failure, Result};
use crate::fetch::without_credentials;
use crate::officials::{FILE, NAME, Officials};
use crate::print;
use crate::session::Context;

/// The file of one image is not larger.
const MAX_FILE: u64 = 4 << 20;
/// A directory with more files is another one.
const MAX_FILES: usize = 5000;

/// Reads the lists from `source`, the address or directory of the library of official images, or from
/// where they came the last time; answers what could not be read.
pub(super) fn update(context: &Context, source: Option<&str>) -> Result<Vec<String>> {
    let store = Store::below(&context.cache);
    let known = Officials::of(&context.cache);
    let before = known.listed();
    let source = source.or_else(|| before.map(|listed| &*listed.source));
    let Some(source) = source.filter(|source| !source.is_empty()) else {
        let failure = Failure::new("nobody is compiled in who serves the lists of official images");
        return Err(failure.hint(format!(
            "name the directory `library` of their repository, or where it is served: \
             --mirror {NAME}=file:/path or --mirror {NAME}=https://host/path"
        )));
    };
    context.progress.step(&format!(
        "reading the lists of official images from {}",
        without_credentials(source)
    ));
    let mut listed = Listed::default();
    listed.date = jiff::Zoned::now().date();
    // The source is asked again with what it was named by, without what nobody else must know.
    listed.source = without_credentials(source);
    let problems = match source.strip_prefix("file:") {
        Some(path) => {
            let path = format!("/{}", path.trim_start_matches('/'));
            of_directory(Path::new(&path), &mut listed)?
        }
        None => of_server(source, before, &store, &mut listed)?,
    };
    let (_, tags) = listed.count();
    if tags == 0 {
        let source = without_credentials(source);
        let mut failure = Failure::new(format!("{source}: there is no official image in it"));
        failure = failure.details(problems);
        return Err(failure);
    }
    let file = listed.write();
    store.write(FILE, file.as_bytes(), &context.leftovers)?;
    print::line(&line(&listed, file.len() as u64))?;
    Ok(problems)
}

/// All files of a directory.
fn of_directory(directory: &Path, listed: &mut Listed) -> Result<Vec<String>> {
    let shown = directory.display();
    let failed =
        |error: &std::io::Error| Failure::because(format_args!("cannot read {shown}"), error);
    let mut problems = Vec::new();
    let mut newest = None;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(|error| failed(&error))? {
        let name = entry.map_err(|error| failed(&error))?.file_name();
        if names.len() >= MAX_FILES {
            return Err(Failure::new(format!(
                "{shown} has more than {MAX_FILES} files"
            )));
        }
        names.extend(name.into_string().ok().filter(|name| is_image(name)));
    }
    for name in names {
        let path = directory.join(&name);
        let facts = fs::metadata(&path).map_err(|error| failed(&error))?;
        if !facts.is_file() {
            continue;
        }
        if facts.len() > MAX_FILE {
            problems.push(format!("{name}: has more than {MAX_FILE} bytes"));
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| failed(&error))?;
        newest = newest.max(facts.modified().ok());
        take(&name, &bytes, listed, &mut problems);
    }
    // A copy may be of long ago: it is as old as the file that changed last.
    let newest = newest.and_then(|moment| jiff::Timestamp::try_from(moment).ok());
    if let Some(newest) = newest {
        let day = newest.to_zoned(jiff::tz::TimeZone::system()).date();
        listed.date = listed.date.min(day);
    }
    listed.complete = true;
    Ok(problems)
}

/// The files of the images that are known by name: a server does not say which it has.
fn of_server(
    source: &str,
    before: Option<&Listed>,
    store: &Store,
    listed: &mut Listed,
) -> Result<Vec<String>> {
    let downloads = Downloads::new(store.directory().join("partial"));
    let mut names: BTreeSet<String> = OFFICIALS
        .images
        .iter()
        .map(|image| image.name.clone())
        .collect();
    names.extend(
        plimsoll_scan::DISTRIBUTIONS
            .iter()
            .map(|known| known.id.to_owned()),
    );
    names.extend(
        before
            .into_iter()
            .flat_map(Listed::names)
            .map(str::to_owned),
    );
    let mut problems = Vec::new();
    for name in names {
        let url = format!("{}/{name}", source.trim_end_matches('/'));
        match downloads.get(&url, None, MAX_FILE, &|_, _| ()) {
            Ok(Got::New(bytes, _)) => take(&name, &bytes, listed, &mut problems),
            Ok(Got::Same) => {}
            // Given up: there is no such image any more.
            Err(why) if why.ends_with("the server answered 404") => {
                listed.insert(&name, BTreeSet::new());
            }
            Err(why) => {
                return Err(Failure::new(format!("{NAME}: {why}")));
            }
        }
    }
    Ok(problems)
}

/// What the file of one image says.
fn take(name: &str, bytes: &[u8], listed: &mut Listed, problems: &mut Vec<String>) {
    let file = officials::read(&String::from_utf8_lossy(bytes));
    let lines = file.problems.into_iter();
    problems.extend(lines.map(|(line, why)| format!("{NAME}: {name}:{line}: {why}")));
    match file.tags.is_empty() {
        true => problems.push(format!("{NAME}: {name}: names no tag")),
        false => listed.insert(name, file.tags),
    }
}

/// A line about the lists: `official-images  5,012 tags of 170 images, of 2026-11-29, 90 kB`.
pub(super) fn line(listed: &Listed, bytes: u64) -> String {
    let (images, tags) = listed.count();
    let bytes = plimsoll_model::text::bytes(bytes);
    format!(
        "{NAME:<18} {tags} tags of {images} images, of {}, {bytes}",
        listed.date
    )
}

/// Whether a file of the library is about an image, and not about the library.
fn is_image(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    !name.starts_with('.') && !name.ends_with(".md") && name.chars().all(is_good)
}

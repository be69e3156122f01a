//! `db status`: what is there, how old it is, and what it has.

use plimsoll_model::text;
use plimsoll_scan::officials::Listed;
use serde::Serialize;

use crate::advisories::{self, Store};
use crate::cli::db;
use crate::failure::{Exit, Failure, Result};
use crate::officials;
use crate::print;
use crate::session::Context;

/// The list as JSON.
#[derive(Serialize)]
struct Written {
    schema: &'static str,
    directory: String,
    bytes: u64,
    slices: Vec<WrittenSlice>,
    /// The lists of official images, where somebody fetched them.
    #[serde(skip_serializing_if = "Option::is_none")]
    official_images: Option<WrittenLists>,
}

#[derive(Serialize)]
struct WrittenLists {
    bytes: u64,
    images: usize,
    tags: usize,
    /// The day they are of; `null` where they cannot be read.
    date: Option<String>,
    /// Their age in whole days.
    age_days: Option<i64>,
    /// Whether they are young enough to be used.
    fresh: bool,
    /// Whether an image that is missing is no official one.
    complete: bool,
    source: String,
    /// Why they cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Serialize)]
struct WrittenSlice {
    scope: String,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    rows: u64,
    packages: u64,
    /// The moment its oldest data are of; `null` where they do not say.
    date: Option<String>,
    /// The last moment at which the servers that were asked had nothing newer; `null` where nobody asked.
    checked: Option<String>,
    /// Days since all of them were known to be the newest there were, as `scan` counts: what its publisher
    /// gave is as new as the day it was asked, a copy of the day it says; `null` where nobody knows.
    age_days: Option<i64>,
    origins: Vec<WrittenOrigin>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Serialize)]
struct WrittenOrigin {
    feed: String,
    from: String,
    date: String,
    read: String,
    digest: String,
    rows: u64,
    lists_unfixed: bool,
}

pub(super) fn run(context: &Context, arguments: &db::Status) -> Result<Exit> {
    let store = Store::below(&context.cache);
    let entries = store.entries()?;
    let lists = officials::fetched(&context.cache);
    let broken = entries.iter().any(|entry| entry.read.is_err()) || lists.is_err();
    let slices: Vec<WrittenSlice> = entries.iter().map(written).collect();
    let total = slices.iter().map(|slice| slice.bytes).sum();
    if arguments.json {
        let list = Written {
            schema: "plimsoll-db-status/1",
            directory: store.directory().display().to_string(),
            bytes: total,
            slices,
            official_images: written_lists(&lists),
        };
        let json = serde_json::to_string_pretty(&list);
        print::line(&json.map_err(|error| Failure::because("cannot print", &error))?)?;
        return Ok(verdict(&entries, broken));
    }
    if slices.is_empty() {
        print::line(&format!("no advisories in {}", store.directory().display()))?;
    } else {
        print::line(&format!(
            "{}, {}",
            store.directory().display(),
            text::bytes(total)
        ))?;
        for (entry, slice) in entries.iter().zip(&slices) {
            match &entry.read {
                Ok((meta, _)) => {
                    let age = newest(slice.age_days);
                    print::line(&format!("  {}{age}", super::line(meta, entry.bytes)))?;
                }
                Err(why) => print::line(&format!("  {:<18} {why}", entry.scope.to_string()))?,
            }
        }
    }
    match &lists {
        Ok(Some((listed, file))) => {
            let line = super::officials::line(listed, file.len() as u64);
            let age = shown(age(listed.date));
            let old = match listed.is_fresh(jiff::Zoned::now().date()) {
                true => "",
                false => ": too old to count",
            };
            print::line(&format!("  {line}{age}{old}"))?;
        }
        Ok(None) => {}
        Err(why) => print::line(&format!("  {:<18} {why}", officials::NAME))?,
    }
    Ok(verdict(&entries, broken))
}

fn verdict(entries: &[advisories::Entry], broken: bool) -> Exit {
    match entries.is_empty() || broken {
        // Nothing can be judged with nothing.
        true => Exit::Incomplete,
        false => Exit::Fine,
    }
}

/// When the data of a slice were last known to be the newest there are, behind the day they are of.
fn newest(days: Option<i64>) -> String {
    match days {
        Some(..=0) => ", the newest there was today".to_owned(),
        Some(1) => ", the newest there was 1 day ago".to_owned(),
        Some(days) => format!(", the newest there was {days} days ago"),
        None => ", nobody knows how old".to_owned(),
    }
}

/// An age in days, behind what it is the age of.
fn shown(days: Option<i64>) -> String {
    match days {
        // Tomorrow may be today elsewhere.
        Some(..=-2) => ", a day still to come: a clock is wrong".to_owned(),
        Some(..=0) => ", today's".to_owned(),
        Some(1) => ", 1 day old".to_owned(),
        Some(days) => format!(", {days} days old"),
        None => String::new(),
    }
}

fn written_lists(
    lists: &std::result::Result<Option<(Listed, Vec<u8>)>, String>,
) -> Option<WrittenLists> {
    match lists {
        Ok(lists) => lists.as_ref().map(|(listed, file)| {
            let (images, tags) = listed.count();
            let date = listed.date.to_string();
            WrittenLists {
                bytes: file.len() as u64,
                images,
                tags,
                age_days: age(listed.date),
                date: Some(date),
                fresh: listed.is_fresh(jiff::Zoned::now().date()),
                complete: listed.complete,
                source: listed.source.clone(),
                problem: None,
            }
        }),
        Err(why) => Some(WrittenLists {
            bytes: 0,
            images: 0,
            tags: 0,
            date: None,
            age_days: None,
            fresh: false,
            complete: false,
            source: String::new(),
            problem: Some(why.clone()),
        }),
    }
}

fn written(entry: &advisories::Entry) -> WrittenSlice {
    let scope = entry.scope.to_string();
    let (meta, digest) = match &entry.read {
        Ok(read) => read,
        Err(why) => {
            return WrittenSlice {
                scope,
                bytes: entry.bytes,
                digest: None,
                rows: 0,
                packages: 0,
                date: None,
                checked: None,
                age_days: None,
                origins: Vec::new(),
                problem: Some(why.clone()),
            };
        }
    };
    let date = meta.date();
    let origins = meta.origins.iter().cloned().map(|origin| WrittenOrigin {
        feed: origin.feed,
        from: origin.from,
        date: origin.date,
        read: origin.read,
        digest: origin.digest,
        rows: origin.rows,
        lists_unfixed: origin.lists_unfixed,
    });
    WrittenSlice {
        scope,
        bytes: entry.bytes,
        digest: Some(digest.to_string()),
        rows: meta.rows,
        packages: meta.packages,
        date: date.map(str::to_owned),
        checked: (!meta.checked.is_empty()).then(|| meta.checked.clone()),
        age_days: meta.age(jiff::Zoned::now().date()),
        origins: origins.collect(),
        problem: None,
    }
}

/// How many whole days ago a day was.
fn age(day: jiff::civil::Date) -> Option<i64> {
    let today = jiff::Zoned::now().date();
    Some(i64::from(day.until(today).ok()?.get_days()))
}

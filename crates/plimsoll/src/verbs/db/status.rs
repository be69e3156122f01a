//! `db status`: what is there, how old it is, and what it has.

use plimsoll_model::text;
use serde::Serialize;

use crate::advisories::{self, Store};
use crate::cli::db;
use crate::failure::{Exit, Failure, Result};
use crate::print;
use crate::session::Context;

/// The list as JSON.
#[derive(Serialize)]
struct Written {
    schema: &'static str,
    directory: String,
    bytes: u64,
    slices: Vec<WrittenSlice>,
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
    /// Days since all of them were known to be the newest there were, as `scan` counts: what a server gave
    /// is as new as the day it was asked; `null` where nobody knows.
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
    let broken = entries.iter().any(|entry| entry.read.is_err());
    let slices: Vec<WrittenSlice> = entries.iter().map(written).collect();
    let total = slices.iter().map(|slice| slice.bytes).sum();
    if arguments.json {
        let list = Written {
            schema: "plimsoll-db-status/1",
            directory: store.directory().display().to_string(),
            bytes: total,
            slices,
        };
        let json = serde_json::to_string_pretty(&list);
        print::line(&json.map_err(|error| Failure::because("cannot print", &error))?)?;
    } else if slices.is_empty() {
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
                    let age = match slice.age_days {
                        Some(0) => ", today's".to_owned(),
                        Some(1) => ", 1 day old".to_owned(),
                        Some(days) => format!(", {days} days old"),
                        None => String::new(),
                    };
                    print::line(&format!("  {}{age}", super::line(meta, entry.bytes)))?;
                }
                Err(why) => print::line(&format!("  {:<18} {why}", entry.scope.to_string()))?,
            }
        }
    }
    Ok(match (slices_are_none(&entries), broken) {
        // Nothing can be judged with nothing.
        (true, _) | (_, true) => Exit::Incomplete,
        _ => Exit::Fine,
    })
}

fn slices_are_none(entries: &[advisories::Entry]) -> bool {
    entries.is_empty()
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
        age_days: meta.age(jiff::Zoned::now().date()),
        origins: origins.collect(),
        problem: None,
    }
}

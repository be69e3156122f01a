//! `db`: the advisories of this machine.

mod build;
mod exchange;
mod officials;
mod status;
mod update;

use plimsoll_scan::{Meta, Scope};

use crate::cli::db::{Action, Db};
use crate::failure::{Exit, Failure, Result};
use crate::session::Context;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &Db) -> Result<Exit> {
    match &arguments.action {
        Action::Update(arguments) => update::run(context, arguments),
        Action::Build(arguments) => build::run(context, arguments),
        Action::Status(arguments) => status::run(context, arguments),
        Action::Export(arguments) => exchange::export(context, arguments),
        Action::Import { file } => exchange::import(context, file),
    }
}

/// The scope a user wrote.
fn scope(text: &str) -> Result<Scope> {
    Scope::parse(text).ok_or_else(|| {
        Failure::new(format!("`{text}` is no distribution release or ecosystem")).hint(
            "write it as debian:12, alpine:3.22, pypi; `plimsoll db status` lists what is there",
        )
    })
}

fn scopes(texts: &[String]) -> Result<Vec<Scope>> {
    texts.iter().map(|text| scope(text)).collect()
}

/// The moment it is now, in seconds.
fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// A moment that another machine told, and no later than now: its clock may be wrong. Empty where it told
/// none.
fn no_later(moment: &str) -> String {
    let told: Option<jiff::Timestamp> = moment.parse().ok();
    told.map(|told| told.min(now()).to_string())
        .unwrap_or_default()
}

/// A line about a slice: `debian:12  41,233 advisories about 2,100 packages, of 2026-11-29, 612 kB`.
fn line(meta: &Meta, bytes: u64) -> String {
    let date = match meta.date() {
        Some(date) => format!("of {}", date.get(..10).unwrap_or(date)),
        None => "of an unknown day".to_owned(),
    };
    let what = match meta.scope.name() {
        "kev" | "epss" => format!("{} vulnerabilities", meta.rows),
        _ => format!("{} advisories about {} packages", meta.rows, meta.packages),
    };
    let bytes = plimsoll_model::text::bytes(bytes);
    format!("{:<18} {what}, {date}, {bytes}", meta.scope.to_string())
}

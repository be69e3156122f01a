//! The binary: command line, wiring, network, clock, environment, terminal, exit codes.

mod advisories;
mod apt;
mod cache;
mod cli;
mod document;
mod download;
mod engine;
mod facts;
mod failure;
mod fetch;
mod hub;
mod interrupt;
mod mirror;
mod officials;
mod page;
mod plan_file;
mod policy;
mod print;
mod profile_file;
mod progress;
mod registry;
mod session;
mod settings;
mod storage;
mod target;
mod verbs;
mod wanted;
mod work;
mod writable;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::failure::{Exit, Result};
use crate::interrupt::Leftovers;
use crate::progress::Progress;
use crate::registry::Registries;
use crate::session::Context;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let progress = Progress::new(cli.quiet);
    let place = cli.cache.clone().map_or_else(cache::directory, Ok);
    let cache = place.as_deref().map(Path::to_owned).unwrap_or_default();
    let context = Context {
        registries: Arc::new(Registries::new(&cache, &cli.registry)),
        cache,
        progress: progress.clone(),
        leftovers: Leftovers::default(),
    };
    let watched = context.leftovers.watch();
    let ended = place.and(watched).and_then(|()| run(&context, &cli.verb));
    context.leftovers.settle();
    progress.done();
    for left in context.leftovers.staying() {
        let _ = writeln!(std::io::stderr(), "{left}");
    }
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "{failure}");
            failure.code().into()
        }
    }
}

fn run(context: &Context, verb: &Verb) -> Result<Exit> {
    match verb {
        Verb::Demo(arguments) => verbs::demo::run(context, arguments),
        Verb::Inspect(arguments) => verbs::inspect::run(context, arguments),
        Verb::Sbom(arguments) => verbs::sbom::run(context, arguments),
        Verb::Check(arguments) => verbs::check::run(context, arguments),
        Verb::Scan(arguments) => verbs::scan::run(context, arguments),
        Verb::Lint(arguments) => verbs::lint::run(context, arguments),
        Verb::Slim(arguments) => verbs::slim::run(context, arguments),
        Verb::Build(arguments) => verbs::build::run(context, arguments),
        Verb::Diff(arguments) => verbs::diff::run(context, arguments),
        Verb::Why(arguments) => verbs::why::run(context, arguments),
        Verb::Tree(arguments) => verbs::tree::run(context, arguments),
        Verb::Explore(arguments) => verbs::explore::run(context, arguments),
        Verb::Ls(arguments) => verbs::ls::run(context, arguments),
        Verb::Cat(arguments) => verbs::cat::run(context, arguments),
        Verb::Extract(arguments) => verbs::extract::run(context, arguments),
        Verb::Copy(arguments) => verbs::copy::run(context, arguments),
        Verb::Attach(arguments) => verbs::referrers::attach(context, arguments),
        Verb::Referrers(arguments) => verbs::referrers::run(context, arguments),
        Verb::Lineage(arguments) => verbs::lineage::run(context, arguments),
        Verb::Db(arguments) => verbs::db::run(context, arguments),
        Verb::Explain { id, json } => verbs::explain::explain(id, *json),
        Verb::List { table, json } => verbs::explain::list(*table, *json),
    }
}

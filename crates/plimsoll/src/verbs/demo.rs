//! `demo`: the lecture "Minimize base image footprint", walked with real data.

use std::path::Path;
use std::time::Instant;

use plimsoll_build::Recipe;
use plimsoll_model::{Report, text};

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::fetch::without_credentials;
use crate::print;
use crate::session::{self, Context};
use crate::verbs::{build, inspect, slim};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Demo) -> Result<Exit> {
    let began = Instant::now();
    slim::may_write(context, &arguments.options)?;
    let images = arguments.output.join("images");
    let (original, slimmed, composed) = match &arguments.image {
        Some(image) => (image.clone(), target(&images, "slim"), false),
        None => (
            compose(context, arguments, &images)?,
            target(&images, "httpd-slim"),
            true,
        ),
    };

    let step = if composed { 2 } else { 1 };
    heading(&format!(
        "{step}. inspect: what is in it, and what should not be"
    ))?;
    let opened = session::open(context, &original, None, None)?;
    print::report(
        &inspect::report(&opened, plimsoll_checks::Environment::Production),
        "text",
        false,
    )?;
    drop(opened);

    heading(&format!(
        "{}. slim: keep what it needs, write it, start it, compare",
        step + 1
    ))?;
    let mut options = arguments.options.clone();
    if options.probes.is_empty() && composed {
        options.probes.push("http:/".to_owned());
    }
    let mut result = slim::slim(context, &original, None, &slimmed, &options)?;
    let scans = std::mem::take(&mut result.report.scans);
    // Why the counts differ is said beside them.
    let sentences = plimsoll_scan::explain(&scans);
    let notes = &mut result.report.notes;
    notes.retain(|note| !sentences.contains(note));
    print::report(&result.report, "text", false)?;

    heading(&format!(
        "{}. scan: what is known about both, side by side",
        step + 2
    ))?;
    if scans.is_empty() {
        print::line(&format!(
            "  there are no data about what is in them: `plimsoll db update {original}` fetches them"
        ))?;
    } else {
        let proof = Report {
            verb: "scan",
            notes: sentences,
            scans,
            ..Report::default()
        };
        print::report(&proof, "text", false)?;
    }

    print::line(&format!("\nbefore: {original}\nafter:  {slimmed}"))?;
    print::line(&format!(
        "{:.1} s for the whole walk\n",
        began.elapsed().as_secs_f64()
    ))?;
    print::line("Look further:")?;
    for command in [
        format!("plimsoll inspect {slimmed}"),
        format!("plimsoll why /bin/sh {slimmed}"),
        "plimsoll slim YOUR-IMAGE --probe http:/".to_owned(),
    ] {
        print::line(&format!("  {command}"))?;
    }
    Ok(result.exit)
}

/// The image of the lecture: a web server on its distribution, with all that comes with it.
fn compose(context: &Context, arguments: &cli::Demo, images: &Path) -> Result<String> {
    heading("1. build: the image of the lecture, a web server from distribution packages")?;
    let recipe = Recipe::parse(plimsoll_build::HTTPD)
        .map_err(|error| Failure::because("cannot understand the demo's own recipe", &error))?;
    let target = target(images, "httpd");
    let compression = arguments.options.compression;
    let built = build::build(
        context,
        &recipe,
        None,
        &arguments.mirror,
        &target,
        compression,
    );
    let built = built.map_err(|failure| match failure.is_unreachable() {
        true => failure.hint("the same walk works with an image of yours: plimsoll demo IMAGE"),
        false => failure,
    })?;
    for note in &built.notes {
        print::line(&format!("  {note}"))?;
    }
    for problem in &built.problems {
        print::line(&format!("  {problem}"))?;
    }
    for release in &built.lock.releases {
        let shown = format!("{} {}", without_credentials(&release.uri), release.suite);
        print::line(&format!(
            "  {shown}: signature good, by {}",
            release.signed_by.join(", ")
        ))?;
    }
    print::line(&format!(
        "  {} packages, {} of archives, every digest verified",
        built.lock.archives.len(),
        text::bytes(built.lock.download_size())
    ))?;
    for (index, layer) in built.delivered.written.layers.iter().enumerate() {
        let what = if index == 0 { "base" } else { "application" };
        let size = text::bytes(layer.size);
        print::line(&format!(
            "  layer {index} ({what}): {size} compressed, {}",
            layer.digest
        ))?;
    }
    print::line(&format!(
        "  written to {target} as {}",
        built.delivered.written.digest
    ))?;
    Ok(target)
}

fn target(images: &Path, tag: &str) -> String {
    format!("oci:{}:{tag}", images.display())
}

fn heading(text: &str) -> Result<()> {
    print::line(&format!("\n== {text}\n"))
}

//! `abandoned-base`: the base is an image that nobody builds any more.

use crate::dockerfile::stages::Base;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Choose a base that is looked after: an official image is built again whenever its base or its
    /// own release gets a fix, until its line of releases is over. From then on its tag stays what
    /// it is, and building on it again brings no fix.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// FROM docker.io/library/abandoned:1
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A tag that is still built, and an image nothing is known about.
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// A tag that is built. Which ones are is read from the directory `library` of the official images'
    /// repository, or from where it is served: `plimsoll db update --for official-images --mirror
    /// official-images=file:/path` (or `=https://host/path`). No address is compiled in; one that was named
    /// is asked again by `plimsoll db update` alone.
    id: "abandoned-base",
    summary: "the base image is no longer rebuilt",
    severity: Medium,
    aliases: [],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let Some(bases) = sheet.context.bases else {
        return;
    };
    for stage in &sheet.stages.all {
        let instruction = &sheet.file.instructions[stage.from];
        let (Base::Image(name), Some(word)) = (&stage.base, instruction.words().first()) else {
            continue;
        };
        let Some(abandoned) = bases.abandoned(name) else {
            continue;
        };
        let remedy = match &abandoned.instead {
            Some(instead) => format!("FROM {instead}, by a tag that is still rebuilt"),
            None => "FROM a tag that is still rebuilt".to_owned(),
        };
        let message = format!("{} is no longer rebuilt: {}", abandoned.name, abandoned.why);
        hits.add(instruction.source(&word.at), message, remedy);
    }
}

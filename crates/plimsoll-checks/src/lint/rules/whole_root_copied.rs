//! `whole-root-copied`: all of another image.

use crate::dockerfile::Keyword;
use crate::dockerfile::stages::Base;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Copying the root of a stage or an image brings all of it, package database and caches included, and
    /// loses who owns what.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// FROM docker.io/library/debian:13.1-slim
    /// # finding
    /// COPY --from=build / /
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A file system that was made elsewhere, put into nothing.
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// FROM scratch
    /// COPY --from=build / /
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// The files by name.
    id: "whole-root-copied",
    summary: "the whole root is copied",
    severity: Low,
    aliases: ["DL3067"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (index, copy) in sheet.of(Keyword::Copy) {
        let scratch = sheet
            .stages
            .holding(index)
            .is_some_and(|stage| stage.base == Base::Scratch);
        if let [source, _] = copy.words()
            && matches!(&*source.text, "/" | "/." | "/*")
            && copy.flag("from").is_some()
            && !scratch
        {
            let span = copy.source(&source.at);
            hits.add(
                span,
                "all of it is copied, caches included",
                "the files by name",
            );
        }
    }
}

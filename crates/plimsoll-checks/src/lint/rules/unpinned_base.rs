//! `unpinned-base`: the base is whatever the name means today.

use crate::dockerfile::stages::{Base, split_reference};
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Know your parent and base image: without a tag, or with `latest`, the next build may begin
    /// from another release of another distribution, and nobody can say from which one the last did.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// FROM docker.io/library/debian
    /// USER 10001
    /// ```
    ///
    /// ```dockerfile
    /// ARG TAG=latest
    /// # finding
    /// FROM docker.io/library/debian:${TAG}
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A tag, a digest, an earlier stage, and what the file cannot know.
    ///
    /// ```dockerfile
    /// ARG BASE=docker.io/library/alpine:3.22
    /// FROM ${BASE} AS build
    /// FROM build AS test
    /// FROM docker.io/library/debian@sha256:0000000000000000000000000000000000000000000000000000000000000000
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// A tag that names a release (`debian:13.1-slim`), better with its digest behind it
    /// (`debian:13.1-slim@sha256:...`).
    id: "unpinned-base",
    summary: "the base image has no tag, or `latest`",
    severity: Medium,
    aliases: ["DL3006", "DL3007", "DS-0001", "CKV_DOCKER_7"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in &sheet.stages.all {
        let instruction = &sheet.file.instructions[stage.from];
        let (Base::Image(name), Some(word)) = (&stage.base, instruction.words().first()) else {
            continue;
        };
        let (message, aliases): (_, &'static [&'static str]) = match split_reference(name) {
            (_, _, Some(_)) => continue,
            (_, Some("latest"), None) => (
                format!("{name} is whatever is latest today"),
                &["DL3007", "DS-0001", "CKV_DOCKER_7"],
            ),
            (_, None, None) => (
                format!("{name} has no tag: it is whatever is latest today"),
                &["DL3006", "CKV_DOCKER_7"],
            ),
            _ => continue,
        };
        hits.add(
            instruction.source(&word.at),
            message,
            "name a release by its tag, better with the digest behind it",
        )
        .aliases(aliases);
    }
}

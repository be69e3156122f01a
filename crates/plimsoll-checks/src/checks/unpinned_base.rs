//! `unpinned-base`: a base that is another one tomorrow.

use plimsoll_model::{Evidence, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Choose a base that is looked after, and say which: `latest`, or no tag at all, is whatever
    /// its maker released last, the next major version included. Two builds of one Dockerfile are
    /// then two images. (CIS Docker Benchmark 4.2.)
    ///
    /// ## Example
    ///
    /// ```image
    /// ANNOTATION org.opencontainers.image.base.name=docker.io/library/debian:latest   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A version, or a digest, which names one image and no other.
    ///
    /// ```image
    /// LABEL org.opencontainers.image.base.name=docker.io/library/debian:13-slim
    /// ANNOTATION org.opencontainers.image.base.name=registry.example:5000/base@sha256:00
    /// ```
    ///
    /// ## Remedy
    ///
    /// `FROM debian:13-slim@sha256:...`, with a tool that proposes the next digest.
    id: "unpinned-base",
    practice: "choose a base that is looked after",
    summary: "the base has no fixed version",
    severity: Low,
    development: Info,
    run: run,
}

/// OCI image specification, `annotations.md`.
const BASE: &str = "org.opencontainers.image.base.name";

/// The base an annotation or a label names, and which of the two does.
pub(super) fn named<'a>(look: &'a Look) -> Option<(&'static str, &'a str)> {
    let image = look.image;
    let label = image.config.labels.get(BASE).map(|name| ("LABEL", &**name));
    let annotation = image.annotations.get(BASE);
    annotation.map(|name| ("ANNOTATION", &**name)).or(label)
}

/// What [`named`] says, as evidence.
pub(super) fn evidence(key: &'static str, base: &str) -> Evidence {
    let shown = text::printable(base.as_bytes());
    Evidence::Config {
        key,
        value: format!("{BASE}={shown}"),
    }
}

fn run(look: &Look, findings: &mut Findings) {
    let Some((key, base)) = named(look) else {
        return;
    };
    let name = base.rsplit('/').next().unwrap_or(base);
    let tag = name.split_once(':').map(|(_, tag)| tag);
    if base.is_empty() || base == "scratch" || name.contains('@') {
        return;
    }
    let shown = text::printable(base.as_bytes());
    let message = match tag {
        Some("latest") => format!("the base `{shown}` is whatever was released last"),
        None => format!("the base `{shown}` has no tag, which means `latest`"),
        Some(_) => return,
    };
    findings.add(
        message,
        vec![evidence(key, base)],
        "FROM NAME:VERSION@sha256:...",
    );
}

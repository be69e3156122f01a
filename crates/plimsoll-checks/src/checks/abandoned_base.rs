//! `abandoned-base`: a base that nobody builds any more.

use plimsoll_model::{Evidence, text};

use super::unpinned_base;
use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Choose a base that is looked after: an official image is built again whenever its base or its
    /// own release gets a fix, until its line of releases is over. From then on its tag stays what
    /// it is, and building on it again brings no fix.
    ///
    /// ## Example
    ///
    /// ```image
    /// ANNOTATION org.opencontainers.image.base.name=docker.io/library/python:3.8   # finding
    /// ABANDONED python:3.8
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A base that is still built, and one nothing is known about.
    ///
    /// ```image
    /// ANNOTATION org.opencontainers.image.base.name=docker.io/library/python:3.14
    /// ```
    ///
    /// ## Remedy
    ///
    /// A tag that is built: `plimsoll lineage` says what is known of each base, and of which day its table
    /// is. Newer lists are read from the directory `library` of the official images' repository, or from
    /// where it is served: `plimsoll db update --for official-images --mirror official-images=file:/path`
    /// (or `=https://host/path`). No address is compiled in; one that was named is asked again by `plimsoll
    /// db update` alone.
    id: "abandoned-base",
    practice: "choose a base that is looked after",
    summary: "the base is no longer rebuilt",
    severity: Medium,
    development: Low,
    run: run,
}

fn run(look: &Look, findings: &mut Findings) {
    for base in &look.circumstances.abandoned {
        let named = unpinned_base::named(look).filter(|(_, name)| name.ends_with(&base.name));
        let evidence = match named {
            Some((key, name)) => unpinned_base::evidence(key, name),
            None => Evidence::Image,
        };
        let name = text::printable(base.name.as_bytes());
        let remedy = match &base.instead {
            Some(instead) => format!("FROM {instead}, by a tag that is still rebuilt"),
            None => "FROM a tag that is still rebuilt".to_owned(),
        };
        let message = format!("the base `{name}` is no longer rebuilt: {}", base.why);
        findings.add(message, vec![evidence], remedy);
    }
}

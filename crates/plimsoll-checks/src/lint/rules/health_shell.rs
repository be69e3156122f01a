//! `health-shell`: a health check that needs a shell.

use crate::dockerfile::{Arguments, Keyword};
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Remove shells: a health check in shell form is run by `/bin/sh -c`, every few seconds, so the shell
    /// must stay in the image, and `curl` or `wget` with it.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// HEALTHCHECK CMD curl -f http://localhost/ || exit 1
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// HEALTHCHECK CMD ["/usr/local/bin/app", "--healthy"]
    /// ```
    ///
    /// ## Remedy
    ///
    /// The exec form, with a program that is there anyway; in a cluster the probe of the pod.
    id: "health-shell",
    summary: "the health check is read by a shell",
    severity: Info,
    aliases: [],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, health) in sheet.of(Keyword::Healthcheck) {
        if let Arguments::Health(_, command) = &health.arguments
            && let Arguments::Text(word) = &**command
            && !word.text.starts_with('[')
        {
            hits.add(
                health.source(&word.at),
                "the health check needs a shell in the image",
                "HEALTHCHECK CMD [\"program\", \"argument\"]",
            );
        }
    }
}

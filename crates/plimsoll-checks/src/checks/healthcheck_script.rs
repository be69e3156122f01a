//! `healthcheck-script`: a health check that keeps a shell.

use super::entry_script::shell_of;
use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Remove shells: a health check that is a shell script keeps a shell in the image, and every
    /// program the script calls; the engine starts all of them every few seconds.
    ///
    /// ## Example
    ///
    /// ```image
    /// /healthy     0755 "#!/bin/sh\nexec /app --ping\n"    # finding
    /// HEALTHCHECK  CMD /healthy
    /// ```
    ///
    /// Handed to a shell it is two findings:
    ///
    /// ```image
    /// /usr/local/bin/healthy  0755 "#!/usr/bin/env bash\n"   # finding
    /// HEALTHCHECK             CMD-SHELL healthy || exit 1    # finding [shell-form]
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The application itself, a script in its language, and scripts that nothing calls.
    ///
    /// ```image
    /// /healthy     0755 "#!/usr/bin/python3\n"
    /// /other       0755 "#!/bin/sh\n"
    /// HEALTHCHECK  CMD /healthy
    /// ```
    ///
    /// ## Remedy
    ///
    /// A subcommand of the application: `HEALTHCHECK CMD ["/app", "--ping"]`.
    id: "healthcheck-script",
    practice: "remove shells",
    summary: "the health check is a shell script",
    severity: Info,
    development: Info,
    run: run,
}

fn run(look: &Look, findings: &mut Findings) {
    let Some([form, words @ ..]) = look.image.config.healthcheck.as_deref() else {
        return;
    };
    let word = match &**form {
        "CMD" => words.first().map(String::as_str),
        "CMD-SHELL" => words
            .first()
            .and_then(|line| line.split_whitespace().next()),
        _ => None,
    };
    let Some(file) = word.and_then(|word| programs::called(look, word)) else {
        return;
    };
    if let Some(shell) = shell_of(look, &file, findings) {
        findings.add(
            format!("HEALTHCHECK calls `{file}`, a script for {shell}, which must therefore stay"),
            vec![programs::evidence(&look.rootfs.tree, &file)],
            "HEALTHCHECK CMD [\"/app\", \"--ping\"]: let the application answer itself",
        );
    }
}

//! `upgrade`: the base image is installed a second time.

use crate::lint::rule::rule;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet, install};

rule! {
    /// Keep the image small: an upgrade writes every package that has a new version into a layer
    /// above the base, which still holds the old one, and what it installs changes from day to day.
    /// A base that is rebuilt often, taken anew, brings the same fixes without the bytes.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN apt-get update && apt-get upgrade -y && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN apt-get update && apt-get install -y --no-install-recommends --only-upgrade \
    ///     openssl=3.5.1-1 && rm -rf /var/lib/apt/lists/*
    /// RUN pip install --no-cache-dir --upgrade flask==3.1.0
    /// ```
    ///
    /// ## Remedy
    ///
    /// Build with `--pull` on a base that is still rebuilt, or upgrade by name the one package whose
    /// fix cannot wait.
    id: "upgrade",
    summary: "all packages of the base are upgraded in a layer above it",
    severity: Low,
    aliases: ["DL3005", "DL3017", "DL3031", "DL3035", "DL3039", "DS-0024"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands().filter(|(run, _)| Run::ships(run)) {
        let (Some((manager, arguments)), Some(verb)) =
            (install::called(command), install::verb(command))
        else {
            continue;
        };
        let aliases: &'static [&'static str] = match (manager.family, verb) {
            ("apt", "upgrade" | "full-upgrade" | "safe-upgrade") => &["DL3005"],
            ("apt", "dist-upgrade") => &["DL3005", "DS-0024"],
            ("apk", "upgrade") => &["DL3017"],
            ("yum", "update" | "upgrade") => &["DL3031"],
            ("dnf", "update" | "upgrade" | "distro-sync") => &["DL3039"],
            ("zypper", "dup" | "dist-upgrade" | "up" | "update") => &["DL3035"],
            _ => continue,
        };
        // With names behind it, it upgrades those.
        let plain = arguments.iter().filter(|word| !word.text.starts_with('-'));
        if plain.count() > 1 {
            continue;
        }
        hits.add(
            command.span(),
            format!(
                "{} {verb} installs parts of the base a second time",
                command.name()
            ),
            "build with --pull on a base that is rebuilt often",
        )
        .aliases(aliases);
    }
}

//! `recommended-packages`: apt brings more than was asked for.

use crate::lint::rule::rule;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet, install};

rule! {
    /// Keep only needed packages: apt also installs what a package merely recommends, often several
    /// times its own size, and every package is one more that can be vulnerable.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN apt-get update && apt-get install -y git=1:2.47.3-0 && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN apt-get update && apt-get install -y --no-install-recommends git=1:2.47.3-0 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// RUN apt-get update && apt-get install -y -o APT::Install-Recommends=0 git=1:2.47.3-0 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Remedy
    ///
    /// `apt-get install --no-install-recommends`, and by name what is missed then.
    id: "recommended-packages",
    summary: "apt installs recommended packages",
    severity: Low,
    aliases: ["DL3015"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    // A line in apt's configuration holds for the whole stage.
    let configured = sheet.file.text().contains("APT::Install-Recommends");
    for (_, command) in sheet.commands().filter(|(run, _)| Run::ships(run)) {
        let Some(install) = install::of(command) else {
            continue;
        };
        let none = |word: &str| {
            let word = word.to_ascii_lowercase();
            word == "--no-install-recommends" || word.contains("install-recommends=")
        };
        let aptitude = command.name() == "aptitude" && command.option('R', "without-recommends");
        if install.manager.family != "apt"
            || configured
            || aptitude
            || command.arguments().iter().any(|word| none(&word.text))
        {
            continue;
        }
        // No edit: curl without the ca-certificates it recommends fetches nothing. Which of the packages are
        // missed is for whoever knows the build.
        hits.add(
            command.span(),
            "apt also installs what these packages only recommend",
            "apt-get install --no-install-recommends",
        );
    }
}

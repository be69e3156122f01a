//! `shell-replaced`: /bin/sh becomes another shell.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A link in the place of `/bin/sh` changes what every script of the distribution runs with. `SHELL`
    /// says which shell the build uses, and nothing else.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN ln -sf /bin/bash /bin/sh
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// SHELL ["/bin/bash", "-c"]
    /// RUN ln -s /usr/bin/python3 /usr/bin/python
    /// ```
    ///
    /// ## Remedy
    ///
    /// `SHELL ["/bin/bash", "-c"]`.
    id: "shell-replaced",
    summary: "/bin/sh is made another shell",
    severity: Low,
    aliases: ["DL4005"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands() {
        let places = ["/bin/sh", "/usr/bin/sh"];
        let last = command.words.last().map_or("", |word| &word.text);
        if matches!(command.name(), "ln" | "cp" | "mv") && places.contains(&last) {
            hits.add(
                command.span(),
                "every script of the distribution now runs with another shell",
                "SHELL [\"/bin/bash\", \"-c\"]",
            );
        }
    }
}

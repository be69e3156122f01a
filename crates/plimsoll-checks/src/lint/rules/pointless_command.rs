//! `pointless-command`: makes no sense in a build.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A build has no terminal, no running services and no machine of its own: such a command does nothing
    /// there that stays.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN service nginx start
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN ln -s /dev/stdout /var/log/access.log
    /// ```
    ///
    /// ## Remedy
    ///
    /// Take it out; what must be started is the `CMD`.
    id: "pointless-command",
    summary: "a command that does nothing in a build",
    severity: Info,
    aliases: ["DL3001"],
    run: run,
}

const POINTLESS: [&str; 12] = [
    "free",
    "ifconfig",
    "kill",
    "mount",
    "ps",
    "service",
    "shutdown",
    "ssh",
    "systemctl",
    "top",
    "vi",
    "vim",
];

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands() {
        let name = command.name();
        // `systemctl enable` only makes a link, `kill` ends what the same RUN started.
        let useful = match name {
            "systemctl" => command.has("enable") || command.has("disable") || command.has("mask"),
            "kill" => command.arguments().iter().any(|word| word.dynamic),
            "ssh" => true,
            _ => false,
        };
        if POINTLESS.contains(&name) && !useful {
            hits.add(
                command.span(),
                format!("{name} does nothing that stays"),
                "take it out",
            );
        }
    }
}

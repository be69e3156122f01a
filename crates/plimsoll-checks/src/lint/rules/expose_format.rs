//! `expose-format`: more than a port.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `EXPOSE` names a port of the container; an address or a port of the host belongs to the command that
    /// runs it, and a port ends at 65535.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// EXPOSE 127.0.0.1:80:80
    /// # finding
    /// EXPOSE 80000
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// ARG PORT=8080
    /// EXPOSE 80 443/tcp 8000-8010 $PORT
    /// ```
    ///
    /// ## Remedy
    ///
    /// `EXPOSE 80`.
    id: "expose-format",
    summary: "EXPOSE names more than a port",
    severity: Low,
    aliases: ["ExposeInvalidFormat", "DL3011", "DS-0008"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, expose) in sheet.of(Keyword::Expose) {
        for word in expose.words() {
            let text = word.text.trim_matches(['"', '\'']);
            if text.contains('$') {
                continue;
            }
            let span = expose.source(&word.at);
            if text.contains(':') {
                let message = format!("{text} is more than a port of the container");
                hits.add(span, message, "the port of the container alone")
                    .aliases(&["ExposeInvalidFormat"]);
                continue;
            }
            let ports = text.split('/').next().unwrap_or_default();
            let high = ports
                .split('-')
                .any(|port| port.parse::<u32>().is_ok_and(|port| port > 65535));
            if high {
                let message = format!("{text} is no port: the last one is 65535");
                hits.add(span, message, "a port up to 65535")
                    .aliases(&["DL3011", "DS-0008"]);
            }
        }
    }
}

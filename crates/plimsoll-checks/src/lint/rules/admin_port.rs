//! `admin-port`: a door for administrators.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// One application per image: a port for remote logins or a management interface says that a second
    /// service is in the image, and opens a door that a container does not need: `kubectl exec` is there.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// EXPOSE 22 8080
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// EXPOSE 8080 2222
    /// ```
    ///
    /// ## Remedy
    ///
    /// Leave the port and its service out.
    id: "admin-port",
    summary: "EXPOSE of a port for administrators",
    severity: Medium,
    aliases: ["DS-0004", "CKV_DOCKER_1"],
    run: run,
}

/// Ports and what listens there.
const PORTS: [(u32, &str); 9] = [
    (22, "SSH"),
    (23, "telnet"),
    (512, "rexec"),
    (513, "rlogin"),
    (514, "rsh"),
    (2375, "the Docker engine"),
    (3389, "remote desktops"),
    (5900, "VNC"),
    (10250, "the kubelet"),
];

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, expose) in sheet.of(Keyword::Expose) {
        for word in expose.words() {
            let text = word.text.trim_matches(['"', '\'']);
            let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
            if !protocol.eq_ignore_ascii_case("tcp") {
                continue;
            }
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) else {
                continue;
            };
            if let Some((port, what)) = PORTS.iter().find(|(port, _)| (first..=last).contains(port))
            {
                hits.add(
                    expose.source(&word.at),
                    format!("port {port} is for {what}"),
                    "leave the port and its service out",
                );
            }
        }
    }
}

//! `remote-login`: servers by which people come into a container.

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// One application per image: a server for logins (SSH, telnet, VNC, a terminal in the browser)
    /// is a second application, a second way in, and keys and passwords to look after. Whoever may
    /// come in has the engine for it: `docker exec`, `kubectl exec`.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/sbin/sshd      0755 1300k   # finding
    /// /usr/local/bin/ttyd 0755 900k    # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Its settings, and the script that would start it.
    ///
    /// ```image
    /// /etc/ssh/sshd_config  0644 3k
    /// /etc/init.d/ssh       0755 "#!/bin/sh\n"
    /// ```
    ///
    /// ## Remedy
    ///
    /// Leave it out; look into a running container with `kubectl exec` or `kubectl debug`.
    id: "remote-login",
    practice: "one application per image",
    summary: "a server for logins is in the image",
    severity: High,
    development: Low,
    run: run,
}

/// What they are, and the names of their programs.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    ("an SSH server", &["dropbear", "sshd", "tinysshd"]),
    (
        "a telnet or rlogin server",
        &["in.rlogind", "in.rshd", "in.telnetd", "telnetd", "utelnetd"],
    ),
    (
        "a remote desktop",
        &["Xtigervnc", "Xvnc", "vncserver", "x11vnc", "xrdp"],
    ),
    (
        "a terminal in the browser",
        &["gotty", "shellinaboxd", "ttyd", "wetty"],
    ),
];

fn run(look: &Look, findings: &mut Findings) {
    for (family, names) in programs::by_family(look, FAMILIES, |name| name) {
        let (family, _) = FAMILIES[family];
        findings.add(
            format!("{family} lets people in: {}", programs::some(&names)),
            programs::evidence_of(&look.rootfs.tree, &names),
            "leave it out; docker exec and kubectl exec let people in who may",
        );
    }
}

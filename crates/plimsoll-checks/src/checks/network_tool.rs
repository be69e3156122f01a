//! `network-tool`: what fetches the next stage of an attack, or carries data away.

use plimsoll_model::{ImagePath, Subject};

use crate::check::check;
use crate::programs::{self, Program, Scripts};
use crate::{Findings, Look};

check! {
    /// Remove curl, wget and other network tools: an intruder uses them to fetch the next program,
    /// to look around in the network and to carry data away. The application has its own way to
    /// the network, if it needs one.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/curl          0755 280k                       # finding
    /// /usr/bin/nc.openbsd    0755 43k                        # finding
    /// /usr/bin/nc            -> /etc/alternatives/nc         # finding
    /// /etc/alternatives/nc   -> /usr/bin/nc.openbsd
    /// ```
    ///
    /// One that BusyBox plays:
    ///
    /// ```image
    /// /bin/busybox   0755 800k      # finding [shell]
    /// /usr/bin/wget  -> /bin/busybox  # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Libraries, which the application may use; files that only bear the name: the script that
    /// starts a service, apt's transports, settings.
    ///
    /// ```image
    /// /usr/lib/libcurl.so.4     0755 700k
    /// /etc/init.d/ssh           0755 "#!/bin/sh\n"
    /// /etc/ssh/                 dir 0755
    /// /usr/lib/apt/methods/ftp  0755 100k
    /// /etc/default/rsync        0644 1k
    /// ```
    ///
    /// ## Remedy
    ///
    /// Fetch files in a build stage of their own, or with `ADD --checksum=sha256:... URL`; for a
    /// health check let the application answer itself. `plimsoll slim IMAGE` leaves the tools
    /// ashore.
    id: "network-tool",
    practice: "remove curl, wget and other network tools",
    summary: "a tool that moves data over the network is in the image",
    severity: Medium,
    development: Info,
    run: run,
}

/// Families of tools: what they are good for, and their names.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    (
        "can fetch files",
        &[
            "aria2c", "axel", "curl", "curlie", "fetch", "httpie", "wcurl", "wget", "wget2", "xh",
        ],
    ),
    (
        "can fetch source code",
        &["bzr", "fossil", "git", "hg", "svn"],
    ),
    (
        "can copy files to other machines and back",
        &[
            "ftp", "ftpget", "ftpput", "lftp", "ncftp", "pftp", "rclone", "rcp", "rsync", "tftp",
            "tnftp",
        ],
    ),
    (
        "can open connections by hand",
        &[
            "inetutils-telnet",
            "nc",
            "nc.openbsd",
            "nc.traditional",
            "ncat",
            "netcat",
            "socat",
            "telnet",
            "telnet.netkit",
        ],
    ),
    (
        "can log in on other machines",
        &["dbclient", "mosh", "rlogin", "rsh", "scp", "sftp", "ssh"],
    ),
    (
        "can explore the network",
        &[
            "arp-scan",
            "arping",
            "dig",
            "drill",
            "fping",
            "host",
            "iperf",
            "iperf3",
            "kdig",
            "masscan",
            "mtr",
            "nmap",
            "nping",
            "nslookup",
            "ping",
            "ping4",
            "ping6",
            "tcpdump",
            "tracepath",
            "traceroute",
            "tshark",
            "whois",
        ],
    ),
    ("can browse the web", &["elinks", "links", "lynx", "w3m"]),
];

/// From so many names on, a program has names that nobody types.
const MANY: usize = 20;

fn run(subject: &Look, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    for program in find(subject) {
        let (purpose, _) = FAMILIES[program.group];
        let evidence = program.names.iter();
        let evidence = evidence.map(|name| programs::evidence(tree, name));
        findings.add(
            format!("{} {purpose}", programs::some(&program.names)),
            evidence.collect(),
            "plimsoll slim IMAGE",
        );
    }
}

/// The names under which a network tool can be started.
pub(crate) fn names(subject: &Subject) -> Vec<ImagePath> {
    programs::names(find(subject))
}

fn find(subject: &Subject) -> Vec<Program> {
    let mut programs = programs::find(subject, Scripts::InProgramDirectories, |_, name| {
        programs::family(FAMILIES, name)
    });
    // git is a hundred names of one file, and only those people can type make it a tool.
    for program in &mut programs {
        if program.names.len() > MANY {
            program.names.retain(|name| {
                let directory = name.parent();
                directory.is_some_and(|path| matches!(path.file_name(), b"bin" | b"sbin"))
            });
        }
    }
    programs.retain(|program| !program.names.is_empty());
    programs
}

//! `unverified-download`: what was fetched while nobody looked whether it is the right thing.

use crate::check::check;
use crate::history::{self, commands, instructions};
use crate::{Findings, Look};

check! {
    /// Verify what is fetched: a script from the network that is run as it comes, a package whose
    /// signature nobody checks, a connection whose certificate nobody looks at: whoever stands in
    /// between, or gets into that server, is in every image built from then on. (CIS Docker
    /// Benchmark 4.11.)
    ///
    /// ## Example
    ///
    /// ```image
    /// HISTORY RUN curl -fsSL https://get.example/install.sh | sh       # finding
    /// HISTORY RUN apt-get install -y --allow-unauthenticated tool      # finding
    /// HISTORY RUN pip install --trusted-host mirror.example tool       # finding
    /// HISTORY RUN wget --no-check-certificate https://x.example/a.tgz  # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A download that is held against a checksum or a signature, and a pipe to something that
    /// runs nothing.
    ///
    /// ```image
    /// HISTORY RUN curl -fsSLO https://x.example/a.tgz && echo "$SUM  a.tgz" | sha256sum -c - && tar xf a.tgz
    /// HISTORY RUN curl -fsSL https://x.example/a.tgz | tar xz
    /// HISTORY RUN apt-get install -y curl
    /// ```
    ///
    /// ## Remedy
    ///
    /// `ADD --checksum=sha256:... URL FILE`, or a checksum held against the file before it is used;
    /// take out the switches that turn checking off.
    id: "unverified-download",
    practice: "verify what is fetched",
    summary: "something was fetched without being verified",
    severity: Medium,
    run: run,
}

/// The program, the switch that turns checking off, and what it does.
const SWITCHES: &[(&[&str], &[&str], &str)] = &[
    (
        &["apt", "apt-get"],
        &[
            "--allow-unauthenticated",
            "--allow-insecure-repositories",
            "--force-yes",
            "[trusted=yes]",
        ],
        "installs packages nobody signed",
    ),
    (
        &["apk"],
        &["--allow-untrusted"],
        "installs packages nobody signed",
    ),
    (
        &["dnf", "microdnf", "rpm", "tdnf", "yum", "zypper"],
        &[
            "--nogpgcheck",
            "--no-gpg-checks",
            "--nosignature",
            "--nogpg",
        ],
        "installs packages nobody signed",
    ),
    (&["curl"], &["-k", "--insecure"], "takes any certificate"),
    (
        &["wget"],
        &["--no-check-certificate"],
        "takes any certificate",
    ),
    (
        &["pip", "pip3"],
        &["--trusted-host"],
        "takes any certificate",
    ),
];

const SHELLS: &[&str] = &[
    "ash", "bash", "dash", "perl", "python", "python3", "ruby", "sh", "zsh",
];

fn run(look: &Look, findings: &mut Findings) {
    for instruction in instructions(look) {
        let why = switched_off(&instruction).or_else(|| piped(&instruction));
        if let Some(why) = why {
            let shown = history::short(&instruction);
            findings.add(
                format!("`{shown}` {why}"),
                vec![history::evidence(&instruction)],
                "ADD --checksum=sha256:... URL FILE, or sha256sum -c before it is used",
            );
        }
    }
}

fn switched_off(instruction: &str) -> Option<&'static str> {
    commands(instruction).find_map(|words| {
        let row = SWITCHES.iter().find(|(programs, switches, _)| {
            let named = words.iter().any(|word| {
                let name = word.rsplit('/').next().unwrap_or(word);
                programs.contains(&name)
            });
            named
                && words.iter().any(|word| {
                    switches.iter().any(|switch| {
                        word == switch
                            || word
                                .strip_prefix(switch)
                                .is_some_and(|rest| rest.starts_with('='))
                    })
                })
        });
        row.map(|(.., why)| *why)
    })
}

/// `curl ... | sh`, `sh -c "$(curl ...)"`, `bash <(curl ...)`.
fn piped(instruction: &str) -> Option<&'static str> {
    let body = instruction.strip_prefix("RUN ")?;
    // `||` is no pipe.
    let body = body.replace("||", ";");
    let is_fetch = |text: &str| {
        let mut words = text.split([' ', '(', '"', '\'', '`', '<']);
        words.any(|word| matches!(word, "curl" | "wget"))
    };
    let pipes = body.split(['&', ';', '\n']).any(|line| {
        let mut parts = line.split('|');
        let fetches = parts.next().is_some_and(is_fetch);
        fetches
            && parts.any(|part| {
                let mut words = part.split_whitespace();
                let words = words
                    .by_ref()
                    .skip_while(|word| matches!(*word, "sudo" | "env" | "-E"));
                let first = words.take(1).next().unwrap_or_default();
                SHELLS.contains(&first.rsplit('/').next().unwrap_or(first))
            })
    });
    let inside = ["$(curl", "$(wget", "<(curl", "<(wget", "`curl", "`wget"];
    let substituted = SHELLS.iter().any(|shell| {
        ["-c \"", "-c '", ""].iter().any(|flag| {
            inside
                .iter()
                .any(|fetch| body.contains(&format!("{shell} {flag}{fetch}")))
        })
    });
    (pipes || substituted).then_some("runs a script as it comes from the network")
}

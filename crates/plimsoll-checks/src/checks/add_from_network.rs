//! `add-from-network`: `ADD` of what lies somewhere else today.

use crate::check::check;
use crate::history::{self, instructions};
use crate::{Findings, Look};

check! {
    /// Verify what is fetched: `ADD URL` takes whatever the server has at that moment. Without a
    /// checksum nobody notices that it is another file, and the layer keeps an archive nobody
    /// unpacks. (CIS Docker Benchmark 4.9; `COPY` is right for files of one's own.)
    ///
    /// ## Example
    ///
    /// ```image
    /// HISTORY ADD https://x.example/tool.tgz /opt/     # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The root file system of a base, which builders add from an archive of their own, and files
    /// that are copied.
    ///
    /// ```image
    /// HISTORY ADD rootfs.tar.xz / # buildkit
    /// HISTORY COPY https.conf /etc/app/
    /// ```
    ///
    /// ## Remedy
    ///
    /// `ADD --checksum=sha256:... URL FILE`, in a build stage, and `COPY --from` it what is needed.
    /// The history does not show whether a checksum was given: where it was, waive this.
    id: "add-from-network",
    practice: "verify what is fetched",
    summary: "a file was added from the network",
    severity: Low,
    run: run,
}

fn run(look: &Look, findings: &mut Findings) {
    for instruction in instructions(look) {
        let Some(words) = instruction.strip_prefix("ADD ") else {
            continue;
        };
        let mut words = words.split_whitespace();
        let remote = words.find(|word| {
            ["http://", "https://", "git@", "ssh://", "git://"]
                .iter()
                .any(|scheme| word.starts_with(scheme))
        });
        if remote.is_some() && !instruction.contains("--checksum=") {
            let shown = history::short(&instruction);
            findings.add(
                format!("`{shown}` takes what the server has at that moment"),
                vec![history::evidence(&instruction)],
                "ADD --checksum=sha256:... URL FILE, in a build stage",
            );
        }
    }
}

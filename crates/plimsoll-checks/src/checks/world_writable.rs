//! `world-writable`: what every user in the container may change.

use plimsoll_model::{ImagePath, Kind};

use crate::check::check;
use crate::heaps::Heaps;
use crate::{Findings, Look};

check! {
    /// Run as a user of its own: that user's limits are worth nothing where everybody may write. A
    /// program or a setting that anybody may change is changed by whoever gets in first, and runs
    /// with the rights of whoever uses it next.
    ///
    /// ## Example
    ///
    /// ```image
    /// /srv/             dir 0777            # finding
    /// /srv/settings.py  0666 1k
    /// /etc/app.conf     0646 1k             # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Directories with the sticky bit, in which everybody changes what is his own; links, whose
    /// mode means nothing; devices and pipes.
    ///
    /// ```image
    /// /var/tmp/      dir 01777
    /// /srv/link      -> /app
    /// /dev/null      char 1 3
    /// /srv/group     0660 1k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `COPY --chown=65532:65532 --chmod=0755`, or `chmod o-w` in the `RUN` that writes them; in a
    /// later `RUN` every file is stored a second time.
    id: "world-writable",
    practice: "run as a user of its own",
    summary: "files or directories that every user may change",
    severity: Medium,
    run: run,
}

const WRITABLE: u32 = 0o002;
const STICKY: u32 = 0o1000;

fn run(look: &Look, findings: &mut Findings) {
    let mut heaps = Heaps::default();
    let mut count = 0;
    // A directory tells of what lies in it.
    let mut inside: Option<ImagePath> = None;
    for (path, node) in look.rootfs.tree.iter() {
        let open = match node.kind {
            Kind::Dir => node.meta.mode & WRITABLE != 0 && node.meta.mode & STICKY == 0,
            Kind::File { .. } => node.meta.mode & WRITABLE != 0,
            _ => false,
        };
        if !open {
            continue;
        }
        count += 1;
        match &inside {
            Some(directory) if path.starts_with(directory) => heaps.add(directory.clone(), node),
            _ => {
                if node.is_dir() {
                    inside = Some(path.clone());
                }
                heaps.add(path.clone(), node);
            }
        }
    }
    if heaps.is_empty() {
        return;
    }
    let are = match count {
        1 => "1 path is".to_owned(),
        many => format!("{many} paths are"),
    };
    findings.add(
        format!("{are} open to every user for writing"),
        heaps.evidence(),
        "COPY --chown=65532:65532 --chmod=0755, or chmod o-w in the RUN that writes them",
    );
}

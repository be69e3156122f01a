//! `editor`: what changes files by hand, where no file should be changed.

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Remove editors: nobody edits files in a container that is replaced when it changes. An
    /// editor can start a shell, too, which makes a shell that was removed come back.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/vim.tiny         0755 1600k                     # finding
    /// /usr/bin/vi               -> /etc/alternatives/vi        # finding
    /// /etc/alternatives/vi      -> /usr/bin/vim.tiny
    /// /usr/bin/nano             0755 280k                      # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Their settings, and editors by stream, which scripts are written with.
    ///
    /// ```image
    /// /etc/vim/vimrc   0644 1k
    /// /usr/bin/sed     0755 120k
    /// ```
    ///
    /// ## Remedy
    ///
    /// Leave it out of the `RUN` that installs; `plimsoll slim IMAGE` leaves it ashore.
    id: "editor",
    practice: "remove editors",
    summary: "a text editor is in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// What they are, and the names of their programs.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    (
        "vi and its kin",
        &[
            "elvis",
            "ex",
            "gvim",
            "helix",
            "hx",
            "nvi",
            "nvim",
            "rview",
            "rvim",
            "vi",
            "view",
            "vim",
            "vim.basic",
            "vim.nox",
            "vim.tiny",
            "vimdiff",
        ],
    ),
    (
        "other editors",
        &[
            "ed", "emacs", "jed", "joe", "kak", "mcedit", "mg", "micro", "nano", "ne", "pico",
            "red", "tilde", "zile",
        ],
    ),
];

fn run(look: &Look, findings: &mut Findings) {
    for (family, names) in programs::by_family(look, FAMILIES, |name| name) {
        let (family, _) = FAMILIES[family];
        findings.add(
            format!("{family}: {}", programs::some(&names)),
            programs::evidence_of(&look.rootfs.tree, &names),
            "plimsoll slim IMAGE, or leave it out of the RUN that installs",
        );
    }
}

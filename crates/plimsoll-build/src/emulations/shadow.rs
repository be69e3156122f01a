//! Shadow passwords and Debian's master accounts.

use super::emulation;
use crate::accounts;
use crate::shell::{Shell, Stop};

emulation! {
    /// Passwords lie in files that only root and the group `shadow` read.
    ///
    /// `shadowconfig on`, `pwconv` and `grpconv` move them there: every account gets a line in
    /// `/etc/shadow` and `/etc/gshadow` (mode 0640, group `shadow`), its day of change being the
    /// image's own date. The backups (`passwd-`, `shadow-`) that the programs leave are not made.
    /// `update-passwd` does nothing on a first installation: the accounts are the masters' already.
    /// `chpasswd`, `passwd` and `chage` are reported: an image should hold no password.
    id: "shadow",
    commands: &["chage", "chpasswd", "grpconv", "passwd", "pwconv", "shadowconfig", "update-passwd"],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    match words[0].rsplit('/').next().unwrap_or_default() {
        "update-passwd" => Ok(0),
        "chage" | "chpasswd" | "passwd" => {
            shell.report(format!("`{}` is not emulated", words.join(" ")));
            Ok(0)
        }
        _ => {
            let made = accounts::make_shadow(shell.stage);
            made.map(|()| 0)
                .map_err(|error| shell.stop(error.to_string()))
        }
    }
}

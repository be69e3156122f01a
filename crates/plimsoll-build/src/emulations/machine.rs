//! Questions about the machine, and programs that have no meaning while an image is made.

use super::emulation;
use crate::shell::{Shell, Stop};

emulation! {
    /// An image is made for no machine in particular, so questions about one get the same answers
    /// everywhere.
    ///
    /// `uname` answers `Linux`, the image's architecture and a kernel of version 6.1; `id` and
    /// `whoami` root; `hostname` `localhost`; `date` the image's own date. `mountpoint`, `ischroot`,
    /// `pidof`, `pgrep`, `who`, `runlevel` say no. `logger`, `killall`, `kill`, `restorecon`,
    /// `nscd`, `sysctl`, `udevadm`, `modprobe`, `setterm`, `stty`, `mandb`, `update-menus`,
    /// `update-icon-caches` and `gtk-update-icon-cache` do nothing.
    id: "machine",
    commands: &[
        "arch", "date", "gtk-update-icon-cache", "hostname", "id", "ischroot", "kill", "killall",
        "logger", "mandb", "modprobe", "mountpoint", "nscd", "pgrep", "pidof", "pkill",
        "restorecon", "runlevel", "setterm", "stty", "sysctl", "udevadm", "uname",
        "update-icon-caches", "update-menus", "who", "whoami",
    ],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let has = |option: &str| words.iter().any(|word| word == option);
    let machine = match shell.world.architecture.as_str() {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "armhf" => "armv7l",
        "ppc64el" => "ppc64le",
        other => other,
    }
    .to_owned();
    let text = match words[0].rsplit('/').next().unwrap_or_default() {
        "uname" if has("-m") || has("-p") || has("-i") => machine,
        "uname" if has("-r") => "6.1.0".to_owned(),
        "uname" if has("-n") => "localhost".to_owned(),
        "uname" if has("-v") => "#1".to_owned(),
        "uname" => "Linux".to_owned(),
        "arch" => machine,
        "whoami" => "root".to_owned(),
        "hostname" => "localhost".to_owned(),
        "id" if has("-un") || has("-gn") => "root".to_owned(),
        "id" => match words[1..].iter().find(|word| !word.starts_with('-')) {
            Some(name) => match crate::accounts::user(shell.stage, name) {
                Some(uid) if has("-u") => uid.to_string(),
                Some(_) if has("-g") => {
                    let gid = crate::accounts::main_group(shell.stage, name);
                    gid.unwrap_or_default().to_string()
                }
                Some(uid) => format!("uid={uid}({name})"),
                None => return Ok(1),
            },
            None => "0".to_owned(),
        },
        "date" => shell.stage.time.to_string(),
        "ischroot" => return Ok(0),
        "mountpoint" | "pgrep" | "pidof" | "pkill" | "runlevel" | "who" => return Ok(1),
        _ => return Ok(0),
    };
    shell.print(format!("{text}\n").as_bytes());
    Ok(0)
}

//! Services: there is no init in an image.

use super::emulation;
use crate::shell::{Shell, Stop};

emulation! {
    /// A container starts one program, not an init system: nothing is enabled, started, stopped or
    /// reloaded while an image is made.
    ///
    /// `systemctl`, `deb-systemd-helper`, `deb-systemd-invoke`, `invoke-rc.d`, `update-rc.d`,
    /// `service`, `start-stop-daemon` and `telinit` do nothing. What `deb-systemd-helper enable` and
    /// `update-rc.d` would link below `/etc/systemd/system` and `/etc/rc?.d` is therefore not there.
    /// `deb-systemd-helper was-enabled` says yes, `debian-installed` and `systemctl is-active` no.
    id: "services",
    commands: &[
        "deb-systemd-helper", "deb-systemd-invoke", "initctl", "invoke-rc.d", "rc-update",
        "service", "start-stop-daemon", "systemctl", "telinit", "update-rc.d",
    ],
    scripts: &[],
    run: run,
}

fn run(_shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let asks = [
        "debian-installed",
        "is-active",
        "is-enabled",
        "is-system-running",
        "status",
    ];
    Ok(i32::from(
        words.iter().any(|word| asks.contains(&word.as_str())),
    ))
}

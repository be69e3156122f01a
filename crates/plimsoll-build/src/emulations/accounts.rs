//! Users and groups: `adduser`, `useradd` and their kin, `getent`.

use super::{Options, emulation};
use crate::accounts::{self, NewUser};
use crate::shell::{Shell, Stop};

emulation! {
    /// Packages make the users their services run as when they are installed.
    ///
    /// `adduser --system`, `addgroup --system`, `useradd`, `groupadd`, `usermod -aG`, `adduser USER
    /// GROUP`, `deluser`, `delgroup`, `userdel`, `groupdel`, `gpasswd -a` and `getent passwd|group`
    /// work on `/etc/passwd`, `/etc/group` and, where they are there, the shadow files. Numbers are
    /// chosen as `adduser.conf(5)` says: the first of 100 to 999 that neither a user nor a group
    /// has, counted upwards; for `useradd -r` and `groupadd -r` downwards (`login.defs(5)`).
    /// A home directory is made unless the call forbids it. Other changes of `usermod` are reported.
    id: "accounts",
    commands: &[
        "addgroup", "adduser", "delgroup", "deluser", "getent", "gpasswd", "groupadd", "groupdel",
        "groupmod", "useradd", "userdel", "usermod",
    ],
    scripts: &[],
    run: run,
}

const VALUED: &[&str] = &[
    "home", "shell", "uid", "gid", "ingroup", "gecos", "comment", "firstuid", "lastuid",
    "firstgid", "lastgid", "conf", "home-dir", "groups", "add", "b", "c", "d", "g", "G", "k", "K",
    "s", "u", "a",
];

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let options = Options::new(&words[1..], VALUED);
    let command = words[0].rsplit('/').next().unwrap_or_default();
    let result = match command {
        "getent" => return Ok(getent(shell, &options)),
        // `adduser --group` alone makes a group; with `--system` a user that has one.
        "adduser" | "addgroup"
            if command == "addgroup" || (options.has(&["group"]) && !is_system(&options)) =>
        {
            match options.operands[..] {
                [user, group] => join(shell, user, group),
                _ => add_group(shell, &options),
            }
        }
        "adduser" => match options.operands[..] {
            [user, group] => join(shell, user, group),
            _ => add_user(shell, &options, true),
        },
        "useradd" => add_user(shell, &options, false),
        "groupadd" => add_group(shell, &options),
        "usermod" => return user_mod(shell, &words[1..]),
        "gpasswd" => {
            let user = options.value(&["a", "add"]).unwrap_or_default();
            let group = options.operands.first().copied().unwrap_or_default();
            join(shell, user, group)
        }
        "deluser" | "userdel" if options.operands.len() == 1 => {
            accounts::remove(shell.stage, options.operands[0], false)
                .map(|found| if found || command == "deluser" { 0 } else { 6 })
        }
        "delgroup" | "groupdel" if options.operands.len() == 1 => {
            accounts::remove(shell.stage, options.operands[0], true)
                .map(|found| if found || command == "delgroup" { 0 } else { 6 })
        }
        _ => {
            shell.report(format!("`{}` is not emulated", words.join(" ")));
            Ok(0)
        }
    };
    result.map_err(|error| shell.stop(error.to_string()))
}

fn getent(shell: &mut Shell<'_>, options: &Options<'_>) -> i32 {
    let Some((&database, keys)) = options.operands.split_first() else {
        return 1;
    };
    if !matches!(database, "passwd" | "group" | "shadow" | "gshadow") {
        shell.report(format!("`getent {database}` is not emulated"));
        return 2;
    }
    if keys.is_empty() {
        let text = shell
            .stage
            .read(&format!("/etc/{database}").as_str().into());
        shell.print(&text.unwrap_or_default());
        return 0;
    }
    let mut status = 0;
    for key in keys {
        match accounts::entry(shell.stage, database, key) {
            Some(line) => shell.print(format!("{line}\n").as_bytes()),
            None => status = 2,
        }
    }
    status
}

fn join(shell: &mut Shell<'_>, user: &str, group: &str) -> std::io::Result<i32> {
    let found = accounts::join(shell.stage, user, group)?;
    Ok(i32::from(!found))
}

fn is_system(options: &Options<'_>) -> bool {
    options.has(&["system", "r"])
}

/// `adduser` counts upwards, `useradd -r` downwards.
fn choose(shell: &Shell<'_>, options: &Options<'_>, upwards: bool) -> u32 {
    let range = if is_system(options) {
        100..=999
    } else {
        1000..=59_999
    };
    accounts::free(shell.stage, range, upwards || !is_system(options)).unwrap_or(65_533)
}

fn add_group(shell: &mut Shell<'_>, options: &Options<'_>) -> std::io::Result<i32> {
    let Some(name) = options.operands.first() else {
        return Ok(1);
    };
    if accounts::entry(shell.stage, "group", name).is_some() {
        // `addgroup --system` and `groupadd -f` are content; `groupadd` says 9.
        let content = options.has(&["system", "f", "force"]) || !options.has(&["r"]);
        return Ok(if content { 0 } else { 9 });
    }
    let given = options
        .value(&["gid", "g"])
        .and_then(|text| text.parse().ok());
    let gid = given.unwrap_or_else(|| choose(shell, options, !options.has(&["r"])));
    accounts::add_group(shell.stage, name, gid)?;
    Ok(0)
}

fn add_user(shell: &mut Shell<'_>, options: &Options<'_>, friendly: bool) -> std::io::Result<i32> {
    let Some(&name) = options.operands.first() else {
        return Ok(1);
    };
    if accounts::entry(shell.stage, "passwd", name).is_some() {
        return Ok(if friendly { 0 } else { 9 });
    }
    let given = options
        .value(&["uid", "u"])
        .and_then(|text| text.parse().ok());
    let uid = given.unwrap_or_else(|| choose(shell, options, friendly));
    let wanted = options.value(&["ingroup", "gid", "g"]);
    let own_group = match friendly {
        true => wanted.is_none() && (options.has(&["group"]) || !is_system(options)),
        false => wanted.is_none() && !options.has(&["N", "no-user-group"]),
    };
    let gid = match wanted {
        Some(group) => accounts::group(shell.stage, group).unwrap_or(65_534),
        None if own_group => match accounts::group(shell.stage, name) {
            Some(gid) if name.parse::<u32>().is_err() => gid,
            _ => {
                accounts::add_group(shell.stage, name, uid)?;
                uid
            }
        },
        None => 65_534,
    };
    let no_home = ["/nonexistent", "/home"];
    let default_home = match (friendly && is_system(options), friendly) {
        (true, _) => no_home[0].to_owned(),
        _ => format!("{}/{name}", no_home[1]),
    };
    let home = options
        .value(&["home", "home-dir", "d"])
        .unwrap_or(&default_home);
    let default_shell = match is_system(options) {
        true if friendly => "/usr/sbin/nologin",
        true => "/bin/sh",
        false => "/bin/bash",
    };
    let user = NewUser {
        name: name.to_owned(),
        uid: Some(uid),
        gid,
        comment: options
            .value(&["gecos", "comment", "c"])
            .unwrap_or_default()
            .to_owned(),
        home: home.to_owned(),
        shell: options
            .value(&["shell", "s"])
            .unwrap_or(default_shell)
            .to_owned(),
    };
    accounts::add_user(shell.stage, &user, user.uid.unwrap_or(uid))?;
    for group in options
        .value(&["groups", "G"])
        .unwrap_or_default()
        .split(',')
    {
        accounts::join(shell.stage, name, group)?;
    }
    let wants_home = match friendly {
        true => !options.has(&["no-create-home"]) && home != no_home[0],
        false => options.has(&["m", "create-home"]),
    };
    let path = home.into();
    if wants_home && shell.stage.node(&path).is_none() {
        let mode = if is_system(options) { 0o755 } else { 0o700 };
        shell.stage.make_dir(&path, mode)?;
        shell
            .stage
            .change(&path, true, |meta| (meta.uid, meta.gid) = (uid, gid))?;
    }
    Ok(0)
}

fn user_mod(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    // `-a` stands alone here, and only adds to groups.
    let options = Options::new(words, &["G", "groups"]);
    let user = options
        .operands
        .last()
        .copied()
        .unwrap_or_default()
        .to_owned();
    if !options.others(&["a", "append", "G", "groups"]).is_empty() {
        shell.report(format!("`usermod {}` is not emulated", words.join(" ")));
        return Ok(0);
    }
    let groups = options.value(&["G", "groups"]).unwrap_or_default();
    for group in groups.split(',').filter(|group| !group.is_empty()) {
        let joined = accounts::join(shell.stage, &user, group);
        joined.map_err(|error| shell.stop(error.to_string()))?;
    }
    Ok(0)
}

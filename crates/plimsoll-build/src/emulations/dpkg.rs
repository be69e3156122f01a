//! dpkg's own tools as maintainer scripts use them.

use std::cmp::Ordering;

use plimsoll_model::ImagePath;
use plimsoll_packages::version::deb;

use super::{Options, emulation};
use crate::shell::{Shell, Stop};
use crate::world::Diversion;

emulation! {
    /// Scripts ask dpkg what is installed, and tell it what to leave to whom.
    ///
    /// `dpkg --compare-versions`, `--print-architecture`, `-s`, `-l`, `-L` and `dpkg-query -W`, `-s`,
    /// `-l`, `-L` answer from the packages of the image. `dpkg-divert` keeps the list of diversions
    /// (`/var/lib/dpkg/diversions`) and moves the file where it is told to. `dpkg-statoverride --add`
    /// keeps its list and changes owner and mode. `dpkg-trigger` notes the trigger.
    /// `dpkg-maintscript-helper` has nothing to do on a first installation, and does nothing.
    /// `dpkg-realpath` prints where a path leads. `py3compile` and `pycompile` do nothing:
    /// Python compiles what it imports, and the compiled files would only be a cache.
    id: "dpkg",
    commands: &[
        "dpkg", "dpkg-divert", "dpkg-maintscript-helper", "dpkg-query", "dpkg-realpath",
        "dpkg-statoverride", "dpkg-trigger", "dpkg-vendor", "py3clean", "py3compile", "pyclean",
        "pycompile",
    ],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let rest = &words[1..];
    match words[0].rsplit('/').next().unwrap_or_default() {
        "dpkg" => dpkg(shell, rest),
        "dpkg-query" => query(shell, rest),
        "dpkg-divert" => divert(shell, rest),
        "dpkg-statoverride" => override_mode(shell, rest),
        "dpkg-trigger" => {
            let options = Options::new(rest, &["admindir", "by-package"]);
            if options.has(&["check-supported"]) {
                return Ok(0);
            }
            let names = options.operands.iter().map(|&name| name.to_owned());
            shell.world.triggers.extend(names);
            Ok(0)
        }
        "dpkg-realpath" => {
            let options = Options::new(rest, &["instdir", "root"]);
            let path = shell.path(options.operands.first().copied().unwrap_or_default());
            let real = shell.stage.real(&path).unwrap_or(path);
            shell.print(format!("{real}\n").as_bytes());
            Ok(0)
        }
        "dpkg-vendor" => {
            let text = shell.stage.read_text(&"/etc/dpkg/origins/default".into());
            let vendor = text.lines().find_map(|line| line.strip_prefix("Vendor:"));
            let vendor = vendor.unwrap_or("Debian").trim().to_owned();
            let options = Options::new(rest, &["is", "derives-from", "query"]);
            match options.value(&["is", "derives-from"]) {
                Some(name) => Ok(i32::from(!name.eq_ignore_ascii_case(&vendor))),
                None => {
                    shell.print(format!("{vendor}\n").as_bytes());
                    Ok(0)
                }
            }
        }
        _ => Ok(0),
    }
}

fn dpkg(shell: &mut Shell<'_>, rest: &[String]) -> Result<i32, Stop> {
    let words: Vec<&str> = rest
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "--")
        .collect();
    match words[..] {
        ["--compare-versions", left, operator, right] => {
            Ok(i32::from(!compare(left, operator, right)))
        }
        // An empty first version may vanish when it is not quoted.
        ["--compare-versions", operator, right] => Ok(i32::from(!compare("", operator, right))),
        ["--print-architecture"] => {
            let line = format!("{}\n", shell.world.architecture);
            shell.print(line.as_bytes());
            Ok(0)
        }
        [assertion] if assertion.starts_with("--assert-") => Ok(0),
        [
            "-s" | "--status" | "-l" | "--list" | "-L" | "--listfiles" | "-S" | "--search",
            ..,
        ] => query(shell, rest),
        _ => {
            shell.report(format!("`dpkg {}` is not emulated", words.join(" ")));
            Ok(0)
        }
    }
}

/// `dpkg --compare-versions`: an empty version is earlier than any, except for the `-nl` forms, for
/// which it is later (`dpkg(1)`).
fn compare(left: &str, operator: &str, right: &str) -> bool {
    let (operator, empty_is_later) = match operator.strip_suffix("-nl") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let order = match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) if empty_is_later => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, true) if empty_is_later => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => deb::compare(left, right),
    };
    match operator {
        "lt" | "<<" => order.is_lt(),
        "le" | "<=" | "<" => order.is_le(),
        "eq" | "=" => order.is_eq(),
        "ne" => order.is_ne(),
        "ge" | ">=" | ">" => order.is_ge(),
        "gt" | ">>" => order.is_gt(),
        _ => false,
    }
}

fn query(shell: &mut Shell<'_>, rest: &[String]) -> Result<i32, Stop> {
    let options = Options::new(rest, &["f", "showformat", "admindir"]);
    if options.has(&["S", "search"]) {
        let mut status = 0;
        for name in &options.operands {
            let owners = shell.world.shipped.get(&ImagePath::new(name));
            let owners = owners.map(|owners| owners.join(", "));
            match owners {
                Some(owners) => shell.print(format!("{owners}: {name}\n").as_bytes()),
                None if name.starts_with('/') && !name.contains(['*', '?', '[']) => status = 1,
                None => {
                    shell.report(format!("`dpkg-query -S {name}` is not emulated"));
                    status = 1;
                }
            }
        }
        return Ok(status);
    }
    if options.has(&["L", "listfiles"]) {
        let mut text = String::new();
        for (path, owners) in &shell.world.shipped {
            let mut operands = options.operands.iter();
            if operands.any(|name| owners.iter().any(|owner| owner == name)) {
                text += &format!("{path}\n");
            }
        }
        shell.print(text.as_bytes());
        return Ok(i32::from(text.is_empty()));
    }
    if options.has(&["c", "control-path"]) {
        shell.report(format!("`dpkg-query {}` is not emulated", rest.join(" ")));
        return Ok(1);
    }
    let format = options
        .value(&["f", "showformat"])
        .unwrap_or("${Package}\t${Version}\n");
    let mut status = 0;
    for name in &options.operands {
        let bare = name.split(':').next().unwrap_or_default();
        let Some(package) = shell.world.packages.get(bare).cloned() else {
            status = 1;
            continue;
        };
        let state = if package.configured {
            "installed"
        } else {
            "unpacked"
        };
        let text = if options.has(&["s", "status"]) {
            format!(
                "Package: {bare}\nStatus: install ok {state}\nArchitecture: {}\nVersion: {}\n",
                package.architecture, package.version
            )
        } else if options.has(&["l", "list"]) {
            let letter = if package.configured { 'i' } else { 'U' };
            format!(
                "i{letter}  {bare}  {}  {}  -\n",
                package.version, package.architecture
            )
        } else {
            format
                .replace("${Package}", bare)
                .replace("${binary:Package}", bare)
                .replace("${Version}", &package.version)
                .replace("${Architecture}", &package.architecture)
                .replace("${Status}", &format!("install ok {state}"))
                .replace("${db:Status-Status}", state)
                .replace(
                    "${db:Status-Abbrev}",
                    if package.configured { "ii " } else { "iU " },
                )
                .replace("\\n", "\n")
                .replace("\\t", "\t")
        };
        shell.print(text.as_bytes());
    }
    Ok(status)
}

fn divert(shell: &mut Shell<'_>, rest: &[String]) -> Result<i32, Stop> {
    let options = Options::new(
        rest,
        &[
            "package",
            "divert",
            "admindir",
            "instdir",
            "root",
            "truename",
            "listpackage",
            "list",
        ],
    );
    let known =
        |shell: &Shell<'_>, name: &str| shell.world.diversions.get(&ImagePath::new(name)).cloned();
    if let Some(name) = options.value(&["truename"]) {
        let to = known(shell, name).map_or(ImagePath::new(name), |diversion| diversion.to);
        shell.print(format!("{to}\n").as_bytes());
        return Ok(0);
    }
    if let Some(name) = options.value(&["listpackage"]) {
        if let Some(diversion) = known(shell, name) {
            let package = match diversion.package.as_str() {
                "" => "LOCAL",
                package => package,
            };
            shell.print(format!("{package}\n").as_bytes());
        }
        return Ok(0);
    }
    if let Some(name) = options.value(&["list"]) {
        let mut status = 1;
        if let Some(diversion) = known(shell, name) {
            let by = match diversion.package.as_str() {
                "" => "local diversion of".to_owned(),
                package => format!("diversion of {name} by {package}:"),
            };
            shell.print(format!("{by} {name} to {}\n", diversion.to).as_bytes());
            status = 0;
        }
        return Ok(status);
    }
    let Some(&name) = options.operands.first() else {
        return Ok(2);
    };
    let from = ImagePath::new(name);
    let package = if options.has(&["local"]) {
        String::new()
    } else {
        let own = shell.package().to_owned();
        options.value(&["package"]).map_or(own, str::to_owned)
    };
    let renames = options.has(&["rename"]);
    let moved = if options.has(&["remove"]) {
        match shell.world.diversions.remove(&from) {
            Some(diversion) if renames && shell.stage.node_itself(&diversion.to).is_some() => {
                shell.stage.rename(&diversion.to, &from)
            }
            _ => Ok(()),
        }
    } else {
        let default = format!("{name}.distrib");
        let to = ImagePath::new(options.value(&["divert"]).unwrap_or(&default));
        let diversion = Diversion {
            to: to.clone(),
            package,
        };
        let new = shell
            .world
            .diversions
            .insert(from.clone(), diversion)
            .is_none();
        if new && renames && shell.stage.node_itself(&from).is_some() {
            shell.stage.rename(&from, &to)
        } else {
            Ok(())
        }
    };
    moved
        .map(|()| 0)
        .map_err(|error| shell.stop(error.to_string()))
}

fn override_mode(shell: &mut Shell<'_>, rest: &[String]) -> Result<i32, Stop> {
    let options = Options::new(rest, &["admindir", "instdir", "root"]);
    if options.has(&["list"]) {
        let wanted = options.operands.first().map(|name| ImagePath::new(*name));
        let mut text = String::new();
        for (path, (user, group, mode)) in &shell.world.overrides {
            if wanted.as_ref().is_none_or(|wanted| wanted == path) {
                text += &format!("{user} {group} {mode} {path}\n");
            }
        }
        shell.print(text.as_bytes());
        return Ok(i32::from(text.is_empty()));
    }
    if options.has(&["remove"]) {
        let name = options.operands.first().copied().unwrap_or_default();
        shell.world.overrides.remove(&ImagePath::new(name));
        return Ok(0);
    }
    let [user, group, mode, name] = options.operands[..] else {
        return Ok(2);
    };
    let path = ImagePath::new(name);
    let facts = (user.to_owned(), group.to_owned(), mode.to_owned());
    shell.world.overrides.insert(path.clone(), facts);
    if options.has(&["update"]) && shell.stage.node(&path).is_some() {
        let uid = crate::accounts::user(shell.stage, user.trim_start_matches('#'));
        let gid = crate::accounts::group(shell.stage, group.trim_start_matches('#'));
        let mode = u32::from_str_radix(mode, 8).ok();
        let changed = shell.stage.change(&path, false, |meta| {
            meta.uid = uid.unwrap_or(meta.uid);
            meta.gid = gid.unwrap_or(meta.gid);
            meta.mode = mode.unwrap_or(meta.mode) & 0o7777;
        });
        changed.map_err(|error| shell.stop(error.to_string()))?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_version_is_earlier_or_with_nl_later() {
        assert!(compare("", "lt", "1.0"));
        assert!(!compare("", "lt-nl", "1.0"));
        assert!(compare("1.0~rc1", "lt", "1.0"));
        assert!(compare("1.0", "ge-nl", "1.0"));
        assert!(!compare("", "le-nl", "2"));
    }
}

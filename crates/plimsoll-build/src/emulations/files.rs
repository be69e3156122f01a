//! Files: `cp`, `mv`, `mkdir`, `chown` and what else of coreutils handles paths.

mod modes;

use plimsoll_model::{ImagePath, Kind, Metadata};

use super::{Options, emulation};
use crate::accounts;
use crate::shell::{Shell, Stop};
pub(super) use modes::{change_mode, owner};
use modes::{chmod, chown};

emulation! {
    /// Scripts make, move, link and remove files, and give them owners and modes.
    ///
    /// `cp`, `mv`, `rm`, `rmdir`, `mkdir`, `ln`, `touch`, `chmod`, `chown`, `chgrp`, `install`,
    /// `mktemp`, `tempfile` and `cmp` do to the tree in memory what they would do to a disk;
    /// `readlink`, `realpath`, `basename`, `dirname`, `stat -c`, `ls` and `find -name` (without
    /// actions) answer from it. Times are the image's own date, so that a build gives the same bytes
    /// every time. Options that are not known are reported.
    id: "files",
    commands: &[
        "basename", "chgrp", "chmod", "chown", "cmp", "cp", "dirname", "find", "install", "ln",
        "ls", "mkdir", "mktemp", "mv", "readlink", "realpath", "rm", "rmdir", "stat", "tempfile",
        "touch",
    ],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let valued: &[&str] = match words[0].rsplit('/').next().unwrap_or_default() {
        "install" => &[
            "m",
            "o",
            "g",
            "mode",
            "owner",
            "group",
            "t",
            "target-directory",
        ],
        "mkdir" => &["m", "mode"],
        "stat" => &["c", "format", "printf"],
        "cp" | "mv" | "ln" => &["t", "target-directory", "S", "suffix"],
        "mktemp" => &["p", "tmpdir"],
        "tempfile" => &["p", "s", "d", "m", "prefix", "suffix", "directory", "mode"],
        "touch" => &["r", "d", "t", "date"],
        _ => &[],
    };
    let name = words[0].rsplit('/').next().unwrap_or_default();
    // `chmod -x` and `find -name` have words of their own that begin with a dash.
    if matches!(name, "find" | "chmod") {
        let done = if name == "find" {
            find(shell, &words[1..])
        } else {
            chmod(shell, &words[1..])
        };
        return Ok(done.unwrap_or(1));
    }
    let options = Options::new(&words[1..], valued);
    let result = match name {
        "basename" | "dirname" => Ok(names(shell, name, &options)),
        "chown" | "chgrp" => chown(shell, name == "chgrp", &options),
        "cmp" => Ok(compare(shell, &options)),
        "cp" => copy_all(shell, &options),
        "install" => install(shell, &options),
        "ln" => link(shell, &options),
        "ls" => Ok(list(shell, &options)),
        "mkdir" => make_dirs(shell, &options),
        "mktemp" | "tempfile" => temporary(shell, &options),
        "mv" => rename(shell, &options),
        "readlink" | "realpath" => Ok(read_link(shell, name == "realpath", &options)),
        "rm" | "rmdir" => Ok(remove(shell, name == "rmdir", &options)),
        "stat" => Ok(stat(shell, &options)),
        _ => touch(shell, &options),
    };
    // A path that is not what the program needs: it would complain and answer 1. What the spool has
    // to say is kept by the stage.
    Ok(result.unwrap_or(1))
}

fn names(shell: &mut Shell<'_>, command: &str, options: &Options<'_>) -> i32 {
    let text = options.operands.first().copied().unwrap_or_default();
    let trimmed = text.trim_end_matches('/');
    let (directory, base) = match trimmed.rsplit_once('/') {
        Some(("", base)) => ("/", base),
        Some((directory, base)) => (directory, base),
        None => (".", trimmed),
    };
    let answer = if command == "dirname" {
        directory
    } else {
        let suffix = options.operands.get(1).copied().unwrap_or_default();
        base.strip_suffix(suffix)
            .filter(|rest| !rest.is_empty())
            .unwrap_or(base)
    };
    shell.print(format!("{answer}\n").as_bytes());
    0
}

fn compare(shell: &Shell<'_>, options: &Options<'_>) -> i32 {
    let [left, right] = options.operands[..] else {
        return 2;
    };
    match (
        shell.stage.read(&shell.path(left)),
        shell.stage.read(&shell.path(right)),
    ) {
        (Ok(left), Ok(right)) => i32::from(left != right),
        _ => 2,
    }
}

/// Sources and where each goes: into a directory, or to the name itself.
fn targets(shell: &Shell<'_>, options: &Options<'_>) -> Option<Vec<(ImagePath, ImagePath)>> {
    let mut operands = options.operands.clone();
    let last = match options.value(&["t", "target-directory"]) {
        Some(directory) => directory,
        None => operands.pop()?,
    };
    let destination = shell.path(last);
    let into = shell.stage.is_dir(&destination) && !options.has(&["T", "no-target-directory"]);
    let pairs = operands.into_iter().map(|source| {
        let source = shell.path(source);
        let target = if into {
            destination.join(source.file_name())
        } else {
            destination.clone()
        };
        (source, target)
    });
    let pairs: Vec<_> = pairs.collect();
    (!pairs.is_empty()).then_some(pairs)
}

fn copy_all(shell: &mut Shell<'_>, options: &Options<'_>) -> std::io::Result<i32> {
    let Some(pairs) = targets(shell, options) else {
        return Ok(1);
    };
    let keep = options.has(&["a", "archive", "p", "preserve"]);
    let recursive = options.has(&["a", "archive", "r", "R", "recursive"]);
    let follow = !options.has(&["a", "archive", "d", "P", "no-dereference"]);
    for (source, target) in pairs {
        if options.has(&["n", "no-clobber", "u", "update"]) && shell.stage.node(&target).is_some() {
            continue;
        }
        if !copy(shell, &source, &target, keep, recursive, follow)? {
            return Ok(1);
        }
    }
    Ok(0)
}

fn copy(
    shell: &mut Shell<'_>,
    source: &ImagePath,
    target: &ImagePath,
    keep: bool,
    recursive: bool,
    follow: bool,
) -> std::io::Result<bool> {
    let node = if follow {
        shell.stage.node(source)
    } else {
        shell.stage.node_itself(source)
    };
    let Some(node) = node.cloned() else {
        return Ok(false);
    };
    let meta = if keep {
        node.meta.clone()
    } else {
        Metadata {
            mtime: shell.stage.time,
            ..Metadata::with_mode(node.meta.mode & 0o777 & !shell.umask)
        }
    };
    if !node.is_dir() {
        // A file that is there is written to, and keeps what it is unless `-p` says otherwise.
        match shell.stage.node(target).cloned() {
            Some(old) if old.is_file() && node.is_file() && !keep => {
                let bytes = shell.stage.read(source)?;
                shell.stage.write(target, &bytes, old.meta.mode)?;
            }
            _ => drop(shell.stage.place(target, node.kind, meta)?),
        }
        return Ok(true);
    }
    if !recursive {
        return Ok(false);
    }
    let children = shell.stage.list(source);
    shell.stage.make_dir(target, meta.mode)?;
    if keep {
        shell
            .stage
            .change(target, true, |old| *old = meta.clone())?;
    }
    for child in children {
        let below = target.join(child.file_name());
        copy(shell, &child, &below, keep, true, false)?;
    }
    Ok(true)
}

fn install(shell: &mut Shell<'_>, options: &Options<'_>) -> std::io::Result<i32> {
    let mode = options.value(&["m", "mode"]);
    let mode = mode
        .and_then(|text| change_mode(text, 0, false, 0))
        .unwrap_or(0o755);
    let user = options.value(&["o", "owner"]).unwrap_or_default();
    let group = options.value(&["g", "group"]).unwrap_or_default();
    let wanted = if group.is_empty() {
        user.to_owned()
    } else {
        format!("{user}:{group}")
    };
    let Some((uid, gid)) = owner(shell, &wanted) else {
        shell.report(format!("there is no user or group `{wanted}`"));
        return Ok(1);
    };
    let set = |meta: &mut Metadata| {
        meta.mode = mode;
        meta.uid = uid.unwrap_or(0);
        meta.gid = gid.unwrap_or(0);
    };
    if options.has(&["d", "directory"]) {
        for directory in &options.operands {
            let path = shell.path(directory);
            shell.stage.make_dir(&path, 0o755)?;
            shell.stage.change(&path, true, set)?;
        }
        return Ok(0);
    }
    let Some(pairs) = targets(shell, options) else {
        return Ok(1);
    };
    for (source, target) in pairs {
        let Ok(bytes) = shell.stage.read(&source) else {
            return Ok(1);
        };
        shell.stage.write(&target, &bytes, mode)?;
        shell.stage.change(&target, true, set)?;
    }
    Ok(0)
}

fn link(shell: &mut Shell<'_>, options: &Options<'_>) -> std::io::Result<i32> {
    let symbolic = options.has(&["s", "symbolic"]);
    let force = options.has(&["f", "force"]);
    let plain = options.has(&["n", "no-dereference", "T", "no-target-directory"]);
    let mut operands = options.operands.clone();
    if operands.len() == 1 {
        operands.push(".");
    }
    let Some(last) = operands.pop() else {
        return Ok(1);
    };
    let destination = shell.path(last);
    let is_link = shell.stage.link(&destination).is_some();
    let into = shell.stage.is_dir(&destination) && !(plain && is_link);
    for source in operands {
        let name = source
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let target = if into {
            destination.join(name)
        } else {
            destination.clone()
        };
        if shell.stage.node_itself(&target).is_some() {
            if !force {
                return Ok(1);
            }
            shell.stage.remove(&target);
        }
        if symbolic && options.has(&["r", "relative"]) {
            let from = target.parent().unwrap_or_else(ImagePath::root);
            let text = relative(&from, &shell.path(source));
            shell.stage.symlink(&target, text.as_bytes())?;
        } else if symbolic {
            shell.stage.symlink(&target, source.as_bytes())?;
        } else {
            let source = shell.path(source);
            shell.stage.hard_link(&target, &source)?;
        }
    }
    Ok(0)
}

/// The way from a directory to a path, in text.
fn relative(from: &ImagePath, to: &ImagePath) -> String {
    let from: Vec<&[u8]> = from.components().collect();
    let to: Vec<&[u8]> = to.components().collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(&b".."[..], from.len() - common);
    let parts: Vec<&[u8]> = up.chain(to[common..].iter().copied()).collect();
    String::from_utf8_lossy(&parts.join(&b'/')).into_owned()
}

fn list(shell: &mut Shell<'_>, options: &Options<'_>) -> i32 {
    let mut status = 0;
    let operands = if options.operands.is_empty() {
        vec!["."]
    } else {
        options.operands.clone()
    };
    for name in operands {
        let path = shell.path(name);
        let text = if shell.stage.is_dir(&path) && !options.has(&["d"]) {
            let hidden = options.has(&["a", "A"]);
            let children = shell.stage.list(&path).into_iter().filter_map(|child| {
                let name = String::from_utf8_lossy(child.file_name()).into_owned();
                (hidden || !name.starts_with('.')).then(|| format!("{name}\n"))
            });
            children.collect()
        } else if shell.stage.node_itself(&path).is_some() {
            format!("{name}\n")
        } else {
            status = 2;
            String::new()
        };
        shell.print(text.as_bytes());
    }
    status
}

fn find(shell: &mut Shell<'_>, words: &[String]) -> std::io::Result<i32> {
    let mut rest = words.iter().map(String::as_str).peekable();
    let mut starts = Vec::new();
    while let Some(word) = rest.next_if(|word| !word.starts_with(['-', '!', '('])) {
        starts.push(word);
    }
    let (mut name, mut kind, mut depth) = (None, None, usize::MAX);
    let mut least = 0;
    while let Some(word) = rest.next() {
        match word {
            "-name" => name = rest.next(),
            "-type" => kind = rest.next(),
            "-maxdepth" => depth = rest.next().and_then(|t| t.parse().ok()).unwrap_or(depth),
            "-mindepth" => least = rest.next().and_then(|t| t.parse().ok()).unwrap_or(0),
            "-print" | "-xdev" | "-mount" => {}
            _ => {
                shell.report(format!("`find {}` is not emulated", words.join(" ")));
                return Ok(0);
            }
        }
    }
    let pattern: Option<Vec<(char, bool)>> =
        name.map(|name| name.chars().map(|character| (character, false)).collect());
    let mut text = String::new();
    for start in starts {
        let root = shell.path(start);
        let Some(real) = shell.stage.real_parent(&root) else {
            continue;
        };
        for path in std::iter::once(real.clone()).chain(
            shell
                .stage
                .tree()
                .subtree(&real)
                .map(|(path, _)| path.clone()),
        ) {
            let below = path.depth() - real.depth();
            let found = shell.stage.tree().get(&path).map(|node| &node.kind);
            let kind_fits = matches!(
                (kind, found),
                (None, _)
                    | (Some("f"), Some(Kind::File { .. }))
                    | (Some("d"), Some(Kind::Dir))
                    | (Some("l"), Some(Kind::Symlink(_)))
            );
            let base: Vec<char> = String::from_utf8_lossy(path.file_name()).chars().collect();
            let name_fits = pattern
                .as_ref()
                .is_none_or(|pattern| crate::shell::pattern::matches(pattern, &base));
            if kind_fits && name_fits && (least..=depth).contains(&below) {
                let rest = &path.as_bytes()[real.as_bytes().len().min(path.as_bytes().len())..];
                let start = start.trim_end_matches('/');
                text += &format!("{start}{}\n", String::from_utf8_lossy(rest));
            }
        }
    }
    shell.print(text.as_bytes());
    Ok(0)
}

fn make_dirs(shell: &mut Shell<'_>, options: &Options<'_>) -> std::io::Result<i32> {
    let parents = options.has(&["p", "parents"]);
    let given = options.value(&["m", "mode"]);
    let mode = given.and_then(|text| change_mode(text, 0o777, true, shell.umask));
    let mode = mode.unwrap_or(0o777 & !shell.umask);
    for name in &options.operands {
        let path = shell.path(name);
        let above = path.parent().unwrap_or_else(ImagePath::root);
        let exists = shell.stage.node_itself(&path).is_some();
        if (exists || !shell.stage.is_dir(&above)) && !parents {
            return Ok(1);
        }
        shell.stage.make_dir(&path, mode)?;
    }
    Ok(0)
}

fn temporary(shell: &mut Shell<'_>, options: &Options<'_>) -> std::io::Result<i32> {
    shell.world.temporary += 1;
    let number = format!("{:06}", shell.world.temporary);
    let template = options.operands.first().copied().unwrap_or("tmp.XXXXXX");
    let name = match template.find("XXX") {
        Some(at) => {
            let end = at + template[at..].chars().take_while(|&c| c == 'X').count();
            format!("{}{number}{}", &template[..at], &template[end..])
        }
        None => format!("{template}.{number}"),
    };
    let elsewhere = options
        .value(&["p", "tmpdir"])
        .filter(|directory| !directory.is_empty());
    let path = match elsewhere {
        _ if name.contains('/') => shell.path(&name),
        Some(directory) => shell.path(directory).join(&name),
        None if options.operands.is_empty() || options.has(&["t", "tmpdir"]) => {
            ImagePath::new("/tmp").join(&name)
        }
        None => shell.path(&name),
    };
    if options.has(&["d", "directory"]) {
        shell.stage.make_dir(&path, 0o700)?;
    } else if !options.has(&["u", "dry-run"]) {
        shell.stage.write(&path, b"", 0o600)?;
    }
    shell.print(format!("{path}\n").as_bytes());
    Ok(0)
}

fn rename(shell: &mut Shell<'_>, options: &Options<'_>) -> std::io::Result<i32> {
    let Some(pairs) = targets(shell, options) else {
        return Ok(1);
    };
    for (source, target) in pairs {
        if options.has(&["n", "no-clobber"]) && shell.stage.node_itself(&target).is_some() {
            continue;
        }
        if !shell
            .stage
            .node_itself(&target)
            .is_some_and(plimsoll_model::Node::is_dir)
        {
            shell.stage.remove(&target);
        }
        shell.stage.rename(&source, &target)?;
    }
    Ok(0)
}

fn read_link(shell: &mut Shell<'_>, canonical: bool, options: &Options<'_>) -> i32 {
    let canonical = canonical || options.has(&["f", "e", "m", "canonicalize"]);
    let mut status = 0;
    for name in &options.operands {
        let path = shell.path(name);
        let answer = if !canonical {
            shell
                .stage
                .link(&path)
                .map(|link| String::from_utf8_lossy(link).into_owned())
        } else if options.has(&["s", "no-symlinks", "strip"]) {
            Some(path.to_string())
        } else {
            let real = shell.stage.real(&path);
            // The last component need not be there.
            let parent = path.parent().and_then(|parent| shell.stage.real(&parent));
            let missing = parent.map(|parent| parent.join(path.file_name()));
            let lax = !options.has(&["e", "canonicalize-existing"]);
            let fallback = if options.has(&["m"]) {
                Some(path.clone())
            } else {
                None
            };
            real.or(missing.filter(|_| lax))
                .or(fallback)
                .map(|path| path.to_string())
        };
        match answer {
            Some(text) => {
                let end = if options.has(&["n", "no-newline"]) {
                    ""
                } else {
                    "\n"
                };
                shell.print(format!("{text}{end}").as_bytes());
            }
            None => status = 1,
        }
    }
    status
}

fn remove(shell: &mut Shell<'_>, only_empty: bool, options: &Options<'_>) -> i32 {
    let recursive = options.has(&["r", "R", "recursive"]);
    let force = options.has(&["f", "force", "ignore-fail-on-non-empty"]);
    let mut status = 0;
    for name in &options.operands {
        let path = shell.path(name);
        let node = shell.stage.node_itself(&path);
        let fine = match node {
            None => force,
            Some(_) if path.is_root() => false,
            Some(node) if node.is_dir() && !recursive => {
                only_empty && (shell.stage.list(&path).is_empty())
            }
            Some(node) => node.is_dir() || !only_empty,
        };
        let there = node.is_some();
        if fine && there {
            shell.stage.remove(&path);
        } else if !fine && !force {
            status = 1;
        }
    }
    status
}

fn stat(shell: &mut Shell<'_>, options: &Options<'_>) -> i32 {
    let Some(format) = options.value(&["c", "format", "printf"]) else {
        shell.report("`stat` without a format is not emulated".to_owned());
        return 1;
    };
    let follow = options.has(&["L", "dereference"]);
    let mut status = 0;
    for name in &options.operands {
        let path = shell.path(name);
        let node = if follow {
            shell.stage.node(&path)
        } else {
            shell.stage.node_itself(&path)
        };
        let Some(node) = node else {
            status = 1;
            continue;
        };
        let named = |database: &str, number: u32| {
            let line = accounts::entry(shell.stage, database, &number.to_string());
            let name = line.and_then(|line| line.split(':').next().map(str::to_owned));
            name.unwrap_or_else(|| "UNKNOWN".to_owned())
        };
        let text = format
            .replace("%a", &format!("{:o}", node.meta.mode))
            .replace("%u", &node.meta.uid.to_string())
            .replace("%g", &node.meta.gid.to_string())
            .replace("%U", &named("passwd", node.meta.uid))
            .replace("%G", &named("group", node.meta.gid))
            .replace("%s", &node.size().to_string())
            .replace("%Y", &node.meta.mtime.to_string())
            .replace("%n", name);
        shell.print(format!("{text}\n").as_bytes());
    }
    status
}

fn touch(shell: &mut Shell<'_>, options: &Options<'_>) -> std::io::Result<i32> {
    let time = match options.value(&["r", "reference"]) {
        Some(name) => {
            let path = shell.path(name);
            let Some(node) = shell.stage.node(&path) else {
                return Ok(1);
            };
            node.meta.mtime
        }
        None => shell.stage.time,
    };
    let follow = !options.has(&["h", "no-dereference"]);
    for name in &options.operands {
        let path = shell.path(name);
        let found = if follow {
            shell.stage.node(&path)
        } else {
            shell.stage.node_itself(&path)
        };
        if found.is_none() {
            if options.has(&["c", "no-create", "h"]) {
                continue;
            }
            let mode = 0o666 & !shell.umask;
            shell.stage.write(&path, b"", mode)?;
        }
        shell.stage.change(&path, follow, |meta| {
            meta.mtime = time;
            meta.mtime_nanos = 0;
        })?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_changed_as_chmod_changes_them() {
        for (text, mode, is_dir, expected) in [
            ("644", 0o755, false, 0o644),
            ("0755", 0o2700, true, 0o2755),
            ("u+s", 0o755, false, 0o4755),
            ("+x", 0o644, false, 0o755),
            ("g-w,o=", 0o775, false, 0o750),
            ("a+rX", 0o600, false, 0o644),
            ("a+rX", 0o700, true, 0o755),
            ("u=rw,g=u", 0o000, false, 0o660),
            ("+t", 0o777, true, 0o1777),
        ] {
            assert_eq!(
                change_mode(text, mode, is_dir, 0o022),
                Some(expected),
                "{text}"
            );
        }
        assert_eq!(change_mode("u?s", 0, false, 0), None);
        assert_eq!(change_mode("99999", 0, false, 0), None);
    }

    #[test]
    fn a_relative_link_leads_up_and_down() {
        let way = |from: &str, to: &str| relative(&from.into(), &to.into());
        assert_eq!(way("/etc/a", "/usr/b"), "../../usr/b");
        assert_eq!(way("/etc", "/etc/b"), "b");
    }
}

//! `chown`, `chgrp` and `chmod`: whose a path is, and who may do what with it.

use super::*;

/// `user`, `user:group`, `user.group`, `:group`: names or numbers.
pub(in crate::emulations) fn owner(
    shell: &Shell<'_>,
    text: &str,
) -> Option<(Option<u32>, Option<u32>)> {
    let (user, group) = match text.split_once([':', '.']) {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let uid = match user {
        "" => None,
        user => Some(accounts::user(shell.stage, user)?),
    };
    let gid = match group {
        None => None,
        Some("") => accounts::main_group(shell.stage, user),
        Some(group) => Some(accounts::group(shell.stage, group)?),
    };
    Some((uid, gid))
}

/// The path and, if asked for, everything below it.
pub(super) fn selected(shell: &Shell<'_>, path: &ImagePath, recursive: bool) -> Vec<ImagePath> {
    let mut paths = vec![path.clone()];
    if recursive && let Some(real) = shell.stage.real(path) {
        let below = shell.stage.tree().subtree(&real);
        paths.extend(below.map(|(path, _)| path.clone()));
    }
    paths
}

pub(super) fn chown(
    shell: &mut Shell<'_>,
    group_only: bool,
    options: &Options<'_>,
) -> std::io::Result<i32> {
    let Some((&who, paths)) = options.operands.split_first() else {
        return Ok(1);
    };
    let wanted = if group_only {
        format!(":{who}")
    } else {
        who.to_owned()
    };
    let Some((uid, gid)) = owner(shell, &wanted) else {
        shell.report(format!("there is no user or group `{who}`"));
        return Ok(1);
    };
    let recursive = options.has(&["R", "recursive"]);
    let follow = !options.has(&["h", "no-dereference"]);
    for path in paths {
        let path = shell.path(path);
        for (index, path) in selected(shell, &path, recursive).into_iter().enumerate() {
            // Links met on the way down are not followed.
            shell.stage.change(&path, follow && index == 0, |meta| {
                meta.uid = uid.unwrap_or(meta.uid);
                meta.gid = gid.unwrap_or(meta.gid);
                // A change of owner takes the set-id bits away (`chown(2)`).
                if uid.is_some_and(|uid| uid != meta.uid) {
                    meta.mode &= !0o6000;
                }
            })?;
        }
    }
    Ok(0)
}

pub(super) fn chmod(shell: &mut Shell<'_>, words: &[String]) -> std::io::Result<i32> {
    let is_option = |word: &&String| {
        word.starts_with("--") || matches!(word.as_str(), "-R" | "-f" | "-v" | "-c")
    };
    let recursive = words
        .iter()
        .filter(is_option)
        .any(|word| word == "-R" || word == "--recursive");
    let mut operands = words.iter().filter(|word| !is_option(word));
    let Some(mode) = operands.next() else {
        return Ok(1);
    };
    for path in operands {
        let path = shell.path(path);
        for (index, path) in selected(shell, &path, recursive).into_iter().enumerate() {
            if index > 0 && shell.stage.link(&path).is_some() {
                continue;
            }
            let Some(node) = shell.stage.node(&path) else {
                return Ok(1);
            };
            let Some(bits) = change_mode(mode, node.meta.mode, node.is_dir(), shell.umask) else {
                shell.report(format!("`chmod {mode}` is not understood"));
                return Ok(1);
            };
            shell.stage.change(&path, true, |meta| meta.mode = bits)?;
        }
    }
    Ok(0)
}

/// A mode as `chmod(1)` takes it, octal or symbolic, applied to another.
pub(in crate::emulations) fn change_mode(
    text: &str,
    mode: u32,
    is_dir: bool,
    umask: u32,
) -> Option<u32> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let bits = u32::from_str_radix(text, 8)
            .ok()
            .filter(|bits| *bits <= 0o7777)?;
        // An octal mode keeps a directory's set-id bits unless it names five digits.
        let kept = if is_dir && text.len() < 5 {
            mode & 0o6000
        } else {
            0
        };
        return Some(bits | kept);
    }
    let mut result = mode;
    for clause in text.split(',') {
        let split = clause.find(['+', '-', '='])?;
        let (who, mut rest) = clause.split_at(split);
        let everybody = who.is_empty() || who.contains('a');
        let mut mask = 0;
        for (letter, bits) in [('u', 0o4700), ('g', 0o2070), ('o', 0o1007)] {
            if everybody || who.contains(letter) {
                mask |= bits;
            }
        }
        while !rest.is_empty() {
            let operator = rest.chars().next()?;
            let end = rest[1..]
                .find(['+', '-', '='])
                .map_or(rest.len(), |at| at + 1);
            let mut bits = 0;
            for letter in rest[1..end].chars() {
                bits |= match letter {
                    'r' => 0o444,
                    'w' => 0o222,
                    'x' => 0o111,
                    'X' if is_dir || result & 0o111 != 0 => 0o111,
                    'X' => 0,
                    's' => 0o6000,
                    't' => 0o1000,
                    'u' => (result >> 6 & 7) * 0o111,
                    'g' => (result >> 3 & 7) * 0o111,
                    'o' => (result & 7) * 0o111,
                    _ => return None,
                };
            }
            bits &= mask;
            if who.is_empty() {
                bits &= !umask;
            }
            match operator {
                '+' => result |= bits,
                '-' => result &= !bits,
                _ => result = result & !mask | bits,
            }
            rest = &rest[end..];
        }
    }
    Some(result)
}

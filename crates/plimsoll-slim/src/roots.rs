//! Where the closure starts: what the image declares, what the user asks for, and what every
//! container needs.

use std::collections::BTreeSet;

use plimsoll_model::{ImagePath, Kind, Reason};

use crate::commands;
use crate::glob;
use crate::keep::{Keep, Pull};
use crate::scene::Scene;
use crate::script::{self, Given};
use crate::valve::Cap;

/// Keeps what the image declares and the user asks for.
pub(crate) fn add(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let config = scene.config();
    // First, so that it is the reason that is told.
    for (path, why) in scene.request().baked {
        let reason = Reason {
            detail: why.clone(),
            ..Reason::rule("baked")
        };
        if keep.path(path, Pull::Opened, reason.clone()).is_none() {
            keep.place(path.as_bytes(), reason);
        }
    }
    let directory = ImagePath::root().join(&config.working_dir);
    keep.path(&directory, Pull::Opened, Reason::rule("workdir"));
    command(scene, keep, "entrypoint", &config.command_line());
    // `CMD` is a program of its own where an entry script execs its arguments.
    if !config.entrypoint.is_empty()
        && let Some(word) = config.cmd.first()
    {
        program(scene, keep, "cmd", word);
    }
    if let Some(test) = &config.healthcheck {
        match test.first().map(String::as_str) {
            Some("CMD") => command(scene, keep, "healthcheck", &test[1..]),
            Some("CMD-SHELL") => {
                program(scene, keep, "healthcheck", "/bin/sh");
                let text = test.get(1..).unwrap_or_default().join(" ");
                shell_text(scene, keep, "healthcheck", &text);
            }
            _ => {}
        }
    }
    for volume in &config.volumes {
        keep.path(
            &ImagePath::new(volume),
            Pull::Opened,
            Reason::rule("volume"),
        );
    }
    preloaded(scene, keep);
    for pattern in scene.request().include {
        include(scene, keep, pattern);
    }
    for pattern in scene.request().exclude {
        if !glob::names_any(scene.tree(), pattern) {
            let message = format!("`{pattern}` was to be excluded, and names nothing in the image");
            keep.problem(&ImagePath::new(pattern), message);
        }
    }
    for path in ALWAYS {
        keep.path(&ImagePath::new(path), Pull::Opened, Reason::rule("always"));
    }
    for path in scene.expand(&"/etc/ld.so.conf.d/*.conf".into()) {
        keep.path(&path, Pull::Opened, Reason::rule("always"));
    }
}

/// What programs ask the C library for without saying so, and what scanners and people ask an image
/// for: users, names, release, time, and where libraries lie. All of it together is a few
/// kilobytes.
const ALWAYS: &[&str] = &[
    "/etc/alpine-release",
    "/etc/debian_version",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/redhat-release",
    "/etc/resolv.conf",
    "/etc/system-release",
    "/etc/timezone",
    "/usr/lib/os-release",
];

/// Words of a command line that are looked at.
const MAX_WORDS: usize = 4_096;

/// The program of a command line, and what its arguments name.
fn command(scene: &Scene<'_>, keep: &mut Keep<'_>, rule: &'static str, words: &[String]) {
    if words.len() > MAX_WORDS {
        let message = format!(
            "the {rule} has {} words, of which the first {MAX_WORDS} are looked at",
            words.len()
        );
        keep.problem(&ImagePath::root(), message);
    }
    let mut rest = words.get(..MAX_WORDS).unwrap_or(words);
    while let Some((first, arguments)) = rest.split_first() {
        if first == "--" {
            rest = arguments;
            continue;
        }
        program(scene, keep, rule, first);
        let name = first.rsplit('/').next().unwrap_or(first);
        // A shell form: `/bin/sh -c SCRIPT`.
        if let Given::Text(text) = script::given(arguments)
            && script::is_shell(name)
        {
            shell_text(scene, keep, rule, text);
            let at = arguments
                .iter()
                .position(|word| word.as_ptr() == text.as_ptr());
            let behind = at.and_then(|at| arguments.get(at + 1..));
            return parameters(scene, keep, rule, behind.unwrap_or_default());
        }
        // `tini -- server`: what comes behind is a command again.
        let mut parts = arguments.splitn(2, |word| word == "--");
        for word in parts.next().unwrap_or_default() {
            argument(scene, keep, rule, word);
        }
        rest = parts.next().unwrap_or_default();
    }
}

/// What stands behind the text for a shell: its `$0`, and the parameters, which `exec "$@"` would start.
/// Nothing is missing where the first is no program.
fn parameters(scene: &Scene<'_>, keep: &mut Keep<'_>, rule: &'static str, words: &[String]) {
    for word in words {
        argument(scene, keep, rule, word);
    }
    if let Some(first) = words.get(1) {
        program(scene, keep, "cmd", first);
    }
}

/// What a text for a shell starts.
fn shell_text(scene: &Scene<'_>, keep: &mut Keep<'_>, rule: &'static str, text: &str) {
    match script::commands(text) {
        Ok(words) => {
            for word in words {
                program(scene, keep, rule, &word);
            }
        }
        Err(why) => {
            let what = commands::shown(text);
            let message = format!("the {rule} runs `{what}`, which is not understood: {why}");
            keep.problem(&ImagePath::root(), message);
        }
    }
}

/// A program: a path, or a name that is searched.
fn program(scene: &Scene<'_>, keep: &mut Keep<'_>, rule: &'static str, word: &str) {
    let reason = Reason {
        detail: word.to_owned(),
        ..Reason::rule(rule)
    };
    if word.contains('/') {
        let path = ImagePath::root()
            .join(&scene.config().working_dir)
            .join(word);
        let is_file = |path: &ImagePath| {
            let node = scene.tree().resolve(path).ok();
            node.is_some_and(|found| scene.tree().get(found.path).is_some_and(|n| n.is_file()))
        };
        if is_file(&path) {
            keep.path(&path, Pull::Executed, reason);
        } else if word.starts_with('/') && rule != "cmd" {
            keep.problem(&path, format!("is the {rule}, and is not in the image"));
        }
    } else if let Some(path) = scene.program(word.as_bytes()) {
        keep.path(&path, Pull::Executed, reason);
    } else if rule == "entrypoint" {
        let path = ImagePath::new(word);
        keep.problem(
            &path,
            format!("is started as `{word}`, and no directory of PATH holds it"),
        );
    }
}

/// An argument that is an existing path, or ends in one behind `=`.
fn argument(scene: &Scene<'_>, keep: &mut Keep<'_>, rule: &'static str, word: &str) {
    let base = ImagePath::root().join(&scene.config().working_dir);
    let value = word.split_once('=').map(|(_, value)| value);
    for text in [Some(word), value].into_iter().flatten() {
        if text.is_empty() || text.starts_with('-') {
            continue;
        }
        let path = base.join(text);
        let Ok(found) = scene.tree().resolve(&path) else {
            continue;
        };
        let reason = Reason {
            detail: word.to_owned(),
            ..Reason::rule(rule)
        };
        match scene.tree().get(&found.path) {
            Some(node) if node.is_dir() => keep.tree(&path, Cap::SERVED, reason),
            Some(node) if node.is_executable() && text.contains('/') => {
                keep.path(&path, Pull::Executed, reason);
            }
            Some(_) => {
                keep.path(&path, Pull::Named, reason);
            }
            None => {}
        }
    }
}

/// What the loader is told to load into every program (`ld.so(8)`: LD_PRELOAD, ld.so.preload).
fn preloaded(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let list: ImagePath = "/etc/ld.so.preload".into();
    let named = scene.text(&list).unwrap_or_default();
    if !named.trim().is_empty() {
        keep.path(&list, Pull::Opened, Reason::rule("preload"));
    }
    let environment = scene.config().env("LD_PRELOAD").unwrap_or_default();
    for name in named
        .split_whitespace()
        .chain(environment.split([':', ' ']))
    {
        if name.starts_with('/') {
            keep.path(&name.into(), Pull::Opened, Reason::rule("preload"));
        }
    }
}

/// What the user asked for.
fn include(scene: &Scene<'_>, keep: &mut Keep<'_>, pattern: &str) {
    let tree = scene.tree();
    let paths = if glob::is_pattern(pattern.as_bytes()) {
        glob::matching(tree, pattern)
    } else {
        vec![ImagePath::new(pattern)]
    };
    let reason = Reason {
        detail: pattern.to_owned(),
        ..Reason::rule("include")
    };
    let mut found = false;
    let mut whole = BTreeSet::new();
    for path in &paths {
        // A pattern names most files below a directory that it names too.
        let is_link = matches!(tree.get(path), Some(node) if matches!(node.kind, Kind::Symlink(_)));
        if !is_link && path.ancestors().any(|above| whole.contains(&above)) {
            continue;
        }
        let Ok(resolved) = tree.resolve(path) else {
            found |= keep.place(path.as_bytes(), reason.clone()).is_some();
            continue;
        };
        found = true;
        let inside = tree.subtree(&resolved.path).map(|(path, _)| path.clone());
        let inside: Vec<ImagePath> = inside.collect();
        for path in std::iter::once(path).chain(&inside) {
            let resolved = tree.resolve(path).ok();
            let node = resolved.and_then(|resolved| tree.get(resolved.path));
            let pull = match node {
                Some(node) if node.is_executable() => Pull::Executed,
                _ => Pull::Opened,
            };
            if keep.path(path, pull, reason.clone()).is_none() {
                keep.place(path.as_bytes(), reason.clone());
            }
        }
        if !inside.is_empty() {
            whole.insert(resolved.path);
        }
    }
    if !found {
        let message = format!("`{pattern}` was to be included, and names nothing in the image");
        keep.problem(&ImagePath::new(pattern), message);
    }
}

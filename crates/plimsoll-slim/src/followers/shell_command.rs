//! Commands of shell scripts, where no run has shown which of them are used.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::{Look, Scene};
use crate::script;

follower! {
    /// An entry script starts other programs. A run shows which, and then nothing else counts; but
    /// where nothing was run (`--no-run`), every word of a kept shell script that can be executed,
    /// and that is the name of a program in `PATH`, brings that program along: rather a tool too
    /// many than a container that does not start. Comments are not read.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /entry.sh
    /// /entry.sh        0755 "#!/bin/sh\n# not curl\nid=$(whoami)\nexec runner --as $id\n"  # kept
    /// /bin/sh          0755 elf        # kept [shebang]
    /// /usr/bin/whoami  0755 elf        # kept [shell-command]
    /// /usr/bin/runner  0755 elf        # kept [shell-command]
    /// /usr/bin/curl    0755 elf
    /// ```
    ///
    /// ## Not followed
    ///
    /// ```image
    /// ENTRYPOINT /entry.sh
    /// SEEN executed /usr/bin/runner
    /// /entry.sh        0755 "#!/bin/sh\nif false; then whoami; fi\nexec runner\n"  # kept
    /// /bin/sh          0755 elf        # kept
    /// /usr/bin/runner  0755 elf        # kept
    /// /usr/bin/whoami  0755 elf
    /// ```
    id: "shell-command",
    follow: follow,
}

/// More programs than this are not taken from one script.
const LIMIT: usize = 1000;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let can_start = |path| {
        scene
            .tree()
            .get(path)
            .is_some_and(|node| node.is_executable())
    };
    if !scene.observations().seen.is_empty() || !can_start(path) || !is_shell(scene, path) {
        return;
    }
    let text = scene.text(path).unwrap_or_default();
    let mut count = 0;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_.+-/[".contains(c);
        for word in line.split(|c| !is_name(c)).filter(|word| !word.is_empty()) {
            let program = match word.contains('/') {
                true => Some(ImagePath::new(word)).filter(|path| {
                    let found = scene.tree().resolve(path);
                    found.is_ok_and(|found| scene.is_program(&found.path))
                }),
                false => scene.program(word.as_bytes()),
            };
            let Some(program) = program else {
                continue;
            };
            count += 1;
            if count > LIMIT {
                keep.problem(path, format!("names more than {LIMIT} programs"));
                return;
            }
            let detail = format!("line {}: {word}", number + 1);
            keep.path(
                &program,
                Pull::Executed,
                Reason::by("shell-command", path, detail),
            );
        }
    }
}

fn is_shell(scene: &Scene<'_>, path: &ImagePath) -> bool {
    match &*scene.look(path) {
        Look::Script(line) => {
            let line = String::from_utf8_lossy(line).into_owned();
            let mut words = line
                .split_whitespace()
                .map(|word| word.rsplit('/').next().unwrap_or(word));
            words.any(|word| script::is_shell(word) || word == "busybox")
        }
        _ => false,
    }
}

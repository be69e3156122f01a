//! Scripts that are executed: their interpreter.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::{Look, Scene};

follower! {
    /// The kernel opens the interpreter of a script itself (`execve(2)`), so no run shows it. A
    /// script that is executed (a declared root, or seen executed) brings its interpreter, through
    /// chains of scripts and through `env`.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /entry.sh
    /// /entry.sh 0755 "#!/usr/bin/env -S runner -x\n"  # kept
    /// /usr/bin/env 0755 elf                           # kept [shebang]
    /// /usr/bin/runner 0755 "#! /bin/sh\n"             # kept [shebang]
    /// /bin/sh -> dash                                 # kept [shebang]
    /// /bin/dash 0755 elf                              # kept [symlink]
    /// /bin/bash 0755 elf
    /// ```
    ///
    /// ## Not followed
    ///
    /// A script that nobody executes is data. This is the shell valve: a script lying in the
    /// application's directory does not bring a shell.
    ///
    /// ```image
    /// ENTRYPOINT /server /srv/tool.sh.txt
    /// /server          0755 elf              # kept
    /// /srv/tool.sh.txt 0644 "#!/bin/sh\n"    # kept
    /// /bin/sh          0755 elf
    /// ```
    id: "shebang",
    follow: follow,
}

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if !keep.is_executed(path) {
        return;
    }
    let look = scene.look(path);
    let Look::Script(line) = &*look else {
        return;
    };
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let Some(interpreter) = words.next() else {
        return;
    };
    let place = ImagePath::root().join(interpreter);
    let detail = format!("#!{}", line.trim());
    let reason = || Reason::by("shebang", path, detail.clone());
    if keep.path(&place, Pull::Executed, reason()).is_none() {
        keep.problem(
            path,
            format!("is a script for {place}, which is not in the image"),
        );
    }
    if place.file_name() == b"env" {
        // `env [-S] [NAME=VALUE...] PROGRAM`
        let program = words.find(|word| !word.starts_with('-') && !word.contains('='));
        let program = program.unwrap_or_default();
        let place = if program.contains('/') {
            Some(ImagePath::new(program))
        } else {
            scene.program(program.as_bytes())
        };
        let kept = place.and_then(|place| keep.path(&place, Pull::Executed, reason()));
        if kept.is_none() {
            let program = plimsoll_model::text::printable(program.as_bytes());
            keep.problem(
                path,
                format!("is a script for `{program}`, which is not in PATH"),
            );
        }
    }
}

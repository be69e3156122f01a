//! Command lines that a program hands to a shell or starts itself, where they can be read off.
//!
//! The shell valve stays closed for what is merely named. A literal command line that the
//! application's own script starts is another thing: it is its author's word that it will run.

use plimsoll_model::{ImagePath, Reason};

use crate::keep::{Keep, Pull};
use crate::scene::Scene;
use crate::script;

/// What makes a program hand a command line to a shell instead of starting it itself.
const META: &[char] = &[
    '$', '&', '*', '(', ')', '{', '}', '[', ']', '\'', '"', ';', '\\', '|', '?', '<', '>', '~',
    '`', '\n',
];

/// Keeps what `line`, started by `by`, executes: each command of it, and the shell where one is
/// needed.
pub(crate) fn keep(
    scene: &Scene<'_>,
    by: &ImagePath,
    line: &str,
    rule: &'static str,
    keep: &mut Keep<'_>,
) {
    let shown = shown(line);
    let words = match script::commands(line) {
        Ok(words) => words,
        Err(why) => {
            return keep.problem(
                by,
                format!("runs `{shown}`, which is not understood: {why}"),
            );
        }
    };
    let reason = || Reason::by(rule, by, format!("runs `{shown}`"));
    let mut any = false;
    for word in words {
        let place = if word.starts_with('/') {
            Some(ImagePath::new(&word))
        } else {
            scene.program(word.as_bytes())
        };
        let is_program = |place: &ImagePath| {
            let found = scene.tree().resolve(place).ok();
            let node = found.and_then(|found| scene.tree().get(found.path));
            node.is_some_and(|node| node.is_file() && node.is_executable())
        };
        if let Some(place) = place.filter(is_program) {
            keep.path(&place, Pull::Executed, reason());
            any = true;
        }
    }
    if any && line.contains(META) {
        keep.path(&ImagePath::new("/bin/sh"), Pull::Executed, reason());
    }
}

/// The beginning of a command line, for people.
pub(crate) fn shown(line: &str) -> String {
    let shown = plimsoll_model::text::printable(line.trim().as_bytes());
    shown.chars().take(80).collect()
}

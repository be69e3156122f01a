//! Command lines that a program hands to a shell or starts itself, where they can be read off.
//!
//! The shell valve stays closed for what is merely named. A literal command line that the
//! application's own script starts is another thing: it is its author's word that it will run.

use plimsoll_model::{ImagePath, Reason};

use crate::keep::{Keep, Pull};
use crate::scene::Scene;

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
    let shown = plimsoll_model::text::printable(line.trim().as_bytes()).to_string();
    let shown: String = shown.chars().take(80).collect();
    let reason = || Reason::by(rule, by, format!("runs `{shown}`"));
    let mut any = false;
    for word in words(line) {
        let place = if word.starts_with('/') {
            Some(ImagePath::new(word))
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

/// The words that stand where a command begins, also behind `sh -c '...'` and in `$(...)`.
fn words(line: &str) -> impl Iterator<Item = &str> {
    const PREFIXES: &[&str] = &[
        "!", "command", "do", "else", "env", "exec", "if", "nice", "nohup", "then", "time",
        "while", "xargs",
    ];
    let parts = line.split([';', '|', '&', '\n', '(', ')', '{', '}', '`']);
    let parts = parts.flat_map(|part| {
        // What is quoted behind `-c` is a command line of its own.
        let (before, behind) = match part.split_once(" -c ") {
            Some((before, behind)) if behind.trim_start().starts_with(['\'', '"']) => {
                (before, behind.trim_start().get(1..))
            }
            _ => (part, None),
        };
        [Some(before), behind]
    });
    parts.flatten().filter_map(|part| {
        let mut words = part
            .split_whitespace()
            .map(|word| word.trim_matches(['\'', '"']));
        words.find(|word| !word.is_empty() && !word.contains('=') && !PREFIXES.contains(word))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_where_a_command_begins() {
        let words: Vec<&str> =
            super::words("LANG=C sh -c 'date -u +%Y | grep -c 20' && exec /bin/x; env A=1 y $(z)")
                .collect();
        assert_eq!(words, ["sh", "date", "grep", "/bin/x", "y", "z"]);
    }
}

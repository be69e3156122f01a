//! `shell-form`: a command line that needs a shell to be read.

use crate::dockerfile::Keyword;
use crate::dockerfile::stages::{Base, split_reference};
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Remove shells: the shell form of `CMD` and `ENTRYPOINT` is handed to `/bin/sh -c`, so the shell
    /// must stay in the image. It is process 1 then, and does not pass on the signal that asks the
    /// application to stop: it is killed after a timeout.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// ENTRYPOINT app --serve
    /// # finding
    /// CMD app --serve
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The exec form, and a shell that somebody chose.
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS base
    /// ENTRYPOINT ["app", "--serve"]
    /// FROM base
    /// SHELL ["/bin/bash", "-c"]
    /// CMD exec app --serve
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// The exec form: `CMD ["app", "--serve"]`.
    id: "shell-form",
    summary: "CMD or ENTRYPOINT in shell form",
    severity: Low,
    aliases: ["JSONArgsRecommended", "DL3025"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let mut chosen: Vec<bool> = Vec::with_capacity(sheet.stages.all.len());
    // Whether an entry point may be there, which would get a shell with CMD behind it, and without one the
    // command alone.
    let mut entered: Vec<bool> = Vec::with_capacity(sheet.stages.all.len());
    for stage in &sheet.stages.all {
        let mut shell = match stage.base {
            Base::Stage(below) => chosen[below],
            _ => false,
        };
        let below = match &stage.base {
            Base::Stage(below) => entered[*below],
            Base::Scratch => false,
            Base::Image(name) => !starts_nothing(name),
            Base::Unknown(_) => true,
        };
        let mut own = sheet.within(stage).iter();
        let own = own.rfind(|one| one.is(Keyword::Entrypoint));
        let entry = own.map_or(below, |own| !own.words().is_empty());
        for instruction in sheet.within(stage) {
            shell |= instruction.is(Keyword::Shell);
            let Some(kind @ (Keyword::Cmd | Keyword::Entrypoint)) = instruction.kind else {
                continue;
            };
            let Some(word) = instruction.text() else {
                continue;
            };
            // What was meant as an exec form is broken-exec-form's.
            if shell || word.text.starts_with('[') {
                continue;
            }
            let span = instruction.source(&word.at);
            let name = kind.name();
            let added = hits.add(
                span.clone(),
                format!("{name} in shell form needs a shell, which does not pass signals on"),
                format!("{name} [\"program\", \"argument\"]"),
            );
            let is_safe = kind == Keyword::Entrypoint || !entry;
            if let Some(words) = plain(&word.text).filter(|_| is_safe) {
                added.edit(span, words);
            }
        }
        chosen.push(shell);
        entered.push(entry);
    }
}

/// Official images that have no entry point.
const NO_ENTRYPOINT: [&str; 18] = [
    "almalinux",
    "alpine",
    "amazonlinux",
    "archlinux",
    "buildpack-deps",
    "busybox",
    "centos",
    "debian",
    "fedora",
    "gcc",
    "golang",
    "perl",
    "python",
    "rockylinux",
    "ruby",
    "rust",
    "swift",
    "ubuntu",
];

fn starts_nothing(image: &str) -> bool {
    let (name, _, _) = split_reference(image);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    NO_ENTRYPOINT.contains(&name)
}

/// The exec form of a command line that no shell would change.
fn plain(text: &str) -> Option<String> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || " -_./:=,@%+".contains(c);
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = words.first()?;
    // What is no program, or is another one outside of the shell (POSIX, "Special Built-In Utilities",
    // "Reserved Words", and what dash and bash add).
    let builtin = matches!(
        *first,
        "." | ":"
            | "alias"
            | "bg"
            | "break"
            | "case"
            | "cd"
            | "command"
            | "continue"
            | "declare"
            | "eval"
            | "exec"
            | "exit"
            | "export"
            | "fg"
            | "for"
            | "hash"
            | "if"
            | "jobs"
            | "let"
            | "local"
            | "read"
            | "readonly"
            | "return"
            | "set"
            | "shift"
            | "source"
            | "time"
            | "times"
            | "trap"
            | "type"
            | "ulimit"
            | "umask"
            | "unset"
            | "until"
            | "wait"
            | "while"
    );
    if builtin || first.contains('=') || !text.chars().all(harmless) {
        return None;
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    Some(format!("[{}]", quoted.join(", ")))
}

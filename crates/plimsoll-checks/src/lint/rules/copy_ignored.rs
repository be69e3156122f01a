//! `copy-ignored`: copied and ignored.

use crate::dockerfile::Keyword;
use crate::lint::Ignored;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// What `.dockerignore` leaves out is not there to be copied: the build fails.
    ///
    /// ## Example
    ///
    /// ```dockerignore
    /// *.env
    /// build/
    /// ```
    ///
    /// ```dockerfile
    /// # finding
    /// COPY local.env /etc/app.env
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerignore
    /// *
    /// !src
    /// ```
    ///
    /// ```dockerfile
    /// COPY src/main.c /src/
    /// COPY --from=docker.io/library/busybox:1.37 /bin/busybox /bin/
    /// ```
    ///
    /// ## Remedy
    ///
    /// `!local.env` at the end of `.dockerignore`, or another file.
    id: "copy-ignored",
    summary: "a file is copied that .dockerignore leaves out",
    severity: Low,
    aliases: ["CopyIgnoredFile"],
    run: run,
}

/// Most patterns that are read.
const MAX_PATTERNS: usize = 2000;

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let Ignored::Text(text) = sheet.context.ignored else {
        return;
    };
    let patterns: Vec<(bool, Vec<&str>)> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .take(MAX_PATTERNS)
        .map(|line| {
            let (again, line) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            (again, parts(line))
        })
        .collect();
    for (_, copy) in sheet.of(Keyword::Copy).chain(sheet.of(Keyword::Add)) {
        if copy.flag("from").is_some() {
            continue;
        }
        let Some((_, sources)) = copy.words().split_last() else {
            continue;
        };
        for word in sources {
            let text = word.text.trim_matches(['"', '\'']);
            // A pattern may fit something else as well, and an address is no file.
            if text.contains(['*', '?', '[', '$']) || text.contains("://") || text.starts_with("<<")
            {
                continue;
            }
            let path = parts(text);
            let ignored = match &path[..] {
                // The context itself, only where all of it is left out.
                [] => {
                    patterns
                        .iter()
                        .any(|(again, pattern)| !again && matches!(&pattern[..], ["*" | "**"]))
                        && !patterns.iter().any(|(again, _)| *again)
                }
                path => is_ignored(&patterns, path),
            };
            if ignored {
                hits.add(
                    copy.source(&word.at),
                    format!("{text} is left out by .dockerignore: the build does not find it"),
                    format!("!{text} at the end of .dockerignore"),
                );
            }
        }
    }
}

/// The parts of a path between slashes, without those that mean nothing.
fn parts(path: &str) -> Vec<&str> {
    path.split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect()
}

/// The last pattern that fits the path, or a directory above it, decides.
fn is_ignored(patterns: &[(bool, Vec<&str>)], path: &[&str]) -> bool {
    let mut ignored = false;
    for (again, pattern) in patterns {
        if *again == ignored && (1..=path.len()).any(|end| fits(pattern, &path[..end])) {
            ignored = !again;
        }
        // Something below the path may be taken back in.
        if *again && ignored && pattern.len() > path.len() && fits(&pattern[..path.len()], path) {
            ignored = false;
        }
    }
    ignored
}

fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=path.len().min(50)).any(|skip| fits(rest, &path[skip..])),
        ([first, rest @ ..], [part, path @ ..]) => {
            one(first.as_bytes(), part.as_bytes()) && fits(rest, path)
        }
        _ => false,
    }
}

/// `*` and `?` within one part of a path.
fn one(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

//! Paths and globs as a profile writes them, and versions in names.

use std::fmt;

use plimsoll_model::{FileTree, ImagePath};

/// More matches than this are cut off, and the report says so: a profile may be a stranger's.
pub(super) const MATCH_LIMIT: usize = 50_000;

/// A path, or a glob: `*` and `?` within a directory, `**` across directories, `[ab]`, `{a,b}`; a
/// backslash takes a sign's meaning away. Bytes, as paths are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(Box<[u8]>);

impl Pattern {
    /// The pattern that these bytes write down.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The pattern that means this path and nothing else.
    pub fn literal(path: &ImagePath) -> Self {
        Self(escape(path.as_bytes()).into())
    }

    /// All below this directory.
    pub(super) fn below(directory: &Pattern) -> Self {
        Self([&directory.0, &b"/**"[..]].concat().into())
    }

    /// The bytes that write it down.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it means all below a directory.
    pub(super) fn is_folded(&self) -> bool {
        self.0.ends_with(b"/**")
    }

    /// The path it means, where it means only one.
    pub(super) fn path(&self) -> Option<ImagePath> {
        let mut path = Vec::with_capacity(self.0.len());
        let mut bytes = self.0.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'\\' => path.push(*bytes.next()?),
                b'*' | b'?' | b'[' | b'{' => return None,
                byte => path.push(byte),
            }
        }
        Some(ImagePath::new(path))
    }

    pub(super) fn is(&self, path: &ImagePath) -> bool {
        fast_glob::glob_match(&self.0, path.as_bytes())
    }

    /// The paths of the tree that it means, no directories, in order; of more than [`MATCH_LIMIT`]
    /// the first ones and one more.
    pub(super) fn matches(&self, tree: &FileTree) -> Vec<ImagePath> {
        if let Some(path) = self.path() {
            let found = tree.resolve_parent(&path).ok();
            let found = found.filter(|found| tree.get(&found.path).is_some_and(|n| !n.is_dir()));
            return found.map(|found| found.path).into_iter().collect();
        }
        let sign = |byte: &u8| b"*?[{\\".contains(byte);
        let plain = self.0.iter().position(sign).unwrap_or(self.0.len());
        let head = &self.0[..plain];
        let slash = head.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let top = ImagePath::new(&head[..slash]);
        // What was found in a directory is looked for where a link now leads to it.
        let Ok(real) = tree.resolve(&top) else {
            return Vec::new();
        };
        let rest = &self.0[slash..];
        let moved = match real.path == top {
            true => self.clone(),
            false => Self([&escape(real.path.as_bytes()), rest].concat().into()),
        };
        let inside = tree.subtree(&real.path);
        let files = inside.filter(|(path, node)| !node.is_dir() && moved.is(path));
        let files = files.map(|(path, _)| path.clone());
        files.take(MATCH_LIMIT + 1).collect()
    }

    /// The same with each dotted version in a name left open behind its first number:
    /// `libx.so.1.2.3` is `libx.so.1.*`, `python3.11` is `python3.*`. `None` without one.
    pub(super) fn loosened(&self) -> Option<Self> {
        self.open(|version| {
            let dot = version.iter().position(|&byte| byte == b'.')?;
            Some([&version[..dot], b".*"].concat())
        })
    }

    /// The same with every number left open: the same name in any version. `None` without one, or
    /// where the last name would say nothing any more.
    pub(super) fn any_version(&self) -> Option<Self> {
        let open = self.open(|_| Some(b"*".to_vec()))?;
        let last = |pattern: &[u8]| {
            let mut names = pattern.rsplit(|&byte| byte == b'/');
            names.next().map(<[u8]>::to_vec)
        };
        let name = last(&open.0)?;
        // A name without a number says what it said before.
        let says = last(&self.0).as_ref() == Some(&name)
            || name
                .iter()
                .filter(|byte| byte.is_ascii_alphabetic())
                .count()
                > 1;
        says.then_some(open)
    }

    /// Replaces every number in it; a number goes on behind a dot, also with an open part.
    fn open(&self, replace: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Self> {
        let bytes = &self.0;
        let mut text = Vec::with_capacity(bytes.len());
        let mut at = 0;
        let mut changed = false;
        while let Some(&byte) = bytes.get(at) {
            if !byte.is_ascii_digit() {
                text.push(byte);
                at += 1;
                continue;
            }
            let digits = |from: usize| {
                bytes[from..]
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count()
            };
            let mut end = at + digits(at);
            while bytes.get(end) == Some(&b'.') {
                let more = match bytes.get(end + 1) {
                    Some(b'*') => 1,
                    Some(_) => digits(end + 1),
                    None => 0,
                };
                if more == 0 {
                    break;
                }
                end += 1 + more;
            }
            // `1.2.3rc1`
            if bytes[at..end].contains(&b'.') {
                end += bytes[end..]
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric())
                    .count();
            }
            match replace(&bytes[at..end]) {
                Some(open) if open != bytes[at..end] => {
                    changed = true;
                    text.extend_from_slice(&open);
                }
                _ => text.extend_from_slice(&bytes[at..end]),
            }
            at = end;
        }
        changed.then(|| Self(text.into()))
    }
}

impl fmt::Display for Pattern {
    /// As it would be typed, without control characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plimsoll_model::text::printable(&self.0))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn escape(path: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(path.len());
    for &byte in path {
        if b"*?[]{}\\".contains(&byte) {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loosened(text: &str) -> Option<String> {
        let pattern = Pattern::literal(&ImagePath::new(text));
        pattern.loosened().map(|pattern| pattern.to_string())
    }

    #[test]
    fn versions_in_names_are_left_open() {
        for (path, open) in [
            ("/usr/lib/libfoo.so.1.2.3", Some("/usr/lib/libfoo.so.1.*")),
            ("/usr/lib/python3.11/x.py", Some("/usr/lib/python3.*/x.py")),
            ("/usr/share/perl/5.36.0/a", Some("/usr/share/perl/5.*/a")),
            ("/gems/rack-2.2.6rc1/lib/x", Some("/gems/rack-2.*/lib/x")),
            ("/lib/libfoo-1.2.so", Some("/lib/libfoo-1.*.so")),
            ("/lib/libfoo.so.1", None),
            ("/usr/lib/jvm/java-17/x", None),
            ("/app/main.py", None),
        ] {
            assert_eq!(loosened(path).as_deref(), open, "{path}");
        }
    }

    #[test]
    fn any_version_still_says_something() {
        let any = |text: &str| {
            let pattern = Pattern::new(text.as_bytes());
            pattern.any_version().map(|pattern| pattern.to_string())
        };
        assert_eq!(any("/l/libx.so.1.*").as_deref(), Some("/l/libx.so.*"));
        assert_eq!(
            any("/jvm/java-17/lib/y").as_deref(),
            Some("/jvm/java-*/lib/y")
        );
        assert_eq!(
            any("/usr/lib/python3.*/**").as_deref(),
            Some("/usr/lib/python*/**")
        );
        assert_eq!(any("/data/12"), None);
        assert_eq!(any("/app/x"), None);
    }

    #[test]
    fn a_literal_means_itself_alone() {
        let path = ImagePath::new("/app/[slug]/{a}*\\b");
        let pattern = Pattern::literal(&path);
        assert_eq!(pattern.path(), Some(path.clone()));
        assert!(pattern.is(&path));
        assert!(!pattern.is(&ImagePath::new("/app/s/{a}*\\b")));
    }
}

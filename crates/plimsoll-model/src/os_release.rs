//! `os-release`: which distribution, and which release of it, an image says it is.

use std::io;

use crate::{Evidence, ImagePath, Problem, Rootfs, text};

/// Where the file lies, in the order it is looked for (os-release(5)).
pub const PATHS: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// More bytes than this are no `os-release`.
pub const LIMIT: u64 = 64 * 1024;

/// The fields of `os-release` that name a distribution and its release; empty where not given.
///
/// Source: os-release(5). A stranger wrote the values: print them through
/// [`crate::text::printable`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsRelease {
    /// `ID`: `debian`, `alpine`; in lower case. The manual's default is `linux`, here it is empty.
    pub id: String,
    /// `ID_LIKE`: the distributions it derives from, nearest first.
    pub id_like: Vec<String>,
    /// `VERSION_ID`: `12`, `24.04`, `3.20.3`; rolling releases have none.
    pub version_id: String,
    /// `VERSION_CODENAME`: `bookworm`.
    pub codename: String,
    /// `NAME`: `Debian GNU/Linux`.
    pub name: String,
    /// `PRETTY_NAME`: `Debian GNU/Linux 12 (bookworm)`.
    pub pretty_name: String,
}

impl OsRelease {
    /// Reads the text of an `os-release`, and says which lines it could not read.
    ///
    /// The last of several assignments to one name counts, as in the shell. Values are unquoted by
    /// the shell's rules for `"`, `'` and `\`; nothing is expanded.
    pub fn parse(text: &[u8], path: &ImagePath) -> (Self, Vec<Problem>) {
        let mut release = Self::default();
        let mut problems = Vec::new();
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let read = std::str::from_utf8(line).ok().and_then(assignment);
            let Some((name, value)) = read else {
                problems.push(Problem {
                    message: format!("`{}` is no assignment", text::printable(short(line))),
                    evidence: Evidence::Line {
                        path: path.clone(),
                        line: index + 1,
                    },
                });
                continue;
            };
            match name {
                "ID" => release.id = value.to_ascii_lowercase(),
                "ID_LIKE" => {
                    release.id_like = value.split_whitespace().map(str::to_owned).collect();
                }
                "VERSION_ID" => release.version_id = value,
                "VERSION_CODENAME" => release.codename = value,
                "NAME" => release.name = value,
                "PRETTY_NAME" => release.pretty_name = value,
                _ => {}
            }
        }
        (release, problems)
    }

    /// Reads the `os-release` of an image, and answers the path it was found at; `None` where the
    /// image has none (scratch, most static images).
    pub fn of(rootfs: &Rootfs) -> (Option<(Self, ImagePath)>, Vec<Problem>) {
        let mut problems = Vec::new();
        for path in PATHS.map(ImagePath::from) {
            match rootfs.read(&path, LIMIT) {
                Ok(text) => {
                    let (release, more) = Self::parse(&text, &path);
                    problems.extend(more);
                    return (Some((release, path)), problems);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    problems.push(Problem::at(&path, format!("cannot be read: {error}")));
                }
            }
        }
        (None, problems)
    }
}

/// `NAME=value`, unquoted.
fn assignment(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.split_once('=')?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    Some((is_name.then_some(name)?, unquote(value)?))
}

/// What the shell makes of one word; `None` where a quote is not closed or a second word follows.
fn unquote(value: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => loop {
                match characters.next()? {
                    '\'' => break,
                    inner => text.push(inner),
                }
            },
            '"' => loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => match characters.next()? {
                        inner @ ('"' | '\\' | '$' | '`') => text.push(inner),
                        inner => text.extend(['\\', inner]),
                    },
                    inner => text.push(inner),
                }
            },
            '\\' => text.push(characters.next()?),
            ' ' | '\t' => {
                let rest = characters.as_str().trim_start();
                return (rest.is_empty() || rest.starts_with('#')).then_some(text);
            }
            other => text.push(other),
        }
    }
    Some(text)
}

/// The start of a line, for a message.
fn short(line: &[u8]) -> &[u8] {
    &line[..line.len().min(60)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (OsRelease, Vec<String>) {
        let (release, problems) = OsRelease::parse(text.as_bytes(), &"/etc/os-release".into());
        (release, problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn debian_and_alpine_are_read() {
        let (release, problems) = parse(
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\
             VERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n\n# a comment\n",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!((&*release.id, &*release.version_id), ("debian", "12"));
        assert_eq!(release.codename, "bookworm");
        assert_eq!(release.pretty_name, "Debian GNU/Linux 12 (bookworm)");
        let (release, _) = parse("ID=alpine\nVERSION_ID=3.20.3\n");
        assert_eq!((&*release.id, &*release.version_id), ("alpine", "3.20.3"));
    }

    #[test]
    fn quotes_are_the_shells() {
        let (release, problems) = parse(
            "NAME='a \"b\" $c'\nPRETTY_NAME=\"a \\\"b\\\" \\$c \\n\"\nID=DeBian # sic\nID_LIKE=\"rhel fedora\"\r\n",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(release.name, "a \"b\" $c");
        assert_eq!(release.pretty_name, "a \"b\" $c \\n");
        assert_eq!(release.id, "debian");
        assert_eq!(release.id_like, ["rhel", "fedora"]);
    }

    #[test]
    fn what_is_no_assignment_is_a_problem_with_its_line() {
        let (release, problems) = parse("ID=debian\nnonsense\nNAME=\"open\nA-B=1\nX=a b\n");
        assert_eq!(release.id, "debian");
        assert_eq!(
            problems,
            [
                "/etc/os-release line 2: `nonsense` is no assignment",
                "/etc/os-release line 3: `NAME=\"open` is no assignment",
                "/etc/os-release line 4: `A-B=1` is no assignment",
                "/etc/os-release line 5: `X=a b` is no assignment",
            ]
        );
    }

    #[test]
    fn an_image_without_one_is_no_problem() {
        assert_eq!(OsRelease::of(&Rootfs::empty()), (None, Vec::new()));
    }
}

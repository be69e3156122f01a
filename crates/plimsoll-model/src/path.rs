//! A path inside an image: absolute, normal, bytes; never a path of this machine.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An absolute, normal path inside an image.
///
/// It is bytes, because image paths need not be UTF-8. It has no `.`, no `..`, no doubled or
/// trailing slash, and `..` above the root stays at the root, so it cannot name anything outside.
/// The order is the order of the bytes; everything below a directory `d` is contiguous
/// (`d/` to `d0`, see [`crate::FileTree::subtree`]).
#[derive(Clone)]
pub struct ImagePath {
    /// Its bytes, maybe with those of other paths around them (see [`Self::pack`]).
    block: Arc<[u8]>,
    start: u32,
    end: u32,
}

impl ImagePath {
    /// The path of these bytes, which are absolute and normal.
    fn of(bytes: &[u8]) -> Self {
        // No name comes near the limit: what holds names is limited to megabytes.
        let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self {
            block: Arc::from(bytes),
            start: 0,
            end,
        }
    }

    /// `/`.
    pub fn root() -> Self {
        Self::of(b"/")
    }

    /// Puts the bytes of many paths into one allocation, which spares 16 bytes and more for each. It
    /// is freed when the last of them goes.
    pub fn pack<'a>(paths: impl IntoIterator<Item = &'a mut Self>) {
        let mut paths: Vec<&mut Self> = paths.into_iter().collect();
        let size = paths.iter().map(|path| path.as_bytes().len()).sum();
        let mut block = Vec::with_capacity(size);
        for path in &paths {
            block.extend_from_slice(path.as_bytes());
        }
        if u32::try_from(block.len()).is_err() {
            return;
        }
        let block: Arc<[u8]> = Arc::from(block);
        let mut start = 0;
        for path in &mut paths {
            let end = start + (path.end - path.start);
            **path = Self {
                block: Arc::clone(&block),
                start,
                end,
            };
            start = end;
        }
    }

    /// The path these bytes name, seen from the root of the image.
    ///
    /// Purely lexical: symbolic links are not followed (see [`crate::FileTree::resolve`]).
    pub fn new(path: impl AsRef<[u8]>) -> Self {
        let path = path.as_ref();
        if is_normal(path) {
            return Self::of(path);
        }
        let mut normal = Vec::with_capacity(path.len() + 1);
        push_all(&mut normal, path);
        if normal.is_empty() {
            normal.push(b'/');
        }
        Self::of(&normal)
    }

    /// `path` seen from this directory: an absolute one starts at the root again. Lexical.
    pub fn join(&self, path: impl AsRef<[u8]>) -> Self {
        let path = path.as_ref();
        if path.first() == Some(&b'/') {
            return Self::new(path);
        }
        let mut normal = if self.is_root() {
            Vec::new()
        } else {
            self.as_bytes().to_vec()
        };
        normal.reserve(path.len() + 1);
        push_all(&mut normal, path);
        if normal.is_empty() {
            normal.push(b'/');
        }
        Self::of(&normal)
    }

    /// The directory this path is in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let bytes = self.as_bytes();
        match bytes.iter().rposition(|&byte| byte == b'/') {
            Some(0) | None => Some(Self::root()),
            Some(slash) => Some(Self::of(&bytes[..slash])),
        }
    }

    /// Every directory above this path, nearest first, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        let bytes = self.as_bytes();
        let slash = bytes.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        &bytes[slash + 1..]
    }

    /// The components from the root down; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.as_bytes()
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
    }

    /// How many components the path has; 0 for the root.
    pub fn depth(&self) -> usize {
        self.components().count()
    }

    /// Whether this path is `directory` itself or lies below it.
    pub fn starts_with(&self, directory: impl AsRef<[u8]>) -> bool {
        let directory = directory.as_ref();
        directory == b"/"
            || self
                .as_bytes()
                .strip_prefix(directory)
                .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        self.end - self.start == 1
    }

    /// The bytes, beginning with `/`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.block[self.start as usize..self.end as usize]
    }

    /// The path as text where it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }

    /// The bytes without the leading slash: the name in a tar archive; empty for the root.
    pub fn relative(&self) -> &[u8] {
        &self.as_bytes()[1..]
    }
}

/// Whether `path` is already absolute and normal, the common case in an index of a layer.
fn is_normal(path: &[u8]) -> bool {
    path.len() > 1
        && path[0] == b'/'
        && path[1..]
            .split(|&byte| byte == b'/')
            .all(|part| !part.is_empty() && part != b"." && part != b"..")
}

/// Appends the components of `path` to `normal`, which is empty or absolute and normal.
fn push_all(normal: &mut Vec<u8>, path: &[u8]) {
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let slash = normal.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                normal.truncate(slash);
            }
            part => {
                normal.push(b'/');
                normal.extend_from_slice(part);
            }
        }
    }
}

impl AsRef<[u8]> for ImagePath {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<[u8]> for ImagePath {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

// As their bytes, which `Borrow` asks for.
impl PartialEq for ImagePath {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ImagePath {}

impl PartialOrd for ImagePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ImagePath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for ImagePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl From<&str> for ImagePath {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl From<&[u8]> for ImagePath {
    fn from(path: &[u8]) -> Self {
        Self::new(path)
    }
}

/// UTF-8 as it is; control characters and what is not UTF-8 as `\xNN`, so that a name chosen by a
/// stranger can neither move the cursor nor forge a line of a report.
impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::text::printable(self.as_bytes()))
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_and_normal_and_never_escapes() {
        for (given, normal) in [
            ("", "/"),
            (".", "/"),
            ("./", "/"),
            ("/", "/"),
            ("//", "/"),
            ("etc/passwd", "/etc/passwd"),
            ("./etc//passwd/", "/etc/passwd"),
            ("/a/./b/../c", "/a/c"),
            ("../../etc/passwd", "/etc/passwd"),
            ("/..", "/"),
            ("/a/../../..", "/"),
        ] {
            assert_eq!(ImagePath::new(given).to_string(), normal, "{given}");
        }
    }

    #[test]
    fn joining_a_relative_path_stays_below_and_an_absolute_one_starts_again() {
        let lib = ImagePath::new("/usr/lib");
        assert_eq!(lib.join("x/y"), ImagePath::new("/usr/lib/x/y"));
        assert_eq!(lib.join("../bin"), ImagePath::new("/usr/bin"));
        assert_eq!(lib.join("/etc"), ImagePath::new("/etc"));
        assert_eq!(lib.join("../../.."), ImagePath::root());
        assert_eq!(ImagePath::root().join("a"), ImagePath::new("/a"));
    }

    #[test]
    fn parents_end_at_the_root() {
        let path = ImagePath::new("/a/b/c");
        let above: Vec<_> = path.ancestors().map(|path| path.to_string()).collect();
        assert_eq!(above, ["/a/b", "/a", "/"]);
        assert_eq!(path.file_name(), b"c");
        assert_eq!(ImagePath::root().parent(), None);
        assert_eq!(ImagePath::root().file_name(), b"");
    }

    #[test]
    fn packed_paths_are_what_they_were() {
        let names = ["/b", "/", "/a/long/path", "/b", "/a"];
        let before: Vec<ImagePath> = names.iter().map(ImagePath::new).collect();
        let mut packed = before.clone();
        ImagePath::pack(&mut packed);
        assert_eq!(before, packed);
        packed.sort();
        let sorted: Vec<String> = packed.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, ["/", "/a", "/a/long/path", "/b", "/b"]);
        let hashed: std::collections::HashSet<_> = packed.iter().collect();
        assert!(hashed.contains(&ImagePath::new("/a/long/path")) && hashed.len() == 4);
        assert_eq!(packed[2].parent(), Some(ImagePath::new("/a/long")));
        assert_eq!(packed[2].join("../x").file_name(), b"x");
        assert!(packed[0].is_root() && !packed[1].is_root());
        ImagePath::pack([]);
    }

    #[test]
    fn starting_with_is_by_component() {
        let path = ImagePath::new("/usr/library");
        assert!(!path.starts_with("/usr/lib"));
        assert!(path.starts_with("/usr"));
        assert!(path.starts_with("/"));
        assert!(path.starts_with("/usr/library"));
    }

    #[test]
    fn a_name_that_is_not_text_is_escaped_and_kept() {
        let path = ImagePath::new(b"/a\xfd\x1b[31m".as_slice());
        assert_eq!(path.to_string(), "/a\\xfd\\x1b[31m");
        assert_eq!(path.as_bytes(), b"/a\xfd\x1b[31m");
    }
}

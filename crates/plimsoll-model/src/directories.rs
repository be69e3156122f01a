//! Where the bytes of an image lie, as a few directories that do not overlap.

use std::collections::BinaryHeap;

use crate::ImagePath;
use crate::census::Counted;

/// Bytes and files of one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRow {
    /// The directory.
    pub directory: ImagePath,
    /// Bytes of the files that are counted.
    pub bytes: u64,
    /// How many they are.
    pub files: u64,
    /// Only the files directly in it are counted: the directories in it have rows of their own.
    pub alone: bool,
}

/// A directory is divided only while it holds more than this part of the image (one in so many).
const PART: u64 = 20;

/// The directories of an image in the making: each is known when its last file was.
pub struct Directories {
    nodes: Vec<Node>,
    open: Vec<usize>,
}

impl Default for Directories {
    fn default() -> Self {
        Self {
            nodes: vec![Node::new(ImagePath::root())],
            open: vec![0],
        }
    }
}

impl Directories {
    /// One more file; they come sorted by path.
    pub fn add(&mut self, file: &Counted) {
        let (nodes, open) = (&mut self.nodes, &mut self.open);
        while open.len() > 1
            && !open
                .last()
                .and_then(|&top| nodes.get(top))
                .is_some_and(|top| file.path.starts_with(&top.path))
        {
            close(open, nodes);
        }
        let parents = file.path.components().count().saturating_sub(1);
        let named = file.path.components().take(parents);
        for part in named.skip(open.len() - 1) {
            let Some(above) = open.last().and_then(|&top| nodes.get(top)) else {
                break;
            };
            let new = nodes.len();
            nodes.push(Node::new(above.path.join(part)));
            if let Some(above) = open.last().and_then(|&top| nodes.get_mut(top)) {
                above.kids.push(new);
            }
            open.push(new);
        }
        if let Some(top) = open.last().and_then(|&top| nodes.get_mut(top)) {
            top.own_bytes = top.own_bytes.saturating_add(file.bytes);
            top.own_files += 1;
        }
    }

    /// The directories that hold the bytes, heaviest first. Each file is counted in one row. A
    /// directory is divided into those below it while it is large and most of it lies further below,
    /// so that `/usr` alone is no answer.
    pub fn rows(mut self) -> Vec<DirectoryRow> {
        while !self.open.is_empty() {
            close(&mut self.open, &mut self.nodes);
        }
        rows(&self.nodes)
    }
}

fn rows(nodes: &[Node]) -> Vec<DirectoryRow> {
    let total = nodes.first().map_or(0, |root| root.bytes);
    let mut rows = Vec::new();
    // By weight, and by number where two weigh the same.
    let mut heap: BinaryHeap<(u64, std::cmp::Reverse<usize>)> = BinaryHeap::new();
    heap.extend(nodes.first().map(|root| (root.bytes, std::cmp::Reverse(0))));
    while let Some((_, std::cmp::Reverse(number))) = heap.pop() {
        let Some(node) = nodes.get(number) else {
            continue;
        };
        let is_large = node.bytes > total / PART || number == 0;
        let lies_below = node.own_bytes < node.bytes / 2 || number == 0;
        let divided = !node.kids.is_empty() && is_large && lies_below;
        if divided {
            let kids = node.kids.iter();
            heap.extend(kids.filter_map(|&kid| {
                let node = nodes.get(kid)?;
                Some((node.bytes, std::cmp::Reverse(kid)))
            }));
        }
        let (bytes, files) = match divided {
            true => (node.own_bytes, node.own_files),
            false => (node.bytes, node.files),
        };
        if files > 0 {
            rows.push(DirectoryRow {
                directory: node.path.clone(),
                bytes,
                files,
                alone: divided,
            });
        }
    }
    rows.sort_by(|one, other| {
        let heavier = other.bytes.cmp(&one.bytes);
        heavier.then_with(|| one.directory.cmp(&other.directory))
    });
    rows
}

struct Node {
    path: ImagePath,
    bytes: u64,
    files: u64,
    own_bytes: u64,
    own_files: u64,
    kids: Vec<usize>,
}

impl Node {
    fn new(path: ImagePath) -> Self {
        Self {
            path,
            bytes: 0,
            files: 0,
            own_bytes: 0,
            own_files: 0,
            kids: Vec::new(),
        }
    }
}

/// Leaves a directory: what it holds is known, and counts for the one above it.
fn close(open: &mut Vec<usize>, nodes: &mut [Node]) {
    let Some(node) = open.pop().and_then(|top| nodes.get_mut(top)) else {
        return;
    };
    node.bytes = node.bytes.saturating_add(node.own_bytes);
    node.files += node.own_files;
    let (bytes, files) = (node.bytes, node.files);
    if let Some(above) = open.last().and_then(|&top| nodes.get_mut(top)) {
        above.bytes = above.bytes.saturating_add(bytes);
        above.files += files;
    }
}

#[cfg(all(test, feature = "fixture"))]
mod tests {
    use super::*;
    use crate::Census;
    use crate::fixture::Fixture;

    fn rows(text: &str) -> Vec<(String, u64, u64, bool)> {
        let fixture = Fixture::bare(text);
        let mut directories = Directories::default();
        for file in &Census::of(&fixture.subject()).files {
            directories.add(file);
        }
        let rows = directories.rows();
        let sum: u64 = rows.iter().map(|row| row.bytes).sum();
        assert_eq!(sum, fixture.rootfs.tree.live_bytes(), "each byte once");
        let rows = rows.into_iter();
        rows.map(|row| {
            (
                row.directory.to_string(),
                row.bytes / 1024,
                row.files,
                row.alone,
            )
        })
        .collect()
    }

    #[test]
    fn a_directory_is_divided_while_most_lies_further_below() {
        let found = rows(
            "/usr/lib/x/a 0644 400k
             /usr/lib/x/b 0644 300k
             /usr/lib/x/deep/c 0644 100k
             /usr/lib/small 0644 5k
             /usr/lib-exec/d 0644 90k
             /etc/e 0644 1k
             /top 0644 2k",
        );
        let found: Vec<_> = found
            .iter()
            .map(|(path, kib, files, alone)| (&**path, *kib, *files, *alone))
            .collect();
        assert_eq!(
            found,
            [
                ("/usr/lib/x", 800, 3, false),
                ("/usr/lib-exec", 90, 1, false),
                ("/usr/lib", 5, 1, true),
                ("/", 2, 1, true),
                ("/etc", 1, 1, false),
            ]
        );
    }

    #[test]
    fn an_image_without_files_has_no_row() {
        assert_eq!(rows("/empty/ dir 0755"), []);
    }
}

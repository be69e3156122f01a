//! The files of an image as a tree of directories, small enough for a page.

use std::collections::BTreeMap;

use plimsoll_model::ImagePath;

/// What a page may spend on names and numbers of files, in bytes, before small files are put
/// together.
const BUDGET: usize = 8 << 20;
/// What a file costs beside its name: five numbers.
const EACH: usize = 24;
/// Files below the first are put together first, then below the next, until it fits.
const SMALL: [u64; 6] = [1 << 12, 1 << 16, 1 << 20, 1 << 24, 1 << 30, u64::MAX];

/// What files have in common that may be put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marks {
    pub(super) layer: u32,
    pub(super) owner: u32,
    pub(super) why: u32,
}

/// A file, or several small ones of a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its name, fit to print; empty for several.
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) files: u64,
    pub(super) marks: Marks,
}

/// A directory.
#[derive(Debug, Default)]
pub(super) struct Dir {
    pub(super) name: String,
    pub(super) dirs: Vec<Dir>,
    pub(super) leaves: Vec<Leaf>,
}

/// The tree of these files, which come sorted by path. Where they are too many for a page, the
/// smallest are put together; no byte is left out.
pub(super) fn tree<'a>(files: impl Iterator<Item = (&'a ImagePath, u64, Marks)>) -> Dir {
    let mut open = vec![(Vec::new(), Dir::default())];
    for (path, bytes, marks) in files {
        let parts: Vec<&[u8]> = path.components().collect();
        let Some((name, parents)) = parts.split_last() else {
            continue;
        };
        let same = open.iter().skip(1).zip(parents);
        let same = same.take_while(|((open, _), part)| open == *part).count();
        close(&mut open, same + 1);
        for part in parents.iter().skip(same) {
            let dir = Dir {
                name: plimsoll_model::text::printable(part),
                ..Dir::default()
            };
            open.push((part.to_vec(), dir));
        }
        if let Some((_, dir)) = open.last_mut() {
            dir.leaves.push(Leaf {
                name: plimsoll_model::text::printable(name),
                bytes,
                files: 1,
                marks,
            });
        }
    }
    close(&mut open, 1);
    let mut root = open.pop().map(|(_, root)| root).unwrap_or_default();
    for small in SMALL {
        if cost(&root) <= BUDGET {
            break;
        }
        fold(&mut root, small);
    }
    root
}

/// Puts the innermost open directories into those above them until `left` are open.
fn close(open: &mut Vec<(Vec<u8>, Dir)>, left: usize) {
    while open.len() > left {
        let Some((_, dir)) = open.pop() else { break };
        if let Some((_, above)) = open.last_mut() {
            above.dirs.push(dir);
        }
    }
}

fn cost(dir: &Dir) -> usize {
    let leaves = dir.leaves.iter().map(|leaf| leaf.name.len() + EACH);
    let dirs = dir.dirs.iter().map(cost);
    dir.name.len() + EACH + leaves.sum::<usize>() + dirs.sum::<usize>()
}

/// Puts together the files of each directory that are below `small`, and directories that are so
/// as a whole with them.
fn fold(dir: &mut Dir, small: u64) {
    let mut together: BTreeMap<Marks, (u64, u64)> = BTreeMap::new();
    for mut sub in std::mem::take(&mut dir.dirs) {
        fold(&mut sub, small);
        if bytes(&sub) < small {
            absorb(sub, &mut together);
        } else {
            dir.dirs.push(sub);
        }
    }
    for leaf in std::mem::take(&mut dir.leaves) {
        if leaf.bytes < small {
            add(&leaf, &mut together);
        } else {
            dir.leaves.push(leaf);
        }
    }
    let rest = together.into_iter().map(|(marks, (bytes, files))| Leaf {
        name: String::new(),
        bytes,
        files,
        marks,
    });
    dir.leaves.extend(rest);
}

fn absorb(dir: Dir, together: &mut BTreeMap<Marks, (u64, u64)>) {
    for leaf in &dir.leaves {
        add(leaf, together);
    }
    for sub in dir.dirs {
        absorb(sub, together);
    }
}

fn add(leaf: &Leaf, together: &mut BTreeMap<Marks, (u64, u64)>) {
    let (bytes, files) = together.entry(leaf.marks).or_default();
    *bytes = bytes.saturating_add(leaf.bytes);
    *files += leaf.files;
}

/// Sizes are a stranger's: their sum stops at the largest number.
fn bytes(dir: &Dir) -> u64 {
    let leaves = dir.leaves.iter().map(|leaf| leaf.bytes);
    let dirs = dir.dirs.iter().map(bytes);
    leaves.chain(dirs).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks = Marks {
        layer: 0,
        owner: 0,
        why: 0,
    };

    fn of(paths: &[(String, u64)]) -> Dir {
        let mut paths: Vec<(ImagePath, u64)> = paths
            .iter()
            .map(|(path, bytes)| (ImagePath::new(path), *bytes))
            .collect();
        paths.sort();
        tree(paths.iter().map(|(path, bytes)| (path, *bytes, MARKS)))
    }

    fn files(dir: &Dir) -> u64 {
        let own: u64 = dir.leaves.iter().map(|leaf| leaf.files).sum();
        own + dir.dirs.iter().map(files).sum::<u64>()
    }

    #[test]
    fn paths_become_directories_also_where_a_name_sorts_before_a_slash() {
        let paths = ["/a/b/c", "/a/b-d", "/a/b/e/f", "/a-x", "/z"];
        let root = of(&paths.map(|path| (path.to_owned(), 1)));
        assert_eq!(root.dirs.len(), 1);
        assert_eq!(root.leaves.len(), 2);
        let a = &root.dirs[0];
        assert_eq!((&*a.name, a.dirs.len(), a.leaves.len()), ("a", 1, 1));
        assert_eq!(a.dirs[0].dirs[0].leaves[0].name, "f");
        assert_eq!((bytes(&root), files(&root)), (5, 5));
    }

    #[test]
    fn too_many_files_fit_and_no_byte_is_lost() {
        const FILES: u64 = 400_000;
        let paths: Vec<(String, u64)> = (0..FILES)
            .map(|n| (format!("/d{}/e{}/file-{n}", n % 10, n % 1000), n))
            .collect();
        let root = of(&paths);
        assert!(cost(&root) <= BUDGET, "{}", cost(&root));
        assert_eq!(files(&root), FILES);
        assert_eq!(bytes(&root), FILES * (FILES - 1) / 2);
    }

    #[test]
    fn a_hundred_thousand_files_are_all_there() {
        let paths: Vec<(String, u64)> = (0..100_000)
            .map(|n| (format!("/usr/lib/p{}/module_{n}.py", n / 100), 64))
            .collect();
        let root = of(&paths);
        assert!(
            root.dirs[0].dirs[0]
                .dirs
                .iter()
                .all(|dir| dir.leaves.len() == 100)
        );
    }
}

//! Which names in an image start a program of a given kind: links resolved, copies by hard link
//! found, scripts and look-alikes told apart.

use std::collections::BTreeMap;

use plimsoll_model::{Evidence, FileTree, ImagePath, Kind, Node, Subject};

/// One program file and the names by which it can be started as the kind looked for.
pub(crate) struct Program {
    /// The number the caller gave to its kind.
    pub(crate) group: usize,
    /// The file itself, free of links.
    pub(crate) file: ImagePath,
    /// Its names, sorted; the file is one of them unless it is many programs in one.
    pub(crate) names: Vec<ImagePath>,
}

/// What scripts (files that begin with `#!`) are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    /// Never the program looked for: a script named `sh` is no shell.
    No,
    /// The program looked for, if they lie where programs lie: `dnf` is a script in `/usr/bin`,
    /// but `/etc/init.d/ssh` is not `ssh`.
    InProgramDirectories,
}

/// The programs whose name `wanted` gives a group, with every other name of the same file.
///
/// A file counts if somebody may execute it; a link that leads nowhere starts nothing. A file that
/// cannot be read is taken for a program: its name and mode say so.
pub(crate) fn find(
    subject: &Subject,
    scripts: Scripts,
    wanted: impl Fn(&ImagePath, &str) -> Option<usize>,
) -> Vec<Program> {
    let tree = &subject.rootfs.tree;
    let mut programs: BTreeMap<u32, Program> = BTreeMap::new();
    for (path, node) in tree.iter() {
        let Some(name) = std::str::from_utf8(path.file_name()).ok() else {
            continue;
        };
        if node.is_dir() || is_aside(path, node) {
            continue;
        }
        let Some(group) = wanted(path, name) else {
            continue;
        };
        let Some((file, target)) = program_at(tree, path) else {
            continue;
        };
        let counts = !is_script(subject, &file)
            || scripts == Scripts::InProgramDirectories && is_program_directory(subject, path);
        if counts {
            let program = programs.entry(target.inode).or_insert_with(|| Program {
                group,
                file,
                names: Vec::new(),
            });
            program.names.push(path.clone());
        }
    }
    if !programs.is_empty() {
        add_other_names(tree, &mut programs);
    }
    let mut programs: Vec<Program> = programs.into_values().collect();
    programs.sort_by(|one, other| (one.group, &one.file).cmp(&(other.group, &other.file)));
    programs
}

/// The number of the family a name is of: what a family is, and the names of its programs.
pub(crate) fn family(families: &[(&str, &[&str])], name: &str) -> Option<usize> {
    families.iter().position(|(_, names)| names.contains(&name))
}

/// The names of all these programs, sorted.
pub(crate) fn names(programs: Vec<Program>) -> Vec<ImagePath> {
    let mut names: Vec<ImagePath> = programs
        .into_iter()
        .flat_map(|program| program.names)
        .collect();
    names.sort();
    names
}

/// A path as evidence, with the layer that wrote it and its bytes.
pub(crate) fn evidence(tree: &FileTree, path: &ImagePath) -> Evidence {
    let node = tree.get(path);
    Evidence::Path {
        path: path.clone(),
        layer: node.map_or(0, |node| node.layer),
        size: node.map_or(0, Node::size),
    }
}

/// The file that `path` starts, links followed; `None` where it starts nothing.
pub(crate) fn program_at<'a>(
    tree: &'a FileTree,
    path: &ImagePath,
) -> Option<(ImagePath, &'a Node)> {
    let file = tree.resolve(path).ok()?.path;
    let node = tree.get(&file)?;
    node.is_executable().then_some((file, node))
}

/// Whether the file at `path` begins with `#!`. One that cannot be read does not.
pub(crate) fn is_script(subject: &Subject, path: &ImagePath) -> bool {
    let head = subject.rootfs.read_head(path, 2);
    head.is_ok_and(|head| head == b"#!")
}

/// The names as a sentence shows them: the first few, and how many more.
pub(crate) fn some(names: &[ImagePath]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Paths that bear a program's name and are another thing: the indirections of
/// update-alternatives(1), and the transports of apt(8), which speak apt's own protocol.
fn is_aside(path: &ImagePath, node: &Node) -> bool {
    let is_link = matches!(node.kind, Kind::Symlink(_));
    is_link && path.starts_with("/etc") || path.starts_with("/usr/lib/apt/methods")
}

/// Whether programs are looked for in the directory of `path`.
fn is_program_directory(subject: &Subject, path: &ImagePath) -> bool {
    let directory = path.parent().unwrap_or_else(ImagePath::root);
    let by_name = matches!(directory.file_name(), b"bin" | b"sbin");
    let mut search = subject.image.config.search_path();
    by_name || search.any(|searched| ImagePath::new(searched) == directory)
}

/// Adds every other name by which the files of `programs` can be reached, except where one file is
/// many programs and does what its name says (`ls -> busybox` starts no shell).
fn add_other_names(tree: &FileTree, programs: &mut BTreeMap<u32, Program>) {
    let mut others: BTreeMap<u32, Vec<ImagePath>> = BTreeMap::new();
    for (path, node) in tree.iter() {
        let inode = match node.kind {
            Kind::File { .. } => node.inode,
            Kind::Symlink(_) => match program_at(tree, path) {
                Some((_, target)) => target.inode,
                None => continue,
            },
            _ => continue,
        };
        if programs.contains_key(&inode) {
            others.entry(inode).or_default().push(path.clone());
        }
    }
    for (inode, program) in programs {
        let others = others.remove(inode).unwrap_or_default();
        if is_multicall(&program.file) || others.iter().any(is_applet) {
            continue;
        }
        let aside = |path: &ImagePath| tree.get(path).is_none_or(|node| is_aside(path, node));
        program
            .names
            .extend(others.into_iter().filter(|path| !aside(path)));
        program.names.sort();
        program.names.dedup();
    }
}

/// Whether the file is by name one of those that hold many programs.
pub(crate) fn is_multicall(file: &ImagePath) -> bool {
    let name = file.file_name();
    [&b"busybox"[..], b"toybox", b"sbase-box"]
        .iter()
        .any(|known| name.starts_with(known))
}

/// Names that only a file with many programs in it answers to beside its own.
fn is_applet(path: &ImagePath) -> bool {
    matches!(path.file_name(), b"ls" | b"cat" | b"cp" | b"[" | b"mount")
}

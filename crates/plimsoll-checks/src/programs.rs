//! Which names in an image start a program of a given kind: links resolved, copies by hard link
//! found, scripts and look-alikes told apart.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{Evidence, FileTree, ImagePath, Kind, Node, Subject};

/// One program file and the names by which it can be started as the kind looked for.
pub(crate) struct Program {
    /// The number the caller gave to its kind.
    pub(crate) group: usize,
    /// The file itself, free of links.
    pub(crate) file: ImagePath,
    /// Its names, sorted; the file is one of them unless it is many programs in one.
    pub(crate) names: Vec<ImagePath>,
    /// The file is many programs in one and does what its name says, as BusyBox does.
    pub(crate) multicall: bool,
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

/// The programs whose name `wanted` gives a group, with every other name of the same file; sorted
/// by group and file.
///
/// A file counts if somebody may execute it; a link that leads nowhere starts nothing. A file that
/// cannot be read is taken for a program: its name and mode say so.
pub(crate) fn find(
    subject: &Subject,
    scripts: Scripts,
    wanted: impl Fn(&ImagePath, &str) -> Option<usize>,
) -> Vec<Program> {
    let tree = &subject.rootfs.tree;
    // By file and group: BusyBox is a shell, a downloader and more, each by other names.
    let mut programs: BTreeMap<(u32, usize), Program> = BTreeMap::new();
    for (path, node) in tree.iter() {
        let could_start = node.is_executable() || matches!(node.kind, Kind::Symlink(_));
        if !could_start || is_aside(path, node) {
            continue;
        }
        let Ok(name) = std::str::from_utf8(path.file_name()) else {
            continue;
        };
        let Some(group) = wanted(path, name) else {
            continue;
        };
        let Some((file, target)) = program_at(tree, path) else {
            continue;
        };
        let counts = !is_script(subject, &file)
            || scripts == Scripts::InProgramDirectories && is_program_directory(subject, path);
        if counts {
            let program = programs
                .entry((target.inode, group))
                .or_insert_with(|| Program {
                    group,
                    file,
                    names: Vec::new(),
                    multicall: false,
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

/// The programs of each family that are in the image, by the number of the family: all names,
/// sorted. `base` takes a version and the like off a name.
pub(crate) fn by_family(
    subject: &Subject,
    families: &[(&str, &[&str])],
    base: fn(&str) -> &str,
) -> BTreeMap<usize, Vec<ImagePath>> {
    let programs = find(subject, Scripts::InProgramDirectories, |_, name| {
        family(families, base(name))
    });
    let mut found: BTreeMap<usize, Vec<ImagePath>> = BTreeMap::new();
    for program in programs {
        found
            .entry(program.group)
            .or_default()
            .extend(program.names);
    }
    for names in found.values_mut() {
        names.sort();
        names.dedup();
    }
    found
}

/// Paths as evidence.
pub(crate) fn evidence_of(tree: &FileTree, paths: &[ImagePath]) -> Vec<Evidence> {
    paths.iter().map(|path| evidence(tree, path)).collect()
}

/// A name without a version behind it: `gcc-12` is a `gcc`, `python3.11` a `python`.
pub(crate) fn without_version(name: &str) -> &str {
    let base = name.trim_end_matches(|sign: char| sign.is_ascii_digit() || ".-".contains(sign));
    if base.is_empty() { name } else { base }
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
    names.dedup();
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

/// The file a runtime would execute: the first word of the command line, along `PATH` where it has
/// no slash, from the working directory where it is relative.
pub(crate) fn started(subject: &Subject) -> Option<ImagePath> {
    let command = subject.image.config.command_line();
    called(subject, command.first()?)
}

/// The file a runtime would execute for the first word of a command.
pub(crate) fn called(subject: &Subject, word: &str) -> Option<ImagePath> {
    let config = &subject.image.config;
    let file = |path: &ImagePath| Some(program_at(&subject.rootfs.tree, path)?.0);
    if word.contains('/') {
        return file(&ImagePath::new(&config.working_dir).join(word));
    }
    let mut directories = config.search_path().map(ImagePath::new);
    directories.find_map(|directory| file(&directory.join(word)))
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
/// many programs (`ls -> busybox` starts no shell).
fn add_other_names(tree: &FileTree, programs: &mut BTreeMap<(u32, usize), Program>) {
    let files: BTreeSet<u32> = programs.keys().map(|(inode, _)| *inode).collect();
    let mut others = other_names(tree, &files);
    let mut of = BTreeMap::new();
    for inode in files {
        let names = others.remove(&inode).unwrap_or_default();
        of.insert(inode, names);
    }
    for ((inode, _), program) in programs {
        let others = &of[inode];
        let box_name = others.iter().find(|name| is_box(name));
        program.multicall = box_name.is_some() || others.iter().any(is_applet);
        if program.multicall {
            if let Some((file, _)) = box_name.and_then(|name| program_at(tree, name)) {
                program.file = file;
            }
            continue;
        }
        let aside = |path: &ImagePath| tree.get(path).is_none_or(|node| is_aside(path, node));
        program
            .names
            .extend(others.iter().filter(|path| !aside(path)).cloned());
        program.names.sort();
        program.names.dedup();
    }
}

/// All names of these files, hard and symbolic, by file.
///
/// A symbolic link is followed only if its target ends in a name one of the files is known by, and
/// then makes its own name known: most trees have thousands of links to other things.
fn other_names(tree: &FileTree, files: &BTreeSet<u32>) -> BTreeMap<u32, Vec<ImagePath>> {
    let mut names: BTreeMap<u32, Vec<ImagePath>> = BTreeMap::new();
    let mut known: BTreeSet<&[u8]> = BTreeSet::new();
    let mut links: Vec<(&ImagePath, &[u8])> = Vec::new();
    for (path, node) in tree.iter() {
        match &node.kind {
            Kind::File { .. } if files.contains(&node.inode) => {
                names.entry(node.inode).or_default().push(path.clone());
                known.insert(path.file_name());
            }
            Kind::Symlink(target) => {
                let end = target.rsplit(|&byte| byte == b'/').next();
                links.push((path, end.unwrap_or(target)));
            }
            _ => {}
        }
    }
    loop {
        let before = (links.len(), known.len());
        links.retain(|(path, end)| {
            if !known.contains(end) {
                return true;
            }
            if let Some((_, target)) = program_at(tree, path)
                && files.contains(&target.inode)
            {
                names.entry(target.inode).or_default().push((*path).clone());
                known.insert(path.file_name());
            }
            false
        });
        if before == (links.len(), known.len()) {
            return names;
        }
    }
}

/// Whether the file is by name one of those that hold many programs.
fn is_box(file: &ImagePath) -> bool {
    [&b"busybox"[..], b"toybox", b"sbase-box"]
        .iter()
        .any(|known| file.file_name().starts_with(known))
}

/// Names that only a file with many programs in it answers to beside its own.
fn is_applet(path: &ImagePath) -> bool {
    matches!(path.file_name(), b"ls" | b"cat" | b"cp" | b"[" | b"mount")
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    use super::*;

    /// The programs named `sh` or `nc`: `group file: names`, and a star for many in one.
    fn found(text: &str) -> Vec<String> {
        let fixture = Fixture::new(text);
        let programs = find(&fixture.subject(), Scripts::No, |_, name| {
            ["sh", "nc"].iter().position(|known| *known == name)
        });
        let shown = programs.into_iter().map(|program| {
            let names: Vec<String> = program.names.iter().map(ImagePath::to_string).collect();
            let star = if program.multicall { "*" } else { "" };
            let names = names.join(" ");
            format!("{} {}{star}: {names}", program.group, program.file)
        });
        shown.collect()
    }

    #[test]
    fn every_name_of_a_file_is_found() {
        let text = "/bin -> usr/bin\n/usr/bin/dash 0755 1k\n/usr/bin/sh -> dash\n\
                    /opt/a -> /bin/sh\n/opt/b -> a\n/opt/c = /usr/bin/dash\n/opt/d -> nowhere/sh\n\
                    /etc/alternatives/sh -> /bin/dash";
        assert_eq!(
            found(text),
            ["0 /usr/bin/dash: /opt/a /opt/b /opt/c /usr/bin/dash /usr/bin/sh"]
        );
    }

    #[test]
    fn many_programs_in_one_file_are_what_they_are_called() {
        for link in ["= /bin/busybox", "-> /bin/busybox"] {
            let text = format!(
                "/bin/busybox 0755 1k\n/bin/ash {link}\n/bin/ls {link}\n/bin/nc {link}\n\
                 /usr/bin/sh {link}"
            );
            assert_eq!(
                found(&text),
                ["0 /bin/busybox*: /usr/bin/sh", "1 /bin/busybox*: /bin/nc"]
            );
        }
    }

    #[test]
    fn a_renamed_box_is_known_by_what_else_it_is_called() {
        let text = "/opt/tools 0755 1k\n/bin/sh -> /opt/tools\n/bin/cat -> /opt/tools";
        assert_eq!(found(text), ["0 /opt/tools*: /bin/sh"]);
    }

    #[test]
    fn a_ring_of_links_is_no_program() {
        assert_eq!(found("/bin/sh -> nc\n/bin/nc -> sh"), [""; 0]);
    }

    #[test]
    fn the_started_program_is_found_as_a_runtime_finds_it() {
        for (config, file) in [
            ("ENTRYPOINT tool --flag", "/usr/bin/tool"),
            ("ENTRYPOINT ./tool\nWORKDIR /srv", "/srv/tool"),
            ("ENTRYPOINT bin/../tool\nWORKDIR /srv", "/srv/tool"),
            ("ENTRYPOINT tool\nENV PATH=/nowhere:/srv", "/srv/tool"),
            ("ENTRYPOINT /link", "/srv/tool"),
            ("ENTRYPOINT nothing", "none"),
            ("ENTRYPOINT /srv", "none"),
        ] {
            let text = format!(
                "/usr/bin/tool 0755 1k\n/srv/tool 0755 1k\n/bin/tool 0644 1k\n\
                 /link -> srv/tool\n{config}"
            );
            let fixture = Fixture::new(&text);
            let found = started(&fixture.subject());
            let found = found.map_or("none".to_owned(), |path| path.to_string());
            assert_eq!(found, file, "{config}");
        }
    }

    #[test]
    fn directories_and_devices_are_no_programs() {
        assert_eq!(found("/usr/share/sh/ dir 0755\n/dev/sh char 1 3"), [""; 0]);
    }
}

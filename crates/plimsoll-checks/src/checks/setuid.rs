//! `setuid`: programs that run with other rights than those of who starts them.

use std::collections::BTreeMap;

use plimsoll_model::{ImagePath, Node, Severity, Subject};

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Keep only needed packages: `su`, `mount`, `passwd` and the like come with the base and serve
    /// nobody in a container, but they run as root whoever starts them. Each is a way from the
    /// application's user up to root, as soon as one of them has a hole.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/su     04755 71k          # finding
    /// /usr/bin/mount  04755 59k          # finding
    /// /usr/bin/chage  02755 72k 0:42     # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The bits mean nothing on a file nobody may execute, and the kernel ignores them on scripts;
    /// on a directory they mean another thing: new files inherit its group.
    ///
    /// ```image
    /// /usr/bin/su          0755 71k
    /// /srv/notes           04644 1k
    /// /srv/locked          02744 1k
    /// /usr/local/bin/up    04755 "#!/app\n"
    /// /srv/shared/         dir 02775
    /// ```
    ///
    /// ## Remedy
    ///
    /// Take the bits off in the layer that brings the files
    /// (`RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +`), run with
    /// `--security-opt no-new-privileges`, or let `plimsoll slim IMAGE` leave the programs ashore.
    id: "setuid",
    practice: "keep only needed packages",
    summary: "a program runs with the rights of its owner or group, whoever starts it",
    severity: Medium,
    development: Low,
    run: run,
}

/// Runs as its owner.
const SET_UID: u32 = 0o4000;
/// Runs as its group.
const SET_GID: u32 = 0o2000;

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let has_packages = !look.inventory.databases.is_empty();
    let mut groups: BTreeMap<(bool, u32, bool), Vec<ImagePath>> = BTreeMap::new();
    for (path, node) in programs(look) {
        // A distribution's set-uid programs are known and looked after; these nobody knows.
        let stray = has_packages && !look.is_owned(path);
        if is_set_uid(node) {
            let group = groups.entry((false, node.meta.uid, stray)).or_default();
            group.push(path.clone());
        }
        if is_set_gid(node) {
            let group = groups.entry((true, node.meta.gid, stray)).or_default();
            group.push(path.clone());
        }
    }
    for ((is_group, id, stray), names) in groups {
        let rights = match (is_group, id) {
            (false, 0) => "root".to_owned(),
            (false, id) => format!("user {id}"),
            (true, id) => format!("group {id}"),
        };
        let (runs, them) = match names.len() {
            1 => ("runs", "it"),
            _ => ("run", "them"),
        };
        let shown = programs::some(&names);
        let evidence = names.iter().map(|name| programs::evidence(tree, name));
        let (severity, stranger) = match stray {
            true => (Severity::High, ", and no package brought "),
            false => (CHECK.severity, ""),
        };
        let brought = if stray { them } else { "" };
        findings.add_as(
            severity,
            format!(
                "{shown} {runs} with the rights of {rights}, whoever starts {them}\
                 {stranger}{brought}"
            ),
            evidence.collect(),
            "RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +",
        );
    }
}

/// The set-uid and set-gid programs.
pub(crate) fn names(subject: &Subject) -> Vec<ImagePath> {
    programs(subject).map(|(path, _)| path.clone()).collect()
}

fn programs<'a>(subject: &'a Subject) -> impl Iterator<Item = (&'a ImagePath, &'a Node)> {
    let marked = |node: &Node| is_set_uid(node) || is_set_gid(node);
    let nodes = subject.rootfs.tree.iter();
    nodes.filter(move |(path, node)| marked(node) && !programs::is_script(subject, path))
}

fn is_set_uid(node: &Node) -> bool {
    node.is_executable() && node.meta.mode & SET_UID != 0
}

/// Without the group's right to execute, the bit once marked files for mandatory locking and means
/// nothing today.
fn is_set_gid(node: &Node) -> bool {
    node.is_file() && node.meta.mode & SET_GID != 0 && node.meta.mode & 0o010 != 0
}

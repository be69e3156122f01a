//! What stays of the tree although it holds no bytes: directories, links, devices, mount points.
//!
//! Most slimmed images that break miss a directory (`/var/lock`, `/var/lib/nginx/body`); a thousand
//! of them cost 15 kB compressed.

use plimsoll_model::{FileTree, ImagePath, Kind, Plan, Reason};

use crate::keep::Keep;
use crate::scene::Scene;
use crate::valve;

/// Keeps every directory, link, device and pipe, and the empty files a runtime mounts over.
///
/// A link stays whether its target does or not, because it stood in the original as it stands now;
/// except one that leads to a program that was left ashore: `/bin/sh` must not be there to see if
/// it is not there to run.
pub(crate) fn add(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let tree = scene.tree();
    let reason = Reason::rule("skeleton");
    for (path, node) in tree.iter() {
        if keep.keeps(path) {
            continue;
        }
        let stays = match &node.kind {
            Kind::Dir | Kind::Device { .. } | Kind::Fifo => true,
            Kind::Symlink(_) => !leads_to_program_ashore(scene, keep.plan(), path),
            Kind::File { size, .. } => *size == 0 && is_mount_point(path),
        };
        if stays {
            keep.carry(path, reason.clone());
        }
    }
    parents(tree, keep);
}

/// Above everything kept there is a directory, also where a pattern excludes it.
fn parents(tree: &FileTree, keep: &mut Keep<'_>) {
    let kept = keep.plan().keep.keys();
    let missing: std::collections::BTreeSet<ImagePath> = kept
        .flat_map(ImagePath::ancestors)
        .filter(|path| tree.contains(path) && !keep.keeps(path))
        .collect();
    for path in missing {
        keep.hold(&path, Reason::rule("skeleton"));
    }
}

fn leads_to_program_ashore(scene: &Scene<'_>, plan: &Plan, link: &ImagePath) -> bool {
    let Ok(found) = scene.tree().resolve(link) else {
        return false;
    };
    let node = scene.tree().get(&found.path);
    let starts_it = valve::in_program_directory(scene, link)
        && node.is_some_and(plimsoll_model::Node::is_executable);
    (starts_it || scene.is_program(&found.path)) && !plan.keeps(&found.path)
}

/// Empty files where runtimes mount something: `/etc/resolv.conf`, `/dev/console`, `/run/...`.
fn is_mount_point(path: &ImagePath) -> bool {
    ["/dev", "/etc", "/proc", "/run", "/sys"]
        .iter()
        .any(|directory| path.starts_with(directory))
}

//! Programs that load whatever lies in a directory of theirs.

use std::collections::BTreeSet;

use plimsoll_model::{ImagePath, Node, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::plugins;
use crate::scene::{Look, Scene};
use crate::valve::{self, Cap};

follower! {
    /// A program that loads with libltdl (`lt_dlopen`, GNU Libtool's manual, "Using libltdl") knows
    /// a directory of plug-ins and takes from it what the data at hand asks for: ImageMagick a
    /// coder for each format. The directory is compiled in. Plug-ins in it come along, with the
    /// `.la` file beside each by which libltdl finds it, as far as they need little (4 MB each, 16
    /// MB together) that the program does not need itself; the others are noted. So does what lies
    /// in its other directories, where its settings are.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/draw
    /// /usr/bin/draw 0755 elf symbol=lt_dlopen needed=libz.so.1 text=/usr/lib/draw-1//coders,/etc/draw/,/usr/lib # kept
    /// /usr/lib/libz.so.1 0644 elf                                              # kept [elf]
    /// /usr/lib/libfat.so.1 0644 5000k
    /// /usr/lib/draw-1/coders/png.so 0644 elf needed=libz.so.1                  # kept [plug-ins]
    /// /usr/lib/draw-1/coders/png.la 0644 "dlname='png.so'\n"                   # kept [plug-ins]
    /// /usr/lib/draw-1/coders/fat.so 0644 elf needed=libgone.so.1
    /// /usr/lib/draw-1/coders/fat.la 0644 "dlname='fat.so'\n"
    /// /usr/lib/other.so 0644 elf
    /// /etc/draw/policy.xml 0644 "<x/>"                                         # kept [plug-ins]
    /// ```
    ///
    /// ## Not followed
    ///
    /// Who loads with `dlopen` is asked by its configuration which modules to load; the rows of
    /// apache, nginx and php read that.
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/draw
    /// /usr/bin/draw 0755 elf symbol=dlopen text=/usr/lib/draw-1/coders          # kept
    /// /usr/lib/draw-1/coders/png.so 0644 elf
    /// ```
    id: "plug-ins",
    follow: follow,
}

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return;
    };
    let loads = ["lt_dlopen", "lt_dlopenadvise", "lt_dlopenext"];
    if !loads.iter().any(|name| elf.symbols.contains(name)) {
        return;
    }
    let mut seen = BTreeSet::new();
    for named in &elf.paths {
        let Ok(found) = scene.tree().resolve(&ImagePath::new(named)) else {
            continue;
        };
        let directory = found.path;
        let is_dir = scene.tree().get(&directory).is_some_and(Node::is_dir);
        if !is_dir || valve::is_generic(&directory) || valve::is_ballast(&directory) {
            continue;
        }
        if seen.insert(directory.clone()) && !load_from(scene, path, &directory, keep) {
            let reason = Reason::by("plug-ins", path, format!("reads {directory}"));
            keep.tree(&directory, Cap::NAMED, reason);
        }
    }
}

/// Takes the plug-ins of a directory; answers whether it is one that holds some, or is above one.
fn load_from(
    scene: &Scene<'_>,
    path: &ImagePath,
    directory: &ImagePath,
    keep: &mut Keep<'_>,
) -> bool {
    let is_library = |path: &ImagePath| {
        path.file_name().ends_with(b".so") && matches!(&*scene.look(path), Look::Elf(_))
    };
    let children = scene.tree().children(directory).map(|(child, _)| child);
    let candidates: BTreeSet<ImagePath> = children
        .filter(|child| is_library(child))
        .cloned()
        .collect();
    if candidates.is_empty() {
        let mut below = scene.tree().subtree(directory);
        return below.any(|(child, _)| child.file_name().ends_with(b".so"));
    }
    let choice = plugins::choose(
        scene,
        std::slice::from_ref(path),
        &[],
        &candidates,
        plugins::EACH,
    );
    for plugin in choice.taken {
        let reason = || Reason::by("plug-ins", path, format!("may load from {directory}"));
        let stem = plugin.as_bytes().strip_suffix(b".so").unwrap_or_default();
        let description = ImagePath::new([stem, b".la"].concat());
        keep.path(&plugin, Pull::Opened, reason());
        keep.path(&description, Pull::Named, reason());
    }
    if !choice.dear.is_empty() {
        let names = choice.dear.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!("plug-ins were left ashore for what they need: {names}");
        keep.problem(directory, message);
    }
    true
}

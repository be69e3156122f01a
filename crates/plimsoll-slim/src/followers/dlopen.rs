//! Libraries that are loaded by name while the program runs.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::Level;
use crate::keep::{Keep, Pull};
use crate::loader::Loader;
use crate::owners::is_base;
use crate::scene::{Look, Scene};

follower! {
    /// What is loaded with `dlopen` appears in no dynamic section. Programs that say what they may
    /// load do it in a `.note.dlopen` (UAPI group, "ELF dlopen metadata"): what they require or
    /// recommend comes along, what they merely suggest does not.
    ///
    /// The others are read: a name like `libz.so.1` in the constant data of an object that imports
    /// `dlopen`, of a library that is in a directory the loader searches. Up to 8 MiB it comes
    /// along; a larger one is noted, because a guess must not cost that much. Where a run was
    /// watched, names in libraries of the distribution and in the base's packages are not guessed
    /// at: libselinux names what any tool may want of it, not what this application does. At the
    /// level `file` only the names in what no package owns are.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server            0755 elf symbol=dlopen text=libsql.so.0  # kept
    /// /usr/lib/libsql.so.0 0644 elf                               # kept [dlopen]
    /// ```
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server               0755 elf dlopen=required:libzip.so.1,suggested:libfat.so.9  # kept
    /// /usr/lib/libzip.so.1  0644 elf                                                   # kept [dlopen]
    /// /usr/lib/libfat.so.9  0644 elf
    /// ```
    ///
    /// ## Not followed
    ///
    /// A name in a program that cannot load anything is a name in a message.
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server              0755 elf text=libsql.so.0  # kept
    /// /usr/lib/libsql.so.0 0644 elf
    /// ```
    id: "dlopen",
    follow: follow,
}

/// A larger library is not taken on a guess.
const GUESS_LIMIT: u64 = 8 << 20;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return;
    };
    if elf.dlopen.is_empty() && elf.sonames.is_empty() {
        return;
    }
    let origin = path.parent().unwrap_or_else(ImagePath::root);
    let inherited = keep.scope(path).to_vec();
    let directories = scene.loader().directories(elf, &origin, &inherited);
    for note in &elf.dlopen {
        if note.priority == "suggested" {
            continue;
        }
        // The first that is there is loaded.
        let found = note.sonames.iter().find_map(|name| {
            let places = Loader::find(scene, elf, name.as_bytes(), &directories);
            (!places.is_empty()).then_some((name, places))
        });
        match found {
            Some((name, places)) => {
                for place in places {
                    let detail = format!("may load {name} for {}", note.feature);
                    keep.path(&place, Pull::Opened, Reason::by("dlopen", path, detail));
                }
            }
            None if note.priority == "required" => {
                let names = note.sonames.join(" or ");
                let names = plimsoll_model::text::printable(names.as_bytes());
                keep.problem(
                    path,
                    format!("must be able to load {names}, which is not in the image"),
                );
            }
            None => {}
        }
    }
    // The C library names what its own services load; that is the glibc row's knowledge.
    if elf.soname.as_deref() == Some(b"libc.so.6") {
        return;
    }
    let was_watched = !scene.observations().seen.is_empty();
    let is_packaged = match scene.level() {
        Level::File => scene.owners().owner(path).is_some(),
        Level::App | Level::Package => is_of_the_distribution(scene, path),
    };
    if was_watched && is_packaged {
        return;
    }
    for name in &elf.sonames {
        for place in Loader::find(scene, elf, name, &directories) {
            let Ok(found) = scene.tree().resolve(&place) else {
                continue;
            };
            if keep.keeps(&found.path) {
                continue;
            }
            let size = scene.tree().get(&found.path).map_or(0, |node| node.size());
            let name = plimsoll_model::text::printable(name);
            if size > GUESS_LIMIT {
                keep.problem(
                    path,
                    format!("names {name} and can load libraries; {size} bytes were not taken on that guess"),
                );
            } else {
                let detail = format!("names {name}");
                keep.path(&place, Pull::Opened, Reason::by("dlopen", path, detail));
            }
        }
    }
}

fn is_of_the_distribution(scene: &Scene<'_>, path: &ImagePath) -> bool {
    let package = scene.owners().owner(path);
    let package = package.and_then(|id| scene.subject().inventory.get(id));
    package.is_some_and(|package| {
        matches!(&*package.section, "libs" | "oldlibs") || is_base(scene.subject(), package)
    })
}

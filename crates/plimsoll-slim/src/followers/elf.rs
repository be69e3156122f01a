//! Programs and libraries: the interpreter, and the libraries a loader would load.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::elf::Elf;
use crate::keep::{Keep, Pull};
use crate::loader::Loader;
use crate::scene::{Look, Scene};

follower! {
    /// A program starts only if its interpreter and every library it needs are there. They are
    /// searched as the dynamic loader of the image would (`ld.so(8)`): `DT_RPATH` of the object and
    /// of those that loaded it, `LD_LIBRARY_PATH` of the image's configuration, `DT_RUNPATH`,
    /// `/etc/ld.so.conf`, the built-in directories; `$ORIGIN`, `$LIB` and `$PLATFORM` are
    /// understood. Variants for newer processors below `glibc-hwcaps` come along, because the
    /// machine that runs the image chooses. The image's own loader is never started.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /srv/server
    /// /srv/server          0755 elf interp=/lib/ld.so.2 needed=libone.so.1 rpath=$ORIGIN/lib  # kept
    /// /lib/ld.so.2         0755 elf                                        # kept [elf]
    /// /srv/lib/libone.so.1 -> libone.so.1.5                                # kept [elf]
    /// /srv/lib/libone.so.1.5 0644 elf needed=libtwo.so                     # kept [symlink]
    /// /srv/lib/libtwo.so   0644 elf                                        # kept [elf]
    /// /usr/lib/libtwo.so   0644 elf
    /// /usr/lib/libthree.so 0644 elf
    /// ```
    ///
    /// A library that is not there is noted, and the rest is followed all the same.
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server 0755 elf needed=libgone.so.1,libthere.so  # kept, unresolved libgone.so.1
    /// /usr/lib/libthere.so 0644 elf                     # kept [elf]
    /// ```
    id: "elf",
    follow: follow,
}

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let look = scene.look(path);
    let elf = match &*look {
        Look::Elf(elf) => elf,
        Look::Unreadable(why) => return keep.problem(path, why.clone()),
        _ => return,
    };
    if let Some(interpreter) = &elf.interpreter {
        let place = ImagePath::new(interpreter);
        let reason = Reason::by("elf", path, "interpreter");
        if keep.path(&place, Pull::Executed, reason).is_none() {
            let name = plimsoll_model::text::printable(interpreter);
            keep.problem(
                path,
                format!("needs the interpreter {name}, which is not in the image"),
            );
        }
    }
    let origin = path.parent().unwrap_or_else(ImagePath::root);
    let inherited = keep.scope(path).to_vec();
    let directories = scene.loader().directories(elf, &origin, &inherited);
    let mut handed_down = Loader::handed_down(elf, &origin);
    handed_down.extend(inherited);
    for soname in &elf.needed {
        needed(scene, path, elf, soname, &directories, &handed_down, keep);
    }
}

fn needed(
    scene: &Scene<'_>,
    path: &ImagePath,
    elf: &Elf,
    soname: &[u8],
    directories: &[ImagePath],
    handed_down: &[ImagePath],
    keep: &mut Keep<'_>,
) {
    let name = String::from_utf8_lossy(soname);
    let places = if soname.contains(&b'/') {
        vec![ImagePath::new(soname)]
    } else {
        Loader::find(scene, elf, soname, directories)
    };
    let is_there = places
        .iter()
        .any(|place| scene.tree().resolve(place).is_ok());
    let mut found = false;
    for place in places {
        let reason = Reason::by("elf", path, format!("needs {name}"));
        if let Some(target) = keep.path(&place, Pull::Opened, reason) {
            keep.widen_scope(&target, handed_down);
            found = true;
        }
    }
    if !found {
        let name = plimsoll_model::text::printable(soname);
        let why = if is_there {
            "excluded"
        } else {
            "not in the image"
        };
        keep.problem(path, format!("needs {name}, which is {why}"));
    }
}

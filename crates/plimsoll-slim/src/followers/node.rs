//! Node: the modules a script asks for, their packages, native addons.

use std::collections::BTreeSet;
use std::io;

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::node::{self, Asked, Manifest};
use crate::own;
use crate::scene::{Look, Scene};
use crate::valve::Cap;

follower! {
    /// Scripts for Node load modules when the line that asks for them is reached, which may be at
    /// the first request of a route. Each kept script is read for the names it asks for, and those
    /// are resolved as Node does (its documentation, "Modules: CommonJS modules", "Modules:
    /// Packages"): `node_modules` of every directory above, `main`, `exports` with its conditions
    /// and patterns, `imports`, index files. A kept `package.json` brings the entry points of the
    /// packages it depends on that are there. The application's other scripts, in its working
    /// directory or beside one that runs, are read too.
    ///
    /// A package that was reached brings its native addons, and one built for a platform (`os`,
    /// `cpu`) all of its files: its parent loads it by a name put together from the platform's.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/node /usr/lib/node_modules/shop/main.js
    /// /usr/bin/node 0755 elf                                                        # kept
    /// /usr/lib/node_modules/shop/main.js 0644 "get('/', () => require('draw'))"     # kept
    /// /usr/lib/node_modules/draw/package.json 0644 "{\"exports\":{\".\":{\"require\":\"./lib/a.cjs\",\"types\":\"./lib/a.d.ts\"}},\"optionalDependencies\":{\"@draw/linux\":\"1\",\"gone\":\"1\"}}" # kept [node]
    /// /usr/lib/node_modules/draw/lib/a.cjs 0644 "require('./b')"                    # kept [node]
    /// /usr/lib/node_modules/draw/lib/b.js 0644 "module.exports = 1"                 # kept [node]
    /// /usr/lib/node_modules/draw/lib/c.js 0644 "module.exports = 2"
    /// /usr/lib/node_modules/draw/lib/a.d.ts 0644 "export = 1"
    /// /usr/lib/node_modules/@draw/linux/package.json 0644 "{\"os\":[\"linux\"]}"    # kept [node]
    /// /usr/lib/node_modules/@draw/linux/lib/draw.node 0755 elf needed=libdraw.so.1 rpath=$ORIGIN # kept [node]
    /// /usr/lib/node_modules/@draw/linux/lib/libdraw.so.1 0644 elf                   # kept [node]
    /// /usr/lib/node_modules/other/package.json 0644 "{}"
    /// /usr/lib/node_modules/other/index.js 0644 "1"
    /// ```
    ///
    /// A package that puts names together while it runs, or looks for files beside itself, is kept
    /// whole, up to 2,000 files and 32 MB; documents, maps and the sources of addons aside.
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/node /usr/lib/node_modules/mail/index.js
    /// /usr/bin/node 0755 elf                                                        # kept
    /// /usr/lib/node_modules/mail/package.json 0644 "{\"name\":\"mail\"}"            # kept [node]
    /// /usr/lib/node_modules/mail/index.js 0644 "exports.load = name => require('./lang/' + name)" # kept
    /// /usr/lib/node_modules/mail/lang/de.js 0644 "1"                                # kept [node]
    /// /usr/lib/node_modules/mail/README.md 0644 "text"
    /// ```
    id: "node",
    follow: follow,
}

/// How large a package may be that is kept whole because it computes names.
const WHOLE: Cap = Cap {
    files: 2_000,
    bytes: 32_000_000,
};

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if path.file_name() == b"package.json" {
        return package(scene, path, keep);
    }
    if is_script(scene, path) {
        script(scene, path, keep);
        own::home(scene, path, "node", is_script, keep);
    }
}

fn is_script(scene: &Scene<'_>, path: &ImagePath) -> bool {
    // `ipaddr.js` is a package, too.
    if !scene.tree().get(path).is_some_and(|node| node.is_file()) {
        return false;
    }
    let name = path.file_name();
    if [&b".js"[..], b".cjs", b".mjs"]
        .iter()
        .any(|ending| name.ends_with(ending))
    {
        return true;
    }
    let Look::Script(line) = &*scene.look(path) else {
        return false;
    };
    line.windows(4).any(|part| part == b"node")
}

fn script(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let read = || {
        let bytes = scene.rootfs().read(path, node::SCRIPT_LIMIT)?;
        Ok::<_, io::Error>(node::scan(&String::from_utf8_lossy(&bytes)))
    };
    let asked = match scene.learned(path, "", read) {
        Ok(asked) => asked,
        Err(error) => return keep.problem(path, format!("is a script nobody read: {error}")),
    };
    let Asked { names, computes } = &*asked;
    let home = node::home(scene, path);
    if let Some(home) = &home {
        // Node reads the nearest one to learn which kind of module a file is.
        let reason = Reason::by("node", path, "says what kind of module it is");
        keep.path(&home.join("package.json"), Pull::Opened, reason);
    }
    for name in names {
        let shown = plimsoll_model::text::printable(name.as_bytes());
        for target in node::resolve(scene, path, name) {
            let reason = Reason::by("node", path, format!("loads {shown}"));
            keep.path(&target, Pull::Opened, reason.clone());
            if let Some(home) = node::home(scene, &target) {
                keep.path(&home.join("package.json"), Pull::Opened, reason);
            }
        }
    }
    let is_package = |home: &ImagePath| {
        home.ancestors()
            .any(|above| above.file_name() == b"node_modules")
    };
    if *computes && let Some(home) = home.filter(is_package) {
        whole(scene, &home, path, "loads by names it computes", keep);
    }
}

/// A package: the entries of what it depends on, its addons.
fn package(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let Some(home) = path.parent() else {
        return;
    };
    let manifest = Manifest::read(scene, &home);
    if manifest.is_cut() {
        keep.problem(
            path,
            "says more than is kept of one manifest: the rest was not followed",
        );
    }
    for name in manifest.dependencies() {
        for other in node::packages(scene, path, name) {
            let shown = plimsoll_model::text::printable(name.as_bytes());
            let reason = || Reason::by("node", path, format!("depends on {shown}"));
            keep.path(&other.join("package.json"), Pull::Opened, reason());
            let mut found = BTreeSet::new();
            node::enter(scene, &other, "", &mut found);
            for entry in found {
                keep.path(&entry, Pull::Opened, reason());
            }
        }
    }
    if manifest.is_for_a_platform() {
        return whole(scene, &home, path, "built for a platform", keep);
    }
    for place in files(scene, &home) {
        if place.file_name().ends_with(b".node") {
            let reason = Reason::by("node", path, "native addon");
            keep.path(place, Pull::Opened, reason);
        }
    }
}

/// The files of a package; what is in its `node_modules` are other packages.
fn files<'a>(
    scene: &'a Scene<'_>,
    home: &'a ImagePath,
) -> impl Iterator<Item = &'a ImagePath> + 'a {
    let inside = scene
        .tree()
        .subtree(home)
        .filter(|(_, node)| node.is_file());
    let depth = home.depth();
    inside.map(|(path, _)| path).filter(move |path| {
        let mut parts = path.components().skip(depth);
        parts.all(|part| part != b"node_modules")
    })
}

fn whole(scene: &Scene<'_>, home: &ImagePath, by: &ImagePath, why: &str, keep: &mut Keep<'_>) {
    let wanted = files(scene, home).filter(|path| !is_for_people(path));
    let wanted: Vec<ImagePath> = wanted.take(WHOLE.files + 1).cloned().collect();
    let sizes = wanted.iter().filter_map(|path| scene.tree().get(path));
    let bytes: u64 = sizes.map(|node| node.size()).sum();
    if wanted.len() > WHOLE.files || bytes > WHOLE.bytes {
        let Cap { files, bytes } = WHOLE;
        let message =
            format!("was not kept whole ({why}): more than {files} files or {bytes} bytes");
        return keep.problem(home, message);
    }
    for place in wanted {
        let reason = Reason::by("node", by, why);
        keep.path(&place, Pull::Named, reason);
    }
}

/// Documents, maps for debuggers, types, and the sources of addons.
fn is_for_people(path: &ImagePath) -> bool {
    const ENDINGS: &[&[u8]] = &[
        b".c",
        b".cc",
        b".cpp",
        b".d.cts",
        b".d.mts",
        b".d.ts",
        b".gyp",
        b".gypi",
        b".h",
        b".hpp",
        b".map",
        b".markdown",
        b".md",
    ];
    let name = path.file_name();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

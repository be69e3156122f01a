//! Java: the home of the virtual machine, and the class path.

use std::collections::BTreeSet;

use plimsoll_model::{ImagePath, Node, Reason};

use super::follower;
use crate::Level;
use crate::jar::{self, ClassPath};
use crate::keep::{Keep, Pull};
use crate::plugins;
use crate::scene::{Look, Scene};
use crate::valve::Cap;

follower! {
    /// The Java virtual machine finds everything of its own below its home: classes, security
    /// configuration, time zones, trusted certificates, and native libraries by names like
    /// `System.loadLibrary("management")` (JDK documentation, "Installed directory structure";
    /// JEP 220). Any of it may be asked for at any time, so `lib` and `conf` come along, through
    /// the links distributions make of them; not the programs in `bin`, headers, manual pages,
    /// `jmods`, `lib/src.zip`, `lib/ct.sym`, which who develops needs, nor the archive of prepared
    /// classes for heaps of 32 GB and more.
    ///
    /// A native library for desktops comes along if it needs little (4 MB; 128 KiB at the level
    /// `file`) that the machine does not need itself; the others are noted. Jars come along that the class path names, in
    /// `CLASSPATH` or behind `-cp`, and those that the manifest of a kept jar names (`Class-Path`): they
    /// are opened only when a class is looked for in them.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /opt/jdk/bin/java -cp /srv/a.jar:/srv/lib/* Main
    /// /opt/jdk/bin/java 0755 elf needed=libjli.so rpath=$ORIGIN/../lib          # kept
    /// /opt/jdk/bin/javac 0755 elf
    /// /opt/jdk/lib/libjli.so 0644 elf                                           # kept [elf]
    /// /opt/jdk/lib/modules 0644 1k                                              # kept [jvm]
    /// /opt/jdk/lib/server/libjvm.so 0644 elf                                    # kept [jvm]
    /// /opt/jdk/lib/server/classes.jsa 0644 1k                                   # kept [jvm]
    /// /opt/jdk/lib/server/classes_nocoops.jsa 0644 1k
    /// /opt/jdk/lib/libmanagement.so 0644 elf needed=libjava.so,libjvm.so        # kept [jvm]
    /// /opt/jdk/lib/libjava.so 0644 elf needed=libjvm.so                         # kept [jvm]
    /// /opt/jdk/lib/libawt.so 0644 elf needed=libX11.so.6
    /// /opt/jdk/lib/tzdb.dat 0644 1k                                             # kept [jvm]
    /// /opt/jdk/lib/ct.sym 0644 1k
    /// /opt/jdk/conf/ -> /etc/java                                               # kept [jvm]
    /// /etc/java/security/java.security 0644 "x=y"                               # kept [jvm]
    /// /opt/jdk/lib/security/cacerts -> /etc/ssl/java/cacerts                    # kept [jvm]
    /// /etc/ssl/java/cacerts 0644 1k                                             # kept [symlink]
    /// /opt/jdk/jmods/java.base.jmod 0644 1k
    /// /srv/a.jar 0644 "PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"                                                       # kept [jvm]
    /// /srv/lib/b.jar 0644 "PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"                                                   # kept [jvm]
    /// /srv/lib/b.txt 0644 1k
    /// ```
    id: "jvm",
    follow: follow,
}

/// What a native library that no run loaded may bring along at the level `file`, in bytes: the small
/// libraries of the machine's own, and nothing of sound, printers and pictures.
const FRUGAL: u64 = 128 << 10;
/// Larger archives are not read for what they name.
const JAR_LIMIT: u64 = 256 << 20;
/// Links to directories nested deeper are not followed.
const DEPTH_LIMIT: u32 = 4;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if path.file_name().ends_with(b".jar") {
        return archive(scene, path, keep);
    }
    if !matches!(path.file_name(), b"libjli.so" | b"libjvm.so") {
        return;
    }
    let Some(home) = home(scene, path) else {
        return;
    };
    let lib = home.join("lib");
    let mut files = BTreeSet::new();
    for directory in [&lib, &home.join("conf"), &home.join("release")] {
        gather(scene, directory, 0, &mut files);
    }
    let real = |place: &ImagePath| Some(scene.tree().resolve(place).ok()?.path);
    let is_library = |place: &ImagePath| {
        real(place).is_some_and(|path| matches!(&*scene.look(&path), Look::Elf(_)))
    };
    let (libraries, data): (BTreeSet<_>, BTreeSet<_>) = files.into_iter().partition(is_library);
    let libraries: BTreeSet<ImagePath> = libraries.iter().filter_map(real).collect();
    for place in &data {
        keep.path(place, Pull::Opened, Reason::by("jvm", path, "Java home"));
    }
    // They need each other by bare name: the machine has loaded the one before the other.
    let machine = libraries
        .iter()
        .filter(|path| path.file_name() == b"libjvm.so");
    let machine: Vec<ImagePath> = machine.cloned().collect();
    let mut directories: Vec<ImagePath> = libraries.iter().filter_map(ImagePath::parent).collect();
    directories.dedup();
    for library in &machine {
        keep.path(
            library,
            Pull::Opened,
            Reason::by("jvm", path, "the machine"),
        );
    }
    let each = match scene.level() {
        Level::File => FRUGAL,
        Level::App | Level::Package => plugins::EACH,
    };
    let choice = plugins::choose(scene, &machine, &directories, &libraries, each);
    for place in &choice.taken {
        keep.path(
            place,
            Pull::Opened,
            Reason::by("jvm", path, "native library"),
        );
    }
    for library in &libraries {
        keep.widen_scope(library, &directories);
    }
    if !choice.dear.is_empty() {
        let names = choice.dear.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!("native libraries were left ashore for what they need: {names}");
        keep.problem(&home, message);
    }
    class_path(scene, path, keep);
}

/// The nearest directory above that is a Java home: since Java 9 with `lib/modules`, before with
/// `lib/rt.jar`.
fn home(scene: &Scene<'_>, path: &ImagePath) -> Option<ImagePath> {
    path.ancestors().find(|above| {
        let lib = above.join("lib");
        scene.tree().contains(lib.join("modules")) || scene.tree().contains(lib.join("rt.jar"))
    })
}

/// The paths of all files below, through links to directories too, as they are spelt.
fn gather(scene: &Scene<'_>, place: &ImagePath, depth: u32, files: &mut BTreeSet<ImagePath>) {
    let tree = scene.tree();
    let Ok(found) = tree.resolve(place) else {
        return;
    };
    if depth > DEPTH_LIMIT || is_left(place) {
        return;
    }
    if tree.get(&found.path).is_some_and(Node::is_file) {
        // A link is kept as the link it is.
        files.insert(place.clone());
        return;
    }
    for (child, node) in tree.children(&found.path) {
        let deeper = depth + u32::from(!node.is_dir());
        gather(scene, &place.join(child.file_name()), deeper, files);
    }
}

fn is_left(path: &ImagePath) -> bool {
    matches!(
        path.file_name(),
        b"ct.sym" | b"src.zip" | b"classes_nocoops.jsa" | b"jmods" | b"jrt-fs.jar"
    )
}

/// The archives that the manifest of one names, seen from its directory.
fn archive(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let is_file = scene.tree().get(path).is_some_and(Node::is_file);
    let read = || {
        let bytes = scene.rootfs().read(path, JAR_LIMIT);
        let bytes = bytes.map_err(|error| error.to_string())?;
        jar::class_path(&bytes).map(ClassPath)
    };
    let named = match scene.learned(path, "", read) {
        Ok(named) => named,
        Err(why) if is_file => {
            return keep.problem(path, format!("cannot be read as a jar: {why}"));
        }
        Err(_) => return,
    };
    let home = path.parent().unwrap_or_else(ImagePath::root);
    for name in &named.0 {
        let shown = plimsoll_model::text::printable(name.as_bytes());
        let reason = Reason::by("jvm", path, format!("Class-Path: {shown}"));
        keep.path(&home.join(name), Pull::Opened, reason);
    }
}

/// What `CLASSPATH`, `-cp` and `--module-path` of the command line name (`java(1)`): jars,
/// directories, and `DIRECTORY/*` for all jars in it.
fn class_path(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let config = scene.config();
    let words = config.command_line();
    let options = ["-cp", "-classpath", "--class-path", "-p", "--module-path"];
    let behind = words
        .windows(2)
        .filter(|pair| options.contains(&pair[0].as_str()));
    let mut lists: Vec<String> = behind.map(|pair| pair[1].clone()).collect();
    lists.extend(config.env("CLASSPATH").map(str::to_owned));
    let directory = ImagePath::root().join(&config.working_dir);
    for entry in lists.iter().flat_map(|list| list.split(':')) {
        if entry.is_empty() {
            continue;
        }
        let shown = plimsoll_model::text::printable(entry.as_bytes());
        let reason = || Reason::by("jvm", path, format!("class path: {shown}"));
        let place = directory.join(entry);
        if place.file_name() == b"*" {
            let above = place.parent().unwrap_or_else(ImagePath::root);
            for name in ["*.jar", "*.JAR"] {
                for jar in scene.expand(&above.join(name)) {
                    keep.path(&jar, Pull::Opened, reason());
                }
            }
        } else if scene.tree().resolve(&place).is_ok() {
            keep.path(&place, Pull::Opened, reason());
            keep.tree(&place, Cap::SERVED, reason());
        }
    }
}

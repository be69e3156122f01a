//! Time zones: of programs that read the system's own, by names that data holds.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::owners::is_base;
use crate::scene::{Look, Scene};

follower! {
    /// A program that names the directory of time zones (`tzfile(5)`) reads from it whatever zone a
    /// request, a query or a row of a table names: PHP and PostgreSQL of distributions do. All
    /// zones together are 600 kB; the second set with leap seconds (`right`) stays ashore, and so
    /// does the whole where only a library of the distribution names it, because the C library and
    /// GLib do so in every image. So do modules about time of installed packages (Python's `dateutil`,
    /// Ruby's `tzinfo`), which name it in their text. The zone that the image's environment names is kept always.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/server
    /// /usr/bin/server 0755 elf text=/usr/share/zoneinfo                  # kept
    /// /usr/share/zoneinfo/Europe/Zurich 0644 2k                          # kept [time-zones]
    /// /usr/share/zoneinfo/right/Europe/Zurich 0644 2k
    /// ```
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/python3.11 /app/main.py
    /// WORKDIR /app
    /// /usr/bin/python3.11               0755 elf                         # kept
    /// /app/main.py                      0644 "def f():\n  import dateutil.tz\n" # kept
    /// /usr/lib/python3.11/os.py         0644 ""                          # kept
    /// /usr/lib/python3/dist-packages/dateutil/__init__.py 0644 ""        # kept
    /// /usr/lib/python3/dist-packages/dateutil/tz.py 0644 "P = ['/usr/share/zoneinfo']\n" # kept
    /// /usr/share/zoneinfo/Europe/Zurich 0644 2k                          # kept [time-zones]
    /// ```
    ///
    /// ## Not followed
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/server
    /// ENV TZ=:Europe/Zurich
    /// /usr/bin/server 0755 elf needed=libc.so.6                          # kept
    /// /usr/lib/libc.so.6 0755 elf soname=libc.so.6 text=/usr/share/zoneinfo # kept
    /// /usr/share/zoneinfo/Europe/Zurich 0644 2k                          # kept [time-zones]
    /// /usr/share/zoneinfo/Europe/Vienna 0644 2k
    /// ```
    id: "time-zones",
    follow: follow,
}

const ZONES: &str = "/usr/share/zoneinfo";
/// More files than this are not taken: the database has 1,800 with both its sets.
const LIMIT: usize = 5_000;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let zones = ImagePath::new(ZONES);
    if is_about_time(path) {
        if scene.tree().contains(&zones)
            && scene.python().home(path).is_none()
            && scene.text(path).is_some_and(|text| text.contains(ZONES))
        {
            any_zone(scene, path, &zones, keep);
        }
        return;
    }
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return;
    };
    if elf.soname.as_deref() == Some(b"libc.so.6") {
        let zone = scene.config().env("TZ").unwrap_or_default();
        let zone = zone.trim_start_matches(':');
        if !zone.is_empty() && !zone.starts_with('/') {
            let reason = Reason::by("time-zones", path, format!("TZ={zone}"));
            keep.path(&zones.join(zone), Pull::Opened, reason);
        }
        return;
    }
    let names = |text: &Vec<u8>| ImagePath::new(text).starts_with(ZONES);
    if !elf.paths.iter().any(names) || is_of_the_distribution(scene, path) {
        return;
    }
    any_zone(scene, path, &zones, keep);
}

/// Whether a file is a module of a language whose name or place says that it is about time.
fn is_about_time(path: &ImagePath) -> bool {
    let name = path.file_name();
    let is_module = [&b".py"[..], b".rb", b".pm"]
        .into_iter()
        .any(|end| name.ends_with(end));
    let about = |part: &[u8]| {
        [&b"tz"[..], b"zone", b"time"].into_iter().any(|word| {
            part.windows(word.len())
                .any(|window| window.eq_ignore_ascii_case(word))
        })
    };
    is_module && path.components().any(about)
}

fn any_zone(scene: &Scene<'_>, path: &ImagePath, zones: &ImagePath, keep: &mut Keep<'_>) {
    let Ok(found) = scene.tree().resolve(zones) else {
        return;
    };
    let second = found.path.join("right");
    let files = scene.tree().subtree(&found.path);
    let files = files.filter(|(file, node)| !node.is_dir() && !file.starts_with(second.as_bytes()));
    let files: Vec<ImagePath> = files.take(LIMIT).map(|(file, _)| file.clone()).collect();
    for file in files {
        keep.path(
            &file,
            Pull::Opened,
            Reason::by("time-zones", path, "any zone"),
        );
    }
}

fn is_of_the_distribution(scene: &Scene<'_>, path: &ImagePath) -> bool {
    let package = scene.owners().owner(path);
    let package = package.and_then(|id| scene.subject().inventory.get(id));
    package.is_some_and(|package| {
        matches!(&*package.section, "libs" | "oldlibs") || is_base(scene.subject(), package)
    })
}

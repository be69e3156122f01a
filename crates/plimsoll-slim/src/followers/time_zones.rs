//! The time zones of programs that look them up by name.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::{Look, Scene};

follower! {
    /// A database or a language's run time is told the name of a time zone in a query or a request,
    /// and looks it up in `/usr/share/zoneinfo` (`tzset(3)`, the Time Zone Database). A kept program
    /// that has this directory compiled in brings the zones, and so does a run that listed them. The
    /// C library has it compiled in too, and says nothing by that: the one zone that `TZ` names is
    /// seen by a run.
    ///
    /// The database's second and third copy (`posix`, `right`) stay ashore.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server                               0755 elf text=/usr/share/zoneinfo  # kept
    /// /usr/share/zoneinfo/Europe/Zurich     0644 "TZif2"                       # kept [time-zones]
    /// /usr/share/zoneinfo/right/Europe/Rome 0644 "TZif2"
    /// ```
    ///
    /// ## Not followed
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server                               0755 elf needed=libc.so.6          # kept
    /// /usr/lib/libc.so.6                    0755 elf soname=libc.so.6 text=/usr/share/zoneinfo # kept
    /// /usr/share/zoneinfo/Europe/Zurich     0644 "TZif2"
    /// ```
    id: "time-zones",
    follow: follow,
}

const ZONES: &str = "/usr/share/zoneinfo";
/// Copies of the whole database: without and with leap seconds.
const COPIES: [&str; 2] = ["/usr/share/zoneinfo/posix", "/usr/share/zoneinfo/right"];

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let zones = ImagePath::new(ZONES);
    let look = scene.look(path);
    let by_program = match &*look {
        Look::Elf(elf) => {
            let names = |text: &Vec<u8>| text.starts_with(ZONES.as_bytes());
            elf.soname.is_none() && (elf.paths.iter().any(names) || elf.runs.iter().any(names))
        }
        _ => false,
    };
    let by_run = *path == zones && scene.was_listed(&zones);
    if !(by_program || by_run) {
        return;
    }
    let reason = Reason::by("time-zones", path, "looks zones up by name");
    let places: Vec<ImagePath> = scene
        .tree()
        .subtree(&zones)
        .map(|(path, _)| path.clone())
        .filter(|path| !COPIES.iter().any(|copy| path.starts_with(copy)))
        .collect();
    for place in places {
        keep.path(&place, Pull::Opened, reason.clone());
    }
}

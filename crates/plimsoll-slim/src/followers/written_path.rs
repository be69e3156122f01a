//! Paths written in configuration files and in scripts that are executed.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::{Look, Scene};
use crate::valve::{self, Cap};

follower! {
    /// An absolute path written in a kept configuration file, or in a script that is executed, and
    /// that exists in the image, is most likely used when a request or a signal comes that no run
    /// has made yet. Files come along, and directories up to 400 files and 5 MB; larger ones are
    /// noted. Comments are not read.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /server --config /etc/server.conf
    /// /server           0755 elf                                    # kept
    /// /etc/server.conf  0644 "types = \"/usr/share/types\"\nicons=/usr/share/icons;\n# /usr/share/old\n"  # kept
    /// /usr/share/types  0644 "text/html html\n"                     # kept [written-path]
    /// /usr/share/icons/a.png 0644 1k                                # kept [written-path]
    /// /usr/share/old    0644 1k
    /// ```
    ///
    /// ## Not followed
    ///
    /// A program in a directory of programs never comes in by its name, not even in a directory
    /// that is named, and not through a link; a directory of the system says nothing.
    ///
    /// ```image
    /// ENTRYPOINT /server /etc/server.conf
    /// /server           0755 elf                                                  # kept
    /// /etc/server.conf  0644 "pager /bin/less\ntool /srv/tool\nall /usr/share\n"  # kept
    /// /bin/less         0755 elf
    /// /srv/tool         -> ../bin/less
    /// /usr/share/other  0644 1k
    /// ```
    id: "written-path",
    follow: follow,
}

/// More paths than this are not read from one file: its author is a stranger.
const PATH_LIMIT: usize = 10_000;
/// A file named in a text is taken up to this size.
const FILE_LIMIT: u64 = 16 << 20;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let is_script = keep.is_executed(path) && matches!(&*scene.look(path), Look::Script(_));
    if !(is_script || is_configuration(path))
        || !matches!(&*scene.look(path), Look::Other | Look::Script(_))
    {
        return;
    }
    let Some(text) = scene.text(path) else {
        return;
    };
    let mut count = 0;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        // `<Directory /usr/share>` grants access and asks for nothing.
        if line.starts_with(['#', ';', '<']) || line.starts_with("//") {
            continue;
        }
        for named in paths(line) {
            count += 1;
            if count > PATH_LIMIT {
                let message =
                    format!("names more than {PATH_LIMIT} paths; the rest was not followed");
                return keep.problem(path, message);
            }
            let reason = Reason::by(
                "written-path",
                path,
                format!("line {}: {named}", number + 1),
            );
            named_path(scene, &ImagePath::new(named), keep, reason);
        }
    }
}

fn named_path(scene: &Scene<'_>, named: &ImagePath, keep: &mut Keep<'_>, reason: Reason) {
    let Ok(found) = scene.tree().resolve(named) else {
        return;
    };
    let Some(node) = scene.tree().get(&found.path) else {
        return;
    };
    if valve::is_ballast(&found.path) && !found.path.starts_with("/run") {
        return;
    }
    if node.is_dir() {
        keep.tree(named, Cap::NAMED, reason);
    } else if node.size() > FILE_LIMIT {
        let by = reason
            .by
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let size = node.size();
        keep.problem(
            &found.path,
            format!("is named by {by}; {size} bytes were not taken on that"),
        );
    } else {
        keep.path(named, Pull::Named, reason);
    }
}

/// Whether a file is configuration by its place or its name. The user database names shells and
/// home directories; the loader's files are the loader's.
fn is_configuration(path: &ImagePath) -> bool {
    const NOT: &[&str] = &[
        "/etc/ld.so.conf.d",
        "/etc/passwd",
        "/etc/group",
        "/etc/shadow",
        "/etc/shells",
        "/etc/mime.types",
    ];
    let name = path.file_name();
    if NOT.iter().any(|not| path.starts_with(not)) || name.starts_with(b"ld.so") {
        return false;
    }
    let endings: [&[u8]; 5] = [b".conf", b".cnf", b".ini", b".cfg", b".conf.template"];
    path.starts_with("/etc") || endings.iter().any(|ending| name.ends_with(ending))
}

/// Shorter names of one component are slashes in a text more often than paths.
const MIN_NAME: usize = 6;

/// The absolute paths in a line.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._+@-,~".contains(c);
    let starts = line.char_indices().filter(move |&(at, c)| {
        let before = line[..at].chars().next_back();
        c == '/' && !before.is_some_and(|before| is_path(before) || "})>*?]$".contains(before))
    });
    starts.filter_map(move |(at, _)| {
        let rest = &line[at..];
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        // `/var/log/*.log`, `/run/$NAME`: not a name but a family of names.
        if rest[end..].starts_with(['*', '$', '?', '[', '%', '{']) {
            return None;
        }
        let path = rest[..end].trim_end_matches(['.', ',']);
        let components = path.split('/').filter(|part| !part.is_empty()).count();
        // One component is a place of the image's own (`/docker-entrypoint.d`), or says nothing.
        let says = components >= 2 || components == 1 && path.len() > MIN_NAME;
        (says && !path.starts_with("//")).then_some(path)
    })
}

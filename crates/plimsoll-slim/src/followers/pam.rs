//! PAM: which modules ask who somebody is.

use std::sync::Arc;

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::{Look, Scene};

follower! {
    /// A program that asks PAM (Linux-PAM) who somebody is reads `/etc/pam.d/SERVICE` when the first
    /// one logs in: it opens none before. The service is named as the program is, or by a file of
    /// the same package there; `other` is read where there is none. Each line of it names a module,
    /// or another such file behind `include`, `substack` or `@include` (`pam.conf(5)`). `pam_unix` has
    /// `/etc/shadow` read by a helper, also where no password is asked for: an account may be over; others
    /// read a file of their name in `/etc/security`.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/sbin/guard
    /// /usr/sbin/guard            0755 elf needed=libpam.so.0                            # kept
    /// /usr/lib/libpam.so.0       0644 elf                                               # kept [elf]
    /// /etc/pam.d/guard           0644 "@include common-auth\nsession optional pam_limits.so x\n" # kept [pam]
    /// /etc/pam.d/common-auth     0644 "# who\nauth [success=1 default=ignore] pam_unix.so\n-auth optional pam_cap.so\n" # kept [pam]
    /// /etc/pam.d/other           0644 "auth include denied\n"                           # kept [pam]
    /// /etc/pam.d/denied          0644 "auth required pam_deny.so\n"                     # kept [pam]
    /// /etc/pam.d/login           0644 "auth required pam_nologin.so\n"
    /// /usr/lib/security/pam_unix.so    0644 elf text=/usr/sbin/unix_chkpwd,/usr/sbin/unix_update # kept [pam]
    /// /usr/sbin/unix_chkpwd      02755 elf                                              # kept [pam]
    /// /usr/sbin/unix_update      0755 elf
    /// /usr/lib/security/pam_limits.so  0644 elf                                         # kept [pam]
    /// /usr/lib/security/pam_deny.so    0644 elf                                         # kept [pam]
    /// /usr/lib/security/pam_nologin.so 0644 elf
    /// /etc/shadow                0640 "root:*:1::::::\n"                                # kept [pam]
    /// /etc/security/limits.conf  0644 "* hard core 0\n"                                 # kept [pam]
    /// /etc/security/time.conf    0644 "x\n"
    /// ```
    ///
    /// ## Not followed
    ///
    /// A library that could ask PAM, and a program that is there and not started.
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server                    0755 elf needed=libguard.so.1                          # kept
    /// /usr/lib/libguard.so.1     0644 elf needed=libpam.so.0                            # kept
    /// /usr/lib/libpam.so.0       0644 elf                                               # kept
    /// /etc/pam.d/other           0644 "auth required pam_deny.so\n"
    /// ```
    id: "pam",
    follow: follow,
}

const SERVICES: &str = "/etc/pam.d";
/// How the names of programs end that modules start while somebody logs in.
const HELPERS: [&[u8]; 2] = [b"_chkpwd", b"_helper"];
/// More lines than this are not read from one file.
const LIMIT: usize = 10_000;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if path
        .parent()
        .is_some_and(|parent| parent.as_bytes() == SERVICES.as_bytes())
    {
        return service(scene, path, keep);
    }
    if modules(scene).contains(path) {
        return settings(scene, path, keep);
    }
    if !keep.is_executed(path) {
        return;
    }
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return;
    };
    if !elf.needed.iter().any(|name| name == b"libpam.so.0") {
        return;
    }
    let directory = ImagePath::new(SERVICES);
    let package = scene.owners().owner(path);
    let is_its = |file: &ImagePath| {
        let name = file.file_name();
        let is_sibling = package.is_some() && scene.owners().owner(file) == package;
        name == path.file_name() || name == b"other" || is_sibling
    };
    let files = scene.tree().children(&directory).map(|(file, _)| file);
    let files: Vec<ImagePath> = files.filter(|file| is_its(file)).cloned().collect();
    for file in files {
        keep.path(
            &file,
            Pull::Opened,
            Reason::by("pam", path, "asks who somebody is"),
        );
    }
}

fn service(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let text = scene.text(path).unwrap_or_default();
    let modules = modules(scene);
    for line in text.lines().take(LIMIT) {
        let line = line.split('#').next().unwrap_or_default();
        let shown = plimsoll_model::text::printable(line.trim().as_bytes()).to_string();
        let reason = || Reason::by("pam", path, shown.clone());
        match named(line) {
            None => {}
            Some(Named::Service(name)) => {
                let place = ImagePath::new(SERVICES).join(name);
                keep.path(&place, Pull::Opened, reason());
            }
            Some(Named::Module(name)) if name.starts_with('/') => {
                keep.path(&ImagePath::new(name), Pull::Opened, reason());
            }
            Some(Named::Module(name)) => {
                let known = modules.iter();
                for module in known.filter(|module| module.file_name() == name.as_bytes()) {
                    keep.path(module, Pull::Opened, reason());
                }
            }
        }
    }
}

/// What a module reads beside its service file.
fn settings(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let reason = || Reason::by("pam", path, "reads it");
    if path.file_name() == b"pam_unix.so" {
        keep.path(&"/etc/shadow".into(), Pull::Opened, reason());
    }
    if let Look::Elf(elf) = &*scene.look(path) {
        let helpers = elf.paths.iter();
        let helpers = helpers.filter(|name| HELPERS.iter().any(|end| name.ends_with(end)));
        for helper in helpers {
            let reason = Reason::by("pam", path, "starts it");
            keep.path(&ImagePath::new(helper), Pull::Executed, reason);
        }
    }
    let name = path.file_name();
    let name = name.strip_suffix(b".so").unwrap_or(name);
    let short = name.strip_prefix(b"pam_").unwrap_or(name);
    let directory = ImagePath::new("/etc/security");
    for name in [name, short] {
        let place = directory.join([name, b".conf"].concat());
        keep.path(&place, Pull::Named, reason());
        let more = directory.join([name, b".d/*.conf"].concat());
        for place in scene.expand(&more) {
            keep.path(&place, Pull::Named, reason());
        }
    }
}

/// Every module of the image: where they lie depends on the distribution.
fn modules(scene: &Scene<'_>) -> Arc<Vec<ImagePath>> {
    scene.remembered("pam", || {
        let is_module = |path: &&ImagePath| {
            let parent = path.parent().unwrap_or_else(ImagePath::root);
            let name = path.file_name();
            parent.file_name() == b"security" && name.starts_with(b"pam_") && name.ends_with(b".so")
        };
        let paths = scene.tree().iter().map(|(path, _)| path);
        paths.filter(is_module).cloned().collect()
    })
}

enum Named<'a> {
    Service(&'a str),
    Module(&'a str),
}

/// What a line names: the type, how much it weighs (a word or several in brackets), a module and its
/// arguments.
fn named(line: &str) -> Option<Named<'_>> {
    let (kind, rest) = line.trim().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    if kind == "@include" {
        return Some(Named::Service(rest.split_whitespace().next()?));
    }
    let (weight, rest) = match rest.starts_with('[') {
        true => rest.split_once(']')?,
        false => rest.split_once(char::is_whitespace)?,
    };
    let name = rest.split_whitespace().next()?;
    match weight {
        "include" | "substack" => Some(Named::Service(name)),
        _ => Some(Named::Module(name)),
    }
}

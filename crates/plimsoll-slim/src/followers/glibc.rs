//! What the C library loads and reads by name for its services.

use std::collections::BTreeSet;

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::Level;
use crate::elf::Elf;
use crate::keep::{Keep, Pull};
use crate::loader::Loader;
use crate::scene::{Look, Scene};
use crate::valve::Cap;

follower! {
    /// glibc loads parts of itself by name: the modules that `/etc/nsswitch.conf` asks for when a
    /// program looks up a user or a host (`nsswitch.conf(5)`), and `libgcc_s.so.1` when a thread
    /// is cancelled or ends (`pthread_cancel(3)`). The locale that the image's environment names
    /// is read where a program asks for one.
    ///
    /// Converters (gconv) come along when a run touched one, or when a program that converts
    /// (`iconv_open(3)`) has the name of one among its constants; their index comes with them. A
    /// program that sets a locale may have `C.UTF-8` compiled in, which is small and stays.
    ///
    /// Where nothing was run, a program that can ask a shell (`system(3)`, `popen(3)`) brings it.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// ENV LANG=C.UTF-8
    /// /server                     0755 elf needed=libc.so.6 symbol=setlocale,pthread_exit,iconv_open text=SHIFT_JIS  # kept
    /// /usr/lib/libc.so.6          0755 elf soname=libc.so.6     # kept
    /// /usr/lib/libnss_dns.so.2    0644 elf                      # kept [glibc]
    /// /usr/lib/libnss_nis.so.2    0644 elf
    /// /usr/lib/libgcc_s.so.1      0644 elf                      # kept [glibc]
    /// /etc/nsswitch.conf          0644 "hosts: files [!UNAVAIL=return] dns\n"  # kept
    /// /usr/lib/locale/C.utf8/LC_CTYPE 0644 1k                   # kept [glibc]
    /// /usr/lib/locale/de_DE.utf8/LC_CTYPE 0644 1k
    /// /usr/lib/gconv/gconv-modules 0644 "alias SHIFT_JIS// SJIS//\nmodule SJIS// INTERNAL SJIS 1\nmodule KOI8-R// INTERNAL KOI8-R 1\n" # kept [glibc]
    /// /usr/lib/gconv/SJIS.so      0644 elf                      # kept [glibc]
    /// /usr/lib/gconv/KOI8-R.so    0644 elf
    /// ```
    id: "glibc",
    follow: follow,
}

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if path.as_bytes().windows(7).any(|part| part == b"/gconv/") {
        converters(scene, path, keep);
    }
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return;
    };
    if elf.soname.as_deref() == Some(b"libc.so.6") {
        for service in services(scene) {
            let name = format!("libnss_{service}.so.2");
            library(scene, path, elf, &name, keep);
        }
        return;
    }
    let ends_threads = ["pthread_cancel", "pthread_exit", "backtrace"];
    if ends_threads.iter().any(|name| elf.symbols.contains(name)) {
        library(scene, path, elf, "libgcc_s.so.1", keep);
    }
    let asks_a_shell = elf.symbols.contains("popen") || elf.symbols.contains("system");
    if asks_a_shell && keep.is_executed(path) && scene.observations().seen.is_empty() {
        let reason = Reason::by(
            "glibc",
            path,
            "asks /bin/sh to start programs, and nothing was run to see whether it does",
        );
        keep.path(&"/bin/sh".into(), Pull::Executed, reason);
    }
    if elf.symbols.contains("setlocale") {
        locales(scene, path, keep);
    }
    if elf.soname.is_none() && !elf.charsets.is_empty() {
        named_converters(scene, path, elf, keep);
    }
}

fn library(scene: &Scene<'_>, path: &ImagePath, elf: &Elf, name: &str, keep: &mut Keep<'_>) {
    let origin = path.parent().unwrap_or_else(ImagePath::root);
    let directories = scene.loader().directories(elf, &origin, &[]);
    for place in Loader::find(scene, elf, name.as_bytes(), &directories) {
        let reason = Reason::by("glibc", path, format!("loads {name}"));
        keep.path(&place, Pull::Opened, reason);
    }
}

/// The services that nsswitch.conf names; `dns` and `files` where there is none (glibc's default).
fn services(scene: &Scene<'_>) -> BTreeSet<String> {
    let text = scene.text(&"/etc/nsswitch.conf".into());
    let Some(text) = text else {
        return ["dns", "files"].map(str::to_owned).into();
    };
    let mut services = BTreeSet::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((_, line)) = line.split_once(':') else {
            continue;
        };
        // `[NOTFOUND=return]` is an action, not a service; it may hold blanks.
        let mut is_action = false;
        for word in line.split_whitespace() {
            is_action |= word.starts_with('[');
            if !is_action
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                services.insert(word.to_owned());
            }
            is_action &= !word.ends_with(']');
        }
    }
    services
}

/// The locales the image's environment names, as directories or in the archive (`locale(7)`).
fn locales(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let plain = ImagePath::new("/usr/lib/locale/C.utf8");
    keep.tree(
        &plain,
        Cap::NAMED,
        Reason::by("glibc", path, "the locale without a language"),
    );
    for variable in ["LC_ALL", "LANG", "LC_CTYPE"] {
        let Some(name) = scene.config().env(variable) else {
            continue;
        };
        if matches!(name, "" | "C" | "POSIX") || name.contains('/') {
            continue;
        }
        let detail = format!("{variable}={name}");
        // `C.UTF-8` lies in `C.utf8`: the code set is written in lower case without punctuation.
        let normal = match name.split_once('.') {
            Some((language, codeset)) => {
                let plain = codeset.chars().filter(char::is_ascii_alphanumeric);
                format!("{language}.{}", plain.collect::<String>().to_lowercase())
            }
            None => name.to_owned(),
        };
        let directory = ImagePath::new("/usr/lib/locale");
        for name in [name, &normal] {
            let reason = Reason::by("glibc", path, detail.clone());
            keep.tree(&directory.join(name), Cap::NAMED, reason);
        }
        if !normal.starts_with("C.") {
            let reason = Reason::by("glibc", path, detail);
            keep.path(&directory.join("locale-archive"), Pull::Opened, reason);
        }
    }
}

/// The converters whose names a program holds. Libraries that convert hold the names of all.
fn named_converters(scene: &Scene<'_>, path: &ImagePath, elf: &Elf, keep: &mut Keep<'_>) {
    let tree = scene.tree();
    let indexes = tree.iter().map(|(path, _)| path).filter(|path| {
        let directory = path.parent().unwrap_or_else(ImagePath::root);
        path.file_name() == b"gconv-modules" && directory.file_name() == b"gconv"
            || directory.file_name() == b"gconv-modules.d" && path.file_name().ends_with(b".conf")
    });
    for index in indexes {
        let Some(directory) = index
            .ancestors()
            .find(|above| above.file_name() == b"gconv")
        else {
            continue;
        };
        let text = scene.text(index).unwrap_or_default();
        // `alias NAME// STANDARD//`, `module FROM// TO// FILE COST` (the comments of the file itself).
        let lines = || {
            text.lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>())
        };
        let bare = |name: &str| name.trim_end_matches('/').as_bytes().to_vec();
        let mut wanted = elf.charsets.clone();
        for line in lines() {
            if let ["alias", from, to, ..] = line.as_slice()
                && wanted.contains(&bare(from))
            {
                wanted.insert(bare(to));
            }
        }
        for line in lines() {
            if let ["module", from, to, file, ..] = line.as_slice()
                && (wanted.contains(&bare(from)) || wanted.contains(&bare(to)))
            {
                let reason = Reason::by(
                    "glibc",
                    path,
                    format!("converts {}", from.trim_end_matches('/')),
                );
                keep.path(&directory.join(format!("{file}.so")), Pull::Opened, reason);
            }
        }
    }
}

/// A converter is found through the index beside it.
fn converters(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let Some(directory) = path.ancestors().find(|above| above.file_name() == b"gconv") else {
        return;
    };
    // The cache, where there is one, is all that is read, unless a search path is set
    // (`iconvconfig(8)`; glibc's `iconv/gconv_conf.c`). Whoever rebuilds it needs the texts.
    let cache = directory.join("gconv-modules.cache");
    let is_set = scene
        .request()
        .subject
        .image
        .config
        .env("GCONV_PATH")
        .is_some();
    let names: &[&str] = match scene.level() {
        Level::File if scene.tree().contains(&cache) && !is_set => &["gconv-modules.cache"],
        _ => &["gconv-modules", "gconv-modules.cache", "gconv-modules.d"],
    };
    for name in names {
        let place = directory.join(name);
        let reason = Reason::by("glibc", path, "finds converters");
        if scene.tree().get(&place).is_some_and(|node| node.is_dir()) {
            keep.tree(&place, Cap::NAMED, reason);
        } else {
            keep.path(&place, Pull::Opened, reason);
        }
    }
}

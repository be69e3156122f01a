//! PHP: its configuration, extensions, converters, included files and Composer's autoloader.

use std::collections::BTreeSet;
use std::io;

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::ahead;
use crate::keep::{Keep, Pull};
use crate::known::{Learned, weight_of};
use crate::own;
use crate::scene::{Look, Scene};
use crate::valve::Cap;

follower! {
    /// PHP reads `php.ini` and every `*.ini` of its scan directory, both compiled in or named by
    /// `PHPRC` and `PHP_INI_SCAN_DIR`, and loads the extensions they name from its extension
    /// directory (PHP manual, "The configuration file", "extension", "zend_extension").
    ///
    /// An extension that converts with the C library (`iconv`) brings all its converters: which one
    /// is decided by what a request says.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/sbin/web
    /// ENV PHP_INI_SCAN_DIR=:/srv/php
    /// /usr/sbin/web 0755 elf needed=libphp8.2.so                                     # kept
    /// /usr/lib/libphp8.2.so 0644 elf soname=libphp8.2.so text=/etc/php,/etc/php/conf.d,/usr/lib/php/20220829 # kept [elf]
    /// /etc/php/php.ini 0644 "zend_extension=opcache\n"                               # kept [php]
    /// /etc/php/conf.d/iconv.ini -> ../available/iconv.ini                            # kept [php]
    /// /etc/php/available/iconv.ini 0644 "; text\nextension = \"iconv.so\"\n"         # kept [symlink]
    /// /etc/php/available/gd.ini 0644 "extension=gd\n"
    /// /srv/php/x.ini 0644 "extension=mb ; strings\n"                                 # kept [php]
    /// /usr/lib/php/20220829/iconv.so 0644 elf symbol=iconv_open                      # kept [php]
    /// /usr/lib/php/20220829/opcache.so 0644 elf                                      # kept [php]
    /// /usr/lib/php/20220829/mb.so 0644 elf                                           # kept [php]
    /// /usr/lib/php/20220829/gd.so 0644 elf
    /// /usr/lib/gconv/SJIS.so 0644 elf                                                # kept [php]
    /// ```
    ///
    /// A kept script brings what it includes by a name that can be read off, beside itself or in
    /// the include path; so do the application's other scripts, in its working directory or beside
    /// one that runs; Composer's `vendor/autoload.php` what its lists name.
    ///
    /// ```image
    /// ENTRYPOINT /srv/run /srv/index.php
    /// /srv/run 0755 elf                                                              # kept
    /// /srv/index.php 0644 "<?php require __DIR__ . '/vendor/autoload.php'; include_once('Twig.php');" # kept
    /// /srv/vendor/autoload.php 0644 "<?php return 1;"                                # kept [php]
    /// /srv/vendor/composer/autoload_psr4.php 0644 "<?php return ['A\\\\' => [$vendorDir . '/a/a/src'], 'App\\\\' => [$baseDir . '/src']];" # kept [php]
    /// /srv/vendor/a/a/src/X.php 0644 "<?php"                                         # kept [php]
    /// /srv/vendor/a/a/tests/XTest.php 0644 "<?php"
    /// /srv/src/Y.php 0644 "<?php"                                                    # kept [php]
    /// /usr/share/php/Twig.php 0644 "<?php"                                           # kept [php]
    /// /usr/share/php/Other.php 0644 "<?php"
    /// ```
    id: "php",
    follow: follow,
}

/// Longer scripts are not read.
const SCRIPT_LIMIT: u64 = 4 << 20;
/// More names than this are not read from one script.
const NAME_LIMIT: usize = 50_000;
/// How large a directory may be that Composer's lists name.
const SOURCES: Cap = Cap {
    files: 20_000,
    bytes: 128_000_000,
};
/// Converters of glibc are 250 files of 8 MB; more than this are not taken.
const CONVERTER_LIMIT: usize = 1_000;
/// Where `include` looks when no configuration says otherwise: Debian, PEAR, from source.
const INCLUDE_PATH: &[&str] = &["/usr/share/php", "/usr/share/pear", "/usr/local/lib/php"];

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if is_script(scene, path) {
        script(scene, path, keep);
        return own::home(scene, path, "php", is_script, keep);
    }
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return;
    };
    if is_php(path) {
        configuration(scene, path, &elf.paths, keep);
    }
    let is_extension = path.components().any(|part| part == b"php") || is_php(path);
    if is_extension && elf.symbols.contains("iconv_open") {
        let origin = path.parent().unwrap_or_else(ImagePath::root);
        for directory in scene.loader().directories(elf, &origin, &[]) {
            let Ok(found) = scene.tree().resolve(&directory.join("gconv")) else {
                continue;
            };
            let files = scene.tree().subtree(&found.path).map(|(file, _)| file);
            let files: Vec<ImagePath> = files.take(CONVERTER_LIMIT).cloned().collect();
            for file in files {
                let reason = Reason::by("php", path, "converts what requests name");
                keep.path(&file, Pull::Opened, reason);
            }
        }
    }
}

fn is_script(_: &Scene<'_>, path: &ImagePath) -> bool {
    let name = path.file_name();
    name.ends_with(b".php") || name.ends_with(b".inc")
}

/// Whether it is an interpreter: `php`, `php8.2`, `php-fpm`, `php-cgi8.2`, `libphp8.2.so`.
fn is_php(path: &ImagePath) -> bool {
    let name = path.file_name();
    let name = name.strip_prefix(b"lib").unwrap_or(name);
    let Some(rest) = name.strip_prefix(b"php") else {
        return false;
    };
    let rest = rest.strip_suffix(b".so").unwrap_or(rest);
    let rest = [&b"-fpm"[..], b"-cgi", b"dbg"]
        .into_iter()
        .find_map(|kind| rest.strip_prefix(kind))
        .unwrap_or(rest);
    rest.iter()
        .all(|&byte| byte.is_ascii_digit() || byte == b'.')
}

fn configuration(
    scene: &Scene<'_>,
    path: &ImagePath,
    compiled_in: &BTreeSet<Vec<u8>>,
    keep: &mut Keep<'_>,
) {
    let tree = scene.tree();
    let mut places: Vec<ImagePath> = compiled_in.iter().map(ImagePath::new).collect();
    let mut scanned: Vec<ImagePath> = places
        .iter()
        .filter(|place| place.file_name() == b"conf.d")
        .cloned()
        .collect();
    if let Some(named) = scene.config().env("PHP_INI_SCAN_DIR") {
        let named = named.split(':').filter(|text| text.starts_with('/'));
        scanned.extend(named.map(ImagePath::from));
    }
    places.extend(scene.config().env("PHPRC").map(ImagePath::from));
    let mut files: Vec<ImagePath> = places.iter().map(|place| place.join("php.ini")).collect();
    for directory in &scanned {
        files.extend(scene.expand(&directory.join("*.ini")));
    }
    let mut extensions: Vec<ImagePath> = places;
    let mut asked: Vec<(ImagePath, String)> = Vec::new();
    for file in files {
        let reason = Reason::by("php", path, "configuration");
        let Some(file) = keep.path(&file, Pull::Opened, reason) else {
            continue;
        };
        for (key, value) in settings(&scene.text(&file).unwrap_or_default()) {
            match key.as_str() {
                "extension" | "zend_extension" => asked.push((file.clone(), value)),
                "extension_dir" => extensions.insert(0, ImagePath::new(value)),
                _ => {}
            }
        }
    }
    for (file, name) in asked {
        let shown = plimsoll_model::text::printable(name.as_bytes());
        let names = [name.clone(), format!("{name}.so")];
        let mut places = extensions
            .iter()
            .flat_map(|directory| names.iter().map(|name| directory.join(name)));
        let found = places.find(|place| {
            let node = tree
                .resolve(place)
                .ok()
                .and_then(|found| tree.get(found.path));
            node.is_some_and(|node| node.is_file())
        });
        match found {
            Some(place) => {
                let reason = Reason::by("php", &file, format!("extension {shown}"));
                keep.path(&place, Pull::Opened, reason);
            }
            None => keep.problem(
                &file,
                format!("asks for the extension {shown}, which is not in the image"),
            ),
        }
    }
}

/// Keys and values of an ini file, quotes and comments taken off.
fn settings(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with([';', '#', '[']));
    lines
        .filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            let value = value.trim();
            let value = match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default(),
                None => value.split(';').next().unwrap_or_default().trim(),
            };
            (!value.is_empty()).then(|| (key.trim().to_owned(), value.to_owned()))
        })
        .collect()
}

fn script(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let read = || {
        let bytes = scene.rootfs().read(path, SCRIPT_LIMIT)?;
        let text = String::from_utf8_lossy(&bytes);
        let (names, is_cut) = included(&text);
        let names = names.into_iter().map(str::to_owned).collect();
        Ok::<_, io::Error>(Included { names, is_cut })
    };
    let Ok(included) = scene.learned(path, "", read) else {
        return;
    };
    let home = path.parent().unwrap_or_else(ImagePath::root);
    if included.is_cut {
        keep.problem(path, ahead::CUT);
    }
    for name in &included.names {
        let shown = plimsoll_model::text::printable(name.as_bytes());
        let reason = || Reason::by("php", path, format!("includes {shown}"));
        let relative = name.trim_start_matches('/');
        let working = ImagePath::root().join(&scene.config().working_dir);
        let fixed = INCLUDE_PATH
            .iter()
            .map(|directory| ImagePath::new(directory).join(relative));
        let mut places = [
            home.join(relative),
            ImagePath::root().join(name),
            working.join(relative),
        ]
        .into_iter()
        .chain(fixed);
        let is_file = |place: &ImagePath| {
            let found = scene.tree().resolve(place).ok();
            let node = found.and_then(|found| scene.tree().get(found.path));
            node.is_some_and(|node| node.is_file())
        };
        if let Some(place) = places.find(is_file) {
            keep.path(&place, Pull::Named, reason());
        }
    }
    composer(scene, path, &home, keep);
}

/// What a script includes.
struct Included {
    names: BTreeSet<String>,
    /// Whether there is more than is read.
    is_cut: bool,
}

impl Learned for Included {
    fn weight(&self) -> usize {
        weight_of(&self.names)
    }
}

/// The literals behind `include` and `require`, whatever directory is put before them; and whether
/// there are more than are read.
fn included(text: &str) -> (BTreeSet<&str>, bool) {
    let mut names = BTreeSet::new();
    let mut is_cut = false;
    for word in ["include", "require"] {
        for (count, (at, _)) in text.match_indices(word).enumerate() {
            if count >= ahead::WORD_LIMIT {
                is_cut = true;
                break;
            }
            let rest = ahead::near(&text[at + word.len()..]);
            let rest = rest.strip_prefix("_once").unwrap_or(rest);
            let end = rest.find([';', '\n', '?']).unwrap_or(rest.len());
            let statement = &rest[..end];
            // `__DIR__ . '/x.php'`, `('x.php')`, `dirname(__FILE__) . "/x.php"`
            let Some(open) = statement.find(['\'', '"']) else {
                continue;
            };
            let is_known = statement[..open]
                .chars()
                .all(|c| c.is_ascii_alphabetic() || "_ \t().".contains(c));
            let quote = &statement[open..=open];
            let mut parts = statement[open + 1..].splitn(2, quote);
            let (name, after) = (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            );
            if is_known && !name.is_empty() && !name.contains('$') && !after.contains('.') {
                names.insert(name);
            }
        }
    }
    (names, is_cut)
}

/// Composer's generated lists: `vendor/autoload.php` loads them all, and they say where classes
/// and functions lie, as `$vendorDir . '/a/b/src'` and `$baseDir . '/src'`.
fn composer(scene: &Scene<'_>, path: &ImagePath, home: &ImagePath, keep: &mut Keep<'_>) {
    if path.file_name() == b"autoload.php" {
        let reason = Reason::by("php", path, "Composer's lists");
        let directory = home.join("composer");
        let lists = scene.tree().children(&directory);
        let lists = lists.map(|(list, _)| list).filter(|list| {
            list.file_name().ends_with(b".php") || list.file_name() == b"installed.json"
        });
        for list in lists.cloned().collect::<Vec<_>>() {
            keep.path(&list, Pull::Named, reason.clone());
        }
        return;
    }
    let is_list = home.file_name() == b"composer" && path.file_name().starts_with(b"autoload_");
    let Some(vendor) = home.parent().filter(|_| is_list) else {
        return;
    };
    let Ok(bytes) = scene.rootfs().read(path, SCRIPT_LIMIT) else {
        return;
    };
    let text = String::from_utf8_lossy(&bytes);
    let base = vendor.parent().unwrap_or_else(ImagePath::root);
    for (variable, directory) in [("$vendorDir . '", &vendor), ("$baseDir . '", &base)] {
        for (at, _) in text.match_indices(variable).take(NAME_LIMIT) {
            let rest = &text[at + variable.len()..];
            let name = rest.split('\'').next().unwrap_or_default();
            let place = directory.join(name.trim_start_matches('/'));
            // The application's own directory as a whole is the application's business.
            if &place == directory || scene.tree().resolve(&place).is_err() {
                continue;
            }
            let shown = plimsoll_model::text::printable(name.as_bytes());
            let reason = Reason::by("php", path, format!("classes in {shown}"));
            if place.file_name().ends_with(b".php") {
                keep.path(&place, Pull::Named, reason);
            } else {
                keep.tree(&place, SOURCES, reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::included;

    #[test]
    fn a_name_far_behind_a_word_is_not_its() {
        let found = |gap: usize| included(&format!("include{}'x';", " ".repeat(gap))).0.len();
        assert_eq!((found(1), found(5_000)), (1, 0));
    }
}

//! Apache's configuration: modules, included files, what is served.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::Scene;
use crate::valve::Cap;

follower! {
    /// Apache finds its modules, its further configuration and what it serves by names that are
    /// often relative to its server root, or patterns (Apache's documentation, "Directive Quick
    /// Reference"). A module that no line loads stays ashore, and with it the libraries that only
    /// it needs.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/sbin/apache2 -DFOREGROUND
    /// /usr/sbin/apache2 0755 elf                                                   # kept
    /// /etc/apache2/apache2.conf 0644 "Include mods/*.load\nTypesConfig types\n"    # kept [apache]
    /// /etc/apache2/mods/dir.load 0644 "LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so\n" # kept [apache]
    /// /etc/apache2/mods/site.load 0644 "DocumentRoot \"/srv/www\"\nAlias /icons/ /usr/share/icons/\n" # kept [apache]
    /// /etc/apache2/types 0644 "text/html html\n"        # kept [apache]
    /// /usr/lib/apache2/modules/mod_dir.so 0644 elf      # kept [apache]
    /// /usr/lib/apache2/modules/mod_xml.so 0644 elf needed=libxml2.so.2
    /// /usr/lib/libxml2.so.2 0644 elf
    /// /srv/www/index.html 0644 "hello"                  # kept [apache]
    /// /usr/share/icons/text.gif 0644 1k                 # kept [apache]
    /// /usr/share/icons.txt 0644 1k
    /// ```
    id: "apache",
    follow: follow,
}

/// What an argument of a directive names.
#[derive(Clone, Copy)]
enum Names {
    File,
    Pattern,
    Tree,
}

/// Directive (in lower case), which argument, and what it names.
const DIRECTIVES: &[(&str, usize, Names)] = &[
    ("alias", 2, Names::Tree),
    ("authdigestfile", 1, Names::File),
    ("authgroupfile", 1, Names::File),
    ("authuserfile", 1, Names::File),
    ("documentroot", 1, Names::Tree),
    ("include", 1, Names::Pattern),
    ("includeoptional", 1, Names::Pattern),
    ("loadfile", 1, Names::File),
    ("loadmodule", 2, Names::File),
    ("mimemagicfile", 1, Names::File),
    ("phpinidir", 1, Names::Tree),
    ("scriptalias", 2, Names::Tree),
    ("sslcacertificatefile", 1, Names::File),
    ("sslcertificatechainfile", 1, Names::File),
    ("sslcertificatefile", 1, Names::File),
    ("sslcertificatekeyfile", 1, Names::File),
    ("typesconfig", 1, Names::File),
    ("wsgiscriptalias", 2, Names::File),
];

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if matches!(path.file_name(), b"apache2" | b"httpd") && keep.is_executed(path) {
        // Compiled in as a directory and a name relative to it, so that no path says it.
        let own = path
            .parent()
            .and_then(|bin| Some(bin.parent()?.join("conf/httpd.conf")));
        let places = ["/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf"];
        for place in places.into_iter().map(ImagePath::from).chain(own) {
            keep.path(
                &place,
                Pull::Opened,
                Reason::by("apache", path, "main configuration"),
            );
        }
    }
    let Some(root) = server_root(path) else {
        return;
    };
    let Some(text) = scene.text(path) else {
        return;
    };
    let root = declared_root(&text).unwrap_or(root);
    for (number, line) in text.lines().enumerate() {
        let words = words(line);
        let Some(name) = words.first() else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        let Some((_, index, names)) = DIRECTIVES.iter().find(|(known, ..)| *known == name) else {
            continue;
        };
        let Some(value) = words
            .get(*index)
            .filter(|value| !value.contains(['$', '%']))
        else {
            continue;
        };
        let place = root.join(value);
        let detail = format!("line {}: {} {value}", number + 1, words[0]);
        let reason = Reason::by("apache", path, detail);
        match names {
            Names::File => file(scene, path, &place, keep, reason),
            Names::Tree => keep.tree(&place, Cap::SERVED, reason),
            Names::Pattern => include(scene, &place, keep, &reason),
        }
    }
}

/// The server root of a configuration file, by where it lies; `None` if it is not Apache's.
fn server_root(path: &ImagePath) -> Option<ImagePath> {
    for root in ["/etc/apache2", "/etc/httpd"] {
        if path.starts_with(root) {
            return Some(root.into());
        }
    }
    // Built from source: `PREFIX/conf/httpd.conf`, `PREFIX/conf/extra/*.conf`.
    let conf = path
        .ancestors()
        .find(|above| above.file_name() == b"conf")?;
    let is_apache = path.file_name().ends_with(b".conf");
    conf.parent().filter(|_| is_apache)
}

fn declared_root(text: &str) -> Option<ImagePath> {
    text.lines().find_map(|line| {
        let words = words(line);
        let is_root = words.first()?.eq_ignore_ascii_case("serverroot");
        let value = words
            .get(1)
            .filter(|value| is_root && value.starts_with('/'))?;
        Some(ImagePath::new(value))
    })
}

/// The words of a line, quotes taken off; none for a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once([' ', '\t']).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

fn file(
    scene: &Scene<'_>,
    path: &ImagePath,
    place: &ImagePath,
    keep: &mut Keep<'_>,
    reason: Reason,
) {
    let detail = reason.detail.clone();
    let is_there = scene.tree().resolve(place).is_ok();
    if is_there {
        keep.path(place, Pull::Named, reason);
    } else {
        keep.problem(
            path,
            format!("names {place} ({detail}), which is not in the image"),
        );
    }
}

fn include(scene: &Scene<'_>, place: &ImagePath, keep: &mut Keep<'_>, reason: &Reason) {
    for path in scene.expand(place) {
        let Ok(found) = scene.tree().resolve(&path) else {
            continue;
        };
        if scene
            .tree()
            .get(&found.path)
            .is_some_and(|node| node.is_dir())
        {
            keep.tree(&path, Cap::NAMED, reason.clone());
        } else {
            keep.path(&path, Pull::Named, reason.clone());
        }
    }
}

//! Postfix: the daemons its master starts, and the tables they look up.

use std::collections::BTreeSet;

use plimsoll_model::{ImagePath, Node, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::Scene;

follower! {
    /// Postfix's `master` starts a daemon for each service when the first client, message or timer
    /// asks for it; the last column of `master.cf` names it, in `daemon_directory` (`master(5)`,
    /// `postconf(5)`). A greeting shows `smtpd` alone, and a message needs six others. All that
    /// `master.cf` names come along, with what they need.
    ///
    /// A table is `type:name` in `main.cf` or `master.cf`; most types read a file with another
    /// ending (`hash:/etc/aliases` reads `aliases.db`), and some are loaded from a module that
    /// `dynamicmaps.cf` names (`postfix(1)`, `dynamicmaps(5)`).
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/sbin/postfix start-fg
    /// /usr/sbin/postfix                    0755 elf                            # kept
    /// /usr/lib/postfix/sbin/master         0755 elf                            # kept [postfix]
    /// /usr/lib/postfix/sbin/postfix-script 0755 "#!/bin/sh\n"                  # kept [postfix]
    /// /bin/sh                              0755 elf                            # kept [shebang]
    /// /usr/lib/postfix/sbin/smtpd          0755 elf                            # kept [postfix]
    /// /usr/lib/postfix/sbin/cleanup        0755 elf needed=libq.so.1           # kept [postfix]
    /// /usr/lib/postfix/sbin/postscreen     0755 elf
    /// /usr/lib/libq.so.1                   0644 elf                            # kept [elf]
    /// /usr/lib/postfix/postfix-pcre.so     0644 elf                            # kept [postfix]
    /// /usr/lib/postfix/postfix-ldap.so     0644 elf
    /// /etc/postfix/main.cf                 0644 "alias_maps = hash:/etc/aliases\nheader_checks =\n  pcre:${config_directory}/checks\n#x = hash:/etc/old\n" # kept [postfix]
    /// /etc/postfix/master.cf               0644 "smtp inet n - y - - smtpd\n  -o x=y\n#smtp inet n - y - 1 postscreen\ncleanup unix n - y - 0 cleanup\n" # kept [postfix]
    /// /etc/postfix/dynamicmaps.cf          0644 "pcre postfix-pcre.so dict_pcre_open\nldap postfix-ldap.so dict_ldap_open\n" # kept [postfix]
    /// /etc/postfix/checks                  0644 "/x/ REJECT\n"                 # kept [postfix]
    /// /etc/aliases                         0644 "a: b\n"                     # kept
    /// /etc/aliases.db                      0644 1k                             # kept [postfix]
    /// /etc/old.db                          0644 1k
    /// ```
    id: "postfix",
    follow: follow,
}

/// Where daemons lie when `main.cf` does not say: Debian, Red Hat, older releases.
const DAEMONS: &[&str] = &[
    "/usr/lib/postfix/sbin",
    "/usr/libexec/postfix",
    "/usr/lib/postfix",
];
/// Where modules of tables lie when `main.cf` does not say.
const MODULES: &[&str] = &[
    "/usr/lib/postfix",
    "/usr/lib64/postfix",
    "/usr/libexec/postfix",
];
/// What starts and watches the daemons, and is no service.
const KEEPERS: &[&str] = &["master", "postfix-script"];
/// More names than this are not read from one file.
const LIMIT: usize = 10_000;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let name = path.file_name();
    if !keep.is_executed(path) || !matches!(name, b"postfix" | b"master") {
        return;
    }
    let home = ImagePath::new(scene.config().env("MAIL_CONFIG").unwrap_or("/etc/postfix"));
    let main = scene
        .text(&real(scene, &home.join("main.cf")))
        .unwrap_or_default();
    let services = scene
        .text(&real(scene, &home.join("master.cf")))
        .unwrap_or_default();
    let directory = |key: &str, usual: &[&str]| {
        let said = setting(&main, key).filter(|value| value.starts_with('/'));
        let said = said.map(ImagePath::from);
        said.into_iter()
            .chain(usual.iter().map(ImagePath::new))
            .find(|place| is_directory(scene, place))
    };
    let Some(daemons) = directory("daemon_directory", DAEMONS) else {
        return;
    };
    // Another program may be called `master`.
    if name == b"master" && path.parent() != Some(real(scene, &daemons)) {
        return;
    }
    let reason = |detail: &str| Reason::by("postfix", path, detail);
    for file in ["main.cf", "master.cf", "dynamicmaps.cf"] {
        keep.path(&home.join(file), Pull::Opened, reason("configuration"));
    }
    for keeper in KEEPERS {
        let place = daemons.join(keeper);
        keep.path(&place, Pull::Executed, reason("starts the daemons"));
    }
    for service in services.lines().take(LIMIT).filter_map(daemon) {
        let place = daemons.join(service);
        let shown = plimsoll_model::text::printable(service.as_bytes());
        let reason = Reason::by("postfix", path, format!("master.cf starts {shown}"));
        if keep.path(&place, Pull::Executed, reason).is_none() {
            let message = format!("master.cf names {place}, which is not in the image");
            keep.problem(&home.join("master.cf"), message);
        }
    }
    let mut types = BTreeSet::new();
    for text in [&main, &services] {
        for (kind, name) in text
            .lines()
            .filter(|line| !is_comment(line))
            .flat_map(tables)
            .take(LIMIT)
        {
            types.insert(kind.to_owned());
            let name = name
                .replace("${config_directory}", "/")
                .replace("$config_directory", "/");
            let place = match name.strip_prefix("//") {
                Some(inside) => home.join(inside),
                None => ImagePath::new(&name),
            };
            for ending in endings(kind) {
                let place = ImagePath::new([place.as_bytes(), ending.as_bytes()].concat());
                keep.path(
                    &place,
                    Pull::Named,
                    reason(&format!("a table: {kind}:{place}")),
                );
            }
        }
    }
    let mut lists = vec![home.join("dynamicmaps.cf")];
    lists.extend(scene.expand(&home.join("dynamicmaps.cf.d/*")));
    let modules = directory("shlib_directory", MODULES).unwrap_or(daemons);
    for list in lists {
        let text = scene.text(&real(scene, &list)).unwrap_or_default();
        for line in text.lines().filter(|line| !is_comment(line)).take(LIMIT) {
            let mut words = line.split_whitespace();
            let (Some(kind), Some(module)) = (words.next(), words.next()) else {
                continue;
            };
            if types.contains(kind) {
                keep.path(&list, Pull::Named, reason("names modules of tables"));
                let place = modules.join(module);
                keep.path(
                    &place,
                    Pull::Opened,
                    reason(&format!("loads tables of type {kind}")),
                );
            }
        }
    }
}

fn real(scene: &Scene<'_>, path: &ImagePath) -> ImagePath {
    let found = scene.tree().resolve(path);
    found.map_or_else(|_| path.clone(), |found| found.path)
}

fn is_directory(scene: &Scene<'_>, path: &ImagePath) -> bool {
    let node = scene.tree().get(real(scene, path));
    node.is_some_and(Node::is_dir)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The value of a parameter, where it stands on one line.
fn setting<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let lines = text.lines().filter(|line| !is_comment(line));
    let mut values = lines.filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then_some(value.trim())
    });
    values.next_back()
}

/// The daemon that a line of `master.cf` starts: its eighth column. A line that begins with a blank
/// goes on with the one before.
fn daemon(line: &str) -> Option<&str> {
    let goes_on = line.starts_with(char::is_whitespace);
    let daemon = line.split_whitespace().nth(7)?;
    (!goes_on && !is_comment(line)).then_some(daemon)
}

/// The tables in a line: `hash:/etc/aliases`.
fn tables(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let words = line.split(|c: char| c.is_whitespace() || matches!(c, ',' | '='));
    words.filter_map(|word| {
        let (kind, name) = word.split_once(':')?;
        let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_file = name.starts_with('/')
            || name.starts_with("$config_directory")
            || name.starts_with("${config_directory}");
        (is_kind && is_file).then_some((kind, name))
    })
}

/// What a type of tables adds to the name (`DATABASE_README` of Postfix).
fn endings(kind: &str) -> &'static [&'static str] {
    match kind {
        "hash" | "btree" => &[".db"],
        "cdb" => &[".cdb"],
        "dbm" | "sdbm" => &[".dir", ".pag"],
        "lmdb" => &[".lmdb"],
        _ => &[""],
    }
}

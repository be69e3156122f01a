//! Servers that load parts of themselves when a client asks for them.

use std::collections::BTreeSet;

use plimsoll_model::{ImagePath, Node, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::plugins;
use crate::scene::{Look, Scene};
use crate::valve::Cap;

follower! {
    /// A database server opens a module, a dictionary or a table of characters when the first
    /// statement asks for it, in directories that it knows relative to its own place (PostgreSQL:
    /// `pg_config --pkglibdir`, `--sharedir`; MariaDB and MySQL: `plugin_dir`,
    /// `character_sets_dir`, `lc_messages_dir`). What lies there comes along: data as it is, modules
    /// as far as they need little (4 MB each, 16 MB together) that the server does not need itself;
    /// the others are noted, such as PostgreSQL's compiler of queries with the whole of LLVM. A proxy
    /// (Squid: `error_directory`, `icon_directory`) answers a client in the language it asks for.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/lib/postgresql/15/bin/postgres
    /// /usr/lib/postgresql/15/bin/postgres          0755 elf                              # kept
    /// /usr/lib/postgresql/15/bin/pg_dump           0755 elf
    /// /usr/lib/postgresql/15/lib/pgcrypto.so       0644 elf                              # kept [server]
    /// /usr/lib/postgresql/15/lib/llvmjit.so        0644 elf needed=libLLVM-14.so.1
    /// /usr/lib/libLLVM-14.so.1                     0644 5000k
    /// /usr/lib/postgresql/15/lib/bitcode/a.bc      0644 1k
    /// /usr/share/postgresql/15/extension/pgcrypto.control 0644 "comment = 'x'\n"         # kept [server]
    /// /usr/share/postgresql/15/tsearch_data/german.stop   0644 "der\n"                   # kept [server]
    /// /usr/share/postgresql-common/pg_wrapper      0755 "#!/usr/bin/perl\n"
    /// ```
    ///
    /// ```image
    /// ENTRYPOINT /usr/sbin/mariadbd
    /// /usr/sbin/mariadbd                           0755 elf                              # kept
    /// /usr/lib/mysql/plugin/auth_ed25519.so        0644 elf                              # kept [server]
    /// /usr/share/mysql/charsets/Index.xml          0644 "<x/>"                           # kept [server]
    /// /usr/share/mysql/english/errmsg.sys          0644 1k                               # kept [server]
    /// ```
    ///
    /// ```image
    /// ENTRYPOINT /usr/sbin/squid-openssl
    /// /usr/sbin/squid-openssl                      0755 elf                              # kept
    /// /usr/share/squid/errors/templates/ERR_DNS    0644 "<p>"                            # kept [server]
    /// /usr/share/squid/errors/de                   -> ../../squid-langpack/de            # kept [server]
    /// /usr/share/squid-langpack/de/ERR_DNS         0644 "<p>"                            # kept [server]
    /// ```
    ///
    /// ## Not followed
    ///
    /// A server that is not started, and its tools.
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/psql
    /// /usr/bin/psql                                0755 elf                              # kept
    /// /usr/lib/postgresql/15/bin/postgres          0755 elf
    /// /usr/lib/postgresql/15/lib/pgcrypto.so       0644 elf
    /// ```
    id: "server",
    follow: follow,
}

/// Where a server finds its parts, as paths from the directory above that of its program; `{}` is
/// the name of that directory, its version where several are installed beside each other.
struct Server {
    programs: &'static [&'static str],
    /// Directories of modules.
    modules: &'static [&'static str],
    /// Directories of data.
    data: &'static [&'static str],
}

const SERVERS: &[Server] = &[
    Server {
        programs: &["mariadbd", "mysqld"],
        modules: &["lib/mysql/plugin", "lib/plugin", "lib64/mysql/plugin"],
        data: &[
            "share/mysql",
            "share/mariadb",
            "share/mysql-8.0",
            "share/mysql-8.4",
        ],
    },
    Server {
        // Debian has one for each library of TLS.
        programs: &["squid", "squid-gnutls", "squid-openssl"],
        modules: &[],
        data: &["share/squid", "share/squid-langpack"],
    },
    Server {
        programs: &["postgres"],
        modules: &["lib", "lib/postgresql"],
        // Built from source, as Debian lays it out, and as Red Hat does.
        data: &[
            "share",
            "share/postgresql",
            "/usr/share/postgresql/{}",
            "share/pgsql",
        ],
    },
];

/// How large a directory of data may be.
const DATA: Cap = Cap {
    files: 5_000,
    bytes: 64 << 20,
};

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if !keep.is_executed(path) {
        return;
    }
    let is_it = |server: &&Server| {
        let mut programs = server.programs.iter();
        programs.any(|program| program.as_bytes() == path.file_name())
    };
    let home = path.parent().and_then(|bin| bin.parent());
    let (Some(server), Some(home)) = (SERVERS.iter().find(is_it), home) else {
        return;
    };
    let version = String::from_utf8_lossy(home.file_name()).into_owned();
    let place = |text: &&str| home.join(text.replace("{}", &version));
    for directory in server.data.iter().map(place) {
        if !is_shared(&directory) {
            keep.tree(
                &directory,
                DATA,
                Reason::by("server", path, "may ask for its data"),
            );
        }
    }
    for directory in server.modules.iter().map(place) {
        modules(scene, path, &directory, keep);
    }
}

/// A directory that other packages share says nothing of this server.
fn is_shared(directory: &ImagePath) -> bool {
    matches!(
        directory.as_bytes(),
        b"/usr/share" | b"/usr/local/share" | b"/share"
    )
}

fn modules(scene: &Scene<'_>, path: &ImagePath, directory: &ImagePath, keep: &mut Keep<'_>) {
    let tree = scene.tree();
    let Ok(found) = tree.resolve(directory) else {
        return;
    };
    if crate::valve::is_system(&found.path) {
        return;
    }
    let is_module = |child: &ImagePath, node: &Node| {
        node.is_file()
            && child.file_name().ends_with(b".so")
            && matches!(&*scene.look(child), Look::Elf(_))
    };
    let children = tree.children(&found.path);
    let candidates: BTreeSet<ImagePath> = children
        .filter(|(child, node)| is_module(child, node))
        .map(|(child, _)| child.clone())
        .collect();
    let loaders = std::slice::from_ref(path);
    let choice = plugins::choose(scene, loaders, &[], &candidates, plugins::EACH);
    for module in choice.taken {
        let reason = Reason::by("server", path, format!("may load from {}", found.path));
        keep.path(&module, Pull::Opened, reason);
    }
    if !choice.dear.is_empty() {
        let names = choice.dear.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!("modules were left ashore for what they need: {names}");
        keep.problem(&found.path, message);
    }
}

//! The levels, packages kept whole, and the risk each level is predicted to be.

use plimsoll_model::report::LevelRisk;

use crate::world::{World, check};

/// A base with a library package of which one library is needed, an application's package, a
/// package one of whose programs is started, and files of the application's own.
pub(crate) const IMAGE: &str = "ENTRYPOINT /usr/bin/server
    PACKAGE server 1 httpd
    PACKAGE server owns /usr/bin/server
    PACKAGE server owns /usr/bin/serverctl
    PACKAGE server owns /usr/lib/server/mod_a.so
    PACKAGE server owns /usr/lib/server/mod_b.so
    PACKAGE server owns /usr/share/server/page
    PACKAGE server owns /usr/share/doc/server/manual
    PACKAGE libz 1 libs
    PACKAGE libz owns /usr/lib/libz.so.1
    PACKAGE libz owns /usr/lib/libz-extra.so.1
    PACKAGE libz owns /usr/bin/ztool
    PACKAGE libz owns /usr/share/locale/de/LC_MESSAGES/z.mo
    PACKAGE tools 1 utils
    PACKAGE tools owns /usr/bin/tool
    PACKAGE tools owns /usr/bin/other-tool
    PACKAGE apart 1 utils
    PACKAGE apart owns /usr/lib/libdeep.so
    PACKAGE apart owns /usr/share/apart/data
    SEEN opened /usr/share/server/page
    SEEN executed /usr/bin/tool
    /usr/lib/libz.so.1          0644 elf
    /usr/lib/libz-extra.so.1    0644 elf
    /usr/bin/ztool              0755 elf
    /usr/share/locale/de/LC_MESSAGES/z.mo 0644 1k
    /usr/bin/tool               0755 elf
    /usr/bin/other-tool         0755 elf
    /usr/lib/libdeep.so         0644 elf
    /usr/share/apart/data       0644 1k
    --- layer
    /usr/bin/server             0755 elf needed=libz.so.1
    /usr/bin/serverctl          0755 elf
    /usr/lib/server/mod_a.so    0644 elf
    /usr/lib/server/mod_b.so    0644 elf needed=libdeep.so
    /usr/share/server/page      0644 1k
    /usr/share/doc/server/manual 0644 1k
    /srv/app/main.py            0644 1k";

/// The image at this level, in which exactly these files stay.
fn kept(level: &str) -> Vec<String> {
    let world = World::new(&format!("{IMAGE}\n{level}"));
    let plan = world.plan();
    let tree = &world.fixture.rootfs.tree;
    let files = tree.iter().filter(|(_, node)| node.is_file());
    files
        .filter(|(path, _)| plan.keeps(path))
        .map(|(path, _)| path.to_string())
        .collect()
}

#[test]
fn at_file_only_what_has_a_reason_stays() {
    assert_eq!(
        kept("LEVEL file"),
        [
            "/usr/bin/server",
            "/usr/bin/tool",
            "/usr/lib/libz.so.1",
            "/usr/share/server/page"
        ]
    );
}

#[test]
fn at_app_the_applications_own_stays_too() {
    assert_eq!(
        kept("LEVEL app"),
        [
            "/srv/app/main.py",
            "/usr/bin/server",
            "/usr/bin/tool",
            "/usr/lib/libz.so.1",
            "/usr/lib/server/mod_a.so",
            "/usr/share/server/page",
        ]
    );
}

#[test]
fn at_package_every_touched_package_is_whole_and_its_programs_come_with_a_started_one() {
    assert_eq!(
        kept("LEVEL package"),
        [
            "/srv/app/main.py",
            "/usr/bin/other-tool",
            "/usr/bin/server",
            "/usr/bin/serverctl",
            "/usr/bin/tool",
            "/usr/lib/libdeep.so",
            "/usr/lib/libz-extra.so.1",
            "/usr/lib/libz.so.1",
            "/usr/lib/server/mod_a.so",
            "/usr/lib/server/mod_b.so",
            "/usr/share/server/page",
        ]
    );
}

#[test]
fn a_package_the_user_keeps_is_whole_with_what_its_files_need() {
    check(
        "ENTRYPOINT /server
         LEVEL file
         KEEP-PACKAGE extra*
         PACKAGE extra-one 1
         PACKAGE extra-one owns /usr/bin/one
         PACKAGE extra-one owns /usr/share/man/one
         PACKAGE deep 1
         PACKAGE deep owns /usr/lib/libdeep.so
         PACKAGE deep owns /usr/lib/libnot.so
         /server              0755 elf
         /usr/bin/one         0755 elf needed=libdeep.so  # kept [keep-package]
         /usr/share/man/one   0644 1k                     # kept [keep-package]
         /usr/lib/libdeep.so  0644 elf                    # kept [elf]
         /usr/lib/libnot.so   0644 elf"
            .replace(
                "/server              0755 elf\n",
                "/server 0755 elf # kept\n",
            )
            .as_str(),
    );
}

#[test]
fn a_package_nobody_installed_cannot_be_kept_and_that_is_said() {
    let world = World::new("ENTRYPOINT /server\n/server 0755 elf\nKEEP-PACKAGE none*");
    let plan = world.plan();
    let [problem] = &plan.unresolved[..] else {
        panic!("{:?}", plan.unresolved)
    };
    assert!(problem.to_string().contains("none*"), "{problem}");
}

#[test]
fn each_level_has_its_risk_in_counts_with_evidence() {
    let world = World::new(&format!("{IMAGE}\nLEVEL file"));
    let risks = plimsoll_slim::risks(&world.request(), &world.plan());
    let counts = |risk: &LevelRisk| {
        let rows = risk.ashore.iter();
        rows.map(|row| format!("{} {}", row.files, row.what))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let [package, app, file] = &risks[..] else {
        panic!("{risks:?}")
    };
    assert_eq!(
        [package, app, file].map(|risk| risk.level),
        ["package", "app", "file"]
    );
    // The package level touched one more package for a library of it.
    assert_eq!(counts(package), "1 locale files, 1 programs, 1 other files");
    assert_eq!(
        counts(app),
        "1 plug-ins, 1 libraries, 1 locale files, 3 programs"
    );
    assert_eq!(
        counts(file),
        "1 modules, 2 plug-ins, 1 libraries, 1 locale files, 3 programs"
    );
    assert_eq!([package.files, app.files, file.files], [11, 6, 4]);
    assert!(file.bytes < app.bytes && app.bytes < package.bytes);
    let plug_ins = &file.ashore[1];
    assert_eq!(plug_ins.packages, 1);
    assert_eq!(plug_ins.examples[0].to_string(), "/usr/lib/server/mod_a.so");
}

#[test]
fn the_state_a_run_wrote_into_stays_with_all_that_is_stored_beside_it() {
    check(
        "ENTRYPOINT /server
         LEVEL file
         SEEN written /var/lib/db/main
         SEEN written /var/log/server.log
         PACKAGE server 1
         PACKAGE server owns /var/lib/db/default
         /server                  0755 elf  # kept
         --- layer
         /var/lib/db/main         0644 1k   # kept
         /var/lib/db/default      0644 1k
         /var/lib/db/shop/orders  0644 1k   # kept [state]
         /var/log/server.log      0644 1k   # kept
         /var/log/old.log         0644 1k
         /var/lib/other/main      0644 1k",
    );
}

#[test]
fn small_data_in_the_working_directory_stays_and_secrets_and_history_do_not() {
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\\nMC4C\\n";
    for (level, rule) in [("file", "workdir"), ("app", "application")] {
        check(&format!(
            "ENTRYPOINT /server
             WORKDIR /app
             LEVEL {level}
             SEEN opened /app/tls.pem
             /server                  0755 elf                   # kept
             --- layer
             /app/page.html           0644 1k                    # kept [{rule}]
             /app/deep/words.txt      0644 1k                    # kept [{rule}]
             /app/tls.pem             0600 \"{KEY}\"             # kept
             /app/deploy.pem          0600 \"{KEY}\"             # ashore, unresolved a private key
             /app/.env                0644 \"PASSWORD=x\"        # ashore, unresolved a file of credentials
             /app/.env.example        0644 \"PASSWORD=\"         # kept [{rule}]
             /app/.git/HEAD           0644 \"ref: x\"
             /app/.aws/credentials    0644 \"x\"                 # ashore, unresolved a file of credentials"
        ));
    }
}

#[test]
fn at_file_a_module_that_was_loaded_has_shown_what_it_imports() {
    for (level, lazy) in [("file", ""), ("app", " # kept [python]")] {
        check(&format!(
            "ENTRYPOINT /usr/bin/python3.11 /app/main.py
             WORKDIR /app
             LEVEL {level}
             SEEN opened /usr/lib/python3/dist-packages/web.py
             /usr/bin/python3.11               0755 elf                         # kept
             /usr/lib/python3.11/os.py         0644 \"\"                        # kept [python]
             /usr/lib/python3/dist-packages/web.py 0644 \"def f():\\n  import rare\\n\" # kept
             /usr/lib/python3/dist-packages/rare.py 0644 \"\"{lazy}
             /usr/lib/python3/dist-packages/late.py 0644 \"def f():\\n  import later\\n\" # kept [python]
             /usr/lib/python3/dist-packages/later.py 0644 \"\"                  # kept [python]
             --- layer
             /app/main.py                      0644 \"import web\\ndef f():\\n  import late\\n\"  # kept"
        ));
    }
}

#[test]
fn codecs_of_other_machines_are_left_to_chance_at_file() {
    let image = "ENTRYPOINT /usr/bin/python3.11 /app/main.py
        /usr/bin/python3.11                       0755 elf # kept
        /app/main.py                              0644 \"import os\\n\" # kept
        /usr/lib/python3.11/os.py                 0644 \"\" # kept
        /usr/lib/python3.11/encodings/__init__.py 0644 \"\" # kept
        /usr/lib/python3.11/encodings/cp850.py    0644 \"\" # kept
        /usr/lib/python3.11/encodings/__pycache__/cp850.cpython-311.pyc 0644 \"\" # kept\n";
    for (level, fate) in [("file", ""), ("app", "# kept")] {
        check(&format!(
            "LEVEL {level}\n{image}
            /usr/lib/python3.11/encodings/cp037.py 0644 \"\" {fate}
            /usr/lib/python3.11/encodings/__pycache__/cp037.cpython-311.pyc 0644 \"\" {fate}"
        ));
    }
    // Unless one was asked for.
    check(&format!(
        "LEVEL file\n{image}
        SEEN opened /usr/lib/python3.11/encodings/cp037.py
        /usr/lib/python3.11/encodings/cp037.py 0644 \"\" # kept"
    ));
}

#[test]
fn the_texts_behind_the_cache_of_converters_are_left_ashore_at_file() {
    let image = "ENTRYPOINT /usr/bin/app
        SEEN opened /usr/lib/gconv/gconv-modules.cache
        /usr/bin/app                        0755 elf # kept
        /usr/lib/gconv/gconv-modules.cache  0644 1k # kept";
    for (what, fate) in [
        ("LEVEL file", ""),
        ("LEVEL app", "# kept"),
        // The cache is then not read.
        ("LEVEL file\nENV GCONV_PATH=/opt/gconv", "# kept"),
    ] {
        check(&format!(
            "{what}\n{image}
            /usr/lib/gconv/gconv-modules               0644 \"\" {fate}
            /usr/lib/gconv/gconv-modules.d/extra.conf  0644 \"\" {fate}"
        ));
    }
}

#[test]
fn what_reads_data_of_packages_works_at_file_though_no_run_did() {
    check(
        "LEVEL file
        ENTRYPOINT /usr/bin/python3.11 /app/main.py
        SEEN opened /app/main.py
        /usr/bin/python3.11 0755 elf # kept
        /app/main.py 0644 \"def late():\\n  import importlib.resources\\n\" # kept
        /usr/lib/python3.11/os.py 0644 \"\" # kept
        /usr/lib/python3.11/importlib/__init__.py 0644 \"import warnings\\n\" # kept
        /usr/lib/python3.11/importlib/resources/__init__.py 0644 \"from ._common import files\\n\" # kept
        /usr/lib/python3.11/importlib/resources/_common.py 0644 \"import tempfile\\n\" # kept
        /usr/lib/python3.11/tempfile.py 0644 \"\" # kept
        /usr/lib/python3.11/warnings.py 0644 \"\"",
    );
}

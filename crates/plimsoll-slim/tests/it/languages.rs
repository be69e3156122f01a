//! What the followers of languages do with less friendly images than those of their pages.

use std::io::Write;

use crate::world::{World, check};

#[test]
fn plug_ins_that_cost_too_much_stay_ashore_and_are_named() {
    check(
        "ENTRYPOINT /usr/bin/draw
         /usr/bin/draw 0755 elf symbol=lt_dlopen text=/usr/lib/draw/coders   # kept
         /usr/lib/draw/coders/ dir 0755   # kept, unresolved rare.so
         /usr/lib/draw/coders/png.so 0644 elf needed=libsmall.so.1           # kept [plug-ins]
         /usr/lib/draw/coders/rare.so 0644 elf needed=libfat.so.1
         /usr/lib/libsmall.so.1 0644 elf                                     # kept [elf]
         /usr/lib/libfat.so.1 0644 elf pad=5000",
    );
}

#[test]
fn what_the_program_needs_anyway_costs_its_plug_ins_nothing() {
    check(
        "ENTRYPOINT /usr/bin/draw
         /usr/bin/draw 0755 elf symbol=lt_dlopen needed=libfat.so.1 text=/usr/lib/draw/coders   # kept
         /usr/lib/draw/coders/rare.so 0644 elf needed=libfat.so.1     # kept [plug-ins]
         /usr/lib/libfat.so.1 0644 elf pad=5000                       # kept [elf]",
    );
}

#[test]
fn a_native_library_of_java_that_costs_too_much_is_named() {
    check(
        "ENTRYPOINT /opt/jre/bin/java
         /opt/jre/bin/java 0755 elf needed=libjli.so rpath=$ORIGIN/../lib    # kept
         /opt/jre/ dir 0755                                    # kept, unresolved libfontmanager.so
         /opt/jre/lib/libjli.so 0644 elf                       # kept [elf]
         /opt/jre/lib/modules 0644 1k                          # kept [jvm]
         /opt/jre/lib/server/libjvm.so 0644 elf                # kept [jvm]
         /opt/jre/lib/libfontmanager.so 0644 elf needed=libfat.so.1
         /usr/lib/libfat.so.1 0644 elf pad=5000",
    );
}

#[test]
fn scripts_of_packages_bring_no_commands() {
    let text = |owner: &str| {
        format!(
            "ENTRYPOINT /srv/tool.pl
             ENV PATH=/usr/bin
             PACKAGE tool 1 perl
             PACKAGE tool owns {owner}
             /usr/bin/perl 0755 elf
             /usr/bin/draw 0755 elf
             /srv/tool.pl 0755 \"#!/usr/bin/perl\\nsystem('draw');\""
        )
    };
    let draws = |text: &str| {
        World::new(text)
            .plan()
            .keep
            .keys()
            .any(|path| path.file_name() == b"draw")
    };
    assert!(draws(&text("/srv/other.pl")));
    assert!(!draws(&text("/srv/tool.pl")));
}

#[test]
fn nonsense_in_scripts_is_read_to_its_end() {
    for (name, text) in [
        (
            "a.rb",
            "require \\\"\\nrequire '#{'\\nautoload\\nload \\\"#{x}/#{y}\\\"\\nrequire '../../../../etc'",
        ),
        (
            "a.pl",
            "#!perl\\nuse\\nrequire ::\\nqx{\\nopen(F, \\\"\\nsystem(\\\"\\n`\\n=pod",
        ),
        (
            "a.php",
            "<?php require include('\\ninclude \\\"$x\\\" . 'y'; require_once",
        ),
        ("a.js", "require(`${`\\nimport '\\n/[/\\nrequire('@')"),
    ] {
        check(&format!(
            "ENTRYPOINT /server /srv/{name}
             /server 0755 elf # kept
             /etc/passwd 0644 \"x\" # kept
             /srv/{name} 0644 \"{text}\" # kept"
        ));
    }
}

#[test]
fn archives_that_a_manifest_names_come_along() {
    let mut jar = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut jar);
    let (mut entry, config) = archive.new_file("META-INF/MANIFEST.MF").start().unwrap();
    let mut writer = config.wrap(&mut entry);
    writer
        .write_all(b"Class-Path: lib/b.jar gone.jar\r\n")
        .unwrap();
    let (_, descriptor) = writer.finish().unwrap();
    entry.finish(descriptor).unwrap();
    archive.finish().unwrap();
    let jar: String = jar.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let rest = &jar;
    check(&format!(
        "ENTRYPOINT /java -jar /usr/share/java/a.jar
         /java 0755 elf    # kept
         /usr/share/java/a.jar 0644 \"{jar}\"        # kept
         /usr/share/java/lib/b.jar 0644 \"{rest}\"   # kept [jvm]
         /usr/share/java/c.jar 0644 \"{rest}\"
         /usr/share/java/d.jar 0644 1k"
    ));
}

#[test]
fn the_applications_other_scripts_are_followed_and_those_of_packages_are_not() {
    check(
        "ENTRYPOINT /server /app/config.ru
         WORKDIR /app
         /server 0755 elf                                            # kept
         /usr/lib/ruby/vendor_ruby/mail.rb 0644 \"x\"                # kept [ruby]
         /usr/lib/ruby/vendor_ruby/rare.rb 0644 \"x\"
         --- layer
         /app/config.ru 0644 \"run App\"                             # kept
         /app/models/letter.rb 0644 \"require 'mail'\"               # kept [ruby]
         /app/vendor/gems/x/lib/x.rb 0644 \"require 'rare'\"          # kept [application]
         /opt/other/y.rb 0644 \"require 'rare'\"                     # kept [application]",
    );
}

/// What is said of a script of one line that is this word, many times over.
fn repeated(script: &str, word: &str) -> Vec<String> {
    let line = word.repeat(10_500);
    let text = format!(
        "ENTRYPOINT /srv/run {script}
         WORKDIR /srv
         /srv/run 0755 elf
         {script} 0644 \"{line}\""
    );
    let plan = World::new(&text).plan();
    let problems = plan.unresolved.iter().map(ToString::to_string);
    problems.collect()
}

#[test]
fn a_script_that_repeats_a_word_is_not_read_to_the_end_behind_each() {
    for (script, word) in [
        ("/srv/a.rb", "load "),
        ("/srv/a.pl", "open "),
        ("/srv/a.pl", "qx( "),
        ("/srv/a.php", "include "),
    ] {
        let problems = repeated(script, word);
        let [problem] = &problems[..] else {
            panic!("{script} {word}: {problems:?}");
        };
        assert!(problem.starts_with(script), "{problem}");
        assert!(problem.contains("more than is read"), "{problem}");
    }
}

#[test]
fn what_lies_beside_the_public_part_of_an_application_is_its_own() {
    check(
        "ENTRYPOINT /server
         LEVEL file
         /server                    0755 elf                   # kept
         ---
         /srv/shop/public/index.php 0644 \"<?php run();\"      # kept [observed]
         /srv/shop/src/Page.php     0644 \"<?php\"             # kept [php]
         /srv/shop/views/page.phtml 0644 \"<p>\"               # kept [php]
         /srv/other/page.phtml      0644 \"<p>\"
         SEEN opened /srv/shop/public/index.php",
    );
    // Where the whole document root is no part of anything, nothing above it is.
    check(
        "ENTRYPOINT /server
         LEVEL file
         /server                    0755 elf                   # kept
         ---
         /srv/public/index.php      0644 \"<?php run();\"      # kept [observed]
         /srv/views/page.phtml      0644 \"<p>\"
         SEEN opened /srv/public/index.php",
    );
}

#[test]
fn an_installed_package_names_modules_of_its_own() {
    check(
        "ENTRYPOINT /usr/bin/python3.11 /app/main.py
         WORKDIR /app
         LEVEL file
         /usr/bin/python3.11        0755 elf                                      # kept
         /app/main.py               0644 \"def f():\\n  import orm\\n\"           # kept
         /usr/lib/python3.11/os.py  0644 \"\"                                     # kept [python]
         /usr/lib/python3/dist-packages/orm/__init__.py 0644 \"load('orm.late', 'other.late')\\n\" # kept [python]
         /usr/lib/python3/dist-packages/orm/late.py     0644 \"\"                 # kept [python]
         /usr/lib/python3/dist-packages/orm/never.py    0644 \"\"
         /usr/lib/python3/dist-packages/other/__init__.py 0644 \"\"
         /usr/lib/python3/dist-packages/other/late.py   0644 \"\"
         SEEN opened /app/main.py",
    );
}

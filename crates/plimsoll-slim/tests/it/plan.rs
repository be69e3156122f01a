//! What stays: roots, observations, the shell valve, the application's own, the skeleton.

use plimsoll_model::{Ancestor, ImagePath};
use plimsoll_slim::{Known, Request};

use crate::elf::Elf;
use crate::world::{World, check};

#[test]
fn a_program_is_searched_in_the_images_path_and_its_arguments_stay() {
    check(
        "ENV PATH=/opt/app/bin:/usr/bin
         WORKDIR /srv
         ENTRYPOINT server --config=conf/main.ini data.bin
         HEALTHCHECK CMD-SHELL check --fast || exit 1
         /opt/app/bin/server 0755 elf        # kept [entrypoint]
         /usr/bin/server     0755 elf
         /usr/bin/check      0755 elf        # kept [healthcheck]
         /bin/sh             0755 elf        # kept [healthcheck]
         /srv/conf/main.ini  0644 \"a=1\"    # kept [entrypoint]
         /srv/data.bin       0644 1k         # kept [entrypoint]
         /srv/other.bin      0644 1k
         /etc/passwd         0644 \"root:x:0:0::/root:/bin/bash\\n\"  # kept [always]
         /bin/bash           0755 elf",
    );
}

#[test]
fn the_command_of_an_entry_script_is_a_program_too() {
    check(
        "ENTRYPOINT /entry.sh
         CMD server yes
         /entry.sh        0755 \"#!/bin/sh\\nexec \\\"$@\\\"\\n\"  # kept [entrypoint]
         /bin/sh          0755 elf   # kept [shebang]
         /usr/bin/server  0755 elf   # kept [cmd]
         /usr/bin/yes     0755 elf",
    );
}

#[test]
fn a_program_that_is_not_there_is_said() {
    check(
        "ENTRYPOINT /server
         /other 0755 elf
         /server/  dir 0755   # kept, unresolved is the entrypoint",
    );
    let plan = World::new("ENTRYPOINT serve").plan();
    assert_eq!(plan.unresolved.len(), 1, "{:?}", plan.unresolved);
}

#[test]
fn what_a_run_touched_stays_with_every_link_on_the_way() {
    check(
        "ENTRYPOINT /server
         /server            0755 elf   # kept
         /lib               -> usr/lib # kept [observed]
         /usr/lib/a.so      -> /etc/alternatives/a.so   # kept [observed]
         /etc/alternatives/a.so -> ../../usr/lib/a.so.1 # kept [symlink]
         /usr/lib/a.so.1    0644 elf   # kept [symlink]
         /data/x/           dir 0755
         /data/y            -> /data/z/deep
         /data/z/deep/      dir 0755
         /data/z/file       0644 1k    # kept [observed]
         /data/file         0644 1k
         SEEN opened /lib/a.so
         SEEN looked-up /data/y/../file
         SEEN opened /nowhere/else",
    );
}

#[test]
fn an_interpreter_that_only_the_kernel_opens_stays() {
    check(
        "ENTRYPOINT /server
         /server 0755 elf                       # kept
         /opt/hook 0755 \"#!/usr/bin/perl -w\\n\" # kept [observed]
         /usr/bin/perl 0755 elf interp=/lib/ld.so # kept [shebang]
         /lib/ld.so 0755 elf                    # kept [elf]
         SEEN executed /opt/hook",
    );
}

#[test]
fn a_sweep_says_little_and_a_search_through_path_nothing() {
    check(
        "ENTRYPOINT /server
         /server              0755 elf   # kept
         /srv/small           0644 1k    # kept [observed]
         /srv/large           0644 100k
         /srv/tool            0755 elf
         /srv/opened          0644 100k  # kept [observed]
         /srv/changed         0644 100k
         /usr/bin/env         0755 elf
         /usr/lib/app/types.py 0644 100k # kept [observed]
         SEEN listed /srv
         SEEN lstat /srv/small
         SEEN lstat /srv/large
         SEEN lstat /srv/tool
         SEEN changed /srv/changed
         SEEN lstat /srv/opened
         SEEN opened /srv/opened
         SEEN looked-up /usr/bin/env
         SEEN listed /usr/lib/app
         SEEN looked-up /usr/lib/app/types.py",
    );
}

#[test]
fn processors_differ_so_every_variant_of_a_library_stays_and_other_machines_are_skipped() {
    check(
        "ENTRYPOINT /server
         /server 0755 elf needed=libq.so.1                        # kept
         /etc/ld.so.conf 0644 \"include ld.so.conf.d/*.conf\\n\"  # kept [always]
         /etc/ld.so.conf.d/a.conf 0644 \"# arm\\n/opt/arm\\n/opt/q\\n\"  # kept [always]
         /opt/arm/libq.so.1 0644 elf machine=arm64
         /opt/q/libq.so.1   0644 elf                              # kept [elf]
         /opt/q/glibc-hwcaps/x86-64-v3/libq.so.1 0644 elf         # kept [elf]
         /usr/lib/libq.so.1 0644 elf",
    );
}

#[test]
fn a_runpath_comes_after_the_environment_and_is_not_inherited() {
    check(
        "ENTRYPOINT /srv/server
         ENV LD_LIBRARY_PATH=/opt/lib
         /srv/server     0755 elf needed=liba.so,libb.so runpath=$ORIGIN/lib  # kept
         /srv/lib/liba.so 0644 elf needed=libc1.so    # kept [elf], unresolved libc1.so
         /srv/lib/libb.so 0644 elf
         /srv/lib/libc1.so 0644 elf
         /opt/lib/libb.so 0644 elf                    # kept [elf]",
    );
}

#[test]
fn the_applications_packages_and_files_come_whole_but_nobodys_libraries() {
    check(
        "ENTRYPOINT server
         WORKDIR /app
         PACKAGE base-tools 1 utils
         PACKAGE base-tools owns /usr/share/base/data
         PACKAGE server 1 httpd
         PACKAGE server owns /usr/bin/server
         PACKAGE server owns /usr/bin/serverctl
         PACKAGE server owns /usr/share/server/page
         PACKAGE server owns /usr/share/doc/server/manual
         PACKAGE server owns /usr/share/doc/server/copyright
         PACKAGE server owns /usr/lib/server/plain.so
         PACKAGE server owns /usr/lib/server/xml.so
         PACKAGE server owns /usr/lib/server/pair1.so
         PACKAGE server owns /usr/lib/server/pair2.so
         PACKAGE server owns /etc/server/sample.conf
         PACKAGE server owns /etc/init.d/server
         PACKAGE libxml 1 libs
         PACKAGE libxml owns /usr/lib/libxml.so
         PACKAGE libok 1 libs
         PACKAGE libok owns /usr/lib/libok.so
         PACKAGE libok owns /usr/share/libok/data
         /usr/share/base/data 0644 1k
         --- layer
         /usr/bin/server    0755 elf needed=libok.so                   # kept [entrypoint]
         /usr/lib/libok.so  0644 elf                                   # kept [elf]
         /usr/share/libok/data 0644 1k
         /usr/bin/serverctl 0755 \"#!/bin/sh\\n\"
         /usr/share/server/page 0644 1k                                # kept [package]
         /usr/share/doc/server/manual 0644 1k
         /usr/share/doc/server/copyright 0644 1k                       # kept [copyright]
         /usr/lib/server/plain.so 0644 elf needed=libok.so             # kept [package]
         /usr/lib/server/xml.so 0644 elf needed=libxml.so
         /usr/lib/server/pair1.so 0644 elf needed=pair2.so runpath=$ORIGIN  # kept [package]
         /usr/lib/server/pair2.so 0644 elf needed=pair1.so runpath=$ORIGIN  # kept [package]
         /usr/lib/libxml.so 0644 elf
         /etc/server/sample.conf 0644 \"load /usr/lib/server/xml.so /usr/lib/libxml.so\"  # kept [package]
         /etc/init.d/server 0755 \"#!/bin/sh\\n\"
         /app/page.html     0644 1k                                    # kept [application]
         /app/native.so     0644 elf needed=libxml.so
         /usr/local/bin/extra 0755 elf
         /root/.cache/pip/x 0644 1k
         /var/log/install.log 0644 1k
         /var/lib/apt/lists/x 0644 1k",
    );
}

#[test]
fn the_skeleton_stays_but_no_link_pretends_a_program() {
    check(
        "ENTRYPOINT /server
         /server          0755 elf        # kept
         /bin             -> usr/bin      # kept
         /usr/bin/dash    0755 elf
         /usr/bin/sh      -> dash         # ashore
         /etc/alternatives/pager -> /usr/bin/less  # ashore
         /usr/bin/pager   -> /etc/alternatives/pager  # ashore
         /usr/bin/less    0755 elf
         /usr/bin/git-x   -> ../lib/git-core/git-x  # ashore
         /usr/lib/git-core/git-x 0755 elf
         /usr/share/x     -> y            # kept [skeleton]
         /usr/share/y     0644 1k
         /usr/share/gone  -> nowhere      # kept [skeleton]
         /var/lock/       dir 01777       # kept [skeleton]
         /var/lib/nginx/body/ dir 0700    # kept [skeleton]
         /dev/null        char 1 3        # kept [skeleton]
         /run/pipe        fifo            # kept [skeleton]
         /etc/empty       0644 0          # kept [skeleton]
         /srv/empty       0644 0",
    );
}

#[test]
fn what_the_user_says_goes_over_everything() {
    check(
        "ENTRYPOINT /server /srv
         INCLUDE /usr/bin/tool
         INCLUDE /data
         INCLUDE /usr/share/**/*.txt
         INCLUDE /not/there
         EXCLUDE /srv/old
         EXCLUDE **/*.tmp
         /not/            dir 0755
         /server          0755 elf       # kept
         /usr/bin/tool    0755 \"#!/bin/sh\\n\"  # kept [include]
         /bin/sh          0755 elf       # kept [shebang]
         /data/a/b        0644 1k        # kept [include]
         /usr/share/deep/er/x.txt 0644 1k  # kept [include]
         /usr/share/deep/er/x.bin 0644 1k
         /srv/new         0644 1k        # kept [entrypoint]
         /srv/x.tmp       0644 1k
         /srv/old/y       0644 1k
         /not/there/      removed        # ashore, unresolved was to be included",
    );
}

#[test]
fn a_named_directory_that_is_too_large_is_noted_not_taken() {
    let files: String = (0..401)
        .map(|n| format!("/usr/share/many/f{n} 0644 1\n"))
        .collect();
    let world = World::new(&format!(
        "ENTRYPOINT /server /etc/server.conf
         /server 0755 elf
         /etc/server.conf 0644 \"dir /usr/share/many\\n\"
         {files}"
    ));
    let plan = world.plan();
    assert!(!plan.keeps(&ImagePath::new("/usr/share/many/f7")));
    let problems: Vec<String> = plan.unresolved.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["/usr/share/many: was not taken whole (named by /etc/server.conf): more than 400 files"]
    );
}

#[test]
fn nonsense_is_a_problem_and_never_a_crash() {
    check(
        "ENTRYPOINT /server
         /server   0755 \"\\x7fELF\\x02\\x01\\x01\"      # kept, unresolved is not a sound ELF file
         /ring     -> /ring                              # kept
         /etc/ld.so.conf 0644 \"include ld.so.conf\\ninclude /ring\\n\\xff\\xfe\"  # kept
         /etc/nsswitch.conf 0644 \"hosts: [[[ ]]] :\\n::\\n\"   # kept
         SEEN opened /ring
         SEEN opened /../../../ring/../x
         SEEN executed /server/below",
    );
}

#[test]
fn what_installing_a_package_compiled_goes_with_its_source() {
    check(
        "ENTRYPOINT /usr/bin/app
         PACKAGE app 1 python
         PACKAGE app owns /usr/bin/app
         PACKAGE app owns /usr/lib/app/mod.py
         PACKAGE python 1 libs
         PACKAGE python owns /usr/lib/python/os.py
         --- layer
         /usr/bin/app 0755 elf                                      # kept
         /usr/lib/app/mod.py 0644 1k                                # kept [package]
         /usr/lib/app/__pycache__/mod.cpython-311.pyc 0644 1k       # kept [package]
         /usr/lib/python/os.py 0644 1k
         /usr/lib/python/__pycache__/os.cpython-311.pyc 0644 1k
         /srv/__pycache__/site.cpython-311.pyc 0644 1k              # kept [application]",
    );
}

#[test]
fn what_a_parent_put_on_top_of_the_distribution_is_the_applications_too() {
    let mut world = World::new(
        "ENTRYPOINT /usr/local/bin/python
         /usr/bin/tool 0755 elf
         /etc/base.conf 0644 1k
         --- layer
         /usr/local/bin/python 0755 elf
         /usr/local/lib/python/lazy.py 0644 1k
         --- layer
         /app/main.py 0644 1k",
    );
    let parent = Ancestor {
        name: "python".into(),
        layers: Some(2),
        evidence: "the test says so".into(),
    };
    world.fixture.lineage.ancestors.insert(0, parent);
    let plan = world.plan();
    for path in ["/usr/local/lib/python/lazy.py", "/app/main.py"] {
        assert!(plan.keeps(&path.into()), "{path}");
    }
    assert!(!plan.keeps(&"/etc/base.conf".into()));
}

#[test]
fn what_is_excluded_is_said_where_it_is_needed() {
    check(
        "ENTRYPOINT /server
         EXCLUDE /usr/lib/libfat.so
         /server 0755 elf needed=libfat.so  # kept, unresolved needs libfat.so, which is excluded
         /usr/lib/libfat.so 0644 elf",
    );
}

/// Every byte of a program changed, every length of it: a plan comes out, with the program in it.
#[test]
fn no_broken_program_breaks_the_plan() {
    let words = "interp=/lib/ld.so needed=liba.so rpath=$ORIGIN symbol=dlopen text=/a/b,libc.so \
                 dlopen=required:libz.so";
    let whole = Elf::parse(words).bytes();
    let broken = (0..whole.len()).flat_map(|at| {
        let flip = |bits: u8| {
            let mut bytes = whole.clone();
            bytes[at] ^= bits;
            bytes
        };
        [flip(0xff), flip(0x01), flip(0x80), whole[..at].to_vec()]
    });
    for bytes in broken {
        let hex: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        let plan = World::new(&format!("ENTRYPOINT /server\n/server 0755 \"{hex}\"")).plan();
        assert!(plan.keeps(&"/server".into()));
    }
}

#[test]
fn the_same_request_gives_the_same_plan() {
    let text = "ENTRYPOINT /server
         /server 0755 elf needed=liba.so,libb.so symbol=dlopen text=liba.so,/etc/b/c
         /usr/lib/liba.so 0644 elf needed=libb.so
         /usr/lib/libb.so 0644 elf needed=liba.so
         /etc/b/c 0644 \"/etc/b/d\"
         /etc/b/d 0644 1k";
    let (one, two) = (World::new(text).plan(), World::new(text).plan());
    assert_eq!(one.keep, two.keep);
    for (path, reasons) in &one.keep {
        assert!(!reasons.is_empty(), "{path} has no reason");
    }
}

#[test]
fn a_key_that_a_configuration_names_stays_and_is_no_secret_left_ashore() {
    check(
        "ENTRYPOINT /usr/sbin/nginx
         LEVEL file
         /usr/sbin/nginx 0755 elf text=/etc/nginx/nginx.conf                     # kept
         /etc/nginx/nginx.conf 0644 \"server {\\n root /srv/www;\\n ssl_certificate_key /srv/www/server.key;\\n}\\n\"  # kept
         /srv/www/index.html 0644 \"hello\"                                      # kept [nginx]
         /srv/www/server.key 0600 \"-----BEGIN PRIVATE KEY-----\\nMC4C\"         # kept [nginx]
         /srv/www/other.key  0600 \"-----BEGIN PRIVATE KEY-----\\nMC4C\"         # ashore, unresolved looks like a private key",
    );
}

#[test]
fn all_that_the_users_pattern_names_stays() {
    let files = (0..10_100).map(|number| format!("/many/d{}/{number}.x 0644 1k\n", number % 7));
    let text = format!(
        "ENTRYPOINT /x\nLEVEL file\nINCLUDE /many/**/*.x\n/x 0755 elf\n{}",
        files.collect::<String>()
    );
    let plan = World::new(&text).plan();
    let kept = plan
        .keep
        .keys()
        .filter(|path| path.file_name().ends_with(b".x"));
    assert_eq!(kept.count(), 10_100);
}

#[test]
fn a_pattern_that_names_a_directory_and_what_is_in_it_follows_its_links() {
    check(
        "ENTRYPOINT /x
         LEVEL file
         INCLUDE /srv/**
         /x 0755 elf                # kept
         /srv/a/b/c  0644 1k        # kept [include]
         /srv/a/out  -> /data       # kept [include]
         /data/d     0644 1k        # kept [include]
         /other/e    0644 1k",
    );
}

#[test]
fn what_was_to_be_excluded_and_is_not_there_is_said() {
    check(
        "ENTRYPOINT /usr/bin/x
         EXCLUDE /srv/old
         EXCLUDE /srv/**/*.bak
         EXCLUDE /srv/[a
         EXCLUDE srv/app
         EXCLUDE /bin/tool
         EXCLUDE /lib/*.so
         EXCLUDE **/*.map
         /bin           -> usr/bin
         /lib           -> usr/lib
         /usr/bin/x     0755 elf   # kept
         /usr/bin/tool  0755 elf
         /usr/lib/y.so  0644 elf
         /srv/app/a.js  0644 1k
         /srv/b.map     0644 1k
         /srv/old       removed    # ashore, unresolved was to be excluded
         /srv/**/*.bak  removed    # ashore, unresolved was to be excluded
         /srv/[a        removed    # ashore, unresolved names nothing",
    );
}

#[test]
fn what_a_text_for_a_shell_starts_is_read_as_a_shell_reads_it() {
    let mut world = World::new(
        "ENV PATH=/usr/bin:/bin
         LEVEL file
         /usr/bin/tini     0755 elf     # kept [entrypoint]
         /usr/bin/env      0755 elf     # kept [entrypoint]
         /usr/bin/prepare  0755 elf     # kept [entrypoint]
         /bin/sh           0755 elf     # kept [entrypoint]
         /bin/not          0755 elf
         /bin/no           0755 elf
         /bin/echo         0755 elf
         /srv/app          0755 elf     # kept [entrypoint]
         /srv/data         0644 1k      # kept [entrypoint]",
    );
    let text = "x='/bin/not | /bin/no'; prepare \"$x\" && exec env A=b /srv/app \"$@\"";
    let words = ["tini", "--", "/bin/sh", "-ec", text, "name", "/srv/data"];
    world.fixture.image.config.entrypoint = words.map(str::to_owned).to_vec();
    world.check();
    let mut world = World::new(
        "LEVEL file
         /bin/sh     0755 elf   # kept [entrypoint]
         /           dir 0755   # kept, unresolved is not understood",
    );
    let words = ["/bin/sh", "-c", "if true; then"];
    world.fixture.image.config.entrypoint = words.map(str::to_owned).to_vec();
    world.check();
}

#[test]
fn what_stands_behind_a_text_for_a_shell_are_its_parameters() {
    let image = |kept: &str| {
        format!(
            "ENV PATH=/bin
             LEVEL file
             /bin/sh     0755 elf   # kept [entrypoint]
             /bin/app    0755 elf   {kept}
             /srv/data   0644 1k    # kept [entrypoint]"
        )
    };
    for (text, behind, kept) in [
        ("echo hi \"$@\"", "-- --port 80 /srv/data", ""),
        ("exec \"$@\"", "-- app /srv/data", "# kept"),
        ("exec \"$@\"", "app -- --port /srv/data", ""),
    ] {
        let mut world = World::new(&image(kept));
        let words = ["/bin/sh", "-c", text].into_iter().chain(behind.split(' '));
        world.fixture.image.config.entrypoint = words.map(str::to_owned).collect();
        // Nothing is said to be missing.
        world.check();
        let plan = plimsoll_slim::plan(&world.request());
        assert!(plan.unresolved.is_empty(), "{:?}", plan.unresolved);
    }
}

#[test]
fn a_command_line_of_very_many_words_is_read_up_to_a_limit() {
    let mut world = World::new(
        "LEVEL file
         /e      0755 elf   # kept [entrypoint]
         /late   0755 elf
         /       dir 0755   # kept, unresolved has 200002 words",
    );
    let words = std::iter::once("/e").chain(std::iter::repeat_n("--", 200_000));
    world.fixture.image.config.entrypoint = words.chain(["/late"]).map(str::to_owned).collect();
    let plan = plimsoll_slim::plan(&world.request());
    assert!(plan.unresolved.len() < 5, "{}", plan.unresolved.len());
    let said = plan.unresolved.iter();
    assert!(
        said.into_iter()
            .any(|it| it.message.contains("200002 words"))
    );
}

#[test]
fn a_pattern_that_names_more_than_is_followed_is_said() {
    let mut image = String::from(
        "ENTRYPOINT /usr/bin/x
         LEVEL file
         /usr/bin/x               0755 elf  # kept
         /etc/ld.so.conf          0644 \"include many/*\\n\"  # kept
         /etc/many/*              removed   # ashore, unresolved more than 10000 paths\n",
    );
    for number in 0..10_001 {
        image.push_str(&format!("/etc/many/{number} 0644 1k\n"));
    }
    let world = World::new(&image);
    world.check();
    // Also by a plan that need not read what another has read.
    let known = Known::about(world.fixture.subject());
    let request = Request {
        known: Some(&known),
        ..world.request()
    };
    for _ in 0..2 {
        let plan = plimsoll_slim::plan(&request);
        assert_eq!(plan.unresolved.len(), 1, "{:?}", plan.unresolved);
    }
}

#[test]
fn a_server_starts_helpers_of_its_own_package_and_no_others() {
    check(
        "ENTRYPOINT /usr/sbin/sshd
         LEVEL file
         PACKAGE server 1 net
         PACKAGE server owns /usr/sbin/sshd
         PACKAGE server owns /usr/lib/server/session
         PACKAGE server owns /usr/lib/server/unnamed
         PACKAGE server owns /usr/lib/server/script
         PACKAGE server owns /usr/bin/tool
         PACKAGE other 1 net
         PACKAGE other owns /usr/lib/other/helper
         /usr/sbin/sshd            0755 elf text=/usr/lib/server/session,/usr/lib/server/script,/usr/bin/tool,/usr/lib/other/helper  # kept
         /usr/lib/server/session   0755 elf interp=/lib/ld.so pad=900   # kept [elf-path]
         /lib/ld.so                0755 elf                             # kept [elf]
         /usr/lib/server/unnamed   0755 elf
         /usr/lib/server/script    0755 \"#!/bin/sh\\n\"                # kept
         /bin/sh                   0755 elf
         /usr/bin/tool             0755 elf
         /usr/lib/other/helper     0755 elf pad=900
         SEEN executed /usr/sbin/sshd",
    );
}

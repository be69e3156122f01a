//! Scripts are followed as a shell would run them, on a tree in memory, and what is not known is
//! reported with its line.

use std::sync::Arc;

use plimsoll_model::MemoryContents;

use super::*;

fn stage() -> Stage {
    Stage::new(Arc::new(MemoryContents::default()), 1_000_000_000)
}

/// Follows a script in a tree that has these files; answers the tree and the reports.
fn run_in(files: &[(&str, &str, u32)], script: &str) -> (Stage, Vec<String>) {
    // As `compose` does: scripts nest, and a test's stack is small.
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(256 << 20);
        let thread = builder
            .spawn_scoped(scope, || run_here(files, script))
            .unwrap();
        thread.join().unwrap()
    })
}

fn run_here(files: &[(&str, &str, u32)], script: &str) -> (Stage, Vec<String>) {
    let mut stage = stage();
    for (path, text, mode) in files {
        stage
            .write(&(*path).into(), text.as_bytes(), *mode)
            .unwrap();
    }
    let mut world = World {
        architecture: "amd64".into(),
        ..World::default()
    };
    let script = format!("#!/bin/sh\n{script}");
    let reports = follow(
        &mut stage,
        &mut world,
        "x",
        "postinst",
        script.as_bytes(),
        &["configure", ""],
    );
    let reports = reports
        .iter()
        .map(|r| format!("{}: {}", r.line, r.what))
        .collect();
    (stage, reports)
}

/// What a script prints into `/out`, and that nothing is reported.
#[track_caller]
fn prints(script: &str, expected: &str) {
    let (stage, reports) = run_in(&[], &format!("{{\n{script}\n}} > /out"));
    assert_eq!(reports, [""; 0], "{script}");
    assert_eq!(stage.read_text(&"/out".into()), expected, "{script}");
}

#[test]
fn words_are_expanded_split_and_joined() {
    prints("a='x  y'; echo $a; echo \"$a\"", "x y\nx  y\n");
    prints(
        "set -- 'a b' c; for i in \"$@\"; do echo \"[$i]\"; done",
        "[a b]\n[c]\n",
    );
    prints(
        "set -- 'a b' c; for i in $@; do echo \"[$i]\"; done",
        "[a]\n[b]\n[c]\n",
    );
    prints(
        "set --; for i in \"$@\"; do echo \"[$i]\"; done; echo end",
        "end\n",
    );
    prints(
        "f() { echo $# \"${1:-none}\" \"${2+set}\"; }; f; f '' y",
        "0 none \n2 none set\n",
    );
    prints(
        "p=/a/b.c; echo ${p##*/} ${p%.*} ${p#/} ${#p}",
        "b.c /a/b a/b.c 6\n",
    );
    prints("echo $((2 * (3 + 4))) $(echo `echo in`)", "14 in\n");
    prints(
        "IFS=:; v=a:b::c; for i in $v; do echo \"<$i>\"; done",
        "<a>\n<b>\n<>\n<c>\n",
    );
    prints(
        "x=1; (x=2; cd /); echo $x; unset x; echo ${x:=new} $x",
        "1\nnew new\n",
    );
    prints(
        "echo 'a\nb' | while read l; do echo \"$l!\"; done",
        "a!\nb!\n",
    );
    prints("printf '%s-%d\\n' a 1 b 2", "a-1\nb-2\n");
    prints("echo \"a\\\"b\\$c\" 'd\\e'", "a\"b$c d\\e\n");
}

#[test]
fn control_flow_is_followed() {
    prints(
        "if false; then echo a; elif true; then echo b; else echo c; fi",
        "b\n",
    );
    prints("case abc in x|a*) echo yes;; *) echo no;; esac", "yes\n");
    prints(
        "i=0; while [ $i -lt 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done",
        "1\n3\n",
    );
    prints(
        "for a in 1 2; do for b in 1 2; do [ $a$b = 12 ] && break 2; echo $a$b; done; done",
        "11\n",
    );
    prints(
        "f() { local v=in; echo $v; return 3; }; v=out; f || echo $? $v",
        "in\n3 out\n",
    );
    prints("! true || echo not; true && echo and", "not\nand\n");
    prints("until true; do echo never; done; echo once", "once\n");
    prints("f() { exit 4; }; (f); echo $?", "4\n");
}

#[test]
fn here_documents_are_read() {
    prints("v=1; cat <<E\n$v \\$v\nE\ncat <<'E'\n$v\nE\n", "1 $v\n$v\n");
    prints("cat <<-E\n\tindented\n\tE\n", "indented\n");
}

#[test]
fn tests_look_at_the_tree() {
    let files = [("/bin/x", "", 0o755), ("/etc/f", "1", 0o644)];
    let script = "
        [ -x /bin/x ] && [ ! -x /etc/f ] && echo x
        [ -f /etc/f -a -s /etc/f ] && echo f
        test -d /etc || echo never
        ln -s nowhere /l; [ -L /l ] && [ ! -e /l ] && echo link
        [ \"a\" != \"b\" -o 1 -eq 2 ] && echo or
        [ -z \"\" ] && [ -n x ] && echo empty
        command -v x && ! command -v y && echo found";
    let (stage, reports) = run_in(&files, &format!("PATH=/bin\n{{\n{script}\n}} > /out"));
    assert_eq!(reports, [""; 0]);
    let text = stage.read_text(&"/out".into());
    assert_eq!(text, "x\nf\nlink\nor\nempty\n/bin/x\nfound\n");
}

#[test]
fn files_are_made_moved_and_given_away() {
    let script = "set -e
        mkdir -p /a/b; touch /a/b/f; chmod 640 /a/b/f; chown 5:6 /a/b/f
        cp -p /a/b/f /a/g; mv /a/b /a/c; ln -sf ../g /a/c/link
        install -d -m 2755 -o 7 /a/d; rm -rf /a/none; rmdir /a/d || true
        echo more >> /a/g; umask 077; echo x > /a/private
        for f in /a/*; do echo $f; done > /list";
    let (stage, reports) = run_in(&[], script);
    assert_eq!(reports, [""; 0]);
    let meta = &stage.node(&"/a/c/f".into()).unwrap().meta;
    assert_eq!((meta.mode, meta.uid, meta.gid), (0o640, 5, 6));
    assert_eq!(stage.node(&"/a/g".into()).unwrap().meta.uid, 5);
    assert_eq!(stage.read_text(&"/a/c/link".into()), "more\n");
    assert_eq!(stage.node(&"/a/private".into()).unwrap().meta.mode, 0o600);
    assert_eq!(stage.read_text(&"/list".into()), "/a/c\n/a/g\n/a/private\n");
}

#[test]
fn what_is_not_known_is_reported_with_its_line() {
    let files = [("/usr/bin/perl", "", 0o755)];
    let (_, reports) = run_in(
        &files,
        "true\nperl -e 1\nif perl x; then\n  echo never\nfi\nnot-there\n",
    );
    assert_eq!(
        reports,
        [
            "3: `perl -e 1` is not emulated",
            "4: `perl x` is not emulated"
        ]
    );
}

#[test]
fn a_script_that_fails_is_reported() {
    let (stage, reports) = run_in(&[], "set -e\ntouch /a\nfalse\ntouch /b\n");
    assert_eq!(reports, ["4: ends here with status 1"]);
    assert!(stage.is_file(&"/a".into()) && !stage.is_file(&"/b".into()));
    let (_, reports) = run_in(&[], "if false; then\n");
    assert!(reports[0].contains("not understood"), "{reports:?}");
    let (_, reports) = run_in(&[], "a=(1 2)\necho ${a[1]}\n");
    assert!(
        reports[0].contains("rest of the script is not followed"),
        "{reports:?}"
    );
}

#[test]
fn what_is_no_shell_script_is_reported() {
    let mut stage = stage();
    let mut world = World::default();
    let script = b"#!/usr/bin/perl\nprint 1;\n";
    let reports = follow(
        &mut stage,
        &mut world,
        "x",
        "postinst",
        script,
        &["configure"],
    );
    assert_eq!(
        reports[0].to_string(),
        "x postinst line 1: is a program for perl, not a shell script"
    );
}

#[test]
fn no_script_holds_us_for_ever() {
    for script in [
        "while true; do :; done",
        "f() { f; }; f",
        "x=a; while :; do x=$x$x; done",
    ] {
        let (_, reports) = run_in(&[], script);
        assert!(
            reports.iter().any(|report| report.contains("limit")),
            "{script} {reports:?}"
        );
    }
}

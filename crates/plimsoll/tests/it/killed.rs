//! What a killed process leaves behind, the next one takes away.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::images::{Tar, architecture, layout_for, libraries, signalled, text};
use crate::slim::{skipped, with_parents};

/// The user of a run with subordinate ids, by number and by name; there is one on every machine.
const NOBODY: (u32, &str) = (65_534, "nobody");
/// The first of the subordinate ids.
const FIRST: u32 = 300_000;

/// An image whose program, as a user of the image, makes a directory with a file in it and goes on.
fn image(directory: &Path) -> String {
    let tools = ["sh", "mkdir", "sleep"].map(|tool| {
        let found = ["/bin", "/usr/bin"].map(|place| Path::new(place).join(tool));
        let found = found.into_iter().find(|path| path.exists()).unwrap();
        (tool, fs::canonicalize(found).unwrap())
    });
    let mut files: Vec<(String, Vec<u8>)> = tools
        .iter()
        .flat_map(|(_, program)| libraries(program))
        .collect();
    files.sort();
    files.dedup();
    let mut names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    names.extend(["/bin/x", "/etc/x"]);
    let mut layer = with_parents(Tar::default(), &names).dir("data", 0o777);
    for (name, body) in &files {
        layer = layer.file(&name[1..], 0o755, body);
    }
    for (tool, program) in &tools {
        layer = layer.file(&format!("bin/{tool}"), 0o755, &fs::read(program).unwrap());
    }
    let script =
        "/bin/mkdir -p /data/mine/deep; : > /data/mine/deep/file; echo ready; exec /bin/sleep 1000";
    let config = json!({ "Entrypoint": ["/bin/sh", "-c", script], "User": "7:7" });
    layout_for(directory, architecture(), &config, &[layer.finish()])
}

/// The program as this user, or as a user with subordinate ids; `None` where nobody can be that here.
fn command(scratch: &Path, with_ids: bool) -> Option<Command> {
    let plimsoll = scratch.join("plimsoll");
    if !with_ids {
        return Some(Command::new(plimsoll));
    }
    let helpers = ["/usr/bin/newuidmap", "/usr/bin/newgidmap"];
    if !rustix::process::geteuid().is_root() || !helpers.iter().all(|it| Path::new(it).exists()) {
        return None;
    }
    // Where mounts are our own, the files say what is to be tried.
    let (id, name) = NOBODY;
    let ranges = scratch.join("ranges");
    fs::write(&ranges, format!("{name}:{FIRST}:65536\n")).unwrap();
    let script = format!(
        "mount --bind \"$1\" /etc/subuid && mount --bind \"$1\" /etc/subgid && shift && \
         exec setpriv --reuid {id} --regid {id} --clear-groups \"$@\""
    );
    let wrapped = |program: &Path| {
        let mut command = Command::new("unshare");
        let shell = [
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            &script,
            "sh",
        ];
        command.args(shell).arg(&ranges).arg(program);
        command
    };
    let works = wrapped(Path::new("/bin/true"))
        .output()
        .is_ok_and(|done| done.status.success());
    works.then(|| wrapped(&plimsoll))
}

fn entries(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).unwrap().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Whether somebody owns anything there.
fn owns(user: u32, place: &Path) -> bool {
    entries(place).iter().any(|path| {
        let facts = fs::symlink_metadata(path).unwrap();
        facts.uid() == user || facts.is_dir() && owns(user, path)
    })
}

#[test]
fn what_a_killed_run_has_left_goes_with_the_next() {
    for with_ids in [false, true] {
        let scratch = tempfile::tempdir().unwrap();
        let here = scratch.path();
        let image = image(&here.join("image"));
        let temporary = here.join("tmp");
        fs::create_dir(&temporary).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_plimsoll"), here.join("plimsoll")).unwrap();
        for open in [here, &temporary] {
            fs::set_permissions(open, fs::Permissions::from_mode(0o1777)).unwrap();
        }
        let run = |arguments: &[&str]| {
            let mut command = command(here, with_ids)?;
            command
                .args(["slim", &image])
                .args(arguments)
                .current_dir(here)
                .env("PLIMSOLL_CACHE", here.join("cache"))
                .env("TMPDIR", &temporary);
            Some(command)
        };
        // The original's second run, on the tree itself, is asked without end.
        let probe = "cmd:n=$(cat n 2>/dev/null || echo 0); grep -q ready $PROBE_LOG || exit 1; \
             if test $n -lt 2; then echo $((n + 1)) > n; \
             else echo $$ > pid.new && mv pid.new pid && exec sleep 60; fi";
        let Some(mut command) = run(&["-o", "oci:out", "--probe", probe]) else {
            eprintln!(
                "skipped: a plain user with subordinate ids (needs root, uidmap, util-linux)"
            );
            continue;
        };
        let pid = here.join("pid");
        // Nothing is put right.
        let (was_asked, output) = signalled(&mut command, "-KILL", || pid.exists());
        if skipped(&output) {
            return;
        }
        assert!(was_asked, "{}", text(&output));
        let asking = fs::read_to_string(&pid).unwrap();
        let ended = Command::new("kill").arg(asking.trim()).status().unwrap();
        assert!(ended.success());
        let left = entries(&temporary);
        assert!(!left.is_empty());
        if with_ids {
            // Nothing a plain user could remove.
            assert!(owns(FIRST + 6, &temporary), "{left:?}");
        }
        let output = run(&["-o", "oci:other", "--no-run"]).unwrap().output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        assert_eq!(
            entries(&temporary),
            Vec::<PathBuf>::new(),
            "{}",
            text(&output)
        );
    }
}

/// What is left of an orphan's directory on this file system, and what is said, after a run when
/// something in it could not be removed, and after one when all could; `None` where nobody can mount.
fn swept_twice(kind: &str) -> Option<[(Vec<String>, String); 2]> {
    let scratch = tempfile::tempdir().unwrap();
    let here = scratch.path();
    let image = image(&here.join("image"));
    // A directory with a mount on it is one that nobody can remove.
    let script = r#"
        set -e
        mkdir "$2" && mount -t "$1" none "$2"
        orphan=$2/plimsoll-abcDE1
        mkdir -m 700 "$orphan" && mkdir -p "$orphan/tree/busy" "$orphan/tree/deep"
        : > "$orphan/.lock" && : > "$orphan/tree/deep/file"
        mount -t tmpfs none "$orphan/tree/busy"
        for turn in 1 2; do
            TMPDIR=$2 "$3" slim "$4" -o oci:out --no-run 2> "said$turn" || test $? = 3
            (cd "$2" && find . -mindepth 1 | sort) > "there$turn"
            test $turn = 2 || umount "$orphan/tree/busy"
        done
    "#;
    let unshared = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command
    };
    let can = unshared("mount -t tmpfs none /mnt").output();
    if !can.is_ok_and(|done| done.status.success()) {
        eprintln!("skipped: mounts of our own (needs unshare of util-linux, user namespaces)");
        return None;
    }
    let output = unshared(script)
        .args(["sh", kind, "tmp"])
        .args([env!("CARGO_BIN_EXE_plimsoll"), &image])
        .current_dir(here)
        .env("PLIMSOLL_CACHE", here.join("cache"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    Some([1, 2].map(|turn| {
        let read = |name: &str| fs::read_to_string(here.join(format!("{name}{turn}"))).unwrap();
        let there = read("there").lines().map(str::to_owned).collect();
        (there, read("said"))
    }))
}

#[test]
fn what_cannot_be_removed_is_told_and_tried_again() {
    let Some([(first, said), (second, silent)]) = swept_twice("tmpfs") else {
        return;
    };
    let orphan = "./plimsoll-abcDE1";
    let stay = ["", "/.lock", "/tree", "/tree/busy"].map(|path| format!("{orphan}{path}"));
    assert_eq!(first, stay, "{said}");
    assert!(
        said.contains("plimsoll-abcDE1 cannot be removed: busy: "),
        "{said}"
    );
    assert_eq!(second, Vec::<String>::new(), "{silent}");
    assert!(!silent.contains("cannot be removed"), "{silent}");
}

#[test]
fn nothing_is_swept_on_a_file_system_that_other_machines_may_share() {
    // Not among those that are known to be local, and the only such one that anybody may mount.
    let Some([_, (there, said)]) = swept_twice("ramfs") else {
        return;
    };
    let paths = [
        "",
        "/.lock",
        "/tree",
        "/tree/busy",
        "/tree/deep",
        "/tree/deep/file",
    ];
    let stay = paths.map(|path| format!("./plimsoll-abcDE1{path}"));
    assert_eq!(there, stay, "{said}");
}

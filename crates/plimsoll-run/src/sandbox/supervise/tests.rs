//! Each way to a pristine tree; what images do on it is tested from outside, in `tests/it`.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use super::*;
use crate::{Identity, Limits, way_for};

/// A tree with a shell and a tool, and what they are linked to.
fn tree(root: &Path) {
    for tool in ["/bin/sh", "/bin/cat"] {
        let output = Command::new("ldd").arg(tool).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for file in text.split_ascii_whitespace().chain([tool]) {
            let from = Path::new(file);
            if from.is_absolute() && from.is_file() {
                let to = root.join(file.trim_start_matches('/'));
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(from, to).unwrap();
            }
        }
    }
    fs::write(root.join("file"), "before\n").unwrap();
    fs::hard_link(root.join("file"), root.join("same")).unwrap();
    std::os::unix::fs::symlink("file", root.join("link")).unwrap();
}

#[test]
fn a_tree_is_pristine_whatever_the_kernel_can_mount() {
    let way = way_for(&Identity::root(), false);
    if let Err(why) = &way {
        // A test's output is where a reader looks for the reason.
        #[expect(clippy::print_stderr, reason = "says why it is skipped")]
        {
            eprintln!("skipped: {why}");
        }
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    tree(root.path());
    let script = "cat link; echo after > file; cat same; echo new > new";
    let spec = Spec {
        startup: crate::Recording::Off,
        hostname: "plimsoll",
        root: root.path(),
        way: way.unwrap(),
        scratch: scratch.path(),
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: Vec::new(),
        working_dir: String::new(),
        identity: Identity::root(),
        stop_signal: libc::SIGTERM,
        volumes: Vec::new(),
        ports: Vec::new(),
        watch: crate::Watch::Off,
        probes: &[],
        again: false,
        spend: false,
        linger: std::time::Duration::ZERO,
        reload: std::time::Duration::ZERO,
        limits: Limits::default(),
        owners: &|_| None,
        modes: &|_| None,
    };
    let copied = "no overlay can be mounted here";
    for (pristine, output, is_copied) in [
        // An overlay breaks hard links where it is written to; a copy keeps them.
        (&[Pristine::UserXattr][..], "before\nbefore\n", false),
        (&[Pristine::Overlay], "before\nbefore\n", false),
        (&[], "before\nafter\n", true),
    ] {
        for _ in 0..2 {
            let outcome = run_on(&spec, pristine).unwrap();
            let text = String::from_utf8_lossy(&outcome.output);
            let says = outcome
                .problems
                .iter()
                .any(|problem| problem.starts_with(copied));
            if says && !is_copied {
                // This kernel has no overlay for us: then the copy is what there is.
                assert_eq!(text, "before\nafter\n");
                continue;
            }
            assert_eq!((&*text, says), (output, is_copied), "{pristine:?}");
        }
        assert_eq!(
            fs::read_to_string(root.path().join("file")).unwrap(),
            "before\n"
        );
        assert!(!root.path().join("new").exists());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_copy_has_modes_times_and_links_and_a_limit() {
    let from = tempfile::tempdir().unwrap();
    let to = tempfile::tempdir().unwrap();
    let (from, to) = (from.path(), to.path().join("copy"));
    fs::create_dir(from.join("empty")).unwrap();
    fs::set_permissions(from.join("empty"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::write(from.join("a"), "123").unwrap();
    fs::set_permissions(from.join("a"), fs::Permissions::from_mode(0o4711)).unwrap();
    fs::hard_link(from.join("a"), from.join("b")).unwrap();
    std::os::unix::fs::symlink("/nowhere", from.join("c")).unwrap();
    copy::copy(from, &to, 3).unwrap();
    for name in ["", "empty", "a", "b", "c"] {
        let of = |root: &Path| {
            let found = fs::symlink_metadata(root.join(name)).unwrap();
            (found.mode(), found.mtime(), found.mtime_nsec(), found.uid())
        };
        assert_eq!(of(from), of(&to), "{name}");
    }
    let inode = |name| fs::metadata(to.join(name)).unwrap().ino();
    assert_eq!(inode("a"), inode("b"));
    assert_eq!(fs::read_link(to.join("c")).unwrap(), Path::new("/nowhere"));
    let error = copy::copy(from, &to.with_file_name("again"), 2).unwrap_err();
    assert!(error.to_string().contains("above the limit"), "{error}");
}

//! What a stranger's program has made goes away again, and nothing else does.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, open, openat};

use crate::tree::{Tree, turn};

fn close(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
}

/// Directories in each other, the innermost with a file; the path of it is longer than a path may be.
fn deep(top: &Path, levels: usize) {
    let name = "d".repeat(100);
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = open(top, flags, Mode::empty()).unwrap();
    for _ in 0..levels {
        mkdirat(&at, &*name, Mode::RWXU).unwrap();
        at = openat(&at, &*name, flags, Mode::empty()).unwrap();
    }
    let file = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    openat(&at, "file", file, Mode::RUSR).unwrap();
}

#[test]
fn a_deep_tree_is_removed() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    fs::create_dir(&tree).unwrap();
    for levels in [1, 32, 33, 34, 5000] {
        deep(&tree, levels);
        plimsoll_run::remove(&tree).unwrap();
        assert!(!tree.exists());
        fs::create_dir(&tree).unwrap();
    }
    // The names it would use for what it moves up are taken, by what is in the way.
    for taken in 0..40 {
        let path = tree.join(format!(".moved-{taken}"));
        match taken % 3 {
            0 => fs::write(path, "").unwrap(),
            1 => symlink("/", path).unwrap(),
            _ => deep(
                {
                    fs::create_dir(&path).unwrap();
                    &path
                },
                70,
            ),
        }
    }
    deep(&tree, 700);
    plimsoll_run::remove(&tree).unwrap();
    assert!(!tree.exists());
}

#[test]
fn closed_directories_are_removed() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    for path in ["a/b/c", "a/b/d", "e/f"] {
        let path = tree.join(path);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("file"), "x").unwrap();
        close(&path.join("file"));
        close(&path);
    }
    for path in ["a/b", "a", "e", ""] {
        close(&tree.join(path));
    }
    plimsoll_run::remove(&tree).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn nothing_outside_is_touched() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let (tree, outside) = (directory.path().join("tree"), directory.path().join("out"));
    fs::create_dir_all(tree.join("sub")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "kept").unwrap();
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o500)).unwrap();
    for link in ["link", "sub/link", "sub/.moved-0"] {
        symlink(&outside, tree.join(link)).unwrap();
    }
    symlink("../out/kept", tree.join("relative")).unwrap();
    fs::hard_link(outside.join("kept"), tree.join("hard")).unwrap();
    plimsoll_run::remove(&tree).unwrap();
    // A link itself is removed too, and what is not there is gone already.
    symlink(&outside, &tree).unwrap();
    plimsoll_run::remove(&tree).unwrap();
    plimsoll_run::remove(&tree).unwrap();
    plimsoll_run::remove(&tree.join("nor/its/parent")).unwrap();
    assert!(fs::symlink_metadata(&tree).is_err());
    assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "kept");
    let mode = fs::metadata(&outside).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o500);
}

#[test]
fn what_stays_is_told() {
    let _turn = turn();
    // The kernel lets nobody remove what it shows here.
    let left = plimsoll_run::remove(Path::new("/proc/self/attr")).unwrap_err();
    let text = left.to_string();
    let begins = "/proc/self/attr cannot be removed: ";
    assert!(
        text.starts_with(begins) && text.contains("entries stay"),
        "{text}"
    );
    assert!(plimsoll_run::remove(Path::new("/")).is_err());
    assert!(openat(CWD, "/proc/self/attr", OFlags::CLOEXEC, Mode::empty()).is_ok());
}

/// An image runs on the tree itself, and does its worst to it.
#[test]
fn what_an_image_has_made_is_removed() {
    for spend in [false, true] {
        let Some(mut tree) = Tree::new() else { return };
        tree.spend = spend;
        let outcome = tree.inside("dig");
        let said = crate::tree::said(&outcome);
        assert_eq!(
            said,
            ["dug"],
            "{}",
            String::from_utf8_lossy(&outcome.output)
        );
        assert_eq!(tree.path("/closed").exists(), spend);
        plimsoll_run::remove(&tree.path("/")).unwrap();
        assert!(!tree.path("/").exists());
    }
}

//! The tree in the making follows links, keeps metadata, and knows what a layer wrote.

use plimsoll_model::MemoryContents;

use super::*;

fn stage() -> Stage {
    Stage::new(Arc::new(MemoryContents::default()), 77)
}

fn path(text: &str) -> ImagePath {
    ImagePath::new(text)
}

#[test]
fn a_write_goes_through_links_and_stays_inside() {
    let mut stage = stage();
    stage.make_dir(&path("/usr/bin"), 0o755).unwrap();
    stage.symlink(&path("/bin"), b"usr/bin").unwrap();
    stage.symlink(&path("/out"), b"../../../etc").unwrap();
    stage.write(&path("/bin/sh"), b"x", 0o755).unwrap();
    stage.write(&path("/out/passwd"), b"root", 0o644).unwrap();
    assert!(stage.tree().get("/usr/bin/sh").unwrap().is_file());
    assert!(stage.tree().get("/etc/passwd").unwrap().is_file());
    assert_eq!(stage.read(&path("/bin/sh")).unwrap(), b"x");
    stage.symlink(&path("/a"), b"b").unwrap();
    stage.symlink(&path("/b"), b"a").unwrap();
    assert!(stage.write(&path("/a"), b"", 0o644).is_err());
    assert!(stage.write(&path("/a/x"), b"", 0o644).is_err());
}

#[test]
fn writing_again_keeps_owner_and_mode() {
    let mut stage = stage();
    stage.write(&path("/f"), b"1", 0o600).unwrap();
    stage
        .change(&path("/f"), true, |meta| meta.uid = 5)
        .unwrap();
    stage.write(&path("/f"), b"22", 0o644).unwrap();
    let node = stage.node(&path("/f")).unwrap();
    assert_eq!(
        (node.meta.mode, node.meta.uid, node.meta.mtime),
        (0o600, 5, 77)
    );
}

#[test]
fn all_names_of_a_file_change_together() {
    let mut stage = stage();
    stage.write(&path("/f"), b"1", 0o600).unwrap();
    stage.hard_link(&path("/g"), &path("/f")).unwrap();
    stage
        .change(&path("/g"), true, |meta| meta.mode = 0o4755)
        .unwrap();
    assert_eq!(stage.node(&path("/f")).unwrap().meta.mode, 0o4755);
    assert_eq!(
        stage.node(&path("/f")).unwrap().inode,
        stage.node(&path("/g")).unwrap().inode
    );
}

#[test]
fn a_layer_is_what_it_wrote_with_the_directories_on_the_way() {
    let mut stage = stage();
    stage.make_dir(&path("/etc"), 0o700).unwrap();
    stage.write(&path("/etc/a"), b"1", 0o644).unwrap();
    stage.write(&path("/etc/b"), b"1", 0o644).unwrap();
    stage.write(&path("/srv/c"), b"1", 0o644).unwrap();
    let base = stage.end_layer();
    assert!(base.tree.contains("/etc/a") && base.tree.contains("/srv/c"));
    stage.write(&path("/etc/a"), b"2", 0o644).unwrap();
    stage.remove(&path("/etc/b"));
    let upper = stage.end_layer();
    let names: Vec<String> = upper
        .tree
        .iter()
        .map(|(path, _)| path.to_string())
        .collect();
    assert_eq!(names, ["/", "/etc", "/etc/.wh.b", "/etc/a"]);
    assert_eq!(upper.tree.get("/etc").unwrap().meta.mode, 0o700);
    assert_eq!(base.read(&path("/etc/a"), 9).unwrap(), b"1");
    assert_eq!(upper.read(&path("/etc/a"), 9).unwrap(), b"2");
}

#[test]
fn a_move_takes_everything_below_along() {
    let mut stage = stage();
    stage.write(&path("/a/b/c"), b"1", 0o644).unwrap();
    stage.rename(&path("/a"), &path("/x/y")).unwrap();
    assert!(stage.is_file(&path("/x/y/b/c")));
    assert!(!stage.tree().contains("/a"));
    assert!(stage.rename(&path("/x"), &path("/x/y/z")).is_err());
    assert!(stage.rename(&path("/none"), &path("/y")).is_err());
}

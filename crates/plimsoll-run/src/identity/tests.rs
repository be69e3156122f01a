//! `USER` in all its spellings.

use std::sync::Arc;

use plimsoll_model::{FileTree, Kind, MemoryContents, Metadata, Node};

use super::*;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:34::/var/www:/sbin/nologin\n# no line\nodd\n1000:x:7:7::/odd:\n";
const GROUP: &str = "root:x:0:\nweb:x:34:\nssl:x:50:www,x\nlog:x:40:y,www\nadm:x:4:root\n";

fn image(files: &[(&str, &str)]) -> Rootfs {
    let contents = MemoryContents::default();
    let mut tree = FileTree::default();
    for (path, text) in files {
        let at = contents.add(text.as_bytes());
        let kind = Kind::File {
            size: text.len() as u64,
            at,
        };
        let meta = Metadata::with_mode(0o644);
        tree.insert(
            ImagePath::new("/etc"),
            Node {
                kind: Kind::Dir,
                meta: Metadata::with_mode(0o755),
                layer: 0,
                inode: 0,
            },
        );
        tree.insert(
            ImagePath::new(path),
            Node {
                kind,
                meta,
                layer: 0,
                inode: 0,
            },
        );
    }
    Rootfs {
        tree,
        contents: Arc::new(contents),
    }
}

fn of(user: &str) -> Result<Identity, String> {
    let config = Config {
        user: user.to_owned(),
        ..Config::default()
    };
    let rootfs = image(&[("/etc/passwd", PASSWD), ("/etc/group", GROUP)]);
    identity(&rootfs, &config).map_err(|error| error.to_string())
}

#[test]
fn a_user_is_a_name_or_a_number_and_brings_its_groups_unless_one_is_given() {
    for (user, uid, gid, groups, home) in [
        ("", 0, 0, &[0, 4][..], "/root"),
        ("root", 0, 0, &[0, 4], "/root"),
        ("www", 33, 34, &[34, 40, 50], "/var/www"),
        ("33", 33, 34, &[34, 40, 50], "/var/www"),
        ("www:ssl", 33, 50, &[50], "/var/www"),
        ("www:77", 33, 77, &[77], "/var/www"),
        ("10001", 10001, 0, &[0], "/"),
        ("10001:10002", 10001, 10002, &[10002], "/"),
        (":34", 0, 34, &[34], "/root"),
        // A number is an id, even where a user has that name.
        ("1000", 1000, 0, &[0], "/"),
    ] {
        let found = of(user).unwrap();
        assert_eq!(
            (found.uid, found.gid, &*found.groups, &*found.home),
            (uid, gid, groups, home),
            "{user}"
        );
    }
}

#[test]
fn nobody_is_an_error_that_names_who_was_meant() {
    for (user, words) in [
        ("nginx", "user `nginx` is not in its /etc/passwd"),
        ("www:no", "group `no` is not in its /etc/group"),
        ("4294967295", "the id 4294967295 is above 2147483647"),
        ("odd", "the line of `odd` in its /etc/passwd has no user id"),
    ] {
        assert!(
            of(user).unwrap_err().ends_with(words),
            "{user}: {:?}",
            of(user)
        );
    }
}

#[test]
fn an_image_without_databases_runs_as_root_with_the_root_as_home() {
    let found = identity(&image(&[]), &Config::default()).unwrap();
    assert_eq!((found.uid, found.gid, &*found.home), (0, 0, "/"));
    assert_eq!(found.name, None);
}

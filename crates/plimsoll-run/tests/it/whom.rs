//! Users and owners: the same answers as root and as a plain user.

use plimsoll_run::{Identity, RunningAs, Way, way};

use crate::tree::{Tree, said};

#[test]
fn a_program_gives_files_away_and_drops_its_privileges() {
    let Some(mut tree) = Tree::new() else { return };
    let outcome = tree.inside("change");
    let wanted = [
        "0 0 0 group 0 groups [0]",
        "/etc/hosts 0 0",
        "0",
        "/d/a 33 44",
        "0",
        "/d/a 33 45",
        "/e/a 33 45",
        "/e/b 33 45",
        "2",
        "0",
        "33 33 33 group 34 groups [7, 8, 9]",
        "back 1",
        "groups 1",
        "/e/mine 33 34",
        "not mine 1",
        "give away 1",
        "to a group of mine 0",
        "/e/mine 33 9",
        "child 33",
    ];
    assert_eq!(
        said(&outcome),
        wanted,
        "{}",
        String::from_utf8_lossy(&outcome.output)
    );
}

#[test]
fn an_image_runs_as_its_user() {
    let Some(mut tree) = Tree::new() else { return };
    tree.identity = Identity {
        uid: 1000,
        gid: 50,
        groups: vec![50, 60],
        name: None,
        home: String::from("/"),
    };
    let outcome = tree.inside("somebody");
    let wanted = ["1000 1000 1000 group 50 groups [50, 60]", "root again 1"];
    assert_eq!(said(&outcome), wanted);
}

#[test]
fn who_serves_is_told() {
    let Some(mut tree) = Tree::new() else { return };
    tree.write("/data.txt", "data");
    tree.ports = vec![80];
    tree.identity = Identity {
        uid: 33,
        gid: 34,
        groups: vec![34],
        ..Identity::root()
    };
    let outcome = tree.inside("serve");
    let wanted = RunningAs {
        exe: String::from("/bin/it"),
        uid: 33,
        gid: 34,
    };
    assert_eq!(outcome.running_as, [wanted]);
}

/// As the entry scripts of official images do: they start themselves again as somebody else.
#[test]
fn a_script_finds_the_owners_of_the_image_and_itself() {
    let Some(tree) = Tree::new() else { return };
    tree.write("/etc/owned", "");
    if way() == Ok(Way::Root) {
        std::os::unix::fs::chown(tree.path("/etc/owned"), Some(41), Some(42)).unwrap();
    }
    let outcome = tree.script(
        "id -u; stat -c %u:%g /etc/owned; chown 7:8 /etc/owned; stat -c %u:%g /etc/owned; \
         stat -c %u:%g /dev/null",
    );
    let text = String::from_utf8_lossy(&outcome.output);
    // Devices are this machine's, whose user 0 has no number among subordinate ids.
    let device = match outcome.way {
        Way::Subordinate => "65534:65534",
        Way::Root | Way::Plain => "0:0",
    };
    assert_eq!(text, format!("0\n41:42\n7:8\n{device}\n"));
}

#[test]
fn a_directory_has_the_mode_of_the_image() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(tree) = Tree::new() else { return };
    tree.write("/etc/shared/file", "");
    // As it is unpacked where the mode can be given, and where it can only later.
    let mode = match way() {
        Ok(Way::Root) => 0o2750,
        _ => 0o750,
    };
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(tree.path("/etc/shared"), mode).unwrap();
    let outcome = tree.script("stat -c %a /etc/shared");
    let mode = match outcome.way {
        Way::Root | Way::Subordinate => "2750",
        Way::Plain => "750",
    };
    let text = String::from_utf8_lossy(&outcome.output);
    assert_eq!(text, format!("{mode}\n"));
    // And the next time.
    assert_eq!(tree.script("stat -c %a /etc/shared").output, outcome.output);
}

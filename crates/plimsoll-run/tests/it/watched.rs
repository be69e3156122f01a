//! What is seen of a run.

use std::collections::BTreeMap;

use plimsoll_model::{Access, ImagePath};
use plimsoll_run::{Probe, Watch};

use crate::tree::{Tree, said};

#[test]
fn what_was_read_is_told_however_deep_others_dig() {
    let Some(mut tree) = Tree::new() else { return };
    tree.write("/plain", "plain");
    tree.make_old();
    tree.spend = true;
    let outcome = tree.inside("bury");
    assert_eq!(crate::tree::said(&outcome), ["buried"]);
    let told = |problem: &&String| problem.contains("could not be looked at");
    assert_eq!(outcome.problems.iter().find(told), None);
    let read = outcome.read.unwrap();
    // A disk that keeps no access times tells of nothing at all.
    assert!(read.is_empty() || read.contains(&plimsoll_model::ImagePath::new("/plain")));
    plimsoll_run::remove(&tree.path("/")).unwrap();
}

#[test]
fn every_way_to_name_a_file_is_seen() {
    let Some(mut tree) = Tree::new() else { return };
    // In this form the C library asks about a descriptor, a hundred times for once by name.
    let behind = |outcome: &plimsoll_run::Outcome| {
        let seen = &outcome.observations.seen;
        seen.contains_key(&b"/t/behind"[..])
    };
    let usual = tree.inside("touch");
    let is_plain = plimsoll_run::way() == Ok(plimsoll_run::Way::Plain);
    assert_eq!(behind(&usual), is_plain);
    tree.watch = Watch::Everything;
    let outcome = tree.inside("touch");
    assert!(behind(&outcome));
    let errors: Vec<i32> = said(&outcome)
        .iter()
        .map(|line| line.parse().unwrap())
        .collect();
    // ENOENT 2, ENODATA 61 where the file were there, ENOTDIR 20, EFAULT 14, ENAMETOOLONG 36.
    let wanted = [
        2, 0, 0, 2, 2, 0, 0, 0, 0, 0, 2, 2, 2, 20, 14, 2, 2, 2, 36, 0,
    ];
    assert_eq!(
        errors,
        wanted,
        "{}",
        String::from_utf8_lossy(&outcome.output)
    );

    let seen: BTreeMap<&str, Access> = outcome
        .observations
        .seen
        .iter()
        .filter(|(_, seen)| seen.by == "/bin/it")
        .filter_map(|(path, seen)| Some((std::str::from_utf8(path).ok()?, seen.access)))
        .collect();
    let looked_up = Access::LOOKED_UP;
    let entry = Access::NOFOLLOW;
    for (path, access) in [
        ("/t", Access::WRITTEN.with(looked_up).with(Access::OPENED)),
        ("/t/missing", looked_up),
        ("/t/link", Access::WRITTEN.with(looked_up).with(entry)),
        ("/t/attr", looked_up.with(entry)),
        ("/t/statfs", looked_up),
        ("/t/../t/./file", Access::OPENED),
        ("/t/made", Access::WRITTEN.with(Access::REMOVED).with(entry)),
        ("/t/moved", Access::WRITTEN.with(entry)),
        ("/t/hard", Access::WRITTEN.with(Access::REMOVED).with(entry)),
        ("/t/file2", looked_up),
        ("/t/file3", Access::WRITTEN),
        ("/t/socket", Access::SOCKET),
        ("/t/watched", looked_up),
        ("/t/program", Access::EXECUTED),
        ("/t/jail", Access::WRITTEN.with(looked_up)),
        ("/t/jail/inmate", Access::OPENED),
        ("/t/outside", Access::OPENED),
    ] {
        assert_eq!(seen.get(path), Some(&access), "{path}");
    }
    let etc = seen["/etc"];
    assert!(etc.has(Access::LISTED) && etc.has(Access::OPENED));
    assert!(seen["/t/file"].has(Access::CHANGED.with(Access::OPENED).with(Access::WRITTEN)));
    assert!(
        !seen.keys().any(|path| path.contains("none")),
        "a pipe is no directory"
    );
    assert_eq!(outcome.observations.blind, [""; 0]);
}

#[test]
fn it_is_told_when_and_by_whom() {
    let Some(mut tree) = Tree::new() else { return };
    tree.write("/data.txt", "data");
    tree.ports = vec![80];
    tree.probes = ["http:/", "http:/no/such"]
        .map(|text| Probe::parse(text).unwrap())
        .to_vec();
    let outcome = tree.inside("serve");
    let seen = &outcome.observations.seen;
    let of = |path: &str| (&*seen[path.as_bytes()].during, &*seen[path.as_bytes()].by);
    // The first program is started by us, who are no part of the image.
    assert_eq!(of("/bin/it"), ("start", ""));
    assert!(seen[&b"/bin/it"[..]].access.has(Access::EXECUTED));
    assert_eq!(of("/data.txt"), ("http:/", "/bin/it"));
    assert_eq!(of("/no/such"), ("http:/no/such", "/bin/it"));
}

#[test]
fn the_end_is_watched_too() {
    let Some(mut tree) = Tree::new() else { return };
    tree.ports = vec![80];
    let outcome = tree.inside("listen_and_leave");
    assert_eq!(said(&outcome), ["bye"]);
    assert_eq!(
        outcome.observations.seen[&b"/at-the-end"[..]].during,
        "stop"
    );
    assert_eq!(outcome.exit, None, "it was asked to end");
}

#[test]
fn a_search_is_seen_in_all_its_places() {
    let Some(tree) = Tree::new() else { return };
    let outcome = tree.script("exec cat /etc/hosts");
    let seen = &outcome.observations.seen;
    for directory in [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
    ] {
        let first = format!("{directory}/sh");
        assert!(
            seen[first.as_bytes()].access.has(Access::EXECUTED),
            "{first}"
        );
    }
    assert!(seen[&b"/bin/cat"[..]].access.has(Access::EXECUTED));
    assert_eq!(seen[&b"/etc/hosts"[..]].by, "/bin/cat");
}

#[test]
fn nobody_watches_unasked() {
    let Some(mut tree) = Tree::new() else { return };
    tree.watch = Watch::Off;
    let outcome = tree.script("cat /etc/hosts");
    assert!(outcome.observations.seen.is_empty());
    assert!(String::from_utf8_lossy(&outcome.output).contains("localhost"));
}

#[test]
fn a_tree_that_is_spent_tells_what_was_read_of_it() {
    let Some(mut tree) = Tree::new() else { return };
    tree.write("/data.txt", "data");
    tree.write("/other.txt", "other");
    tree.make_old();
    tree.spend = true;
    let outcome = tree.script(
        "cat /data.txt; echo new > /new.txt; test -e /other.txt; \
         mkdir -p /closed/inner; chmod 000 /closed/inner /closed",
    );
    assert_eq!(outcome.output, b"data");
    // It is the tree itself that was written to.
    assert!(tree.path("/new.txt").exists());
    let read = outcome.read.unwrap();
    if read.is_empty() {
        eprintln!("skipped: this disk keeps no access times");
        return;
    }
    for path in ["/data.txt", "/bin/sh", "/bin/cat"] {
        assert!(read.contains(&ImagePath::new(path)), "{path}: {read:?}");
    }
    assert!(!read.contains(&ImagePath::new("/other.txt")), "{read:?}");
}

#[test]
fn a_spent_tree_has_a_limit_too() {
    let Some(mut tree) = Tree::new() else { return };
    tree.spend = true;
    tree.limits.disk = 64 << 10;
    let outcome = tree.script("while :; do cat /bin/it >> /much; done");
    let says = |problem: &String| problem.starts_with("ended: it wrote more than");
    assert!(outcome.problems.iter().any(says), "{:?}", outcome.problems);
}

//! The slim image in the making: what is in it, and that nothing of it changed.

use plimsoll_model::{FileTree, ImagePath, Kind, Plan, Rootfs};

use crate::world::World;

pub(crate) const IMAGE: &str = "ENTRYPOINT /usr/bin/server
    LABEL a=b
    PACKAGE server 1.2 httpd
    PACKAGE server owns /usr/bin/server
    PACKAGE server owns /usr/share/server/page
    PACKAGE other 3 misc
    PACKAGE other owns /usr/share/other/file
    /usr/bin/server        04755 \"binary\" 3:4
    /usr/bin/server2       = /usr/bin/server
    /usr/share/server/page 0640 \"hello\" 33:33
    /usr/share/other/file  0644 1k
    /var/lib/dpkg/status   0644 \"Package: server\\n\\nPackage: other\\n\"
    /var/lib/dpkg/info/server.md5sums 0644 \"0123456789abcdef0123456789abcdef  usr/bin/server\\nfedcba9876543210fedcba9876543210  usr/share/server/gone\\n\"
    INCLUDE /usr/bin/server2
    SEEN opened /usr/share/server/page";

fn text(rootfs: &Rootfs, path: &str) -> String {
    String::from_utf8(rootfs.read(&ImagePath::new(path), 1 << 20).unwrap()).unwrap()
}

fn paths(tree: &FileTree) -> Vec<String> {
    let files = tree.iter().filter(|(_, node)| node.is_file());
    files.map(|(path, _)| path.to_string()).collect()
}

#[test]
fn what_stays_is_as_it_was() {
    let world = World::new(IMAGE);
    let plan = world.plan();
    let draft = plimsoll_slim::draft(&world.request(), &plan);
    let [layer] = &draft.layers[..] else {
        panic!("one layer")
    };
    let (before, after) = (&world.fixture.rootfs, &layer.rootfs);
    for path in ["/usr/bin/server", "/usr/share/server/page"] {
        let path = ImagePath::new(path);
        assert_eq!(before.tree.get(&path), after.tree.get(&path), "{path}");
        assert_eq!(
            before.read(&path, 1 << 20).unwrap(),
            after.read(&path, 1 << 20).unwrap()
        );
    }
    let inode = |path: &str| after.tree.get(path).unwrap().inode;
    assert_eq!(
        inode("/usr/bin/server"),
        inode("/usr/bin/server2"),
        "hard links stay hard links"
    );
    assert_eq!(draft.config.labels["a"], "b");
    assert_eq!(draft.config.labels["org.plimsoll.level"], "app");
    assert!(
        draft
            .config
            .labels
            .contains_key("org.plimsoll.source.digest")
    );
    assert_eq!(
        draft.config.entrypoint,
        world.fixture.image.config.entrypoint
    );
    assert_eq!(draft.config.created, world.fixture.image.config.created);
}

#[test]
fn the_same_plan_gives_the_same_tree_and_contents() {
    let draft = || {
        let world = World::new(IMAGE);
        plimsoll_slim::draft(&world.request(), &world.plan())
    };
    let (one, two) = (draft(), draft());
    assert_eq!(one.config, two.config);
    let [one, two] = [&one, &two].map(|draft| &draft.layers[0].rootfs);
    assert!(one.tree.iter().eq(two.tree.iter()));
    for path in paths(&one.tree) {
        let path = ImagePath::new(path);
        assert_eq!(
            one.read(&path, 1 << 20).unwrap(),
            two.read(&path, 1 << 20).unwrap()
        );
    }
}

#[test]
fn the_database_lists_what_is_there_and_nothing_else() {
    let world = World::new(IMAGE);
    let draft = plimsoll_slim::draft(&world.request(), &world.plan());
    let rootfs = &draft.layers[0].rootfs;
    assert_eq!(
        paths(&rootfs.tree),
        [
            "/usr/bin/server",
            "/usr/bin/server2",
            "/usr/share/server/page",
            "/var/lib/dpkg/status.d/server",
            "/var/lib/dpkg/status.d/server.md5sums",
        ]
    );
    let record = text(rootfs, "/var/lib/dpkg/status.d/server");
    assert!(
        record.starts_with("Package: server\n") && record.ends_with("Version: 1.2\n"),
        "{record}"
    );
    assert_eq!(
        text(rootfs, "/var/lib/dpkg/status.d/server.md5sums"),
        "0123456789abcdef0123456789abcdef  usr/bin/server\n"
    );
}

#[test]
fn a_classic_database_that_was_read_stays_and_tells_the_truth() {
    let world = World::new(&format!("{IMAGE}\nSEEN opened /var/lib/dpkg/status"));
    let draft = plimsoll_slim::draft(&world.request(), &world.plan());
    let status = text(&draft.layers[0].rootfs, "/var/lib/dpkg/status");
    assert!(
        status.contains("Package: server\n") && !status.contains("other"),
        "{status}"
    );
}

#[test]
fn what_stands_where_the_database_goes_leads_nowhere() {
    for in_the_way in [
        "/var/lib/dpkg/status.d -> /nowhere",
        "/var/lib/dpkg/status.d -> /var/lib/dpkg/status.d",
        "/var/lib/dpkg/status.d/server -> /etc/passwd",
        "/var/lib/dpkg/status.d/server/x 0644 1k",
    ] {
        let world = World::new(&format!("{IMAGE}\n{in_the_way}"));
        let draft = plimsoll_slim::draft(&world.request(), &world.plan());
        let tree = &draft.layers[0].rootfs.tree;
        for (path, _) in tree.iter() {
            for parent in path.ancestors() {
                let kind = tree.get(&parent).map(|node| &node.kind);
                assert_eq!(kind, Some(&Kind::Dir), "{parent} above {path}");
            }
        }
        let record = tree.get("/var/lib/dpkg/status.d/server");
        assert!(record.is_some_and(|node| node.is_file()), "{in_the_way}");
    }
}

#[test]
fn the_database_goes_where_links_to_directories_lead() {
    let world = World::new(&format!(
        "{}\n/var/lib/dpkg -> ../../data/dpkg",
        IMAGE.replace("/var/lib/dpkg/", "/data/dpkg/")
    ));
    let draft = plimsoll_slim::draft(&world.request(), &world.plan());
    let tree = &draft.layers[0].rootfs.tree;
    assert!(
        tree.get("/data/dpkg/status.d/server")
            .is_some_and(|node| node.is_file())
    );
}

/// What a draft is of is what is kept, not why; and what is written anew counts by its content.
#[test]
fn drafts_are_the_same_when_what_is_written_of_them_is() {
    let world = World::new(IMAGE);
    let request = world.request();
    let draft = |plan: &Plan| plimsoll_slim::draft(&request, plan);
    let plan = world.plan();
    let one = draft(&plan);
    let mut other = plan.clone();
    let server = other.keep.get_mut(&ImagePath::new("/usr/bin/server"));
    server.unwrap().truncate(1);
    assert!(plimsoll_slim::is_same(&one, &draft(&other)));
    for path in ["/usr/share/server/page", "/usr/bin/server2"] {
        let mut less = plan.clone();
        assert!(less.keep.remove(&ImagePath::new(path)).is_some(), "{path}");
        assert!(!plimsoll_slim::is_same(&one, &draft(&less)), "{path}");
        assert!(!plimsoll_slim::is_same(&draft(&less), &one), "{path}");
    }
    let mut labelled = one.clone();
    labelled.config.labels.insert("a".into(), "c".into());
    assert!(!plimsoll_slim::is_same(&one, &labelled));
    // The same tree, and another record of the same length in the database.
    let rewritten = World::new(&IMAGE.replace("server 1.2 httpd", "server 1.3 httpd"));
    let rewritten = plimsoll_slim::draft(&rewritten.request(), &plan);
    let trees = [&one, &rewritten].map(|draft| draft.layers[0].rootfs.tree.clone());
    assert!(trees[0].iter().eq(trees[1].iter()));
    assert!(!plimsoll_slim::is_same(&one, &rewritten));
}

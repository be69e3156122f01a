use super::*;

/// Merges layers given as lines: `/dir/`, `/file SIZE`, `/link -> target`, `/name = target` (hard
/// link), `- /gone`, `! /opaque`; `---` begins the next layer.
fn merge(text: &str) -> FileTree {
    merge_with(Builder::default(), text).finish()
}

fn merge_with(mut builder: Builder, text: &str) -> Builder {
    let mut layer = builder.begin_layer();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let node = EntryKind::Node;
        let (path, kind) = match words[..] {
            ["---"] => {
                layer = builder.begin_layer();
                continue;
            }
            ["-", path] => (path, EntryKind::Whiteout),
            ["!", path] => (path, EntryKind::Opaque),
            [path, "->", target] => (path, node(Kind::Symlink(target.as_bytes().into()))),
            [path, "=", target] => (path, EntryKind::Hardlink(ImagePath::new(target))),
            [path, size] => {
                let at = Extent { layer, offset: 0 };
                (
                    path,
                    node(Kind::File {
                        size: size.parse().unwrap(),
                        at,
                    }),
                )
            }
            [path] => (path, node(Kind::Dir)),
            _ => panic!("{line}"),
        };
        let entry = Entry {
            path: ImagePath::new(path),
            kind,
            meta: Metadata::with_mode(0o755),
        };
        let _ = builder.apply(entry);
    }
    builder
}

fn paths(tree: &FileTree) -> Vec<String> {
    tree.iter()
        .skip(1)
        .map(|(path, _)| path.to_string())
        .collect()
}

fn truth(text: &str, live: u64, dead: u64) {
    let tree = merge(text);
    assert_eq!(
        (tree.live_bytes(), tree.dead_bytes()),
        (live, dead),
        "{text}"
    );
}

#[test]
fn dead_bytes_are_exact() {
    truth("/a/ \n /a/b 5 \n /a/c 7 \n --- \n - /a", 0, 12);
    truth("/a/b 5 \n --- \n ! /a \n /a/new 2", 2, 5);
    truth("/a/b 5 \n --- \n /a/new 2 \n ! /a", 2, 5);
    truth("/a/b 5 \n --- \n /a/b 5", 5, 5);
    truth("/a 5 \n --- \n - /a", 0, 5);
    truth("/a 5 \n --- \n - /nowhere \n - /no/where \n ! /none", 5, 0);
    truth("/a/b 5 \n --- \n /a -> c", 0, 5);
    truth("/a/b 5 \n --- \n /a 3", 3, 5);
    truth("/a 5 \n --- \n /a/b 3", 3, 5);
}

#[test]
fn a_hard_link_keeps_bytes_alive_until_its_last_name_goes() {
    truth("/a 5 \n /b = /a", 5, 0);
    truth("/a 5 \n /b = /a \n --- \n - /a", 5, 0);
    truth("/a 5 \n /b = /a \n --- \n - /a \n --- \n - /b", 0, 5);
    truth("/a 5 \n /b = /a \n --- \n /a 3", 8, 0);
    truth("/a 5 \n /b = /a \n /b = /a", 5, 0);
    truth("/a 5 \n /b 4 \n /b = /a", 5, 4);
    let tree = merge("/a 5 \n /b = /a \n --- \n - /a");
    assert_eq!(tree.file_count(), 1);
    assert_eq!(paths(&merge("/b = /gone \n /d/ \n /e = /d")), ["/d"]);
}

#[test]
fn a_whiteout_spares_what_its_own_layer_writes() {
    let tree = merge("/a/old 5 \n --- \n /a/new 2 \n - /a");
    assert_eq!(paths(&tree), ["/a", "/a/new"]);
    assert_eq!(tree.dead_bytes(), 5);
    let tree = merge("/a/b/old 5 \n --- \n - /a \n /a/b/new 2");
    assert_eq!(paths(&tree), ["/a", "/a/b", "/a/b/new"]);
}

#[test]
fn parents_that_are_links_are_followed_inside_the_image() {
    let tree = merge("/usr/lib/ \n /lib -> usr/lib \n --- \n /lib/x 1 \n /lib/y/z 2");
    assert_eq!(
        paths(&tree),
        [
            "/lib",
            "/usr",
            "/usr/lib",
            "/usr/lib/x",
            "/usr/lib/y",
            "/usr/lib/y/z"
        ]
    );
    let tree = merge("/out -> ../../../tmp \n /out/poc 1");
    assert_eq!(paths(&tree), ["/out", "/tmp", "/tmp/poc"]);
    let tree = merge("/a -> b \n /b -> a \n /a/x 1 \n /c 1");
    assert_eq!(paths(&tree), ["/a", "/b", "/c"], "a ring bars the way");
}

#[test]
fn a_directory_over_a_link_replaces_it_and_over_a_directory_keeps_what_is_in_it() {
    assert_eq!(paths(&merge("/a -> b \n --- \n /a/")), ["/a"]);
    assert_eq!(paths(&merge("/a/x 1 \n --- \n /a/")), ["/a", "/a/x"]);
}

#[test]
fn names_of_whiteouts_are_understood() {
    let of = |path: &str| Naming::of(&ImagePath::new(path));
    assert_eq!(of("/a/.wh.b"), Naming::Whiteout(ImagePath::new("/a/b")));
    assert_eq!(of("/a/.wh..wh..opq"), Naming::Opaque(ImagePath::new("/a")));
    assert_eq!(of("/.wh..wh.plnk"), Naming::Ignored);
    assert_eq!(of("/a/.wh."), Naming::Ignored);
    assert_eq!(of("/a/.wh..."), Naming::Ignored, "`..` must not climb");
    assert_eq!(of("/a/wh.b"), Naming::Ordinary);
}

#[test]
fn walking_follows_links_and_says_where_it_stopped() {
    let tree = merge(
        "/usr/bin/dash 1 \n /bin -> usr/bin \n /usr/bin/sh -> dash \n /abs -> /bin \n
         /dangling -> nowhere/x \n /ring -> ring \n /up -> ../../../../usr",
    );
    let sh = tree.resolve(&ImagePath::new("/bin/sh")).unwrap();
    assert_eq!(sh.path, ImagePath::new("/usr/bin/dash"));
    assert_eq!(
        sh.links,
        [ImagePath::new("/bin"), ImagePath::new("/usr/bin/sh")]
    );
    assert_eq!(
        tree.resolve(&"/abs/sh".into()).unwrap().path,
        "/usr/bin/dash".into()
    );
    assert_eq!(
        tree.resolve(&"/up/bin/dash".into()).unwrap().path,
        "/usr/bin/dash".into()
    );
    assert_eq!(
        tree.resolve_parent(&"/bin/sh".into()).unwrap().path,
        "/usr/bin/sh".into()
    );
    let stopped = |path: &str| tree.resolve(&path.into()).unwrap_err().why;
    assert_eq!(stopped("/dangling"), Stopped::Missing("/nowhere".into()));
    assert_eq!(stopped("/ring"), Stopped::Loop);
    assert_eq!(
        stopped("/usr/bin/dash/x"),
        Stopped::NotADirectory("/usr/bin/dash".into())
    );
    // `..` is the directory above the one reached, not the one named.
    let found = tree
        .walk(&"/usr".into(), b"../bin/../lib", true)
        .unwrap_err()
        .why;
    assert_eq!(found, Stopped::Missing("/usr/lib".into()));
}

#[test]
fn children_and_subtrees_are_found_among_names_that_sort_between() {
    let tree = merge("/a/x 1 \n /a-b/y 1 \n /a.c 1 \n /a0 1 \n /b/c/d 1");
    let children = |path: &str| -> Vec<String> {
        tree.children(&path.into())
            .map(|(path, _)| path.to_string())
            .collect()
    };
    assert_eq!(children("/"), ["/a", "/a-b", "/a.c", "/a0", "/b"]);
    assert_eq!(children("/a"), ["/a/x"]);
    assert_eq!(children("/b"), ["/b/c"]);
    assert_eq!(children("/a0"), [""; 0]);
    assert_eq!(tree.subtree(&"/b".into()).count(), 2);
    assert_eq!(tree.subtree(&"/".into()).count(), tree.len() - 1);
}

#[test]
fn a_file_taken_over_keeps_its_number_to_itself() {
    let mut tree = FileTree::default();
    let file = |size, inode| {
        let at = Extent {
            layer: 0,
            offset: 0,
        };
        let kind = Kind::File { size, at };
        Node {
            kind,
            meta: Metadata::with_mode(0o644),
            layer: 0,
            inode,
        }
    };
    tree.insert("/a".into(), file(5, 7));
    tree.insert("/b".into(), file(5, 7));
    for name in ["/c", "/d", "/e", "/f", "/g", "/h", "/i"] {
        tree.insert(name.into(), file(1, 0));
    }
    assert_eq!((tree.live_bytes(), tree.file_count()), (12, 8));
}

#[test]
fn what_each_layer_did_is_remembered_by_whoever_was_told_to() {
    let text = "/etc/
                /etc/a 1
                /etc/b 2
                /usr/lib/
                /lib -> usr/lib
                ---
                - /etc/a
                /etc/b 3
                /lib/deep/x 4
                /etc/c = /etc/b
                ---
                ! /etc";
    let mut builder = merge_with(Builder::remembering(), text);
    let told: Vec<String> = builder
        .take_changes()
        .iter()
        .map(|change| {
            let sign = match &change.node {
                None => '-',
                Some(node) if node.is_dir() => '/',
                Some(_) => '+',
            };
            format!("{} {sign} {}", change.layer, change.path)
        })
        .collect();
    assert_eq!(
        told,
        [
            "0 / /etc",
            "0 + /etc/a",
            "0 + /etc/b",
            "0 / /usr",
            "0 / /usr/lib",
            "0 + /lib",
            "1 - /etc/a",
            "1 - /etc/b",
            "1 + /etc/b",
            "1 / /usr/lib/deep",
            "1 + /usr/lib/deep/x",
            "1 + /etc/c",
            "2 - /etc/b",
            "2 - /etc/c",
        ]
    );
    // Replayed, they make the tree.
    let mut builder = merge_with(Builder::remembering(), text);
    let mut replayed: BTreeMap<ImagePath, Node> = BTreeMap::new();
    for change in builder.take_changes() {
        match change.node {
            Some(node) => replayed.insert(change.path, node),
            None => replayed.remove(&change.path),
        };
    }
    let tree = builder.finish();
    assert!(tree.iter().skip(1).eq(replayed.iter()));
    assert_eq!(merge_with(Builder::default(), text).take_changes(), []);
}

/// A path of at most three parts out of few names, so that all kinds of nodes meet at one place.
fn some_path(next: &mut impl FnMut(u32) -> u32, parts: &[&str]) -> String {
    let count = next(3) + 1;
    let part = |_| format!("/{}", parts[next(parts.len() as u32) as usize]);
    (0..count).map(part).collect()
}

#[test]
fn a_short_cut_leads_where_the_way_does() {
    let mut state = 11_u32;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut short = 0;
    for _ in 0..400 {
        let mut text = String::new();
        for _ in 0..next(25) {
            let path = some_path(&mut next, &["a", "b", "c"]);
            let other = some_path(&mut next, &["a", "b", "c", ".."]);
            text += &match next(9) {
                0 => format!("- {path}\n"),
                1 => format!("! {path}\n"),
                2 => format!("{path} -> {other}\n"),
                3 => format!("{path} -> .{other}\n"),
                4 => format!("{path} = {other}\n"),
                5 => "---\n".to_owned(),
                6 => format!("{path} 3\n"),
                _ => format!("{path}\n"),
            };
        }
        let tree = merge(&text);
        let mut slow = tree.clone();
        slow.is_merged = false;
        for _ in 0..60 {
            let path = some_path(&mut next, &["a", "b", "c", ".", "..", ""]);
            for follow in [false, true] {
                let root = ImagePath::root();
                let found = tree.walk(&root, path.as_bytes(), follow);
                assert_eq!(
                    found,
                    slow.walk(&root, path.as_bytes(), follow),
                    "{path} of\n{text}"
                );
                short += usize::from(tree.plain(path.as_bytes(), follow).is_some());
            }
        }
    }
    assert!(short > 1000, "{short}");
}

//! From a signed repository, made in this file, to a draft: nothing is fetched, nothing is run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use plimsoll_build::{EMULATIONS, Error, Lock, Recipe, Repository, compose, resolve};
use plimsoll_model::fetch::FetchErrorKind;
use plimsoll_model::{Digest, Fetch, FetchError, MemoryContents, Open, Rootfs};
use sha2::{Digest as _, Sha256};

mod repository;

use repository::{Entry, Mirror, Package};

const NOW: i64 = 1_800_000_000;

fn quiet(_: plimsoll_build::Event<'_>) {}

/// A mirror in memory.
struct Canned(BTreeMap<String, Vec<u8>>);

impl Fetch for Canned {
    fn fresh(&self, url: &str, _limit: u64) -> Result<Vec<u8>, FetchError> {
        self.0.get(url).cloned().ok_or_else(|| FetchError {
            url: url.to_owned(),
            kind: FetchErrorKind::Status(404),
        })
    }

    fn verified(
        &self,
        url: &str,
        digest: &Digest,
        _size: u64,
    ) -> Result<Arc<dyn Open>, FetchError> {
        let bytes = self.fresh(url, u64::MAX)?;
        let found = Digest::from_bytes(Sha256::digest(&bytes).into());
        if found == *digest {
            let bytes: Arc<[u8]> = Arc::from(bytes);
            return Ok(Arc::new(bytes));
        }
        Err(FetchError {
            url: url.to_owned(),
            kind: FetchErrorKind::Digest {
                expected: *digest,
                found,
            },
        })
    }
}

/// A small distribution: a base with users, a library, a server with a script.
fn mirror() -> Mirror {
    let mut mirror = Mirror::new(1);
    mirror.add(
        Package::new("base-passwd", "1")
            .field("Essential: yes")
            .script(
                "preinst",
                "#!/bin/sh\nset -e\nif [ \"$1\" = install ]; then\ncat > /etc/passwd <<EOF\n\
                 root:*:0:0:root:/root:/bin/sh\nEOF\ncat > /etc/group <<EOF\nroot:*:0:\nadm:*:4:\n\
                 shadow:*:42:\nEOF\nfi\n",
            )
            .entry(Entry::dir("usr/share/doc")),
    );
    mirror.add(
        Package::new("base-files", "1")
            .field("Essential: yes")
            .entry(Entry::dir("etc").mode(0o755))
            .entry(Entry::dir("root").mode(0o700))
            .entry(Entry::dir("tmp").mode(0o1777))
            .entry(Entry::file("etc/issue", "Test\n").conffile()),
    );
    mirror.add(
        Package::new("libx1", "1.2-3")
            .field("Multi-Arch: same")
            .entry(Entry::file("lib/libx.txt", "lib").time(1_700_000_100)),
    );
    mirror.add(
        Package::new("server", "2:1.0-1")
            .field("Depends: libx1 (>= 1.2), adduser | nothing")
            .field("Description: a server\n of nothing")
            .script(
                "postinst",
                "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n  adduser --system --group \
                 --no-create-home --home /var/lib/server server\n  install -d -o server -g adm -m \
                 750 /var/log/server\n  systemctl enable server\n  strange --option\nfi\n",
            )
            .entry(Entry::file("usr/sbin/server", "#!/bin/true\n").mode(0o4755))
            .entry(Entry::hard_link("usr/sbin/other", "usr/sbin/server"))
            .entry(Entry::link("usr/sbin/alias", "server")),
    );
    mirror.add(Package::new("adduser", "3").entry(Entry::file("usr/bin/strange", "").mode(0o755)));
    mirror
}

const RECIPE: &str = r#"
[image]
entrypoint = ["/usr/sbin/server"]
expose = ["80/tcp"]

[[layers]]
name = "base"
essential = true

[[layers]]
name = "application"
packages = ["server"]

[[files]]
path = "/srv/page"
text = "hello"
owner = "server:adm"
mode = "0640"
"#;

fn build(mirror: &Mirror, recipe: &str) -> Result<(Lock, plimsoll_build::Composed), Error> {
    let recipe = Recipe::parse(recipe)?;
    let fetch = Canned(mirror.served());
    let repositories = [mirror.repository()];
    let resolution = resolve(&recipe, &repositories, &fetch, NOW, &quiet)?;
    assert_eq!(resolution.notes, [""; 0]);
    // What is written is what is used.
    let lock = Lock::parse(&resolution.lock.to_toml()).unwrap();
    let spool = Arc::new(MemoryContents::default());
    let composed = compose(&recipe, &lock, &fetch, spool, &quiet)?;
    Ok((lock, composed))
}

fn text(rootfs: &Rootfs, path: &str) -> String {
    String::from_utf8(rootfs.read(&path.into(), 1 << 20).unwrap()).unwrap()
}

/// A tree as lines: what a rebuild must repeat.
fn lines(rootfs: &Rootfs) -> Vec<String> {
    let line = |(path, node): (&plimsoll_model::ImagePath, &plimsoll_model::Node)| {
        let body = if node.is_file() {
            rootfs.read(path, 1 << 20).unwrap()
        } else {
            Vec::new()
        };
        let kind = match &node.kind {
            plimsoll_model::Kind::File { size, .. } => format!("file {size}"),
            other => format!("{other:?}"),
        };
        format!("{path} {kind} {:?} {body:?}", node.meta)
    };
    rootfs.tree.iter().map(line).collect()
}

#[test]
fn a_recipe_becomes_an_image() {
    let (lock, composed) = build(&mirror(), RECIPE).unwrap();
    let names: Vec<(&str, &str)> = lock
        .archives
        .iter()
        .map(|a| (a.layer.as_str(), a.name.as_str()))
        .collect();
    let expected = [
        ("base", "base-files"),
        ("base", "base-passwd"),
        ("application", "adduser"),
        ("application", "libx1"),
        ("application", "server"),
    ];
    assert_eq!(names, expected);
    assert_eq!(lock.releases[0].signed_by.len(), 1);
    let [base, application] = &composed.draft.layers[..] else {
        panic!("two layers");
    };
    // Merged /usr: the library went through the link, which is there from the start.
    assert!(base.rootfs.tree.contains("/lib"));
    assert!(application.rootfs.tree.contains("/usr/lib/libx.txt"));
    assert!(!base.rootfs.tree.contains("/usr/sbin/server"));
    assert_eq!(base.rootfs.tree.get("/tmp").unwrap().meta.mode, 0o1777);
    let tree = &application.rootfs.tree;
    let server = tree.get("/usr/sbin/server").unwrap();
    assert_eq!(server.meta.mode, 0o4755);
    assert_eq!(tree.get("/usr/sbin/other").unwrap().inode, server.inode);
    // What the script would have done.
    let log = tree.get("/var/log/server").unwrap();
    assert_eq!((log.meta.mode, log.meta.uid, log.meta.gid), (0o750, 100, 4));
    let passwd = text(&application.rootfs, "/etc/passwd");
    assert!(
        passwd.ends_with("server:!:100:100::/var/lib/server:/usr/sbin/nologin\n"),
        "{passwd}"
    );
    assert!(!text(&base.rootfs, "/etc/passwd").contains("server"));
    let said: Vec<String> = composed
        .unemulated
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        ["server postinst line 7: `strange --option` is not emulated"]
    );
    // The recipe's own file.
    let page = tree.get("/srv/page").unwrap();
    assert_eq!(
        (page.meta.mode, page.meta.uid, page.meta.gid),
        (0o640, 100, 4)
    );
    // The newest file of the packages is the date of all that we make.
    assert_eq!(page.meta.mtime, 1_700_000_100);
    assert_eq!(
        composed.draft.config.created.as_deref(),
        Some("2023-11-14T22:15:00Z")
    );
    assert_eq!(composed.draft.config.tcp_ports(), [80]);
}

#[test]
fn the_database_is_what_dpkg_would_have_written() {
    let (_, composed) = build(&mirror(), RECIPE).unwrap();
    let [base, application] = &composed.draft.layers[..] else {
        panic!("two layers");
    };
    let status = text(&application.rootfs, "/var/lib/dpkg/status");
    let stanza = "Package: server\nStatus: install ok installed\nArchitecture: amd64\n\
                  Version: 2:1.0-1\nDepends: libx1 (>= 1.2), adduser | nothing\n\
                  Description: a server\n of nothing\n";
    assert!(status.contains(stanza), "{status}");
    let base_status = text(&base.rootfs, "/var/lib/dpkg/status");
    let conffiles = "Conffiles:\n /etc/issue 2205e48de5f93c784733ffcca841d2b5\n";
    assert!(base_status.contains(conffiles), "{base_status}");
    assert!(!base_status.contains("Package: server"));
    assert_eq!(
        text(&application.rootfs, "/var/lib/dpkg/info/libx1:amd64.list"),
        "/.\n/lib\n/lib/libx.txt\n"
    );
    assert_eq!(
        text(&base.rootfs, "/var/lib/dpkg/info/base-files.conffiles"),
        "/etc/issue\n"
    );
    let script = application
        .rootfs
        .tree
        .get("/var/lib/dpkg/info/server.postinst")
        .unwrap();
    assert_eq!(script.meta.mode, 0o755);
    assert_eq!(text(&base.rootfs, "/var/lib/dpkg/info/format"), "1\n");
}

#[test]
fn the_same_lock_gives_the_same_image() {
    let (lock, first) = build(&mirror(), RECIPE).unwrap();
    let (again, second) = build(&mirror(), RECIPE).unwrap();
    assert_eq!(lock.archives, again.archives);
    for (first, second) in first.draft.layers.iter().zip(&second.draft.layers) {
        assert_eq!(lines(&first.rootfs), lines(&second.rootfs));
    }
    assert_eq!(first.draft.config, second.draft.config);
}

#[test]
fn a_lock_needs_no_index() {
    let mirror = mirror();
    let (lock, _) = build(&mirror, RECIPE).unwrap();
    let mut served = mirror.served();
    served.retain(|url, _| url.ends_with(".deb"));
    let recipe = Recipe::parse(RECIPE).unwrap();
    let spool = Arc::new(MemoryContents::default());
    compose(&recipe, &lock, &Canned(served), spool.clone(), &quiet).unwrap();
    let other =
        Recipe::parse(&RECIPE.replace("\"server\"]\n\n[[files", "\"libx1\"]\n\n[[files")).unwrap();
    let result = compose(&other, &lock, &Canned(BTreeMap::new()), spool, &quiet);
    assert!(matches!(result.err(), Some(Error::StaleLock)));
}

#[test]
fn nothing_is_made_of_what_is_not_signed_by_whom_it_should() {
    let mirror = mirror();
    let recipe = Recipe::parse(RECIPE).unwrap();
    let served = mirror.served();
    let attempt = |served: BTreeMap<String, Vec<u8>>, repository: Repository| {
        resolve(&recipe, &[repository], &Canned(served), NOW, &quiet).err()
    };
    let inline = mirror.url("dists/stable/InRelease");
    // Another key than the repository's.
    let stranger = Repository {
        keyrings: vec![Mirror::new(2).public_key()],
        ..mirror.repository()
    };
    assert!(matches!(
        attempt(served.clone(), stranger),
        Some(Error::Untrusted { .. })
    ));
    // No key at all.
    let nobody = Repository {
        keyrings: Vec::new(),
        ..mirror.repository()
    };
    assert!(matches!(
        attempt(served.clone(), nobody),
        Some(Error::Untrusted { .. })
    ));
    // Text changed after it was signed.
    let mut tampered = served.clone();
    let text = String::from_utf8(tampered[&inline].clone()).unwrap();
    tampered.insert(
        inline.clone(),
        text.replace("Origin: Test", "Origin: Best").into_bytes(),
    );
    assert!(matches!(
        attempt(tampered, mirror.repository()),
        Some(Error::Untrusted { .. })
    ));
    // Not signed at all.
    let mut bare = served.clone();
    bare.remove(&inline);
    bare.insert(
        mirror.url("dists/stable/Release"),
        mirror.release_text().into_bytes(),
    );
    let error = attempt(bare.clone(), mirror.repository()).unwrap();
    assert!(error.to_string().contains("not signed"), "{error}");
    // ... unless the user says so.
    let trusted = Repository {
        trusted: true,
        keyrings: Vec::new(),
        ..mirror.repository()
    };
    assert!(attempt(bare, trusted).is_none());
    // A good signature on another suite.
    let other = Repository {
        suite: "testing".into(),
        ..mirror.repository()
    };
    let mut moved = served.clone();
    moved.insert(
        mirror.url("dists/testing/InRelease"),
        served[&inline].clone(),
    );
    let error = attempt(moved, other).unwrap();
    assert!(error.to_string().contains("not of `testing`"), "{error}");
    // An index that is not the one that was signed.
    let mut swapped = served.clone();
    let index = mirror.url("dists/stable/main/binary-amd64/Packages");
    swapped.insert(index, b"Package: evil\n".to_vec());
    assert!(matches!(
        attempt(swapped, mirror.repository()),
        Some(Error::Fetch(_))
    ));
}

#[test]
fn an_archive_must_be_the_one_that_was_promised() {
    let mirror = mirror();
    let recipe = Recipe::parse(RECIPE).unwrap();
    let fetch = Canned(mirror.served());
    let lock = resolve(&recipe, &[mirror.repository()], &fetch, NOW, &quiet)
        .unwrap()
        .lock;
    let mut served = mirror.served();
    let url = lock.url(lock.archives.iter().find(|a| a.name == "server").unwrap());
    served.insert(url, b"!<arch>\n".to_vec());
    let spool = Arc::new(MemoryContents::default());
    let error = compose(&recipe, &lock, &Canned(served), spool, &quiet)
        .err()
        .unwrap();
    assert!(
        matches!(&error, Error::Fetch(error) if matches!(error.kind, FetchErrorKind::Digest { .. }))
    );
}

#[test]
fn what_no_package_may_hold_is_an_error() {
    for (package, words) in [
        (
            Package::new("evil", "1").entry(Entry::file("../../etc/passwd", "x")),
            "climbs",
        ),
        (
            Package::new("evil", "1").entry(Entry::hard_link("a", "../b")),
            "climbs",
        ),
        (
            Package::new("evil", "1").entry(Entry::hard_link("a", "none")),
            "no file to link to",
        ),
        (
            Package::new("evil", "1").entry(Entry::file("etc/issue", "mine")),
            "neither replaces",
        ),
        (
            Package::new("evil", "1")
                .entry(Entry::link("loop", "loop"))
                .entry(Entry::file("loop/x", "x")),
            "way",
        ),
    ] {
        let mut mirror = mirror();
        mirror.add(package);
        let recipe = RECIPE.replace("[\"server\"]", "[\"server\", \"evil\"]");
        let error = build(&mirror, &recipe)
            .err()
            .unwrap_or_else(|| panic!("{words}"));
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[test]
fn a_link_out_of_the_root_leads_nowhere_outside() {
    let mut mirror = mirror();
    mirror.add(
        Package::new("sly", "1")
            .entry(Entry::link("opt", "../../../../outside"))
            .entry(Entry::file("opt/x", "in")),
    );
    let recipe = RECIPE.replace("[\"server\"]", "[\"server\", \"sly\"]");
    let (_, composed) = build(&mirror, &recipe).unwrap();
    assert!(composed.draft.layers[1].rootfs.tree.contains("/outside/x"));
}

#[test]
fn replaced_files_are_those_of_the_package_that_replaces() {
    for replaces in ["a-first", "z-last"] {
        let mut mirror = mirror();
        for name in ["a-first", "z-last"] {
            let mut package = Package::new(name, "1").entry(Entry::file("usr/share/both", name));
            if name != replaces {
                package = package.field(&format!("Replaces: {replaces} (<< 2)"));
            }
            mirror.add(package);
        }
        let recipe = RECIPE.replace("[\"server\"]", "[\"server\", \"a-first\", \"z-last\"]");
        let (_, composed) = build(&mirror, &recipe).unwrap();
        let winner = if replaces == "a-first" {
            "z-last"
        } else {
            "a-first"
        };
        assert_eq!(
            text(&composed.draft.layers[1].rootfs, "/usr/share/both"),
            winner
        );
    }
}

#[test]
fn an_unsolvable_recipe_names_the_packages() {
    let mut mirror = mirror();
    mirror.add(Package::new("rival", "1").field("Conflicts: server"));
    let recipe = RECIPE.replace("[\"server\"]", "[\"server\", \"rival\"]");
    let error = build(&mirror, &recipe).err().unwrap().to_string();
    for word in ["application", "server", "rival", "conflicts with"] {
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[test]
fn what_is_recommended_comes_along_if_asked_for_and_if_it_can() {
    let mut mirror = mirror();
    mirror.add(Package::new("app", "1").field("Recommends: extra, gone"));
    mirror.add(Package::new("extra", "1").field("Recommends: more"));
    mirror.add(Package::new("more", "1"));
    let recipe = "[[layers]]\nname = \"a\"\npackages = [\"app\"]\nrecommends = true\n";
    let recipe = Recipe::parse(recipe).unwrap();
    let fetch = Canned(mirror.served());
    let found = resolve(&recipe, &[mirror.repository()], &fetch, NOW, &quiet).unwrap();
    let names: Vec<&str> = found
        .lock
        .archives
        .iter()
        .map(|a| a.name.as_str())
        .collect();
    assert_eq!(names, ["app", "extra", "more"]);
    assert_eq!(found.notes, ["app recommends gone, which cannot be had"]);
}

#[test]
fn every_file_is_a_row_and_every_row_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulations");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            path.file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .replace('_', "-")
        })
        .filter(|name| name != "tests")
        .collect();
    files.sort();
    let ids: Vec<&str> = EMULATIONS.iter().map(|row| row.id).collect();
    assert_eq!(ids, files);
    let mut commands: Vec<&str> = Vec::new();
    for row in EMULATIONS {
        assert!(row.commands.is_sorted(), "{}", row.id);
        assert!(row.page.trim().len() > 100, "{} has no page", row.id);
        // A row says what it stands for.
        for command in row.commands.iter().filter(|_| row.commands.len() < 3) {
            assert!(
                row.page.contains(command),
                "{} does not name {command}",
                row.id
            );
        }
        commands.extend(row.commands);
    }
    let count = commands.len();
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands.len(), count, "a command has two rows");
}

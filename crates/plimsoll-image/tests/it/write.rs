//! Writing: reproducible, complete, or not at all.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use plimsoll_image::{
    Compression, Error, FileSpool, Sink, WriteOptions, Written, may_write, open, validate, write,
};
use plimsoll_model::config::History;
use plimsoll_model::fixture::Fixture;
use plimsoll_model::{
    Config, Contents, Draft, DraftLayer, Extent, Kind, Metadata, Node, Rootfs, Spool,
};

use crate::make::{listing, opened, tree};

const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

fn draft(layers: &[&str]) -> Draft {
    let config = Config {
        architecture: "amd64".into(),
        os: "linux".into(),
        created: Some("2026-01-01T00:00:00Z".into()),
        entrypoint: vec!["/app".into()],
        history: vec![History {
            created_by: Some("ENTRYPOINT [\"/app\"]".into()),
            empty_layer: true,
            ..History::default()
        }],
        ..Config::default()
    };
    let layers = layers.iter().enumerate().map(|(number, text)| DraftLayer {
        rootfs: Fixture::bare(text).rootfs,
        created_by: format!("step {number}"),
    });
    Draft {
        config,
        layers: layers.collect(),
        annotations: BTreeMap::from([("b".into(), "2".into()), ("a".into(), "1".into())]),
    }
}

const TWO: [&str; 2] = [
    "/app 04755 \"hello\" 7:8\n/bin/a = /app\n/bin/b -> a\n/dev/x char 1 3\n/tmp/ dir 01777",
    "/etc/ dir 0700\n/etc/passwd 0644 \"root\"",
];

fn sinks(dir: &Path) -> [Sink; 4] {
    let tag = Some("app:1".to_owned());
    [
        Sink::OciLayout {
            dir: dir.join("layout"),
            tag: tag.clone(),
        },
        Sink::OciArchive {
            file: dir.join("oci.tar"),
            tag: tag.clone(),
        },
        Sink::DockerArchive {
            file: dir.join("docker.tar"),
            tag,
        },
        Sink::Dir(dir.join("single")),
    ]
}

fn written(draft: &Draft, sink: &Sink, compression: Compression, threads: usize) -> Written {
    let options = WriteOptions {
        compression,
        threads: NonZeroUsize::new(threads),
        ..WriteOptions::default()
    };
    write(draft, sink, &options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_was_written_is_valid_and_reads_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let draft = draft(&TWO);
    for compression in COMPRESSIONS {
        for sink in sinks(dir.path()) {
            let written = written(&draft, &sink, compression, 2);
            assert_eq!(validate(&sink, None).unwrap(), [], "{sink}");
            let opened = opened(&sink.to_string());
            assert_eq!(opened.problems, []);
            assert_eq!(opened.image.digest, written.digest);
            assert_eq!(opened.image.annotations, draft.annotations);
            assert_eq!(opened.image.config.entrypoint, ["/app"]);
            for (layer, written) in opened.image.layers.iter().zip(&written.layers) {
                assert_eq!(layer.diff_id, written.diff_id);
                assert_eq!(layer.blob.descriptor.digest, written.digest);
                assert_eq!(layer.blob.descriptor.size, written.size);
                assert_eq!(layer.uncompressed_size, written.uncompressed);
            }
            let steps = opened.image.config.history.iter();
            let steps: Vec<_> = steps
                .map(|step| step.created_by.as_deref().unwrap())
                .collect();
            assert_eq!(steps, ["step 0", "step 1", "ENTRYPOINT [\"/app\"]"]);
            let expected = [
                "/app hello",
                "/bin/",
                "/bin/a hello",
                "/bin/b -> a",
                "/dev/",
                "/dev/x device 1 3",
                "/etc/",
                "/etc/passwd root",
                "/tmp/",
            ];
            assert_eq!(tree(&opened), expected);
            for (path, node) in draft.layers[0].rootfs.tree.iter() {
                assert_eq!(
                    opened.rootfs.tree.get(path).unwrap().meta,
                    node.meta,
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn the_same_draft_gives_the_same_bytes_whatever_the_number_of_threads() {
    let spool = FileSpool::new().unwrap();
    let mut draft = draft(&TWO);
    // More than one block for every compressor.
    let body: Vec<u8> = (0..9_000_000_u32)
        .map(|n| (n.wrapping_mul(n) >> 13) as u8)
        .collect();
    let (at, size) = spool.store(&mut &*body).unwrap();
    let mut rootfs = Rootfs::empty();
    rootfs.contents = Arc::new(spool);
    let node = Node {
        kind: Kind::File { size, at },
        meta: Metadata::with_mode(0o644),
        layer: 0,
        inode: 0,
    };
    rootfs.tree.insert("/big".into(), node);
    draft.layers.push(DraftLayer {
        rootfs,
        created_by: "big".into(),
    });
    for compression in COMPRESSIONS {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for (one, other) in sinks(dirs[0].path()).iter().zip(&sinks(dirs[1].path())) {
            let first = written(&draft, one, compression, 1);
            let second = written(&draft, other, compression, 7);
            assert_eq!(first.digest, second.digest);
            assert_eq!(first.layers, second.layers);
        }
        let names = listing(dirs[0].path());
        assert_eq!(names, listing(dirs[1].path()));
        for name in names {
            let [one, other] = [0, 1].map(|number: usize| dirs[number].path().join(&name));
            if one.is_file() {
                assert!(
                    std::fs::read(one).unwrap() == std::fs::read(other).unwrap(),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_layout_is_added_to_and_a_tag_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let sink = |tag: Option<&str>| Sink::OciLayout {
        dir: dir.path().join("l"),
        tag: tag.map(str::to_owned),
    };
    let one = written(&draft(&TWO[..1]), &sink(Some("one")), Compression::Gzip, 1);
    let two = written(&draft(&TWO), &sink(Some("two")), Compression::Gzip, 1);
    let new = written(&draft(&TWO[1..]), &sink(Some("one")), Compression::Gzip, 1);
    assert_ne!(one.digest, new.digest);
    for (tag, expected) in [("one", &new), ("two", &two)] {
        let name = sink(Some(tag)).to_string();
        assert_eq!(opened(&name).image.digest, expected.digest);
        assert_eq!(validate(&sink(Some(tag)), None).unwrap(), []);
    }
    let index = std::fs::read_to_string(dir.path().join("l/index.json")).unwrap();
    assert_eq!(index.matches("\"digest\"").count(), 2, "{index}");
}

#[test]
fn in_a_directory_of_single_blobs_an_image_takes_the_place_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let sink = Sink::Dir(dir.path().join("single"));
    let first = written(&draft(&TWO), &sink, Compression::Gzip, 1);
    let inside = dir.path().join("single");
    // Somebody's own file, and a signature of the image before.
    std::fs::write(inside.join("notes"), "x").unwrap();
    std::fs::write(inside.join("signature-1"), "x").unwrap();
    let second = written(&draft(&TWO[1..]), &sink, Compression::Zstd, 1);
    assert_ne!(first.digest, second.digest);
    assert_eq!(validate(&sink, None).unwrap(), []);
    assert_eq!(opened(&sink.to_string()).image.digest, second.digest);
    let mut expected = vec![
        second.config_digest.hex(),
        second.layers[0].digest.hex(),
        "manifest.json".to_owned(),
        "notes".to_owned(),
        "version".to_owned(),
    ];
    expected.sort();
    assert_eq!(listing(&inside), expected);
    let version = std::fs::read_to_string(inside.join("version")).unwrap();
    assert_eq!(version, "Directory Transport Version: 1.1\n");
    for (name, text) in [("version", "other\n"), ("manifest.json", "{}")] {
        let path = inside.join(name);
        let before = std::fs::read(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        assert_ne!(validate(&sink, None).unwrap(), [], "{name}");
        std::fs::write(&path, before).unwrap();
    }
    std::fs::remove_file(inside.join(second.config_digest.hex())).unwrap();
    assert_ne!(validate(&sink, None).unwrap(), []);
}

#[test]
fn a_directory_that_only_looks_like_one_of_single_blobs_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("ext");
    std::fs::create_dir(&inside).unwrap();
    let theirs = "a".repeat(64);
    let put = |name: &str, text: &str| std::fs::write(inside.join(name), text).unwrap();
    let sink = Sink::Dir(inside.clone());
    let mark = "Directory Transport Version: 1.1\n";
    // A web extension; then one whose author has read how such directories are marked.
    let digest = format!("sha256:{theirs}");
    let image = format!(r#"{{"config":{{"digest":"{digest}"}}}}"#);
    for (version, manifest) in [
        ("1.2.3", r#"{"name":"my ext"}"#),
        ("1.2.3", image.as_str()),
        (mark, r#"{"name":"my ext"}"#),
        (mark, r#"{"manifests":[{"digest":"none"}]}"#),
        (mark, r#"[{"Config":"x","Layers":[]}]"#),
        (mark, "no JSON"),
    ] {
        put("version", version);
        put("manifest.json", manifest);
        put(&theirs, "precious");
        for refused in [
            may_write(&sink, &WriteOptions::default()),
            write(&draft(&TWO), &sink, &WriteOptions::default()).map(drop),
        ] {
            assert!(matches!(refused, Err(Error::Target { .. })), "{manifest}");
        }
        let read = |name: &str| std::fs::read_to_string(inside.join(name)).unwrap();
        assert_eq!(read("version"), version);
        assert_eq!(read("manifest.json"), manifest);
        assert_eq!(read(&theirs), "precious");
        assert_eq!(listing(&inside).len(), 3);
    }
    // In one that is, what no manifest names is somebody else's.
    for name in ["version", "manifest.json"] {
        std::fs::remove_file(inside.join(name)).unwrap();
    }
    std::fs::remove_file(inside.join(&theirs)).unwrap();
    let before = written(&draft(&TWO), &sink, Compression::Gzip, 1);
    put(&theirs, "precious");
    written(&draft(&TWO[1..]), &sink, Compression::Gzip, 1);
    let left = listing(&inside);
    assert!(left.contains(&theirs), "{left:?}");
    assert!(!left.contains(&before.config_digest.hex()), "{left:?}");
}

#[test]
fn writers_of_one_layout_at_the_same_time_do_not_lose_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let sink = |number: usize| Sink::OciLayout {
        dir: dir.path().to_owned(),
        tag: Some(format!("t{number}")),
    };
    std::thread::scope(|scope| {
        for number in 0..8 {
            let sink = sink(number);
            scope.spawn(move || written(&draft(&TWO), &sink, Compression::Gzip, 1));
        }
    });
    for number in 0..8 {
        assert_eq!(validate(&sink(number), None).unwrap(), []);
    }
}

#[test]
fn others_may_read_what_was_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    for sink in sinks(dir.path()) {
        written(&draft(&TWO), &sink, Compression::Gzip, 1);
    }
    for name in listing(dir.path()) {
        let path = dir.path().join(&name);
        let mode = path.metadata().unwrap().permissions().mode();
        // The user's own mask may take group and others away, but never the owner.
        let fresh = dir.path().join("fresh");
        std::fs::write(&fresh, "").unwrap();
        let usual = fresh.metadata().unwrap().permissions().mode();
        if path.is_file() {
            assert_eq!(mode, usual, "{name}");
        }
    }
}

/// Contents that fail after some files.
struct Failing;

impl Contents for Failing {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        match at.offset {
            0 => Ok(Box::new(io::repeat(7).take(size))),
            _ => Err(io::Error::other("the disk is gone")),
        }
    }
}

#[test]
fn a_write_that_fails_leaves_nothing_and_takes_nothing_away() {
    let mut bad = draft(&[TWO[0], "/a 0644 5000k"]);
    let at = Extent {
        layer: 0,
        offset: 1,
    };
    let node = Node {
        kind: Kind::File { size: 5, at },
        meta: Metadata::with_mode(0o644),
        layer: 0,
        inode: 0,
    };
    bad.layers[1].rootfs.tree.insert("/z".into(), node);
    bad.layers[1].rootfs.contents = Arc::new(Failing);
    let dir = tempfile::tempdir().unwrap();
    for sink in sinks(dir.path()) {
        let error = write(&bad, &sink, &WriteOptions::default()).unwrap_err();
        assert!(error.to_string().contains("the disk is gone"), "{error}");
        assert_eq!(listing(dir.path()), [""; 0], "{sink}");
    }
    // What was there before stays, byte for byte.
    for sink in sinks(dir.path()) {
        written(&draft(&TWO), &sink, Compression::Gzip, 1);
    }
    let before = listing(dir.path());
    for sink in sinks(dir.path()) {
        write(&bad, &sink, &WriteOptions::default()).unwrap_err();
        assert_eq!(validate(&sink, None).unwrap(), []);
    }
    assert_eq!(listing(dir.path()), before);
}

#[test]
fn a_place_is_tried_without_making_anything() {
    let dir = tempfile::tempdir().unwrap();
    let may = |path: &str| {
        let dir = dir.path().join(path);
        may_write(
            &Sink::OciLayout { dir, tag: None },
            &WriteOptions::default(),
        )
    };
    may("a/b/layout").unwrap();
    assert_eq!(listing(dir.path()), [""; 0]);
    // Nor is anything taken away that another process has just begun.
    let begun = dir.path().join("layout/blobs/sha256");
    std::fs::create_dir_all(&begun).unwrap();
    may("layout").unwrap();
    assert!(begun.is_dir());
    std::fs::write(dir.path().join("file"), "x").unwrap();
    for path in ["file", "file/below", "/proc/none/layout"] {
        assert!(may(path).is_err(), "{path}");
    }
}

#[test]
fn places_that_are_something_else_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("precious"), "x").unwrap();
    let here = dir.path().to_owned();
    let corrupt = tempfile::tempdir().unwrap();
    std::fs::write(corrupt.path().join("index.json"), "not json").unwrap();
    for sink in [
        Sink::OciLayout {
            dir: here.clone(),
            tag: None,
        },
        Sink::OciLayout {
            dir: here.join("precious"),
            tag: None,
        },
        Sink::OciArchive {
            file: here.clone(),
            tag: None,
        },
        Sink::DockerArchive {
            file: "/dev/null".into(),
            tag: None,
        },
        Sink::DockerArchive {
            file: here.join("precious"),
            tag: None,
        },
        Sink::OciArchive {
            file: here.join("no/such/directory.tar"),
            tag: None,
        },
        Sink::OciLayout {
            dir: corrupt.path().to_owned(),
            tag: None,
        },
        Sink::Dir(here.clone()),
        Sink::Dir(here.join("precious")),
        Sink::Dir(corrupt.path().to_owned()),
    ] {
        assert!(
            write(&draft(&TWO), &sink, &WriteOptions::default()).is_err(),
            "{sink}"
        );
    }
    assert_eq!(listing(dir.path()), ["precious"]);
    assert_eq!(listing(corrupt.path()), ["index.json"]);
}

#[test]
fn an_image_without_a_name_follows_another_and_never_hides_among_named_ones() {
    let dir = tempfile::tempdir().unwrap();
    let sink = |tag: Option<&str>| Sink::OciLayout {
        dir: dir.path().join("layout"),
        tag: tag.map(str::to_owned),
    };
    written(&draft(&TWO), &sink(None), Compression::Gzip, 1);
    // Other bytes, hence another digest: the layout can still be read without a name.
    let second = written(&draft(&TWO), &sink(None), Compression::None, 1);
    assert_eq!(validate(&sink(None), None).unwrap(), []);
    written(&draft(&TWO), &sink(Some("one")), Compression::None, 1);
    let before = listing(dir.path());
    let options = WriteOptions::default();
    let error = write(&draft(&TWO), &sink(None), &options).unwrap_err();
    assert!(error.to_string().contains("`one`"), "{error}");
    assert_eq!(listing(dir.path()), before);
    assert_eq!(second.tag, None);
}

#[test]
fn a_draft_that_is_no_image_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut nowhere = draft(&TWO);
    nowhere.config.architecture.clear();
    let mut deletion = draft(&TWO);
    let node = Node {
        kind: Kind::Dir,
        meta: Metadata::with_mode(0o755),
        layer: 0,
        inode: 0,
    };
    deletion.layers[0]
        .rootfs
        .tree
        .insert("/.wh.bin".into(), node);
    for draft in [nowhere, deletion] {
        for sink in sinks(dir.path()) {
            let error = write(&draft, &sink, &WriteOptions::default()).unwrap_err();
            assert!(matches!(error, Error::Draft(_)), "{error}");
        }
    }
    assert_eq!(listing(dir.path()), [""; 0]);
}

#[test]
fn equal_layers_are_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    for sink in sinks(dir.path()) {
        let written = written(&draft(&[TWO[1], TWO[1]]), &sink, Compression::Gzip, 1);
        assert_eq!(written.layers[0], written.layers[1]);
        assert_eq!(validate(&sink, None).unwrap(), [], "{sink}");
    }
}

#[test]
fn tampering_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let [sink, ..] = sinks(dir.path());
    let layout = dir.path().join("layout");
    let blobs = layout.join("blobs/sha256");
    let fresh = || {
        if layout.exists() {
            std::fs::remove_dir_all(&layout).unwrap();
        }
        written(&draft(&TWO), &sink, Compression::Gzip, 1)
    };
    let first = fresh();
    let names = [first.digest, first.config_digest, first.layers[1].digest];
    for name in names.map(|digest| digest.hex()) {
        for change in [0, 1, 2] {
            fresh();
            let path = blobs.join(&name);
            let mut bytes = std::fs::read(&path).unwrap();
            match change {
                0 => bytes.truncate(bytes.len() - 1),
                1 => bytes[20] ^= 1,
                _ => bytes.push(b' '),
            }
            std::fs::write(&path, bytes).unwrap();
            assert_ne!(validate(&sink, None).unwrap(), [], "{name} {change}");
        }
        fresh();
        std::fs::remove_file(blobs.join(&name)).unwrap();
        assert_ne!(validate(&sink, None).unwrap(), [], "{name} removed");
    }
    fresh();
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"2"}"#).unwrap();
    assert_ne!(validate(&sink, None).unwrap(), []);
    fresh();
    let other = Sink::OciLayout {
        dir: layout.clone(),
        tag: Some("other".into()),
    };
    assert_ne!(validate(&other, None).unwrap(), []);
}

#[test]
fn a_wrong_media_type_is_found() {
    let mut layout = crate::make::Layout::new();
    let plain = crate::make::Tar::default().file("a", "x").done();
    let stored = crate::make::gzip(&plain);
    // The layer is called a plain tar there.
    let entry = layout.image(&crate::make::config(&[&plain]), &[stored]);
    layout.list(entry, Some("x"));
    let sink = Sink::parse(&format!("{}:x", layout.done())).unwrap();
    let violations = validate(&sink, None).unwrap();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].why.contains("media type"), "{violations:?}");
}

#[test]
fn unknown_fields_of_the_configuration_survive() {
    let dir = tempfile::tempdir().unwrap();
    let [sink, ..] = sinks(dir.path());
    let mut draft = draft(&TWO);
    draft.config.raw = br#"{"architecture":"amd64","os":"linux","vendor":{"x":[1]},
        "config":{"OnBuild":["RUN x"],"Cmd":["old"]},"rootfs":{"type":"layers","diff_ids":[]}}"#
        .to_vec();
    draft.config.cmd = vec!["old".into()];
    written(&draft, &sink, Compression::Gzip, 1);
    let raw = opened(&sink.to_string()).image.config.raw;
    let value: serde_json::Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(value["vendor"]["x"][0], 1);
    assert_eq!(value["config"]["OnBuild"][0], "RUN x");
    assert_eq!(value["config"]["Cmd"][0], "old");
    assert_eq!(value["config"]["Entrypoint"][0], "/app");
}

#[test]
fn progress_counts_the_bytes_of_files() {
    let dir = tempfile::tempdir().unwrap();
    let [sink, ..] = sinks(dir.path());
    let draft = draft(&TWO);
    let seen = std::sync::Mutex::new(Vec::new());
    let tell = |done, total| seen.lock().unwrap().push((done, total));
    let options = WriteOptions {
        progress: Some(&tell),
        ..WriteOptions::default()
    };
    write(&draft, &sink, &options).unwrap();
    assert_eq!(seen.into_inner().unwrap().last(), Some(&(9, 9)));
}

#[test]
fn an_opened_image_is_written_again_without_a_spool() {
    let dir = tempfile::tempdir().unwrap();
    let [layout, archive, docker, _] = sinks(dir.path());
    written(&draft(&TWO), &layout, Compression::Zstd, 2);
    let image = opened(&layout.to_string());
    let copy = Draft {
        config: image.image.config.clone(),
        layers: vec![DraftLayer {
            rootfs: image.rootfs.clone(),
            created_by: "copy".into(),
        }],
        annotations: BTreeMap::new(),
    };
    let first = written(&copy, &archive, Compression::Gzip, 2);
    let second = written(&copy, &docker, Compression::Gzip, 1);
    assert_eq!(first.digest, second.digest);
    assert_eq!(tree(&opened(&archive.to_string())), tree(&image));
    assert!(open(&docker.to_string(), &Default::default()).is_ok());
}

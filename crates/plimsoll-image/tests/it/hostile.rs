//! What strangers put into images: nothing escapes, nothing crashes, nothing is silent.

use plimsoll_image::{Error, Limits, Options, open, open_within};
use serde_json::json;

use crate::make::{
    Layout, Stored, Tar, config, gzip, opened, problems, refused, refused_within, tree, zstd,
};

fn layer(tar: Tar) -> Stored {
    Stored::new(&tar.done())
}

#[test]
fn names_that_climb_are_left_out_and_said() {
    let stored = layer(
        Tar::default()
            .file("../../etc/passwd", "evil")
            .file("a/../../b", "evil")
            .file("/absolute", "fine")
            .hardlink("link", "../../etc/shadow")
            .file("etc/passwd", "good"),
    );
    let opened = opened(&format!("tar:{}", stored.name()));
    let expected = ["/absolute fine", "/etc/", "/etc/passwd good"];
    assert_eq!(tree(&opened), expected);
    let problems = problems(&opened);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(
        problems[0].contains("`../../etc/passwd` climbs"),
        "{problems:?}"
    );
    assert!(problems[2].contains("`../../etc/shadow`"), "{problems:?}");
}

#[test]
fn links_out_of_the_root_stay_inside() {
    let stored = layer(
        Tar::default()
            .symlink("out", "../../../tmp")
            .file("out/poc", "x")
            .symlink("abs", "/../../secret"),
    );
    let opened = opened(&format!("tar:{}", stored.name()));
    let expected = [
        "/abs -> /../../secret",
        "/out -> ../../../tmp",
        "/tmp/",
        "/tmp/poc x",
    ];
    assert_eq!(tree(&opened), expected);
}

#[test]
fn entries_that_mean_nothing_here_are_problems() {
    let long = "x".repeat(300);
    let deep = format!("{}x", "d/".repeat(300));
    let far = format!("{}x", "p/".repeat(3000));
    let stored = layer(
        Tar::default()
            .hardlink("dangling", "nowhere")
            .dir("d")
            .hardlink("to-dir", "d")
            .symlink("empty", "")
            .member(b'S', b"sparse", b"", b"")
            .pax(&[("GNU.sparse.major", "1")])
            .file("sparse-too", "map")
            .member(b'Z', b"unknown", b"", b"body")
            .pax(&[("path", &long)])
            .file("long", "x")
            .pax(&[("path", &deep)])
            .file("deep", "x")
            .pax(&[("path", &far)])
            .file("far", "x")
            .pax(&[("path", "a\0b")])
            .file("zero", "x")
            .symlink("ring-a", "ring-b")
            .symlink("ring-b", "ring-a")
            .file("ring-a/x", "x")
            .file("last", "fine"),
    );
    let opened = opened(&format!("tar:{}", stored.name()));
    let problems = problems(&opened).join("\n");
    for words in [
        "/dangling: left out: hard link to /nowhere",
        "/to-dir: left out: hard link to the directory /d",
        "/empty: left out: a symbolic link without a target",
        "/sparse: left out: a sparse file",
        "/sparse-too: left out: a sparse file",
        "/unknown: left out: an entry of the unknown type Z",
        "its name has more than 255 bytes",
        "more than 256 directories deep",
        "its path has more than 4096 bytes",
        "its name holds a zero byte",
        "/ring-a/x: left out: the way to it is barred",
    ] {
        assert!(problems.contains(words), "{words} not in:\n{problems}");
    }
    assert_eq!(problems.lines().count(), 11, "{problems}");
    assert!(tree(&opened).contains(&"/last fine".to_owned()));
}

#[test]
fn a_flood_of_problems_is_counted() {
    let mut tar = Tar::default();
    for number in 0..1000 {
        tar = tar.file(&format!("../{number}"), "");
    }
    let stored = layer(tar);
    let opened = opened(&format!("tar:{}", stored.name()));
    let problems = problems(&opened);
    assert_eq!(problems.len(), 201);
    assert!(
        problems[200].contains("800 more entries left out"),
        "{}",
        problems[200]
    );
}

#[test]
fn names_that_are_not_text_are_kept() {
    let stored = layer(Tar::default().member(b'0', b"bad\xfdname", b"", b"x"));
    let opened = opened(&format!("tar:{}", stored.name()));
    assert_eq!(tree(&opened), ["/bad\\xfdname x"]);
}

#[test]
fn headers_of_nonsense_are_malformed() {
    let good = Tar::default().file("a", "x").unended();
    let mut broken = good.clone();
    broken[600] = b'x';
    broken.extend(Tar::default().file("b", "y").done());
    broken[1030] ^= 1;
    let huge = Tar::default()
        .pax(&[("size", "9223372036854775807")])
        .file("a", "x")
        .done();
    let text = Tar::default()
        .member(b'x', b"pax", b"", b"99 path=x\n")
        .file("a", "x")
        .done();
    let large = Tar::default()
        .member(b'L', b"long", b"", &vec![b'n'; 2 << 20])
        .done();
    for bytes in [broken, huge, text, large] {
        let stored = Stored::new(&bytes);
        let error = refused(&format!("tar:{}", stored.name()));
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    }
}

/// A limit, and how to hit it.
type Case = (&'static str, fn(&mut Limits));

#[test]
fn every_limit_is_kept_and_named() {
    let plain = Tar::default()
        .file("a", vec![0; 3 << 20])
        .file("b", "x")
        .done();
    let mut layout = Layout::new();
    let entry = layout.image(&config(&[&plain, &plain]), &[gzip(&plain), gzip(&plain)]);
    layout.list(entry, None);
    let name = layout.done();
    assert!(open_within(&name, &Options::default(), &Limits::default()).is_ok());
    let cases: [Case; 7] = [
        ("document", |limits| limits.document = 100),
        ("layers", |limits| limits.layers = 1),
        ("entries", |limits| limits.entries = 3),
        ("names", |limits| limits.names = 3),
        ("layer_floor", |limits| {
            limits.layer_floor = 1 << 20;
            limits.layer_ratio = 1;
        }),
        ("layer_ratio", |limits| {
            limits.layer_floor = 0;
            limits.layer_ratio = 2;
        }),
        ("uncompressed", |limits| limits.uncompressed = 4 << 20),
    ];
    for (limit, set) in cases {
        let mut limits = Limits::default();
        set(&mut limits);
        let error = refused_within(&name, &limits);
        assert!(matches!(error, Error::Limit { .. }), "{error}");
        assert!(
            error.to_string().contains(&format!("`{limit}`")),
            "{limit}: {error}"
        );
    }
}

#[test]
fn a_bomb_is_not_set_off() {
    // 64 MiB of zeros are some hundred kilobytes of gzip, and a few of zstd.
    let zeros = vec![0; 64 << 20];
    let limits = Limits {
        layer_floor: 1 << 20,
        layer_ratio: 20,
        ..Limits::default()
    };
    for stored in [gzip(&zeros), zstd(&zeros)] {
        let mut layout = Layout::new();
        let entry = layout.image(&config(&[&zeros]), std::slice::from_ref(&stored));
        layout.list(entry, None);
        let error = refused_within(&layout.done(), &limits);
        assert!(matches!(error, Error::Limit { .. }), "{error}");
        // Also as an archive that is compressed as a whole.
        let file = Stored::new(&stored);
        let error = refused_within(&file.name(), &limits);
        assert!(matches!(error, Error::Limit { .. }), "{error}");
    }
}

#[test]
fn parents_nobody_wrote_count_against_the_limit() {
    let mut tar = Tar::default();
    for number in 0..50 {
        let deep = format!("{number}/{}x", "d/".repeat(100));
        tar = tar.pax(&[("path", &deep)]).file("x", "");
    }
    let stored = layer(tar);
    let limits = Limits {
        entries: 1000,
        ..Limits::default()
    };
    let error = refused_within(&format!("tar:{}", stored.name()), &limits);
    assert!(error.to_string().contains("`entries`"), "{error}");
}

#[test]
fn a_blob_that_is_a_pipe_or_a_directory_does_not_hang() {
    let mut layout = Layout::new();
    let plain = Tar::default().file("a", "x").done();
    let entry = layout.plain(std::slice::from_ref(&plain));
    layout.list(entry, None);
    let name = layout.done();
    let blob = layout.blob_path(&crate::make::digest(&plain));
    std::fs::remove_file(&blob).unwrap();
    std::fs::create_dir(&blob).unwrap();
    assert!(matches!(refused(&name), Error::Malformed { .. }));
    std::fs::remove_dir(&blob).unwrap();
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &blob, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(matches!(refused(&name), Error::Malformed { .. }));
}

#[test]
fn json_of_nonsense_is_malformed() {
    let deep = "[".repeat(100_000);
    for manifest in [
        json!({ "schemaVersion": 2 }).to_string(),
        json!({ "config": 1, "layers": [] }).to_string(),
        json!({ "config": { "digest": "sha256:xyz" }, "layers": [] }).to_string(),
        json!({ "config": { "digest": "md5:00" }, "layers": [] }).to_string(),
        json!({ "config": { "digest": "../../etc/passwd" }, "layers": [] }).to_string(),
        "\u{0}".to_owned(),
        format!("{{\"layers\":{deep}"),
    ] {
        let mut layout = Layout::new();
        let entry = layout.blob("", manifest.as_bytes());
        layout.list(entry, None);
        let error = refused(&layout.done());
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    }
}

/// Changes of single bytes anywhere in a docker archive: an error or an image, never a crash.
#[test]
fn damaged_archives_do_not_crash_the_reader() {
    let one = Tar::default()
        .dir("d")
        .file("d/a", "one")
        .symlink("d/l", "a")
        .done();
    let tar = Tar::default()
        .file("1/layer.tar", &one)
        .file("c.json", config(&[&one]).to_string())
        .file(
            "manifest.json",
            json!([{ "Config": "c.json", "RepoTags": ["a:b"], "Layers": ["1/layer.tar"] }])
                .to_string(),
        )
        .done();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.tar");
    let name = path.display().to_string();
    let mut opened = 0;
    for (number, at) in (0..tar.len()).step_by(37).enumerate() {
        let mut bytes = tar.clone();
        bytes[at] ^= 1 << (number % 8);
        std::fs::write(&path, &bytes).unwrap();
        opened += u32::from(open(&name, &Options::default()).is_ok());
    }
    // Some bytes are padding, or letters of a name nobody checks.
    assert!(opened > 0);
}

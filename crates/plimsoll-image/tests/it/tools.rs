//! Other people's tools must take what we write. Skipped, saying so, where they are not installed.

use std::path::Path;
use std::process::Command;

use plimsoll_image::{Compression, Ownership, Sink, WriteOptions, unpack, write};
use plimsoll_model::fixture::Fixture;
use plimsoll_model::{Draft, DraftLayer};

use crate::make::{listing, opened, tree};

/// Runs a tool; `false` where it is not installed.
fn run(directory: &Path, words: &[&str]) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "what other tools say can only be learned by starting them"
    )]
    let output = Command::new(words[0])
        .args(&words[1..])
        .current_dir(directory)
        .output();
    match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: {} is not installed", words[0]);
            false
        }
        Err(error) => panic!("{words:?}: {error}"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{words:?}: {said}");
            true
        }
    }
}

fn draft() -> Draft {
    let long = format!("/{}/file", "directory/".repeat(20));
    let text = format!(
        "/app 04755 \"hello\"\n/bin/a = /app\n/bin/link -> ../app\n{long} 0644 \"deep\"\n\
         /etc/ dir 0755\n/etc/passwd 0644 \"root:x:0:0::/:/app\\n\"\n/tmp/ dir 01777"
    );
    let config = Fixture::default().image.config;
    Draft {
        config,
        layers: vec![DraftLayer {
            rootfs: Fixture::bare(&text).rootfs,
            created_by: "plimsoll".into(),
        }],
        annotations: Default::default(),
    }
}

#[test]
fn skopeo_takes_every_form_and_gives_back_the_same_image() {
    let dir = tempfile::tempdir().unwrap();
    let draft = draft();
    for (number, compression) in [Compression::Gzip, Compression::Zstd, Compression::None]
        .into_iter()
        .enumerate()
    {
        for form in ["oci:l", "oci-archive:o", "docker-archive:d", "dir:s"] {
            let name = match form {
                "dir:s" => format!("{form}{number}"),
                _ => format!("{form}{number}:app:1"),
            };
            let (scheme, rest) = name.split_once(':').unwrap();
            let sink = Sink::parse(&format!("{scheme}:{}/{rest}", dir.path().display())).unwrap();
            let options = WriteOptions {
                compression,
                ..WriteOptions::default()
            };
            write(&draft, &sink, &options).unwrap();
            if !run(dir.path(), &["skopeo", "inspect", &name]) {
                return;
            }
            let copy = format!("{scheme}-{number}-copy");
            let to = format!("oci:{copy}:x");
            run(
                dir.path(),
                &["skopeo", "--insecure-policy", "copy", &name, &to],
            );
            let copied = opened(&format!("oci:{}/{copy}:x", dir.path().display()));
            assert_eq!(tree(&copied), tree(&opened(&sink.to_string())), "{name}");
        }
    }
}

#[test]
fn we_take_the_docker_archive_skopeo_writes() {
    let dir = tempfile::tempdir().unwrap();
    let name = format!("oci:{}/l:x", dir.path().display());
    let sink = Sink::parse(&name).unwrap();
    write(&draft(), &sink, &WriteOptions::default()).unwrap();
    let words = [
        "skopeo",
        "--insecure-policy",
        "copy",
        "oci:l:x",
        "docker-archive:d.tar:a/b:c",
    ];
    if run(dir.path(), &words) {
        let copy = opened(&dir.path().join("d.tar").display().to_string());
        assert_eq!(tree(&copy), tree(&opened(&name)));
        assert_eq!(copy.image.name, "docker.io/a/b:c");
    }
}

#[test]
fn umoci_unpacks_the_files_we_unpack() {
    let dir = tempfile::tempdir().unwrap();
    let name = format!("oci:{}/l:x", dir.path().display());
    let sink = Sink::parse(&name).unwrap();
    write(&draft(), &sink, &WriteOptions::default()).unwrap();
    let words = ["umoci", "unpack", "--rootless", "--image", "l:x", "bundle"];
    if run(dir.path(), &words) {
        let ours = dir.path().join("ours");
        unpack(&opened(&name).rootfs, &ours, Ownership::Mine).unwrap();
        let theirs = dir.path().join("bundle/rootfs");
        assert_eq!(listing(&ours), listing(&theirs));
        for name in listing(&ours) {
            let (ours, theirs) = (ours.join(&name), theirs.join(&name));
            if ours.is_file() {
                assert_eq!(std::fs::read(ours).unwrap(), std::fs::read(theirs).unwrap());
            }
        }
    }
}

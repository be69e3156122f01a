//! What is written, in every form and compression: other tools take it, and the bytes do not vary.

use std::path::Path;
use std::process::Command;

use crate::engine::image;
use crate::images::{plimsoll, text};

const FORMS: [&str; 4] = [
    "oci:out",
    "oci-archive:out.tar",
    "docker-archive:out.docker.tar",
    "dir:out-of-single-blobs",
];

/// What skopeo says of an image; `None` where it is not installed.
fn skopeo(scratch: &Path, words: &[&str]) -> Option<serde_json::Value> {
    let output = Command::new("skopeo")
        .arg("inspect")
        .args(words)
        .current_dir(scratch)
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: skopeo is not installed");
            return None;
        }
        output => output.unwrap(),
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn every_compression_is_what_its_media_type_says_in_every_form() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    for (compression, media_type) in [
        ("gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("zstd", "application/vnd.oci.image.layer.v1.tar+zstd"),
        ("none", "application/vnd.oci.image.layer.v1.tar"),
    ] {
        let mut digests = Vec::new();
        for form in FORMS {
            let target = match form.starts_with("dir:") {
                // It has one image, which has no name.
                true => form.to_owned(),
                false => format!("{form}:{compression}"),
            };
            let arguments = [
                "slim",
                &image,
                "--no-run",
                "--json",
                "-o",
                &target,
                "--compression",
                compression,
            ];
            let output = plimsoll(scratch.path(), &arguments);
            assert_eq!(output.status.code(), Some(3), "{}", text(&output));
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let digest = report["slim"]["digest"].as_str().unwrap().to_owned();
            if let Some(said) = skopeo(scratch.path(), &[&target]) {
                assert_eq!(said["Labels"]["org.plimsoll.level"], "app", "{target}");
                assert_eq!(said["Labels"]["a"], "b", "{target}");
                // What docker takes names no media types: skopeo looks at the bytes.
                if !form.starts_with("docker") {
                    assert_eq!(said["Digest"], digest.as_str(), "{target}");
                    let raw = skopeo(scratch.path(), &["--raw", &target]).unwrap();
                    for layer in raw["layers"].as_array().unwrap() {
                        assert_eq!(layer["mediaType"], media_type, "{target}");
                    }
                }
            }
            // We read back what we wrote, too.
            let read = plimsoll(scratch.path(), &["inspect", &target, "--json"]);
            let read: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
            assert_eq!(read["image"]["footprint"]["files"], 2, "{read}");
            digests.push(digest);
        }
        digests.dedup();
        assert_eq!(digests.len(), 1, "one manifest in every form");
    }
}

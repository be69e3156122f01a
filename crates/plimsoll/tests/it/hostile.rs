//! Images made by a stranger who means ill: a clear end, and nothing outside the target.

use std::fs;
use std::path::Path;

use crate::images::{Tar, layout, plimsoll, text};

fn config() -> serde_json::Value {
    serde_json::json!({ "Entrypoint": ["/app"], "User": "1000" })
}

fn blobs(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory.join("blobs/sha256")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    // The layer is the largest.
    paths.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    paths
}

#[test]
fn a_truncated_layer_and_a_wrong_digest_are_errors_and_write_nothing() {
    for tamper in [
        (|bytes: &mut Vec<u8>| bytes.truncate(3000)) as fn(&mut Vec<u8>),
        |bytes| bytes[2000] ^= 1,
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("image");
        let layer = Tar::default().file("app", 0o755, &[7; 9000]).finish();
        let image = layout(&directory, &config(), &[layer]);
        let blob = &blobs(&directory)[0];
        let mut bytes = fs::read(blob).unwrap();
        tamper(&mut bytes);
        fs::write(blob, bytes).unwrap();
        for arguments in [&["inspect", &image][..], &["slim", &image, "-o", "oci:out"]] {
            let output = plimsoll(scratch.path(), arguments);
            assert_eq!(output.status.code(), Some(2), "{}", text(&output));
            assert!(output.stdout.is_empty(), "{}", text(&output));
            let digest = blob.file_name().unwrap().to_str().unwrap().to_owned();
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(error.contains(&digest[..12]), "names the blob: {error}");
        }
        assert!(!scratch.path().join("out").exists());
    }
}

#[test]
fn a_name_that_climbs_is_a_problem_and_is_left_out() {
    let scratch = tempfile::tempdir().unwrap();
    let layer = Tar::default()
        .file("app", 0o755, b"x")
        .file("../../etc/passwd", 0o644, b"root::0:0::/:/bin/sh\n")
        .finish();
    let image = layout(&scratch.path().join("a/b/image"), &config(), &[layer]);
    let output = plimsoll(scratch.path(), &["inspect", &image]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("incomplete"),
        "{}",
        text(&output)
    );
    let json = plimsoll(scratch.path(), &["inspect", &image, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        report["problems"].as_array().map(Vec::len),
        Some(1),
        "{report}"
    );
}

#[test]
fn links_out_of_the_image_stay_in_it() {
    let scratch = tempfile::tempdir().unwrap();
    let canary = scratch.path().join("canary");
    fs::create_dir(&canary).unwrap();
    let climb = format!("../../../../../../../..{}", canary.display());
    let layer = Tar::default()
        .file("app", 0o755, b"#!/missing\n")
        .symlink("out", &climb)
        .symlink("abs", canary.to_str().unwrap())
        .file("out/poc", 0o644, b"out")
        .file("abs/poc", 0o644, b"abs")
        .finish();
    let image = layout(&scratch.path().join("image"), &config(), &[layer]);
    let inspected = plimsoll(scratch.path(), &["inspect", &image]);
    assert!(
        matches!(inspected.status.code(), Some(0 | 3)),
        "{}",
        text(&inspected)
    );
    // Slim unpacks it; the application cannot start, so it ends without a result.
    let slimmed = plimsoll(scratch.path(), &["slim", &image, "-o", "oci:out"]);
    assert_eq!(slimmed.status.code(), Some(2), "{}", text(&slimmed));
    assert_eq!(
        fs::read_dir(&canary).unwrap().count(),
        0,
        "something was written outside"
    );
    assert!(!scratch.path().join("out").exists());
}

#[test]
fn what_is_no_image_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(scratch.path().join(name), bytes).unwrap();
    write("empty.tar", &Tar::default().finish());
    write(
        "readme.tar",
        &Tar::default().file("README.md", 0o644, b"hello").finish(),
    );
    write("noise", &[0x5a; 4096]);
    let null = Tar::default()
        .file("manifest.json", 0o644, b"null")
        .finish();
    write("null.tar", &null);
    for name in ["empty.tar", "readme.tar", "noise", "null.tar"] {
        let output = plimsoll(
            scratch.path(),
            &["inspect", &format!("docker-archive:{name}")],
        );
        assert_eq!(output.status.code(), Some(2), "{name}: {}", text(&output));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(name),
            "{}",
            text(&output)
        );
    }
}

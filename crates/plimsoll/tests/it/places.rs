//! Where a slim writes: tried before anything is run, and named after the image where nobody says it.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::json;

use crate::images::{Tar, command, layout, plimsoll, text};
use crate::slim::{skipped, web_image_with};

/// Whether nothing is in `scratch` but what the test put there.
fn untouched(scratch: &Path, mine: &[&str]) {
    let entries = fs::read_dir(scratch).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let others: Vec<String> = names.filter(|name| !mine.contains(&&**name)).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_run() {
    let scratch = tempfile::tempdir().unwrap();
    let start = ["/app/serve", "8080", "/srv/www"];
    let image = web_image_with(&scratch.path().join("image"), &start, "", json!({}));
    fs::write(scratch.path().join("file"), "not an archive").unwrap();
    fs::create_dir(scratch.path().join("dir")).unwrap();
    fs::write(scratch.path().join("dir/own"), "not a layout").unwrap();
    let slim = |more: &[&str]| {
        let fixed = ["slim", &image, "--probe", "cmd:touch ran"];
        let mut command = command(scratch.path());
        command.env("DOCKER_HOST", "unix:///proc/no.sock");
        // No tool of anybody's is found.
        command.env("PATH", "/proc/none");
        command.args(fixed).args(more).output().unwrap()
    };
    for (more, words) in [
        (
            &["-o", "oci:dir"][..],
            "neither empty nor an OCI image layout",
        ),
        (&["-o", "oci:file"], "it is no directory"),
        (&["-o", "oci:/proc/none:x"], "cannot write oci:/proc/none:x"),
        (
            &["-o", "oci-archive:none/x.tar"],
            "there is no directory none",
        ),
        (
            &["-o", "docker-archive:file"],
            "the file that is there is no archive",
        ),
        (
            &["-o", "docker-archive:dir"],
            "it is there, and no regular file",
        ),
        (&["-o", "docker-daemon:web"], "/proc/no.sock"),
        (&["-o", "docker-daemon:a//b"], "is no name of an image"),
        (&["-o", "docker://Httpd"], "capital letters"),
        (
            &["-o", "containers-storage:web"],
            "that store is written by its own tools alone, and skopeo is not here",
        ),
        (&["-o", "dir:dir"], "neither empty nor one of single blobs"),
        (&["-o", "ssh:web"], "nothing is written to such a place"),
        (
            &["-o", "oci:out", "--html", "none/page.html"],
            "there is no directory none",
        ),
        (&["-o", "oci:out", "--html", "dir"], "it is a directory"),
        (
            &["-o", "oci:out", "--write-profile", "none/x.toml"],
            "there is no directory none",
        ),
        (&["-o", "oci:out", "--sbom", "file"], "file is no directory"),
        (
            &["-o", "oci:out", "--sbom", "/proc/bills"],
            "cannot write /proc/bills",
        ),
        (
            &["-o", "oci:out", "--plan", "file/plan.json"],
            "cannot write file/plan.json",
        ),
        (
            &["-o", "oci:out", "--format", "html"],
            "there is no format `html`",
        ),
    ] {
        let output = slim(more);
        if skipped(&output) {
            return;
        }
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", text(&output));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(words), "{more:?}: {said}");
        untouched(scratch.path(), &["image", "file", "dir", "cache"]);
    }
    assert_eq!(
        fs::read(scratch.path().join("file")).unwrap(),
        b"not an archive"
    );
}

fn no_run(scratch: &Path, image: &str, more: &[&str]) -> Output {
    let arguments = [&["slim", image, "--no-run", "--json"], more].concat();
    plimsoll(scratch, &arguments)
}

#[test]
fn a_target_nobody_names_is_named_after_the_image() {
    let scratch = tempfile::tempdir().unwrap();
    let layer = Tar::default().file("app", 0o755, b"\x7fELF").finish();
    let config = json!({ "Cmd": ["/app"] });
    let image = layout(&scratch.path().join("web"), &config, &[layer]);
    for (to, tag, target) in [
        ("oci:images:site", "site", "oci:site-slim"),
        ("oci:httpd:2.4", "2.4", "oci:httpd-slim:2.4"),
        ("oci:httpd:2.5", "2.5", "oci:httpd-slim:2.5"),
        (
            "docker-archive:app.tar:localhost:5000/me/app:1",
            "",
            "oci:app-slim",
        ),
    ] {
        let copied = plimsoll(scratch.path(), &["copy", &image, to]);
        assert_eq!(copied.status.code(), Some(0), "{tag}: {}", text(&copied));
        let from = match to.strip_prefix("docker-archive:") {
            Some(_) => "app.tar",
            None => to,
        };
        let output = no_run(scratch.path(), from, &[]);
        assert_eq!(output.status.code(), Some(3), "{to}: {}", text(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["slim"]["output"], target);
        let found = plimsoll(scratch.path(), &["ls", target, "/app"]);
        assert_eq!(found.status.code(), Some(0), "{target}: {}", text(&found));
    }
}

#[test]
fn names_that_name_nothing_are_said() {
    let scratch = tempfile::tempdir().unwrap();
    let layer = Tar::default().file("app", 0o755, b"\x7fELF").finish();
    let config = json!({ "Cmd": ["/app"] });
    let image = layout(&scratch.path().join("web"), &config, &[layer]);
    let more = [
        "--include",
        "/etc/nothing*",
        "--exclude",
        "/none",
        "--keep-package",
        "no-such*",
    ];
    let output = no_run(scratch.path(), &image, &more);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let notes = report["notes"].to_string();
    for words in [
        "`/etc/nothing*` was to be included, and names nothing in the image",
        "`/none` was to be excluded, and names nothing in the image",
        "--keep-package no-such*: no package of this name is installed",
    ] {
        assert!(notes.contains(words), "`{words}` is not in {notes}");
    }
}

#[test]
fn the_original_is_never_written_over() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let layer = Tar::default().file("app", 0o755, b"\x7fELF").finish();
    let image = layout(&at("web"), &json!({ "Cmd": ["/app"] }), &[layer]);
    for to in [
        "oci:plain",
        "oci:named:a",
        "oci:named:b",
        "docker-archive:web.tar:web:1",
        "oci-archive:web.oci",
        "dir:single",
    ] {
        let copied = plimsoll(scratch.path(), &["copy", &image, to]);
        assert_eq!(copied.status.code(), Some(0), "{to}: {}", text(&copied));
    }
    std::os::unix::fs::symlink("web.tar", at("link.tar")).unwrap();
    let kept = [
        "plain/index.json",
        "named/index.json",
        "web.tar",
        "web.oci",
        "single/manifest.json",
    ];
    let before = kept.map(|name| fs::read(at(name)).unwrap());
    // An image that is named by its identifier, and has a name.
    let store = scratch.path().join("store");
    fs::create_dir_all(store.join("vfs-images")).unwrap();
    fs::create_dir_all(store.join("vfs")).unwrap();
    let id = "ab".repeat(32);
    let images = format!(r#"[{{"id":"{id}","names":["localhost/web:1"]}}]"#);
    fs::write(store.join("vfs-images/images.json"), images).unwrap();
    let store = store.display();
    let by_id = format!("containers-storage:[{store}]@{id}");
    let by_name = format!("containers-storage:[vfs@{store}/../store+/run]localhost/web:1");
    for (from, to) in [
        ("web.tar", "docker-archive:web.tar"),
        ("web.tar", "oci-archive:./web.tar:other"),
        ("docker-archive:link.tar:web:1", "docker-archive:web.tar"),
        ("oci-archive:web.oci", "docker-archive:web.oci"),
        ("oci:plain", "oci:plain"),
        ("oci:web", "oci:web:test"),
        ("./plain", "oci:plain"),
        ("oci:named:a", "oci:named:a"),
        ("./single", "dir:single"),
        // Whether anybody is there, and lets us write, is not even asked.
        ("localhost:9/web:1", "docker://localhost:9/web:1"),
        ("docker-daemon:web", "docker-daemon:web:latest"),
        ("podman:web:1", "podman:docker.io/library/web:1"),
        ("containers-storage:[/s]web", "containers-storage:[/s]web"),
        (
            "containers-storage:[vfs@/s+/run]web",
            "containers-storage:[/s]docker.io/library/web:latest",
        ),
        (&*by_id, &*by_name),
    ] {
        // A copy onto itself would leave one platform of many.
        for output in [
            no_run(scratch.path(), from, &["-o", to]),
            plimsoll(scratch.path(), &["copy", from, to]),
        ] {
            assert_eq!(output.status.code(), Some(2), "{to}: {}", text(&output));
            let said = text(&output);
            assert!(said.contains("would replace the original"), "{to}: {said}");
        }
    }
    assert_eq!(kept.map(|name| fs::read(at(name)).unwrap()), before);
    for (from, to) in [
        ("containers-storage:[/s]web", "containers-storage:[/t]web"),
        (
            "containers-storage:[vfs@/s]web",
            "containers-storage:[overlay@/s]web",
        ),
        ("containers-storage:[/s]web", "containers-storage:[/s]web:2"),
        (&*by_id, &*format!("{by_name}-slim")),
    ] {
        let output = plimsoll(scratch.path(), &["copy", from, to]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{to}: {said}");
        assert!(!said.contains("would replace"), "{to}: {said}");
    }
    // Beside it there is room.
    for (from, to) in [
        ("oci:plain", "oci:plain:slim"),
        ("oci:named:a", "oci:named:b"),
    ] {
        let output = no_run(scratch.path(), from, &["-o", to]);
        assert_eq!(output.status.code(), Some(3), "{to}: {}", text(&output));
    }
}

#[test]
fn a_copy_says_which_side_failed() {
    let scratch = tempfile::tempdir().unwrap();
    let layer = Tar::default().file("app", 0o755, b"\x7fELF").finish();
    let config = json!({ "Cmd": ["/app"] });
    let image = layout(&scratch.path().join("web"), &config, &[layer]);
    fs::create_dir(scratch.path().join("e")).unwrap();
    fs::write(scratch.path().join("e/manifest.json"), "{\"name\":\"x\"}").unwrap();
    fs::write(scratch.path().join("e/version"), "1.2.3").unwrap();
    for (from, to, words) in [
        (&*image, "dir:e", "error: cannot write dir:e: the directory"),
        (&*image, "oci:e", "error: cannot write oci:e: the directory"),
        ("oci:none", "dir:new", "error: cannot read oci:none: "),
        (
            &*image,
            "ssh:e",
            "error: cannot write to ssh:e: nothing is written to such a place",
        ),
    ] {
        let output = plimsoll(scratch.path(), &["copy", from, to]);
        assert_eq!(output.status.code(), Some(2), "{to}: {}", text(&output));
        let said = text(&output);
        assert!(said.contains(words), "{to}: {said}");
        assert!(said.matches("oci-archive:FILE").count() <= 1, "{said}");
    }
    untouched(scratch.path(), &["web", "e", "cache"]);
}

#[test]
fn a_cache_that_cannot_be_written_is_a_note() {
    let scratch = tempfile::tempdir().unwrap();
    let layer = Tar::default().file("app", 0o755, b"\x7fELF").finish();
    let image = layout(
        &scratch.path().join("web"),
        &json!({ "Cmd": ["/app"] }),
        &[layer],
    );
    let mut command = command(scratch.path());
    command.env("PLIMSOLL_CACHE", "/proc/nope");
    command.args(["slim", &image, "--no-run", "--json", "-o", "oci:out"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let notes = report["notes"].to_string();
    assert!(notes.contains("`why` will not know this image"), "{notes}");
}

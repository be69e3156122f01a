//! From every kind of place to every kind of place, and the same image each time.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::engine::{Manner, engine};
use crate::images::{Tar, command, layout, text};
use crate::registry::server::{self, Server};

/// Two layers, of which the second changes the first.
fn image(scratch: &Path) -> String {
    let layers = [
        Tar::default()
            .dir("etc", 0o755)
            .file("etc/motd", 0o644, b"first")
            .file("etc/old", 0o600, b"gone")
            .symlink("link", "etc/motd")
            .finish(),
        Tar::default()
            .dir("etc", 0o755)
            .file("etc/motd", 0o644, b"second")
            .file("etc/.wh.old", 0o644, b"")
            .finish(),
    ];
    layout(
        &scratch.join("image"),
        &serde_json::json!({ "Cmd": ["/x"], "Labels": { "a": "b" } }),
        &layers,
    )
}

/// Where images are, in a world of its own: a registry, two engines, a store.
struct World<'a> {
    scratch: &'a Path,
    places: Vec<String>,
}

impl World<'_> {
    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let socket = |name: &str| format!("unix://{}/{name}.sock", self.scratch.display());
        let mut command = command(self.scratch);
        command
            .args(arguments)
            .env("DOCKER_HOST", socket("docker"))
            .env("CONTAINER_HOST", socket("podman"))
            .env("HOME", self.scratch)
            .env_remove("DOCKER_TLS_VERIFY")
            .env_remove("XDG_RUNTIME_DIR");
        command.output().unwrap()
    }

    fn good(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The layers by the digests of what is in them, the configuration's label, and the files.
    fn looked_at(&self, name: &str) -> (Value, Value) {
        let tree = self.good(&["tree", name, "--json"]);
        let report = self.good(&["lineage", name, "--json"]);
        (tree["entries"].clone(), report["image"]["command"].clone())
    }
}

/// The name of a store that `skopeo` writes to, where it can be tried.
fn store(scratch: &Path) -> Option<String> {
    // Others need ranges of identifiers that a test cannot give them.
    let root = rustix::process::geteuid().is_root();
    let there = Command::new("skopeo").arg("--version").output().is_ok();
    if !root || !there {
        eprintln!("skipped: containers-storage is tried as root, with skopeo");
        return None;
    }
    let (root, run) = (scratch.join("store"), scratch.join("run"));
    Some(format!(
        "containers-storage:[vfs@{}+{}]localhost/web:slim",
        root.display(),
        run.display()
    ))
}

#[test]
fn every_place_gives_to_every_place() {
    let scratch = tempfile::tempdir().unwrap();
    let here = scratch.path();
    let original = image(here);
    let server = Server::start(server::Manner::default());
    let _docker = engine(&here.join("docker.sock"), Manner::Docker);
    let _podman = engine(&here.join("podman.sock"), Manner::Docker);
    let mut places = vec![
        "oci:layout:web:slim".to_owned(),
        "oci-archive:oci.tar:web:slim".to_owned(),
        "docker-archive:docker.tar:web:slim".to_owned(),
        "dir:single".to_owned(),
        format!("docker://{}/web:slim", server.host),
        "docker-daemon:web:slim".to_owned(),
        "podman:web:slim".to_owned(),
    ];
    places.extend(store(here));
    let world = World {
        scratch: here,
        places,
    };
    let expected = world.looked_at(&original);
    for from in &world.places {
        world.good(&["copy", &original, from, "--json"]);
        assert_eq!(world.looked_at(from), expected, "{from}");
        for to in world.places.iter().filter(|to| *to != from) {
            let copied = world.good(&["copy", from, to, "--json"]);
            assert_eq!(copied["manifests"], 1, "{from} {to}");
            assert_eq!(world.looked_at(to), expected, "{from} {to}");
        }
    }
}

/// Puts a `skopeo` into `scratch/bin` that does what `script` says; answers a command that finds it first.
fn with_tool(scratch: &Path, script: &str) -> Command {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = scratch.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let tool = bin.join("skopeo");
    std::fs::write(&tool, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = command(scratch);
    command.env("PATH", format!("{}:{path}", bin.display()));
    command
}

#[test]
fn a_policy_of_the_machine_is_not_passed_over() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let calls = scratch.path().join("calls");
    let target = format!(
        "containers-storage:[vfs@{}]localhost/web:1",
        scratch.path().join("store").display()
    );
    for (said, expected) in [
        (
            "no policy.json file found at any of: /a",
            &["copy", "--insecure-policy"][..],
        ),
        (
            "Error loading trust policy: open /a/policy.json: permission denied",
            &["copy"],
        ),
        ("Source image rejected: by policy", &["copy"]),
    ] {
        let script = format!("echo $1 >> {}; echo '{said}' >&2; exit 1", calls.display());
        let mut command = with_tool(scratch.path(), &script);
        let output = command.args(["copy", &image, &target]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(said), "{}", text(&output));
        let called = std::fs::read_to_string(&calls).unwrap();
        assert_eq!(called.lines().collect::<Vec<_>>(), expected, "{said}");
        std::fs::remove_file(&calls).unwrap();
    }
}

#[test]
fn another_image_in_the_store_is_said_and_how_to_remove_it() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(target) = store(scratch.path()) else {
        return;
    };
    let first = image(scratch.path());
    let copied = command(scratch.path())
        .args(["copy", &first, &target])
        .output()
        .unwrap();
    assert!(copied.status.success(), "{}", text(&copied));
    let layer = Tar::default().file("other", 0o644, b"x").finish();
    let other = layout(
        &scratch.path().join("other"),
        &serde_json::json!({}),
        &[layer],
    );
    // A tool that is content with doing nothing.
    let output = with_tool(scratch.path(), "exit 0")
        .args(["copy", &other, &target])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("is another image: sha256:"), "{said}");
    let remove = format!("skopeo delete '{target}'");
    assert!(said.contains(&remove), "{said}");
}

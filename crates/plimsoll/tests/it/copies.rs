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

//! Pull and push, against a registry in this process.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use crate::images::{Tar, command, layout, layout_for, text};

mod hub;
pub(crate) mod server;

use server::{Manner, Server};

/// The binary, of a user who has nothing but `scratch`.
fn alone(scratch: &Path) -> Command {
    let mut command = command(scratch);
    command.env("HOME", scratch);
    for name in [
        "DOCKER_CONFIG",
        "REGISTRY_AUTH_FILE",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "CONTAINERS_REGISTRIES_CONF",
        "PLIMSOLL_REGISTRY_MIRROR",
        "PLIMSOLL_CACHE_SIZE",
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        command.env_remove(name);
    }
    // What the machine's own files say of registries has no part in it.
    command.env(
        "CONTAINERS_REGISTRIES_CONF",
        scratch.join("registries.conf"),
    );
    command
}

fn run(scratch: &Path, arguments: &[&str]) -> Output {
    let conf = scratch.join("registries.conf");
    if !conf.exists() {
        fs::write(conf, "").unwrap();
    }
    alone(scratch).args(arguments).output().unwrap()
}

fn good(scratch: &Path, arguments: &[&str]) -> String {
    let output = run(scratch, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Bytes nothing compresses, the same each time.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..size).map(|_| next()).collect()
}

/// A layout with an image of three layers.
fn image(scratch: &Path) -> String {
    let layers: Vec<Vec<u8>> = (0..3)
        .map(|number| {
            let name = format!("layer-{number}");
            Tar::default()
                .file(&name, 0o644, &noise(number, 300_000))
                .finish()
        })
        .collect();
    layout(
        &scratch.join("image"),
        &serde_json::json!({ "Cmd": ["/x"] }),
        &layers,
    )
}

/// Pushes the image to `app:1` of a new registry.
fn pushed(manner: Manner) -> (TempDir, Server, String) {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(Manner::default());
    let name = format!("{}/team/app:1", server.host);
    good(
        scratch.path(),
        &["copy", &image(scratch.path()), &format!("docker://{name}")],
    );
    server.become_so(manner);
    (scratch, server, name)
}

/// The digest of the manifest of a layout's only image.
fn digest_of(layout: &Path) -> String {
    let index = fs::read(layout.join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    index["manifests"][0]["digest"].as_str().unwrap().to_owned()
}

/// Pulls into a new layout, and sees that it is the same image to the byte.
fn pulls_the_same(scratch: &Path, name: &str, more: &[&str]) {
    let target = scratch.join("pulled");
    let to = format!("oci:{}:1", target.display());
    let mut arguments = vec!["copy", name, &to];
    arguments.extend(more);
    good(scratch, &arguments);
    assert_eq!(digest_of(&target), digest_of(&scratch.join("image")));
    let blobs = |layout: &Path| -> Vec<(std::ffi::OsString, Vec<u8>)> {
        let entries = fs::read_dir(layout.join("blobs/sha256")).unwrap().flatten();
        let mut blobs: Vec<_> = entries
            .map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap()))
            .collect();
        blobs.sort();
        blobs
    };
    assert!(
        blobs(&target) == blobs(&scratch.join("image")),
        "the blobs differ"
    );
}

#[test]
fn what_was_pushed_is_pulled_to_the_byte() {
    let (scratch, server, name) = pushed(Manner::default());
    pulls_the_same(scratch.path(), &name, &[]);
    // What is there is not sent again, and other repositories get it from this one.
    server.become_so(Manner::default());
    let image = format!("oci:{}:test", scratch.path().join("image").display());
    good(
        scratch.path(),
        &["copy", &image, &format!("docker://{name}")],
    );
    assert_eq!(
        server.count("PUT /v2/team/app/blobs/"),
        0,
        "{:?}",
        server.heard()
    );
    let other = format!("docker://{}/other/app:2", server.host);
    good(scratch.path(), &["copy", &name, &other]);
    assert_eq!(
        server.count("PUT /v2/other/app/blobs/"),
        0,
        "{:?}",
        server.heard()
    );
    assert_eq!(server.count("POST /v2/other/app/blobs/uploads/"), 4);
    assert_eq!(server.count("PUT /v2/other/app/manifests/2"), 1);
    good(scratch.path(), &["inspect", &other]);
}

#[test]
fn a_name_that_is_not_there_says_so() {
    let (scratch, server, name) = pushed(Manner::default());
    let output = run(scratch.path(), &["inspect", &name.replace(":1", ":2")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output).contains("MANIFEST_UNKNOWN"),
        "{}",
        text(&output)
    );
    let gone = server.host.clone();
    drop(server);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap().to_string();
    drop((listener, gone));
    let output = run(scratch.path(), &["inspect", &format!("{free}/app")]);
    assert!(text(&output).contains("cannot reach"), "{}", text(&output));
}

#[test]
fn passwords_and_tokens_come_from_the_files_of_docker_and_podman() {
    for by_token in [false, true] {
        let user = Some(("me:secret", by_token));
        let (scratch, server, name) = pushed(Manner {
            user,
            ..Manner::default()
        });
        let output = run(scratch.path(), &["inspect", &name]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("access denied") && said.contains("docker login"),
            "{said}"
        );
        let auth = STANDARD.encode("me:secret");
        let file = serde_json::json!({ "auths": { (server.host.clone()): { "auth": auth } } });
        let named = scratch.path().join("auth.json");
        fs::write(&named, file.to_string()).unwrap();
        let path = named.display().to_string();
        pulls_the_same(scratch.path(), &name, &["--authfile", &path]);
        // The same where Docker and Podman keep it.
        for place in [".docker/config.json", ".config/containers/auth.json"] {
            let place = scratch.path().join(place);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, file.to_string()).unwrap();
            good(scratch.path(), &["lineage", &name]);
            fs::remove_file(place).unwrap();
        }
        let to = format!("docker://{}/mine/app:1", server.host);
        good(scratch.path(), &["copy", &name, &to, "--authfile", &path]);
        let wrong = serde_json::json!({ "auths": { (server.host.clone()): { "auth": STANDARD.encode("me:wrong") } } });
        fs::write(&named, wrong.to_string()).unwrap();
        let output = run(scratch.path(), &["lineage", &name, "--authfile", &path]);
        assert!(
            text(&output).contains("may be out of date"),
            "{}",
            text(&output)
        );
        assert!(!text(&output).contains("wrong"), "{}", text(&output));
    }
}

#[test]
fn a_credential_helper_is_asked() {
    let (scratch, server, name) = pushed(Manner {
        user: Some(("helped:secret", false)),
        ..Manner::default()
    });
    let helper = scratch.path().join("docker-credential-test");
    let script = "#!/bin/sh\nread host\n[ \"$1\" = get ] && printf '{\"ServerURL\":\"%s\",\"Username\":\"helped\",\"Secret\":\"secret\"}' \"$host\"\n";
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let config = scratch.path().join(".docker/config.json");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let file = serde_json::json!({ "credHelpers": { (server.host.clone()): "test" } });
    fs::write(&config, file.to_string()).unwrap();
    let path = format!("{}:/usr/bin:/bin", scratch.path().display());
    let conf = scratch.path().join("registries.conf");
    fs::write(conf, "").unwrap();
    let output = alone(scratch.path())
        .env("PATH", path)
        .args(["inspect", &name])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_connection_that_breaks_is_taken_up_where_it_broke() {
    let (scratch, server, name) = pushed(Manner {
        breaks: vec![1000, 200_000, 150_000, 0],
        ..Manner::default()
    });
    pulls_the_same(scratch.path(), &name, &[]);
    let resumed = server
        .heard()
        .iter()
        .filter(|line| line.contains("bytes="))
        .count();
    assert!(resumed >= 2, "{:?}", server.heard());
}

#[test]
fn another_digest_is_refused_and_nothing_of_it_kept() {
    let (scratch, server, name) = pushed(Manner {
        corrupt: true,
        ..Manner::default()
    });
    let output = run(scratch.path(), &["inspect", &name]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output);
    assert!(
        said.contains("expected sha256:") && said.contains("found sha256:"),
        "{said}"
    );
    let kept = fs::read_dir(scratch.path().join("cache/blobs/sha256"))
        .unwrap()
        .count();
    assert_eq!(kept, 0);
    server.become_so(Manner::default());
    pulls_the_same(scratch.path(), &name, &[]);
}

#[test]
fn a_registry_that_wants_us_to_wait_is_waited_for() {
    let (scratch, server, name) = pushed(Manner {
        busy: vec!["1", "0"],
        ..Manner::default()
    });
    let began = Instant::now();
    pulls_the_same(scratch.path(), &name, &[]);
    assert!(began.elapsed() >= Duration::from_secs(1));
    server.become_so(Manner {
        busy: vec!["100000"],
        ..Manner::default()
    });
    let output = run(scratch.path(), &["lineage", &name]);
    let said = text(&output);
    assert!(
        said.contains("too many requests") && said.contains("100000 s"),
        "{said}"
    );
    assert!(said.contains("--registry-mirror"), "{said}");
}

#[test]
fn no_other_host_hears_who_we_are() {
    let (scratch, server, name) = pushed(Manner::default());
    let store = Server::start(Manner::default());
    store.take_from(&server);
    server.become_so(Manner {
        user: Some(("me:secret", false)),
        elsewhere: Some(store.host.clone()),
        ..Manner::default()
    });
    let auth = serde_json::json!({ "auths": { (server.host.clone()): { "auth": STANDARD.encode("me:secret") } } });
    let file = scratch.path().join("auth.json");
    fs::write(&file, auth.to_string()).unwrap();
    pulls_the_same(
        scratch.path(),
        &name,
        &["--authfile", &file.display().to_string()],
    );
    assert!(server.heard().iter().any(|line| line.ends_with("Basic")));
    assert!(store.count("GET ") >= 4);
    assert!(
        !store.heard().iter().any(|line| line.ends_with("Basic")),
        "{:?}",
        store.heard()
    );
}

#[test]
fn mirrors_are_asked_first_and_the_rules_of_the_machine_are_kept() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(Manner::default());
    let image = image(scratch.path());
    good(
        scratch.path(),
        &[
            "copy",
            &image,
            &format!("docker://{}/library/web:1", server.host),
        ],
    );
    let mirror = format!("http://{}", server.host);
    good(
        scratch.path(),
        &["lineage", "web:1", "--registry-mirror", &mirror],
    );
    let rules = format!(
        "[[registry]]\nprefix = \"corp.example/web\"\nlocation = \"{}/library/web\"\n\
         [[registry]]\nlocation = \"evil.example\"\nblocked = true\n",
        server.host
    );
    fs::write(scratch.path().join("registries.conf"), rules).unwrap();
    good(scratch.path(), &["lineage", "corp.example/web:1"]);
    let output = run(scratch.path(), &["lineage", "evil.example/web:1"]);
    assert!(text(&output).contains("blocked"), "{}", text(&output));
}

#[test]
fn lineage_fetches_no_layer_and_says_so() {
    let (scratch, server, name) = pushed(Manner::default());
    let said = good(scratch.path(), &["lineage", &name]);
    assert!(said.contains("not fetched"), "{said}");
    assert_eq!(
        server.count("GET /v2/team/app/blobs/"),
        1,
        "{:?}",
        server.heard()
    );
    // One layer alone needs that one alone.
    server.become_so(Manner::default());
    let listed = good(scratch.path(), &["ls", &name, "--layer", "1"]);
    assert!(
        listed.contains("layer-1") && !listed.contains("layer-0"),
        "{listed}"
    );
    assert_eq!(
        server.count("GET /v2/team/app/blobs/"),
        1,
        "{:?}",
        server.heard()
    );
}

#[test]
fn an_index_is_copied_whole_or_one_platform_of_it() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("image");
    let mut entries = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let layer = Tar::default()
            .file(architecture, 0o644, architecture.as_bytes())
            .finish();
        layout_for(&directory, architecture, &serde_json::json!({}), &[layer]);
        let index: Value =
            serde_json::from_slice(&fs::read(directory.join("index.json")).unwrap()).unwrap();
        let mut entry = index["manifests"][0].clone();
        entry.as_object_mut().unwrap().remove("annotations");
        entry["platform"] = serde_json::json!({ "os": "linux", "architecture": architecture });
        entries.push(entry);
    }
    let media_type = "application/vnd.oci.image.index.v1+json";
    let inner =
        serde_json::json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries });
    let inner = inner.to_string();
    let hex: String = {
        use sha2::Digest as _;
        sha2::Sha256::digest(inner.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    fs::write(directory.join("blobs/sha256").join(&hex), &inner).unwrap();
    let top = serde_json::json!({ "schemaVersion": 2, "manifests": [{
        "mediaType": media_type, "digest": format!("sha256:{hex}"), "size": inner.len(),
        "annotations": { "org.opencontainers.image.ref.name": "many" },
    }] });
    fs::write(directory.join("index.json"), top.to_string()).unwrap();
    let server = Server::start(Manner::default());
    let name = format!("docker://{}/many:1", server.host);
    let from = format!("oci:{}:many", directory.display());
    let said = good(scratch.path(), &["copy", "--all", &from, &name]);
    assert!(
        said.contains(&hex) && said.contains("2 manifests"),
        "{said}"
    );
    for architecture in ["amd64", "arm64"] {
        let platform = format!("linux/{architecture}");
        let found = good(
            scratch.path(),
            &["cat", &name, architecture, "--platform", &platform],
        );
        assert_eq!(found, architecture);
    }
    let by_digest = format!("docker://{}/many@sha256:{hex}", server.host);
    good(
        scratch.path(),
        &["ls", &by_digest, "--platform", "linux/arm64"],
    );
    let output = run(scratch.path(), &["ls", &name, "--platform", "linux/s390x"]);
    assert!(
        text(&output).contains("linux/amd64, linux/arm64"),
        "{}",
        text(&output)
    );
}

#[test]
fn files_are_attached_with_the_interface_for_it_and_without() {
    for referrers in [true, false] {
        let (scratch, server, name) = pushed(Manner {
            referrers,
            ..Manner::default()
        });
        let bom = scratch.path().join("bom.json");
        fs::write(&bom, r#"{"bomFormat": "CycloneDX", "specVersion": "1.6"}"#).unwrap();
        let vex = scratch.path().join("vex.json");
        fs::write(&vex, r#"{"@context": "https://openvex.dev/ns/v0.2.0"}"#).unwrap();
        for file in [&bom, &vex, &bom] {
            good(
                scratch.path(),
                &["attach", &name, &file.display().to_string()],
            );
        }
        assert_eq!(
            server.count("PUT /v2/team/app/manifests/sha256-") > 0,
            !referrers
        );
        let listed = good(scratch.path(), &["referrers", &name, "--json"]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed["referrers"].as_array().unwrap().len(), 2, "{listed}");
        let out = scratch.path().join("out.json");
        let kind = "application/vnd.cyclonedx+json";
        let arguments = [
            "referrers",
            &name,
            "--type",
            kind,
            "-o",
            &out.display().to_string(),
        ];
        good(scratch.path(), &arguments);
        assert_eq!(fs::read(&out).unwrap(), fs::read(&bom).unwrap());
    }
}

#[test]
fn the_cache_keeps_no_more_than_it_may() {
    let (scratch, server, name) = pushed(Manner::default());
    good(scratch.path(), &["inspect", &name]);
    let kept = || {
        fs::read_dir(scratch.path().join("cache/blobs/sha256"))
            .unwrap()
            .count()
    };
    assert_eq!(kept(), 4);
    good(scratch.path(), &["inspect", &name]);
    assert_eq!(
        server.count("GET /v2/team/app/blobs/"),
        4,
        "fetched once: {:?}",
        server.heard()
    );
    good(scratch.path(), &["lineage", &name, "--cache-size", "1kB"]);
    assert_eq!(kept(), 1, "what is in use stays");
}

#[test]
fn a_registry_that_takes_nothing_from_us_says_so_before_anything_is_done() {
    let scratch = tempfile::tempdir().unwrap();
    let manner = Manner {
        user: Some(("me:secret", true)),
        ..Manner::default()
    };
    let server = Server::start(manner);
    let image = image(scratch.path());
    let target = format!("docker://{}/team/app:slim", server.host);
    let slim = |image: &str| run(scratch.path(), &["slim", image, "--no-run", "-o", &target]);
    // The image is not even looked for.
    let refused = slim("oci:no-such-image");
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    let said = text(&refused);
    for words in ["access denied", "docker login"] {
        assert!(said.contains(words), "`{words}` is not in\n{said}");
    }
    // A copy finds out as it goes, and does not blame the image.
    let output = run(scratch.path(), &["copy", &image, &target]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let said = text(&output);
    for words in [&*format!("error: cannot write {target}: "), "docker login"] {
        assert!(said.contains(words), "`{words}` is not in\n{said}");
    }
    server.become_so(Manner::default());
    let output = slim(&image);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let heard = server.heard();
    let uploads = "/v2/team/app/blobs/uploads/";
    let at = |words: &str| heard.iter().position(|line| line.starts_with(words));
    let (tried, taken_back) = (
        at(&format!("POST {uploads}")),
        at(&format!("DELETE {uploads}u1")),
    );
    let sent = at(&format!("PUT {uploads}u1"));
    assert!(
        tried.is_some() && tried < taken_back && taken_back < sent,
        "{heard:?}"
    );
    // Without a name of its own it is called after the one in the registry.
    let output = run(scratch.path(), &["slim", &target, "--no-run", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["slim"]["output"], "oci:app-slim:slim");
    assert!(scratch.path().join("app-slim/index.json").exists());
}

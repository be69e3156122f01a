//! What `docker save` and its imitators write.

use plimsoll_image::Error;
use serde_json::{Value, json};

use crate::make::{Stored, Tar, config, digest, gzip, opened, refused, tree, zstd};

fn layer(name: &str, body: &str) -> Vec<u8> {
    Tar::default().file(name, body).done()
}

fn with(tar: Tar, manifest: &Value) -> Tar {
    tar.file("manifest.json", manifest.to_string())
}

/// Two layers in the form of Docker before 25.
fn legacy() -> Tar {
    let (one, two) = (layer("a", "one"), layer("b", "two"));
    let tar = Tar::default()
        .dir("1/")
        .file("1/VERSION", "1.0")
        .file("1/layer.tar", &one)
        .file("2/layer.tar", &two)
        .file("c.json", config(&[&one, &two]).to_string())
        .file("repositories", "{}");
    let manifest = json!([{
        "Config": "c.json", "RepoTags": ["app:1"], "Layers": ["1/layer.tar", "2/layer.tar"],
    }]);
    with(tar, &manifest)
}

#[test]
fn the_old_form_is_read_also_compressed_as_a_whole() {
    let plain = legacy().done();
    for bytes in [
        plain.clone(),
        gzip(&plain),
        zstd(&plain),
        legacy().unended(),
    ] {
        let stored = Stored::new(&bytes);
        let opened = opened(&stored.name());
        assert_eq!(tree(&opened), ["/a one", "/b two"]);
        assert_eq!(opened.image.name, "app:1");
        assert_eq!(opened.image.layers.len(), 2);
        // The name of the configuration's file is no promise; its bytes are the image's digest.
        assert_eq!(opened.image.digest, digest(&opened.image.config.raw));
    }
}

#[test]
fn a_layer_may_be_a_link_to_another_one() {
    let one = layer("a", "one");
    for link in [
        Tar::default().symlink("2/layer.tar", "../1/layer.tar"),
        Tar::default().hardlink("2/layer.tar", "1/layer.tar"),
    ] {
        let tar = link
            .file("1/layer.tar", &one)
            .file("c.json", config(&[&one, &one]).to_string());
        let manifest = json!([{
            "Config": "c.json", "RepoTags": null, "Layers": ["1/layer.tar", "2/layer.tar"],
        }]);
        let stored = Stored::new(&with(tar, &manifest).done());
        let opened = opened(&format!("docker-archive:{}", stored.name()));
        assert_eq!(tree(&opened), ["/a one"]);
        assert_eq!(opened.rootfs.tree.dead_bytes(), 3);
    }
}

#[test]
fn links_that_form_a_ring_lead_nowhere() {
    let tar = Tar::default()
        .symlink("a", "b")
        .symlink("b", "a")
        .file("c.json", config(&[b"x"]).to_string());
    let manifest = json!([{ "Config": "c.json", "Layers": ["a"] }]);
    let stored = Stored::new(&with(tar, &manifest).done());
    assert!(matches!(refused(&stored.name()), Error::Missing { .. }));
}

#[test]
fn compressed_layers_and_a_configuration_called_by_its_digest_are_read() {
    let one = layer("./a", "one");
    let config = config(&[&one]).to_string();
    let name = digest(config.as_bytes()).to_string();
    let tar = Tar::default()
        .file(&name, &config)
        .file("x.tar.gz", gzip(&one));
    let manifest = json!([{ "Config": name, "RepoTags": ["k:latest"], "Layers": ["x.tar.gz"] }]);
    let stored = Stored::new(&with(tar, &manifest).done());
    assert_eq!(tree(&opened(&stored.name())), ["/a one"]);
    assert_eq!(
        opened(&format!("{}:k", stored.name())).image.name,
        "k:latest"
    );
}

#[test]
fn an_archive_that_is_an_oci_layout_too_is_read_by_its_manifest_json() {
    let one = layer("a", "one");
    let config = config(&[&one]).to_string();
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", digest(bytes).hex());
    let tar = |index: Value| {
        let tar = Tar::default()
            .dir("blobs/sha256")
            .file(&blob(config.as_bytes()), &config)
            .file(&blob(&one), &one)
            .file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
            .file("index.json", index.to_string());
        let manifest = json!([{
            "Config": blob(config.as_bytes()), "RepoTags": null, "Layers": [blob(&one)],
        }]);
        with(tar, &manifest)
    };
    // As Docker 25 writes it.
    let stored = Stored::new(&tar(json!({ "schemaVersion": 2, "manifests": null })).done());
    let opened1 = opened(&stored.name());
    assert_eq!(tree(&opened1), ["/a one"]);
    assert_eq!(opened1.image.digest, digest(config.as_bytes()));
    // With an index that works, the manifest's digest and annotations are known as well.
    let manifest = json!({
        "schemaVersion": 2,
        "config": { "digest": digest(config.as_bytes()).to_string(), "size": config.len() },
        "layers": [],
        "annotations": { "org.opencontainers.image.base.name": "base:1" },
    });
    let manifest = manifest.to_string();
    let entry = json!({ "digest": digest(manifest.as_bytes()).to_string() });
    let whole = tar(json!({ "manifests": [entry] }))
        .file(&blob(manifest.as_bytes()), &manifest)
        .done();
    let stored = Stored::new(&whole);
    let opened2 = opened(&stored.name());
    assert_eq!(opened2.image.digest, digest(manifest.as_bytes()));
    assert_eq!(opened2.lineage.ancestors[0].name, "base:1");
}

#[test]
fn several_images_need_a_choice() {
    let (one, two) = (layer("a", "one"), layer("b", "two"));
    let tar = Tar::default()
        .file("1.tar", &one)
        .file("2.tar", &two)
        .file("1.json", config(&[&one]).to_string())
        .file("2.json", config(&[&two]).to_string());
    let manifest = json!([
        { "Config": "1.json", "RepoTags": ["host:5000/x:one"], "Layers": ["1.tar"] },
        { "Config": "2.json", "RepoTags": ["x:two", "x:latest"], "Layers": ["2.tar"] },
    ]);
    let stored = Stored::new(&with(tar, &manifest).done());
    let Error::Ambiguous { choices, .. } = refused(&stored.name()) else {
        panic!("not ambiguous");
    };
    assert_eq!(choices, ["host:5000/x:one", "x:latest", "x:two"]);
    for (name, content) in [
        ("host:5000/x:one", "/a one"),
        ("one", "/a one"),
        ("x:two", "/b two"),
        ("x", "/b two"),
    ] {
        let opened = opened(&format!("docker-archive:{}:{name}", stored.name()));
        assert_eq!(tree(&opened), [content], "{name}");
    }
    let error = refused(&format!("{}:three", stored.name())).to_string();
    assert!(
        error.contains("it holds host:5000/x:one, x:latest, x:two"),
        "{error}"
    );
}

/// An archive, and what is to be said about it.
type Case = (Tar, fn(&Error) -> bool);

#[test]
fn what_is_no_docker_archive_says_why() {
    let one = layer("a", "one");
    let good = config(&[&one]).to_string();
    let manifest = |value: Value| value.to_string();
    let cases: [Case; 8] = [
        // Docker before 1.10.
        (
            Tar::default()
                .file("1/layer.tar", &one)
                .file("repositories", "{}"),
            |error| matches!(error, Error::Missing { .. }),
        ),
        (Tar::default().file("manifest.json", "null"), |error| {
            matches!(error, Error::Malformed { .. })
        }),
        (Tar::default().file("manifest.json", "[]"), |error| {
            matches!(error, Error::Malformed { .. })
        }),
        (Tar::default().file("manifest.json", "{"), |error| {
            matches!(error, Error::Malformed { .. })
        }),
        (
            Tar::default().file(
                "manifest.json",
                manifest(json!([{ "Config": "x", "Layers": [] }])),
            ),
            |error| matches!(error, Error::Missing { .. }),
        ),
        (
            Tar::default().file("c", &good).file(
                "manifest.json",
                manifest(json!([{ "Config": "c", "Layers": ["1.tar"] }])),
            ),
            |error| matches!(error, Error::Missing { .. }),
        ),
        // More layers than the configuration knows.
        (
            Tar::default().file("c", &good).file("1.tar", &one).file(
                "manifest.json",
                manifest(json!([{ "Config": "c", "Layers": ["1.tar", "1.tar"] }])),
            ),
            |error| matches!(error, Error::Mismatch { .. }),
        ),
        // Another layer than the configuration says.
        (
            Tar::default()
                .file("c", &good)
                .file("1.tar", layer("a", "two"))
                .file(
                    "manifest.json",
                    manifest(json!([{ "Config": "c", "Layers": ["1.tar"] }])),
                ),
            |error| matches!(error, Error::Mismatch { .. }),
        ),
    ];
    for (number, (tar, expected)) in cases.into_iter().enumerate() {
        let stored = Stored::new(&tar.done());
        let error = refused(&stored.name());
        assert!(expected(&error), "{number}: {error}");
    }
}

#[test]
fn an_archive_cut_off_anywhere_is_never_half_an_image() {
    let bytes = legacy().done();
    // What matters ends with the body of manifest.json; the two closing blocks may be missing.
    let end = legacy().unended().len() - 512;
    for length in (0..end).step_by(101).chain([end - 1]) {
        let stored = Stored::new(&bytes[..length]);
        refused(&stored.name());
    }
}

#[test]
fn images_without_a_name_are_named_by_their_place() {
    let mut tar = Tar::default();
    let mut images = Vec::new();
    for (number, tags) in [json!(["a:1", "b:2"]), Value::Null, json!([])]
        .into_iter()
        .enumerate()
    {
        let layer = layer("which", &number.to_string());
        let (config_name, layer_name) = (format!("{number}.json"), format!("{number}.tar"));
        tar = tar
            .file(&config_name, config(&[&layer]).to_string())
            .file(&layer_name, &layer);
        images.push(json!({ "Config": config_name, "RepoTags": tags, "Layers": [layer_name] }));
    }
    let stored = Stored::new(&with(tar, &json!(images)).done());
    let name = stored.name();
    let error = refused(&name);
    assert!(error.to_string().contains("a:1, b:2, @1, @2"), "{error}");
    for (choice, which) in [("a:1", 0), ("b:2", 0), ("@0", 0), ("@1", 1), ("@2", 2)] {
        for name in [
            format!("{name}:{choice}"),
            format!("docker-archive:{name}:{choice}"),
        ] {
            assert_eq!(tree(&opened(&name)), [format!("/which {which}")], "{name}");
        }
    }
    let error = refused(&format!("{name}:@3"));
    assert!(
        error
            .to_string()
            .contains("it holds 3, and the first is @0"),
        "{error}"
    );
    assert!(matches!(
        refused(&format!("{name}:@")),
        Error::Missing { .. }
    ));
}

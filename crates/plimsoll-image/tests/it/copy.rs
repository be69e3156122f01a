//! Images copied from one place to another: the same bytes where both can hold them.

use plimsoll_image::{
    Error, Options, Platform, Sink, WriteOptions, copy, open, open_layer, validate,
};
use plimsoll_model::ImagePath;

use crate::make::{Layout, Stored, Tar, config, gzip, opened, tree, zstd};

fn image() -> (Layout, Vec<Vec<u8>>) {
    let layers = vec![
        Tar::default()
            .dir("etc")
            .file("etc/a", "one")
            .file("b", "gone")
            .done(),
        Tar::default().file("etc/a", "two").file(".wh.b", "").done(),
    ];
    let plain: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let mut layout = Layout::new();
    let entry = layout.image(&config(&plain), &[gzip(&layers[0]), zstd(&layers[1])]);
    layout.list(entry, Some("app:1"));
    (layout, layers)
}

#[test]
fn a_copy_is_the_same_to_the_byte() {
    let (layout, _) = image();
    let name = layout.done();
    let original = opened(&name);
    let place = tempfile::tempdir().unwrap();
    for sink in [
        format!("oci:{}:x", place.path().join("layout").display()),
        format!("oci-archive:{}:x", place.path().join("a.tar").display()),
        format!("docker-archive:{}:x", place.path().join("d.tar").display()),
        format!("dir:{}", place.path().join("single").display()),
    ] {
        let parsed = Sink::parse(&sink).unwrap();
        let copied = copy(
            &name,
            &parsed,
            false,
            &Options::default(),
            &WriteOptions::default(),
        );
        let copied = copied.unwrap();
        assert_eq!(copied.digest, original.image.digest);
        assert_eq!((copied.manifests, copied.blobs), (1, 3));
        let again = opened(&sink);
        assert_eq!(again.image.digest, original.image.digest, "{sink}");
        assert_eq!(again.image.config.raw, original.image.config.raw);
        assert_eq!(tree(&again), ["/etc/", "/etc/a two"]);
        assert_eq!(
            validate(&parsed, None).unwrap().len(),
            2,
            "the media types are the original's"
        );
    }
}

#[test]
fn every_platform_of_an_index_goes_into_a_directory_of_single_blobs() {
    let mut layout = Layout::new();
    let mut entries = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let plain = Tar::default().file("a", architecture).done();
        let mut document = config(&[&plain]);
        document["architecture"] = architecture.into();
        let mut entry = layout.image(&document, &[gzip(&plain)]);
        entry["platform"] = serde_json::json!({ "os": "linux", "architecture": architecture });
        entries.push(entry);
    }
    let index = serde_json::json!({
        "schemaVersion": 2, "mediaType": crate::make::INDEX, "manifests": entries,
    });
    let top = layout.blob(crate::make::INDEX, index.to_string().as_bytes());
    layout.list(top, Some("app:1"));
    let name = layout.done();
    let place = tempfile::tempdir().unwrap();
    let sink = Sink::parse(&format!("dir:{}", place.path().join("d").display())).unwrap();
    let how = WriteOptions::default();
    let copied = copy(&name, &sink, true, &Options::default(), &how).unwrap();
    assert_eq!((copied.manifests, copied.blobs), (2, 4));
    for architecture in ["amd64", "arm64"] {
        let options = Options {
            platform: Some(Platform::parse(&format!("linux/{architecture}")).unwrap()),
            ..Options::default()
        };
        let one = open(&sink.to_string(), &options).ok().unwrap();
        let other = open(&name, &options).ok().unwrap();
        assert_eq!(one.image.digest, other.image.digest);
        assert_eq!(tree(&one), [format!("/a {architecture}")]);
    }
    // And from there, whole, to where it came from.
    let back = Sink::parse(&format!("oci:{}:x", place.path().join("b").display())).unwrap();
    let again = copy(&sink.to_string(), &back, true, &Options::default(), &how).unwrap();
    assert_eq!(again, copied);
    // One platform takes the place of them all, and nothing of the other is left.
    let options = Options {
        platform: Some(Platform::parse("linux/arm64").unwrap()),
        ..Options::default()
    };
    let one = copy(&name, &sink, false, &options, &how).unwrap();
    assert_eq!((one.manifests, one.blobs), (1, 2));
    let left = std::fs::read_dir(place.path().join("d")).unwrap().count();
    assert_eq!(left, ["manifest.json", "version"].len() + one.blobs);
}

#[test]
fn what_has_no_manifest_gets_one_and_its_layers_are_compressed() {
    let (layout, layers) = image();
    let place = tempfile::tempdir().unwrap();
    let saved = place.path().join("saved.tar");
    // As `docker save` did it for ten years: plain layers, a configuration, no manifest.
    let plain: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let document = config(&plain).to_string();
    let manifest =
        r#"[{"Config":"c.json","RepoTags":["app:1"],"Layers":["0/layer.tar","1/layer.tar"]}]"#;
    let tar = Tar::default()
        .file("c.json", &document)
        .file("0/layer.tar", &layers[0])
        .file("1/layer.tar", &layers[1])
        .file("manifest.json", manifest);
    std::fs::write(&saved, tar.done()).unwrap();
    let sink = Sink::parse(&format!("oci:{}:x", place.path().join("layout").display())).unwrap();
    let name = saved.display().to_string();
    copy(
        &name,
        &sink,
        false,
        &Options::default(),
        &WriteOptions::default(),
    )
    .unwrap();
    assert_eq!(validate(&sink, None).unwrap(), []);
    let image = opened(&sink.to_string()).image;
    assert_eq!(image.config.raw, document.as_bytes());
    let ids: Vec<_> = layers
        .iter()
        .map(|layer| crate::make::digest(layer))
        .collect();
    assert_eq!(
        image
            .layers
            .iter()
            .map(|layer| layer.diff_id)
            .collect::<Vec<_>>(),
        ids
    );
    drop(layout);
}

#[test]
fn a_blob_that_lies_is_not_copied() {
    let (layout, layers) = image();
    let name = layout.done();
    let stored = crate::make::digest(&gzip(&layers[0]));
    let mut bytes = std::fs::read(layout.blob_path(&stored)).unwrap();
    bytes[20] ^= 1;
    std::fs::write(layout.blob_path(&stored), bytes).unwrap();
    let place = tempfile::tempdir().unwrap();
    let target = place.path().join("layout");
    let sink = Sink::parse(&format!("oci:{}:x", target.display())).unwrap();
    let error = copy(
        &name,
        &sink,
        false,
        &Options::default(),
        &WriteOptions::default(),
    );
    assert!(matches!(error, Err(Error::Mismatch { .. })), "{error:?}");
    assert!(!target.exists(), "nothing is left of it");
}

#[test]
fn one_layer_says_what_it_writes_and_what_it_takes_away() {
    let (layout, _) = image();
    let name = layout.done();
    let layer = open_layer(&name, 1, &Options::default()).ok().unwrap();
    assert_eq!(layer.removed, [ImagePath::new("/b")]);
    let body = layer.rootfs.read(&ImagePath::new("/etc/a"), 10).unwrap();
    assert_eq!(body, b"two");
    assert_eq!(layer.rootfs.tree.get("/etc/a").unwrap().layer, 1);
    let error = open_layer(&name, 2, &Options::default()).err().unwrap();
    assert!(error.to_string().contains("layers 0 to 1"), "{error}");
    let stored = Stored::new(&Tar::default().file("x", "1").done());
    let alone = open_layer(&format!("tar:{}", stored.name()), 0, &Options::default());
    assert!(alone.ok().unwrap().rootfs.tree.contains("/x"));
}

//! Places an image can be read from besides layouts and archives: a directory of single blobs, the
//! store of Podman and Buildah; and layers nobody has.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plimsoll_image::Error;
use serde_json::json;

use crate::make::{
    CONFIG, LAYER, Layout, MANIFEST, Tar, config, digest, gzip, opened, refused, tree,
};

#[test]
fn a_directory_of_single_blobs_is_an_image() {
    let plain = Tar::default().file("a", "x").done();
    let stored = gzip(&plain);
    let config = config(&[&plain]).to_string();
    let place = tempfile::tempdir().unwrap();
    let put = |bytes: &[u8]| {
        let digest = digest(bytes);
        std::fs::write(place.path().join(digest.hex()), bytes).unwrap();
        json!({ "digest": digest.to_string(), "size": bytes.len(), "mediaType": LAYER })
    };
    let mut described = put(config.as_bytes());
    described["mediaType"] = json!(CONFIG);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": [put(&stored)],
    });
    let manifest = manifest.to_string();
    std::fs::write(place.path().join("manifest.json"), &manifest).unwrap();
    std::fs::write(
        place.path().join("version"),
        "Directory Transport Version: 1.1\n",
    )
    .unwrap();
    let path = place.path().display().to_string();
    for name in [path.clone(), format!("dir:{path}")] {
        let image = opened(&name);
        assert_eq!(tree(&image), ["/a x"]);
        assert_eq!(image.image.digest, digest(manifest.as_bytes()));
    }
    // An index above it, as `skopeo copy --all` writes it.
    let top = digest(manifest.as_bytes());
    std::fs::write(
        place.path().join(format!("{}.manifest.json", top.hex())),
        &manifest,
    )
    .unwrap();
    let platform = json!({ "os": "linux", "architecture": "amd64" });
    let index = json!({ "schemaVersion": 2, "manifests": [{
        "mediaType": MANIFEST, "digest": top.to_string(), "size": manifest.len(), "platform": platform,
    }] });
    std::fs::write(place.path().join("manifest.json"), index.to_string()).unwrap();
    assert_eq!(opened(&path).image.digest, top);
    // Other programs have files of these names too.
    let version = place.path().join("version");
    std::fs::write(&version, "1.1\n").unwrap();
    let refused_as = refused(&path);
    assert!(
        matches!(refused_as, Error::NotAnImage { .. }),
        "{refused_as}"
    );
    std::fs::write(&version, "Directory Transport Version: 2.0\n").unwrap();
    for name in [path.clone(), format!("dir:{path}")] {
        let error = refused(&name);
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains("its version is 2.0"), "{error}");
    }
    std::fs::write(&version, "Directory Transport Version: 1.2\n").unwrap();
    assert_eq!(opened(&path).image.digest, top);
    // A blob that is another is none.
    let blob = place.path().join(digest(&stored).hex());
    std::fs::write(&blob, gzip(&Tar::default().file("a", "y").done())).unwrap();
    assert!(matches!(refused(&path), Error::Mismatch { .. }));
    std::fs::remove_file(blob).unwrap();
    assert!(matches!(refused(&path), Error::Missing { .. }));
}

#[test]
fn a_layer_that_is_kept_elsewhere_is_refused_with_the_reason() {
    for media_type in [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ] {
        let plain = Tar::default().file("a", "x").done();
        let mut layout = Layout::new();
        let config = layout.blob(CONFIG, config(&[&plain]).to_string().as_bytes());
        let layer = json!({
            "mediaType": media_type, "digest": digest(&plain).to_string(), "size": plain.len(),
            "urls": ["https://example.com/layer"],
        });
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
        let entry = layout.blob(MANIFEST, manifest.to_string().as_bytes());
        layout.list(entry, None);
        let error = refused(&layout.done());
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains("a foreign layer"), "{error}");
    }
}

/// A store as Podman and Buildah keep it, with one image of two layers; answers its directory.
fn store(layers: &[Vec<(&str, &[u8])>]) -> tempfile::TempDir {
    let store = tempfile::tempdir().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = store.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let mut tars: Vec<Vec<u8>> = Vec::new();
    let mut listed = Vec::new();
    for (number, files) in layers.iter().enumerate() {
        let id = format!("{number}a").repeat(32);
        let mut tar = Tar::default();
        let mut pieces = Vec::new();
        for (name, body) in files {
            let before = tar.clone().unended().len();
            tar = tar.file(name, body);
            let whole = tar.clone().unended();
            let segment =
                |bytes: &[u8]| json!({ "type": 2, "payload": STANDARD.encode(bytes) }).to_string();
            pieces.push(segment(&whole[before..before + 512]));
            pieces.push(
                json!({ "type": 1, "name": name, "size": body.len(), "payload": "AAAA" })
                    .to_string(),
            );
            pieces.push(segment(&whole[before + 512 + body.len()..]));
            write(&format!("overlay/{id}/diff/{name}"), body);
        }
        pieces.push(json!({ "type": 2, "payload": STANDARD.encode([0; 1024]) }).to_string());
        write(
            &format!("overlay-layers/{id}.tar-split.gz"),
            &gzip(pieces.join("\n").as_bytes()),
        );
        let parent = match number {
            0 => json!(null),
            number => json!(format!("{}a", number - 1).repeat(32)),
        };
        listed.push(json!({ "id": id, "parent": parent }));
        tars.push(tar.done());
    }
    write(
        "overlay-layers/layers.json",
        json!(listed).to_string().as_bytes(),
    );
    let plain: Vec<&[u8]> = tars.iter().map(Vec::as_slice).collect();
    let config = config(&plain).to_string();
    let layers: Vec<_> = tars
        .iter()
        .map(|tar| json!({ "mediaType": LAYER, "digest": digest(tar).to_string(), "size": tar.len() }))
        .collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": layers,
        "config": { "mediaType": CONFIG, "digest": digest(config.as_bytes()).to_string(), "size": config.len() },
    });
    let id = digest(config.as_bytes()).hex();
    let key = format!("={}", STANDARD.encode(format!("sha256:{id}")));
    write(
        &format!("overlay-images/{id}/manifest"),
        manifest.to_string().as_bytes(),
    );
    write(&format!("overlay-images/{id}/{key}"), config.as_bytes());
    let top = listed.last().unwrap()["id"].clone();
    let images = json!([{ "id": id, "names": ["localhost/app:1"], "layer": top }]);
    write("overlay-images/images.json", images.to_string().as_bytes());
    store
}

fn named(store: &Path, name: &str) -> String {
    format!(
        "containers-storage:[overlay@{}+/run]{name}",
        store.display()
    )
}

#[test]
fn an_image_in_the_store_of_podman_is_put_together_again() {
    let store = store(&[
        vec![("a", &b"one"[..]), ("b", b"")],
        vec![("a", &b"two"[..]), ("c", b"three")],
    ]);
    for name in ["localhost/app:1", "app:1", "1"] {
        let image = opened(&named(store.path(), name));
        assert_eq!(tree(&image), ["/a two", "/b ", "/c three"], "{name}");
        assert_eq!(image.image.layers.len(), 2);
    }
    let error = refused(&named(store.path(), "other"));
    assert!(
        error.to_string().contains("it holds localhost/app:1"),
        "{error}"
    );
    // What lies there was changed behind the store's back: not the image any more.
    let changed = store
        .path()
        .join(format!("overlay/{}/diff/a", "1a".repeat(32)));
    std::fs::write(&changed, b"TWO").unwrap();
    assert!(matches!(
        refused(&named(store.path(), "app:1")),
        Error::Mismatch { .. }
    ));
    // A link in the way leads nowhere, least of all to this machine's files.
    std::fs::remove_file(&changed).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &changed).unwrap();
    assert!(matches!(
        refused(&named(store.path(), "app:1")),
        Error::Io { .. }
    ));
}

#[test]
fn the_driver_that_is_named_is_the_one_that_is_read() {
    let store = store(&[vec![("a", &b"one"[..])]]);
    let root = store.path().display().to_string();
    let by = |driver: &str| format!("containers-storage:[{driver}{root}+/run]app:1");
    let digest = opened(&by("overlay@")).image.digest;
    let error = refused(&by("vfs@")).to_string();
    assert!(
        error.contains("there is no vfs-images/images.json"),
        "{error}"
    );
    let error = refused(&by("btrfs@")).to_string();
    assert!(error.contains("of the driver btrfs"), "{error}");
    // Another driver was used there too, for other images.
    std::fs::create_dir_all(store.path().join("vfs/dir")).unwrap();
    std::fs::create_dir(store.path().join("vfs-images")).unwrap();
    std::fs::write(store.path().join("vfs-images/images.json"), "[]").unwrap();
    let error = refused(&by("vfs@")).to_string();
    assert!(error.contains("none of its images has a name"), "{error}");
    for driver in ["overlay@", "", "@"] {
        assert_eq!(opened(&by(driver)).image.digest, digest, "{driver}");
    }
    std::fs::rename(store.path().join("overlay"), store.path().join("overlay2")).unwrap();
    assert_eq!(opened(&by("overlay2@")).image.digest, digest);
}

#[test]
fn a_store_of_nonsense_is_refused() {
    let store = store(&[vec![("a", &b"one"[..])]]);
    let layers = store.path().join("overlay-layers/layers.json");
    let id = "0a".repeat(32);
    for (text, kind) in [
        (format!(r#"[{{"id":"{id}","parent":"{id}"}}]"#), "ring"),
        ("[]".to_owned(), "does not list it"),
        ("nonsense".to_owned(), "malformed"),
        (
            r#"[{"id":"../../etc","parent":""}]"#.to_owned(),
            "does not list it",
        ),
    ] {
        std::fs::write(&layers, text).unwrap();
        let error = refused(&named(store.path(), "app:1")).to_string();
        assert!(error.contains(kind), "{error}");
    }
    std::fs::write(&layers, format!(r#"[{{"id":"{id}"}}]"#)).unwrap();
    opened(&named(store.path(), "app:1"));
    let split = store
        .path()
        .join(format!("overlay-layers/{id}.tar-split.gz"));
    let mut cut = std::fs::File::create(&split).unwrap();
    cut.write_all(&gzip(b"{\"type\":2,\"payl")).unwrap();
    assert!(matches!(
        refused(&named(store.path(), "app:1")),
        Error::Malformed { .. }
    ));
    std::fs::remove_file(split).unwrap();
    assert!(matches!(
        refused(&named(store.path(), "app:1")),
        Error::Unsupported { .. }
    ));
}

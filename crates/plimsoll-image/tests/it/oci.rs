//! OCI layouts, as directories and as archives.

use plimsoll_image::{Error, Options, Platform, open};
use serde_json::json;

use crate::make::{
    CONFIG, INDEX, LAYER, Layout, MANIFEST, Stored, Tar, config, config_for, digest, listing,
    opened, refused, tree,
};

fn layer(body: &str) -> Vec<u8> {
    Tar::default().file("a", body).done()
}

/// Puts a layout into a tar file.
fn packed(layout: &Layout) -> Stored {
    let mut tar = Tar::default();
    for name in listing(layout.dir.path()) {
        let path = layout.dir.path().join(&name);
        tar = match path.is_dir() {
            true => tar.dir(&name),
            false => tar.file(&name, std::fs::read(path).unwrap()),
        };
    }
    Stored::new(&tar.done())
}

#[test]
fn one_image_needs_no_name_in_a_directory_or_an_archive() {
    let mut layout = Layout::new();
    let image = layout.plain(&[layer("one")]);
    layout.list(image.clone(), None);
    let name = layout.done();
    let stored = packed(&layout);
    for name in [
        name.clone(),
        name.strip_prefix("oci:").unwrap().to_owned(),
        stored.name(),
        format!("oci-archive:{}", stored.name()),
    ] {
        let opened = opened(&name);
        assert_eq!(tree(&opened), ["/a one"]);
        assert_eq!(opened.image.digest.to_string(), image["digest"]);
        assert_eq!(opened.image.name, name);
    }
}

#[test]
fn an_image_is_chosen_by_name_or_digest() {
    let mut layout = Layout::new();
    let (one, two) = (layout.plain(&[layer("one")]), layout.plain(&[layer("two")]));
    layout.list(one.clone(), Some("1"));
    layout.list(two.clone(), Some("docker.io/library/app:2"));
    let name = layout.done();
    let Error::Ambiguous { choices, .. } = refused(&name) else {
        panic!("not ambiguous");
    };
    assert_eq!(choices, ["1", "docker.io/library/app:2"]);
    for (choice, content) in [
        (":1".to_owned(), "/a one"),
        (":docker.io/library/app:2".to_owned(), "/a two"),
        (":app:2".to_owned(), "/a two"),
        (format!("@{}", one["digest"].as_str().unwrap()), "/a one"),
        (format!("@{}", two["digest"].as_str().unwrap()), "/a two"),
    ] {
        assert_eq!(
            tree(&opened(&format!("{name}{choice}"))),
            [content],
            "{choice}"
        );
    }
    let error = refused(&format!("{name}:3")).to_string();
    assert!(
        error.contains("it holds 1, docker.io/library/app:2"),
        "{error}"
    );
    assert!(matches!(
        refused(&format!("{name}@sha256:00")),
        Error::Name { .. }
    ));
    let none = format!("{name}@{}", digest(b"none"));
    assert!(matches!(refused(&none), Error::Missing { .. }));
}

#[test]
fn one_image_under_two_names_is_not_ambiguous() {
    let mut layout = Layout::new();
    let image = layout.plain(&[layer("one")]);
    layout.list(image.clone(), Some("1"));
    let mut other = image;
    other["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    layout.list(other, Some("2"));
    assert_eq!(tree(&opened(&layout.done())), ["/a one"]);
}

/// An index of two platforms and an attestation, one index deeper.
fn multi_platform() -> Layout {
    let mut layout = Layout::new();
    let mut inner = Vec::new();
    for (architecture, variant) in [("amd64", None), ("arm64", Some("v8"))] {
        let plain = layer(architecture);
        let mut entry = layout.image(&config_for(architecture, &[&plain]), &[plain]);
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        if let Some(variant) = variant {
            entry["platform"]["variant"] = json!(variant);
        }
        inner.push(entry);
    }
    let mut attestation = layout.blob(MANIFEST, b"{}");
    attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    inner.push(attestation);
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": inner });
    let index = layout.blob(INDEX, index.to_string().as_bytes());
    layout.list(index, Some("latest"));
    layout
}

#[test]
fn the_platform_chooses_among_those_there_are() {
    let layout = multi_platform();
    let name = layout.done();
    for (platform, content) in [("amd64", "/a amd64"), ("linux/arm64/v8", "/a arm64")] {
        let options = Options {
            platform: Some(Platform::parse(platform).unwrap()),
            ..Options::default()
        };
        let opened = open(&name, &options).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(tree(&opened), [content]);
    }
    let options = Options {
        platform: Some(Platform::parse("linux/s390x").unwrap()),
        ..Options::default()
    };
    let Err(error) = open(&name, &options) else {
        panic!("opened");
    };
    let text = error.to_string();
    assert!(text.contains("linux/s390x"), "{text}");
    assert!(
        text.contains("it holds only linux/amd64, linux/arm64/v8"),
        "{text}"
    );
}

#[test]
fn the_only_image_is_taken_unless_another_platform_was_asked_for() {
    let mut layout = Layout::new();
    let plain = layer("x");
    // A platform that is nobody's own, said by the configuration alone.
    let entry = layout.image(&config_for("mips64le", &[&plain]), &[plain]);
    layout.list(entry, None);
    let name = layout.done();
    assert_eq!(opened(&name).image.config.architecture, "mips64le");
    let options = Options {
        platform: Some(Platform::parse("linux/amd64").unwrap()),
        ..Options::default()
    };
    let Err(error) = open(&name, &options) else {
        panic!("opened");
    };
    assert!(
        error.to_string().contains("it holds only linux/mips64le"),
        "{error}"
    );
}

#[test]
fn platforms_the_entries_do_not_say_are_looked_up() {
    let mut layout = Layout::new();
    for architecture in ["amd64", "arm64"] {
        let plain = layer(architecture);
        let entry = layout.image(&config_for(architecture, &[&plain]), &[plain]);
        layout.list(entry, None);
    }
    let options = Options {
        platform: Some(Platform::parse("arm64").unwrap()),
        ..Options::default()
    };
    let opened = open(&layout.done(), &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(tree(&opened), ["/a arm64"]);
}

#[test]
fn dockers_media_types_and_none_at_all_are_understood() {
    let plain = layer("one");
    for (config_type, layer_type) in [
        (
            Some("application/vnd.docker.container.image.v1+json"),
            Some("application/vnd.docker.image.rootfs.diff.tar.gzip"),
        ),
        (None, None),
    ] {
        let mut layout = Layout::new();
        let mut config = layout.blob(CONFIG, config(&[&plain]).to_string().as_bytes());
        let mut layer = layout.blob(LAYER, &plain);
        for (entry, media_type) in [(&mut config, config_type), (&mut layer, layer_type)] {
            match media_type {
                Some(media_type) => entry["mediaType"] = json!(media_type),
                None => drop(entry.as_object_mut().unwrap().remove("mediaType")),
            }
        }
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
        let entry = layout.blob(
            "application/vnd.oci.descriptor.v1+json",
            manifest.to_string().as_bytes(),
        );
        layout.list(entry, None);
        assert_eq!(tree(&opened(&layout.done())), ["/a one"]);
    }
}

#[test]
fn an_index_that_is_none_is_malformed() {
    let layout = Layout::new();
    for bytes in [
        &b""[..],
        b"foobar",
        b"{}",
        b"[]",
        b"null",
        br#"{"manifests":[]}"#,
        br#"{"manifests":{}}"#,
        br#"{"schemaVersion":2,"config":{},"layers":[]}"#,
    ] {
        let error = refused(&layout.raw_index(bytes));
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    }
    std::fs::remove_file(layout.dir.path().join("index.json")).unwrap();
    std::fs::create_dir(layout.dir.path().join("index.json")).unwrap();
    let error = refused(&layout.dir.path().display().to_string());
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[test]
fn indexes_nested_without_end_and_manifests_of_two_meanings_are_malformed() {
    let mut layout = Layout::new();
    let mut entry = layout.plain(&[layer("one")]);
    for _ in 0..10 {
        let index = json!({ "manifests": [entry] });
        entry = layout.blob(INDEX, index.to_string().as_bytes());
    }
    layout.list(entry, None);
    assert!(matches!(refused(&layout.done()), Error::Malformed { .. }));

    let mut layout = Layout::new();
    let image = layout.plain(&[layer("one")]);
    let both = json!({ "manifests": [image], "layers": [], "config": {} });
    let entry = layout.blob(MANIFEST, both.to_string().as_bytes());
    layout.list(entry, None);
    assert!(matches!(refused(&layout.done()), Error::Malformed { .. }));
}

#[test]
fn what_is_not_there_is_named() {
    let mut layout = Layout::new();
    let image = layout.plain(&[layer("one")]);
    let layer = digest(&layer("one"));
    layout.list(image.clone(), None);
    let name = layout.done();
    std::fs::remove_file(layout.blob_path(&layer)).unwrap();
    let error = refused(&name);
    assert!(matches!(error, Error::Missing { .. }), "{error}");
    assert!(error.to_string().contains(&layer.to_string()), "{error}");
    let manifest = image["digest"].as_str().unwrap().parse().unwrap();
    std::fs::remove_file(layout.blob_path(&manifest)).unwrap();
    assert!(matches!(refused(&name), Error::Missing { .. }));
}

#[test]
fn things_that_are_no_container_images_are_named() {
    for (media_type, kind) in [
        ("application/vnd.cncf.helm.config.v1+json", "a Helm chart"),
        ("application/vnd.oci.empty.v1+json", "an artifact"),
        ("application/x-nobody-knows", "application/x-nobody-knows"),
    ] {
        let mut layout = Layout::new();
        let config = layout.blob(media_type, b"{}");
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [] });
        let entry = layout.blob(MANIFEST, manifest.to_string().as_bytes());
        layout.list(entry, None);
        let error = refused(&layout.done());
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(kind), "{error}");
    }
    let mut layout = Layout::new();
    let entry = layout.blob(MANIFEST, br#"{"schemaVersion":1,"fsLayers":[]}"#);
    layout.list(entry, None);
    assert!(refused(&layout.done()).to_string().contains("schema 1"));
}

#[test]
fn a_document_that_was_tampered_with_is_refused() {
    for grow in [false, true] {
        let mut layout = Layout::new();
        let image = layout.plain(&[layer("one")]);
        layout.list(image.clone(), None);
        let name = layout.done();
        let path = layout.blob_path(&image["digest"].as_str().unwrap().parse().unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        if grow {
            bytes.push(b' ');
        } else {
            let at = bytes.len() - 1;
            bytes[at] = b' ';
        }
        std::fs::write(path, bytes).unwrap();
        let error = refused(&name);
        let Error::Mismatch {
            what,
            expected,
            found,
        } = &error
        else {
            panic!("{error}");
        };
        assert!(
            what.contains(if grow { "size" } else { "digest" }),
            "{what}"
        );
        assert_ne!(expected, found);
    }
}

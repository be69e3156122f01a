//! An archive with an image in it, as a file.

use std::io::Write as _;

use plimsoll_image::{Limits, Options, open_within};
use sha2::{Digest as _, Sha256};

use crate::Target;
use crate::make::{BETWEEN, parts, tar};

pub(crate) static TARGET: Target = Target {
    id: "archive",
    summary: "an image: its documents, its layers, the archive around them",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let layer = tar(&[("/etc/os-release", b"ID=debian\n"), ("/app", b"\x7fELF")]);
    let config = br#"{"architecture":"amd64","os":"linux","config":{"Cmd":["/app"]},"rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"x"}]}"#;
    let manifest = br#"[{"Config":"config.json","RepoTags":["a:b"],"Layers":["layer.tar"]}]"#;
    let whole = tar(&[
        ("/manifest.json", manifest),
        ("/config.json", config),
        ("/layer.tar", &layer),
    ]);
    vec![[config, BETWEEN, b"tar", BETWEEN, &*layer].concat(), whole]
}

/// An input in parts is a configuration, the end of the layer's media type and the layer, and an
/// OCI layout is made around them whose digests are right; any other is the archive itself.
fn run(data: &[u8]) {
    let parts = parts(data);
    let made;
    let archive = match parts.as_slice() {
        [config, media, layer] => {
            made = layout(config, media, layer);
            &made
        }
        _ => data,
    };
    let Ok(mut file) = tempfile::NamedTempFile::new() else {
        return;
    };
    if file.write_all(archive).is_err() {
        return;
    }
    let Some(name) = file.path().to_str() else {
        return;
    };
    let limits = Limits {
        uncompressed: 8 << 20,
        layer_floor: 4 << 20,
        ..Limits::default()
    };
    let Ok(opened) = open_within(name, &Options::default(), &limits) else {
        return;
    };
    for (path, node) in opened.rootfs.tree.iter() {
        assert!(path.as_bytes().starts_with(b"/"), "{path:?}");
        if node.is_file() {
            // What is in the tree can be read, all of it.
            let read = opened.rootfs.read(path, node.size());
            assert_eq!(read.map(|bytes| bytes.len() as u64).ok(), Some(node.size()));
        }
    }
}

fn layout(config: &[u8], media: &[u8], layer: &[u8]) -> Vec<u8> {
    let digest = |bytes: &[u8]| {
        let hex = Sha256::digest(bytes);
        hex.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let blob = |bytes: &[u8], media: &str| {
        let media = serde_free(media);
        let (digest, size) = (digest(bytes), bytes.len());
        format!(r#"{{"mediaType":"{media}","digest":"sha256:{digest}","size":{size}}}"#)
    };
    let config_blob = blob(config, "application/vnd.oci.image.config.v1+json");
    let media = format!(
        "application/vnd.oci.image.layer.v1.{}",
        String::from_utf8_lossy(media)
    );
    let layer_blob = blob(layer, &media);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config_blob},"layers":[{layer_blob}]}}"#
    );
    let listed = blob(
        manifest.as_bytes(),
        "application/vnd.oci.image.manifest.v1+json",
    );
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{listed}]}}"#);
    let place = |bytes: &[u8]| format!("/blobs/sha256/{}", digest(bytes));
    tar(&[
        ("/oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        ("/index.json", index.as_bytes()),
        (&place(manifest.as_bytes()), manifest.as_bytes()),
        (&place(config), config),
        (&place(layer), layer),
    ])
}

/// A word that can stand in a JSON string as it is.
fn serde_free(word: &str) -> String {
    word.chars()
        .filter(|&one| !one.is_control() && one != '"' && one != '\\')
        .collect()
}

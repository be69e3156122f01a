//! Chains of well-known images, as their histories really look.

use plimsoll_model::config::History;
use plimsoll_model::fixture::Fixture;
use plimsoll_model::{Blob, Descriptor, Digest, Layer};

use super::*;

/// A chain as text: `name @layers`, nearest first.
fn chain(history: &[(&str, &str)], tree: &str, edit: impl FnOnce(&mut Image)) -> Vec<String> {
    let fixture = Fixture::bare(tree);
    let mut image = fixture.image;
    let steps = history.iter().map(|(kind, text)| History {
        created_by: Some((*text).to_owned()),
        empty_layer: *kind == "E",
        ..History::default()
    });
    image.config.history = steps.collect();
    let layers = history.iter().filter(|(kind, _)| *kind == "L").count();
    let layer = Layer {
        blob: Blob {
            descriptor: Descriptor {
                media_type: String::new(),
                digest: Digest::from_bytes([0; 32]),
                size: 0,
            },
            bytes: std::sync::Arc::new(std::sync::Arc::<[u8]>::from(&b""[..])),
        },
        diff_id: Digest::from_bytes([0; 32]),
        uncompressed_size: 0,
        created_by: None,
    };
    image.layers = vec![layer; layers];
    edit(&mut image);
    let lineage = lineage(&image, &fixture.rootfs);
    lineage
        .ancestors
        .iter()
        .map(|ancestor| match ancestor.layers {
            Some(layers) => format!("{} @{layers}", ancestor.name),
            None => ancestor.name.clone(),
        })
        .collect()
}

const DEBIAN: (&str, &str) = (
    "L",
    "# debian.sh --arch 'amd64' out/ 'bookworm' '@1789689600'",
);
const OS_RELEASE: &str = r#"/usr/lib/os-release 0644 "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"
/etc/os-release -> ../usr/lib/os-release"#;

#[test]
fn httpd_stands_on_debian_stands_on_scratch() {
    let history = [
        DEBIAN,
        ("E", "CMD [\"bash\"]"),
        ("E", "ENV HTTPD_VERSION=2.4.68"),
        ("L", "RUN /bin/sh -c apt-get install # buildkit"),
        ("E", "CMD [\"httpd-foreground\"]"),
    ];
    let found = chain(&history, OS_RELEASE, |_| {});
    assert_eq!(found, ["debian 12 (bookworm) @1", "scratch @0"]);
    let found = chain(&history, OS_RELEASE, |image| {
        let base = "docker.io/library/debian:bookworm-slim".to_owned();
        image.annotations.insert(BASE_NAME.to_owned(), base);
    });
    assert_eq!(found, ["debian:bookworm-slim @1", "scratch @0"]);
}

#[test]
fn an_image_on_an_official_image_has_two_ancestors() {
    let history = [
        DEBIAN,
        ("E", "/bin/sh -c #(nop)  CMD [\"bash\"]"),
        ("E", "/bin/sh -c #(nop)  ENV PYTHON_VERSION=3.12.1"),
        ("L", "RUN make install"),
        ("E", "CMD [\"python3\"]"),
        ("L", "COPY app / # buildkit"),
        ("E", "ENTRYPOINT [\"/app\"]"),
    ];
    let found = chain(&history, OS_RELEASE, |_| {});
    let expected = ["python 3.12.1 @2", "debian 12 (bookworm) @1", "scratch @0"];
    assert_eq!(found, expected);
    let found = chain(&history, OS_RELEASE, |image| {
        let base = "docker.io/library/python:3.12".to_owned();
        image.annotations.insert(BASE_NAME.to_owned(), base);
    });
    assert_eq!(found[0], "python:3.12 @2");
}

#[test]
fn a_builder_that_names_its_base_is_believed_about_the_place() {
    let history = [
        DEBIAN,
        ("E", "CMD [\"bash\"]"),
        ("L", "RUN one"),
        ("E", "ENTRYPOINT [\"/one\"]"),
        ("L", "RUN two"),
    ];
    let found = chain(&history, "", |image| {
        image.config.history[2].comment = Some("FROM docker.io/library/debian:12".into());
        image.config.history[4].comment = Some("FROM 0123456789ab".into());
        let base = "docker.io/library/debian:12".to_owned();
        image.annotations.insert(BASE_NAME.to_owned(), base);
    });
    assert_eq!(found, ["an unnamed image @2", "debian:12 @1", "scratch @0"]);
}

#[test]
fn a_base_image_itself_is_named_by_what_made_it() {
    let found = chain(&[DEBIAN, ("E", "CMD [\"bash\"]")], "", |_| {});
    assert_eq!(found, ["debian bookworm @1", "scratch @0"]);
    let alpine = (
        "L",
        "ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit",
    );
    let found = chain(&[alpine, ("L", "RUN x")], "", |_| {});
    assert_eq!(found, ["alpine 3.20.3 @1", "scratch @0"]);
}

#[test]
fn without_history_os_release_is_all_there_is() {
    assert_eq!(chain(&[], "", |_| {}), ["scratch @0"]);
    let found = chain(&[("L", "COPY . /")], OS_RELEASE, |_| {});
    assert_eq!(found, ["debian 12 (bookworm)", "scratch @0"]);
    let found = chain(&[("L", "a"), ("L", "b")], OS_RELEASE, |_| {});
    assert_eq!(found, ["debian 12 (bookworm) @1", "scratch @0"]);
}

#[test]
fn a_history_that_lies_about_layers_is_not_used() {
    let found = chain(&[DEBIAN, ("E", "CMD x"), ("L", "RUN x")], "", |image| {
        image.layers.truncate(1);
    });
    assert_eq!(found, ["scratch @0"]);
}

#[test]
fn a_name_chosen_by_a_stranger_cannot_forge_a_line() {
    let found = chain(&[("L", "x")], "", |image| {
        let base = "evil\u{1b}[2K\nscratch".to_owned();
        image.annotations.insert(BASE_NAME.to_owned(), base);
    });
    assert_eq!(found[0], "evil\\x1b[2K\\x0ascratch");
}

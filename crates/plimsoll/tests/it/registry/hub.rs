//! What Docker Hub says of an image, answered here by a server on loopback.

use std::fs;

use serde_json::Value;

use crate::db::{Answer, Server as Hub};
use crate::images::text;

use super::server::{Manner, Server};
use super::{good, image, run};

/// A registry that has `library/web:1` and `maker/web:1`, and a mirror's address for it.
fn registry(scratch: &std::path::Path) -> (Server, String) {
    let server = Server::start(Manner::default());
    let image = image(scratch);
    for name in ["library/web:1", "maker/web:1"] {
        let target = format!("docker://{}/{name}", server.host);
        good(scratch, &["copy", &image, &target]);
    }
    let mirror = format!("http://{}", server.host);
    (server, mirror)
}

fn answer(head: &str) -> Answer {
    let path = head.split(' ').nth(1).unwrap_or_default();
    Answer::ok(match path {
        "/v2/repositories/library/web/" => br#"{"name": "web", "last_updated": null, "more": []}"#,
        "/v2/repositories/library/web/tags/1/" => {
            br#"{"tag_last_pushed": "2024-02-29T01:02:03.456789Z", "tag_status": "stale"}"#
        }
        "/v2/repositories/maker/web/" => br#"{"last_updated": "2025-01-01T00:00:00Z"}"#,
        "/v2/repositories/maker/web/tags/1/" => br#"{"last_updated": "\u001b[2Jnever"}"#,
        "/v2/orgs/maker/" => br#"{"orgname": "maker", "badge": "verified_publisher"}"#,
        _ => return Answer::status("404 Not Found"),
    })
}

#[test]
fn the_hub_says_who_publishes_an_image_and_when_it_was_pushed() {
    let scratch = tempfile::tempdir().unwrap();
    let (server, mirror) = registry(scratch.path());
    let hub = Hub::start(answer);
    let ask = |name: &str| {
        let words = [
            "lineage",
            name,
            "--registry-mirror",
            &mirror,
            "--hub",
            &hub.address,
        ];
        good(scratch.path(), &words)
    };
    let said = ask("web:1");
    assert!(
        said.contains("web:1: an official image, says Docker Hub"),
        "{said}"
    );
    assert!(
        said.contains("web:1 was last pushed on 2024-02-29, "),
        "{said}"
    );
    let said = ask("maker/web:1");
    assert!(
        said.contains("published by maker, a verified publisher"),
        "{said}"
    );
    assert!(
        said.contains("does not say when it was last pushed"),
        "{said}"
    );
    // Programs have it in fields.
    let document = |name: &str| -> Value {
        let words = [
            "lineage",
            name,
            "--json",
            "--registry-mirror",
            &mirror,
            "--hub",
            &hub.address,
        ];
        serde_json::from_str(&good(scratch.path(), &words)).unwrap()
    };
    let publisher = &document("web:1")["image"]["publisher"];
    assert_eq!(publisher["standing"], "official");
    assert_eq!(publisher["repository"], "library/web");
    assert_eq!(publisher["pushed"], "2024-02-29");
    assert!(publisher["pushed_days"].as_i64().unwrap() > 600);
    let publisher = &document("maker/web:1")["image"]["publisher"];
    assert_eq!(
        (&publisher["name"], &publisher["standing"]),
        (&"maker".into(), &"verified".into())
    );
    assert_eq!(publisher["pushed"], Value::Null);
    // What is not of Docker Hub is nobody's business there.
    let elsewhere = format!("{}/maker/web:1", server.host);
    let said = good(
        scratch.path(),
        &["lineage", &elsewhere, "--hub", &hub.address],
    );
    assert!(!said.contains("Docker Hub"), "{said}");
}

#[test]
fn a_hub_that_does_not_answer_well_is_told_and_holds_nothing_up() {
    let scratch = tempfile::tempdir().unwrap();
    let (_server, mirror) = registry(scratch.path());
    let ask = |hub: &str| {
        let words = [
            "lineage",
            "web:1",
            "--registry-mirror",
            &mirror,
            "--hub",
            hub,
        ];
        let output = run(scratch.path(), &words);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        text(&output)
    };
    assert!(ask("none").contains("Docker Hub was not asked"));
    // Nobody listens there.
    let said = ask("http://127.0.0.1:9");
    assert!(
        said.contains("Docker Hub could not be asked about web:1"),
        "{said}"
    );
    let broken = Hub::start(|_| Answer::ok(b"<html>"));
    assert!(ask(&broken.address).contains("its answer is not understood"));
    let long = Hub::start(|_| Answer::ok(&vec![b' '; (1 << 20) + 1]));
    assert!(ask(&long.address).contains("has more than 1048576 bytes"));
    let busy = Hub::start(|_| Answer::status("429 Too Many Requests"));
    assert!(ask(&busy.address).contains("(429)"));
    let empty = Hub::start(|_| Answer::status("404 Not Found"));
    assert!(ask(&empty.address).contains("shows no such repository"));
    let other = Hub::start(|head| match head.contains("/tags/") {
        true => Answer::status("404 Not Found"),
        false => Answer::ok(b"{}"),
    });
    assert!(ask(&other.address).contains("has no such tag"));
}

#[test]
fn names_of_images_on_this_machine_are_not_sent_to_the_hub() {
    let scratch = tempfile::tempdir().unwrap();
    let (_server, mirror) = registry(scratch.path());
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&asked);
    let hub = Hub::start(move |head| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        answer(head)
    });
    let hub = ["--hub", &hub.address, "--registry-mirror", &mirror];
    let own = image(scratch.path());
    // A directory beside us, with the tag of an image in it, looks like a name of the Hub.
    good(scratch.path(), &["copy", &own, "oci:secret-project:1"]);
    good(
        scratch.path(),
        &["copy", &own, "docker-archive:secret.tar:web:1"],
    );
    fs::write(scratch.path().join("Dockerfile"), "FROM web:1\n").unwrap();
    let digest = fs::read_to_string(scratch.path().join("secret-project/index.json")).unwrap();
    let digest = digest.split("sha256:").nth(1).unwrap().get(..64).unwrap();
    for name in [
        "secret-project:1",
        "oci:secret-project:1",
        &format!("secret-project@sha256:{digest}"),
        "secret.tar:web:1",
        "secret.tar",
        "Dockerfile",
    ] {
        let said = good(scratch.path(), &[&["lineage", name][..], &hub].concat());
        assert!(!said.contains("says Docker Hub"), "{name}: {said}");
        assert!(
            !said.contains("could be asked") && !said.contains("was not asked"),
            "{name}: {said}"
        );
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0);
    let said = good(scratch.path(), &[&["lineage", "web:1"][..], &hub].concat());
    assert!(said.contains("says Docker Hub"), "{said}");
    assert!(asked.load(std::sync::atomic::Ordering::SeqCst) > 0);
}

//! What a user types: references, targets, platforms, digests, probes.

use plimsoll_image::{Platform, Reference, Sink};
use plimsoll_model::{Digest, ImagePath};
use plimsoll_run::Probe;

use crate::Target;

pub(crate) static TARGET: Target = Target {
    id: "names",
    summary: "references, targets, platforms, digests, paths and probes",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    [
        "docker.io/library/httpd:2.4@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "localhost:5000/a/b_c--d.e",
        "oci-archive:/a/b.tar:name:tag",
        "linux/arm64/v8",
        "http://:8080/a?b -X POST -H 'A: b' -d \"c\\r\\n\" status=200,204 crawl=50",
        "tcp:6379 send=\"PING\\r\\n\" expect=+PONG",
        "exec:/bin/a 'b c'",
        "/a/../b//./c",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn run(data: &[u8]) {
    let path = ImagePath::new(data);
    assert_eq!(ImagePath::new(path.as_bytes()), path);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // What is written from what was read is read the same way.
    if let Ok(reference) = Reference::parse(text) {
        // The tag that is meant where none is said is written out.
        let again = reference.to_string();
        let read = Reference::parse(&again).map(|reference| reference.to_string());
        assert_eq!(read.as_deref(), Ok(&*again));
    }
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
    }
    if let Ok(platform) = Platform::parse(text) {
        assert_eq!(Platform::parse(&platform.to_string()), Ok(platform));
    }
    if let Ok(probe) = Probe::parse(text) {
        let again = probe.to_string();
        assert!(Probe::parse(&again).is_ok(), "{again}");
    }
    let _ = Sink::parse(text);
}

//! What is fetched, byte by byte: the publisher's whole file, or the slice of one release that somebody
//! made of it for all.

use std::fmt::Write as _;
use std::fs;

use super::{Answer, Server, names, take};
use crate::images::{plimsoll, text};

/// Vulnerabilities of the made-up tracker; each is known in five releases.
const ROWS: usize = 4_000;
/// One release of Debian has some 48,000 and is at most 2 MB to fetch.
const FULL: usize = 48_000;
const BAR: usize = 2_000_000;

/// The tracker's file in its own form, with titles of as many words as it has.
fn tracker() -> String {
    let mut seed = 11_u64;
    let mut word = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut rest = (seed >> 40) % 6_000;
        let mut word = String::new();
        while word.is_empty() || rest > 0 {
            word.push_str(["ba", "ke", "li", "mo", "nu", "ra", "se", "to"][(rest % 8) as usize]);
            rest /= 8;
        }
        word
    };
    let mut json = String::from("{");
    for number in 0..ROWS {
        let words: Vec<String> = (0..35).map(|_| word()).collect();
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            json,
            "{comma}\"{}{number}\": {{\"CVE-20{}-{}\": {{\"description\": \"{}\", \"scope\": \"local\", \"releases\": {{",
            word(),
            10 + number % 17,
            1000 + number * 7919 % 60_000,
            words.join(" "),
        );
        for (at, release) in ["bullseye", "bookworm", "trixie", "forky", "sid"]
            .iter()
            .enumerate()
        {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(
                json,
                "{comma}\"{release}\": {{\"status\": \"resolved\", \"repositories\": {{\"{release}\": \"1.{number}-1\"}}, \
                 \"fixed_version\": \"1.{number}-1\", \"urgency\": \"not yet assigned\"}}"
            );
        }
        json.push_str("}}}");
    }
    json.push('}');
    json
}

#[test]
fn what_could_not_be_fetched_at_all_is_served_as_no_list() {
    let scratch = tempfile::tempdir().unwrap();
    let publisher = Server::start(|_| Answer::status("404 Not Found"));
    let mirror = format!("debian={}", publisher.address);
    let update = ["db", "update", "--for", "debian:12", "--mirror", &mirror];
    let output = plimsoll(scratch.path(), &[&update[..], &["-o", "served"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(!scratch.path().join("served/index.json").exists());
}

#[test]
fn whoever_takes_slices_fetches_a_release_and_whoever_serves_them_the_whole_list() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let tracker = tracker();
    let whole = tracker.len();
    let publisher = Server::start(move |head| match head {
        head if head.contains(".sha256") => Answer::status("404 Not Found"),
        head if head.contains("if-none-match") => Answer::status("304 Not Modified"),
        _ => Answer::ok(tracker.as_bytes()).header("ETag", "\"one\""),
    });
    let mirror = format!("debian={}", publisher.address);
    let serve = |served: &str| {
        let scopes = ["--for", "debian:12", "--for", "debian:13"];
        let command = [
            &["db", "update", "--mirror", &mirror, "-o", served],
            &scopes[..],
        ]
        .concat();
        let output = plimsoll(scratch, &command);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        text(&output)
    };
    // Made once for all, of one document for both releases.
    let said = serve("served");
    assert_eq!(publisher.sent(), whole);
    assert!(
        said.contains(&format!(
            "fetched {}",
            plimsoll_model::text::bytes(whole as u64)
        )),
        "{said}"
    );
    let served = scratch.join("served");
    assert_eq!(
        names(&served),
        ["debian@12.slice", "debian@13.slice", "index.json"]
    );
    assert!(!scratch.join("cache/advisories/debian@12.slice").exists());
    // Again: nothing is fetched, and the list says that somebody asked.
    let before = fs::read_to_string(served.join("index.json")).unwrap();
    assert!(serve("served").contains("fetched 0 B"));
    assert_eq!(publisher.sent(), 0);
    let after = fs::read_to_string(served.join("index.json")).unwrap();
    assert!(
        before.contains("\"checked\"") && after.contains("\"checked\""),
        "{after}"
    );
    // A client takes the list and the slice of its release.
    let server = Server::of(&served);
    let sent = || {
        take(scratch, &server);
        server.sent()
    };
    let fetched = sent();
    eprintln!(
        "{ROWS} advisories of one release: {fetched} bytes fetched, of {whole} that the tracker has"
    );
    assert!(fetched <= BAR * ROWS / FULL, "{fetched} bytes");
    assert!(fetched * 10 < whole, "{fetched} of {whole}");
    let list = fs::metadata(served.join("index.json")).unwrap().len() as usize;
    assert_eq!(sent(), list, "the list alone");
    // What is no slice is not served as one.
    let output = plimsoll(
        scratch,
        &["db", "update", "--for", "official-images", "-o", "served"],
    );
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

//! `db`: feeds served on loopback by servers that behave, and by servers that do not.

mod age;
mod served;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use crate::images::{Tar, command, layout, plimsoll, text};

const DEBIAN: &str = r#"{
  "zlib": {"CVE-2023-1": {"description": "a flaw", "releases": {
    "bookworm": {"status": "open", "urgency": "low"},
    "trixie": {"status": "resolved", "fixed_version": "1:1.3-1", "urgency": "low"}}}},
  "curl": {"CVE-2023-2": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "7.88", "urgency": "high"}}}}
}
"#;

const SECDB: &str = r#"{"distroversion": "v3.20", "reponame": "main", "packages": [
  {"pkg": {"name": "curl", "secfixes": {"8.9-r0": ["CVE-2024-1"]}}}]}
"#;

/// What a server answers to a request, whose head is given: status line, headers, body, and how many
/// bytes of the body before it hangs up.
pub(crate) struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    cut: Option<usize>,
}

impl Answer {
    pub(crate) fn ok(body: &[u8]) -> Self {
        Self {
            status: "200 OK",
            headers: Vec::new(),
            body: body.to_vec(),
            cut: None,
        }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn status(status: &'static str) -> Self {
        Self {
            status,
            ..Self::ok(b"")
        }
    }
}

/// A server on loopback; it ends with the test's process.
pub(crate) struct Server {
    pub(crate) address: String,
    /// The heads of all requests.
    requests: Arc<Mutex<Vec<String>>>,
    /// Bytes of all bodies that were sent.
    sent: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&requests);
        let sent = Arc::new(AtomicUsize::new(0));
        let bytes = Arc::clone(&sent);
        std::thread::spawn(move || {
            for stream in listener.incoming().take(100) {
                let stream = stream.unwrap();
                let head = head(&stream);
                heads.lock().unwrap().push(head.clone());
                let answer = answer(&head);
                let length = answer.cut.unwrap_or(answer.body.len());
                bytes.fetch_add(length, Ordering::Relaxed);
                send(stream, &answer);
            }
        });
        Self {
            address,
            requests,
            sent,
        }
    }

    /// Serves the files of a directory.
    fn of(directory: &Path) -> Self {
        let directory = directory.to_owned();
        Self::start(move |head| {
            let name = head.split(['/', ' ']).nth(2).unwrap_or_default();
            match fs::read(directory.join(name)) {
                Ok(bytes) => Answer::ok(&bytes),
                Err(_) => Answer::status("404 Not Found"),
            }
        })
    }

    /// How many bytes of bodies were sent since this was asked the last time.
    fn sent(&self) -> usize {
        self.sent.swap(0, Ordering::Relaxed)
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn head(stream: &TcpStream) -> String {
    let mut head = String::new();
    for line in BufReader::new(stream).lines().take(100) {
        let line = line.unwrap_or_default();
        if line.is_empty() {
            break;
        }
        head.push_str(&line.to_ascii_lowercase());
        head.push('\n');
    }
    head
}

fn send(mut stream: TcpStream, answer: &Answer) {
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status);
    if !answer.status.starts_with("304") {
        head.push_str(&format!("Content-Length: {}\r\n", answer.body.len()));
    }
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let _ = stream.write_all((head + "\r\n").as_bytes());
    let _ = stream.write_all(&answer.body[..answer.cut.unwrap_or(answer.body.len())]);
}

pub(crate) fn built(scratch: &Path) {
    fs::create_dir_all(scratch.join("feeds")).unwrap();
    fs::write(scratch.join("feeds/debian.json"), DEBIAN).unwrap();
    let output = plimsoll(
        scratch,
        &["db", "build", "--from", "feeds", "--date", "2026-11-20"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

pub(crate) fn slice(scratch: &Path, name: &str) -> Vec<u8> {
    fs::read(scratch.join("cache/advisories").join(name)).unwrap()
}

/// The files of the store, without what an update remembers.
fn names(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names
        .filter(|name| !name.ends_with(".fetched") && name != "partial")
        .collect();
    names.sort();
    names
}

fn update(scratch: &Path, server: &Server, scope: &str) -> Output {
    let mirrors =
        ["debian", "alpine", "osv", "kev", "epss"].map(|name| format!("{name}={}", server.address));
    let mut arguments = vec!["db", "update", "--for", scope];
    for mirror in &mirrors {
        arguments.extend(["--mirror", mirror]);
    }
    plimsoll(scratch, &arguments)
}

/// Takes the data of a release from a server of slices; answers what was said.
fn take(scratch: &Path, server: &Server) -> String {
    let scope = ["db", "update", "--for", "debian:12", "--mirror"];
    let output = plimsoll(scratch, &[&scope[..], &[&server.address]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    text(&output)
}

/// Fails, names what it is about, and leaves the old slice as it was.
pub(crate) fn refused(output: &Output, words: &[&str], scratch: &Path, before: &[u8]) {
    assert_eq!(output.status.code(), Some(2), "{}", text(output));
    let shown = text(output);
    for word in words.iter().chain(&["can be used"]) {
        assert!(shown.contains(word), "`{word}` is not in\n{shown}");
    }
    assert_eq!(slice(scratch, "debian@12.slice"), before);
    let status = plimsoll(scratch, &["db", "status"]);
    assert_eq!(status.status.code(), Some(0), "{}", text(&status));
}

#[test]
fn feeds_are_compiled_listed_and_carried_over() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let empty = plimsoll(scratch, &["db", "status"]);
    assert_eq!(empty.status.code(), Some(3), "{}", text(&empty));
    built(scratch);
    let status = plimsoll(scratch, &["db", "status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["slices"][0]["scope"], "debian:12");
    assert_eq!(status["slices"][0]["rows"], 2);
    assert_eq!(status["slices"][0]["date"], "2026-11-20");
    assert_eq!(status["slices"][0]["origins"][0]["feed"], "debian");
    assert_eq!(status["slices"][1]["scope"], "debian:13");
    let text_status = plimsoll(scratch, &["db", "status"]);
    assert!(
        text(&text_status).contains("2 advisories about 2 packages"),
        "{}",
        text(&text_status)
    );

    let exported = plimsoll(scratch, &["db", "export", "all.zip"]);
    assert_eq!(exported.status.code(), Some(0), "{}", text(&exported));
    let other = scratch.join("other");
    fs::create_dir(&other).unwrap();
    let imported = plimsoll(&other, &["db", "import", "../all.zip"]);
    assert_eq!(imported.status.code(), Some(0), "{}", text(&imported));
    let store = "cache/advisories";
    assert_eq!(names(&other.join(store)), names(&scratch.join(store)));
    assert_eq!(
        slice(&other, "debian@12.slice"),
        slice(scratch, "debian@12.slice")
    );

    // Cut or changed: refused, and nothing is imported.
    let archive = fs::read(scratch.join("all.zip")).unwrap();
    let third = scratch.join("third");
    fs::create_dir(&third).unwrap();
    let mut changed = archive.clone();
    changed[400] ^= 1;
    for bytes in [&archive[..archive.len() / 2], &changed] {
        fs::write(third.join("bad.zip"), bytes).unwrap();
        let output = plimsoll(&third, &["db", "import", "bad.zip"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains("bad.zip"), "{}", text(&output));
        assert!(!third.join(store).exists());
    }
}

#[test]
fn a_slice_that_was_damaged_is_said_to_be() {
    let scratch = tempfile::tempdir().unwrap();
    built(scratch.path());
    let path = scratch.path().join("cache/advisories/debian@12.slice");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let status = plimsoll(scratch.path(), &["db", "status"]);
    assert_eq!(status.status.code(), Some(3), "{}", text(&status));
    assert!(text(&status).contains("has digest"), "{}", text(&status));
    let export = plimsoll(scratch.path(), &["db", "export", "x.zip"]);
    assert_eq!(export.status.code(), Some(2), "{}", text(&export));
}

#[test]
fn a_bad_file_named_is_an_error_and_among_others_a_problem() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    built(scratch);
    let before = slice(scratch, "debian@12.slice");
    fs::write(scratch.join("cut.json"), &DEBIAN[..DEBIAN.len() / 2]).unwrap();
    let output = plimsoll(scratch, &["db", "build", "--from", "cut.json"]);
    refused(&output, &["cut.json", "cut short"], scratch, &before);
    fs::copy(scratch.join("cut.json"), scratch.join("feeds/cut.json")).unwrap();
    fs::write(scratch.join("feeds/README.md"), "read me").unwrap();
    let output = plimsoll(scratch, &["db", "build", "--from", "feeds"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(
        text(&output).contains("problem: feeds/cut.json: is cut short"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    built(scratch);
    let before = slice(scratch, "debian@12.slice");
    // Enough to need more than the 2 blocks that are left.
    let rows: String = (0..4000)
        .map(|number| format!("{{\"scope\": \"debian:12\", \"package\": \"p{number}\", \"id\": \"CVE-2024-{}\"}}\n", number * 7919 % 65_521))
        .collect();
    fs::write(scratch.join("rows.jsonl"), rows).unwrap();
    // A limit on the size of files stands for the full disk; the signal that goes with it is ignored.
    let script = "trap '' XFSZ; ulimit -f 2; exec \"$0\" db build --from rows.jsonl";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_plimsoll")])
        .current_dir(scratch)
        .env("PLIMSOLL_CACHE", scratch.join("cache"))
        .output()
        .unwrap();
    refused(
        &output,
        &["cannot write to the advisories"],
        scratch,
        &before,
    );
    let names = names(&scratch.join("cache/advisories"));
    assert_eq!(
        names,
        ["debian@12.slice", "debian@13.slice"],
        "nothing is left behind"
    );
}

#[test]
fn what_did_not_change_is_not_fetched_again() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(|head| {
        let validators = |answer: Answer| {
            answer
                .header("ETag", "\"one\"")
                .header("Last-Modified", "Fri, 20 Nov 2026 10:00:00 GMT")
        };
        match head {
            head if head.contains(".sha256") => Answer::status("404 Not Found"),
            head if head.contains("if-none-match: \"one\"") => {
                validators(Answer::status("304 Not Modified"))
            }
            _ => validators(Answer::ok(DEBIAN.as_bytes())),
        }
    });
    let first = update(scratch.path(), &server, "debian:12");
    assert_eq!(first.status.code(), Some(0), "{}", text(&first));
    assert!(
        text(&first).contains("2 advisories about 2 packages, of 2026-11-20"),
        "{}",
        text(&first)
    );
    let before = slice(scratch.path(), "debian@12.slice");
    server.requests();
    let second = update(scratch.path(), &server, "debian:12");
    assert_eq!(second.status.code(), Some(0), "{}", text(&second));
    assert!(text(&second).contains("(as before)"), "{}", text(&second));
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(
        requests[0].contains("if-modified-since: fri, 20 nov 2026"),
        "{requests:?}"
    );
    assert_eq!(slice(scratch.path(), "debian@12.slice"), before);
    // A slice that was lost is fetched whatever the notes say.
    fs::remove_file(scratch.path().join("cache/advisories/debian@12.slice")).unwrap();
    let third = update(scratch.path(), &server, "debian:12");
    assert_eq!(third.status.code(), Some(0), "{}", text(&third));
    assert_eq!(slice(scratch.path(), "debian@12.slice").len(), before.len());
}

#[test]
fn a_connection_that_drops_is_taken_up_where_it_broke_off() {
    let scratch = tempfile::tempdir().unwrap();
    let half = DEBIAN.len() / 2;
    let server = Server::start(move |head| {
        let body = DEBIAN.as_bytes();
        if head.contains(".sha256") {
            Answer::status("404 Not Found")
        } else if head.contains(&format!("range: bytes={half}-")) {
            assert!(head.contains("if-range: \"one\""));
            let range = format!("bytes {half}-{}/{}", body.len() - 1, body.len());
            Answer {
                status: "206 Partial Content",
                ..Answer::ok(&body[half..])
            }
            .header("Content-Range", &range)
        } else {
            Answer {
                cut: Some(half),
                ..Answer::ok(body).header("ETag", "\"one\"")
            }
        }
    });
    let output = update(scratch.path(), &server, "debian:12");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let requests = server.requests();
    assert_eq!(
        requests
            .iter()
            .filter(|head| head.contains("range: bytes="))
            .count(),
        1,
        "{requests:?}"
    );
    assert_eq!(
        fs::read_dir(scratch.path().join("cache/advisories/partial"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_feed_that_is_not_what_it_should_be_is_refused_by_name() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    built(scratch);
    let before = slice(scratch, "debian@12.slice");
    let body = DEBIAN.as_bytes();
    let with_sum = |sum: &'static str| {
        Server::start(move |head| {
            if head.contains("/json.sha256") {
                Answer::ok(sum.as_bytes())
            } else {
                Answer::ok(body)
            }
        })
    };
    // Always cut, and no ranges.
    let server = Server::start(move |_| Answer {
        cut: Some(100),
        ..Answer::ok(body)
    });
    let output = update(scratch, &server, "debian:12");
    refused(
        &output,
        &["/json", "was cut after 100 of"],
        scratch,
        &before,
    );
    // Cut where it was published.
    let server = Server::start(move |_| Answer::ok(&body[..200]));
    refused(
        &update(scratch, &server, "debian:12"),
        &["/json", "cut short"],
        scratch,
        &before,
    );
    // Another digest than the server says.
    let server = Server::start(move |_| Answer::ok(body).header("Repr-Digest", "sha-256=:AAAA:"));
    refused(
        &update(scratch, &server, "debian:12"),
        &["/json", "has sha-256"],
        scratch,
        &before,
    );
    // Another digest than the file beside it says.
    let server =
        with_sum("0000000000000000000000000000000000000000000000000000000000000000  json\n");
    refused(
        &update(scratch, &server, "debian:12"),
        &["/json", "has digest sha256:"],
        scratch,
        &before,
    );
    // A page in its place, nothing, an error, nobody.
    let server = Server::start(|_| Answer::ok(b"<html>please log in</html>"));
    refused(
        &update(scratch, &server, "debian:12"),
        &["/json", "is no feed"],
        scratch,
        &before,
    );
    let server = Server::start(|_| Answer::ok(b"{}"));
    refused(
        &update(scratch, &server, "debian:12"),
        &["/json"],
        scratch,
        &before,
    );
    let server = Server::start(|_| Answer::status("404 Not Found"));
    refused(
        &update(scratch, &server, "debian:12"),
        &["the server answered 404"],
        scratch,
        &before,
    );
    // With the right sum it goes.
    let sum: String = Sha256::digest(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let server = with_sum(Box::leak(format!("{sum}  json\n").into_boxed_str()));
    let output = update(scratch, &server, "debian:12");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn one_scope_that_fails_does_not_stop_the_others() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(|head| match head {
        head if head.contains(".sha256") => Answer::status("404 Not Found"),
        head if head.contains("v3.20/") => Answer::ok(SECDB.as_bytes()),
        _ => Answer::status("404 Not Found"),
    });
    let mirror = format!("alpine={}", server.address);
    let other = format!("osv={}", server.address);
    let arguments = [
        "--for",
        "alpine:3.20",
        "--for",
        "pypi",
        "--for",
        "wolfi",
        "--for",
        "void:1",
        "--mirror",
        &mirror,
        "--mirror",
        &other,
    ];
    let output = plimsoll(
        scratch.path(),
        &[&["db", "update"], &arguments[..]].concat(),
    );
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let shown = text(&output);
    for words in [
        "alpine:3.20",
        "PyPI/all.zip: the server answered 404",
        "--mirror wolfi=URL",
        "void:1: plimsoll knows of nobody",
    ] {
        assert!(shown.contains(words), "`{words}` is not in\n{shown}");
    }
    assert_eq!(
        names(&scratch.path().join("cache/advisories")),
        ["alpine@3.20.slice"]
    );
}

#[test]
fn slices_are_taken_from_where_they_are_served() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    fs::write(scratch.join("debian.json"), DEBIAN).unwrap();
    let build = plimsoll(
        scratch,
        &["db", "build", "--from", "debian.json", "-o", "served"],
    );
    assert_eq!(build.status.code(), Some(0), "{}", text(&build));
    let served = scratch.join("served");
    assert_eq!(
        names(&served),
        ["debian@12.slice", "debian@13.slice", "index.json"]
    );
    let serve = |change: bool| {
        let served = served.clone();
        Server::start(move |head| {
            let name = head.split(['/', ' ']).nth(2).unwrap_or_default();
            match fs::read(served.join(name)) {
                Ok(mut bytes) => {
                    if change && name.ends_with(".slice") {
                        let last = bytes.len() - 1;
                        bytes[last] ^= 1;
                    }
                    Answer::ok(&bytes)
                }
                Err(_) => Answer::status("404 Not Found"),
            }
        })
    };
    let take = |server: &Server, scope: &str| {
        plimsoll(
            scratch,
            &["db", "update", "--mirror", &server.address, "--for", scope],
        )
    };
    let server = serve(false);
    let output = take(&server, "debian:12");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let before = slice(scratch, "debian@12.slice");
    assert_eq!(before, fs::read(served.join("debian@12.slice")).unwrap());
    server.requests();
    assert!(text(&take(&server, "debian:12")).contains("(as before)"));
    assert_eq!(server.requests().len(), 1, "the list alone");
    let output = take(&server, "debian:11");
    assert!(
        text(&output).contains("has no slice of it"),
        "{}",
        text(&output)
    );
    // Changed on the way: refused.
    fs::write(scratch.join("more.json"), DEBIAN.replace("7.88", "7.89")).unwrap();
    let build = plimsoll(
        scratch,
        &["db", "build", "--from", "more.json", "-o", "served"],
    );
    assert_eq!(build.status.code(), Some(0), "{}", text(&build));
    refused(
        &take(&serve(true), "debian:12"),
        &["debian@12.slice", "has digest"],
        scratch,
        &before,
    );
    let output = take(&serve(false), "debian:12");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_ne!(slice(scratch, "debian@12.slice"), before);
}

#[test]
fn an_image_says_what_is_needed_for_it() {
    let scratch = tempfile::tempdir().unwrap();
    let release = "ID=debian\nVERSION_ID=\"12\"\n";
    let layer = Tar::default()
        .dir("etc", 0o755)
        .file("etc/os-release", 0o644, release.as_bytes())
        .finish();
    let image = layout(
        &scratch.path().join("image"),
        &serde_json::json!({}),
        &[layer],
    );
    let server = Server::start(|head| {
        match head {
        head if head.contains(".sha256") => Answer::status("404 Not Found"),
        head if head.contains("get /json") => Answer::ok(DEBIAN.as_bytes()),
        head if head.contains("known_exploited") => Answer::ok(
            br#"{"dateReleased": "2026-11-20T00:00:00Z", "vulnerabilities": [{"cveID": "CVE-2024-1", "dateAdded": "2026-11-20"}]}"#,
        ),
        head if head.contains("epss_scores") => Answer::ok(b"cve,epss,percentile\nCVE-2024-1,0.5,0.9\n"),
        _ => Answer::status("404 Not Found"),
    }
    });
    let mirrors: Vec<String> = ["debian", "osv", "kev", "epss"]
        .iter()
        .map(|name| format!("{name}={}", server.address))
        .collect();
    let mut arguments = vec!["db", "update", &image];
    for mirror in &mirrors {
        arguments.extend(["--mirror", mirror]);
    }
    let output = plimsoll(scratch.path(), &arguments);
    // Applications are not served here.
    assert!(
        text(&output).contains("Bitnami/all.zip: the server answered 404"),
        "{}",
        text(&output)
    );
    assert_eq!(
        names(&scratch.path().join("cache/advisories")),
        ["debian@12.slice", "epss.slice", "kev.slice"]
    );
    // So does a bill of materials of one.
    let bill = serde_json::json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {"type": "operating-system", "name": "debian", "version": "13"}]});
    fs::write(scratch.path().join("bill.json"), bill.to_string()).unwrap();
    arguments[2] = "bill.json";
    let output = plimsoll(scratch.path(), &arguments);
    let slices = names(&scratch.path().join("cache/advisories"));
    assert!(
        slices.contains(&"debian@13.slice".to_owned()),
        "{slices:?}: {}",
        text(&output)
    );
}

#[test]
fn proxies_are_used_where_the_environment_names_one() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Answer::status("403 Forbidden"));
    let output = command(scratch.path())
        .args(["db", "update", "--for", "debian:12"])
        .args(["--mirror", "debian=http://feeds.invalid"])
        .env("http_proxy", &server.address)
        .env("HTTP_PROXY", &server.address)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let requests = server.requests();
    assert!(
        requests.iter().any(|head| head.contains("feeds.invalid")),
        "{requests:?}"
    );
}

#[test]
fn a_long_answer_of_a_bad_server_ends() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(|_| {
        let mut nothing = Vec::new();
        std::io::repeat(b' ')
            .take(64 << 10)
            .read_to_end(&mut nothing)
            .unwrap();
        Answer {
            status: "200 OK\r\nContent-Length: 99999999999",
            ..Answer::ok(&nothing)
        }
    });
    let output = update(scratch.path(), &server, "debian:12");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

#[test]
fn the_cache_may_be_a_path_from_here() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("debian.json"), DEBIAN).unwrap();
    let output = command(scratch.path())
        .args(["db", "build", "--from", "debian.json"])
        .env("PLIMSOLL_CACHE", "here")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let slices = names(&scratch.path().join("here/advisories"));
    assert_eq!(slices, ["debian@12.slice", "debian@13.slice"]);
}

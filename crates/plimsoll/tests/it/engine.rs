//! Into an engine's store: an engine made here listens on a unix socket, as Docker and Podman do.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use crate::images::{Tar, command, layout, text};

/// How the engine behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As Docker: names images by the digest of their configuration.
    Docker,
    /// As Docker with containerd's store: by that of the manifest.
    Containerd,
    /// As Podman: without `sha256:`, and completes names.
    Podman,
    /// Has no room, and says so behind a good status.
    Full,
    /// Answers, and keeps another image.
    Liar,
}

/// What was asked, and the archives that were loaded.
#[derive(Default)]
pub(crate) struct Heard {
    requests: Vec<String>,
    archives: Vec<Vec<u8>>,
}

/// Starts an engine; it ends with the test.
pub(crate) fn engine(socket: &Path, manner: Manner) -> Arc<Mutex<Heard>> {
    let listener = UnixListener::bind(socket).unwrap();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let shared = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten().take(256) {
            serve(stream, manner, &shared);
        }
    });
    heard
}

fn serve(stream: UnixStream, manner: Manner, heard: &Mutex<Heard>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let request = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let (mut chunked, mut length) = (false, 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        chunked |= header == "transfer-encoding: chunked";
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).unwrap();
            let size = u64::from_str_radix(size.trim(), 16).unwrap();
            reader.by_ref().take(size).read_to_end(&mut body).unwrap();
            let mut end = [0; 2];
            reader.read_exact(&mut end).unwrap();
            if size == 0 {
                break;
            }
        }
    } else {
        reader.by_ref().take(length).read_to_end(&mut body).unwrap();
    }
    let mut heard = heard.lock().unwrap();
    heard.requests.push(request.clone());
    let answer = answer(&request, body, manner, &mut heard);
    let (status, text) = match heard.archives.last() {
        // What `save` gives is what was loaded last.
        Some(archive) if request.starts_with("GET /images/get?names=") => {
            ("200 OK", archive.clone())
        }
        _ => (answer.0, answer.1.into_bytes()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    let mut stream = stream;
    // A client that has heard enough may be gone.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&text);
}

fn answer(
    request: &str,
    body: Vec<u8>,
    manner: Manner,
    heard: &mut Heard,
) -> (&'static str, String) {
    let full = match manner {
        Manner::Podman => "localhost/web:slim",
        _ => "web:slim",
    };
    if request == "GET /_ping" {
        return ("200 OK", "OK".to_owned());
    }
    if request == "POST /images/load?quiet=1" {
        heard.archives.push(body);
        if manner == Manner::Full {
            let error = r#"{"errorDetail":{"message":"no space left"},"error":"no space left"}"#;
            return ("200 OK", format!("{{\"stream\":\"...\"}}\n{error}\n"));
        }
        return (
            "200 OK",
            format!("{{\"stream\":\"Loaded image: {full}\\n\"}}\n"),
        );
    }
    if request == format!("GET /images/{full}/json") {
        let members = members(heard.archives.last().unwrap());
        let manifest: serde_json::Value =
            serde_json::from_slice(&members["manifest.json"]).unwrap();
        let config = manifest[0]["Config"].as_str().unwrap();
        let config = config.rsplit('/').next().unwrap();
        let index: serde_json::Value = serde_json::from_slice(&members["index.json"]).unwrap();
        let id = match manner {
            Manner::Containerd => index["manifests"][0]["digest"].as_str().unwrap().to_owned(),
            Manner::Podman => config.to_owned(),
            Manner::Liar => format!("sha256:{}", "0".repeat(64)),
            _ => format!("sha256:{config}"),
        };
        let layers = match manner {
            Manner::Liar => vec![format!("sha256:{}", "1".repeat(64))],
            _ => Vec::new(),
        };
        let image = serde_json::json!({ "Id": id, "RootFS": { "Layers": layers } });
        return ("200 OK", image.to_string());
    }
    ("404 Not Found", r#"{"message":"no such thing"}"#.to_owned())
}

/// The files of a tar archive by name.
fn members(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut members = BTreeMap::new();
    let mut at = 0;
    while let Some(header) = archive.get(at..at + 512).filter(|header| header[0] != 0) {
        let field = |from: usize, size: usize| {
            let bytes = &header[from..from + size];
            let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(size);
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        };
        let size = usize::from_str_radix(field(124, 12).trim(), 8).unwrap();
        let body = archive[at + 512..at + 512 + size].to_vec();
        members.insert(field(0, 100), body);
        at += 512 + size.next_multiple_of(512);
    }
    members
}

/// An image without a program: it is slimmed by reading alone.
pub(crate) fn image(scratch: &Path) -> String {
    let layer = Tar::default()
        .dir("etc", 0o755)
        .file("etc/passwd", 0o644, b"root:x:0:0::/:/bin/sh\n")
        .file("etc/other", 0o644, b"of the application\n");
    let config = serde_json::json!({ "Labels": { "a": "b" } });
    layout(&scratch.join("image"), &config, &[layer.finish()])
}

fn slim(scratch: &Path, target: &str, host: &str) -> Output {
    let image = image(scratch);
    let mut command = command(scratch);
    command
        .args(["slim", &image, "--no-run", "--json", "-o", target])
        .env("DOCKER_HOST", host)
        .env("CONTAINER_HOST", host)
        .env_remove("DOCKER_TLS_VERIFY");
    command.output().unwrap()
}

fn socket(scratch: &Path) -> (PathBuf, String) {
    let socket = scratch.join("engine.sock");
    let host = format!("unix://{}", socket.display());
    (socket, host)
}

#[test]
fn an_image_goes_straight_into_an_engine_whole_and_proved() {
    for (manner, target) in [
        (Manner::Docker, "docker-daemon:web:slim"),
        (Manner::Containerd, "docker-daemon:web:slim"),
        (Manner::Podman, "podman:web:slim"),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let (socket, host) = socket(scratch.path());
        let heard = engine(&socket, manner);
        let output = slim(scratch.path(), target, &host);
        // Nothing was run: that is said by the exit code.
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["slim"]["output"], target);
        let heard = heard.lock().unwrap();
        assert_eq!(heard.requests[0], "GET /_ping", "asked before the work");
        assert_eq!(heard.archives.len(), 1);
        let members = members(&heard.archives[0]);
        let manifest: serde_json::Value =
            serde_json::from_slice(&members["manifest.json"]).unwrap();
        assert_eq!(manifest[0]["RepoTags"], serde_json::json!(["web:slim"]));
        // Every blob is what its name says, and the layers are those of the manifest.
        let blobs = members.iter().filter_map(|(name, body)| {
            let digest = name.strip_prefix("blobs/sha256/")?;
            (!digest.is_empty()).then_some((digest, body))
        });
        let mut count = 0;
        for (digest, body) in blobs {
            let sum: String = Sha256::digest(body)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            assert_eq!(sum, digest);
            count += 1;
        }
        assert!(count >= 3, "layer, configuration, manifest");
        for layer in manifest[0]["Layers"].as_array().unwrap() {
            assert!(members.contains_key(layer.as_str().unwrap()));
        }
        // Nothing is left on the disk.
        let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().flatten().collect();
        let names = left
            .iter()
            .map(|entry| entry.file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        assert_eq!(names, ["cache", "engine.sock", "image"]);
    }
}

#[test]
fn an_engine_that_fails_or_lies_is_believed_in_nothing() {
    for (manner, why) in [
        (Manner::Full, "no space left"),
        (Manner::Liar, "has another image by the name web:slim"),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let (socket, host) = socket(scratch.path());
        let _heard = engine(&socket, manner);
        let output = slim(scratch.path(), "docker-daemon:web:slim", &host);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(why), "{}", text(&output));
    }
}

#[test]
fn no_engine_no_work() {
    let scratch = tempfile::tempdir().unwrap();
    let nowhere = format!("unix://{}/none.sock", scratch.path().display());
    for (target, host, why) in [
        ("docker-daemon:web", nowhere.as_str(), "cannot speak to"),
        ("podman:web", "ssh://me@host", "only unix:// and tcp://"),
        ("docker-daemon:a b", nowhere.as_str(), "no name of an image"),
    ] {
        let output = slim(scratch.path(), target, host);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(why), "{}", text(&output));
    }
}

//! `scan --archive`, against a package archive on loopback that is signed by a key made here.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::db::{Answer, Server};
use crate::images::{plimsoll, text};

/// Runs a program of this machine; `None`, said aloud, where it is not there.
fn run(directory: &Path, words: &[&str]) -> Option<()> {
    let output = Command::new(words[0])
        .args(&words[1..])
        .current_dir(directory)
        .env("GNUPGHOME", directory.join("gnupg"))
        .output();
    match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: {} is not installed", words[0]);
            None
        }
        output => {
            let output = output.unwrap();
            assert!(output.status.success(), "{words:?}: {}", text(&output));
            Some(())
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// A binary package with a changelog, if it has one; the stanza of the index for it.
fn package(
    root: &Path,
    name: &str,
    source: &str,
    version: &str,
    changelog: &str,
) -> Option<String> {
    let tree = root.join("tree");
    let _ = fs::remove_dir_all(&tree);
    fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    let control = format!(
        "Package: {name}\nSource: {source}\nVersion: {version}\nArchitecture: amd64\n\
         Maintainer: x <x@example.org>\nDescription: x\n"
    );
    fs::write(tree.join("DEBIAN/control"), &control).unwrap();
    let doc = tree.join("usr/share/doc").join(name);
    fs::create_dir_all(&doc).unwrap();
    if !changelog.is_empty() {
        fs::write(doc.join("changelog.Debian"), changelog).unwrap();
        run(&doc, &["gzip", "-n", "changelog.Debian"])?;
    }
    let file = format!("pool/{name}.deb");
    fs::create_dir_all(root.join("pool")).unwrap();
    run(
        root,
        &["dpkg-deb", "--root-owner-group", "-b", "tree", &file],
    )?;
    let bytes = fs::read(root.join(&file)).unwrap();
    Some(format!(
        "{control}Filename: {file}\nSize: {}\nSHA256: {}\n\n",
        bytes.len(),
        hex(&bytes)
    ))
}

/// An archive of the suite bookworm in `root`, signed; its key is in `key.gpg`.
fn archive(root: &Path) -> Option<()> {
    let entry = |version: &str, words: &str| {
        format!(
            "zlib ({version}) bookworm; urgency=high\n\n  * {words}\n\n -- x <x@example.org>  Mon, 01 Jun 2026 00:00:00 +0000\n\n"
        )
    };
    let changelog = [
        entry("1:1.3-2", "Fix CVE-2026-0002."),
        entry("1:1.3-1", "New; fixes CVE-2026-0001 and CVE-2026-0003."),
        entry("1:1.2-1", "Fix CVE-2020-0009."),
    ]
    .concat();
    // The library leaves the changelog to another package of its source, which is not installed.
    let mut index = package(root, "zlib1g", "zlib (1:1.3-2)", "1:1.3-2+b1", "")?;
    index += &package(root, "zlib-doc", "zlib", "1:1.3-2", &changelog)?;
    index += &package(root, "curl", "curl", "8.0-1", "")?;
    index += &package(root, "tar", "tar", "1.35-1", "")?;
    let lists = root.join("dists/bookworm/main/binary-amd64");
    fs::create_dir_all(&lists).unwrap();
    fs::write(lists.join("Packages"), &index).unwrap();
    let release = format!(
        "Origin: Debian\nSuite: oldstable\nCodename: bookworm\nDate: Sun, 01 Nov 2026 00:00:00 UTC\n\
         Architectures: amd64\nComponents: main\nSHA256:\n {} {} main/binary-amd64/Packages\n",
        hex(index.as_bytes()),
        index.len()
    );
    fs::write(root.join("Release"), release).unwrap();
    fs::create_dir(root.join("gnupg")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(root.join("gnupg"), mode).unwrap();
    let gpg = [
        "gpg",
        "--batch",
        "--quiet",
        "--yes",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    ];
    let with = |words: &[&'static str]| run(root, &[&gpg[..], words].concat());
    with(&[
        "--quick-generate-key",
        "archive@example.org",
        "ed25519",
        "sign",
        "never",
    ])?;
    with(&["--export", "--output", "key.gpg"])?;
    let signed = with(&[
        "--clearsign",
        "--digest-algo",
        "SHA512",
        "--output",
        "dists/bookworm/InRelease",
        "Release",
    ]);
    // It would wait for more to sign.
    run(root, &["gpgconf", "--kill", "gpg-agent"])?;
    signed
}

#[test]
fn what_an_upgrade_would_fix_today_is_told_by_the_packages_themselves() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let root = scratch.join("archive");
    fs::create_dir(&root).unwrap();
    if archive(&root).is_none() {
        return;
    }
    let served = root.clone();
    let server = Server::start(move |head| {
        let path = head
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .trim_start_matches('/');
        // Heads are in small letters here.
        let path = path
            .replace("inrelease", "InRelease")
            .replace("packages", "Packages");
        match fs::read(served.join(path)) {
            Ok(bytes) => Answer::ok(&bytes),
            Err(_) => Answer::status("404 Not Found"),
        }
    });
    let list = r#"{"name": "web", "distro": "debian 12", "deb": [
        ["zlib1g", "1:1.2-1+b3", "zlib", "1:1.2-1"], ["curl", "8.0-1"], ["tar", "1.34-1"],
        ["nginx", "1.29.0-1~bookworm"]]}"#;
    fs::write(scratch.join("web.json"), list).unwrap();
    let keyring = root.join("key.gpg").display().to_string();
    let arguments = [
        "scan",
        "web.json",
        "--archive",
        "--mirror",
        &server.address,
        "--keyring",
        &keyring,
    ];
    let output = plimsoll(scratch, &[&arguments[..], &["--json"]].concat());
    // There are no advisories, which is said; what the archive offers needs none.
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = &report["scans"][0]["archive"];
    assert_eq!(found["current"], 1, "{found}");
    assert_eq!(
        found["foreign"],
        serde_json::json!(["nginx 1.29.0-1~bookworm"])
    );
    let upgrades = found["upgrades"].as_array().unwrap();
    assert_eq!(upgrades.len(), 2, "{found}");
    assert_eq!(upgrades[0]["source"], "tar");
    assert!(
        upgrades[0]["fixes"].is_null(),
        "no changelog tells: {found}"
    );
    let zlib = &upgrades[1];
    assert_eq!(
        (&zlib["installed"], &zlib["offered"]),
        (&"1:1.2-1".into(), &"1:1.3-2".into())
    );
    assert_eq!(
        zlib["fixes"],
        serde_json::json!({"CVE-2026-0001": "1:1.3-1", "CVE-2026-0002": "1:1.3-2", "CVE-2026-0003": "1:1.3-1"})
    );
    let output = plimsoll(scratch, &arguments);
    let said = text(&output);
    for words in [
        "2 source packages can be upgraded, which fixes 3 vulnerabilities",
        "no changelog tells",
    ] {
        assert!(said.contains(words), "`{words}` is not in\n{said}");
    }
    // A mirror nobody signed for is none.
    fs::copy(root.join("Release"), root.join("dists/bookworm/InRelease")).unwrap();
    let output = plimsoll(scratch, &arguments);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

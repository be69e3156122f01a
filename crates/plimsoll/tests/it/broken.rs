//! Databases, archives and disks that are broken: what is wrong is said by name, what is sound is still
//! judged, and nothing is called 0 for it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::db;
use crate::images::{Tar, layout, plimsoll, text};
use crate::scan::{days_ago, known};

/// An image of this release with these files.
fn image(directory: &Path, release: &str, files: &[(&str, &[u8])]) -> String {
    let release = format!("{release}PRETTY_NAME=x\n");
    let tar = Tar::default().file("etc/os-release", 0o644, release.as_bytes());
    let tar = files
        .iter()
        .fold(tar, |tar, (name, body)| tar.file(name, 0o644, body));
    layout(directory, &json!({}), &[tar.finish()])
}

/// Ends with 3 and says all of these words.
fn incomplete(output: &Output, words: &[&str]) {
    let said = text(output);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(3), "{said}");
    for word in words {
        assert!(flat.contains(word), "`{word}` is not in\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

const DEBIAN: &str = "ID=debian\nVERSION_ID=12\n";

#[test]
fn a_bad_record_of_dpkg_costs_that_record_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 0);
    let good = |name: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2-1\n\n"
        )
    };
    for (bad, words) in [
        (
            "Package: broken\nStatus: install ok installed\nArchitecture: amd64\n\n",
            "package broken: no Version",
        ),
        (
            "Package: two words\nStatus: install ok installed\nVersion: 1\n\n",
            "without a package name",
        ),
        ("this is no field at all\n\n", "/var/lib/dpkg/status line 6"),
        (
            "\u{0}\u{1}\u{2}Package broken\n\n",
            "/var/lib/dpkg/status line 6",
        ),
    ] {
        let status = format!("{}{bad}{}", good("zlib"), good("after"));
        let files = [
            ("var/lib/dpkg/status", status.as_bytes()),
            ("var/lib/dpkg/info/zlib.list", b"/x\n".as_slice()),
            ("var/lib/dpkg/info/after.list", b"/y\n".as_slice()),
            ("var/lib/dpkg/info/broken.list", b"/z\n".as_slice()),
        ];
        let image = image(&scratch.join("image"), DEBIAN, &files);
        let output = plimsoll(scratch, &["scan", &image]);
        incomplete(&output, &[words, "CVE-2026-1001"]);
        let output = plimsoll(scratch, &["sbom", &image, "--format", "json"]);
        assert!(text(&output).contains("\"after\""), "{}", text(&output));
        fs::remove_dir_all(scratch.join("image")).unwrap();
    }
}

/// A header of rpm with name, version, release and architecture (rpm's `docs/manual/hregions.md`
/// and `tags.md`): numbers of entries and bytes, the entries, the bytes.
fn rpm_header(name: &str) -> Vec<u8> {
    let mut index = Vec::new();
    let mut store = Vec::new();
    for (tag, text) in [
        (1000_u32, name),
        (1001, "5.1"),
        (1002, "6.el9"),
        (1022, "x86_64"),
    ] {
        let offset = store.len() as u32;
        for number in [tag, 6, offset, 1] {
            index.extend_from_slice(&number.to_be_bytes());
        }
        store.extend_from_slice(text.as_bytes());
        store.push(0);
    }
    let counts = [4_u32, store.len() as u32].map(u32::to_be_bytes).concat();
    [counts, index, store].concat()
}

#[test]
fn a_database_of_rpm_that_was_cut_off_is_no_empty_one() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let path = scratch.join("rpmdb.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch(
            "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)",
        )
        .unwrap();
    for number in 0..400 {
        let header = rpm_header(&format!("package-{number:03}"));
        let sql = "INSERT INTO Packages (blob) VALUES (?1)";
        database.execute(sql, [header]).unwrap();
    }
    drop(database);
    let whole = fs::read(&path).unwrap();
    let advisories = format!(
        "{{\"scope\": \"rocky:9\", \"date\": \"{}\"}}\n{{\"package\": \"package-001\", \"kind\": \"binary\", \
         \"id\": \"CVE-2026-7\", \"fixed\": \"5.2-1\"}}\n",
        days_ago(0)
    );
    fs::write(scratch.join("rocky.jsonl"), advisories).unwrap();
    let built = plimsoll(scratch, &["db", "build", "--from", "rocky.jsonl"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built));
    let scan = |name: &str, bytes: &[u8]| {
        let files = [("var/lib/rpm/rpmdb.sqlite", bytes)];
        let image = image(&scratch.join(name), "ID=rocky\nVERSION_ID=9.4\n", &files);
        plimsoll(scratch, &["scan", &image])
    };
    let output = scan("whole", &whole);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("CVE-2026-7"), "{}", text(&output));
    for part in [0, 50, 4096, whole.len() / 2, whole.len() - 100] {
        let output = scan(&format!("cut-{part}"), &whole[..part]);
        incomplete(&output, &["/var/lib/rpm/rpmdb.sqlite"]);
        assert!(!text(&output).contains("none known"), "{}", text(&output));
    }
}

/// An archive in the zip form of entries that are packed with deflate, each with the size it claims.
fn zip(entries: &[(&str, &[u8], u64)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (name, body, claimed) in entries {
        let mut packer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(body).unwrap();
        let packed = packer.finish().unwrap();
        let mut sum = flate2::Crc::new();
        sum.update(body);
        let at = bytes.len() as u32;
        // Version, flags, method, time, date, sum, both sizes, both lengths.
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        common.extend_from_slice(&sum.sum().to_le_bytes());
        common.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        common.extend_from_slice(&(*claimed as u32).to_le_bytes());
        common.extend_from_slice(&(name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&common);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&packed);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        // No comment, one disk, no attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = (entries.len() as u16).to_le_bytes();
    let at = bytes.len() as u32;
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&[count, count].concat());
    bytes.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&at.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

#[test]
fn a_bomb_in_a_jar_is_not_set_off_and_what_lies_beside_it_is_read() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let zeros = vec![0; 80 << 20];
    let properties = b"groupId=org.example\nartifactId=core\nversion=1.0\n";
    let inner = (
        "META-INF/maven/org.example/core/pom.properties",
        &properties[..],
        50,
    );
    let many = zeros.len() as u64;
    // A manifest that is far too long, with a size that is true and with one that is not; an archive
    // in the archive that is; and archives in archives without end.
    let honest = zip(&[("META-INF/MANIFEST.MF", &zeros, many), inner]);
    let liar = zip(&[("META-INF/MANIFEST.MF", &zeros, 10), inner]);
    let nested = zip(&[("lib/inner.jar", &zeros, many), inner]);
    let mut deep = zip(&[inner]);
    for _ in 0..12 {
        let size = deep.len() as u64;
        deep = zip(&[("lib/inner.jar", &deep, size)]);
    }
    let files = [
        ("app/honest.jar", &*honest),
        ("app/liar.jar", &*liar),
        ("app/nested.jar", &*nested),
        ("app/deep.jar", &*deep),
        ("app/good-2.0.jar", &*zip(&[inner])),
    ];
    let image = image(&scratch.join("image"), DEBIAN, &files);
    // A process that took what the bombs hold would not fit.
    let script = "ulimit -v 1500000; exec \"$0\" sbom \"$1\" --format json";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_plimsoll"), &image])
        .current_dir(scratch)
        .env("PLIMSOLL_CACHE", scratch.join("cache"))
        .output()
        .unwrap();
    incomplete(&output, &["org.example:core"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report["problems"].to_string();
    for name in ["/app/nested.jar", "/app/deep.jar"] {
        assert!(problems.contains(name), "{name} is not in {problems}");
    }
    let packages = report["inventory"]["packages"].as_array().unwrap();
    let sound = packages
        .iter()
        .filter(|it| it["name"] == "org.example:core");
    assert!(sound.count() >= 2, "{packages:?}");
}

/// A feed that needs more room than the disk has.
fn large_feed() -> String {
    let rows = (0..6000_u32).map(|number| {
        let id = number.wrapping_mul(2_654_435_761) % 1_000_000;
        format!("\"p{number}\": {{\"CVE-2024-{id}\": {{\"releases\": {{\"bookworm\": {{\"status\": \"open\", \"urgency\": \"low\"}}}}}}}}")
    });
    format!("{{{}}}", rows.collect::<Vec<_>>().join(",\n"))
}

#[test]
fn a_disk_that_fills_up_while_updating_leaves_what_was_there() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    db::built(scratch);
    let before = db::slice(scratch, "debian@12.slice");
    let feed = large_feed();
    let server = db::Server::start(move |head| match head.contains(".sha256") {
        true => db::Answer::status("404 Not Found"),
        false => db::Answer::ok(feed.as_bytes()),
    });
    let mirror = format!("debian={}", server.address);
    let update = "\"$0\" db update --for debian:12 --mirror \"$1\"";
    let run = |program: &str, options: &[&str], script: &str| {
        let own = [env!("CARGO_BIN_EXE_plimsoll"), &mirror];
        Command::new(program)
            .args(options)
            .args(["sh", "-c", script])
            .args(own)
            .current_dir(scratch)
            .env("PLIMSOLL_CACHE", scratch.join("cache"))
            .output()
            .unwrap()
    };
    // A limit on the size of files stands for the full disk; the signal that goes with it is ignored.
    let script = format!("trap '' XFSZ; ulimit -f 20; exec {update}");
    let output = run("env", &[], &script);
    db::refused(&output, &["cannot keep what comes"], scratch, &before);

    // A disk that is full: a file system in memory, seen by this process alone.
    let script = format!(
        "cp -r cache saved && mount -t tmpfs -o size=64k none cache && cp -r saved/. cache || exit 77\n\
         {update}; code=$?\n\
         cmp saved/advisories/debian@12.slice cache/advisories/debian@12.slice && echo as before\n\
         \"$0\" db status && echo usable\n\
         exit $code"
    );
    let output = run("unshare", &["--mount", "--map-root-user"], &script);
    let said = text(&output);
    if output.status.code() == Some(77) || said.contains("unshare failed") {
        eprintln!("skipped: no file system of our own here: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{said}");
    for words in [
        "No space left on device",
        "can be used",
        "as before",
        "usable",
    ] {
        assert!(said.contains(words), "`{words}` is not in\n{said}");
    }
}

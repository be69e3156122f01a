//! Package indexes, whole and broken.

use std::io::{ErrorKind, Write as _};

use super::*;

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn stanza(more: &str) -> String {
    format!(
        "Package: dash\nVersion: 0.5.12-2\nArchitecture: amd64\n\
         Filename: pool/main/d/dash/dash_0.5.12-2_amd64.deb\nSize: 97008\nSHA256: {HASH}\n{more}\n"
    )
}

#[test]
fn a_record_becomes_a_candidate() {
    let text = stanza(
        "Essential: yes\nInstalled-Size: 191\nDepends: debianutils (>= 2.15)\nPre-Depends: libc6\n\
         Source: dash (0.5.12)\nSection: shells\nPriority: required\nMULTI-ARCH: foreign\n\
         Provides: sh\nImportant: yes\nDescription: shell\n more\n",
    );
    let (candidates, problems) = parse(text.as_bytes());
    assert_eq!(problems, []);
    let dash = &candidates[0];
    assert_eq!(dash.name, "dash");
    assert_eq!(dash.version, "0.5.12-2");
    assert_eq!(dash.architecture, "amd64");
    assert_eq!(dash.filename, "pool/main/d/dash/dash_0.5.12-2_amd64.deb");
    assert_eq!(dash.size, 97_008);
    assert_eq!(dash.digest.hex(), HASH);
    assert_eq!(dash.installed_size, 191 * 1024);
    assert_eq!(dash.depends, "debianutils (>= 2.15)");
    assert_eq!(dash.pre_depends, "libc6");
    assert_eq!(dash.source.as_deref(), Some("dash (0.5.12)"));
    assert_eq!((&*dash.section, &*dash.priority), ("shells", "required"));
    assert_eq!((&*dash.multi_arch, &*dash.provides), ("foreign", "sh"));
    assert!(dash.essential && dash.protected);
    assert_eq!(dash.recommends, "");
}

#[test]
fn a_record_that_could_not_be_verified_is_a_problem_and_no_candidate() {
    for field in [
        "Package",
        "Version",
        "Architecture",
        "Filename",
        "Size",
        "SHA256",
    ] {
        let whole = stanza("");
        let broken: String = whole
            .lines()
            .filter(|line| !line.starts_with(&format!("{field}:")))
            .map(|line| format!("{line}\n"))
            .collect();
        let (candidates, problems) = parse(format!("{whole}\n{broken}\n{whole}").as_bytes());
        assert_eq!(candidates.len(), 2, "{field}");
        assert_eq!(problems.len(), 1, "{field}");
        let message = &problems[0].message;
        assert!(
            message.contains(field) && message.contains("line 9 "),
            "{message}"
        );
    }
    for bad in ["SHA256: 00\n", "Size: -1\n", "Size: many\n"] {
        let name = bad.split(':').next().unwrap();
        let text: String = stanza("")
            .lines()
            .map(|line| {
                if line.starts_with(name) {
                    bad.to_owned()
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        let (candidates, problems) = parse(text.as_bytes());
        assert_eq!((candidates.len(), problems.len()), (0, 1), "{bad}");
    }
}

#[test]
fn what_is_no_control_data_is_a_problem() {
    let (candidates, problems) = parse(b"<html>\n<body>\n\n\xff\xfe: x\n");
    assert_eq!(candidates, []);
    assert_eq!(problems.len(), 2);
    assert_eq!(parse(b""), (Vec::new(), Vec::new()));
}

#[test]
fn a_size_that_does_not_fit_is_the_largest() {
    let (candidates, _) = parse(stanza("Installed-Size: 18446744073709551615\n").as_bytes());
    assert_eq!(candidates[0].installed_size, u64::MAX);
}

/// The same bytes in every compression that is read.
fn compressed(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(bytes).unwrap();
    vec![
        ("Packages", bytes.to_vec()),
        ("Packages.gz", gz.finish().unwrap()),
        ("Packages.xz", xz.finish().unwrap()),
        ("Packages.zst", zstd::stream::encode_all(bytes, 1).unwrap()),
    ]
}

#[test]
fn every_compression_gives_the_same_bytes() {
    let text = stanza("").repeat(100);
    for (name, bytes) in compressed(text.as_bytes()) {
        let limit = text.len() as u64;
        assert_eq!(
            decompress(name, &bytes, limit).unwrap(),
            text.as_bytes(),
            "{name}"
        );
        // Whatever its name says.
        assert_eq!(
            decompress("x", &bytes, limit).unwrap(),
            text.as_bytes(),
            "{name}"
        );
    }
}

#[test]
fn streams_in_a_row_are_one() {
    for ((name, one), (_, two)) in compressed(b"one\n")
        .into_iter()
        .zip(compressed(b"two\n"))
        .skip(1)
    {
        assert_eq!(
            decompress(name, &[one, two].concat(), 99).unwrap(),
            b"one\ntwo\n",
            "{name}"
        );
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    for (name, bytes) in compressed(&vec![0; 1 << 20]) {
        let error = decompress(name, &bytes, 1000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{name}");
        assert!(error.to_string().contains("1000"), "{error}");
    }
}

#[test]
fn a_stream_that_ends_early_is_an_error() {
    let text = stanza("").repeat(100);
    for (name, bytes) in compressed(text.as_bytes()).into_iter().skip(1) {
        let half = &bytes[..bytes.len() - 9];
        assert!(decompress(name, half, 1 << 20).is_err(), "{name}");
    }
}

#[test]
fn compressions_that_are_not_read_are_named() {
    for (bytes, name) in [(&b"BZh91AY"[..], "bzip2"), (b"\x5d\0\0\x80\0", "lzma")] {
        let error = decompress("Packages", bytes, 99).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn an_address_outside_the_repository_is_a_problem() {
    for (filename, below) in [
        ("pool/a.deb", true),
        ("./a.deb", true),
        ("a..b/c.deb", true),
        ("/etc/passwd", false),
        ("pool/../../x.deb", false),
    ] {
        assert_eq!(is_below(filename), below, "{filename}");
        let digest = "0".repeat(64);
        let text = format!(
            "Package: a\nVersion: 1\nArchitecture: all\nFilename: {filename}\nSize: 1\nSHA256: {digest}\n"
        );
        let (candidates, problems) = parse(text.as_bytes());
        assert_eq!(
            (candidates.len(), problems.len()),
            (usize::from(below), usize::from(!below))
        );
    }
}

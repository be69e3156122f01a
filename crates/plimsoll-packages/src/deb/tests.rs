//! Package archives, made by hand, whole and broken.

use std::io::Write as _;

use super::*;

const CONTROL: &str = "Package: dash\nVersion: 0.5.12-2\nArchitecture: amd64\n";

/// A tar archive of files (`name`, body); a name with a slash at its end is a directory.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, body) in files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000755\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", body.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].copy_from_slice(b"        ");
        header[156] = if name.ends_with('/') { b'5' } else { b'0' };
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(body);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, body) in members {
        let header = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            0,
            0,
            0,
            100_644,
            body.len()
        );
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(body);
        if body.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}

fn opened(bytes: Vec<u8>) -> Result<Deb, DebError> {
    let bytes: Arc<[u8]> = bytes.into();
    open(Arc::new(bytes))
}

fn failure(bytes: Vec<u8>) -> String {
    match opened(bytes) {
        Ok(_) => panic!("a broken archive was opened"),
        Err(error) => error.to_string(),
    }
}

fn control() -> Vec<u8> {
    tar(&[("./", b""), ("./control", CONTROL.as_bytes())])
}

fn data() -> Vec<u8> {
    tar(&[
        ("./usr/", b""),
        ("./usr/dash", b"binary"),
        ("./../../etc/passwd", b"x"),
    ])
}

/// The names and bodies of the data part.
fn content(deb: &Deb) -> Vec<(String, Vec<u8>)> {
    let mut archive = deb.data().unwrap();
    let mut found = Vec::new();
    while let Some(member) = archive.next_member().unwrap() {
        let mut body = Vec::new();
        archive.read_to_end(&mut body).unwrap();
        found.push((String::from_utf8(member.name).unwrap(), body));
    }
    found
}

#[test]
fn the_control_part_is_sorted_out() {
    let control = tar(&[
        ("./", b""),
        ("./control", CONTROL.as_bytes()),
        ("./postinst", b"#!/bin/sh\n"),
        ("./config", b"#!/bin/sh\n# debconf\n"),
        (
            "./conffiles",
            b"/etc/a\nremove-on-upgrade /etc/b\n\n/etc/c\n",
        ),
        ("./md5sums", b"d41d8cd98f00b204e9800998ecf8427e  usr/dash\n"),
        (
            "./triggers",
            b"# made by debhelper\nactivate-noawait ldconfig\n",
        ),
        ("./shlibs", b"libdash 1\n"),
        ("./deep/control", b"Package: evil\n"),
    ]);
    let parts: &[(&str, &[u8])] = &[
        ("debian-binary", b"2.0\n"),
        ("control.tar", &control),
        ("data.tar", &data()),
    ];
    let deb = opened(ar(parts)).unwrap();
    assert_eq!(deb.control.stanza, CONTROL);
    assert_eq!(deb.control.get("version").as_deref(), Some("0.5.12-2"));
    let scripts: Vec<_> = deb.control.scripts.keys().collect();
    assert_eq!(scripts, ["config", "postinst"]);
    let conffiles = [ImagePath::new("/etc/a"), ImagePath::new("/etc/c")];
    assert_eq!(deb.control.conffiles, conffiles);
    assert!(deb.control.md5sums.is_some());
    let trigger = Trigger {
        directive: "activate-noawait".to_owned(),
        name: "ldconfig".to_owned(),
    };
    assert_eq!(deb.control.triggers, [trigger]);
    let files: Vec<_> = deb.control.files.keys().collect();
    assert_eq!(files, ["conffiles", "shlibs", "triggers"]);
}

#[test]
fn every_compression_gives_the_same_files_again_and_again() {
    let gz = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    let xz = |bytes: &[u8]| {
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(bytes).unwrap();
        xz.finish().unwrap()
    };
    let zst = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).unwrap();
    let none = |bytes: &[u8]| bytes.to_vec();
    let ways = [
        ("", none(&control()), none(&data())),
        (".gz", gz(&control()), gz(&data())),
        (".xz", xz(&control()), xz(&data())),
        (".zst", zst(&control()), zst(&data())),
    ];
    for (end, control, data) in ways {
        let parts: &[(&str, &[u8])] = &[
            ("debian-binary/", b"2.0\n"),
            ("_gpgorigin", b"odd"),
            (&format!("control.tar{end}"), &control),
            (&format!("data.tar{end}"), &data),
        ];
        let deb = opened(ar(parts)).unwrap();
        assert_eq!(deb.control.get("Package").as_deref(), Some("dash"), "{end}");
        let expected: Vec<(String, Vec<u8>)> = vec![
            ("./usr".to_owned(), Vec::new()),
            ("./usr/dash".to_owned(), b"binary".to_vec()),
            ("./../../etc/passwd".to_owned(), b"x".to_vec()),
        ];
        assert_eq!(content(&deb), expected, "{end}");
        assert_eq!(content(&deb), expected, "{end}, a second time");
    }
}

#[test]
fn what_is_no_package_is_refused_with_the_reason() {
    let version: (&str, &[u8]) = ("debian-binary", b"2.0\n");
    let (control, data) = (control(), data());
    let control_part: (&str, &[u8]) = ("control.tar", &control);
    let data_part: (&str, &[u8]) = ("data.tar", &data);
    let named = |stanza: &str| tar(&[("./control", stanza.as_bytes())]);
    let without = named("Package: dash\nArchitecture: amd64\n");
    let two = named(&format!("{CONTROL}\n{CONTROL}"));
    let nonsense = named("nonsense\n");
    for (bytes, why) in [
        (Vec::new(), "not an ar archive"),
        (b"PK\x03\x04 and so on".to_vec(), "not an ar archive"),
        (b"!<arch>\n".to_vec(), "no debian-binary"),
        (ar(&[control_part]), "the first member is not debian-binary"),
        (
            ar(&[("debian-binary", b"3.0\n"), control_part]),
            "package format 3.0",
        ),
        (ar(&[version]), "no data.tar"),
        (ar(&[version, control_part]), "no data.tar"),
        (ar(&[version, data_part]), "no control.tar"),
        (ar(&[version, ("odd", b"x"), control_part]), "unknown name"),
        (
            ar(&[version, ("control.tar", &tar(&[]))]),
            "no control file",
        ),
        (ar(&[version, ("control.tar", &without)]), "no Version"),
        (
            ar(&[version, ("control.tar", &two)]),
            "more than one stanza",
        ),
        (ar(&[version, ("control.tar", &nonsense)]), "line 1"),
        (ar(&[version, ("control.tar.bz2", b"BZh91AY&SY")]), "bzip2"),
        (
            ar(&[version, ("control.tar", b"no tar archive at all")]),
            "control.tar",
        ),
        (ar(&[version, control_part])[..200].to_vec(), "it ends"),
    ] {
        let message = failure(bytes);
        assert!(message.contains(why), "{message} / {why}");
    }
}

#[test]
fn a_member_that_lies_about_its_size_is_no_danger() {
    let mut bytes = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control())]);
    let at = 8 + 60 + 4 + 48;
    for size in ["9999999999", "-1        ", "          ", "4294967296"] {
        bytes[at..at + 10].copy_from_slice(size.as_bytes());
        let message = failure(bytes.clone());
        assert!(
            message.contains("ends inside") || message.contains("without a size"),
            "{message}"
        );
    }
}

#[test]
fn a_truncated_data_part_fails_while_it_is_read() {
    let mut bytes = ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar", &control()),
        ("data.tar", &data()),
    ]);
    bytes.truncate(bytes.len() - 2048);
    let mut archive = opened(bytes).unwrap().data().unwrap();
    let end = loop {
        match archive.next_member() {
            Ok(Some(_)) => {}
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(end);
}

#[test]
fn a_control_part_that_grows_without_end_stops_at_the_limit() {
    let bomb = vec![0; (MAX_CONTROL + 1024) as usize];
    let mut archive = tar(&[("./big", &bomb)]);
    archive.truncate(archive.len() - 1024);
    let packed = zstd::stream::encode_all(&archive[..], 1).unwrap();
    let bytes = ar(&[("debian-binary", b"2.0\n"), ("control.tar.zst", &packed)]);
    let message = failure(bytes);
    assert!(message.contains(&MAX_CONTROL.to_string()), "{message}");
}

#[test]
fn cut_anywhere_it_is_an_error_and_never_a_panic() {
    let whole = ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar", &control()),
        ("data.tar", &data()),
    ]);
    let until_data = whole.len() - data().len() - 60;
    for end in (0..until_data).step_by(7) {
        assert!(opened(whole[..end].to_vec()).is_err(), "{end}");
    }
}

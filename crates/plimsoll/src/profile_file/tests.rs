use super::*;

fn sample() -> ProfileFile {
    let pattern = |text: &[u8]| Pattern::new(text);
    let folded = Folded {
        files: 2,
        names: vec![0x00ff, 0xabcd],
    };
    ProfileFile {
        image: (
            "oci:web\n[evil]".into(),
            "sha256:1".into(),
            "linux/amd64".into(),
        ),
        source: Source {
            base: vec!["debian 12".into()],
            entrypoint: vec!["/bin/x".into(), "a \"b\"".into()],
            user: "web".into(),
            packages: BTreeMap::from([("deb:libc6".into(), "2.36".into())]),
            others: Others {
                count: 80,
                hash: u64::MAX - 1,
            },
            ..Source::default()
        },
        made: Made {
            level: Level::File,
            layers: Layers::Origin,
            compression: Compress::Zstd,
            include: vec!["/srv/**".into()],
            exclude: Vec::new(),
            keep_packages: Vec::new(),
        },
        proof: Proof {
            result: "sha256:2".into(),
            verified_by: vec!["http:/".into()],
            probes: vec!["http:/ -d '{}'".into()],
            args: vec!["--version".into()],
        },
        profile: Profile {
            groups: vec![Group {
                during: "http:/".into(),
                by: "/bin/x\n# y".into(),
                run: vec![pattern(b"/bin/y")],
                open: vec![
                    pattern(b"/app/**"),
                    pattern(b"/l/\\[a\\]\\\\\xff.*"),
                    pattern(b"/l/\xc3\xa9"),
                ],
                link: Vec::new(),
            }],
            missed: vec![pattern(b"/etc/z")],
            folded: BTreeMap::from([(pattern(b"/app/**"), folded)]),
            was_run: true,
        },
    }
}

#[test]
fn a_profile_comes_back_as_it_was() {
    let file = sample();
    let text = file.text();
    assert_eq!(parse(&text).unwrap(), file, "{text}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.toml");
    file.write(&path).unwrap();
    assert_eq!(ProfileFile::read(&path).unwrap(), file);
}

#[test]
fn what_is_no_profile_is_told_with_its_place() {
    let text = sample().text();
    for (old, new, why) in [
        ("profile/1", "profile/9", "its schema is"),
        ("level = \"file\"", "level = \"all\"", "slim.level"),
        ("abcd\"", "abc\"", "no list of short hashes"),
        ("was_run = true", "was_ran = true", "was_ran"),
        ("hash = \"ff", "hash = \"xx", "ashore.hash"),
    ] {
        let broken = text.replace(old, new);
        assert_ne!(broken, text, "{old}");
        let error = parse(&broken).unwrap_err();
        assert!(error.contains(why), "{old}: {error}");
    }
}

#[test]
fn the_page_names_every_key() {
    let text = sample().text();
    let keys = text
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| !key.starts_with(['"', '\'', '#', ' ']));
    for key in keys {
        assert!(PAGE.contains(&format!("\n{key} = ")), "{key}");
    }
}

#[test]
fn the_example_on_the_page_is_a_profile() {
    let example = PAGE.split("```").nth(1).unwrap();
    let example = example.strip_prefix("toml\n").unwrap();
    let file = parse(example).unwrap();
    assert_eq!(file.profile.groups.len(), 2);
    assert_eq!(file.profile.folded.len(), 1);
}

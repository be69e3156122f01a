use jiff::civil::date;
use plimsoll_model::Severity;

use super::*;
use crate::{PackageKind, Range, Scope, Status, Until};

fn scope() -> Scope {
    Scope::parse("debian:12").unwrap()
}

/// Something of everything.
fn advisories() -> Vec<Advisory<'static>> {
    vec![
        Advisory {
            id: "CVE-2024-0001",
            package: "zlib",
            feed: "debian",
            ranges: vec![Range::before("1:1.2.13.dfsg-1")],
            status: Status::Fixed,
            severity: Some(Severity::High),
            title: "a flaw",
            ..Advisory::default()
        },
        Advisory {
            id: "CVE-2024-0002",
            package: "zlib",
            feed: "debian",
            ranges: vec![Range::ALL],
            status: Status::Ignored,
            ..Advisory::default()
        },
        Advisory {
            id: "GHSA-aaaa",
            aliases: vec!["PYSEC-1", "CVE-2023-9"],
            package: "flask",
            kind: PackageKind::Binary,
            feed: "osv",
            ranges: vec![
                Range {
                    introduced: Some("1.0"),
                    until: Until::Last("1.4"),
                },
                Range {
                    introduced: Some("2.0"),
                    until: Until::Open,
                },
            ],
            versions: vec!["0.9-special"],
            cvss: vec!["CVSS:3.1/AV:N"],
            published: Some(date(1999, 12, 31)),
            modified: Some(date(2026, 2, 28)),
            url: "https://example.org/a",
            ..Advisory::default()
        },
        Advisory {
            id: "CVE-2020-1",
            package: "never",
            feed: "alpine",
            status: Status::NotAffected,
            ..Advisory::default()
        },
    ]
}

fn file(advisories: &[Advisory<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(scope());
    builder.origin(Origin {
        feed: "debian".to_owned(),
        from: "a test".to_owned(),
        lists_unfixed: true,
        ..Origin::default()
    });
    for advisory in advisories {
        builder.add(advisory);
    }
    builder.finish()
}

#[test]
fn what_was_put_in_is_found_again() {
    let advisories = advisories();
    let file = file(&advisories);
    let slice = Slice::read(&file, Texts::Read).unwrap();
    assert_eq!(slice.lookup("zlib").unwrap(), advisories[..2]);
    assert_eq!(slice.lookup("flask").unwrap(), advisories[2..3]);
    assert_eq!(slice.lookup("never").unwrap(), advisories[3..]);
    assert_eq!(slice.lookup("nobody").unwrap(), []);
    assert_eq!(
        slice.packages().collect::<Vec<_>>(),
        ["flask", "never", "zlib"]
    );
    assert_eq!(slice.all().count(), 4);
    let meta = slice.meta();
    assert_eq!((meta.rows, meta.packages, meta.origins[0].rows), (4, 3, 4));
    assert_eq!(meta.scope, scope());
    let (peeked, digest) = Meta::peek(&file).unwrap();
    assert_eq!((&peeked, &digest), (meta, slice.digest()));
}

#[test]
fn without_texts_the_rest_is_the_same() {
    let file = file(&advisories());
    let slice = Slice::read(&file, Texts::Skip).unwrap();
    let found = slice.lookup("zlib").unwrap();
    assert_eq!((found[0].id, found[0].title), ("CVE-2024-0001", ""));
    assert_eq!(slice.lookup("flask").unwrap()[0].url, "");
}

#[test]
fn order_and_repetition_do_not_change_a_byte() {
    let mut advisories = advisories();
    let first = file(&advisories);
    advisories.reverse();
    advisories.push(advisories[0].clone());
    assert_eq!(file(&advisories), first);
}

#[test]
fn a_slice_without_rows_is_still_a_slice() {
    let slice = file(&[]);
    let slice = Slice::read(&slice, Texts::Read).unwrap();
    assert_eq!(slice.lookup("zlib").unwrap(), []);
    assert_eq!(slice.meta().rows, 0);
}

#[test]
fn what_was_cut_or_changed_is_refused_at_every_byte() {
    let file = file(&advisories());
    for end in 0..file.len() {
        let error = Slice::read(&file[..end], Texts::Read).unwrap_err();
        let at_head = end < MAGIC.len();
        assert_eq!(error == SliceError::NotASlice, at_head, "{end}: {error}");
    }
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(Slice::read(&changed, Texts::Read).is_err(), "byte {at}");
    }
    assert!(matches!(
        Slice::read(b"plimsoll-slice 2\nabc", Texts::Read),
        Err(SliceError::Version(version)) if version == "2"
    ));
}

/// A slice with a right digest around these bodies.
fn forged(body: &[u8], raw: usize, texts: &[u8]) -> Vec<u8> {
    let meta = Meta {
        scope: scope(),
        rows: 0,
        packages: 0,
        origins: Vec::new(),
        checked: String::new(),
    };
    let pack = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).unwrap();
    meta::assemble(&meta, (&pack(body), raw), (&pack(texts), texts.len()))
}

#[test]
fn a_right_digest_makes_nonsense_no_sense() {
    let refused = |body: &[u8], raw: usize| {
        let slice = Slice::read(&forged(body, raw, &[0]), Texts::Read);
        let looked_up = slice.and_then(|slice| {
            let found: Result<Vec<String>, _> = slice
                .all()
                .map(|row| row.map(|row| row.id.to_owned()))
                .collect();
            found
        });
        assert!(
            matches!(looked_up, Err(SliceError::Corrupt(_))),
            "{body:?}: {looked_up:?}"
        );
    };
    // Lengths that lie, in both directions.
    refused(&[0, 0], 1);
    refused(&[0, 0], 3);
    refused(&[0, 0], usize::MAX);
    // More words than bytes; a word longer than the rest; a number without an end; no packages.
    refused(&[200, 1, 0], 3);
    refused(&[1, 9, b'a'], 3);
    refused(&[0xff, 0xff, 0xff, 0xff, 0xff], 5);
    refused(&[0], 1);
    // A package whose name is no word, whose rows lead out, who has more rows than bytes, fewer.
    refused(&[0, 1, 0, 0, 0], 5);
    refused(&[1, 1, b'a', 1, 0, 1, 99], 7);
    refused(&[1, 1, b'a', 1, 0, 2, 4, 0, 0, 0, 0], 11);
    refused(&[1, 1, b'a', 1, 0, 0, 4, 0, 0, 0, 0], 11);
    // A severity beyond the last, a list of more words than there are.
    refused(&[1, 1, b'a', 1, 0, 1, 4, 0, 7, 0, 0], 11);
    refused(&[1, 1, b'a', 1, 0, 1, 5, 0, 8, 0, 0, 99], 12);
    // A word that is no text.
    refused(&[1, 1, 0xff, 1, 0, 1, 4, 0, 0, 0, 0], 11);
}

/// A head with data of one origin.
fn meta_of(scope: &str, from: &str, date: &str, read: &str, checked: &str) -> Meta {
    Meta {
        scope: Scope::parse(scope).unwrap(),
        rows: 1,
        packages: 1,
        origins: vec![Origin {
            from: from.to_owned(),
            date: date.to_owned(),
            read: read.to_owned(),
            ..Origin::default()
        }],
        checked: checked.to_owned(),
    }
}

#[test]
fn a_copy_is_as_old_as_it_says_and_what_its_publisher_has_as_old_as_it_was_asked() {
    const TRACKER: &str = "https://security-tracker.debian.org/tracker/data/json";
    let today = date(2026, 11, 29);
    for (what, from, content, read, checked, age) in [
        (
            "the publisher's, unchanged for a month and asked today",
            TRACKER,
            "2026-10-29",
            "2026-11-01T08:00:00Z",
            "2026-11-29T08:00:00Z",
            Some(0),
        ),
        (
            "the publisher's, not asked since",
            TRACKER,
            "2026-10-29",
            "2026-11-19T08:00:00Z",
            "",
            Some(10),
        ),
        (
            "the publisher's, which says no day",
            TRACKER,
            "",
            "2026-11-28T08:00:00Z",
            "",
            Some(1),
        ),
        (
            "a mirror's, old when it was asked",
            "https://mirror.example/json",
            "2026-10-30T08:00:00Z",
            "2026-11-29T08:00:00Z",
            "",
            Some(30),
        ),
        (
            "a mirror's that is asked each day and stands still",
            "https://mirror.example/json",
            "2026-10-30",
            "2026-10-30",
            "2026-11-29",
            Some(30),
        ),
        (
            "a mirror's that says no day",
            "https://mirror.example/json",
            "",
            "2026-11-29T08:00:00Z",
            "2026-11-29",
            None,
        ),
        (
            "a mirror's whose clock is wrong",
            "https://mirror.example/json",
            "2036-01-01",
            "2026-11-20T08:00:00Z",
            "",
            None,
        ),
        (
            "a file, read today",
            "feeds/debian.json",
            "2026-11-20",
            "2026-11-29T08:00:00Z",
            "",
            Some(9),
        ),
    ] {
        let meta = meta_of("debian:12", from, content, read, checked);
        assert_eq!(meta.age(today), age, "{what}");
    }
    // Of several origins the oldest counts; one of whom nobody knows makes them all unknown.
    let mut meta = meta_of("debian:12", TRACKER, "", "2026-11-29", "");
    let copy = meta_of("debian:12", "a.json", "2026-11-09", "2026-11-29", "").origins;
    meta.origins.extend(copy);
    assert_eq!(meta.age(today), Some(20));
    let unknown = meta_of("debian:12", "a.json", "", "2026-11-29", "").origins;
    meta.origins.extend(unknown);
    assert_eq!(meta.age(today), None);
    // A clock that was wrong makes nothing fresh for years: neither what was read then, nor what was asked.
    for (from, content, read, checked, age) in [
        (TRACKER, "", "2036-01-01", "", None),
        (TRACKER, "", "2026-11-20", "2036-01-01", None),
        ("a.json", "2036-01-01", "2036-01-01", "", None),
        ("a.json", "2036-01-01", "", "", None),
        ("a.json", "2026-11-30", "2026-11-29", "", Some(0)),
        ("a.json", "2026-11-21", "2026-11-20", "", Some(9)),
        ("a.json", "2026-11-09", "2036-01-01", "", Some(20)),
        (TRACKER, "", "2026-11-30", "", Some(0)),
        (TRACKER, "", "2026-12-01", "", None),
    ] {
        let meta = meta_of("debian:12", from, content, read, checked);
        assert_eq!(meta.age(today), age, "{from} {content} {read} {checked}");
    }
    let mut meta = meta_of("debian:12", TRACKER, "", "2026-11-29", "");
    let ahead = meta_of("debian:12", "a.json", "2036-01-01", "2036-01-01", "").origins;
    meta.origins.extend(ahead);
    assert_eq!(meta.age(today), None, "the one of today does not hide it");
}

#[test]
fn titles_are_shortened_before_a_slice_takes_too_much_room_and_no_row_is_lost() {
    const ROWS: usize = 42_000;
    // Digits of a digest: half a byte each, whatever packs them.
    let titles: Vec<String> = (0..ROWS)
        .map(|number| {
            let bytes = <sha2::Sha512 as sha2::Digest>::digest(number.to_le_bytes());
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            let digits: String = digits.collect();
            // Words, as titles have them.
            let words = digits.as_bytes().chunks(9).take(10);
            let words = words.map(|word| std::str::from_utf8(word).unwrap());
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    let ids: Vec<String> = (0..ROWS)
        .map(|number| format!("CVE-2026-{number}"))
        .collect();
    let made = |count: usize| {
        let mut builder = Builder::new(Scope::parse("debian:12").unwrap());
        for (id, title) in ids.iter().zip(&titles).take(count) {
            builder.add(&Advisory {
                id,
                package: "linux",
                ranges: vec![Range::ALL],
                title,
                feed: "debian",
                ..Advisory::default()
            });
        }
        builder.finish()
    };
    let longest = |file: &[u8]| {
        let slice = Slice::read(file, Texts::Read).unwrap();
        let rows = slice.lookup("linux").unwrap();
        (rows.len(), rows.iter().map(|row| row.title.len()).max())
    };
    assert_eq!(longest(&made(1_000)), (1_000, Some(99)));
    let file = made(ROWS);
    assert!(file.len() <= 2_000_000, "{}", file.len());
    let (rows, title) = longest(&file);
    assert_eq!(rows, ROWS);
    assert!(matches!(title, Some(40..=72)), "{title:?}");
}

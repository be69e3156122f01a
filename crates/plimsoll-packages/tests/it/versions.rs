//! The orders of versions: sound rows, true pages, the samples of others, and dpkg itself.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use plimsoll_packages::version::{self, ORDERS, Order, deb};

#[test]
fn every_order_is_a_file_of_its_name_and_every_file_an_order() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/version");
    let files: BTreeSet<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".rs")?.replace('_', "-")))
        .filter(|name| name != "mod")
        .collect();
    let ids: Vec<String> = ORDERS.iter().map(|row| row.id.to_owned()).collect();
    assert_eq!(ids, files.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_ecosystem_has_one_order() {
    let mut seen = BTreeSet::new();
    for row in ORDERS {
        assert!(!row.ecosystems.is_empty(), "{}", row.id);
        for ecosystem in row.ecosystems {
            assert!(seen.insert(ecosystem), "{ecosystem} has two orders");
            assert_eq!(version::order_of(ecosystem).unwrap().id, row.id);
        }
    }
    assert!(version::order_of("nobody").is_none());
}

/// `a < b`, `a = b` or `a > b`, taken apart.
fn relation(line: &str) -> Option<(&str, Ordering, &str)> {
    [
        (" < ", Ordering::Less),
        (" = ", Ordering::Equal),
        (" > ", Ordering::Greater),
    ]
    .into_iter()
    .find_map(|(sign, order)| {
        let (a, b) = line.split_once(sign)?;
        Some((a, order, b))
    })
}

/// What does not hold of these lines, both ways round.
fn wrong(row: &Order, lines: &str) -> (usize, Vec<String>) {
    let mut checked = 0;
    let mut wrong = Vec::new();
    let lines = lines.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (a, order, b) = relation(line).unwrap_or_else(|| panic!("no relation: {line}"));
        let (forth, back) = ((row.compare)(a, b), (row.compare)(b, a));
        if forth != order || back != order.reverse() {
            wrong.push(format!("{}: {line}: {forth:?}, {back:?}", row.id));
        }
        checked += 1;
    }
    (checked, wrong)
}

#[test]
fn what_a_page_shows_is_so() {
    for row in ORDERS {
        let block = super::block(row.page, "order");
        let (checked, wrong) = wrong(row, block);
        assert!(checked >= 2, "{}", row.id);
        assert_eq!(wrong, [""; 0]);
    }
}

#[test]
fn an_order_is_one_and_does_not_stop_at_nonsense() {
    let strange = [
        "",
        "0",
        "-",
        ".",
        "_",
        "~",
        "^",
        "+",
        ":",
        "!",
        "v",
        "a",
        "1.",
        ".1",
        "-1",
        "1-",
        "1..2",
        "1--2",
        "é",
        "1.é",
        "é.1",
        "1é2",
        "1_",
        "1-r",
        "1-r-0",
        "1.0-r0",
        "1:2:3",
        "1!2!3",
        "1+a+b",
        "1.0.0-",
        "dev-main",
        "999999999999999999999999999999",
        "000",
        "1.00",
        "2013-01-23T17:11:52+0100",
    ];
    for row in ORDERS {
        for a in strange {
            assert_eq!((row.compare)(a, a), Ordering::Equal, "{} {a}", row.id);
            for b in strange {
                let order = (row.compare)(a, b);
                assert_eq!(order, (row.compare)(b, a).reverse(), "{}: {a} {b}", row.id);
            }
        }
    }
}

/// What real packages and the ecosystems' own tests compared, as data shared beside the checkout.
#[test]
#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
fn the_samples_compare_right() {
    let samples =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/version-samples");
    let Ok(files) = std::fs::read_dir(&samples) else {
        eprintln!("skipped: no samples of versions beside the checkout");
        return;
    };
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut checked, mut failures) = (0, Vec::new());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let ecosystem = match name.split('-').next().unwrap() {
            "alpine" => "apk",
            "debian" => "deb",
            "redhat" => "rpm",
            "rubygems" => "gem",
            "packagist" => "composer",
            "semver" => "cargo",
            other => other,
        };
        let row = version::order_of(ecosystem).unwrap_or_else(|| panic!("no order for {name}"));
        let (count, wrong) = wrong(row, &std::fs::read_to_string(&file).unwrap());
        checked += count;
        failures.extend(wrong);
    }
    assert_eq!(failures, [""; 0]);
    assert!(checked > 1_000, "only {checked}");
}

/// Pairs that try the rules: parts from a small alphabet, put together by a fixed generator. The
/// second is often the first with one character changed.
fn pairs(count: usize) -> Vec<(String, String)> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    const ALPHABET: &[u8] = b"00123459abzAZ.+~~";
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let mut version = || {
            let mut text = ["", "", "", "0:", "1:", "10:"][next(6)].to_owned();
            text.push(char::from(b'0' + next(10) as u8));
            for _ in 0..next(6) {
                text.push(char::from(ALPHABET[next(ALPHABET.len())]));
            }
            if next(2) == 0 {
                text.push('-');
                for _ in 0..=next(4) {
                    text.push(char::from(ALPHABET[next(ALPHABET.len())]));
                }
            }
            text
        };
        let a = version();
        let mut b = version();
        if next(2) == 0 {
            b.clone_from(&a);
            let at = next(b.len() + 1);
            // Not before the first digit, which both must keep.
            let at = at.max(b.find(':').map_or(1, |colon| colon + 2));
            b.insert(at, char::from(ALPHABET[next(ALPHABET.len())]));
        }
        pairs.push((a, b));
    }
    pairs
}

/// One dpkg answers for all pairs: what we say of each is a dependency of an unpacked package in a
/// database made for the purpose, and dpkg is asked which of them it would configure.
#[test]
#[expect(clippy::disallowed_methods, reason = "dpkg itself is the oracle")]
#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
fn the_order_is_that_of_dpkg() {
    use std::process::Command;

    const PAIRS: usize = 100_000;
    if let Err(error) = Command::new("dpkg").arg("--version").output() {
        eprintln!("skipped: dpkg cannot be started here ({error})");
        return;
    }
    let mut seen = BTreeSet::new();
    let mut status = String::new();
    for (index, (a, b)) in pairs(PAIRS).into_iter().enumerate() {
        assert_eq!(deb::validate(&a), Ok(()), "{a}");
        assert_eq!(deb::validate(&b), Ok(()), "{b}");
        let order = deb::compare(&a, &b);
        let sign = match order {
            Ordering::Less => "<<",
            Ordering::Equal => "=",
            Ordering::Greater => ">>",
        };
        seen.insert(order);
        write!(
            status,
            "Package: a{index}\nStatus: install ok installed\nVersion: {a}\n\
             Maintainer: x\nArchitecture: all\nDescription: x\n\n\
             Package: b{index}\nStatus: install ok unpacked\nVersion: 1\nDepends: a{index} ({sign} {b})\n\
             Maintainer: x\nArchitecture: all\nDescription: x\n\n"
        )
        .unwrap();
    }
    assert_eq!(seen.len(), 3, "the pairs try too little");
    let directory = tempfile::tempdir().unwrap();
    for name in ["info", "updates", "triggers"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    std::fs::write(directory.path().join("info/format"), "1\n").unwrap();
    std::fs::write(directory.path().join("available"), "").unwrap();
    std::fs::write(directory.path().join("status"), status).unwrap();
    let output = Command::new("dpkg")
        .env("LC_ALL", "C")
        .arg(format!("--admindir={}", directory.path().display()))
        .args(["--no-act", "--configure", "--pending"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text, "", "dpkg does not say so");
    let done = String::from_utf8(output.stdout).unwrap();
    let done = done
        .lines()
        .filter(|line| line.starts_with("Setting up b"))
        .count();
    assert_eq!(done, PAIRS);
}

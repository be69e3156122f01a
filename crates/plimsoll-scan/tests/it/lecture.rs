//! The proof of the lecture, from published data that lie beside the checkout: httpd on Debian and on
//! Alpine, and what neither count contains.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use plimsoll_model::{Inventory, ScanFacts};
use plimsoll_packages::listing::{self, Listing};
use plimsoll_scan::feeds::Compiler;
use plimsoll_scan::{Data, Date, Origin, ScanRequest, Scope, Slice, Texts};

/// The data, or nothing and a word about it.
#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
fn shared() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("skipped: no published data beside the checkout");
    None
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("published data are sound")
}

/// The slices made of a file, optionally of some of its lines only.
fn slices(file: &Path, about: Option<Scope>, keep: impl Fn(&str) -> bool) -> BTreeMap<Scope, Data> {
    let mut bytes = std::fs::read(file).expect("published data are sound");
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(&*bytes)
            .read_to_end(&mut plain)
            .expect("published data are sound");
        bytes = plain;
    }
    let text = String::from_utf8(bytes).expect("published data are sound");
    let lines: Vec<&str> = text.lines().filter(|line| keep(line)).collect();
    let name = file
        .file_name()
        .expect("published data are sound")
        .to_str()
        .expect("published data are sound")
        .trim_end_matches(".gz");
    let mut compiler = Compiler::new([]);
    compiler.begin(
        Origin {
            from: name.to_owned(),
            date: "2021-03-01".to_owned(),
            ..Origin::default()
        },
        about,
    );
    compiler
        .file(name, (lines.join("\n") + "\n").as_bytes())
        .expect("published data are sound");
    compiler.end().expect("published data are sound");
    let compiled = compiler.finish();
    let slices = compiled.slices.into_iter();
    slices
        .map(|(scope, file)| {
            let slice = Slice::read(&file, Texts::Read).expect("published data are sound");
            (scope, Data::Slice(Box::new(slice)))
        })
        .collect()
}

fn list(data: &Path, name: &str) -> Listing {
    let text = std::fs::read_to_string(data.join("inventories").join(name))
        .expect("published data are sound");
    listing::read(&text).expect("published data are sound")
}

fn scan(name: &str, inventory: &Inventory, data: &BTreeMap<Scope, Data>) -> ScanFacts {
    plimsoll_scan::scan(&ScanRequest {
        name,
        inventory,
        tree: None,
        base_layers: None,
        data,
        exploited: &|_| None,
        epss: &|_| None,
        today: "2021-03-02"
            .parse::<Date>()
            .expect("published data are sound"),
        max_age: 7,
    })
}

fn rows(facts: &ScanFacts, of: impl Fn(&str) -> bool) -> usize {
    let rows = facts.vulnerabilities.iter();
    rows.filter(|it| of(it.package.ecosystem)).count()
}

#[test]
fn httpd_on_debian_has_what_was_counted_and_alpine_none_and_apache_is_in_neither() {
    let Some(data) = shared() else {
        return;
    };
    let mut known = slices(
        &data.join("vuln/debian10-2021q1.jsonl"),
        Some(scope("debian:10")),
        |_| true,
    );
    known.extend(slices(
        &data.join("vuln/bitnami-vulndb-2026-08.jsonl.gz"),
        Some(scope("bitnami")),
        |_| true,
    ));
    // The image is of 3.12, which the published database stops just before: 3.11 stands in.
    known.extend(slices(
        &data.join("vuln/alpine-secdb-v3.3-v3.11.jsonl"),
        None,
        |line| line.contains("v3.11"),
    ));
    let debian = list(&data, "httpd-2.4.46-at-debian-10.8-inventory.json").inventory;
    let mut alpine = list(&data, "httpd-2.4.46-alpine-inventory.json").inventory;
    assert_eq!(alpine.release.as_ref().unwrap().version_id, "3.12");
    let honest = scan("httpd:alpine", &alpine, &known);
    assert!(
        !honest.is_complete() && honest.judged == 1,
        "nothing is known of 3.12"
    );
    alpine.release = listing::distribution("alpine 3.11");

    let scans = [
        scan("httpd", &debian, &known),
        scan("httpd:alpine", &alpine, &known),
    ];
    let [debian, alpine] = &scans;
    let distribution = rows(debian, |kind| kind == "deb");
    assert!((120..=130).contains(&distribution), "{distribution}");
    assert_eq!(rows(alpine, |kind| kind == "apk"), 0);
    for facts in &scans {
        assert!(facts.is_complete(), "{:?}", facts.unjudged);
        assert_eq!(rows(facts, |kind| kind == "generic"), 75);
    }
    let sentences = plimsoll_scan::explain(&scans);
    for part in [
        "lists only what has been fixed",
        "unimportant",
        "httpd 2.4.46 was built from source",
    ] {
        assert!(
            sentences.iter().any(|it| it.contains(part)),
            "{part}: {sentences:#?}"
        );
    }
}

#[test]
fn debian_alone_has_exactly_what_trivy_counted() {
    let Some(data) = shared() else {
        return;
    };
    // The rows of that scan alone; the packages are those of the base, at the versions it saw.
    let file = data.join("vuln/debian10-2021q1.jsonl");
    let of_trivy = |line: &str| line.contains("\"trivy_sev\"");
    let known = slices(&file, Some(scope("debian:10")), of_trivy);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut seen = BTreeMap::new();
    for line in text.lines().filter(|line| of_trivy(line)) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        seen.insert(text("pkg"), text("seen"));
    }
    let lines: Vec<String> = seen
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let mut inventory = listing::read(&lines.join("\n")).unwrap().inventory;
    inventory.release = listing::distribution("debian 10");
    let facts = scan("debian:10.8", &inventory, &known);
    assert_eq!(facts.vulnerabilities.len(), 93);
    let counts = facts.counts();
    assert_eq!(counts.fixable, 0);
    assert_eq!(counts.rows, 93);
}

#[test]
#[expect(clippy::print_stdout, reason = "bench/scan prints this line")]
fn all_official_images_of_a_day_are_matched() {
    let Some(data) = shared() else {
        return;
    };
    let mut known = slices(
        &data.join("vuln/debian10-2021q1.jsonl"),
        Some(scope("debian:10")),
        |_| true,
    );
    known.extend(slices(
        &data.join("vuln/bitnami-vulndb-2026-08.jsonl.gz"),
        Some(scope("bitnami")),
        |_| true,
    ));
    known.extend(slices(
        &data.join("vuln/alpine-secdb-v3.3-v3.11.jsonl"),
        None,
        |_| true,
    ));
    let packed = std::fs::read(data.join("inventories/official-images-2020-10.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&*packed)
        .read_to_string(&mut text)
        .unwrap();
    let (mut images, mut rows, mut unjudged) = (0, 0, 0);
    let began = std::time::Instant::now();
    for line in text.lines() {
        let listing = listing::read(line).unwrap_or_else(|| panic!("{line}"));
        let facts = scan(&listing.name, &listing.inventory, &known);
        images += 1;
        rows += facts.vulnerabilities.len();
        unjudged += usize::from(!facts.is_complete());
        assert_eq!(facts.packages, listing.inventory.packages.len() as u64);
        // Whatever was not judged is named.
        let named: usize = facts.unjudged.iter().map(|it| it.packages.len()).sum();
        assert_eq!(
            named as u64,
            facts.packages - facts.judged,
            "{}",
            listing.name
        );
    }
    println!(
        "matched {images} images in {:.2} s",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(images, 1_124);
    assert!(
        rows > 10_000 && unjudged > 0,
        "{rows} rows, {unjudged} images not judged whole"
    );
}

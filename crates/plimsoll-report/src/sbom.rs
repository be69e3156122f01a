//! What both bill-of-materials formats need: names for things that depend on nothing but the image.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{Inventory, Package, PackageId, Report, text};
use sha2::{Digest, Sha256};

/// What wrote the document.
pub(crate) const TOOL: &str = "plimsoll";
pub(crate) const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The number of a report's document. Of a scan it is made from what was asked and answered as well: it is
/// another document than the list of what is installed, and than the scan with tomorrow's data.
pub(crate) fn serial(report: &Report) -> String {
    let digest = report.subject.as_ref().map_or("", |facts| &*facts.digest);
    let Some(scan) = report.scans.first() else {
        return uuid(digest);
    };
    let mut hash = Sha256::new();
    let mut add = |words: &str| {
        // With its length, so that no two lists of words are alike.
        hash.update((words.len() as u64).to_le_bytes());
        hash.update(words);
    };
    add(digest);
    add(&scan.name);
    for data in &scan.data {
        let rows = data.rows.to_string();
        for words in [&data.scope, &data.date, &data.content, &rows] {
            add(words);
        }
    }
    let counted = scan.vulnerabilities.iter();
    for it in counted.chain(scan.quiet.iter().map(|quiet| &quiet.vulnerability)) {
        for words in [&it.id, &it.package.purl, &it.fixed.join(" ")] {
            add(words);
        }
        add(it.severity.map_or("", |severity| severity.name()));
    }
    for quiet in &scan.quiet {
        let until = quiet.until.as_deref().unwrap_or_default();
        for words in [&*quiet.by, &quiet.status, &quiet.reason, until] {
            add(words);
        }
    }
    let digest: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    uuid(&digest)
}

/// A UUID made from the image's digest (RFC 9562, version 8), so that the same image has the same
/// document whoever writes it.
pub(crate) fn uuid(digest: &str) -> String {
    let hexadecimal = digest.bytes().filter(u8::is_ascii_hexdigit);
    // The name of the algorithm has such letters too: the last ones are the digest's.
    let mut digits: Vec<u8> = hexadecimal.collect();
    digits.drain(..digits.len().saturating_sub(64));
    digits.resize(32.max(digits.len()), b'0');
    digits.truncate(32);
    digits.make_ascii_lowercase();
    digits[12] = b'8';
    digits[16] = b'8';
    let text = String::from_utf8_lossy(&digits);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

/// The time a document carries: what the user says, else the image's own, where it is one. A statement
/// about vulnerabilities is as old as the newest data it was made from.
pub(crate) fn time(report: &Report) -> Option<String> {
    let said = report.time.as_deref().and_then(to_the_second);
    let scan = report.scans.first();
    let asked = || {
        let data = scan?.data.iter();
        let dates = data.map(|it| match it.date.is_empty() {
            true => &it.content,
            false => &it.date,
        });
        dates.filter_map(|date| to_the_second(date)).max()
    };
    let created = || to_the_second(report.subject.as_ref()?.created.as_deref()?);
    let moment = || to_the_second(&scan?.moment);
    said.or_else(asked).or_else(created).or_else(moment)
}

/// A day or a moment (RFC 3339) to the second; `None` where it is neither.
fn to_the_second(created: &str) -> Option<String> {
    let day = format!("{created}T00:00:00Z");
    let created = if created.len() == 10 { &day } else { created };
    let bytes = created.as_bytes();
    let shape = b"0000-00-00T00:00:00";
    let fits = bytes.len() > shape.len()
        && shape.iter().zip(bytes).all(|(want, have)| match want {
            b'0' => have.is_ascii_digit(),
            _ => want == have,
        });
    // Offsets are rare and would need a calendar: the time is left out rather than written wrong.
    let is_utc = bytes.last() == Some(&b'Z');
    (fits && is_utc).then(|| format!("{}Z", &created[..shape.len()]))
}

/// A stranger's text without what terminals obey.
pub(crate) fn clean(words: &str) -> String {
    text::printable(words.as_bytes())
}

/// A name for each package that is the same as long as the package is: its URL, with a number
/// where the same thing is installed several times.
pub(crate) fn references(inventory: &Inventory) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let packages = inventory.packages.iter();
    packages
        .map(|package| {
            let url = package.purl(inventory.release.as_ref());
            let count = seen.entry(url.clone()).or_default();
            *count += 1;
            match count {
                1 => url,
                more => format!("{url}#{more}"),
            }
        })
        .collect()
}

/// What each package needs, without the needs that close a ring (Debian's packages have some): a
/// bill of materials is read as a graph without rings.
pub(crate) fn needs(inventory: &Inventory) -> Vec<(PackageId, Vec<PackageId>)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let count = inventory.packages.len();
    let mut marks = vec![Mark::New; count];
    let mut closing: BTreeSet<(u32, u32)> = BTreeSet::new();
    for start in 0..count as u32 {
        // Depth first, with a stack of one's own: chains of packages may be long.
        let mut stack = vec![(start, 0)];
        while let Some((id, next)) = stack.pop() {
            let index = id as usize;
            if next == 0 {
                if marks[index] != Mark::New {
                    continue;
                }
                marks[index] = Mark::Open;
            }
            let requires = &inventory.packages[index].requires;
            match requires.get(next) {
                None => marks[index] = Mark::Done,
                Some(needed) => {
                    stack.push((id, next + 1));
                    match marks.get(needed.0 as usize) {
                        Some(Mark::New) => stack.push((needed.0, 0)),
                        Some(Mark::Open) => {
                            closing.insert((id, needed.0));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    let needs = inventory.iter().map(|(id, package)| {
        let kept = package.requires.iter().copied();
        let kept = kept
            .filter(|needed| !closing.contains(&(id.0, needed.0)) && (needed.0 as usize) < count);
        (id, kept.collect())
    });
    needs.collect()
}

/// Where a package was found: its file, and the place in it.
pub(crate) fn place(package: &Package) -> Option<String> {
    let path = package.database.as_ref()?.to_string();
    Some(match package.inside.as_str() {
        "" => path,
        inside => format!("{path}!/{}", clean(inside)),
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_model::report::ImageFacts;
    use plimsoll_model::vulnerability::AskedData;
    use plimsoll_model::{ScanFacts, Vulnerability};

    use super::*;

    /// A bill of what is known, by the data of this day.
    fn scanned(day: &str) -> Report {
        Report {
            subject: Some(ImageFacts {
                digest: format!("sha256:{}", "0123456789abcdef".repeat(4)),
                created: Some("2020-01-01T00:00:00Z".to_owned()),
                ..ImageFacts::default()
            }),
            scans: vec![ScanFacts {
                moment: "2026-12-24T01:02:03.4Z".to_owned(),
                data: vec![AskedData {
                    date: day.to_owned(),
                    ..AskedData::default()
                }],
                ..ScanFacts::default()
            }],
            ..Report::default()
        }
    }

    #[test]
    fn a_scan_is_a_document_of_its_own_with_each_data() {
        let alone = Report {
            scans: Vec::new(),
            ..scanned("")
        };
        let mut flawed = scanned("2026-11-01");
        flawed.scans[0]
            .vulnerabilities
            .push(Vulnerability::default());
        let all = [alone, scanned("2026-11-01"), scanned("2026-11-02"), flawed];
        let numbers: BTreeSet<String> = all.iter().map(serial).collect();
        assert_eq!(numbers.len(), 4, "{numbers:?}");
        assert!(numbers.contains("01234567-89ab-8def-8123-456789abcdef"));
        assert_eq!(serial(&scanned("2026-11-01")), serial(&all[1]));
    }

    #[test]
    fn a_scan_is_as_old_as_its_data() {
        let of = |report: &Report| time(report).unwrap_or_default();
        assert_eq!(of(&scanned("2026-11-01")), "2026-11-01T00:00:00Z");
        let moment = "2026-11-01T02:03:04.5Z";
        assert_eq!(of(&scanned(moment)), "2026-11-01T02:03:04Z");
        // Where the data say no day: the image's, then the moment of the scan.
        assert_eq!(of(&scanned("")), "2020-01-01T00:00:00Z");
        let mut nothing = scanned("");
        nothing.subject = None;
        assert_eq!(of(&nothing), "2026-12-24T01:02:03Z");
        nothing.time = Some("2001-01-01T00:00:00Z".to_owned());
        assert_eq!(of(&nothing), "2001-01-01T00:00:00Z");
    }

    #[test]
    fn a_digest_becomes_a_number_of_its_own() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        assert_eq!(uuid(&digest), "01234567-89ab-8def-8123-456789abcdef");
        assert_eq!(uuid(""), "00000000-0000-8000-8000-000000000000");
    }

    #[test]
    fn a_time_is_one_or_left_out() {
        let of = |text: &str| {
            time(&Report {
                subject: Some(ImageFacts {
                    created: Some(text.to_owned()),
                    ..ImageFacts::default()
                }),
                ..Report::default()
            })
        };
        assert_eq!(
            of("2026-01-02T03:04:05.678Z").as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        for text in [
            "",
            "yesterday",
            "2026-01-02T03:04:05+01:00",
            "2026-01-02 03:04:05Z",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn needs_have_no_rings() {
        let package = |name: &str, requires: &[u32]| Package {
            ecosystem: "deb",
            name: name.to_owned(),
            requires: requires.iter().copied().map(PackageId).collect(),
            ..Package::default()
        };
        let inventory = Inventory {
            packages: vec![
                package("a", &[1]),
                package("b", &[0, 2]),
                package("c", &[2, 9]),
            ],
            ..Inventory::default()
        };
        let needs = needs(&inventory);
        let needs: Vec<Vec<u32>> = needs
            .into_iter()
            .map(|(_, list)| list.into_iter().map(|id| id.0).collect())
            .collect();
        assert_eq!(needs, [vec![1], vec![2], vec![]]);
    }
}

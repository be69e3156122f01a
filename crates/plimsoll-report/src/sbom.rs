//! What both bill-of-materials formats need: names for things that depend on nothing but the image.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::report::ImageFacts;
use plimsoll_model::{Inventory, Package, PackageId, text};

/// What wrote the document.
pub(crate) const TOOL: &str = "plimsoll";
pub(crate) const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

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

/// The time a document carries, to the second: the image's own, where it is one (RFC 3339).
pub(crate) fn time(facts: Option<&ImageFacts>) -> Option<String> {
    let created = facts?.created.as_deref()?;
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
    use super::*;

    #[test]
    fn a_digest_becomes_a_number_of_its_own() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        assert_eq!(uuid(&digest), "01234567-89ab-8def-8123-456789abcdef");
        assert_eq!(uuid(""), "00000000-0000-8000-8000-000000000000");
    }

    #[test]
    fn a_time_is_one_or_left_out() {
        let of = |text: &str| {
            let facts = ImageFacts {
                created: Some(text.to_owned()),
                ..ImageFacts::default()
            };
            time(Some(&facts))
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

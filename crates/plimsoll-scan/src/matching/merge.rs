//! One flaw may have several records: of two feeds, or of one that names it twice (`PYSEC-...` beside
//! `GHSA-...` beside its CVE number). It is counted once, with what all of them say.

use std::collections::BTreeMap;

use super::range::Hit;
use crate::Advisory;

/// The flaws that these records are about, by their names: a CVE number where one of them has it.
///
/// Records are of one flaw where they have the same CVE number, or where one without any is a name of the
/// other. A record that names two CVE numbers does not make the two one.
pub(super) fn merged<'a>(
    records: Vec<(Advisory<'a>, Hit<'a>)>,
) -> BTreeMap<&'a str, (Advisory<'a>, Hit<'a>)> {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    // Every name of a record that has a CVE number leads to that number.
    for (record, _) in &records {
        if let Some(cve) = record.cve() {
            for name in names(record).filter(|name| !name.starts_with("CVE-")) {
                keys.entry(name).or_insert(cve);
            }
        }
    }
    // The others lead to the first name of all they hang together with; each round may join two groups.
    loop {
        let mut changed = false;
        for (record, _) in records.iter().filter(|(record, _)| record.cve().is_none()) {
            let known = names(record).filter_map(|name| keys.get(name).copied());
            // A number before any other name.
            let first = known.min_by_key(|name| (!name.starts_with("CVE-"), *name));
            let key = first.unwrap_or(record.id);
            for name in names(record) {
                changed |= keys.insert(name, key) != Some(key);
            }
        }
        if !changed {
            break;
        }
    }
    let mut found: BTreeMap<&str, (Advisory<'a>, Hit<'a>)> = BTreeMap::new();
    for (record, hit) in records {
        let own = record.cve().or_else(|| keys.get(record.id).copied());
        let key = own.unwrap_or(record.id);
        match found.remove(key) {
            None => found.insert(key, (record, hit)),
            Some(other) => found.insert(key, both(other, (record, hit))),
        };
    }
    found
}

/// The names of a record.
fn names<'a>(record: &Advisory<'a>) -> impl Iterator<Item = &'a str> {
    std::iter::once(record.id).chain(record.aliases.clone())
}

/// What two records say of a flaw: the one that knows a fix, else the first, is believed, and what it does not
/// say is taken from the other.
fn both<'a>(
    first: (Advisory<'a>, Hit<'a>),
    second: (Advisory<'a>, Hit<'a>),
) -> (Advisory<'a>, Hit<'a>) {
    let knows = |hit: &Hit<'_>| matches!(hit, Hit::FixedIn(_));
    let ((mut best, hit), (other, _)) = match knows(&second.1) && !knows(&first.1) {
        true => (second, first),
        false => (first, second),
    };
    best.severity = best.severity.or(other.severity);
    best.cvss.extend(other.cvss);
    best.aliases.push(other.id);
    best.aliases.extend(other.aliases);
    if best.title.is_empty() {
        best.title = other.title;
    }
    (best, hit)
}

#[cfg(test)]
mod tests {
    use plimsoll_model::Severity;

    use super::*;

    fn record(id: &'static str, aliases: &[&'static str]) -> (Advisory<'static>, Hit<'static>) {
        let advisory = Advisory {
            id,
            aliases: aliases.to_vec(),
            ..Advisory::default()
        };
        (advisory, Hit::Unfixed)
    }

    fn keys(records: Vec<(Advisory<'static>, Hit<'static>)>) -> Vec<&'static str> {
        merged(records).into_keys().collect()
    }

    #[test]
    fn names_of_one_flaw_are_counted_once_in_whatever_order_they_come() {
        let all = [
            record("PYSEC-2026-1", &["GHSA-a-1"]),
            record("GHSA-a-1", &["CVE-2026-1"]),
            record("CVE-2026-1", &["BIT-a-2026-1"]),
        ];
        assert_eq!(keys(all.to_vec()), ["CVE-2026-1"]);
        let mut turned = all.to_vec();
        turned.reverse();
        assert_eq!(keys(turned), ["CVE-2026-1"]);
        // Without a number, over a name that none of the ends has in common.
        let chain = vec![
            record("PYSEC-2026-2", &["X-2"]),
            record("GHSA-b-2", &["Y-2"]),
            record("OTHER-2", &["X-2", "Y-2"]),
        ];
        assert_eq!(keys(chain).len(), 1);
    }

    #[test]
    fn a_record_that_names_two_numbers_does_not_make_them_one() {
        let records = vec![
            record("CVE-2026-1", &["GHSA-a-1"]),
            record("CVE-2026-2", &["GHSA-a-1"]),
            record("GHSA-c-3", &[]),
        ];
        assert_eq!(keys(records), ["CVE-2026-1", "CVE-2026-2", "GHSA-c-3"]);
    }

    #[test]
    fn what_the_one_that_knows_a_fix_does_not_say_the_other_does() {
        let rated = Advisory {
            severity: Some(Severity::High),
            cvss: vec!["CVSS:3.1/x"],
            title: "overflow",
            ..record("GHSA-a-1", &["CVE-2026-1"]).0
        };
        let mended = record("GO-2026-1", &["CVE-2026-1"]).0;
        let found = merged(vec![(rated, Hit::Unfixed), (mended, Hit::FixedIn("1.2"))]);
        let (advisory, hit) = &found["CVE-2026-1"];
        assert_eq!(*hit, Hit::FixedIn("1.2"));
        assert_eq!(
            (advisory.id, advisory.severity, advisory.title),
            ("GO-2026-1", Some(Severity::High), "overflow")
        );
        assert!(advisory.aliases.contains(&"GHSA-a-1"));
        assert_eq!(advisory.cvss, ["CVSS:3.1/x"]);
    }
}

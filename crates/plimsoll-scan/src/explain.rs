//! Why the counts of images differ, one sentence a reason.

use std::collections::BTreeMap;

use plimsoll_model::package::ecosystem;
use plimsoll_model::vulnerability::Counts;
use plimsoll_model::{ScanFacts, Vulnerability};

/// What somebody must know to compare these counts, as sentences.
///
/// Where there is one image: what its count hides. Where there are two: why they differ.
pub fn explain(scans: &[ScanFacts]) -> Vec<String> {
    let mut sentences = Vec::new();
    for facts in scans {
        sentences.extend(feeds(facts));
        sentences.extend(ended(facts));
        sentences.extend(unmarked(facts));
        sentences.extend(subpackages(facts));
        sentences.extend(phantoms(facts));
        sentences.extend(unversioned(facts));
    }
    sentences.extend(applications(scans));
    sentences.dedup();
    sentences
}

fn is_distribution(it: &Vulnerability) -> bool {
    it.package.is_of_the_distribution()
}

/// What the feeds of a distribution can say, and what they cannot.
fn feeds(facts: &ScanFacts) -> Vec<String> {
    let name = &facts.name;
    let own = Counts::of(
        facts
            .vulnerabilities
            .iter()
            .filter(|it| is_distribution(it)),
    );
    let mut sentences = Vec::new();
    for data in facts
        .data
        .iter()
        .filter(|data| data.scope.contains(':') || data.scope == "wolfi")
    {
        let scope = &data.scope;
        if !data.lists_unfixed {
            sentences.push(format!(
                "{name}: the feed of {scope} lists only what has been fixed, so a flaw nobody has fixed \
                 yet is in no count; 0 means that every fix is installed, not that nothing is wrong."
            ));
        } else if own.unfixed + own.unimportant > 0 {
            sentences.push(format!(
                "{name}: the feed of {scope} also lists flaws without a fix ({}) and those its vendor calls \
                 unimportant ({}); a feed that lists only fixes would show {} of these {}.",
                own.unfixed, own.unimportant, own.fixable, own.by_source
            ));
        }
    }
    sentences
}

/// A release nobody fixes any more: what is fresh about it is not new.
fn ended(facts: &ScanFacts) -> Option<String> {
    let on = &facts.ended.as_ref()?.on;
    Some(format!(
        "{}: nobody publishes fixes for {} since {on}; flaws that became known later may be in no list of it, \
         and a 0 means little.",
        facts.name,
        match &*facts.distribution {
            "" => "its distribution release",
            name => name,
        }
    ))
}

/// Where the marks are missing or old, that none is exploited is no news.
fn unmarked(facts: &ScanFacts) -> Option<String> {
    let why = facts.exploited_unknown.as_ref()?;
    Some(format!(
        "{}: which vulnerabilities are known to be exploited is not known, a 0 there says nothing: {why}.",
        facts.name
    ))
}

/// One flaw of a source package is counted once for each package built from it.
fn subpackages(facts: &ScanFacts) -> Option<String> {
    let own = Counts::of(
        facts
            .vulnerabilities
            .iter()
            .filter(|it| is_distribution(it)),
    );
    (own.rows > own.by_source).then(|| {
        format!(
            "{}: {} counted by installed package, as most scanners do, are {} by source package, because \
             several packages are built from one source.",
            facts.name, own.rows, own.by_source
        )
    })
}

/// How many names a sentence has.
const NAMED: usize = 5;

/// What is listed and not there.
fn phantoms(facts: &ScanFacts) -> Option<String> {
    let (count, noun, shown) = named(&facts.phantoms)?;
    Some(format!(
        "{}: no file is left of {count} {noun} in its database ({shown}); what is known about them is \
         counted all the same.",
        facts.name,
    ))
}

/// What does not say which version it is, and need not.
fn unversioned(facts: &ScanFacts) -> Option<String> {
    let (count, noun, shown) = named(&facts.unversioned)?;
    Some(format!(
        "{}: {count} {noun} without a version ({shown}), such as a program built from a checkout of one's \
         own; no advisory is about any version.",
        facts.name,
    ))
}

/// How many there are, the word for them, and the first of them.
fn named(names: &[String]) -> Option<(usize, &'static str, String)> {
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let noun = match names.len() {
        0 => return None,
        1 => "package",
        _ => "packages",
    };
    Some((names.len(), noun, shown.join(", ") + &more))
}

/// What no package database knows, by product.
fn applications(scans: &[ScanFacts]) -> Vec<String> {
    let mut products: BTreeMap<(&str, &str), Vec<(&str, u64)>> = BTreeMap::new();
    for facts in scans {
        let mut found: BTreeMap<(&str, &str), Vec<&Vulnerability>> = BTreeMap::new();
        for it in &facts.vulnerabilities {
            if it.package.ecosystem == ecosystem::GENERIC {
                let key = (&*it.package.name, &*it.package.version);
                found.entry(key).or_default().push(it);
            }
        }
        for (key, members) in found {
            let count = Counts::of(members).distinct;
            products.entry(key).or_default().push((&facts.name, count));
        }
    }
    let sentences = products.into_iter().map(|((product, version), images)| {
        let count = images.iter().map(|&(_, count)| count).max().unwrap_or_default();
        let place = match &*images {
            [(name, _)] if scans.len() > 1 => format!("in {name} alone"),
            [_] => "in addition to its packages'".to_owned(),
            _ => "in both images alike".to_owned(),
        };
        format!(
            "{product} {version} was built from source: no package database mentions it and no count of the \
             distribution's packages contains its own {count}, which are {place}."
        )
    });
    sentences.collect()
}

#[cfg(test)]
mod tests {
    use plimsoll_model::vulnerability::{Affected, AskedData, Ended, VulnerabilityState};

    use super::*;

    fn row(
        kind: &'static str,
        name: &str,
        source: &str,
        id: &str,
        state: VulnerabilityState,
    ) -> Vulnerability {
        Vulnerability {
            id: id.to_owned(),
            state,
            package: Affected {
                ecosystem: kind,
                name: name.to_owned(),
                version: "1".to_owned(),
                source: source.to_owned(),
                ..Affected::default()
            },
            ..Vulnerability::default()
        }
    }

    fn facts(name: &str, scope: &str, lists_unfixed: bool, rows: Vec<Vulnerability>) -> ScanFacts {
        ScanFacts {
            name: name.to_owned(),
            data: vec![AskedData {
                scope: scope.to_owned(),
                lists_unfixed,
                ..AskedData::default()
            }],
            vulnerabilities: rows,
            ..ScanFacts::default()
        }
    }

    #[test]
    fn each_reason_is_one_sentence() {
        use VulnerabilityState::{Fixable, Unfixed, Unimportant};
        let own = || row("generic", "httpd", "httpd", "CVE-9", Fixable);
        let one = facts(
            "web",
            "debian:10",
            true,
            vec![
                row("deb", "libc6", "glibc", "CVE-1", Unfixed),
                row("deb", "libc-bin", "glibc", "CVE-1", Unfixed),
                row("deb", "tar", "tar", "CVE-2", Unimportant),
                own(),
            ],
        );
        let two = facts("web:alpine", "alpine:3.12", false, vec![own()]);
        let sentences = explain(&[one, two]);
        assert_eq!(sentences.len(), 4, "{sentences:#?}");
        assert!(
            sentences[0].contains("without a fix (1)")
                && sentences[0].contains("show 0 of these 2")
        );
        assert!(
            sentences[1].contains("3 counted by installed package")
                && sentences[1].contains("are 2")
        );
        assert!(sentences[2].contains("lists only what has been fixed"));
        assert!(
            sentences[3].contains("httpd 1 was built from source")
                && sentences[3].contains("own 1")
        );
    }

    #[test]
    fn a_release_that_is_over_and_marks_that_are_missing_are_said() {
        let facts = ScanFacts {
            distribution: "Alpine Linux v3.10".to_owned(),
            ended: Some(Ended {
                on: "2021-05-01".to_owned(),
                ..Ended::default()
            }),
            exploited_unknown: Some("there are no data about kev".to_owned()),
            ..facts("x", "alpine:3.10", true, Vec::new())
        };
        let sentences = explain(&[facts]);
        assert_eq!(sentences.len(), 2, "{sentences:#?}");
        assert!(sentences[0].contains("fixes for Alpine Linux v3.10 since 2021-05-01"));
        assert!(sentences[1].contains("is not known, a 0 there says nothing: there are no data"));
    }

    #[test]
    fn nothing_to_explain_is_nothing_said() {
        assert_eq!(
            explain(&[facts("x", "debian:12", true, Vec::new())]),
            [""; 0]
        );
    }
}

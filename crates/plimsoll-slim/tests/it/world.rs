//! Images under test as text: the notation of `plimsoll_model::fixture`, and on top of it
//!
//! ```text
//! /usr/bin/x 0755 elf needed=libz.so.1 interp=/lib/ld.so   an ELF file
//! SEEN executed /usr/bin/x                                 what a run did
//! INCLUDE /srv/**                                          what the user asks for
//! EXCLUDE /srv/old
//! KEEP-PACKAGE lib*
//! LEVEL file                                               `app` if not said
//! /usr/bin/x 0755 elf pad=5000                            the same, 5000 KiB longer
//! /usr/bin/x 0755 elf                      # kept          it stays
//! /lib/ld.so 0755 elf                      # kept [elf]    and the rule that brought it
//! /usr/bin/y 0755 elf                      # kept, unresolved libq.so   a problem that names libq.so
//! /usr/bin/z -> y                          # ashore        for links, which stay without a claim
//! ```
//!
//! A regular file that is not claimed must be left ashore. The first layer is the base.

use std::collections::BTreeSet;
use std::sync::Arc;

use plimsoll_model::fixture::Fixture;
use plimsoll_model::rootfs::Overlaid;
use plimsoll_model::{Access, Ancestor, ImagePath, Kind, Node, Observations, Plan, Rootfs};
use plimsoll_slim::{Layers, Level, Request};

use crate::elf::Elf;

/// An image, what was seen of it, and what is claimed.
pub(crate) struct World {
    pub(crate) fixture: Fixture,
    pub(crate) observations: Observations,
    include: Vec<String>,
    exclude: Vec<String>,
    keep_packages: Vec<String>,
    level: Level,
    claims: Vec<Claim>,
}

struct Claim {
    path: ImagePath,
    kept: Option<bool>,
    rule: Option<String>,
    unresolved: Option<String>,
}

impl World {
    pub(crate) fn new(text: &str) -> Self {
        let mut lines = Vec::new();
        let mut observations = Observations::default();
        let mut padded = Vec::new();
        let (mut include, mut exclude, mut claims) = (Vec::new(), Vec::new(), Vec::new());
        let (mut keep_packages, mut level) = (Vec::new(), Level::App);
        for line in text.lines() {
            let line = line.trim();
            let (fact, claim) = match line.rsplit_once(" # ") {
                Some((fact, claim)) => (fact.trim(), claim.trim()),
                None => (line, ""),
            };
            if let Some(seen) = fact.strip_prefix("SEEN ") {
                let (access, path) = seen.split_once(' ').unwrap();
                observations.add(path.trim().as_bytes(), access_of(access), "/bin/x", "start");
                continue;
            }
            if let Some(pattern) = fact.strip_prefix("INCLUDE ") {
                include.push(pattern.trim().to_owned());
                continue;
            }
            if let Some(pattern) = fact.strip_prefix("EXCLUDE ") {
                exclude.push(pattern.trim().to_owned());
                continue;
            }
            if let Some(pattern) = fact.strip_prefix("KEEP-PACKAGE ") {
                keep_packages.push(pattern.trim().to_owned());
                continue;
            }
            if let Some(word) = fact.strip_prefix("LEVEL ") {
                level = Level::parse(word.trim()).unwrap();
                continue;
            }
            if let Some(path) = fact
                .split_whitespace()
                .next()
                .filter(|w| w.starts_with('/'))
            {
                claims.push(claim_of(path, fact, claim));
            }
            if let Some((fact, kib)) = fact.split_once(" pad=") {
                let path = fact.split_whitespace().next().unwrap();
                padded.push((ImagePath::new(path), kib.parse().unwrap()));
                lines.push(with_elf(fact));
                continue;
            }
            lines.push(with_elf(fact));
        }
        let mut fixture = Fixture::bare(&lines.join("\n"));
        pad(&mut fixture.rootfs, &padded);
        fixture.lineage.ancestors.insert(
            0,
            Ancestor {
                name: "base".into(),
                layers: Some(1),
                evidence: "the test says so".into(),
            },
        );
        Self {
            fixture,
            observations,
            include,
            exclude,
            keep_packages,
            level,
            claims,
        }
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            subject: self.fixture.subject(),
            observations: &self.observations,
            level: self.level,
            include: &self.include,
            exclude: &self.exclude,
            keep_packages: &self.keep_packages,
            baked: &[],
            layers: Layers::Single,
            known: None,
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        plimsoll_slim::plan(&self.request())
    }

    /// Plans, and compares with what is claimed.
    pub(crate) fn check(&self) -> Plan {
        let plan = self.plan();
        for claim in &self.claims {
            let path = &claim.path;
            if let Some(kept) = claim.kept {
                assert_eq!(
                    plan.keeps(path),
                    kept,
                    "{path} (claimed: {}); reasons: {:?}",
                    if kept { "kept" } else { "ashore" },
                    plan.keep.get(path)
                );
            }
            if let Some(rule) = &claim.rule {
                assert_eq!(
                    plan.keep[path][0].rule, rule,
                    "{path}: {:?}",
                    plan.keep[path]
                );
            }
        }
        let claimed: BTreeSet<(String, &str)> = self
            .claims
            .iter()
            .filter_map(|claim| Some((claim.path.to_string(), claim.unresolved.as_deref()?)))
            .collect();
        assert_eq!(
            plan.unresolved.len(),
            claimed.len(),
            "problems: {:?}",
            plan.unresolved
        );
        for (path, text) in claimed {
            let found = plan.unresolved.iter().map(ToString::to_string);
            let mut found = found.filter(|problem| problem.starts_with(&format!("{path}: ")));
            assert!(
                found.any(|problem| problem.contains(text)),
                "{path} {text}: {:?}",
                plan.unresolved
            );
        }
        plan
    }
}

pub(crate) fn check(text: &str) -> Plan {
    World::new(text).check()
}

fn access_of(word: &str) -> Access {
    match word {
        "executed" => Access::EXECUTED,
        "opened" => Access::OPENED,
        "looked-up" => Access::LOOKED_UP,
        "lstat" => Access::LOOKED_UP.with(Access::NOFOLLOW),
        "listed" => Access::LISTED,
        "changed" => Access::CHANGED,
        "written" => Access::WRITTEN,
        "removed" => Access::REMOVED.with(Access::NOFOLLOW),
        _ => panic!("not an access: {word}"),
    }
}

fn claim_of(path: &str, fact: &str, claim: &str) -> Claim {
    let (first, unresolved) = match claim.split_once(", unresolved ") {
        Some((first, text)) => (first, Some(text.trim().to_owned())),
        None => (claim, None),
    };
    let kept = first.starts_with("kept");
    let is_optional = fact.contains(" -> ") || fact.contains(" dir ") || fact.ends_with(" removed");
    let rule = first
        .strip_prefix("kept [")
        .and_then(|r| r.strip_suffix(']'));
    assert!(
        matches!(first, "" | "kept" | "ashore") || rule.is_some(),
        "claim not understood: {claim}"
    );
    Claim {
        path: ImagePath::new(path),
        kept: (kept || first == "ashore" || !is_optional).then_some(kept),
        rule: rule.map(str::to_owned),
        unresolved,
    }
}

/// Makes files longer by zeros: paths, and how many KiB.
fn pad(rootfs: &mut Rootfs, padded: &[(ImagePath, usize)]) {
    let contents = Overlaid::new(Arc::clone(&rootfs.contents));
    for (path, kib) in padded {
        let mut bytes = rootfs.read(path, u64::MAX).unwrap();
        bytes.resize(bytes.len() + kib * 1024, 0);
        let node = rootfs.tree.get(path).unwrap().clone();
        let size = bytes.len() as u64;
        let kind = Kind::File {
            size,
            at: contents.add(bytes),
        };
        rootfs.tree.insert(path.clone(), Node { kind, ..node });
    }
    rootfs.contents = Arc::new(contents);
}

/// `PATH MODE elf WORDS` as a file with that content.
fn with_elf(fact: &str) -> String {
    let mut words = fact.splitn(4, ' ').filter(|word| !word.is_empty());
    let fact_words: Vec<&str> = fact.split_whitespace().collect();
    if fact_words.get(2) != Some(&"elf") || words.next().is_none() {
        return fact.to_owned();
    }
    let rest = fact_words[3..].join(" ");
    let bytes = Elf::parse(&rest).bytes();
    let hex: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("{} {} \"{hex}\"", fact_words[0], fact_words[1])
}

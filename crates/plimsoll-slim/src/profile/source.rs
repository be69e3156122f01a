//! The image a profile was written about, as far as it tells another from it.

use std::collections::BTreeMap;

use plimsoll_model::{Evidence, Finding, Package, Plan, Severity, Subject};

use super::replay::{count, finding};
use crate::inventory::{label, shares};
use crate::owners::Owners;

/// What is remembered of the image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// What it is made from, nearest first, without scratch.
    pub base: Vec<String>,
    /// `ENTRYPOINT`.
    pub entrypoint: Vec<String>,
    /// `CMD`.
    pub cmd: Vec<String>,
    /// `HEALTHCHECK` in Docker's form; empty where there is none.
    pub healthcheck: Vec<String>,
    /// `USER`.
    pub user: String,
    /// `WORKDIR`.
    pub working_dir: String,
    /// `EXPOSE`.
    pub ports: Vec<String>,
    /// `VOLUME`.
    pub volumes: Vec<String>,
    /// The names of the variables of `ENV`, sorted: values may be secrets, and change often.
    pub env: Vec<String>,
    /// The packages of which something stays, with their versions.
    pub packages: BTreeMap<String, String>,
    /// Those of which nothing stays.
    pub others: Others,
}

/// Packages of which only the set is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// How many.
    pub count: u64,
    /// A hash (FNV-1a) of their names and versions.
    pub hash: u64,
}

impl Source {
    /// What is remembered of an image of which this plan was made.
    pub fn of(subject: &Subject<'_>, plan: &Plan) -> Self {
        let tree = &subject.rootfs.tree;
        let shares = shares(tree, &Owners::of(subject.inventory, tree), plan);
        let all = &subject.inventory.packages;
        let (mut packages, mut others) = (BTreeMap::new(), Vec::new());
        for (id, package) in subject.inventory.iter() {
            let (name, version) = (named(all, package), package.version.clone());
            match shares.get(&id) {
                Some(share) if share.kept > 0 => {
                    packages.insert(name, version);
                }
                _ => others.push((name, version)),
            }
        }
        let config = &subject.image.config;
        let mut env: Vec<String> = config
            .env
            .iter()
            .filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()))
            .collect();
        env.sort();
        env.dedup();
        let ancestors = subject.lineage.ancestors.iter();
        let base = ancestors.filter(|ancestor| ancestor.name != "scratch");
        Self {
            base: base.map(|ancestor| ancestor.name.clone()).collect(),
            entrypoint: config.entrypoint.clone(),
            cmd: config.cmd.clone(),
            healthcheck: config.healthcheck.clone().unwrap_or_default(),
            user: config.user.clone(),
            working_dir: config.working_dir.clone(),
            ports: config.exposed_ports.clone(),
            volumes: config.volumes.clone(),
            env,
            packages,
            others: Others {
                count: others.len() as u64,
                hash: hash(others),
            },
        }
    }
}

/// A package's name with its ecosystem: two of one name are two.
fn named(all: &[Package], package: &Package) -> String {
    format!("{}:{}", package.ecosystem, label(all, package))
}

fn hash(mut packages: Vec<(String, String)>) -> u64 {
    packages.sort();
    let text = packages
        .iter()
        .flat_map(|(name, version)| [name.as_bytes(), b" ", version.as_bytes(), b"\n"]);
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for &byte in text.flatten() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// What differs between the image a profile was written about and this one, in what starts it and
/// in its packages.
pub fn drift(before: &Source, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let now = Source::of(subject, &Plan::default());
    let words = |words: &[String]| words.join(" ");
    let settings = [
        (
            "ENTRYPOINT",
            words(&before.entrypoint),
            words(&now.entrypoint),
        ),
        ("CMD", words(&before.cmd), words(&now.cmd)),
        (
            "HEALTHCHECK",
            words(&before.healthcheck),
            words(&now.healthcheck),
        ),
        ("USER", before.user.clone(), now.user.clone()),
        (
            "WORKDIR",
            before.working_dir.clone(),
            now.working_dir.clone(),
        ),
        ("EXPOSE", words(&before.ports), words(&now.ports)),
        ("VOLUME", words(&before.volumes), words(&now.volumes)),
        ("ENV", words(&before.env), words(&now.env)),
    ];
    for (key, old, new) in settings {
        if old == new {
            continue;
        }
        let severity = match key {
            "ENTRYPOINT" | "CMD" | "HEALTHCHECK" | "USER" => Severity::Medium,
            _ => Severity::Low,
        };
        let message = match key {
            "ENV" => format!(
                "other variables than when the profile was written: {}",
                changed(&before.env, &now.env)
            ),
            _ => format!("another {key} than when the profile was written: then `{old}`"),
        };
        let evidence = vec![Evidence::Config { key, value: new }];
        let remedy = "what was learned may be about another program: run it again with --verify";
        findings.push(finding(severity, message, evidence, remedy));
    }
    if before.base != now.base {
        let shown = |base: &[String]| match base {
            [] => "nothing that is known".to_owned(),
            base => base.join(", "),
        };
        let message = format!(
            "made from {}, and from {} when the profile was written",
            shown(&now.base),
            shown(&before.base)
        );
        let remedy = "run it again with --verify";
        findings.push(finding(
            Severity::Low,
            message,
            vec![Evidence::Image],
            remedy,
        ));
    }
    findings.extend(packages(before, subject));
    findings
}

/// `+A, -B`.
fn changed(before: &[String], now: &[String]) -> String {
    let new = now.iter().filter(|name| !before.contains(name));
    let gone = before.iter().filter(|name| !now.contains(name));
    let new = new.map(|name| format!("+{name}"));
    let gone = gone.map(|name| format!("-{name}"));
    new.chain(gone).collect::<Vec<_>>().join(", ")
}

fn packages(before: &Source, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let all = &subject.inventory.packages;
    let mut installed: BTreeMap<String, &str> = BTreeMap::new();
    for package in all {
        installed.insert(named(all, package), &package.version);
    }
    let evidence = |name: &str, version: String| Evidence::Package {
        name: name.to_owned(),
        version,
    };
    let (mut gone, mut other) = (Vec::new(), Vec::new());
    for (name, version) in &before.packages {
        match installed.remove(name) {
            None => gone.push(evidence(name, version.clone())),
            Some(now) if now != version => {
                other.push(evidence(name, format!("{version} -> {now}")))
            }
            Some(_) => {}
        }
    }
    if !gone.is_empty() {
        let message = format!(
            "{} of which something stayed, and which the image no longer has",
            count(gone.len(), "package")
        );
        let remedy = "run it again with --verify";
        findings.push(finding(Severity::Low, message, gone, remedy));
    }
    if !other.is_empty() {
        let message = format!(
            "{} in other versions than when the profile was written",
            count(other.len(), "package")
        );
        let remedy = "prove the new ones: --verify";
        findings.push(finding(Severity::Info, message, other, remedy));
    }
    // What is left are those of which nothing stayed, and new ones.
    let rest = installed
        .into_iter()
        .map(|(name, version)| (name, version.to_owned()));
    let rest = Others {
        count: rest.len() as u64,
        hash: hash(rest.collect()),
    };
    if rest != before.others {
        let message = format!(
            "other packages of which nothing stayed: {} then, {} now",
            before.others.count, rest.count
        );
        let remedy = "nothing, unless the image needs one of them now: --verify tells";
        findings.push(finding(
            Severity::Info,
            message,
            vec![Evidence::Image],
            remedy,
        ));
    }
    findings
}

//! What an image was like when somebody said it was good enough, to hold the next one against.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::report::{Demand, Footprint};
use plimsoll_model::text::{bytes, count};
use plimsoll_model::{Evidence, ImagePath, Report, Severity};
use serde::{Deserialize, Serialize};

use super::Growths;
use super::demands::some;

/// The name of the shape of the file.
const SCHEMA: &str = "plimsoll.baseline/1";

/// What an image was like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    schema: String,
    /// The image it was made from.
    pub(crate) image: String,
    digest: String,
    bytes: u64,
    compressed: u64,
    files: u64,
    /// Names of packages, each once: a new version is no new package.
    packages: BTreeSet<String>,
    /// How many are listed, one name several times where it is installed several times.
    package_count: u64,
    shells: Vec<String>,
    package_managers: Vec<String>,
    network_tools: Vec<String>,
    setuid: Vec<String>,
    /// What each check found, waived or not: paths, packages, keys.
    findings: BTreeMap<String, BTreeSet<String>>,
}

impl Baseline {
    /// What this report says of its image; `None` where it is about none.
    pub(crate) fn of(report: &Report) -> Option<Self> {
        let facts = report.subject.as_ref()?;
        let footprint = &facts.footprint;
        let names = |paths: &[ImagePath]| paths.iter().map(ImagePath::to_string).collect();
        let packages = facts.packages.iter().map(|package| package.name.clone());
        let mut findings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let waived = report.waived.iter().map(|waived| &waived.finding);
        for finding in report.findings.iter().chain(waived) {
            let places = findings.entry(finding.check.to_owned()).or_default();
            places.extend(finding.evidence.iter().map(Evidence::subject));
        }
        Some(Self {
            schema: SCHEMA.to_owned(),
            image: facts.name.clone(),
            digest: facts.digest.clone(),
            bytes: footprint.bytes,
            compressed: footprint.compressed,
            files: footprint.files,
            packages: packages.collect(),
            package_count: footprint.packages,
            shells: names(&footprint.shells),
            package_managers: names(&footprint.package_managers),
            network_tools: names(&footprint.network_tools),
            setuid: names(&footprint.setuid),
            findings,
        })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let baseline: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if baseline.schema != SCHEMA {
            let schema = baseline.schema;
            return Err(format!("its schema is `{schema}`, expected `{SCHEMA}`"));
        }
        Ok(baseline)
    }

    /// Its numbers, for a table of before and after.
    pub(crate) fn footprint(&self) -> Footprint {
        let paths = |names: &[String]| names.iter().map(ImagePath::new).collect();
        Footprint {
            bytes: self.bytes,
            compressed: self.compressed,
            files: self.files,
            packages: self.package_count,
            shells: paths(&self.shells),
            package_managers: paths(&self.package_managers),
            network_tools: paths(&self.network_tools),
            setuid: paths(&self.setuid),
        }
    }

    /// The file: sorted, so that a change of it can be reviewed.
    pub(crate) fn text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// What the policy demands against the baseline: nothing heavier than it says, no new package
    /// and no new finding where it does not say.
    pub(super) fn demands(&self, growth: &Growths, report: &Report, demands: &mut Vec<Demand>) {
        let Some(now) = Self::of(report) else {
            return;
        };
        let sizes = [
            ("bytes", growth.bytes, self.bytes, now.bytes),
            (
                "bytes to pull",
                growth.compressed,
                self.compressed,
                now.compressed,
            ),
        ];
        for (name, growth, before, after) in sizes {
            let Some(growth) = growth else {
                continue;
            };
            let most = growth.most(before);
            demands.push(Demand {
                wanted: format!(
                    "{name} at most {growth} of the baseline's {}",
                    bytes(before)
                ),
                found: bytes(after),
                met: after <= most,
                ..Demand::default()
            });
        }
        if let Some(more) = growth.files {
            demands.push(Demand {
                wanted: format!("at most {} more files than the baseline", count(more)),
                found: format!("{}, before {}", count(now.files), count(self.files)),
                met: now.files <= self.files.saturating_add(more),
                ..Demand::default()
            });
        }
        let packages = now.packages.difference(&self.packages).cloned();
        demands.push(news("package", growth.packages, packages.collect()));
        let mut findings = Vec::new();
        for finding in &report.findings {
            let places = finding.evidence.iter().map(Evidence::subject);
            match self.findings.get(finding.check) {
                None => findings.push(finding.key()),
                // Caches and leftovers have other names in each build: there only the check counts.
                Some(_) if finding.severity < Severity::Medium => {}
                Some(known) => {
                    let new = places.filter(|place| !known.contains(place));
                    findings.extend(new.map(|place| format!("{}:{place}", finding.check)));
                }
            }
        }
        findings.sort();
        findings.dedup();
        demands.push(news("finding", growth.findings, findings));
    }
}

fn news(what: &str, most: Option<u64>, new: Vec<String>) -> Demand {
    let most = most.unwrap_or(0);
    let wanted = match most {
        0 => format!("no new {what} since the baseline"),
        most => format!("at most {} new {what}s since the baseline", count(most)),
    };
    Demand {
        wanted,
        met: new.len() as u64 <= most,
        found: some(&new, "none"),
        ..Demand::default()
    }
}

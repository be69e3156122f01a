//! `spdx`: the inventory as an SPDX 2.3 document (ISO/IEC 5962), as JSON, for programs.
//!
//! One package for the image and one for each package in it, with its package URL. Licences are
//! declared where they are expressions of well-known identifiers; otherwise the package's own words
//! are in `licenseComments`. Of a scan each package has the addresses of the advisories it is subject to: the
//! format has no more room for them. The name of the document comes from the image's digest, its time from
//! the image: the same image gives the same bytes. Of a scan both come from its data, too.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use plimsoll_model::{Inventory, Package, Report, ScanFacts};
use serde::Serialize;

use crate::sbom::{self, clean};
use crate::{Format, Needs};

/// The row.
pub static FORMAT: Format = Format {
    id: "spdx",
    extension: "spdx.json",
    help: "the inventory as an SPDX 2.3 bill of materials",
    needs: Needs::Inventory,
    write,
    file: file!(),
};

const NOTHING: &str = "NOASSERTION";
const IMAGE: &str = "SPDXRef-Image";

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document::of(report))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    packages: Vec<SpdxPackage>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct CreationInfo {
    created: String,
    creators: Vec<String>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct SpdxPackage {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version_info: String,
    supplier: String,
    download_location: &'static str,
    files_analyzed: bool,
    license_concluded: &'static str,
    license_declared: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    license_comments: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    source_info: String,
    primary_package_purpose: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalRef>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

/// Adds to each package the pages of what is known to be wrong with it (SPDX 2.3, annex F.2.3, `advisory`).
fn advisories(facts: &ScanFacts, inventory: &Inventory, packages: &mut [SpdxPackage]) {
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for it in &facts.vulnerabilities {
        let pages = known.entry(&it.package.purl).or_default();
        pages.extend(it.url.as_ref().map(|url| clean(url)));
    }
    for (listed, written) in inventory.packages.iter().zip(packages) {
        let purl = listed.purl(inventory.release.as_ref());
        let pages = known.get(&*purl).into_iter().flatten();
        written.external_refs.extend(pages.map(|page| ExternalRef {
            reference_category: "SECURITY",
            reference_type: "advisory",
            reference_locator: page.clone(),
        }));
    }
}

impl Document {
    fn of(report: &Report) -> Self {
        let none = Inventory::default();
        let inventory = report.inventory.as_ref().unwrap_or(&none);
        let facts = report.subject.as_ref();
        let name = facts.map_or_else(|| "image".to_owned(), |facts| clean(&facts.name));
        let digest = facts.map_or("", |facts| facts.digest.as_str());
        let mut packages = vec![SpdxPackage {
            id: IMAGE.to_owned(),
            name: name.clone(),
            version_info: clean(digest),
            supplier: NOTHING.to_owned(),
            download_location: NOTHING,
            license_concluded: NOTHING,
            license_declared: NOTHING.to_owned(),
            copyright_text: NOTHING,
            primary_package_purpose: "CONTAINER",
            ..SpdxPackage::default()
        }];
        let id = |index: usize| format!("SPDXRef-Package-{}", index + 1);
        let listed = inventory.packages.iter().enumerate();
        packages.extend(listed.map(|(index, it)| package(inventory, it, id(index))));
        if let Some(facts) = report.scans.first() {
            advisories(facts, inventory, &mut packages[1..]);
        }
        let relation = |from: String, kind, to: String| Relationship {
            spdx_element_id: from,
            relationship_type: kind,
            related_spdx_element: to,
        };
        let mut relationships = vec![relation(
            "SPDXRef-DOCUMENT".to_owned(),
            "DESCRIBES",
            IMAGE.to_owned(),
        )];
        relationships.extend(
            (0..inventory.packages.len())
                .map(|index| relation(IMAGE.to_owned(), "CONTAINS", id(index))),
        );
        for (from, needs) in sbom::needs(inventory) {
            let needs = needs.into_iter();
            relationships.extend(
                needs.map(|to| relation(id(from.0 as usize), "DEPENDS_ON", id(to.0 as usize))),
            );
        }
        let release = inventory.release.as_ref();
        let problems = report
            .problems
            .iter()
            .map(|problem| clean(&problem.to_string()));
        let comment = release.map(|release| {
            format!(
                "distribution: {} {}",
                clean(&release.id),
                clean(&release.version_id)
            )
        });
        let accepted = report.waived.iter().map(|waived| {
            let until = waived.until.as_deref().unwrap_or_default();
            let (message, reason) = (&waived.finding.message, &waived.reason);
            clean(&format!("{message}; accepted until {until}: {reason}"))
        });
        let comment: Vec<String> = comment
            .into_iter()
            .chain(problems)
            .chain(accepted)
            .collect();
        Self {
            spdx_version: "SPDX-2.3",
            data_license: "CC0-1.0",
            id: "SPDXRef-DOCUMENT",
            document_namespace: format!(
                "https://spdx.org/spdxdocs/plimsoll-{}",
                sbom::serial(report)
            ),
            name,
            creation_info: CreationInfo {
                created: sbom::time(report).unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned()),
                creators: vec![format!("Tool: {}-{}", sbom::TOOL, sbom::TOOL_VERSION)],
            },
            comment: comment.join("\n"),
            packages,
            relationships,
        }
    }
}

fn package(inventory: &Inventory, package: &Package, id: String) -> SpdxPackage {
    let licences: Vec<String> = package.licences.iter().map(|text| clean(text)).collect();
    let is_known = !licences.is_empty() && licences.iter().all(|text| is_expression(text));
    let declared = match (is_known, &licences[..]) {
        (true, [one]) => one.clone(),
        (true, many) => many
            .iter()
            .map(|one| format!("({one})"))
            .collect::<Vec<_>>()
            .join(" AND "),
        (false, _) => NOTHING.to_owned(),
    };
    let place = sbom::place(package).map_or_else(String::new, |place| format!(": {place}"));
    let vendor = clean(&package.vendor);
    SpdxPackage {
        id,
        name: clean(&package.name),
        version_info: clean(&package.version),
        supplier: match vendor.as_str() {
            "" => NOTHING.to_owned(),
            vendor => format!("Organization: {vendor}"),
        },
        download_location: NOTHING,
        license_concluded: NOTHING,
        license_declared: declared,
        license_comments: if is_known {
            String::new()
        } else {
            licences.join("; ")
        },
        copyright_text: NOTHING,
        source_info: format!("known by {}{place}", package.known_by.name()),
        primary_package_purpose: if package.ecosystem == "generic" {
            "APPLICATION"
        } else {
            "LIBRARY"
        },
        external_refs: vec![ExternalRef {
            reference_category: "PACKAGE-MANAGER",
            reference_type: "purl",
            reference_locator: package.purl(inventory.release.as_ref()),
        }],
        ..SpdxPackage::default()
    }
}

/// Whether this is an SPDX expression of identifiers that are known here. Others may be as valid:
/// they are quoted as words.
fn is_expression(text: &str) -> bool {
    const KNOWN: &[&str] = &[
        "0BSD",
        "AFL-2.1",
        "AGPL-3.0-only",
        "AGPL-3.0-or-later",
        "Apache-2.0",
        "Artistic-2.0",
        "BSD-1-Clause",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSD-4-Clause",
        "BSL-1.0",
        "BlueOak-1.0.0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC0-1.0",
        "EPL-1.0",
        "EPL-2.0",
        "GPL-1.0-only",
        "GPL-1.0-or-later",
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "ICU",
        "ISC",
        "LGPL-2.0-only",
        "LGPL-2.0-or-later",
        "LGPL-2.1-only",
        "LGPL-2.1-or-later",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "MIT",
        "MIT-0",
        "MPL-1.1",
        "MPL-2.0",
        "OFL-1.1",
        "OpenSSL",
        "PSF-2.0",
        "PostgreSQL",
        "Python-2.0",
        "Ruby",
        "Unicode-3.0",
        "Unlicense",
        "WTFPL",
        "X11",
        "Zlib",
        "curl",
        "PHP-3.01",
        "blessing",
        "bzip2-1.0.6",
        "Linux-syscall-note",
        "Classpath-exception-2.0",
        "GCC-exception-3.1",
        "LLVM-exception",
    ];
    let mut depth = 0_i32;
    let mut wants_name = true;
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    for word in spaced.split_whitespace() {
        match word {
            "(" if wants_name => depth += 1,
            ")" if !wants_name && depth > 0 => depth -= 1,
            "AND" | "OR" | "WITH" if !wants_name => wants_name = true,
            name if wants_name && KNOWN.contains(&name) => wants_name = false,
            _ => return false,
        }
    }
    !wants_name && depth == 0
}

#[cfg(test)]
mod tests {
    use super::is_expression;

    #[test]
    fn only_sound_expressions_are_declared() {
        for text in [
            "MIT",
            "(MIT OR Apache-2.0) AND BSD-3-Clause",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ] {
            assert!(is_expression(text), "{text}");
        }
        for text in [
            "",
            "BSD",
            "MIT OR",
            "MIT MIT",
            "(MIT",
            "MIT)",
            "GPL-2.0+",
            "see LICENSE",
        ] {
            assert!(!is_expression(text), "{text}");
        }
    }
}

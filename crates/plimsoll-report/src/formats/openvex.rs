//! `openvex`: an OpenVEX document of the scanned images, to publish beside them or to edit by hand.
//!
//! What was found is `affected`, with what to do about it, also what the ignore file takes out of the count,
//! with the reason given there: ignored is not absent. What another document says of it is `not_affected` or
//! `fixed`. The product is
//! the image, its packages are subcomponents.
//!
//! Source: OpenVEX specification 0.2.0.

use std::collections::BTreeMap;
use std::io::{self, Write};

use plimsoll_model::vulnerability::VulnerabilityState;
use plimsoll_model::{Report, ScanFacts, Vulnerability};
use serde_json::{Value, json};

use crate::place::clean;
use crate::{Format, Needs};

/// The row.
pub static FORMAT: Format = Format {
    id: "openvex",
    extension: "json",
    help: "OpenVEX 0.2.0, of what a scan found and what it was told",
    needs: Needs::Scan,
    write,
    file: file!(),
};

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let statements: Vec<Value> = report.scans.iter().flat_map(statements).collect();
    let names: Vec<String> = report
        .scans
        .iter()
        .map(|facts| encode(&facts.name))
        .collect();
    let moment = report.scans.iter().map(|facts| &*facts.moment).max();
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("urn:plimsoll:vex:{}", names.join(":")),
        "author": "plimsoll",
        "role": "scanner",
        "timestamp": report.time.as_deref().or(moment).unwrap_or_default(),
        "version": 1,
        "tooling": format!("plimsoll/{}", env!("CARGO_PKG_VERSION")),
        "statements": statements,
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// What is said alike of one vulnerability.
type Key<'a> = (String, &'a str, String, String);

fn statements(facts: &ScanFacts) -> Vec<Value> {
    let mut said: BTreeMap<Key<'_>, Vec<&Vulnerability>> = BTreeMap::new();
    for it in &facts.vulnerabilities {
        let key = (it.id.clone(), "affected", String::new(), action(it));
        said.entry(key).or_default().push(it);
    }
    for it in &facts.quiet {
        let said_by = format!("{} (by {})", it.reason, it.by);
        let (status, words) = match &*it.status {
            status @ ("fixed" | "not_affected") => (status, said_by),
            _ => {
                let until = it.until.iter().map(|day| format!(" until {day}"));
                let until: String = until.collect();
                ("affected", format!("ignored{until}: {said_by}"))
            }
        };
        let id = it.vulnerability.id.clone();
        let key = (id, status, clean(&it.justification), clean(&words));
        said.entry(key).or_default().push(&it.vulnerability);
    }
    let statements = said
        .into_iter()
        .map(|((id, status, justification, words), members)| {
            let parts: Vec<Value> = members
                .iter()
                .map(|it| json!({"@id": clean(&it.package.purl)}))
                .collect();
            let mut statement = json!({
                "vulnerability": {"name": clean(&id), "aliases": aliases(&members)},
                "products": [{"@id": product(facts), "subcomponents": parts}],
                "status": status,
            });
            match status {
                "affected" => statement["action_statement"] = json!(words),
                "fixed" => statement["status_notes"] = json!(words),
                _ if justification.is_empty() => statement["impact_statement"] = json!(words),
                _ => {
                    statement["justification"] = json!(justification);
                    statement["impact_statement"] = json!(words);
                }
            }
            statement
        });
    statements.collect()
}

fn aliases(members: &[&Vulnerability]) -> Vec<String> {
    let mut aliases: Vec<String> = members
        .iter()
        .flat_map(|it| &it.aliases)
        .map(|it| clean(it))
        .collect();
    aliases.sort();
    aliases.dedup();
    aliases
}

/// The image as a product: its package URL where it has a digest, else its name.
fn product(facts: &ScanFacts) -> String {
    let name = facts.name.rsplit('/').next().unwrap_or_default();
    let name = name.split(['@', ':']).next().unwrap_or_default();
    match facts.digest.is_empty() {
        false => format!(
            "pkg:oci/{}@{}",
            encode(&name.to_lowercase()),
            encode(&facts.digest)
        ),
        true => clean(&facts.name),
    }
}

fn action(it: &Vulnerability) -> String {
    let (source, fixed) = (clean(&it.package.source), clean(&it.fixed.join(", ")));
    match it.state {
        _ if !fixed.is_empty() => format!("upgrade {source} to {fixed}"),
        VulnerabilityState::Unimportant => "none: the vendor calls it unimportant".to_owned(),
        _ => format!("no fixed version of {source} is known"),
    }
}

/// Percent-encoding of all but letters, digits and `-._`.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let encoded = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    encoded.collect()
}

//! CISA's catalogue of vulnerabilities that are known to be exploited.

use serde::Deserialize;

use super::json::{self, Text};
use super::{Compiler, Document, csv, feed, id};
use crate::marks::{Cve, Kev};

feed! {
    /// The catalogue of known exploited vulnerabilities of CISA, as JSON, as CSV, or as a table of
    /// identifier, day and ransomware use with tabs between them.
    id: "kev",
    lists_unfixed: true,
    recognise: |document| {
        document.holds("\"cveID\"") && document.holds("\"dateAdded\"")
            || document.holds("cveID,") && document.holds("dateAdded")
            || is_table(document.bytes)
    },
    read: read,
}

/// Whether the first line is an identifier and a day.
fn is_table(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let mut fields = line.split('\t');
    fields.next().is_some_and(id::is_cve)
        && fields.next().is_some_and(|day| json::day(day).is_some())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue<'a> {
    #[serde(borrow, default)]
    date_released: Text<'a>,
    #[serde(borrow)]
    vulnerabilities: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, rename = "cveID")]
    id: Text<'a>,
    #[serde(borrow)]
    date_added: Text<'a>,
    #[serde(borrow, default)]
    known_ransomware_campaign_use: Text<'a>,
}

fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let mut newest = None;
    let mut add = |id: &str, added: &str, ransomware: &str| -> Result<(), String> {
        let (Some(cve), Some(added)) = (Cve::parse(id), json::day(added)) else {
            return Err(format!("`{id}` with the day `{added}` is no entry"));
        };
        let ransomware = ransomware.eq_ignore_ascii_case("known");
        newest = newest.max(Some(added));
        into.exploited(cve, Kev { added, ransomware });
        Ok(())
    };
    let mut released = String::new();
    if document.first() == Some(b'{') {
        let catalogue: Catalogue<'_> = json::read(document.bytes)?;
        for entry in &catalogue.vulnerabilities {
            add(
                &entry.id,
                &entry.date_added,
                &entry.known_ransomware_campaign_use,
            )?;
        }
        released = catalogue.date_released.to_string();
    } else if is_table(document.bytes) {
        let text = std::str::from_utf8(document.bytes).map_err(|_| "is not UTF-8")?;
        if !text.ends_with('\n') {
            return Err("is cut short: its last line has no end".to_owned());
        }
        for (number, line) in text.lines().enumerate() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [id, added, ransomware] = fields[..] else {
                return Err(format!("line {} has not three fields", number + 1));
            };
            add(id, added, ransomware)?;
        }
    } else {
        let columns = ["cveID", "dateAdded", "knownRansomwareCampaignUse"];
        csv::rows(document.bytes, columns, |[id, added, ransomware]| {
            add(id, added, ransomware)
        })?;
    }
    if released.is_empty() {
        released = newest.map(|day| day.to_string()).unwrap_or_default();
    }
    into.dated(&released);
    into.marked();
    Ok(())
}
